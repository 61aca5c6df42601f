import { meanOf } from "./mean.js";
import { studentTCdf, studentTQuantile } from "./student-t.js";

/** Means of the same logarithms may differ by this much, because of rounding. */
const ROUNDING = 1e-12;

/** The difference of the logarithms of a figure on two sides, and the noise between the runs of each side. */
export interface LogRatio {
  /** The mean of the logarithms of the fresh side minus that of the base. */
  readonly difference: number;
  readonly standardError: number;
  readonly degreesOfFreedom: number;
}

/**
 * Welch's test for two samples of unequal variance, on logarithms: both a slowdown and noise multiply.
 * B. L. Welch, "The generalization of 'Student's' problem when several different population variances are involved",
 * Biometrika 34 (1947). Undefined if a side has fewer than two values, because its noise is unknown.
 */
export function logRatioOf(base: readonly number[], fresh: readonly number[]): LogRatio | undefined {
  if (base.length < 2 || fresh.length < 2) return undefined;
  const [before, after] = [logMoments(base), logMoments(fresh)];
  const variance = before.squaredError + after.squaredError;
  const spread = before.squaredError ** 2 / (base.length - 1) + after.squaredError ** 2 / (fresh.length - 1);
  return {
    difference: after.mean - before.mean,
    standardError: Math.sqrt(variance),
    // Without any variance it is undefined, and nothing depends on it.
    degreesOfFreedom: spread === 0 ? base.length + fresh.length - 2 : variance ** 2 / spread,
  };
}

/** exp of the mean of the logarithms. The numbers must be positive. */
export function geometricMean(values: readonly number[]): number {
  return Math.exp(logMoments(values).mean);
}

/** The interval of the ratio fresh / base at this confidence. */
export function ratioInterval(logRatio: LogRatio, confidence: number): readonly [low: number, high: number] {
  const { difference, standardError, degreesOfFreedom } = logRatio;
  const margin = standardError * studentTQuantile((1 + confidence) / 2, degreesOfFreedom);
  // JSON has no Infinity.
  return [Math.exp(difference - margin), Math.min(Math.exp(difference + margin), Number.MAX_VALUE)];
}

/**
 * The p value of "the ratio lies between 1 / (1 + noise) and 1 + noise". It is below 1 - confidence exactly if
 * `ratioInterval` of that confidence lies beyond one of the two.
 */
export function pOfWithin(logRatio: LogRatio, noise: number): number {
  const { difference, standardError, degreesOfFreedom } = logRatio;
  const beyond = Math.abs(difference) - Math.log1p(noise);
  if (beyond <= ROUNDING) return 1;
  return standardError === 0 ? 0 : 2 * studentTCdf(-beyond / standardError, degreesOfFreedom);
}

function logMoments(values: readonly number[]): { readonly mean: number; readonly squaredError: number } {
  const logs = values.map(Math.log);
  const mean = meanOf(logs);
  const squares = logs.reduce((sum, log) => sum + (log - mean) ** 2, 0);
  return { mean, squaredError: squares / (logs.length - 1) / logs.length };
}
