/**
 * grpc-js in the place of `src/emulator/transport/grpc/connection.ts`: the same handlers on the same sockets. It lacks
 * what the emulator's own server does beside serving: room in memory for calls, and a limit of calls.
 */
import type { Socket } from "node:net";
import grpc, { type sendUnaryData, type ServerUnaryCall, type ServerWritableStream } from "@grpc/grpc-js";
import type { Call, Handler } from "../../src/emulator/service/call.js";
import { statusOf } from "../../dist/emulator/service/call.js";

const STREAMS = /\/(?:GetWorkItems|StreamInstanceHistory)$/u;
const OPTIONS = {
  "grpc.max_receive_message_length": -1,
  "grpc.keepalive_time_ms": 10_000,
  "grpc.keepalive_timeout_ms": 20_000,
};
const EMPTY = Buffer.alloc(0);

type UnaryCall = ServerUnaryCall<Buffer, Uint8Array>;
type StreamCall = ServerWritableStream<Buffer, Uint8Array>;

export function serveGrpc(
  socket: Socket,
  handlers: ReadonlyMap<string, Handler>,
  { onGreeted }: { readonly onGreeted: () => void },
): void {
  const server = new grpc.Server(OPTIONS);
  for (const [path, handler] of handlers) {
    const isStream = STREAMS.test(path);
    server.register(
      path,
      isStream
        ? (call: StreamCall) => handler(new StreamedCall(call))
        : (call: UnaryCall, answer: sendUnaryData<Uint8Array>) => handler(new AnsweredCall(call, answer)),
      (message: Uint8Array) => message as Buffer,
      (bytes: Buffer) => bytes,
      isStream ? "serverStream" : "unary",
    );
  }
  const injector = server.createConnectionInjector(grpc.ServerCredentials.createInsecure());
  socket.once("close", () => server.forceShutdown());
  injector.injectConnection(socket);
  onGreeted();
}

abstract class GrpcJsCall<C extends UnaryCall | StreamCall> implements Call {
  onCancelled: (() => void) | undefined;
  onDrain: (() => void) | undefined;

  protected readonly call: C;

  constructor(call: C) {
    this.call = call;
    call.on("cancelled", () => this.onCancelled?.());
  }

  readonly messagesWaiting = 0;
  abstract readonly bytesWaiting: number;
  abstract write(...parts: readonly Uint8Array[]): boolean;
  abstract end(message?: Uint8Array): void;
  abstract fail(error: unknown): void;

  get request(): Buffer {
    return this.call.request;
  }

  get isCancelled(): boolean {
    return this.call.cancelled;
  }

  header(name: string): string | undefined {
    return this.call.metadata.get(name)[0]?.toString();
  }

  reserve(): void {}

  open(): void {
    this.call.sendMetadata(new grpc.Metadata());
  }
}

class AnsweredCall extends GrpcJsCall<UnaryCall> {
  readonly bytesWaiting = 0;
  readonly #answer: sendUnaryData<Uint8Array>;

  constructor(call: UnaryCall, answer: sendUnaryData<Uint8Array>) {
    super(call);
    this.#answer = answer;
  }

  write(): boolean {
    throw new Error("A unary call has one message.");
  }

  end(message: Uint8Array = EMPTY): void {
    this.#answer(null, message);
  }

  fail(error: unknown): void {
    const { code, message } = statusOf(error);
    this.#answer({ code, details: message });
  }
}

class StreamedCall extends GrpcJsCall<StreamCall> {
  constructor(call: StreamCall) {
    super(call);
    call.on("drain", () => this.onDrain?.());
  }

  get bytesWaiting(): number {
    return this.call.writableLength;
  }

  write(...parts: readonly Uint8Array[]): boolean {
    return this.call.write(Buffer.concat(parts));
  }

  end(message?: Uint8Array): void {
    if (message !== undefined) this.call.write(message);
    this.call.end();
  }

  fail(error: unknown): void {
    const { code, message } = statusOf(error);
    this.call.emit("error", { code, details: message });
  }
}
