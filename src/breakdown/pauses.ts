import type { WorkerPause } from "../result/run-result.js";
import { sumOf } from "../stats/sums.js";

/** What is shorter is no news. */
const LEAST_US = 250_000;
const LOG_ALPHA = Math.log(0.001);

/** By the backend's clock, microseconds since the epoch. */
export interface Execution {
  readonly startedUs: number;
  readonly finishedUs: number;
}

/** A time in which a worker had activities in hand, and neither started nor finished one. */
interface Silence extends Execution {
  /** Activities that were executed throughout it. */
  readonly inHand: number;
  /** What these took in all. */
  readonly inHandUs: number;
}

/** A silence that the activities in hand do not explain at a moment that something else chose. */
interface UnlikelySilence extends Silence {
  /** The logarithm of a bound of the probability that all of them outlast it. */
  readonly logP: number;
}

/**
 * The longest pause of each worker that had one, such as a process that was stopped: a silence that its activities do not
 * explain. Activities are taken as independent. Of those that are in hand at a moment, the share that takes at least so long
 * is at most the share of such executions in the time of all (long ones are met more often than short ones). To the power of
 * `inHand` it bounds the probability that all of them outlast the silence, for each of the moments at which one can begin
 * (Bonferroni). If another worker was silent for half of it, and its activities do not explain that either, the machine or
 * the backend paused. Of the other worker one moment is asked about, so its probability needs no correction.
 */
export function pausesOf(workers: ReadonlyMap<string, readonly Execution[]>): ReadonlyMap<string, WorkerPause> {
  const lengths = [...workers.values()]
    .flat()
    .map(lengthOf)
    .toSorted((a, b) => b - a);
  const corrected = LOG_ALPHA - Math.log(2 * lengths.length);
  const silences = [...workers].map(([workerId, executions]) => ({
    workerId,
    own: unlikely(silencesOf(executions), lengths),
  }));
  return new Map(
    silences.flatMap(({ workerId, own }) => {
      const others = silences.filter((other) => other.workerId !== workerId).map((other) => other.own);
      const longest = own.find(
        (silence) => silence.logP < corrected && !others.some((other) => other.some(sharing(silence))),
      );
      return longest ? [[workerId, pauseOf(longest)] as const] : [];
    }),
  );
}

function silencesOf(executions: readonly Execution[]): readonly Silence[] {
  const moments = executions
    .flatMap((execution) => [
      { us: execution.startedUs, taken: 1, lengthUs: lengthOf(execution) },
      { us: execution.finishedUs, taken: -1, lengthUs: -lengthOf(execution) },
    ])
    .toSorted((a, b) => a.us - b.us);
  const silences: Silence[] = [];
  let [inHand, inHandUs] = [0, 0];
  for (const [index, { us: startedUs, taken, lengthUs }] of moments.entries()) {
    inHand += taken;
    inHandUs += lengthUs;
    const finishedUs = moments[index + 1]?.us ?? startedUs;
    if (inHand > 0 && finishedUs - startedUs >= LEAST_US) silences.push({ startedUs, finishedUs, inHand, inHandUs });
  }
  return silences;
}

/** The longest first; `lengths` are those of all executions, the longest first too. */
function unlikely(silences: readonly Silence[], lengths: readonly number[]): readonly UnlikelySilence[] {
  const wholeUs = sumOf(lengths, (us) => us);
  let [longer, longerUs] = [0, 0];
  return silences
    .toSorted((a, b) => lengthOf(b) - lengthOf(a))
    .flatMap((silence) => {
      const us = lengthOf(silence);
      for (; lengths[longer]! >= us; longer += 1) longerUs += lengths[longer]!;
      const { inHand, inHandUs } = silence;
      // One more, since what was not seen is not impossible.
      const share = (longerUs - inHandUs + us) / (wholeUs - inHandUs + us);
      const logP = inHand * Math.log(share);
      return logP < LOG_ALPHA ? [{ ...silence, logP }] : [];
    });
}

function sharing(silence: Silence): (other: Silence) => boolean {
  return ({ startedUs, finishedUs }) =>
    Math.min(finishedUs, silence.finishedUs) - Math.max(startedUs, silence.startedUs) > lengthOf(silence) / 2;
}

function lengthOf({ startedUs, finishedUs }: Execution): number {
  return finishedUs - startedUs;
}

function pauseOf(silence: Silence): WorkerPause {
  return {
    at: new Date(silence.startedUs / 1_000).toISOString(),
    lengthMs: lengthOf(silence) / 1_000,
    inHand: silence.inHand,
  };
}
