import { EMPTY_BYTES } from "../../protocol/empty-bytes.js";
import type { Socket } from "node:net";
import type { SteadyTime } from "../clock/system-time.js";
import { noRoom } from "./connection-load.js";
import { statusOf, type Call, type Handler } from "../service/call.js";
import {
  FrameKind,
  FrameReader,
  FrameWriter,
  LINK_METHODS,
  LINK_PING_MS,
  LINK_PREFACE,
  LinkPulse,
  type LinkGreeting,
  REMEMBERS_HISTORY,
} from "../../protocol/link.js";
import { MOST_MESSAGE_BYTES, checkCalls, messageTooLarge } from "../limits/limits.js";
import type { MemoryBudget } from "./memory-budget.js";
import { NO_TOKEN, isToken } from "../../protocol/loopback-door.js";
import { RpcError } from "../../protocol/rpc-error.js";

/** Bytes that may wait for the worker before it gets no more work items. */
const MOST_WAITING_BYTES = 1_048_576;
/** In front of a request stands which method it is for. */
const MOST_PAYLOAD_BYTES = MOST_MESSAGE_BYTES + 1;
/** Of a frame of whoever has not shown the token yet: enough for the greeting, and too little to take memory from the owner. */
const MOST_UNKNOWN_BYTES = 4_096;

/** By the paths of their methods. */
type Handlers = ReadonlyMap<string, Handler>;

interface LinkOptions {
  /** For pings. */
  readonly clock: SteadyTime;
  /** What its requests may hold that are not complete, with all others. */
  readonly budget: MemoryBudget;
  /** Told when the worker has said who it is. */
  readonly onGreeted: () => void;
  /** What the greeting has to show; undefined: nothing. */
  readonly token?: string | undefined;
}

/** Serves one link: a worker's calls in the frames of `protocol/link.ts`. It ends when the socket does. */
export function serveLink(socket: Socket, handlers: Handlers, options: LinkOptions): void {
  new LinkServer(socket, handlers, options).serve();
}

/** What a call needs of the link that it came over. */
interface LinkOwner {
  readonly writer: FrameWriter;
  readonly headers: Readonly<Record<string, string>>;
  onOver(number: number): void;
}

class LinkServer implements LinkOwner {
  readonly writer: FrameWriter;
  headers: Readonly<Record<string, string>> = {};
  readonly #socket: Socket;
  readonly #handlers: Handlers;
  readonly #clock: SteadyTime;
  readonly #budget: MemoryBudget;
  readonly #onGreeted: () => void;
  readonly #token: string | undefined;
  readonly #reader: FrameReader;
  #isAdmitted: boolean;
  readonly #calls = new Map<number, LinkCall>();
  /** What is left to read of the preface. */
  #preface = LINK_PREFACE;

  constructor(socket: Socket, handlers: Handlers, { clock, budget, onGreeted, token }: LinkOptions) {
    this.#socket = socket;
    this.#handlers = handlers;
    this.#clock = clock;
    this.#budget = budget;
    this.#onGreeted = onGreeted;
    this.#token = token;
    this.#isAdmitted = token === undefined;
    // A commit answers all of its calls in one go, and what it sends is sent when that has happened.
    this.writer = new FrameWriter(socket, queueMicrotask);
    this.#reader = new FrameReader(
      (kind, number, payload) => this.#receive(kind, number, payload),
      this.#isAdmitted ? MOST_PAYLOAD_BYTES : MOST_UNKNOWN_BYTES,
      (kind, number, bytes) => {
        const isTooLarge = bytes > MOST_PAYLOAD_BYTES;
        this.#refuse(kind, number, isTooLarge ? messageTooLarge(bytes - 1) : noRoom(this.#budget, bytes));
      },
      this.#budget,
    );
  }

  serve(): void {
    const socket = this.#socket;
    const pulse = new LinkPulse(
      () => this.#clock.steadyMs(),
      () => this.writer.write(FrameKind.Ping, 0, EMPTY_BYTES),
      () => socket.destroy(),
    );
    const stopPulse = this.#clock.every(LINK_PING_MS, () => {
      pulse.beat();
    });
    socket.on("data", (chunk: Buffer) => {
      pulse.heard();
      try {
        this.#reader.add(this.#withoutPreface(chunk));
      } catch {
        // Whatever it is, it is no worker of ours.
        socket.destroy();
      }
    });
    socket.on("drain", () => this.#drained());
    socket.once("close", () => {
      stopPulse();
      this.#reader.discard();
      for (const call of this.#calls.values()) call.cancel();
    });
  }

  onOver(number: number): void {
    this.#calls.delete(number);
  }

  /** @throws Error if it is not there */
  #withoutPreface(chunk: Buffer): Buffer {
    const length = Math.min(this.#preface.length, chunk.length);
    if (!chunk.subarray(0, length).equals(this.#preface.subarray(0, length))) throw new Error("Not a link");
    this.#preface = this.#preface.subarray(length);
    return chunk.subarray(length);
  }

  #receive(kind: number, number: number, payload: Buffer): void {
    if (kind === FrameKind.Open) {
      const { taskHub, workerId, token } = JSON.parse(payload.toString()) as LinkGreeting;
      this.headers = { taskhub: taskHub, workerid: workerId, [REMEMBERS_HISTORY]: "1" };
      if (this.#token !== undefined) this.#isAdmitted = isToken(this.#token, String(token));
      // Whoever is not admitted is closed soon, as if it had not said who it is.
      if (this.#isAdmitted) {
        this.#reader.mostBytes = MOST_PAYLOAD_BYTES;
        this.#onGreeted();
      }
    } else if (kind === FrameKind.Call) {
      const request = apart(payload.subarray(1));
      this.#begin(new LinkCall(this, number, FrameKind.Answer, request), LINK_METHODS[payload[0]!] ?? "?");
    } else if (kind === FrameKind.Take) {
      this.#begin(new LinkCall(this, number, FrameKind.End, apart(payload)), "GetWorkItems");
    } else if (kind === FrameKind.Cancel) {
      this.#calls.get(number)?.cancel();
    }
  }

  /** @throws the error where there is no call that could be told of it */
  #refuse(kind: number, number: number, error: RpcError): void {
    if (kind !== FrameKind.Call || !this.#isAdmitted) throw error;
    new LinkCall(this, number, FrameKind.Answer, EMPTY_BYTES).fail(error);
  }

  #begin(call: LinkCall, method: string): void {
    try {
      if (!this.#isAdmitted) throw new RpcError("UNAUTHENTICATED", NO_TOKEN);
      checkCalls(this.#calls.size);
      this.#calls.set(call.number, call);
      const handler = this.#handlers.get(`/TaskHubSidecarService/${method}`);
      if (handler === undefined) throw new RpcError("UNIMPLEMENTED", "The emulator has no such method.");
      handler(call);
    } catch (error) {
      call.fail(error);
    }
  }

  #drained(): void {
    for (const call of this.#calls.values()) call.onDrain?.();
  }
}

/** Parts of a request are kept for as long as what they ask for is under way: not with all that came beside it. */
function apart(request: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(request.length);
  request.copy(copy);
  return copy;
}

class LinkCall implements Call {
  readonly #owner: LinkOwner;
  readonly #endKind: number;
  isCancelled = false;
  onCancelled: (() => void) | undefined;
  onDrain: (() => void) | undefined;
  #isOver = false;

  constructor(
    owner: LinkOwner,
    readonly number: number,
    endKind: number,
    readonly request: Buffer,
  ) {
    this.#owner = owner;
    this.#endKind = endKind;
  }

  get bytesWaiting(): number {
    return this.#owner.writer.backlogBytes;
  }

  /** A link sends all that was written to it. */
  get messagesWaiting(): number {
    return 0;
  }

  header(name: string): string | undefined {
    return this.#owner.headers[name];
  }

  /** No answer to a call of a worker holds anything. */
  reserve(): void {}

  open(): void {
    if (!this.#isOver) this.#owner.writer.write(FrameKind.Taken, this.number, EMPTY_BYTES);
  }

  /** A worker on a link knows most of a history, so large messages are rare here and are joined. */
  write(message: Uint8Array, ...rest: readonly Uint8Array[]): boolean {
    if (this.#isOver) return false;
    const payload = rest.length === 0 ? message : Buffer.concat([message, ...rest]);
    this.#owner.writer.write(FrameKind.Item, this.number, payload);
    return this.bytesWaiting < MOST_WAITING_BYTES;
  }

  end(): void {
    if (this.#settle()) this.#owner.writer.write(this.#endKind, this.number, EMPTY_BYTES);
  }

  fail(error: unknown): void {
    if (!this.#settle()) return;
    const { code, message } = statusOf(error);
    this.#owner.writer.write(this.#endKind, this.number, Buffer.from(message), code);
  }

  cancel(): void {
    if (!this.#settle()) return;
    this.isCancelled = true;
    this.onCancelled?.();
  }

  #settle(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#owner.onOver(this.number);
    return true;
  }
}
