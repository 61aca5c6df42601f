import { lengthOf } from "../result/load-shape.js";
import type { ClockOffset, GeneratorHealth, Outage, ResultPlan, Stall } from "../result/run-result.js";
import type { Censored } from "../result/stored-percentile.js";
import { wholeRange } from "./clock-range.js";
import type { RunLatencies } from "./run-latencies.js";
import { commonSpans, type Span, type Watched } from "./common-spans.js";
import { sumOf, sums, worst } from "./sums.js";

const LISTED_STALLS = 100;
const SHORTEST_STALL_MS = 500;

/** Slip is that of all starts; what belongs to a process or a machine is that of the worst. */
export function mergedHealth(
  plan: ResultPlan,
  all: readonly GeneratorHealth[],
  latencies: RunLatencies,
  censored: Censored,
): GeneratorHealth {
  const isOpen = plan.load?.kind === "open";
  const slipMs = latencies.unheldSlip;
  const slipShare = isOpen ? latencies.slipShares(censored) : undefined;
  const eventLoopDelayMs = worst(
    all.flatMap(({ eventLoopDelayMs }) => eventLoopDelayMs ?? []),
    ({ p99, p90, max }) => p99 ?? p90 ?? max,
  );
  const jumps = all.flatMap(({ clockJumpMs }) => clockJumpMs ?? []);
  const cpu = worst(
    all.flatMap(({ cpu }) => cpu ?? []),
    ({ machine }) => machine,
  );
  return {
    heldBack: sumOf(all, ({ heldBack }) => heldBack),
    ...(slipMs && {
      slipMs,
      ...(isOpen && { slipGrowthMs: latencies.slipGrowthMs((lengthOf(plan) ?? 0) - (plan.warmupMs ?? 0)) }),
    }),
    ...(slipShare && { slipShare }),
    ...(eventLoopDelayMs && { eventLoopDelayMs }),
    ...(jumps.length > 0 && { clockJumpMs: Math.max(...jumps) }),
    ...(cpu && { cpu }),
  };
}

/** The range that holds the offset of the backend's clock to each of the clients' clocks. */
export function widestClock(clocks: readonly ClockOffset[]): ClockOffset | undefined {
  const drift = worst(clocks, ({ driftMs }) => Math.abs(driftMs));
  if (drift === undefined) return undefined;
  return { ...wholeRange(clocks), driftMs: drift.driftMs };
}

/**
 * Times in which nothing of the run completed: at least one shard was stalled, and each other one was too or had nothing in
 * flight.
 */
export function commonStalls(shards: readonly Watched<Stall>[]): readonly Stall[] {
  const stalls = commonSpans(shards).map(({ steps, ...span }): Stall => {
    const offered = sumOf(steps, ({ lengthMs, of }) => lengthMs * sumOf(of, (each) => each.offeredPerSecond));
    const all = [...new Set(steps.flatMap(({ of }) => of))];
    return {
      ...span,
      inFlight: Math.max(...steps.map(({ of }) => sumOf(of, ({ inFlight }) => inFlight))),
      offeredPerSecond: offered / span.lengthMs,
      rpcErrors: sums(all.map(({ rpcErrors }) => rpcErrors)),
    };
  });
  return stalls.filter(({ lengthMs }) => lengthMs >= SHORTEST_STALL_MS).slice(0, LISTED_STALLS);
}

/** Times in which every shard that was still running found the backend away: one that did not had an answer. */
export function commonOutages(shards: readonly Watched<Outage>[]): readonly Outage[] {
  return commonSpans(shards).flatMap(({ steps: [first], ...span }) => {
    return first?.of[0] ? [{ ...span, found: first.of[0].found }] : [];
  });
}

/** What a shard saw until it ended at `endMs`. It sees nothing afterwards. */
export function hasEnded<T extends Span>(
  { spans, neutral }: Watched<T>,
  endMs = lastOf({ spans, neutral }),
): Watched<T> {
  // The length of a span, added to its begin, may miss the end a little.
  return { spans, neutral: [...neutral, { fromMs: endMs - 1, toMs: Number.POSITIVE_INFINITY }] };
}

function lastOf({ spans, neutral }: Watched<Span>): number {
  const ends = [...spans.map(({ fromMs, lengthMs }) => fromMs + lengthMs), ...neutral.map(({ toMs }) => toMs)];
  return Math.max(0, ...ends);
}
