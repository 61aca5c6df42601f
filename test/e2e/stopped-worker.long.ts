import { setTimeout } from "node:timers/promises";
import { expect, test } from "vitest";
import { parseRunResult } from "../support/e2e/checked-result.js";
import { Workplace } from "../support/e2e/workplace.js";

test("a worker that was stopped for a second is named", async () => {
  const place = await Workplace.open();
  const workers = await Promise.all(
    [1, 2].map(async () => {
      const worker = place.start("worker --port 0");
      await worker.says(/Connected to/u);
      return worker;
    }),
  );
  const load = "--parallel-orchestrations 40 --iterations 25 --parallel-activities 2 --activity-duration 100ms";
  const run = place.start(`run --workers 0 --json --trace-sample 1 --allow-invalid ${load}`);
  await run.says(/40 orchestrations x/u);
  // The first activities take their time, and the last ones come after 2.5 s.
  await setTimeout(700);
  workers[1]!.kill("SIGSTOP");
  await setTimeout(1_000);
  workers[1]!.kill("SIGCONT");
  const { stdout } = await run.ended;
  const { workers: told = [], breakdown } = parseRunResult(stdout);
  expect(breakdown?.orchestrations.traced).toBe(40);
  expect(told).toHaveLength(2);
  const paused = told.flatMap(({ workerId, pause }) => (pause ? { workerId, pause } : []));
  expect(paused.map(({ workerId }) => workerId)).toEqual([
    expect.stringMatching(new RegExp(`-${workers[1]!.pid}$`, "u")),
  ]);
  expect(paused[0]!.pause.lengthMs).toBeGreaterThan(900);
});
