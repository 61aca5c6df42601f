import { fstatSync, readSync, statSync } from "node:fs";

/**
 * Whether `nohup` started the process, so that it must survive its terminal. Node resets the ignored SIGHUP of `nohup`,
 * but not its replacement of stdin: `/dev/null`, open only for writing.
 */
export function outlivesItsTerminal(): boolean {
  try {
    if (fstatSync(0).rdev !== statSync("/dev/null").rdev) return false;
  } catch {
    return false;
  }
  try {
    readSync(0, new Uint8Array(1));
    return false;
  } catch {
    return true;
  }
}
