import type { ChannelCredentials, ChannelOptions, Metadata } from "@grpc/grpc-js";
import type { Transport } from "./transport.js";

/** How to reach a backend over gRPC: what any client of it needs to open a channel of its own. */
export interface GrpcTarget {
  /** A gRPC name: `unix:/path`, `host:port`. */
  readonly address: string;
  /** Whether it is reached over TLS: then `credentials` say so to grpc-js. */
  readonly isSecure: boolean;
  readonly credentials: ChannelCredentials;
  readonly options: ChannelOptions;
  /** What calls are made with; absent: grpc-js. */
  readonly transport?: Transport;
  /** The metadata that every call carries; `role` decides the user agent, and a worker names itself. */
  metadata(role: "client" | "worker", workerId?: string): Promise<Metadata>;
}
