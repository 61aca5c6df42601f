import { parseResult } from "../../../src/result/read-result.js";
import { executionsOf } from "../../../src/result/run-size.js";
import type { Interval, ResultCounts, ResultPlan, RunResult, Verdict } from "../../../src/result/run-result.js";
import { unknownFields } from "../report/published-schema.js";

/** The result of a run of the fan-out workload: it tells all that is known of one. */
export type FanOutResult = RunResult & {
  readonly plan: Required<Pick<ResultPlan, "iterations" | "parallelActivities">>;
  readonly counts: Required<Pick<ResultCounts, "activities">>;
  readonly series: readonly Interval[];
  readonly verdict: Verdict;
};

/**
 * Reads one JSON document, and nothing before or after it but a final newline. Throws where it is not what the published
 * schema describes, has a field that the schema does not, or where what adds up does not.
 */
export function parseRunResult(text: string): FanOutResult {
  const result = parseResult(text, "the result");
  const wrong = [...unknownFields(result), ...wrongSums(result as FanOutResult)];
  if (wrong.length > 0) throw new Error(`Expected a result that is as published, found ${wrong.join("; ")}`);
  return result as FanOutResult;
}

function wrongSums({ breakdown, counts, plan, recount, series }: FanOutResult): readonly string[] {
  const { orchestrations, activities, actions, actionsAtLeast } = counts;
  const phases = Object.values(breakdown?.phases ?? {});
  const { started, completed, failed, terminated, unfinished } = orchestrations;
  const planned = counts.planned ?? started;
  const isRegular = completed === started && !("retries" in (plan.activity ?? {}));
  const parts = plan.iterations * (plan.subOrchestrations ?? 0);
  const timers = plan.timer === undefined ? 0 : plan.iterations - 1;
  const further = executionsOf(plan) - 1 + 2 * parts + timers;
  const sums: Readonly<Record<string, readonly [stated: number, due: number]>> = {
    "counts.orchestrations.started": [started, completed + failed + terminated + unfinished],
    "counts.activities.needed": [activities.needed, plan.iterations * plan.parallelActivities * planned],
    ...(isRegular && {
      "counts.actions": [actions ?? 0, started + completed * further + 2 * activities.completed],
    }),
    "counts.actions or counts.actionsAtLeast": [
      Number(actions !== undefined) + Number(actionsAtLeast !== undefined),
      1,
    ],
    "counts.actionsMissing": [Number(counts.actionsMissing !== undefined), Number(actionsAtLeast !== undefined)],
    "counts.rpcErrorsByCall": [
      sumOf(Object.values(counts.rpcErrorsByCall ?? {}).flatMap((ofCall) => Object.values(ofCall))),
      sumOf(Object.values(counts.rpcErrors)),
    ],
    "series.started": [sumOf(series.map((one) => one.started)), started],
    "series.completed": [sumOf(series.map((one) => one.completed)), completed],
    "series.failed": [sumOf(series.map((one) => one.failed)), failed + terminated],
    "series.activities": [sumOf(series.map((one) => one.activities ?? 0)), activities.completed],
    // To the microsecond of each, which is less than what the sum of means in milliseconds rounds.
    "breakdown.phases meanMs": [rounded(sumOf(phases.map(({ meanMs }) => meanMs))), rounded(breakdown?.wholeMs ?? 0)],
    "breakdown.phases share": [rounded(sumOf(phases.map(({ share }) => share))), phases.length === 0 ? 0 : 1],
    ...(recount &&
      "instances" in recount && { "recount.instances": [sumOf(Object.values(recount.byStatus)), recount.instances] }),
  };
  return Object.entries(sums).flatMap(([name, [stated, due]]) =>
    stated === due ? [] : [`${name}: ${stated} should be ${due}`],
  );
}

function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}

function sumOf(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0);
}
