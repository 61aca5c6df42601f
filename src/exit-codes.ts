/** The exit codes of every command. If several apply, the first one in this list wins. */
export const ExitCode = {
  /** Ctrl-C, with the number that shells use: 128 + SIGINT. */
  Interrupted: 130,
  /** SIGTERM: 128 + 15. */
  Terminated: 143,
  /** SIGHUP, because the terminal or its connection is gone: 128 + 1. */
  HungUp: 129,
  /** The command line, a connection string or a configuration file is wrong; nothing was started. */
  Usage: 2,
  /** Something failed, was lost, or timed out. */
  Failure: 1,
  /** Nothing failed, but the generator was not healthy enough for the figures to be believed. */
  Invalid: 96,
  /** A threshold was missed or could not be judged. */
  ThresholdMissed: 99,
  /** The run is slower than the baseline. */
  Slower: 98,
  Success: 0,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** The code that wins of several; success if there is none. */
export function firstOf(codes: readonly ExitCode[]): ExitCode {
  return Object.values(ExitCode).find((code) => codes.includes(code)) ?? ExitCode.Success;
}
