import { verdictOf } from "../../../src/stats/verdict.js";
import { openLoadOf, queued, runOf, type Measured } from "./run-of-lives.js";
import { draws, exponential, type Draw } from "./simulated-run.js";

export const MINUTE = 60_000;

export function namesOf(result: Measured): readonly string[] {
  return verdictOf(result).reasons.map(({ name }) => name);
}

/** The number of runs with a reason of any of these names. */
export function found(runs: number, names: readonly string[], runOf: (draw: Draw) => Measured): number {
  return Array.from({ length: runs }, (_, seed) => namesOf(runOf(draws(1_000 + seed)))).filter((reasons) =>
    reasons.some((name) => names.includes(name)),
  ).length;
}

export function randomStarts(draw: Draw, perSecond: number, lengthMs: number): readonly number[] {
  const starts: number[] = [];
  for (let ms = exponential(draw, 1_000 / perSecond); ms < lengthMs; ms += exponential(draw, 1_000 / perSecond))
    starts.push(ms);
  return starts;
}

export interface Queue {
  readonly perSecond: number;
  readonly servers: number;
  /** Work that comes, of what can be done. */
  readonly utilisation: number;
  readonly warmupMs?: number;
}

/** Random arrivals, random service times, so many servers: M/M/c. */
export function queueOf(draw: Draw, { perSecond, servers, utilisation, warmupMs = 0 }: Queue): Measured {
  const meanMs = (utilisation * servers * 1_000) / perSecond;
  const starts = randomStarts(draw, perSecond, MINUTE);
  const lives = queued(starts, servers, () => exponential(draw, meanMs));
  return runOf(lives, openLoadOf(perSecond, MINUTE - warmupMs), MINUTE, warmupMs);
}

/** Queues that catch up with what comes. */
export const STABLE: readonly Queue[] = [
  { perSecond: 20, servers: 2, utilisation: 0.5 },
  { perSecond: 20, servers: 2, utilisation: 0.8 },
  { perSecond: 100, servers: 4, utilisation: 0.8 },
  { perSecond: 100, servers: 4, utilisation: 0.9, warmupMs: 10_000 },
  { perSecond: 20, servers: 2, utilisation: 0.95, warmupMs: 10_000 },
];
