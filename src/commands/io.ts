import type { OutputStream } from "../report/output-stream.js";

/** Where a command writes: data to `stdout`, everything else to `stderr`. */
export interface CommandIo {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
}
