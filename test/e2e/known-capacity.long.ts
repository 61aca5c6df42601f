import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { capacitySchema, type CapacityResult } from "../../src/result/capacity-schema.js";
import { capacityOf } from "../support/capacity/queue-theory.js";
import { Workplace } from "../support/e2e/workplace.js";
import { DelayServerProcess, type DelayServerFlags } from "../support/load/delay-server-process.js";

const SMALL = "--iterations 1 --parallel-activities 1";

async function searchAt(flags: string, server: DelayServerFlags): Promise<CapacityResult> {
  const place = await Workplace.open();
  const { connectionString } = await DelayServerProcess.start(server);
  const command = `capacity ${flags} ${SMALL} --max-actions 10M --json a.json --connection-string`;
  const { code, stderr } = await place.start(command, connectionString).ended;
  expect({ code, stderr }).toMatchObject({ code: 0 });
  return capacitySchema.parse(JSON.parse(await readFile(join(place.folder, "a.json"), "utf8")));
}

test.each([
  [20, 20, 0.9, 0.2],
  [40, 10, 0.9, 0.25],
])(
  "a queue of %d servers of %d/s each: the analytic capacity for quantile %d below %d s within a twentieth",
  async (...known) => {
    const [servers, servicePerSecond, quantile, seconds] = known;
    const capacity = capacityOf({ servers, servicePerSecond }, quantile, seconds);
    const answer = await searchAt(`--slo p${quantile * 100}<${seconds}s --arrival poisson`, {
      delay: `exp:${1_000 / servicePerSecond}ms`,
      servers,
    });
    expect(Math.abs(answer.held! / capacity - 1)).toBeLessThan(0.05);
    expect(answer.durationMs).toBeLessThan(300_000);
  },
);

test("a cliff is found within 3 %", async () => {
  const answer = await searchAt("--slo errors<1% --slo p50<5s --precision 3%", { delay: "constant:50ms", cliff: 150 });
  expect(Math.abs(answer.held! / 150 - 1)).toBeLessThan(0.03);
});

test("on the emulator a run at 0.9 of the answer holds, and one at 1.2 of it does not", async () => {
  const place = await Workplace.open();
  // Ten slots of 100 ms carry at most 100/s. The cores of the machine carry more: what they do meanwhile decides nothing.
  const worker = place.start("worker --port 0 --max-concurrent-activities 10");
  await worker.says(/Connected to/u);
  const slo = "p90<1s";
  const load = `--workers 0 ${SMALL} --activity-duration 100ms`;
  const { code, stderr } = await place.start(`capacity --slo ${slo} ${load} --json a.json`).ended;
  expect({ code, stderr }).toMatchObject({ code: 0 });
  const { held, missed } = capacitySchema.parse(JSON.parse(await readFile(join(place.folder, "a.json"), "utf8")));
  expect(held).toBeLessThan(100);
  expect(missed).toBeGreaterThan(held!);
  const runAt = (share: number) =>
    place.start(
      `run --rate ${(share * held!).toPrecision(4)}/s --duration 30s --warmup 5s ${load} --threshold ${slo} --allow-invalid`,
    ).ended;
  expect(await runAt(0.9)).toMatchObject({ code: 0 });
  expect(await runAt(1.2)).toMatchObject({ code: 99 });
});
