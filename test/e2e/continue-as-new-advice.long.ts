import { expect, test } from "vitest";
import { parseRunResult, type FanOutResult } from "../support/e2e/checked-result.js";
import { Workplace } from "../support/e2e/workplace.js";

test("the advice of continue-as-new saves what it says, within 25 %", async () => {
  const place = await Workplace.open();
  const load = "--workers 1 --parallel-orchestrations 4 --iterations 300 --parallel-activities 5 --replay always";
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
  expect(after.counts.actions).toBe(before.counts.actions! + 2 * actions);
});
