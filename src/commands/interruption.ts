import { ExitCode } from "../exit-codes.js";
import { outlivesItsTerminal } from "./no-hang-up.js";

/**
 * One Ctrl-C may arrive twice: from the terminal, and from `npx`, which passes it on. Nobody presses it twice within
 * this time on purpose.
 */
const SAME_KEYPRESS_MS = 400;

/** Turns the first signal into an abort, and a second one that is no SIGHUP into an exit at once. */
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

  [Symbol.dispose](): void {
    process.off("SIGINT", this.#onInterrupt);
    process.off("SIGTERM", this.#onTerminate);
    process.off("SIGBREAK", this.#onTerminate);
    process.off("SIGHUP", this.#onHangUp);
  }

  #take(exitCode: ExitCode): void {
    if (this.#exitCode === undefined) this.#begin(exitCode);
    else if (performance.now() - this.#atMs > SAME_KEYPRESS_MS) process.exit(exitCode);
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
