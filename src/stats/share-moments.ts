import type { MomentsTally, PhaseTime } from "../result/run-result.js";
import { meanOf } from "./mean.js";
import { studentTQuantile } from "./student-t.js";

const CONFIDENCE = 0.95;

/** Of the times of a phase in each orchestration, and the whole times of the same ones, of which there is at least one. */
export function momentsOf(phaseUs: readonly number[], wholeUs: readonly number[]): MomentsTally {
  const [meanPhaseUs, meanWholeUs] = [meanOf(phaseUs), meanOf(wholeUs)];
  const moments = { phaseSquares: 0, wholeSquares: 0, products: 0 };
  for (const [index, us] of phaseUs.entries()) {
    const [phase, whole] = [us - meanPhaseUs, wholeUs[index]! - meanWholeUs];
    moments.phaseSquares += phase ** 2;
    moments.wholeSquares += whole ** 2;
    moments.products += phase * whole;
  }
  return { count: phaseUs.length, meanWholeUs, meanPhaseUs, ...moments };
}

/** The same whole times, of which a phase has no part. */
export function withoutPhase(moments: MomentsTally): MomentsTally {
  return { ...moments, meanPhaseUs: 0, phaseSquares: 0, products: 0 };
}

/** Of the orchestrations of both, as Chan, Golub and LeVeque do: see `LatencyDrift.absorb`. */
export function bothMoments(one: MomentsTally, other: MomentsTally): MomentsTally {
  const count = one.count + other.count;
  const share = other.count / count;
  const weight = one.count * share;
  const phase = other.meanPhaseUs - one.meanPhaseUs;
  const whole = other.meanWholeUs - one.meanWholeUs;
  return {
    count,
    meanWholeUs: one.meanWholeUs + whole * share,
    meanPhaseUs: one.meanPhaseUs + phase * share,
    wholeSquares: one.wholeSquares + other.wholeSquares + whole ** 2 * weight,
    phaseSquares: one.phaseSquares + other.phaseSquares + phase ** 2 * weight,
    products: one.products + other.products + phase * whole * weight,
  };
}

/**
 * The share of the whole: mean of the phase over mean of the whole. Its interval is that of a ratio of means: with the
 * residuals d_i = x_i - share w_i, share ± t s_d / (sqrt(n) mean(w)), t of n - 1 degrees of freedom (Cochran, Sampling
 * Techniques, 3rd edition, 6.3). One instance has none.
 */
export function shareOf(moments: MomentsTally): Pick<PhaseTime, "share" | "shareInterval"> {
  const { count: n, meanWholeUs: whole, phaseSquares, wholeSquares, products } = moments;
  if (whole === 0) return { share: 0 };
  const share = moments.meanPhaseUs / whole;
  if (n < 2) return { share };
  // The residuals have a mean of 0. Rounding may leave a little less than none.
  const squares = Math.max(0, phaseSquares - 2 * share * products + share ** 2 * wholeSquares);
  const halfWidth = (studentTQuantile((1 + CONFIDENCE) / 2, n - 1) * Math.sqrt(squares / (n - 1) / n)) / whole;
  return { share, shareInterval: { from: Math.max(0, share - halfWidth), to: Math.min(1, share + halfWidth) } };
}
