import { UsageError } from "../errors.js";

/**
 * How a worker comes to the state of an orchestration. `sessions`: it keeps it between two episodes (extended sessions), and
 * replays the history where it has none; `always`: it replays the whole history at each episode, as a stock worker does.
 */
export type Replay = "sessions" | "always";

export const DEFAULT_REPLAY: Replay = "sessions";

/** The variable that tells a run's own worker processes. */
export const REPLAY_VARIABLE = "FANOUT_REPLAY";

/** Reads what `--replay` says. @throws UsageError */
export function parseReplay(flag: string): Replay {
  if (flag !== "sessions" && flag !== "always")
    throw new UsageError("invalid-value", `--replay: expected sessions or always, found "${flag}"`);

  return flag;
}
