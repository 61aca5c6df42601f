import { uniformAt } from "../orchestrations/hash-draw.js";
import type { Completion, Start } from "../stats/completion.js";

/** So many are remembered at most; which, is as random as the sample. */
const MOST_REMEMBERED = 2_000;
/** Any number: it keeps the sample apart from what else is drawn by the numbers of instances. */
const SALT = 0x7ace;

/** An instance of the sample, as the run has seen it. */
export interface TracedStart {
  readonly start: Start;
  /** Undefined while it has not ended. */
  readonly completion?: Completion;
}

/**
 * Which instances of a run are traced: those whose number hashes below the share. So it is known before a start, does not
 * depend on how the run goes, and is the same in each repeat of a run. Of a long run the ones with the lowest hashes are
 * remembered, which are a random sample too.
 */
export class TraceSample {
  readonly #starts = new Map<number, TracedStart>();
  #remembered: number;

  constructor(
    readonly share: number,
    readonly most = MOST_REMEMBERED,
  ) {
    this.#remembered = share;
  }

  /** Whether the instance with this number is told to stamp its activities. */
  readonly isTraced = (sequence: number): boolean => hashOf(sequence) < this.share;

  /** A start leaves, or has been answered. */
  add(start: Start): void {
    if (hashOf(start.sequence) >= this.#remembered) return;
    this.#starts.set(start.sequence, { start });
    if (this.#starts.size > 2 * this.most) this.#forget();
  }

  end(completion: Completion): void {
    const { start, failure } = completion;
    if (!this.#starts.has(start.sequence)) return;
    // There is nothing to be read of it.
    if (failure?.type === "StartRefused" || failure?.type === "Lost") this.#starts.delete(start.sequence);
    else this.#starts.set(start.sequence, { start, completion });
  }

  /** At most `most`, in the order of their hashes: the first of them are a random sample too. */
  get starts(): readonly TracedStart[] {
    if (this.#starts.size > this.most) this.#forget();
    return [...this.#starts.values()].toSorted((a, b) => hashOf(a.start.sequence) - hashOf(b.start.sequence));
  }

  #forget(): void {
    const hashes = [...this.#starts.keys()].map(hashOf).toSorted((a, b) => a - b);
    this.#remembered = hashes[this.most] ?? this.share;
    for (const sequence of this.#starts.keys()) if (hashOf(sequence) >= this.#remembered) this.#starts.delete(sequence);
  }
}

function hashOf(sequence: number): number {
  return uniformAt(SALT, sequence);
}
