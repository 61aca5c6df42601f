import type { Breakdown, BreakdownPhase, PhaseTime } from "../result/run-result.js";
import { BREAKDOWN_PHASES, MERGED_PHASES } from "../result/breakdown-schema.js";
import { meanOf } from "../stats/mean.js";
import { studentTQuantile } from "../stats/student-t.js";
import { clocksOf, type Clocks } from "./clocks.js";
import { activitiesOf } from "./critical-path.js";
import { examplesOf } from "./examples.js";
import { timesOf } from "./instance-times.js";
import type { SpentTime } from "./phases.js";
import { summaryOf } from "./summary.js";
import type { TracedInstance } from "./traced-instance.js";

const CONFIDENCE = 0.95;

/** Phases that are given as one where the clocks are not known closely enough to tell them apart. */
const CROSSING_PAIRS = [
  { of: MERGED_PHASES.startAndNotice, as: "startAndNotice" },
  { of: MERGED_PHASES.queueAndReturn, as: "queueAndReturn" },
] as const;

/** What the traced instances of a run say about where its time went. Pure: histories and stamps in, values out. */
export function breakdownOf(instances: readonly TracedInstance[], clocks: Clocks = clocksOf(instances)): Breakdown {
  const { client, workers } = clocks;
  const told = instances.flatMap((instance) => {
    const spent = timesOf(instance, client, (workerId, backendUs) => workers.get(workerId)?.at(backendUs));
    return spent ? [{ instance, spent }] : [];
  });
  const merged = mergedPairs(told.map(({ spent }) => spent));
  const each = told.map(({ spent }) => merged.reduce(asOne, spent));
  const wholes = each.map(sumOf);
  return {
    orchestrations: orchestrationsOf(told.map(({ instance }) => instance)),
    ...(told.length < instances.length && { contradictory: instances.length - told.length }),
    ...(told.length > 0 && {
      wholeMs: meanOf(wholes) / 1_000,
      phases: phasesOf(each, wholes),
      examples: examplesOf(told.map(({ instance: { instanceId } }, index) => ({ instanceId, spent: each[index]! }))),
    }),
  };
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
      ...shareOf(totals, wholes),
      each: summaryOf(all.map(({ us }) => us)),
      ...(bounds.length > 0 && { boundMs: meanOf(bounds) / 1_000 }),
    };
    return [[phase, time]];
  });
  return Object.fromEntries(present);
}

/**
 * The share of the whole: mean of the phase over mean of the whole. Its interval is that of a ratio of means: with the
 * residuals d_i = x_i - share w_i, share ± t s_d / (sqrt(n) mean(w)), t of n - 1 degrees of freedom (Cochran, Sampling
 * Techniques, 3rd edition, 6.3). One instance has none.
 */
function shareOf(parts: readonly number[], wholes: readonly number[]): Pick<PhaseTime, "share" | "shareInterval"> {
  const whole = meanOf(wholes);
  if (whole === 0) return { share: 0 };
  const share = meanOf(parts) / whole;
  const n = parts.length;
  if (n < 2) return { share };
  const squares = parts.reduce((sum, part, index) => sum + (part - share * wholes[index]!) ** 2, 0);
  const halfWidth = (studentTQuantile((1 + CONFIDENCE) / 2, n - 1) * Math.sqrt(squares / (n - 1) / n)) / whole;
  return { share, shareInterval: { from: Math.max(0, share - halfWidth), to: Math.min(1, share + halfWidth) } };
}

function sumOf(spent: readonly SpentTime[]): number {
  return spent.reduce((sum, { us }) => sum + us, 0);
}
