import { lengthOf } from "../result/load-shape.js";
import type { ClockOffset, GeneratorHealth, Outage, ResultPlan, Stall } from "../result/run-result.js";
import { wholeRange } from "./clock-range.js";
import type { RunLatencies } from "./run-latencies.js";
import { sumOf, sums, worst } from "./sums.js";

const LISTED_STALLS = 100;
const SHORTEST_STALL_MS = 500;

/** Slip is that of all starts; what belongs to a process or a machine is that of the worst. */
export function mergedHealth(
  plan: ResultPlan,
  all: readonly GeneratorHealth[],
  latencies: RunLatencies,
  censored: number,
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

/** Times in which every shard was stalled: then nothing of the run completed. */
export function commonStalls(ofShards: readonly (readonly Stall[])[]): readonly Stall[] {
  const stalls = overlaps(ofShards, (one, other, span) => ({
    ...span,
    inFlight: one.inFlight + other.inFlight,
    offeredPerSecond: one.offeredPerSecond + other.offeredPerSecond,
    rpcErrors: sums([one.rpcErrors, other.rpcErrors]),
  }));
  return stalls.filter(({ lengthMs }) => lengthMs >= SHORTEST_STALL_MS).slice(0, LISTED_STALLS);
}

/** Times in which every shard found the backend away: one that did not had an answer. */
export function commonOutages(ofShards: readonly (readonly Outage[])[]): readonly Outage[] {
  return overlaps(ofShards, ({ found }, _, span) => ({ ...span, found }));
}

type Span = Pick<Stall, "fromMs" | "lengthMs" | "open">;

function overlaps<T extends Span>(
  ofShards: readonly (readonly T[])[],
  merged: (one: T, other: T, span: Span) => T,
): readonly T[] {
  const [first = [], ...rest] = ofShards;
  return rest.reduce<readonly T[]>(
    (found, spans) =>
      found.flatMap((one) =>
        spans.flatMap((other) => {
          const span = overlapOf(one, other);
          return span ? merged(one, other, span) : [];
        }),
      ),
    first,
  );
}

function overlapOf(one: Span, other: Span): Span | undefined {
  const fromMs = Math.max(one.fromMs, other.fromMs);
  const lengthMs = Math.min(one.fromMs + one.lengthMs, other.fromMs + other.lengthMs) - fromMs;
  return lengthMs > 0 ? { fromMs, lengthMs, ...(one.open && other.open && { open: true }) } : undefined;
}
