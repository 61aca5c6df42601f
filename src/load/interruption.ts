import { ExitCode } from "../exit-codes.js";

/**
 * One Ctrl-C in a terminal may arrive twice: from the terminal, and again from `npx`, which passes on what it got.
 * Nobody means to press it again as fast as that.
 */
const SAME_KEYPRESS_MS = 400;

/** Turns the first SIGINT or SIGTERM into an abort, and the second into an exit at once. */
export class Interruption {
  readonly #controller = new AbortController();
  #exitCode: ExitCode | undefined;
  #atMs = 0;
  readonly #onInterrupt = (): void => this.#take(ExitCode.Interrupted);
  readonly #onTerminate = (): void => this.#take(ExitCode.Terminated);

  constructor() {
    process.on("SIGINT", this.#onInterrupt);
    process.on("SIGTERM", this.#onTerminate);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Of the first signal; undefined while there was none. */
  get exitCode(): ExitCode | undefined {
    return this.#exitCode;
  }

  [Symbol.dispose](): void {
    process.off("SIGINT", this.#onInterrupt);
    process.off("SIGTERM", this.#onTerminate);
  }

  #take(exitCode: ExitCode): void {
    const now = performance.now();
    if (this.#exitCode === undefined) {
      this.#exitCode = exitCode;
      this.#atMs = now;
      this.#controller.abort();
    } else if (now - this.#atMs > SAME_KEYPRESS_MS) {
      process.exit(exitCode);
    }
  }
}
