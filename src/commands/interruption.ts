import { ExitCode } from "../exit-codes.js";
import { outlivesItsTerminal } from "./no-hang-up.js";

/**
 * One Ctrl-C in a terminal may arrive twice: from the terminal, and again from `npx`, which passes on what it got.
 * Nobody means to press it again as fast as that.
 */
const SAME_KEYPRESS_MS = 400;

/** Turns the first SIGINT, SIGTERM or SIGHUP into an abort, and a second SIGINT or SIGTERM into an exit at once. */
export class Interruption {
  readonly #controller = new AbortController();
  #exitCode: ExitCode | undefined;
  #atMs = 0;
  readonly #onInterrupt = (): void => this.#take(ExitCode.Interrupted);
  readonly #onTerminate = (): void => this.#take(ExitCode.Terminated);
  readonly #onHangUp = (): void => this.#hangUp();

  constructor() {
    process.on("SIGINT", this.#onInterrupt);
    process.on("SIGTERM", this.#onTerminate);
    process.on("SIGHUP", this.#onHangUp);
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
    process.off("SIGHUP", this.#onHangUp);
  }

  #take(exitCode: ExitCode): void {
    if (this.#exitCode === undefined) this.#begin(exitCode);
    else if (performance.now() - this.#atMs > SAME_KEYPRESS_MS) process.exit(exitCode);
  }

  /** A terminal that closes says so more than once: by itself, and by the shell that was in it. It never presses. */
  #hangUp(): void {
    if (this.#exitCode === undefined && !outlivesItsTerminal()) this.#begin(ExitCode.HungUp);
  }

  #begin(exitCode: ExitCode): void {
    this.#exitCode = exitCode;
    this.#atMs = performance.now();
    this.#controller.abort();
  }
}
