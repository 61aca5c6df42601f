import { expect, test } from "vitest";
import { canSeeProcesses, generatorsOf } from "../support/e2e/process-table.js";
import { Workplace } from "../support/e2e/workplace.js";

test.skipIf(!canSeeProcesses)("a generator that hangs is killed, and ends the run", async () => {
  const place = await Workplace.open();
  const run = place.start(
    "run --generators 2 --workers 1 --iterations 1000 --parallel-activities 2 --parallel-orchestrations 4 --activity-duration 200ms",
  );
  await run.says(/^\d+ s: 0 of 4 orchestrations, [1-9]/mu);
  process.kill(generatorsOf(run.pid)[0]!, "SIGSTOP");
  const { code, stderr } = await run.ended;
  expect(code).toBe(1);
  expect(stderr).toMatch(/^error: generator [12] of 2 hung for 30 s \(pid \d+\) and was killed$/mu);
  expect(await place.runningEmulator()).toMatchObject({ inFlight: 0 });
});
