import type { Breakdown, BreakdownPhase, BreakdownTally, PhaseTime } from "../result/run-result.js";
import { BREAKDOWN_PHASES, MERGED_PHASES } from "../result/breakdown-schema.js";
import { LatencyHistogram } from "../stats/latency-histogram.js";
import { meanOf } from "../stats/mean.js";
import { momentsOf, shareOf } from "../stats/share-moments.js";
import { clocksOf, type Clocks } from "./clocks.js";
import { activitiesOf } from "./critical-path.js";
import { examplesOf } from "./examples.js";
import { timesOf } from "./instance-times.js";
import type { SpentTime } from "./phases.js";
import { summaryOf } from "./summary.js";
import type { TracedInstance } from "./traced-instance.js";

/** Phases that are given as one where the clocks are not known closely enough to tell them apart. */
const CROSSING_PAIRS = [
  { of: MERGED_PHASES.startAndNotice, as: "startAndNotice" },
  { of: MERGED_PHASES.queueAndReturn, as: "queueAndReturn" },
] as const;

/** What the traced instances of a run say about where its time went. Pure: histories and stamps in, values out. */
export function breakdownOf(instances: readonly TracedInstance[], clocks: Clocks = clocksOf(instances)): Breakdown {
  return talliedBreakdownOf(instances, clocks).breakdown;
}

/** The same, with what a merge with other shards needs; absent without an instance. */
export function talliedBreakdownOf(
  instances: readonly TracedInstance[],
  { client, workers }: Clocks,
): { readonly breakdown: Breakdown; readonly tally?: BreakdownTally } {
  const told = instances.flatMap((instance) => {
    const spent = timesOf(instance, client, (workerId, backendUs) => workers.get(workerId)?.at(backendUs));
    return spent ? [{ instance, spent }] : [];
  });
  const merged = mergedPairs(told.map(({ spent }) => spent));
  const each = told.map(({ spent }) => merged.reduce(asOne, spent));
  const wholes = each.map(sumOf);
  const breakdown = {
    orchestrations: orchestrationsOf(told.map(({ instance }) => instance)),
    ...(told.length < instances.length && { contradictory: instances.length - told.length }),
    ...(told.length > 0 && {
      wholeMs: meanOf(wholes) / 1_000,
      phases: phasesOf(each, wholes),
      examples: examplesOf(told.map(({ instance: { instanceId } }, index) => ({ instanceId, spent: each[index]! }))),
    }),
  };
  return { breakdown, ...(told.length > 0 && { tally: { phases: tallyOf(each, wholes) } }) };
}

function tallyOf(each: readonly (readonly SpentTime[])[], wholes: readonly number[]): BreakdownTally["phases"] {
  const phases = new Set(each.flat().map(({ phase }) => phase));
  const tallies = [...phases].map((phase) => {
    const ofEach = each.map((spent) => spent.filter((one) => one.phase === phase));
    const histogram = new LatencyHistogram();
    // Between two clocks, a short time may seem to be less than none.
    for (const { us } of ofEach.flat()) histogram.add(Math.max(0, us) / 1_000);
    return [phase, { each: histogram.tally(), inEach: momentsOf(ofEach.map(sumOf), wholes) }] as const;
  });
  return Object.fromEntries(tallies);
}

function orchestrationsOf(instances: readonly TracedInstance[]): Breakdown["orchestrations"] {
  const count = (is: (instance: TracedInstance) => boolean): number => instances.filter(is).length;
  const retried = count(({ history }) => [...activitiesOf(history)].some(({ failed }) => failed));
  return {
    traced: instances.length,
    completed: count(({ outcome }) => outcome === "completed"),
    failed: count(({ outcome }) => outcome === "failed"),
    terminated: count(({ outcome }) => outcome === "terminated"),
    unfinished: count(({ outcome }) => outcome === "unfinished"),
    retried,
  };
}

type Pair = (typeof CROSSING_PAIRS)[number];

/** The pairs of which the clocks' bound is larger, on the average, than one of the two. */
function mergedPairs(each: readonly (readonly SpentTime[])[]): readonly Pair[] {
  const all = each.flat();
  return CROSSING_PAIRS.filter(({ of }) =>
    of.some((phase) => {
      const spent = all.filter((one) => one.phase === phase);
      return spent.length > 0 && meanOf(spent.map(({ boundUs = 0 }) => boundUs)) > meanOf(spent.map(({ us }) => us));
    }),
  );
}

/** The two of a pair as one, whose sum no clock has a part in. */
function asOne(spent: readonly SpentTime[], { of: [first, second], as }: Pair): readonly SpentTime[] {
  const result: SpentTime[] = [];
  let beganUs: number | undefined;
  for (const one of spent) {
    if (one.phase === first) {
      beganUs = one.us;
    } else if (one.phase === second) {
      result.push({ phase: as, us: (beganUs ?? 0) + one.us });
      beganUs = undefined;
    } else {
      result.push(one);
    }
  }
  if (beganUs !== undefined) result.push({ phase: as, us: beganUs });
  return result;
}

function phasesOf(
  each: readonly (readonly SpentTime[])[],
  wholes: readonly number[],
): NonNullable<Breakdown["phases"]> {
  const present = BREAKDOWN_PHASES.flatMap((phase): readonly (readonly [BreakdownPhase, PhaseTime])[] => {
    const ofEach = each.map((spent) => spent.filter((one) => one.phase === phase));
    const all = ofEach.flat();
    if (all.length === 0) return [];
    const totals = ofEach.map(sumOf);
    const bounds = all.flatMap(({ boundUs }) => boundUs ?? []);
    const time = {
      meanMs: meanOf(totals) / 1_000,
      ...shareOf(momentsOf(totals, wholes)),
      each: summaryOf(all.map(({ us }) => us)),
      ...(bounds.length > 0 && { boundMs: meanOf(bounds) / 1_000 }),
    };
    return [[phase, time]];
  });
  return Object.fromEntries(present);
}

function sumOf(spent: readonly SpentTime[]): number {
  return spent.reduce((sum, { us }) => sum + us, 0);
}
