import type { Scalability } from "../result/capacity-schema.js";
import { studentTQuantile } from "../stats/student-t.js";

/** The throughput at one number in flight. */
export interface ScalabilityPoint {
  readonly level: number;
  readonly perSecond: number;
}

/** Three coefficients, and two points more than they can pass through. */
const LEAST_LEVELS = 5;
/** A fit that is further off than this, or explains less, is not told. */
const MOST_RESIDUAL = 0.15;
const LEAST_R_SQUARED = 0.95;
const CONFIDENCE = 0.95;

type Row = readonly number[];

/**
 * The Universal Scalability Law, X(N) = g N / (1 + s (N - 1) + k N (N - 1)), with g the throughput of one, s the
 * contention and k the coherency. It is linear in its form N / X = 1/g + (s/g) (N - 1) + (k/g) N (N - 1), whose least
 * squares are weighted with (X / N)^2, so that residuals are relative. A coefficient below 0 has no meaning and is 0. The
 * intervals of s and k follow from the covariance of the coefficients (delta method, Student's t).
 *
 * N. J. Gunther, Guerrilla Capacity Planning, Springer 2007, sections 4.4 and 5.5;
 * https://arxiv.org/abs/0808.1431
 *
 * Undefined where fewer than five levels were measured, or where the law does not explain the points: R^2 below 0.95, or
 * a point more than 15 % away.
 */
export function scalabilityOf(points: readonly ScalabilityPoint[]): Scalability | undefined {
  const usable = points.filter(({ level, perSecond }) => level > 0 && perSecond > 0);
  if (new Set(usable.map(({ level }) => level)).size < LEAST_LEVELS) return undefined;
  const fit = positiveFit(usable);
  if (!fit) return undefined;
  const at = (level: number): number => level / dot(fit.coefficients, termsOf(level));
  const residuals = usable.map(({ level, perSecond }) => perSecond / at(level) - 1);
  const largestResidual = Math.max(...residuals.map(Math.abs));
  const rSquared = explainedBy(at, usable);
  if (!(largestResidual <= MOST_RESIDUAL && rSquared >= LEAST_R_SQUARED)) return undefined;

  const [a = 0, b = 0, c = 0] = fit.coefficients;
  const [contention, coherency] = [b / a, c / a];
  const t = studentTQuantile(1 - (1 - CONFIDENCE) / 2, usable.length - fit.free);
  // The gradients of 1/a, b/a and c/a.
  const interval = (value: number, gradient: Row) => {
    const spread = t * Math.sqrt(Math.max(0, dot(gradient, times(fit.covariance, gradient))));
    return { value, low: Math.max(0, value - spread), high: value + spread };
  };
  const peak = peakOf(contention, coherency);
  return {
    perSecondOfOne: interval(1 / a, [-1 / a ** 2, 0, 0]),
    contention: interval(contention, [-b / a ** 2, 1 / a, 0]),
    coherency: interval(coherency, [-c / a ** 2, 0, 1 / a]),
    rSquared,
    largestResidual,
    ...(peak !== undefined && { peak: { level: peak, perSecond: at(peak) } }),
  };
}

function termsOf(level: number): Row {
  return [1, level - 1, level * (level - 1)];
}

/** N* = sqrt((1 - s) / k). */
function peakOf(contention: number, coherency: number): number | undefined {
  return coherency > 0 && contention < 1 ? Math.sqrt((1 - contention) / coherency) : undefined;
}

function explainedBy(at: (level: number) => number, points: readonly ScalabilityPoint[]): number {
  const mean = points.reduce((sum, { perSecond }) => sum + perSecond, 0) / points.length;
  const total = points.reduce((sum, { perSecond }) => sum + (perSecond - mean) ** 2, 0);
  const left = points.reduce((sum, { level, perSecond }) => sum + (perSecond - at(level)) ** 2, 0);
  return total > 0 ? 1 - left / total : 0;
}

interface Fit {
  readonly coefficients: Row;
  readonly covariance: readonly Row[];
  /** The number of coefficients that were fitted. */
  readonly free: number;
}

/** The best of the fits without some of the coefficients that has none below 0. */
function positiveFit(points: readonly ScalabilityPoint[]): Fit | undefined {
  const fits = [[0, 1, 2], [0, 1], [0, 2], [0]].flatMap((terms) => leastSquares(points, terms) ?? []);
  return fits
    .filter(({ coefficients: [a = 0, ...rest] }) => a > 0 && rest.every((coefficient) => coefficient >= 0))
    .toSorted((one, other) => one.error - other.error)[0];
}

function leastSquares(points: readonly ScalabilityPoint[], terms: readonly number[]) {
  const rows = points.map(({ level, perSecond }) => {
    const weight = perSecond / level;
    const all = termsOf(level);
    return { xs: terms.map((term) => all[term]! * weight), y: (level / perSecond) * weight };
  });
  const normal = terms.map((_, i) => terms.map((_, j) => sum(rows, ({ xs }) => xs[i]! * xs[j]!)));
  const inverse = inverseOf(normal);
  if (!inverse) return undefined;
  const fitted = times(
    inverse,
    terms.map((_, i) => sum(rows, ({ xs, y }) => xs[i]! * y)),
  );
  const error = sum(rows, ({ xs, y }) => (y - dot(xs, fitted)) ** 2);
  const variance = error / Math.max(1, points.length - terms.length);
  const spread = (term: number): number => terms.indexOf(term);
  const coefficients = [0, 1, 2].map((term) => fitted[spread(term)] ?? 0);
  const covariance = [0, 1, 2].map((i) => [0, 1, 2].map((j) => (inverse[spread(i)]?.[spread(j)] ?? 0) * variance));
  return { coefficients, covariance, free: terms.length, error };
}

/** By Gauss and Jordan, with the largest pivot; undefined if there is none. */
function inverseOf(matrix: readonly Row[]): readonly Row[] | undefined {
  const size = matrix.length;
  const work = matrix.map((row, i) => [...row, ...Array.from({ length: size }, (_, j) => (i === j ? 1 : 0))]);
  for (let column = 0; column < size; column += 1) {
    let pivot = column;
    for (let row = column; row < size; row += 1)
      if (Math.abs(work[row]![column]!) > Math.abs(work[pivot]![column]!)) pivot = row;
    [work[column], work[pivot]] = [work[pivot]!, work[column]!];
    const divisor = work[column]![column]!;
    if (!(Math.abs(divisor) > 0)) return undefined;
    work[column] = work[column]!.map((value) => value / divisor);
    for (let row = 0; row < size; row += 1) {
      const factor = work[row]![column]!;
      if (row !== column) work[row] = work[row]!.map((value, index) => value - factor * work[column]![index]!);
    }
  }
  return work.map((row) => row.slice(size));
}

function times(matrix: readonly Row[], vector: Row): Row {
  return matrix.map((row) => dot(row, vector));
}

function dot(left: Row, right: Row): number {
  return left.reduce((sum, value, index) => sum + value * (right[index] ?? 0), 0);
}

function sum<T>(items: readonly T[], valueOf: (item: T) => number): number {
  return items.reduce((total, item) => total + valueOf(item), 0);
}
