import { EMPTY_BYTES } from "../protocol/empty-bytes.js";
import { connect, type Socket } from "node:net";
import { status, type ServiceError } from "@grpc/grpc-js";
import { socketAddressOf } from "../backend/http2-sockets.js";
import { grpcError, isStatus } from "../backend/grpc-error.js";
import {
  FrameKind,
  FrameReader,
  FrameWriter,
  LINK_METHODS,
  LINK_PING_MS,
  LINK_PREFACE,
  LinkPulse,
  type LinkGreeting,
} from "../protocol/link.js";
import { type WorkItemListener, type WorkItemStream, type WorkerMethod } from "./worker-channel.js";

/** The precision of deadlines. Calls have half a minute, and hardly one of them needs it. */
const DEADLINE_CHECK_MS = 1_000;

interface Call {
  readonly deadlineMs: number;
  readonly resolve: () => void;
  readonly reject: (error: ServiceError) => void;
}

/** One connection of a link with its calls in progress. A lost connection stays lost. */
export class LinkSession {
  readonly #socket: Socket;
  readonly #writer: FrameWriter;
  readonly #pulse: LinkPulse;
  readonly #beats: NodeJS.Timeout;
  readonly #deadlines: NodeJS.Timeout;
  readonly #calls = new Map<number, Call>();
  readonly #streams = new Map<number, WorkItemListener>();
  #lastNumber = 0;
  #connected = false;
  #lost: ServiceError | undefined;

  /** `address` is a gRPC name. */
  constructor(address: string, greeting: LinkGreeting) {
    this.#socket = connect({ ...socketAddressOf(address, 0), noDelay: true });
    // The results of a turn are known after everything that it read is executed, including promises.
    this.#writer = new FrameWriter(this.#socket, setImmediate);
    const reader = new FrameReader((kind, number, payload) => this.#receive(kind, number, payload));
    this.#socket.once("connect", () => (this.#connected = true));
    this.#socket.on("data", (chunk: Buffer) => {
      this.#pulse.heard();
      try {
        reader.add(chunk);
      } catch (error) {
        this.#lose((error as Error).message);
      }
    });
    this.#socket.once("error", (error) => this.#lose(error.message));
    this.#socket.once("close", () => this.#lose(this.#connected ? "Connection dropped" : "Failed to connect"));
    this.#pulse = new LinkPulse(
      () => performance.now(),
      () => this.#writer.write(FrameKind.Ping, 0, EMPTY_BYTES),
      () => this.#lose("The emulator has been silent for too long"),
    );
    this.#beats = setInterval(() => this.#pulse.beat(), LINK_PING_MS).unref();
    this.#deadlines = setInterval(() => this.#expire(), DEADLINE_CHECK_MS).unref();
    this.#socket.write(LINK_PREFACE);
    this.#writer.write(FrameKind.Open, 0, Buffer.from(JSON.stringify(greeting)));
  }

  get isLost(): boolean {
    return this.#lost !== undefined;
  }

  call(method: WorkerMethod, request: Buffer, timeoutMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const number = this.#nextNumber();
      this.#calls.set(number, { deadlineMs: performance.now() + timeoutMs, resolve, reject });
      this.#writer.write(FrameKind.Call, number, request, LINK_METHODS.indexOf(method));
    });
  }

  takeWorkItems(request: Buffer, listener: WorkItemListener): WorkItemStream {
    const number = this.#nextNumber();
    this.#streams.set(number, listener);
    this.#writer.write(FrameKind.Take, number, request);
    return {
      cancel: () => {
        if (!this.#streams.delete(number)) return;
        this.#writer.write(FrameKind.Cancel, number, EMPTY_BYTES);
        queueMicrotask(() => listener.onEnd(grpcError(status.CANCELLED, "Cancelled on client")));
      },
      pause() {},
      resume() {},
    };
  }

  close(): void {
    this.#lose("The channel is closed");
  }

  #nextNumber(): number {
    this.#lastNumber = (this.#lastNumber % 0xffff_ffff) + 1;
    return this.#lastNumber;
  }

  #receive(kind: number, number: number, payload: Buffer): void {
    if (kind === FrameKind.Answer) {
      const call = this.#calls.get(number);
      this.#calls.delete(number);
      if (payload.length === 0) call?.resolve();
      else call?.reject(errorOf(payload));
    } else if (kind === FrameKind.Item) {
      this.#streams.get(number)?.onItem(payload);
    } else if (kind === FrameKind.Taken) {
      this.#streams.get(number)?.onOpen();
    } else if (kind === FrameKind.End) {
      const listener = this.#streams.get(number);
      this.#streams.delete(number);
      listener?.onEnd(payload.length === 0 ? undefined : errorOf(payload));
    }
  }

  #expire(): void {
    const nowMs = performance.now();
    for (const [number, { deadlineMs, reject }] of this.#calls) {
      if (deadlineMs <= nowMs) {
        this.#calls.delete(number);
        reject(grpcError(status.DEADLINE_EXCEEDED, "The emulator has not answered in time"));
      }
    }
  }

  #lose(reason: string): void {
    if (this.#lost !== undefined) return;
    this.#lost = grpcError(status.UNAVAILABLE, reason);
    clearInterval(this.#beats);
    clearInterval(this.#deadlines);
    this.#socket.destroy();
    for (const { reject } of this.#calls.values()) reject(grpcError(status.UNAVAILABLE, reason));
    for (const listener of this.#streams.values()) listener.onEnd(grpcError(status.UNAVAILABLE, reason));
    this.#calls.clear();
    this.#streams.clear();
  }
}

function errorOf(payload: Buffer): ServiceError {
  const code = payload[0]!;
  return grpcError(isStatus(code) ? code : status.UNKNOWN, payload.toString("utf8", 1));
}
