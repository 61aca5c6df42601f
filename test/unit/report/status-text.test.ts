import { describe, expect, test } from "vitest";
import { oneLine } from "../../../src/format/one-line.js";
import { instanceLines, runText, runsText } from "../../../src/report/status-text.js";
import { styleFor } from "../../../src/report/text-style.js";
import {
  NOW_MS,
  failedInstance as failed,
  runningInstance as running,
  sampleRun as run,
} from "../../support/report/sample-status.js";

const plain = styleFor({});
describe("instances in text", () => {
  test("have a line each, in columns, with exactly the reported fields", () => {
    expect(instanceLines([running, failed], NOW_MS, plain)).toBe(
      [
        "r0123456789ab-00000  Running  2026-06-01 12:00:00Z  for 12 s     3 of 10 iterations, 15 activities",
        "order-1              Failed   2026-06-01 12:00:00Z  took 5.80 s                                     TypeError: not today",
      ].join("\n"),
    );
  });

  test("have no gap for a column that nobody has", () => {
    expect(instanceLines([failed], NOW_MS, plain)).toBe(
      "order-1  Failed  2026-06-01 12:00:00Z  took 5.80 s  TypeError: not today",
    );
  });

  test("are no line where there are none", () => {
    expect(instanceLines([], NOW_MS, plain)).toBe("");
  });
});

describe("a run in text", () => {
  test("has counts, progress and rates", () => {
    expect(runText(run, plain)).toBe(
      [
        "run r0123456789ab",
        "  started       2026-06-01 12:00:00Z",
        "  instances     1,000: 970 Completed, 20 Failed, 10 Running",
        "  activities    49,700 of 50,000",
        "  duration      6 s, first created until last updated, by the backend's clock",
        "  throughput    orchestrations 162/s, activities 8,283/s",
      ].join("\n"),
    );
  });

  test("lists failures and counts the rest", () => {
    const first = [{ instanceId: "r0123456789ab-00007", type: "TypeError", message: "not today" }];
    const text = runText({ ...run, failures: { total: 20, first } }, plain);
    expect(text).toContain("\n\n20 instances failed\n  r0123456789ab-00007  TypeError: not today\n  and 19 more");
  });

  test("says that a sample is a lower bound, and leaves out what is not known", () => {
    const { throughput, ...unmeasured } = run;
    expect(throughput).toBeDefined();
    const text = runText({ ...unmeasured, activities: { needed: 100, completed: 40, atLeast: true } }, plain);
    expect(text).toContain("at least 40 of 100");
    expect(text).not.toMatch(/throughput|undefined|NaN/u);
  });
});

test("runs have a line each", () => {
  const overview = { runId: run.runId, createdAt: run.createdAt, instances: 1, ended: 0, byStatus: { Pending: 1 } };
  expect(runsText([overview, { ...overview, instances: 1_000, byStatus: { Running: 1_000 } }], plain)).toBe(
    [
      "r0123456789ab  2026-06-01 12:00:00Z  1 instance       1 Pending",
      "r0123456789ab  2026-06-01 12:00:00Z  1,000 instances  1,000 Running",
    ].join("\n"),
  );
});

test.each([
  ["a\r\nb\tc", "a b c"],
  ["\u001B]0;title\u0007x", "x"],
  ["\u009B31mred\u001B[0m", "red"],
  ["a\u202Eb\u2069\uD800c\u007F", "ab\uFFFDc"],
])("%j is put on one line as %j", (text, line) => {
  expect(oneLine(text)).toBe(line);
});
