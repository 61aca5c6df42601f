import type { InstanceState } from "../backend/orchestration-client.js";
import { formatCount } from "../format/count.js";
import { parseFanOutFanInOutput } from "../orchestrations/fan-out-fan-in-contract.js";
import type { Completion, Start } from "../stats/completion.js";
import { errorText } from "../format/error-text.js";

type Failure = NonNullable<Completion["failure"]>;

/**
 * What became of an instance that has ended, its output checked: a completed one whose output does not account for
 * `activities` activities counts as failed, unless they are undefined: then the output is somebody else's. An output that was not
 * read is not judged: the orchestrator has checked its fan-in by itself. `state` is undefined where the backend no
 * longer knows the instance.
 */
export function completionOf(
  start: Start,
  state: InstanceState | undefined,
  noticedMs: number,
  activities: number | undefined,
): Completion {
  const server = state && { createdMs: state.createdMs, completedMs: state.completedMs ?? state.lastUpdatedMs };
  if (state?.status === "Terminated" || state?.status === "Canceled")
    return { start, noticedMs, outcome: "terminated", server, failure: undefined };

  const failure = failureOf(state, activities);
  return { start, noticedMs, outcome: failure ? "failed" : "completed", server, failure };
}

function failureOf(state: InstanceState | undefined, activities: number | undefined): Failure | undefined {
  if (!state) return { type: "Lost", message: "the backend accepted the start and no longer knows the instance" };
  if (state.status === "Failed") return state.failure ?? { type: "Unknown", message: "the backend gave no reason" };
  if (state.status !== "Completed")
    return { type: "NotEnded", message: `expected the wait to end with Completed, found ${state.status}` };

  return activities === undefined || state.withoutPayloads ? undefined : outputFault(state.output, activities);
}

function outputFault(output: string | undefined, activities: number): Failure | undefined {
  try {
    const { totalActivities } = parseFanOutFanInOutput(output ?? "null");
    if (totalActivities === activities) return undefined;
    const found = `expected ${formatCount(activities)} activities in the output, found ${formatCount(totalActivities)}`;
    return { type: "LostActivities", message: `lost activities: ${found}` };
  } catch (error) {
    return { type: "UnreadableOutput", message: errorText(error) };
  }
}
