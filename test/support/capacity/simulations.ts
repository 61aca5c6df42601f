import { probeLengthMs } from "../../../src/capacity/probe-length.js";
import type { SearchBounds } from "../../../src/capacity/search.js";
import { parseThreshold } from "../../../src/stats/threshold.js";
import { capacityOf } from "./queue-theory.js";
import {
  cliff,
  noisyCliff,
  randomOf,
  simulatedQueue,
  simulatedSearch,
  type SimulatedBackend,
} from "./simulated-search.js";

const PRECISION = 0.05;

interface Simulation {
  readonly name: string;
  readonly capacity: number;
  readonly backend: (random: () => number) => SimulatedBackend;
}

export const SIMULATIONS: readonly Simulation[] = [
  { name: "a cliff", capacity: 137, backend: () => cliff(137) },
  { name: "a cliff with noise of 2 %", capacity: 137, backend: (random) => noisyCliff(137, 0.02, random) },
  queue(4, 100, 0.99, 0.1),
  queue(10, 40, 0.9, 0.15),
];

function queue(servers: number, servicePerSecond: number, percentile: number, seconds: number): Simulation {
  const queue = { servers, servicePerSecond };
  const objectives = [parseThreshold(`p${percentile * 100}<${seconds}s`)];
  const arrivals = (perSecond: number, resolution: number) =>
    (perSecond * probeLengthMs(objectives, perSecond, resolution)) / 1_000;
  const probe = { queue, percentile, seconds, warmup: 1_000, arrivals };
  return {
    name: `a queue of ${servers} servers with p${percentile * 100} < ${seconds} s`,
    capacity: capacityOf(queue, percentile, seconds),
    backend: (random) => simulatedQueue(probe, random),
  };
}

/**
 * The share of searches whose answer, the highest rate that held, is within the precision; and their mean number of
 * probes. They begin between a quarter of the capacity and all of it.
 */
export function simulatedSearches({ capacity, backend }: Simulation, count: number) {
  const records = Array.from({ length: count }, (_, seed) => {
    const random = randomOf(seed + 1);
    const from = Number((capacity * 2 ** (2 * random() - 2)).toPrecision(4));
    const bounds: SearchBounds = { from, precision: PRECISION, least: 0.01, most: 100_000, whole: false };
    const { probes, findings } = simulatedSearch(bounds, backend(random));
    const answer = findings.held ?? Number.NaN;
    return { probes: probes.length, isWithin: Math.abs(answer / capacity - 1) <= PRECISION };
  });
  return {
    within: records.filter(({ isWithin }) => isWithin).length / count,
    meanProbes: records.reduce((sum, { probes }) => sum + probes, 0) / count,
  };
}
