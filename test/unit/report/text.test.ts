import { Chalk } from "chalk";
import { describe, expect, test } from "vitest";
import { summaryText } from "../../../src/report/text.js";
import { styleFor } from "../../../src/report/text-style.js";
import type { CrossingSummary, RunResult, VerdictReason } from "../../../src/result/run-result.js";
import { sampleResult } from "../../support/report/sample-result.js";

const plain = styleFor({});
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

  test("says that actions are a lower bound, and why, only if they are", () => {
    const { actions: _, ...counts } = sampleResult.counts;
    const least = { ...counts, actionsAtLeast: 4_202, actionsMissing: "2 orchestrations had not ended" };
    expect(textOf({ counts: least })).toMatch(/actions +at least 4,202: 2 orchestrations had not ended$/mu);
    expect(textOf()).not.toContain("at least");
  });

  test("names how workers replayed where they did not keep orchestrations, apart from the name of the line", () => {
    const { environment } = sampleResult;
    expect(textOf({ environment: { ...environment, workers: { replay: "always" } } })).toMatch(
      /^ {2}replay {8}of the whole history at each episode \(--replay always\)$/mu,
    );
    expect(textOf({ environment: { ...environment, workers: { replay: "sessions" } } })).not.toContain("replay");
  });

  test("shows the time of a run of one, and what more orchestrations would show", () => {
    const orchestrations = { started: 1, completed: 1, failed: 0, terminated: 0, unfinished: 0 };
    const plan = { ...sampleResult.plan, parallelOrchestrations: 1 };
    const response = { count: 1, mean: 1_200, max: 1_200 };
    const text = textOf({ plan, counts: { ...sampleResult.counts, orchestrations }, latencyMs: { response } });
    expect(text).toMatch(/^ {2}latency +time\n {2}response +1\.20 s {2}intended start until completed$/mu);
    expect(text).toContain("percentiles need more orchestrations: p50 from 20, p99 from 1,000");
    expect(textOf()).not.toContain("percentiles need");
  });

  test("aligns every column of the latency table", () => {
    const rows = textOf()
      .split("\n")
      .filter((line) => /^ {2}(latency|response|startRpc)/u.test(line));
    expect(rows).toEqual([
      "  latency      mean      p50   p90      max",
      "  response      6 s   6.10 s  11 s   12.3 s  intended start until completed",
      "  startRpc  4.20 ms  4.10 ms        20.5 ms  start sent until accepted",
    ]);
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

  test("counts the starts that an interruption prevented", () => {
    const orchestrations = { started: 120, completed: 100, failed: 0, terminated: 20, unfinished: 0 };
    const text = textOf({ interrupted: true, counts: { ...sampleResult.counts, orchestrations } });
    expect(text).toContain("Interrupted: 100 of 200 orchestrations completed in 12.3 s, 80 never started");
    expect(text).toMatch(/not completed +20 terminated/u);
  });

  test("has each threshold with its value, or with the reason why it was not judged", () => {
    const text = textOf({
      thresholds: [
        { expression: "p50<7s", value: 6_100, passed: true },
        { expression: "activities/s>2000", value: 1_626, passed: false },
        { expression: "errors<0.1%", value: 0.0005, passed: false, reason: "not judged, too few" },
        { expression: "p99<1s", passed: false, reason: "not judged, 30 samples do not carry it" },
        { expression: "rpcErrors<1", value: 1_234, passed: false },
        { expression: "of another version<1", value: 7.5, passed: true },
      ],
    });
    expect(text).toContain(
      [
        "4 of 6 thresholds missed",
        "  passed  p50<7s                6.10 s",
        "  missed  activities/s>2000     1,626/s",
        "  missed  errors<0.1%           0.05 %, not judged, too few",
        "  missed  p99<1s                not judged, 30 samples do not carry it",
        "  missed  rpcErrors<1           1,234",
        "  passed  of another version<1  7.5",
      ].join("\n"),
    );
  });

  test("says that all thresholds passed, and does not mention absent ones", () => {
    const thresholds = [{ expression: "p50<7s", value: 6_100, passed: true }];
    expect(textOf({ thresholds })).toContain("\n\n1 threshold passed\n  passed  p50<7s  6.10 s");
    expect(textOf()).not.toContain("threshold");
  });

  test("has colours only where they are wanted", () => {
    expect(textOf()).not.toContain("\u001B");
    expect(summaryText(sampleResult, { ...plain, colours: new Chalk({ level: 1 }) })).toContain("\u001B[32m");
  });
});

describe("the summary says, only if it matters,", () => {
  test.each([
    ["intended start until noticed", { response: crossing({ until: "noticed" }) }],
    ["accepted until noticed", { service: crossing({ until: "noticed" }) }],
    ["intended start until completed$", { response: crossing({ until: "completed", boundMs: 1 }) }],
    ["intended start until completed, ± 1\\.20 ms$", { response: crossing({ until: "completed", boundMs: 1.2 }) }],
    ["completed until noticed", { service: crossing({}), detectionLag: crossing({ p50: 5.1 }) }],
  ] as const)("%s", (line, latencyMs) => {
    expect(textOf({ latencyMs })).toMatch(new RegExp(line, "mu"));
  });

  test("how late completions were noticed, when that is long", () => {
    expect(textOf({ latencyMs: { service: crossing({}), detectionLag: crossing({ p50: 5 }) } })).not.toContain(
      "noticed",
    );
  });

  const recount = { instances: 200, byStatus: {}, lost: listOf(0), unexpected: listOf(0) };
  test.each<readonly [string, RunResult["recount"]]>([
    ["not known: no answer", { unknown: "no\nanswer" }],
    ["2 lost: accepted, but no longer there (i-1, i-2)", { ...recount, lost: listOf(2) }],
    ["5 lost: accepted, but no longer there (i-1, i-2, i-3, ...)", { ...recount, lost: listOf(5) }],
    ["1 that this run did not start (i-1)", { ...recount, unexpected: listOf(1) }],
  ])("that the recount differs: %s", (line, found) => {
    expect(textOf({ recount: found! })).toMatch(new RegExp(`recount {7}${line.replaceAll(/[().]/gu, "\\$&")}\n`, "u"));
    expect(textOf({ recount })).not.toContain("recount");
  });

  test("the cost of noticing", () => {
    expect(textOf({ noticing: { WaitForInstance: 150, ListInstanceIds: 51 } })).toMatch(
      /noticing +150 WaitForInstance, 51 ListInstanceIds\n/u,
    );
    expect(textOf({ noticing: { WaitForInstance: 200 } })).not.toContain("noticing");
  });

  test("how many starts were held back", () => {
    expect(textOf({ generator: { heldBack: 12 } })).toMatch(/held back +12 starts, by --max-in-flight\n/u);
    expect(textOf({ generator: { heldBack: 0 } })).not.toContain("held back");
  });

  test("that the figures are not to be believed, the gravest reason first", () => {
    const verdict = { status: "invalid", reasons: [reason("suspect", "busy"), reason("invalid", "late")] } as const;
    expect(textOf({ verdict })).toContain(
      "12.3 s\nInvalid: do not use these figures\n  late\n    not late\n  busy\n    not busy\n\n  activities",
    );
    expect(summaryText({ ...sampleResult, verdict }, { ...plain, colours: new Chalk({ level: 1 }) })).toContain(
      "\u001B[31mInvalid",
    );
  });
});

function crossing(changes: Partial<CrossingSummary>): CrossingSummary {
  return { count: 200, mean: 110, p50: 100, max: 200, ...changes };
}

function listOf(total: number) {
  return { total, first: Array.from({ length: total }, (_, index) => `i-${index + 1}`) };
}

function reason(severity: VerdictReason["severity"], text: string): VerdictReason {
  return { severity, name: "x", text, advice: `not ${text}` };
}
