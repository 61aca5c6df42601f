import type { InstanceState } from "../backend/orchestration-client.js";
import { formatCount } from "../format/count.js";
import { parseFanOutFanInOutput } from "../orchestrations/fan-out-fan-in-contract.js";
import type { Completion, Start } from "../stats/completion.js";
import { endedMsOf } from "../backend/ended-status.js";
import { errorText } from "../format/error-text.js";

type Failure = NonNullable<Completion["failure"]>;

/**
 * The outcome of an ended instance. A completed one counts as failed if its output does not account for `activities`
 * activities. `activities` is undefined for somebody else's orchestration, whose output is not judged. An output that
 * was not read is not judged either, because the orchestrator checks its fan-in itself. `state` is undefined if the
 * backend no longer knows the instance.
 */
export function completionOf(
  start: Start,
  state: InstanceState | undefined,
  noticedMs: number,
  activities: number | undefined,
): Completion {
  const server = state && serverTimesOf(state);
  if (state?.status === "Terminated" || state?.status === "Canceled")
    return { start, noticedMs, outcome: "terminated", server, failure: undefined };

  const failure = failureOf(state, activities);
  return { start, noticedMs, outcome: failure ? "failed" : "completed", server, failure };
}

/** Undefined unless the backend reports both. */
function serverTimesOf(state: InstanceState): Completion["server"] {
  const { createdMs } = state;
  const completedMs = endedMsOf(state);
  return createdMs === undefined || completedMs === undefined ? undefined : { createdMs, completedMs };
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
