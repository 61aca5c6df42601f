import { EMPTY_BYTES } from "../protocol/empty-bytes.js";
import { markAsPast, standsAt } from "../protocol/event-frames.js";
import type { SdkExecution } from "./sdk-execution.js";

/** An execution between two episodes, from which the next episode continues. */
export class ExtendedSession {
  #framedBytes = 0;
  /** The processed events, framed as past ones, with spare room behind them. Undefined after `forgetBytes`. */
  #framed: Uint8Array | undefined = EMPTY_BYTES;
  /** Bytes of events since its last action. It may hold their results. */
  #heldBytes = 0;
  #outstanding = 0;
  /** The actions of its last episode, kept until the history confirms them. */
  #unconfirmed = 0;

  constructor(
    readonly executionId: string,
    readonly execution: SdkExecution,
    /** Whether each episode is also replayed in full, which needs the bytes of the history. */
    readonly isChecked: boolean,
  ) {}

  /** The size of the processed events in a request, including their frames, in bytes. */
  get framedBytes(): number {
    return this.#framedBytes;
  }

  /** The processed events, framed as past ones; empty after `forgetBytes`. */
  get framed(): Uint8Array {
    return this.#framed?.subarray(0, this.#framedBytes) ?? EMPTY_BYTES;
  }

  /** Its approximate size in memory, in bytes: a whole number, so that sums of it stay exact. */
  get weight(): number {
    return (
      OWN_BYTES +
      (this.#framed?.length ?? 0) +
      Math.ceil(this.#heldBytes * BYTES_PER_HELD) +
      this.#outstanding * BYTES_OF_A_TASK +
      this.#unconfirmed * BYTES_OF_AN_ACTION
    );
  }

  /** Whether the history of a backend that leaves out known events continues the processed ones. */
  isKnownAs(framedBytes: number): boolean {
    return this.#framedBytes === framedBytes;
  }

  /** Whether the history at an offset of a request begins with the processed events. */
  isPrefixAt(request: Uint8Array, offset: number): boolean {
    return this.#framed !== undefined && standsAt(request, offset, this.framed);
  }

  /** Records an episode: its processed events, past and new, framed as in a request. */
  record(framed: Uint8Array, actionCount: number): void {
    const end = this.#framedBytes + framed.length;
    if (this.#framed !== undefined) {
      this.#framed = withRoom(this.#framed, end);
      const added = this.#framed.subarray(this.#framedBytes, end);
      added.set(framed);
      markAsPast(added);
    }
    this.#framedBytes = end;
    this.#heldBytes = actionCount > 0 ? 0 : this.#heldBytes + framed.length;
    this.#outstanding = this.execution.outstanding;
    this.#unconfirmed = actionCount;
  }

  /** Keeps only the number of bytes, for a backend that leaves known events out and sends their length. */
  forgetBytes(): void {
    if (!this.isChecked) this.#framed = undefined;
  }
}

/**
 * Measured on fan-outs of 1 to 2,000 activities: the memory that V8 needs for a context with its generator, for each
 * task, for each action, and for each byte of an event whose result is held. The last one is 1.1 with results of 1 kB
 * and of 10 kB, and less if parsing shrinks them.
 */
const OWN_BYTES = 3_500;
const BYTES_OF_A_TASK = 230;
const BYTES_OF_AN_ACTION = 1_800;
const BYTES_PER_HELD = 1.2;

function withRoom(bytes: Uint8Array, length: number): Uint8Array {
  if (length <= bytes.length) return bytes;

  const grown = new Uint8Array(Math.max(length, bytes.length * 2));
  grown.set(bytes);
  return grown;
}
