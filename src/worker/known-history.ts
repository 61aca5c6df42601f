import { commonEvents, markAsPast, standsAt } from "../wire/event-frames.js";
import type { pb } from "../wire/sidecar-stubs.js";

type HistoryEvent = InstanceType<typeof pb.HistoryEvent>;

/**
 * What a worker has decoded of an execution's history. Histories grow at their end: the next one begins with the past
 * and the new events of the last episode, so that an event needs to be decoded once in its life.
 */
export class KnownHistory {
  #events: HistoryEvent[] = [];
  #framedBytes = 0;
  /** The events, framed as past ones, with room to grow behind them. Undefined once the bytes are forgotten. */
  #framed: Uint8Array | undefined = NOTHING;

  constructor(readonly executionId: string) {}

  get events(): readonly HistoryEvent[] {
    return this.#events;
  }

  /** Bytes that its events take in a request, each with its frame. */
  get framedBytes(): number {
    return this.#framedBytes;
  }

  /** Bytes that it takes in memory, roughly. */
  get weight(): number {
    return this.#framedBytes * DECODED_PER_BYTE + (this.#framed?.length ?? 0);
  }

  /**
   * Keeps those of its first events that stand at an offset of a request, and returns how many bytes they take there. All
   * of them do, unless the backend orders or writes its history anew, or this is not the episode that was expected.
   */
  matchAt(request: Uint8Array, offset: number): number {
    const framed = this.#framed?.subarray(0, this.#framedBytes) ?? NOTHING;
    if (this.#framed === undefined || !standsAt(request, offset, framed)) {
      const { count, bytes } = commonEvents(framed, request, offset);
      this.#framed = framed;
      this.#events.length = count;
      this.#framedBytes = bytes;
    }
    return this.#framedBytes;
  }

  /** Adds events, past or new ones as a request frames them, with what they were decoded to. */
  append(framed: Uint8Array, events: readonly HistoryEvent[]): void {
    const end = this.#framedBytes + framed.length;
    if (this.#framed !== undefined) {
      this.#framed = withRoom(this.#framed, end);
      const added = this.#framed.subarray(this.#framedBytes, end);
      added.set(framed);
      markAsPast(added);
    }
    this.#framedBytes = end;
    this.#events = this.#events.concat(events);
  }

  /** Keeps their number alone, for a backend that leaves known events out and tells how many bytes of them. */
  forgetBytes(): void {
    this.#framed = undefined;
  }
}

const NOTHING = new Uint8Array(0);

/** Measured on the events of a fan-out, which take about 100 bytes each, and 1,800 when they are decoded. */
const DECODED_PER_BYTE = 18;

function withRoom(bytes: Uint8Array, length: number): Uint8Array {
  if (length <= bytes.length) {
    return bytes;
  }
  const grown = new Uint8Array(Math.max(length, bytes.length * 2));
  grown.set(bytes);
  return grown;
}
