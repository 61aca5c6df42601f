import type { LoadPlan } from "../plan/plan.js";
import { lengthOf, plannedStarts } from "../result/load-shape.js";
import { activitiesOf } from "../result/run-size.js";
import type { LatencySummary, Outage, Stall } from "../result/run-result.js";
import type { LiveSnapshot, OwnSnapshot } from "../stats/live-snapshot.js";
import { sumOf, sums } from "../stats/sums.js";

interface SummedMoment {
  readonly elapsedMs: number;
  readonly activities?: number;
  /** Of the generators that have not ended. */
  readonly running?: readonly LiveSnapshot[];
}

/**
 * The state of a run that several generators make. Counts are sums. A percentile of all lies between those of the parts:
 * the view shows the largest one, and the result has the true one.
 */
export function summedSnapshot(
  parts: readonly LiveSnapshot[],
  plan: LoadPlan,
  { elapsedMs, activities = 0, running = parts }: SummedMoment,
): LiveSnapshot {
  const lengthMs = lengthOf(plan);
  const planned = plannedStarts(plan) ?? 0;
  const started = sumOf(parts, ({ orchestrations }) => orchestrations.started);
  return {
    elapsedMs,
    ...(lengthMs !== undefined && { lengthMs }),
    orchestrations: { total: planned, started, ended: sumOf(parts, ({ orchestrations }) => orchestrations.ended) },
    activities: {
      total: (activitiesOf(plan) ?? 0) * Math.max(planned, started),
      completed: Math.max(
        activities,
        sumOf(parts, (part) => part.activities.completed),
      ),
      ...(plan.orchestrator === undefined && { perIteration: plan.parallelActivities }),
    },
    responseMs: latencyOf(parts.flatMap(({ responseMs }) => responseMs ?? [])),
    serviceMs: latencyOf(parts.flatMap(({ serviceMs }) => serviceMs ?? [])),
    outage: outageOf(running.map(({ outage }) => outage)),
    own: {
      ...ownOf(parts.flatMap((part) => part.own ?? [])),
      stall: stallOf(
        parts.flatMap((part) => part.own ?? []),
        running.flatMap((part) => part.own ?? []),
      ),
    },
  };
}

function ownOf(parts: readonly OwnSnapshot[]): Omit<OwnSnapshot, "stall"> {
  return {
    completed: sumOf(parts, ({ completed }) => completed),
    failed: sumOf(parts, ({ failed }) => failed),
    terminated: sumOf(parts, ({ terminated }) => terminated),
    inFlight: sumOf(parts, ({ inFlight }) => inFlight),
    heldBack: sumOf(parts, ({ heldBack }) => heldBack),
    rpcErrors: sums(parts.map(({ rpcErrors }) => rpcErrors)),
  };
}

/** The backend is away while every running generator finds it away. */
function outageOf(outages: readonly (Outage | undefined)[]): Outage | undefined {
  const all = outages.filter((outage) => outage !== undefined);
  return all.length < outages.length ? undefined : all.toSorted((a, b) => b.fromMs - a.fromMs)[0];
}

/** The run is stalled while a running generator is, and each other one is too or has nothing in flight. */
function stallOf(parts: readonly OwnSnapshot[], running: readonly OwnSnapshot[]): Stall | undefined {
  const all = running.flatMap(({ stall }) => stall ?? []);
  if (all.length === 0 || running.some((each) => !each.stall && each.idleSinceMs === undefined)) return undefined;
  // What a generator did before it had nothing in flight was progress.
  const idle = parts.flatMap(({ stall, idleSinceMs }) => (stall ? [] : (idleSinceMs ?? [])));
  const fromMs = Math.max(...all.map((stall) => stall.fromMs), ...idle);
  const lengthMs = Math.max(...all.map((stall) => stall.fromMs + stall.lengthMs)) - fromMs;
  if (lengthMs <= 0) return undefined;
  return {
    ...all[0]!,
    fromMs,
    lengthMs,
    inFlight: sumOf(all, ({ inFlight }) => inFlight),
    offeredPerSecond: sumOf(all, ({ offeredPerSecond }) => offeredPerSecond),
    rpcErrors: sums(all.map(({ rpcErrors }) => rpcErrors)),
  };
}

function latencyOf(parts: readonly LatencySummary[]): LatencySummary | undefined {
  const count = sumOf(parts, ({ count }) => count);
  if (count === 0) return undefined;
  const percentiles = (["p50", "p90", "p95", "p99", "p999"] as const).flatMap((name) => {
    const values = parts.map((part) => part[name]);
    return values.every((value) => value !== undefined) ? [[name, Math.max(...values)] as const] : [];
  });
  return {
    count,
    mean: sumOf(parts, ({ count, mean }) => count * mean) / count,
    ...Object.fromEntries(percentiles),
    max: Math.max(...parts.map(({ max }) => max)),
  };
}
