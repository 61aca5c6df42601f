import { Client, Metadata, Server, ServerCredentials, credentials } from "@grpc/grpc-js";
import { SidecarClient } from "../../src/backend/sidecar-client.js";
import { unaryCall } from "../../src/backend/unary-call.js";
import { raw, serviceDefinition } from "../../src/emulator/grpc.js";
import { RpcError } from "../../src/emulator/rpc-error.js";
import { sidecarMethods } from "../../src/emulator/sidecar-service.js";
import { pb } from "../../src/wire/sidecar-stubs.js";
import { CHANNEL_OPTIONS, metadataOf } from "../emulator/raw-connection.js";

const SERVICE = "TaskHubSidecarService";
const METHODS = Object.entries(sidecarMethods).filter(([, { responseStream }]) => !responseStream);

type Lacks = (method: string, request: Buffer) => boolean;

/**
 * A Durable Task server on loopback TCP that hands every unary call on to an emulator, counts them by name, and lacks
 * those that it is told to lack, as other backends do.
 */
export class ForwardingBackend {
  calls: Record<string, number> = {};
  readonly #server = new Server();
  readonly #emulator: Client;
  #port = 0;

  private constructor(emulatorAddress: string) {
    this.#emulator = new Client(emulatorAddress, credentials.createInsecure(), CHANNEL_OPTIONS);
  }

  static async start(
    emulatorAddress: string,
    lacking: readonly string[] = [],
    { batches = true }: { readonly batches?: boolean } = {},
  ): Promise<ForwardingBackend> {
    const backend = new ForwardingBackend(emulatorAddress);
    await backend.#listen((name, request) => lacking.includes(name) || (!batches && isBatch(name, request)));
    return backend;
  }

  connectionString(taskHub: string): string {
    return `Endpoint=http://127.0.0.1:${this.#port};Authentication=None;TaskHub=${taskHub}`;
  }

  /** A client of fanout's that is not told what the error of a call means. */
  client(taskHub: string): SidecarClient {
    const target = {
      address: `127.0.0.1:${this.#port}`,
      credentials: credentials.createInsecure(),
      options: CHANNEL_OPTIONS,
      metadata: () => Promise.resolve(metadataOf(taskHub)),
    };
    return new SidecarClient(target, { recover: () => Promise.resolve(), maxAttempts: 2, explain: (error) => error });
  }

  close(): void {
    this.#server.forceShutdown();
    this.#emulator.close();
  }

  async #listen(lacks: Lacks): Promise<void> {
    const handlers = METHODS.map(([name]) => [name, this.#handler(name, lacks)]);
    this.#server.addService(serviceDefinition(SERVICE, Object.fromEntries(METHODS)), Object.fromEntries(handlers));
    this.#port = await new Promise((resolve, reject) => {
      this.#server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
        if (error === null) resolve(port);
        else reject(error);
      });
    });
  }

  #handler(name: string, lacks: Lacks): ReturnType<typeof raw> {
    return raw((call, answer) => {
      this.calls[name] = (this.calls[name] ?? 0) + 1;
      if (lacks(name, call.request))
        throw new RpcError("UNIMPLEMENTED", `The server does not implement the method ${name}`);
      const metadata = new Metadata();
      metadata.set("taskhub", String(call.metadata.get("taskhub")[0]));
      unaryCall(this.#emulator, `/${SERVICE}/${name}`, call.request, metadata).then(
        (value) => answer(undefined, value),
        (error: Error) => answer(error, undefined),
      );
    });
  }
}

function isBatch(method: string, request: Buffer): boolean {
  return method === "PurgeInstances" && pb.PurgeInstancesRequest.deserializeBinary(request).hasInstancebatch();
}
