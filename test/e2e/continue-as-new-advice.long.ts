import { expect, test } from "vitest";
import { parseRunResult, type FanOutResult } from "../support/e2e/checked-result.js";
import { Workplace } from "../support/e2e/workplace.js";

test("the advice of continue-as-new saves what it says, within 25 %", async () => {
  const place = await Workplace.open();
  await place.start("worker --port 0 --replay always").says(/Connected to/u);
  // A worker that has executed nothing yet takes several times as long for its first iterations.
  await place.succeed("run --workers 0 --parallel-orchestrations 4 --iterations 40");
  const load = "--workers 0 --parallel-orchestrations 4 --iterations 300 --parallel-activities 5";
  const run = async (more: string): Promise<FanOutResult> => {
    const { stdout } = await place.succeed(`run --json --allow-invalid --trace-sample 1 ${load}${more}`);
    return parseRunResult(stdout);
  };
  const before = await run("");
  const { every, savedMs, actions } = before.fanIn!.growth!.continueAsNew!;
  const after = await run(` --continue-as-new-every ${every}`);
  const reallySavedMs = before.breakdown!.wholeMs! - after.breakdown!.wholeMs!;
  expect(savedMs / reallySavedMs).toBeGreaterThan(0.75);
  expect(savedMs / reallySavedMs).toBeLessThan(1.25);
  expect(after.counts.actions).toBe(before.counts.actions! + 4 * actions);
});
