import type { Finding } from "../../../src/result/run-result.js";
import { describe, expect, test } from "vitest";
import { uniformAt } from "../../../src/orchestrations/hash-draw.js";
import { compareRuns } from "../../../src/stats/comparison.js";
import { runsOf, type RunFigures } from "../../support/report/compared-runs.js";

const SEED = 6;
const TRIALS = 1_000;
const RUNS = 5;
/** The least of which there is a p99. */
const SAMPLES = 1_000;
/** Within a run: the spread of the logarithms of latencies, and how much of its deviation a sample has of the one before. */
const SPREAD = 0.1;
const CARRY = 0.6;
/** By how much the mean of such a series varies: as that of independent samples does, times what the carrying adds. */
const WITHIN_CV = (SPREAD / Math.sqrt(SAMPLES)) * Math.sqrt((1 + CARRY) / (1 - CARRY));
/** By how much the throughput of runs of the same varies, and what of that is no matter of how long they are. */
const TOTAL_CV = 0.03;
const LEVEL_CV = Math.sqrt(TOTAL_CV ** 2 - WITHIN_CV ** 2);

let drawn = 0;

function uniform(): number {
  drawn += 1;
  return uniformAt(SEED, drawn);
}

/** Two that are standard normal, by Box and Muller. */
function normals(): readonly [number, number] {
  const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
  const angle = 2 * Math.PI * uniform();
  return [radius * Math.cos(angle), radius * Math.sin(angle)];
}

/** A run of closed load: its latencies are lognormal and autocorrelated (AR(1)), on a level that each run has of its own. */
function simulatedRun(): Required<RunFigures> {
  const [first, ofRun] = normals();
  const level = 100 * Math.exp(Math.sqrt(Math.log1p(LEVEL_CV ** 2)) * ofRun);
  const fresh = Math.sqrt(1 - CARRY ** 2);
  const latencies = new Float64Array(SAMPLES);
  let deviation = first;
  for (let index = 0; index < SAMPLES; index += 2) {
    for (const [step, normal] of normals().entries()) {
      deviation = CARRY * deviation + fresh * normal;
      latencies[index + step] = level * Math.exp(SPREAD * deviation);
    }
  }
  const mean = latencies.reduce((sum, ms) => sum + ms, 0) / SAMPLES;
  latencies.sort();
  return { rate: 1e6 / mean, p50: latencies[SAMPLES * 0.5]!, p99: latencies[SAMPLES * 0.99]! };
}

const trials = Array.from({ length: TRIALS }, () => {
  const runs = Array.from({ length: 2 * RUNS }, simulatedRun);
  return { base: runs.slice(0, RUNS), fresh: runs.slice(RUNS) };
});

interface Condition {
  readonly slowdown: number;
  readonly runs?: number;
  readonly noiseThreshold?: number;
}

/** Shares of comparisons that find any figure slower, or any faster. */
function found({ slowdown, runs = RUNS, noiseThreshold = 0.05 }: Condition) {
  const slowed = ({ rate, p50, p99 }: Required<RunFigures>): RunFigures => ({
    rate: rate / slowdown,
    p50: p50 * slowdown,
    p99: p99 * slowdown,
  });
  const findings = trials.map(({ base, fresh }) => {
    const before = runsOf("base", base.slice(0, runs));
    const after = runsOf("new", fresh.slice(0, runs).map(slowed));
    return compareRuns(before, after, { noiseThreshold }).figures.map(({ finding }) => finding);
  });
  const shareWith = (...wanted: readonly Finding[]) =>
    findings.filter((found) => found.some((finding) => wanted.includes(finding))).length / TRIALS;
  return { slower: shareWith("slower"), faster: shareWith("faster"), either: shareWith("slower", "faster") };
}

describe("1,000 simulated comparisons of 5 runs a side, whose throughput varies by 3 %", () => {
  test("find a difference where there is none in at most 5 %", () => {
    expect(found({ slowdown: 1 }).either).toBeLessThanOrEqual(0.05);
  });

  test("also where the noise threshold does not help", () => {
    const { either } = found({ slowdown: 1, noiseThreshold: 0 });
    expect(either).toBeLessThanOrEqual(0.05);
    // What never finds anything would pass the line above.
    expect(either).toBeGreaterThan(0.01);
  });

  test("also where the slowdown is as large as the threshold, no larger", () => {
    expect(found({ slowdown: 1.05 }).either).toBeLessThanOrEqual(0.05);
  });

  test("find a slowdown of 15 % in at least 90 %, and never take it for the opposite", () => {
    const { slower, faster } = found({ slowdown: 1.15 });
    expect(slower).toBeGreaterThanOrEqual(0.9);
    expect(faster).toBe(0);
  });

  test("find it less often with 3 runs a side, without more false findings", () => {
    expect(found({ slowdown: 1.15, runs: 3 }).slower).toBeLessThan(0.7);
    expect(found({ slowdown: 1, runs: 3, noiseThreshold: 0 }).either).toBeLessThanOrEqual(0.05);
  });

  test("vary between runs by the assumed amount", () => {
    const logs = trials.flatMap(({ base }) => base.map(({ rate }) => Math.log(rate)));
    const mean = logs.reduce((sum, log) => sum + log, 0) / logs.length;
    const deviation = Math.sqrt(logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / logs.length);
    expect(deviation / TOTAL_CV).toBeGreaterThan(0.97);
    expect(deviation / TOTAL_CV).toBeLessThan(1.03);
  });
});
