import { REFUSED_BYTES } from "../limits/limits.js";

/** Bytes that may be held at a time; those of a part count for the whole as well. */
export class MemoryBudget {
  readonly #whole: MemoryBudget | undefined;
  #held = 0;

  constructor(
    readonly most: number,
    whole?: MemoryBudget,
  ) {
    this.#whole = whole;
  }

  get held(): number {
    return this.#held;
  }

  /** Takes room for them, until they are released; false, with nothing taken, if there is none. */
  take(bytes: number): boolean {
    return this.#takeWithin(bytes, 0);
  }

  /** The same for what is held of something that is refused, of which there is a little beyond the limit. */
  takeForRefusal(bytes: number): boolean {
    return this.#takeWithin(bytes, REFUSED_BYTES);
  }

  /** Takes it though there may be none. */
  takeAnyway(bytes: number): void {
    this.#held += bytes;
    this.#whole?.takeAnyway(bytes);
  }

  release(bytes: number): void {
    this.takeAnyway(-bytes);
  }

  #takeWithin(bytes: number, slack: number): boolean {
    if (!this.#hasRoom(bytes, slack)) return false;

    this.takeAnyway(bytes);
    return true;
  }

  #hasRoom(bytes: number, slack: number): boolean {
    return this.#held + bytes <= this.most + slack && (this.#whole === undefined || this.#whole.#hasRoom(bytes, slack));
  }
}
