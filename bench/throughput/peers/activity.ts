import { setTimeout as sleep } from "node:timers/promises";
import { ACTIVITY_OUTPUT } from "../../../dist/orchestrations/fan-out-fan-in-contract.js";
import type { ActivityInput, ActivityResult } from "#peers/orchestration";

/** Executions of `performActivity` in this process. */
export const executed = { count: 0 };

/** Answers what fanout's own activity answers. */
export async function performActivity(input: ActivityInput): Promise<ActivityResult> {
  const startedMs = performance.now();
  executed.count += 1;
  const { iterationNumber, activityNumber, sleepMs, outputBytes } = input;
  if (sleepMs !== undefined) await sleep(sleepMs);
  return {
    iterationNumber,
    activityNumber,
    processingTimeMs: Math.round(performance.now() - startedMs),
    output: ACTIVITY_OUTPUT,
    ...(outputBytes !== undefined && { padding: "x".repeat(outputBytes) }),
  };
}
