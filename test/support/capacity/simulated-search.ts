import {
  findingsOf,
  nextStep,
  type Findings,
  type ProbedLevel,
  type SearchBounds,
} from "../../../src/capacity/search.js";
import type { Queue } from "./queue-theory.js";

/** Whether a backend holds the objective at a level. `probes` counts those before. */
export type SimulatedBackend = (
  level: number,
  probe: { readonly resolution: number; readonly probes: number },
) => ProbedLevel["outcome"];

export interface SearchRecord {
  readonly probes: readonly ProbedLevel[];
  readonly findings: Findings;
}

export function simulatedSearch(bounds: SearchBounds, backend: SimulatedBackend): SearchRecord {
  const probes: ProbedLevel[] = [];
  for (;;) {
    const step = nextStep(bounds, probes);
    if (step.kind === "done") return { probes, findings: findingsOf(bounds, probes) };
    const { level, resolution } = step;
    probes.push({ level, outcome: backend(level, { resolution, probes: probes.length }) });
    if (probes.length > 100) throw new Error("Expected the search to end.");
  }
}

/** Numbers in [0, 1): mulberry32, https://github.com/bryc/code/blob/master/jshash/PRNGs.md */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d_2b_79_f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Holds up to a rate. */
export function cliff(capacity: number): SimulatedBackend {
  return (level) => (level <= capacity ? "held" : "missed");
}

/** A cliff, with an error of the rate that is normal on the logarithm. */
export function noisyCliff(capacity: number, sigma: number, random: () => number): SimulatedBackend {
  return (level) => {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    return level * Math.exp(sigma * normal) <= capacity ? "held" : "missed";
  };
}

export interface QueueProbe {
  readonly queue: Queue;
  readonly percentile: number;
  readonly seconds: number;
  /** The number of arrivals before the measurement. */
  readonly warmup: number;
  /** The number in it, by the rate and by what the probe has to tell apart. */
  readonly arrivals: (perSecond: number, resolution: number) => number;
}

/** A probe that plays the queue: the percentile of its sample decides, with the noise of the sample. */
export function simulatedQueue(probe: QueueProbe, random: () => number): SimulatedBackend {
  const { queue, percentile, seconds, warmup } = probe;
  return (perSecond, { resolution }) => {
    const arrivals = probe.arrivals(perSecond, resolution);
    const free = new Float64Array(queue.servers);
    let [nowS, slow] = [0, 0];
    for (let arrival = 0; arrival < warmup + arrivals; arrival += 1) {
      nowS -= Math.log(1 - random()) / perSecond;
      let first = 0;
      for (let server = 1; server < free.length; server += 1) if (free[server]! < free[first]!) first = server;
      free[first] = Math.max(nowS, free[first]!) - Math.log(1 - random()) / queue.servicePerSecond;
      if (arrival >= warmup && free[first]! - nowS > seconds) slow += 1;
    }
    return slow <= (1 - percentile) * arrivals ? "held" : "missed";
  };
}
