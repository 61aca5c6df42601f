import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { Client, Metadata, credentials, status } from "@grpc/grpc-js";
import { isServiceError } from "../../../src/backend/call-retry.js";
import { SidecarClient } from "../../../src/backend/sidecar-client.js";
import { unaryCall } from "../../../src/backend/unary-call.js";
import { MACHINE_TIME } from "../../../src/emulator/clock/machine-time.js";
import { serveGrpc } from "../../../src/emulator/transport/grpc/connection.js";
import { handlersOf, unary, type Handler } from "../../../src/emulator/service/call.js";
import { RpcError, type RpcCode } from "../../../src/protocol/rpc-error.js";
import { clientService } from "../../../src/emulator/service/client-service.js";
import type { ServiceContext } from "../../../src/emulator/service/service-context.js";
import { workerService } from "../../../src/emulator/service/worker-service.js";
import { pb } from "../../../src/protocol/sidecar-stubs.js";
import { CHANNEL_OPTIONS, metadataOf } from "../emulator/raw-connection.js";

const SERVICE = "TaskHubSidecarService";
/** Those of the emulator; its streams are not called by who calls this. */
const METHODS = Object.keys({ ...clientService({} as ServiceContext), ...workerService({} as ServiceContext) });

/** What becomes of a call: it is lost on the way there, or on the way back. */
export type Fate = "arrives" | "call lost" | "answer lost";

interface ForwardingOptions {
  readonly batches?: boolean;
  /** The first answer to the start of an instance is lost, and its client hears of that when the instance has ended. */
  readonly losesStarts?: boolean;
  readonly fateOf?: (method: string, request: Buffer) => Fate;
}

type Lacks = (method: string, request: Buffer) => boolean;

/**
 * A Durable Task server on loopback TCP that hands every unary call on to an emulator, counts them by name, and lacks
 * those that it is told to lack, as other backends do.
 */
export class ForwardingBackend {
  readonly #losesStarts: boolean;
  readonly #fateOf: (method: string, request: Buffer) => Fate;
  calls: Record<string, number> = {};
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer();
  readonly #emulator: Client;
  #port = 0;
  /** Ids of starts whose answer was lost. */
  readonly #lost = new Set<string>();

  private constructor(
    emulatorAddress: string,
    losesStarts: boolean,
    fateOf: (method: string, request: Buffer) => Fate,
  ) {
    this.#losesStarts = losesStarts;
    this.#fateOf = fateOf;
    this.#emulator = new Client(emulatorAddress, credentials.createInsecure(), CHANNEL_OPTIONS);
  }

  static async start(
    emulatorAddress: string,
    lacking: readonly string[] = [],
    { batches = true, losesStarts = false, fateOf = () => "arrives" }: ForwardingOptions = {},
  ): Promise<ForwardingBackend> {
    const backend = new ForwardingBackend(emulatorAddress, losesStarts, fateOf);
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
      isSecure: false,
      credentials: credentials.createInsecure(),
      options: CHANNEL_OPTIONS,
      metadata: () => Promise.resolve(metadataOf(taskHub)),
    };
    return new SidecarClient(target, { recover: () => Promise.resolve(), maxAttempts: 2, explain: (error) => error });
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    this.#emulator.close();
  }

  async #listen(lacks: Lacks): Promise<void> {
    const handlers = METHODS.map((name) => [name, this.#handler(name, lacks)]);
    const paths = handlersOf({ [SERVICE]: Object.fromEntries(handlers) });
    this.#server.on("connection", (socket) => {
      this.#sockets.add(socket);
      serveGrpc(socket, paths, { clock: MACHINE_TIME });
    });
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  #isFirst(start: Buffer): boolean {
    const id = pb.CreateInstanceRequest.deserializeBinary(start).getInstanceid();
    const isFirst = !this.#lost.has(id);
    this.#lost.add(id);
    return isFirst;
  }

  #handler(name: string, lacks: Lacks): Handler {
    return unary((call, answer) => {
      this.calls[name] = (this.calls[name] ?? 0) + 1;
      if (lacks(name, call.request))
        throw new RpcError("UNIMPLEMENTED", `The server does not implement the method ${name}`);
      const fate = this.#fateOf(name, call.request);
      const away = new RpcError("UNAVAILABLE", "The call was lost.");
      if (fate === "call lost") throw away;
      const metadata = new Metadata();
      metadata.set("taskhub", call.header("taskhub") ?? "");
      const forward = (method: string, request: Buffer): Promise<Buffer> =>
        unaryCall(this.#emulator, `/${SERVICE}/${method}`, request, metadata);
      const answered = forward(name, call.request);
      const loses = this.#losesStarts && name === "StartInstance" && this.#isFirst(call.request);
      (loses ? answered.then((started) => untilEnded(started, forward)) : answered).then(
        (value) => (fate === "arrives" ? answer(undefined, value) : answer(away, undefined)),
        (error: unknown) => answer(fate === "arrives" ? asAnswered(error) : away, undefined),
      );
    });
  }
}

/** An error of the emulator, as it has told it. */
function asAnswered(error: unknown): Error {
  return isServiceError(error) ? new RpcError(status[error.code] as RpcCode, error.details) : (error as Error);
}

/** Rejects, as if the answer had been lost, when the instance has ended. */
async function untilEnded(
  started: Buffer,
  forward: (method: string, request: Buffer) => Promise<Buffer>,
): Promise<never> {
  const request = new pb.GetInstanceRequest();
  request.setInstanceid(pb.CreateInstanceResponse.deserializeBinary(started).getInstanceid());
  await forward("WaitForInstanceCompletion", Buffer.from(request.serializeBinary()));
  throw new RpcError("UNAVAILABLE", "The answer was lost.");
}

function isBatch(method: string, request: Buffer): boolean {
  return method === "PurgeInstances" && pb.PurgeInstancesRequest.deserializeBinary(request).hasInstancebatch();
}
