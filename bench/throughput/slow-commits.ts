import { spawnSync } from "node:child_process";
import { chmodSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";

const SOURCE = path.join(import.meta.dirname, "../slow-fsync.c");

/** Makes every fsync and fdatasync of what it starts take longer (see `slow-fsync.c`). */
export interface SlowCommits {
  readonly milliseconds: number;
  /** The command that starts this one slowed, and counts its calls in the file. */
  wrap(countFile: string, command: string, args: readonly string[]): readonly [string, readonly string[]];
}

/**
 * Compiles the program into the folder and tries it.
 * @returns the reason, in words, where this machine cannot do it
 */
export function buildSlowCommits(folder: string, milliseconds: number): SlowCommits | string {
  if (process.platform !== "linux") return "commits can be slowed on Linux only";
  const program = path.join(folder, "slow-fsync");
  const compiler = spawnSync("cc", ["-O2", "-pthread", "-o", program, SOURCE], { encoding: "utf8" });
  if (compiler.error !== undefined) return "there is no C compiler (cc); on Debian: apt-get install gcc libc6-dev";
  if (compiler.status !== 0) return `cc could not compile slow-fsync.c: ${compiler.stderr.trim().slice(0, 300)}`;
  const countFile = path.join(folder, "slow-fsync.count");
  makeCountFile(countFile);
  const probe = `require("fs").fdatasyncSync(require("fs").openSync(${JSON.stringify(program)}))`;
  const trial = spawnSync(program, [String(milliseconds), countFile, process.execPath, "-e", probe], {
    encoding: "utf8",
  });
  if (trial.status !== 0 || callsIn(countFile) !== 1)
    return `this machine does not allow it: ${trial.stderr.trim().slice(0, 300) || "no call was slowed"}`;

  return {
    milliseconds,
    wrap: (file, command, args) => [program, [String(milliseconds), file, command, ...args]],
  };
}

/** For servers of any user. */
export function makeCountFile(file: string): void {
  writeFileSync(file, "");
  chmodSync(file, 0o666);
}

/** How many calls were slowed so far. */
export function callsIn(countFile: string): number {
  return statSync(countFile).size;
}
