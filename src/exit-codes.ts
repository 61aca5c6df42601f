/** The exit codes of every command. Where several apply, the first of this list wins. */
export const ExitCode = {
  /** Ctrl-C, as shells count it: 128 + SIGINT. */
  Interrupted: 130,
  /** SIGTERM: 128 + 15. */
  Terminated: 143,
  /** SIGHUP, the terminal or the connection to it has gone: 128 + 1. */
  HungUp: 129,
  /** The command line, a connection string or a configuration file is wrong; nothing was started. */
  Usage: 2,
  /** Something failed, was lost, or timed out. */
  Failure: 1,
  /** All went well, and the generator was not healthy enough for the figures to be believed. */
  Invalid: 96,
  /** A threshold was missed or could not be judged. */
  ThresholdMissed: 99,
  /** It is slower than the baseline. */
  Slower: 98,
  Success: 0,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];

/** The one of several that wins; of none, success. */
export function firstOf(codes: readonly ExitCode[]): ExitCode {
  return Object.values(ExitCode).find((code) => codes.includes(code)) ?? ExitCode.Success;
}
