/** What an event takes beside its bytes while it waits. */
const EVENT_BYTES = 256;

/** Counts the bytes of events that wait, of many instances together. */
export class WaitingBytes {
  #held = 0;

  get held(): number {
    return this.#held;
  }

  add(event: Uint8Array): void {
    this.#held += event.length + EVENT_BYTES;
  }

  drop(event: Uint8Array): void {
    this.#held -= event.length + EVENT_BYTES;
  }
}
