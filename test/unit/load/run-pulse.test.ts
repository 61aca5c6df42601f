import { expect, test } from "vitest";
import { RunPulse } from "../../../src/load/run-pulse.js";
import { Recorder } from "../../../src/stats/recorder.js";
import { sampleResult } from "../../support/report/sample-result.js";

test("a run counts only the RPC errors of the backend since the run began", () => {
  const recorder = new Recorder({ plan: sampleResult.plan, activitySource: "completions" });
  const start: Record<string, number> = { UNAVAILABLE: 3 };
  const rpcErrors: Record<string, Record<string, number>> = { StartInstance: start };
  const pulse = new RunPulse({
    recorder,
    clock: () => 0,
    rpcErrors: () => rpcErrors,
    onLine: () => {},
    onBeat: () => {},
  });
  start["UNAVAILABLE"] = 5;
  rpcErrors["GetInstance"] = { INTERNAL: 1, UNAVAILABLE: 2 };
  pulse.stop();
  expect(recorder.snapshot(0).own.rpcErrors).toEqual({ UNAVAILABLE: 4, INTERNAL: 1 });
});
