import { unlessAborted } from "./patience.js";

/** Limits the calls in progress over all requests. The other calls wait their turn. */
export class CallSlots {
  #free: number;
  /** In the order of arrival, so that a large request does not delay the small ones. */
  readonly #waiting = new Set<() => void>();

  /** @param busy what a call that has waited for too long is refused with; the signal's reason if absent */
  constructor(
    readonly size: number,
    readonly busy?: () => Error,
  ) {
    this.#free = size;
  }

  /**
   * Makes a call. Rejects with the signal's reason when it aborts, or as busy if the call waits for its turn then. The
   * slot is held until the call itself has ended.
   */
  async use<T>(signal: AbortSignal, call: () => Promise<T>): Promise<T> {
    await this.#take(signal);
    const ended = call().finally(() => {
      this.#release();
    });
    return unlessAborted(ended, signal);
  }

  async #take(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.add(resolve);
    try {
      await unlessAborted(promise, signal);
    } catch (error) {
      // A slot that was handed over in the same turn passes to the next call.
      if (!this.#waiting.delete(resolve)) this.#release();
      throw this.busy?.() ?? error;
    }
  }

  #release(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free += 1;
    } else {
      this.#waiting.delete(next);
      next();
    }
  }
}
