import { Metadata, status, type ServiceError } from "@grpc/grpc-js";
import { describe, expect, test } from "vitest";
import { resolveConnection } from "../../../src/backend/connection-string.js";
import { explain } from "../../../src/backend/explain.js";
import { FanoutError } from "../../../src/errors.js";

const SECRET = "eyJhbGciOiJub25lIn0.eyJzZWNyZXQiOjF9.c2lnbmF0dXJl";

const ALTNAMES = "Hostname/IP does not match certificate's altnames: Host: x. is not in the cert's altnames: DNS:y";
const WRONG_VERSION =
  "40ED4A:error:0A00010B:SSL routines:tls_validate_record_header:wrong version number:../deps/openssl/x.c:77:\n";

const connectionOf = (flag: string) => resolveConnection({ flag, env: {} });
const SCHEDULER = connectionOf("Endpoint=https://x.durabletask.io;Authentication=AzureCli;TaskHub=hub-1");
const OPEN = connectionOf("Endpoint=https://host.example;Authentication=None;TaskHub=hub-1");
const EMULATOR = connectionOf("UseDevelopmentStorage=true");

function serviceError(code: status, details: string): ServiceError {
  return Object.assign(new Error(`${code}: ${details}`), { code, details, metadata: new Metadata() });
}

function systemError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

const away = (details: string): ServiceError => serviceError(status.UNAVAILABLE, details);
const connecting = (reason: string): ServiceError =>
  away(`No connection established. Last error: Error: ${reason}. Resolution note: ${SECRET}`);

describe("an error names the part that is wrong and the next step", () => {
  test.each<[string, unknown, string]>([
    ["a host that does not resolve", away("Name resolution failed for target dns:x:443"), "does not resolve"],
    [
      "a host that does not resolve, as Node says it",
      systemError("ENOTFOUND", "getaddrinfo ENOTFOUND x"),
      "Endpoint=https://x.durabletask.io",
    ],
    ["nobody at the port", connecting("connect ECONNREFUSED 127.0.0.1:1"), "connect ECONNREFUSED 127.0.0.1:1. Check"],
    [
      "nobody at the port, as Node says it",
      systemError("ECONNREFUSED", "connect ECONNREFUSED ::1:1"),
      "Check that it runs",
    ],
    ["another TLS name", connecting(ALTNAMES), "another name"],
    ["another TLS name, as Node says it", systemError("ERR_TLS_CERT_ALTNAME_INVALID", ALTNAMES), "another name"],
    ["an unknown authority", connecting("unable to verify the first certificate"), "NODE_EXTRA_CA_CERTS"],
    ["a self-signed authority", connecting("self-signed certificate in certificate chain"), "NODE_EXTRA_CA_CERTS"],
    [
      "one without authority, as Node says it",
      systemError("DEPTH_ZERO_SELF_SIGNED_CERT", "self-signed certificate"),
      "NODE_EXTRA_CA",
    ],
    ["an old certificate", systemError("CERT_HAS_EXPIRED", "certificate has expired"), "this machine's clock"],
    ["no TLS", systemError("EPROTO", "write EPROTO ssl3_get_record:wrong version number"), "There is no TLS at"],
    [
      "no TLS, as OpenSSL says it",
      connecting(WRONG_VERSION),
      "answer: SSL routines: wrong version number. There is no",
    ],
    [
      "TLS where the string says http",
      connecting(`Failed to connect (${new Date().toISOString()})`),
      "http:// or https",
    ],
    ["HTTP/1 where the string says http", away("Protocol error"), "does not speak gRPC over this protocol"],
    ["a refused token", serviceError(status.UNAUTHENTICATED, SECRET), "refused the token of Authentication=AzureCli"],
    ["a missing role", serviceError(status.PERMISSION_DENIED, SECRET), '"Durable Task Data Contributor"'],
    ["an unknown hub", serviceError(status.NOT_FOUND, "TaskHub not found"), "no task hub hub-1"],
    ["a malformed hub", serviceError(status.INVALID_ARGUMENT, "bad task hub"), "--task-hub"],
    ["a slow backend", serviceError(status.DEADLINE_EXCEEDED, "Deadline exceeded"), "too long to answer"],
    ["a credential", Object.assign(new Error(SECRET), { name: "CredentialUnavailableError" }), "az login"],
    ["a server that repeats the token", away(`cannot serve ${SECRET}`), "cannot serve ***"],
  ])("%s", (_, error, expected) => {
    const told = explain(error, SCHEDULER);
    expect(told).toBeInstanceOf(FanoutError);
    const { message, cause, exitCode } = told as FanoutError;
    expect(message).toContain(expected);
    expect(message).not.toContain(SECRET);
    expect({ cause, exitCode }).toEqual({ cause: error, exitCode: 1 });
  });

  test("a backend that wants a credential names the next step if the string has none", () => {
    for (const connection of [OPEN, EMULATOR]) {
      const told = explain(serviceError(status.UNAUTHENTICATED, ""), connection) as Error;
      expect(told.message).toContain("Set Authentication=DefaultAzure");
    }
    const denied = explain(serviceError(status.PERMISSION_DENIED, ""), OPEN) as Error;
    expect(denied.message).toContain("does not let a caller without a credential use task hub hub-1");
  });

  test("several attempts are counted in the message", () => {
    const told = explain(away("busy"), OPEN, 10) as Error;
    expect(told.message).toBe(
      "The backend does not answer: busy (10 attempts). Check that it runs, and that the connection string names it.",
    );
  });
});

test.each<[string, unknown]>([
  ["an instance that is not there", serviceError(status.NOT_FOUND, "no instance x")],
  ["an instance that is not in the hub", serviceError(status.NOT_FOUND, "There is no instance 'x' in task hub 'h'.")],
  ["an argument of the caller", serviceError(status.INVALID_ARGUMENT, "an instance id is empty")],
  ["a call that is not there", serviceError(status.UNIMPLEMENTED, "")],
  ["an id that is taken", serviceError(status.ALREADY_EXISTS, "")],
  ["a file that is not there", systemError("ENOENT", "no such file")],
  ["a defect", new TypeError("x is not a function")],
  ["what is explained already", new FanoutError("backend-failed", "known")],
  ["what is no error", "x"],
])("%s is not changed", (_, error) => {
  expect(explain(error, SCHEDULER)).toBe(error);
});
