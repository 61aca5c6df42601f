import { describe, expect, test } from "vitest";
import { resolveConnection } from "../../../src/backend/connection-string.js";
import { chooseTransport, parseTransport } from "../../../src/backend/transport.js";
import { UsageError } from "../../../src/errors.js";

const EMULATOR = "UseDevelopmentStorage=true";
const PLAIN = "Endpoint=http://localhost:8080;Authentication=None;TaskHub=default";
const SECURE = "Endpoint=https://example.com;Authentication=None;TaskHub=default";

const PROXY = { HTTPS_PROXY: "http://user:secret@proxy.example:3128" };

const connectionOf = (flag: string, env: NodeJS.ProcessEnv = {}) => resolveConnection({ flag, env });

describe("--transport", () => {
  test.each([
    [undefined, undefined],
    ["link", "link"],
    ["http2", "http2"],
    ["grpc-js", "grpc-js"],
    ["grpc", "grpc-js"],
  ])("%s is read as %s", (flag, transport) => {
    expect(parseTransport(flag)).toBe(transport);
  });

  test.each(["", "grpcjs", "HTTP2", "toString"])('"%s" is refused, with what there is', (flag) => {
    expect(() => parseTransport(flag)).toThrow(
      new UsageError("invalid-value", `--transport: expected link, http2 or grpc-js, found "${flag}"`),
    );
  });
});

test.each([
  ["the embedded emulator", EMULATOR, undefined, "link"],
  ["the embedded emulator", EMULATOR, "http2", "http2"],
  ["the embedded emulator", EMULATOR, "grpc-js", "grpc-js"],
  ["a backend without TLS", PLAIN, undefined, "http2"],
  ["a backend without TLS", PLAIN, "grpc-js", "grpc-js"],
  ["a backend behind TLS", SECURE, undefined, "http2"],
  ["a backend behind TLS", SECURE, "http2", "http2"],
  ["a backend behind TLS", SECURE, "grpc-js", "grpc-js"],
] as const)("%s (%s), asked for %s, is spoken to over %s", (_, connection, asked, transport) => {
  expect(chooseTransport(connectionOf(connection), asked)).toBe(transport);
});

test.each([
  ["link", PLAIN, "--transport link is for the embedded emulator alone"],
  ["link", SECURE, "--transport link is for the embedded emulator alone"],
] as const)("%s is refused if the backend does not support it: %s", (asked, connection, message) => {
  expect(() => chooseTransport(connectionOf(connection), asked)).toThrow(
    expect.objectContaining({ message, code: "unsupported-transport" }),
  );
});

describe("a backend behind a proxy", () => {
  test.each([undefined, "grpc-js"] as const)("asked for %s, is spoken to over grpc-js", (asked) => {
    expect(chooseTransport(connectionOf(SECURE, PROXY), asked)).toBe("grpc-js");
  });

  test("is not reached over http2, and the error has a hint without the proxy's password", () => {
    expect(() => chooseTransport(connectionOf(SECURE, PROXY), "http2")).toThrow(
      new UsageError(
        "unsupported-transport",
        "--transport http2 does not go through a proxy, and HTTPS_PROXY names proxy.example:3128",
        {
          hint: "leave the flag out, or name example.com in NO_PROXY to go past the proxy",
        },
      ),
    );
  });

  test("that NO_PROXY names is spoken to over http2", () => {
    const past = connectionOf(SECURE, { ...PROXY, NO_PROXY: "example.com" });
    expect(chooseTransport(past, undefined)).toBe("http2");
  });
});
