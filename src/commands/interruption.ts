import { ExitCode } from "../exit-codes.js";
import type { Reading } from "../load/load-test.js";
import { outlivesItsTerminal } from "./no-hang-up.js";

/**
 * One Ctrl-C may arrive twice: from the terminal, and from `npx`, which passes it on. Nobody presses it twice within
 * this time on purpose.
 */
const SAME_KEYPRESS_MS = 400;

interface Skippable {
  readonly skip: AbortController;
  readonly onSkip: () => void;
}

/** For a person who pressed Ctrl-C. */
export const SKIPPED = "the rest of the histories is not read; press Ctrl-C again to end the command";

/**
 * Turns the first signal into an abort, and a second one that is no SIGHUP into an exit at once. A Ctrl-C that skips a
 * reading is none of them.
 */
export class Interruption {
  readonly #controller = new AbortController();
  #exitCode: ExitCode | undefined;
  #atMs = Number.NEGATIVE_INFINITY;
  #reading: Skippable | undefined;
  readonly #onInterrupt = (): void => this.#take(ExitCode.Interrupted);
  readonly #onTerminate = (): void => this.#take(ExitCode.Terminated);
  readonly #onHangUp = (): void => this.#hangUp();

  constructor() {
    process.on("SIGINT", this.#onInterrupt);
    process.on("SIGTERM", this.#onTerminate);
    // Ctrl-Break on Windows, where SIGTERM does not arrive.
    process.on("SIGBREAK", this.#onTerminate);
    process.on("SIGHUP", this.#onHangUp);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The exit code of the first signal; undefined before. */
  get exitCode(): ExitCode | undefined {
    return this.#exitCode;
  }

  /**
   * What follows is only read, so that the first Ctrl-C skips it, until it is disposed of. The second ends the command.
   */
  beginReading(onSkip: () => void): Reading {
    const skip = new AbortController();
    const reading = { skip, onSkip };
    this.#reading = reading;
    return {
      skipped: skip.signal,
      [Symbol.dispose]: () => {
        if (this.#reading === reading) this.#reading = undefined;
      },
    };
  }

  [Symbol.dispose](): void {
    process.off("SIGINT", this.#onInterrupt);
    process.off("SIGTERM", this.#onTerminate);
    process.off("SIGBREAK", this.#onTerminate);
    process.off("SIGHUP", this.#onHangUp);
  }

  #take(exitCode: ExitCode): void {
    const isNew = performance.now() - this.#atMs > SAME_KEYPRESS_MS;
    if (this.#exitCode !== undefined) {
      if (isNew) process.exit(exitCode);
    } else if (exitCode === ExitCode.Terminated) {
      this.#begin(exitCode);
    } else if (isNew) {
      if (this.#reading) this.#skip(this.#reading);
      else this.#begin(exitCode);
    }
  }

  #skip({ skip, onSkip }: Skippable): void {
    this.#reading = undefined;
    this.#atMs = performance.now();
    skip.abort();
    onSkip();
  }

  /**
   * A terminal that closes sends SIGHUP more than once: by itself, and through its shell. It is never a second key
   * press.
   */
  #hangUp(): void {
    if (this.#exitCode === undefined && !outlivesItsTerminal()) this.#begin(ExitCode.HungUp);
  }

  #begin(exitCode: ExitCode): void {
    this.#exitCode = exitCode;
    this.#atMs = performance.now();
    this.#controller.abort();
  }
}
