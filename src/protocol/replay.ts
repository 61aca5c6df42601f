import { UsageError } from "../errors.js";

/**
 * How a worker restores the state of an orchestration.
 * - `sessions`: it keeps the state between two episodes (extended sessions), and replays the history if it has none.
 * - `always`: it replays the whole history at each episode, as a worker of the SDK does.
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
