/** The exit codes of every command. Where several apply, the first of this list wins. */
export const ExitCode = {
  /** Ctrl-C, as shells count it: 128 + SIGINT. */
  Interrupted: 130,
  /** SIGTERM: 128 + 15. */
  Terminated: 143,
  /** The command line, a connection string or a configuration file is wrong; nothing was started. */
  Usage: 2,
  /** Something failed, was lost, or timed out. */
  Failure: 1,
  /** All went well, and a threshold was missed or could not be judged. */
  ThresholdMissed: 99,
  Success: 0,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];
