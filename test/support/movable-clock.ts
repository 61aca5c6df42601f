import { globSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * libfaketime, by which a process has a clock of its own: where Debian's package `libfaketime` has it, or the file that
 * FAKETIME_LIBRARY names. Undefined where there is none.
 */
export const FAKETIME_LIBRARY =
  process.env["FAKETIME_LIBRARY"] || globSync("/usr/lib/*/faketime/libfaketimeMT.so.1")[0];

export const canMoveClock = FAKETIME_LIBRARY !== undefined;

/** The clock of a process that was started with `env`: it can be moved while the process runs. */
export class MovableClock {
  readonly #file: string;

  constructor(folder: string) {
    this.#file = join(folder, "clock");
    this.moveTo(0);
  }

  get env(): NodeJS.ProcessEnv {
    return {
      LD_PRELOAD: FAKETIME_LIBRARY,
      FAKETIME_TIMESTAMP_FILE: this.#file,
      FAKETIME_NO_CACHE: "1",
      FAKETIME_DONT_FAKE_MONOTONIC: "1",
      FAKETIME_DONT_RESET: "1",
      NO_FAKE_STAT: "1",
    };
  }

  /** So many seconds ahead of the true one from now on. */
  moveTo(seconds: number): void {
    writeFileSync(`${this.#file}.new`, `${seconds >= 0 ? "+" : ""}${seconds}\n`);
    renameSync(`${this.#file}.new`, this.#file);
  }
}
