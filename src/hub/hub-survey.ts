import type { Backend } from "../backend/backend.js";
import { NO_QUERY, isMissingCall } from "../backend/missing-call.js";
import type { InstanceState, OrchestrationClient } from "../backend/orchestration-client.js";
import { FanoutError } from "../errors.js";
import { errorText } from "../format/error-text.js";
import { OWN_HUB, unfinishedWorkText } from "./unfinished-work.js";
import type { HubSurvey } from "../result/run-result.js";
import { isOfLoadTest } from "./of-load-test.js";
import { runIdOf, runIdOfPart } from "../plan/run-id.js";

const MOST_COUNTED = 1_000;
const PAGE_SIZE = 200;
const PATIENCE_MS = 5_000;
const LISTED_ORCHESTRATORS = 10;

/**
 * Counts the unfinished instances on the task hub before the run adds to them, up to 1,000. Unknown if the backend
 * cannot list instances, or takes more than five seconds. Instances of the run itself, which another shard may have
 * started, are not counted.
 * @throws FanoutError if there is no backend: no start would reach it either
 */
export async function surveyHub(client: OrchestrationClient, signal: AbortSignal, runId?: string): Promise<HubSurvey> {
  const bounded = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
  try {
    return await countUnfinished(client, bounded, runId);
  } catch (error) {
    if (error instanceof FanoutError) throw error;
    return { unknown: isMissingCall(error) ? NO_QUERY : errorText(error) };
  }
}

async function countUnfinished(
  client: OrchestrationClient,
  signal: AbortSignal,
  ownRunId?: string,
): Promise<HubSurvey> {
  const tally = new SurveyTally();
  let continuationToken: string | undefined;
  do {
    const page = await client.queryInstances(
      { statuses: ["Pending", "Running", "Suspended"], pageSize: PAGE_SIZE, payloads: false, continuationToken },
      { signal },
    );
    for (const instance of page.instances) {
      const runId = runIdOf(instance.instanceId) ?? runIdOfPart(instance.instanceId);
      if (ownRunId === undefined || runId !== ownRunId) tally.add(instance);
    }
    continuationToken = page.continuationToken;
  } while (continuationToken !== undefined && tally.unfinished < MOST_COUNTED);
  return tally.survey(continuationToken !== undefined);
}

class SurveyTally {
  unfinished = 0;
  #foreign = 0;
  readonly #byRun = new Map<string, number>();
  readonly #byOrchestrator = new Map<string, number>();

  add(instance: InstanceState): void {
    this.unfinished += 1;
    if (!isOfLoadTest(instance)) {
      this.#foreign += 1;
      addOne(this.#byOrchestrator, instance.name);
      return;
    }
    const runId = runIdOf(instance.instanceId);
    if (runId !== undefined) addOne(this.#byRun, runId);
  }

  survey(more: boolean): HubSurvey {
    const orchestrators = Array.from(this.#byOrchestrator, ([name, unfinished]) => ({ name, unfinished }));
    orchestrators.sort((a, b) => b.unfinished - a.unfinished);
    return {
      unfinished: this.unfinished,
      more,
      runs: Array.from(this.#byRun, ([runId, unfinished]) => ({ runId, unfinished })),
      foreign: { unfinished: this.#foreign, orchestrators: orchestrators.slice(0, LISTED_ORCHESTRATORS) },
    };
  }
}

function addOne(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

/** A line for a person; undefined if the hub was empty. */
export function surveyLine(survey: HubSurvey, taskHub: string): string | undefined {
  if ("unknown" in survey) return `other work on task hub ${taskHub} is unknown: ${survey.unknown}`;
  if (survey.unfinished === 0) return undefined;
  const advice = survey.foreign?.unfinished ? `; ${OWN_HUB}` : "";
  return `task hub ${taskHub} already has ${unfinishedWorkText(survey)}${advice}`;
}

/** Surveys the hub before a run, and tells a person what else is on it. */
export async function surveyedHub(
  { client, connection }: Pick<Backend, "client" | "connection">,
  runId: string,
  signal: AbortSignal,
  onLine: (line: string) => void,
): Promise<HubSurvey> {
  const hub = await surveyHub(client, signal, runId);
  const line = surveyLine(hub, connection.taskHub);
  if (line !== undefined) onLine(line);
  return hub;
}
