import { errorText } from "../format/error-text.js";

export interface WrittenInTurnOptions {
  /** What is written, in the plural. */
  readonly what: string;
  readonly onLine: (line: string) => void;
}

/** Files that are written one after the other. A full disk does not end hours of load: it is told once, and its end. */
export class WrittenInTurn {
  #behind: Promise<void> = Promise.resolve();
  #isTold = false;

  constructor(readonly options: WrittenInTurnOptions) {}

  add(write: () => Promise<void>): void {
    this.#behind = this.#behind.then(() => this.#told(write));
  }

  /** Resolves when all of them are written, or told. */
  get done(): Promise<void> {
    return this.#behind;
  }

  async #told(write: () => Promise<void>): Promise<void> {
    const { what, onLine } = this.options;
    try {
      await write();
      if (this.#isTold) onLine(`${what} are written again`);
      this.#isTold = false;
    } catch (error) {
      if (!this.#isTold) onLine(`warning: ${errorText(error)}; the load goes on`);
      this.#isTold = true;
    }
  }
}
