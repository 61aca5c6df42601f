import type { ChannelCredentials, ChannelOptions, Metadata } from "@grpc/grpc-js";
import type { Transport } from "./transport.js";

/** How to reach a backend over gRPC: all that a client needs to open its own channel. */
export interface GrpcTarget {
  /** A gRPC name: `unix:/path`, `host:port`. That of the embedded emulator may change when it is started again. */
  readonly address: string;
  /** Of the embedded emulator's owner. `metadata` has it too. */
  readonly token?: string | undefined;
  /** Whether the connection uses TLS. `credentials` tell it to grpc-js. */
  readonly isSecure: boolean;
  readonly credentials: ChannelCredentials;
  readonly options: ChannelOptions;
  /** The transport of calls; absent: grpc-js. */
  readonly transport?: Transport;
  /** The metadata of every call. `role` decides the user agent, and a worker adds its id. */
  metadata(role: "client" | "worker", workerId?: string): Promise<Metadata>;
}
