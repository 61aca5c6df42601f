import { describe, expect, test } from "vitest";
import { z } from "zod";
import { UsageError } from "../../../src/errors.js";
import { readFlags } from "../../../src/plan/flag-values.js";
import { workloadFlags, workloadOf } from "../../../src/plan/workload-flags.js";

function parse(flags: Record<string, string>) {
  return workloadOf(readFlags(z.object(workloadFlags), { iterations: "2", parallelActivities: "3", ...flags }));
}

describe("what the orchestrations of a run do", () => {
  test.each<[Record<string, string>, object]>([
    [{}, {}],
    [
      { activityDuration: "exp:20ms", seed: "7" },
      { activity: { duration: { kind: "exponential", meanMs: 20 }, seed: 7 } },
    ],
    [{ inputBytes: "1,000", outputBytes: "64k" }, { activity: { inputBytes: 1_000, outputBytes: 64_000 } }],
    [{ failureRate: "1%", retries: "3" }, { activity: { failureRate: 0.01, retries: 3 } }],
    [{ failureRate: ".5" }, { activity: { failureRate: 0.5 } }],
    [{ failureRate: "0" }, { activity: { failureRate: 0 } }],
    [{ continueAsNewEvery: "10" }, { continueAsNewEvery: 10 }],
    [{ subOrchestrations: "3" }, { subOrchestrations: 3 }],
    [{ timer: "100ms" }, { timer: { duration: { kind: "constant", ms: 100 } } }],
    [
      { timer: "exp:20ms", seed: "7" },
      { timer: { duration: { kind: "exponential", meanMs: 20 }, seed: 7 }, activity: { seed: 7 } },
    ],
  ])("%j is %j", (flags, workload) => {
    expect(parse(flags)).toEqual({ iterations: 2, parallelActivities: 3, ...workload });
  });

  test.each<[Record<string, string>, string]>([
    [
      { activityDuration: "fast" },
      "--activity-duration: expected a duration such as 50ms, uniform:10ms-90ms or exp:50ms",
    ],
    [{ seed: "-1" }, '--seed: expected a whole number such as 10, 1,000 or 10k, found "-1"'],
    [{ inputBytes: "11MB" }, '--input-bytes: expected at most 10 MB, found "11MB"'],
    [{ outputBytes: "many" }, "--output-bytes: expected bytes such as 1000, 64k, 2MB or 1MiB, found"],
    [{ failureRate: "101%" }, '--failure-rate: expected a share from 0 to 1 such as 0.01 or 1%, found "101%"'],
    [{ failureRate: "often" }, '--failure-rate: expected a share from 0 to 1 such as 0.01 or 1%, found "often"'],
    [{ retries: "1.5" }, "--retries: expected a whole number"],
    [
      { subOrchestrations: "4" },
      "--sub-orchestrations: expected at most one for each of the 3 parallel activities, found 4",
    ],
    [{ subOrchestrations: "0" }, '--sub-orchestrations: expected at least 1, found "0"'],
    [{ timer: "soon" }, '--timer: expected a duration such as 50ms, uniform:10ms-90ms or exp:50ms, found "soon"'],
    [{ continueAsNewEvery: "0" }, '--continue-as-new-every: expected at least 1, found "0"'],
  ])("%j is refused by the flag's name", (flags, message) => {
    expect(() => parse(flags)).toThrow(UsageError);
    expect(() => parse(flags)).toThrow(message);
  });
});
