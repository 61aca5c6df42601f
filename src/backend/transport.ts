import { UsageError } from "../errors.js";
import type { Connection } from "./connection-string.js";

/**
 * The protocol of calls.
 * - `link`: workers use the emulator's own framing, and clients use HTTP/2.
 * - `http2`: gRPC on our own HTTP/2 client, with or without TLS.
 * - `grpc-js`: gRPC with grpc-js, which goes through proxies.
 */
export type Transport = "link" | "http2" | "grpc-js";

/** The values of `--transport`. `grpc` is the old word for `grpc-js`. */
const FLAGS: Readonly<Record<string, Transport>> = {
  link: "link",
  http2: "http2",
  "grpc-js": "grpc-js",
  grpc: "grpc-js",
};

/** The variable that passes the transport to a run's own worker processes. */
export const TRANSPORT_VARIABLE = "FANOUT_TRANSPORT";

/** Reads `--transport`. @throws UsageError */
export function parseTransport(flag: string | undefined): Transport | undefined {
  if (flag === undefined) return undefined;
  const transport = Object.hasOwn(FLAGS, flag) ? FLAGS[flag] : undefined;
  if (transport === undefined)
    throw new UsageError("invalid-value", `--transport: expected link, http2 or grpc-js, found "${flag}"`);
  return transport;
}

/** The requested transport, else the fastest one that the backend supports. @throws UsageError */
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
