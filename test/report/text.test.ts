import { Chalk } from "chalk";
import { describe, expect, test } from "vitest";
import { summaryText } from "../../src/report/text.js";
import type { RunResult } from "../../src/stats/run-result.js";
import { sampleResult } from "./sample-result.js";

const plain = new Chalk({ level: 0 });
const textOf = (changes: Partial<RunResult> = {}): string => summaryText({ ...sampleResult, ...changes }, plain);

describe("the summary", () => {
  test("says what completed, how fast, and where", () => {
    const text = textOf();
    expect(text).toContain("Completed 200 orchestrations in 12.3 s");
    expect(text).toMatch(/activities +20,000 of 20,000/u);
    expect(text).toContain("orchestrations 16.3/s, activities 1,626/s, actions 3,268/s");
    expect(text).toContain("the embedded emulator, task hub default");
    expect(text).toContain("r0123456789ab");
  });

  test("shows only what was measured", () => {
    const text = textOf();
    expect(text).toMatch(/latency +mean +p50 +p90 +max/u);
    expect(text).not.toMatch(/p99|service|slip|RPC errors|not completed|undefined|NaN/u);
  });

  test("shows no latencies of a run of one", () => {
    expect(textOf({ plan: { ...sampleResult.plan, parallelOrchestrations: 1 } })).not.toContain("latency");
  });

  test("aligns every column of the latency table", () => {
    const rows = textOf()
      .split("\n")
      .filter((line) => /^ {2}(latency|response|startRpc)/u.test(line));
    const ends = rows.map((row) => /^.{16}(?: {10}|.{10}){4}/u.exec(row)?.[0].length);
    expect(new Set(ends)).toEqual(new Set([56]));
  });

  test("lists what is stuck and how far it came", () => {
    const text = textOf({
      counts: {
        ...sampleResult.counts,
        orchestrations: { started: 200, completed: 150, failed: 0, terminated: 0, unfinished: 50 },
      },
      stuck: {
        total: 50,
        first: [
          { instanceId: "r0123456789ab-00007", status: "Running", iterationsCompleted: 3 },
          { instanceId: "r0123456789ab-00008", status: "Pending" },
          { instanceId: "r0123456789ab-00009", status: "Unknown" },
        ],
      },
    });
    expect(text).toContain("Incomplete: 150 of 200 orchestrations completed");
    expect(text).toMatch(/not completed +50 unfinished/u);
    expect(text).toContain("r0123456789ab-00007  Running, 3 of 10 iterations done");
    expect(text).toContain("r0123456789ab-00008  Pending, 0 of 10 iterations done");
    expect(text).toMatch(/r0123456789ab-00009 {2}Unknown$/mu);
    expect(text).toContain("and 47 more");
  });

  test("gives the reasons of failures", () => {
    const text = textOf({
      counts: {
        ...sampleResult.counts,
        orchestrations: { started: 200, completed: 198, failed: 2, terminated: 0, unfinished: 0 },
      },
      failures: { total: 2, first: [{ instanceId: "a-1", type: "FanInError", message: "lost (0, 3)" }] },
    });
    expect(text).toContain("2 orchestrations failed\n  a-1  FanInError: lost (0, 3)\n  and 1 more");
  });

  test("says what an interruption kept from starting", () => {
    const orchestrations = { started: 120, completed: 100, failed: 0, terminated: 20, unfinished: 0 };
    const text = textOf({ interrupted: true, counts: { ...sampleResult.counts, orchestrations } });
    expect(text).toContain("Interrupted: 100 of 200 orchestrations completed in 12.3 s, 80 never started");
    expect(text).toMatch(/not completed +20 terminated/u);
  });

  test("has colours only where they are wanted", () => {
    expect(textOf()).not.toContain("\u001B");
    expect(summaryText(sampleResult, new Chalk({ level: 1 }))).toContain("\u001B[32m");
  });
});
