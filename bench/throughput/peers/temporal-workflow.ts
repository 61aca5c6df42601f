/** What Temporal bundles and runs in a sandbox of its own. */
import { proxyActivities } from "@temporalio/workflow";
import type { FanInTally } from "#peer-protocol";
import {
  NOTHING_SEEN,
  fanIn,
  fanOut,
  type ActivityInput,
  type ActivityResult,
  type OrchestrationInput,
} from "#peers/orchestration";

const activities = proxyActivities({ startToCloseTimeout: "10 minutes" });

function perform(input: ActivityInput): Promise<ActivityResult> {
  return activities["perform"]!(input) as Promise<ActivityResult>;
}

export async function orchestrate(input: OrchestrationInput): Promise<FanInTally> {
  let tally = NOTHING_SEEN;
  for (let iteration = 0; iteration < input.iterations; iteration += 1)
    tally = fanIn(tally, input, iteration, await Promise.all(fanOut(input, iteration).map(perform)));

  return tally;
}
