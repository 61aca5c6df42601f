import type { RunResult } from "../../../src/result/run-result.js";
import { sampleResult } from "./sample-result.js";

/** What a run is to have measured: activities per second, and the response time in milliseconds. */
export interface RunFigures {
  readonly rate: number;
  readonly p50?: number;
  readonly p99?: number;
}

/** Runs that went well, `NAME1`, `NAME2`, ..., with these figures. */
export function runsOf(name: string, figures: readonly RunFigures[]): readonly RunResult[] {
  return figures.map(({ rate, ...percentiles }, index) => ({
    ...sampleResult,
    runId: `${name}${index + 1}`,
    throughput: { orchestrationsPerSecond: rate / 100, activitiesPerSecond: rate, actionsPerSecond: rate * 2.01 },
    latencyMs: { response: { count: 1_000, mean: 6_000, max: 12_300, ...percentiles } },
  }));
}

/** Five runs around these figures, a few percent apart. */
export function fiveRunsOf(name: string, { rate, p50 = 6_000, p99 = 11_000 }: RunFigures): readonly RunResult[] {
  const noise = [1, 0.98, 1.03, 1.01, 0.97];
  return runsOf(
    name,
    noise.map((factor) => ({ rate: rate * factor, p50: p50 / factor, p99: p99 / factor ** 1.5 })),
  );
}
