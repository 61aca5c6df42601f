import { NO_QUERY, isMissingCall } from "../backend/missing-call.js";
import type { InstanceState, OrchestrationClient } from "../backend/orchestration-client.js";
import { FanoutError } from "../errors.js";
import { formatCount, plural } from "../format/count.js";
import type { HubSurvey } from "../stats/run-result.js";
import { runIdOf } from "./run-id.js";
import { errorText } from "../format/error-text.js";

const MOST_COUNTED = 1_000;
const PAGE_SIZE = 200;
const PATIENCE_MS = 5_000;

/**
 * Counts what is unfinished on the task hub before the run adds to it, at most 1,000 instances. A backend that cannot
 * tell, or takes more than five seconds, leaves it unknown.
 * @throws FanoutError if there is no backend: no start would reach it either
 */
export async function surveyHub(client: OrchestrationClient, signal: AbortSignal): Promise<HubSurvey> {
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
  try {
    return await countUnfinished(client, bounded);
  } catch (error) {
    if (error instanceof FanoutError) throw error;
    return { unknown: isMissingCall(error) ? NO_QUERY : errorText(error) };
  }
}

async function countUnfinished(client: OrchestrationClient, signal: AbortSignal): Promise<HubSurvey> {
  const runs = new Map<string, number>();
  let unfinished = 0;
  let continuationToken: string | undefined;
  do {
    const page = await client.queryInstances(
      { statuses: ["Pending", "Running", "Suspended"], pageSize: PAGE_SIZE, payloads: false, continuationToken },
      { signal },
    );
    unfinished += page.instances.length;
    countByRun(page.instances, runs);
    continuationToken = page.continuationToken;
  } while (continuationToken !== undefined && unfinished < MOST_COUNTED);
  return {
    unfinished,
    more: continuationToken !== undefined,
    runs: Array.from(runs, ([runId, count]) => ({ runId, unfinished: count })),
  };
}

function countByRun(instances: readonly InstanceState[], runs: Map<string, number>): void {
  for (const { instanceId } of instances) {
    const runId = runIdOf(instanceId);
    if (runId !== undefined) runs.set(runId, (runs.get(runId) ?? 0) + 1);
  }
}

/** A line for a person, or undefined when the hub was empty: nothing to say. */
export function surveyLine(survey: HubSurvey, taskHub: string): string | undefined {
  if ("unknown" in survey) return `what else is on task hub ${taskHub} is not known: ${survey.unknown}`;
  if (survey.unfinished === 0) return undefined;
  const count = survey.more ? `${formatCount(survey.unfinished)}+` : formatCount(survey.unfinished);
  const noun = survey.unfinished === 1 && !survey.more ? "instance" : "instances";
  const named = survey.runs.slice(0, 3).map(({ runId, unfinished }) => `${runId}: ${formatCount(unfinished)}`);
  const more = survey.runs.length > named.length ? ", …" : "";
  const runs =
    survey.runs.length > 0 ? ` (${plural(survey.runs.length, "other run")}: ${named.join(", ")}${more})` : "";
  return `task hub ${taskHub} already has ${count} unfinished ${noun}${runs}; they share its workers with this run`;
}
