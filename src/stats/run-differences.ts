import type { Difference, Plain, ResultPlan, RunResult } from "../result/run-result.js";
import { commonOrchestrations } from "./common-orchestrations.js";

/**
 * Fields that may differ between comparable runs: labels, tags, seeds (a run id changes the numbers as much), the names
 * of a plan file and of a file whose digest is compared, the wait for work that did not end (such runs are not
 * compared), earlier work on the hub, and the request for workers, whose outcome is `environment.ownWorkers`.
 */
const OF_NO_ACCOUNT =
  /^(?:plan\.(?:planFile|labels|tags|seed|inputs\.file|activity\.seed|timeoutMs|graceMs|workers)|environment\.hub)(?:\.|$)/u;

/** The fields of plan, environment and latencies in which the runs differ. */
export function differencesOf(base: readonly RunResult[], fresh: readonly RunResult[]): readonly Difference[] {
  const compared = commonOrchestrations([...base, ...fresh]);
  const circumstancesIn = (runs: readonly RunResult[]) => runs.map((run) => circumstancesOf(run, compared));
  const [before, after] = [circumstancesIn(base), circumstancesIn(fresh)];
  const fields = new Set([...before, ...after].flatMap((circumstances) => [...circumstances.keys()]));
  return [...fields].flatMap((field) => {
    const difference = { field, base: distinct(before, field), new: distinct(after, field) };
    const values = new Set([...difference.base, ...difference.new].map((value) => JSON.stringify(value)));
    return values.size > 1 ? [difference] : [];
  });
}

type Circumstances = ReadonlyMap<string, Plain>;

function circumstancesOf(
  { plan, environment, latencyMs, byOrchestration = [] }: RunResult,
  compared: readonly string[],
): Circumstances {
  const parts = byOrchestration.filter(({ orchestrator }) => compared.includes(orchestrator));
  const circumstances = {
    // Results from before there were several kinds of load do not name theirs.
    plan: { ...plan, load: plan.load ?? { kind: "once" }, orchestrations: withoutFiles(plan.orchestrations) },
    environment,
    latencyMs: endsOf(latencyMs),
    byOrchestration: Object.fromEntries(
      parts.map(({ orchestrator, latencyMs }) => [orchestrator, { latencyMs: endsOf(latencyMs) }]),
    ),
  };
  const plain = JSON.parse(JSON.stringify(circumstances)) as Plain;
  return new Map(leavesOf(plain).filter(([field]) => !OF_NO_ACCOUNT.test(field)));
}

/** What ends a latency: the time of the backend, or the moment when the client noticed. */
function endsOf({ response, service }: RunResult["latencyMs"]) {
  return { response: { until: response?.until }, service: { until: service?.until } };
}

/** A mix is a list, so that no pattern of fields reaches the names of files in it. */
function withoutFiles(mix: ResultPlan["orchestrations"]) {
  return mix?.map(({ inputs, ...each }) => ({ ...each, inputs: inputs && { ...inputs, file: undefined } }));
}

/** A list is one value: its parts say little alone. */
function leavesOf(value: Plain, path: readonly string[] = []): readonly (readonly [string, Plain])[] {
  if (typeof value !== "object" || value === null || isList(value)) return [[path.join("."), value]];
  return Object.entries(value).flatMap(([key, part]) => leavesOf(part, [...path, key]));
}

function isList(value: object): value is readonly Plain[] {
  return Array.isArray(value);
}

function distinct(runs: readonly Circumstances[], field: string): readonly Plain[] {
  const values = runs.map((run) => run.get(field) ?? null);
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
}
