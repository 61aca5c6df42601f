import type { ExitCode } from "../exit-codes.js";

/** The outcome of the start of an emulator process, which it writes to its descriptor 3 as one line of JSON. */
export type LaunchMessage =
  | { readonly state: "ready"; readonly pid: number }
  /** Another process runs the emulator of this folder. */
  | { readonly state: "taken" }
  | { readonly state: "failed"; readonly reason: string; readonly exitCode: ExitCode };
