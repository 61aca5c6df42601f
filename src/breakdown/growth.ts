import type { Growth } from "../result/run-result.js";
import { meanOf } from "../stats/mean.js";
import { studentTQuantile } from "../stats/student-t.js";
import { continueAsNewAdvice, type ContinueAsNewPlan } from "./continue-as-new.js";
import { lengthOf, type FanOut } from "./fan-outs.js";

/** A line through fewer says nothing. */
const LEAST_ITERATIONS = 10;
const CONFIDENCE = 0.95;
/** Iterations are shown in at most so many groups. */
const MOST_GROUPS = 50;

/**
 * The least-squares line of what an iteration took, by its number in its execution. Of several orchestrations each has its own
 * line, and the interval is that of the mean of their slopes: iterations of one are not independent. Of a single one it is that
 * of the line.
 */
export function growthOf(
  each: readonly (readonly FanOut[])[],
  { firstUs, plan = {} }: { readonly firstUs?: number | undefined; readonly plan?: ContinueAsNewPlan } = {},
): Growth | undefined {
  const lines = each
    .filter((fanOuts) => fanOuts.length >= LEAST_ITERATIONS)
    .map((fanOuts) => lineOf(fanOuts.map(lengthOf)));
  const [first] = lines;
  if (!first) return undefined;
  const slope = meanOf(lines.map((line) => line.slope));
  const halfWidth =
    lines.length === 1
      ? first.standardError * quantile(first.degreesOfFreedom)
      : standardErrorOf(lines.map((line) => line.slope)) * quantile(lines.length - 1);
  const groups = groupsOf(each);
  const leastUs = 1_000 * Math.min(...groups.map(({ meanMs }) => meanMs));
  const line = { slopeUs: slope, meanUs: meanOf(lines.map(({ mean }) => mean)), leastUs };
  const isGrowth = slope - halfWidth > 0;
  const continueAsNew = isGrowth && firstUs !== undefined && continueAsNewAdvice(line, firstUs, plan);
  return {
    per100IterationsMs: per100(slope),
    interval: { from: per100(slope - halfWidth), to: per100(slope + halfWidth) },
    groups,
    ...(continueAsNew && { continueAsNew }),
  };
}

/** Milliseconds in 100 iterations, of microseconds in one. */
function per100(us: number): number {
  return us / 10;
}

interface Line {
  /** Microseconds for each further iteration. */
  readonly slope: number;
  readonly mean: number;
  readonly standardError: number;
  readonly degreesOfFreedom: number;
}

function lineOf(lengthsUs: readonly number[]): Line {
  const n = lengthsUs.length;
  const middle = (n - 1) / 2;
  const mean = meanOf(lengthsUs);
  const squares = sum(lengthsUs, (_, index) => (index - middle) ** 2);
  const slope = sum(lengthsUs, (us, index) => (index - middle) * (us - mean)) / squares;
  const residuals = sum(lengthsUs, (us, index) => (us - mean - slope * (index - middle)) ** 2);
  return { slope, mean, standardError: Math.sqrt(residuals / (n - 2) / squares), degreesOfFreedom: n - 2 };
}

/** The mean of what neighbouring iterations took, over all orchestrations. */
function groupsOf(each: readonly (readonly FanOut[])[]): Growth["groups"] {
  const longest = Math.max(...each.map(({ length }) => length));
  const size = Math.ceil(longest / MOST_GROUPS);
  return Array.from({ length: Math.ceil(longest / size) }, (_, group) => {
    const from = group * size;
    const members = each.flatMap((fanOuts) => fanOuts.slice(from, from + size));
    return { fromIteration: from, iterations: size, meanMs: meanOf(members.map(lengthOf)) / 1_000 };
  });
}

function standardErrorOf(values: readonly number[]): number {
  const mean = meanOf(values);
  return Math.sqrt(sum(values, (value) => (value - mean) ** 2) / (values.length - 1) / values.length);
}

function quantile(degreesOfFreedom: number): number {
  return studentTQuantile((1 + CONFIDENCE) / 2, degreesOfFreedom);
}

function sum(values: readonly number[], of: (value: number, index: number) => number): number {
  return values.reduce((total, value, index) => total + of(value, index), 0);
}
