import { UsageError } from "../errors.js";
import type { Connection } from "./connection-string.js";

/**
 * What calls are made with. `link`: workers speak the emulator's own framing, and clients HTTP/2; `http2`: gRPC over
 * HTTP/2, on a client of our own, with TLS or without; `grpc-js`: gRPC with grpc-js, which goes through proxies.
 */
export type Transport = "link" | "http2" | "grpc-js";

/** By what `--transport` says; `grpc` is what it said before results and flag had one word. */
const FLAGS: Readonly<Record<string, Transport>> = {
  link: "link",
  http2: "http2",
  "grpc-js": "grpc-js",
  grpc: "grpc-js",
};

/** The variable that tells a run's own worker processes. */
export const TRANSPORT_VARIABLE = "FANOUT_TRANSPORT";

/** Reads what `--transport` says. @throws UsageError */
export function parseTransport(flag: string | undefined): Transport | undefined {
  if (flag === undefined) return undefined;
  const transport = Object.hasOwn(FLAGS, flag) ? FLAGS[flag] : undefined;
  if (transport === undefined)
    throw new UsageError("invalid-value", `--transport: expected link, http2 or grpc-js, found "${flag}"`);
  return transport;
}

/** The transport to use: the one that was asked for, else the leanest that there is for the backend. @throws UsageError */
export function chooseTransport(connection: Connection, asked: Transport | undefined): Transport {
  if (connection.kind === "emulator") return asked ?? "link";
  if (asked === "link")
    throw new UsageError("unsupported-transport", "--transport link is for the embedded emulator alone");
  const { proxy, url } = connection;
  if (proxy === undefined) return asked ?? "http2";
  if (asked === "http2") {
    throw new UsageError(
      "unsupported-transport",
      `--transport http2 does not go through a proxy, and ${proxy.source} names ${proxy.place}`,
      { hint: `leave the flag out, or name ${url.hostname} in NO_PROXY to go past the proxy` },
    );
  }
  return "grpc-js";
}
