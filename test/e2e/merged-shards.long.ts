import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { parseResult } from "../../src/result/read-result.js";
import type { LatencySummary, RunResult } from "../../src/result/run-result.js";
import { Workplace } from "../support/e2e/workplace.js";
import { DelayServerProcess } from "../support/load/delay-server-process.js";

/** The n-th start has the same delay on each server, and the schedule has the same starts: about 2,000. */
const LOAD =
  "--rate 100/s --arrival poisson --seed 7 --warmup 5s --duration 20s --iterations 1 --parallel-activities 1 --workers 0 --max-actions 1M --allow-invalid";
const DELAY = "exp:200ms";
/** Three significant digits of a microsecond. */
const HISTOGRAM_ERROR = 1e-3;
/**
 * What two runs of one generator differ by: when a timer of the server fires, when a call arrives, and which of two
 * starts that are a moment apart is the n-th one.
 */
const NOISE_MS = 10;

async function resultIn(place: Workplace, file: string): Promise<RunResult> {
  return parseResult(await readFile(join(place.folder, file), "utf8"), file);
}

async function succeed(place: Workplace, lines: readonly string[]): Promise<void> {
  const { connectionString } = await DelayServerProcess.start({ delay: DELAY });
  const runs = lines.map((line) => place.start(`${line} --connection-string`, connectionString));
  for (const { code, stderr } of await Promise.all(runs.map(({ ended }) => ended)))
    expect({ code, stderr }).toMatchObject({ code: 0 });
}

function expectAlike(found: LatencySummary | undefined, expected: LatencySummary | undefined): void {
  expect(found?.count).toBe(expected!.count);
  for (const name of ["mean", "p50", "p90", "p95", "p99"] as const) {
    const [value, wanted] = [found![name]!, expected![name]!];
    expect(Math.abs(value - wanted), `${name}: ${value} beside ${wanted}`).toBeLessThanOrEqual(
      NOISE_MS + wanted * HISTOGRAM_ERROR,
    );
  }
}

test("two shards and their merge, and two generators, give the figures of one generator on the same schedule", async () => {
  const place = await Workplace.open();
  await succeed(place, [`run ${LOAD} --json one.json`]);
  const startAt = new Date(Date.now() + 8_000).toISOString();
  const shard = `run ${LOAD} --run-id sharded --start-at ${startAt}`;
  await succeed(place, [`${shard} --shard 1/2 --json 1.json`, `${shard} --shard 2/2 --json 2.json`]);
  await place.succeed("merge 1.json 2.json --json merged.json --allow-invalid");
  await succeed(place, [`run ${LOAD} --generators 2 --json two.json`]);
  const one = await resultIn(place, "one.json");
  const { orchestrations, planned, warmup, actions } = one.counts;
  expect(orchestrations.completed).toBe(planned);
  for (const file of ["merged.json", "two.json"]) {
    const found = await resultIn(place, file);
    expect(found.counts).toMatchObject({ orchestrations, planned, warmup, actions });
    expect(found.recount).toMatchObject({ instances: planned, lost: { total: 0 }, unexpected: { total: 0 } });
    expectAlike(found.latencyMs.response, one.latencyMs.response);
    expectAlike(found.latencyMs.service, one.latencyMs.service);
    expectAlike(found.latencyMs.server, one.latencyMs.server);
    const [rate, wanted] = [found, one].map(({ throughput }) => throughput!.orchestrationsPerSecond);
    expect(Math.abs(rate! / wanted! - 1)).toBeLessThan(0.02);
  }
});
