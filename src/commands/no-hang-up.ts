import { fstatSync, readSync, statSync } from "node:fs";

/**
 * Whether the process was started by `nohup`, to live on when its terminal is closed. Node takes back the ignoring of
 * SIGHUP that `nohup` arranges, but not what it makes of a terminal at stdin: `/dev/null`, open for writing alone.
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
