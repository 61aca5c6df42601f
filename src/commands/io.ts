import type { OutputStream } from "../report/output-stream.js";

/** The outputs of a command: data on `stdout`, everything else on `stderr`. */
export interface CommandIo {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
}
