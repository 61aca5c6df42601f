import { Chalk } from "chalk";
import { describe, expect, test } from "vitest";
import { comparisonsText, comparisonText } from "../../../src/report/comparison-text.js";
import { styleFor } from "../../../src/report/text-style.js";
import { compareCandidates, compareRuns } from "../../../src/stats/comparison.js";
import type { RunResult } from "../../../src/result/run-result.js";
import { fiveRunsOf, runsOf } from "../../support/report/compared-runs.js";
import { sampleResult } from "../../support/report/sample-result.js";

const plain = styleFor({});
const base = fiveRunsOf("base", { rate: 1_600, p50: 6_000, p99: 11_000 });
const slow = fiveRunsOf("new", { rate: 1_280, p50: 6_000, p99: 11_000 });
const same = fiveRunsOf("new", { rate: 1_600, p50: 6_000, p99: 11_000 });
const textOf = (before: readonly RunResult[], after: readonly RunResult[]): string =>
  comparisonText(compareRuns(before, after), plain);
const elsewhere = (run: RunResult): RunResult => ({
  ...run,
  plan: { ...run.plan, continueAsNewEvery: 5 },
  environment: { ...run.environment, node: "22.13.0\u001B[31m" },
});

describe("the text of a comparison", () => {
  test("has a table of figures, and the conclusion behind it", () => {
    expect(textOf(base, slow)).toMatchInlineSnapshot(`
      "  figure        base (mean of 5)  new (mean of 5)   change            interval
        activities/s           1,596/s          1,277/s  -20.0 %  -23.6 % to -16.3 %  slower
        response p50            6.01 s           6.01 s      0 %    -4.1 % to +4.2 %  no difference shown
        response p99            11.0 s           11.0 s      0 %    -6.0 % to +6.4 %  no difference shown

      Slower beyond 5 % (confidence 95 %): activities/s"
    `);
  });

  test("begins with the other differences", () => {
    const fresh = slow.map((run, index) => (index === 0 ? run : elsewhere(run)));
    const [headline, ...lines] = textOf(base, fresh).split("\n");
    expect(headline).toBe("The runs differ in more than their figures (base -> new)");
    expect(lines.slice(0, 3)).toEqual([
      "  environment.node         24.0.0 -> 24.0.0 or 22.13.0",
      "  plan.continueAsNewEvery  none -> none or 5",
      "",
    ]);
  });

  test("rounds a change, and lets it be none where it is", () => {
    const [before, after] = [runsOf("base", [{ rate: 1_000 }]), runsOf("new", [{ rate: 999.7 }])];
    expect(textOf(before, after)).toMatch(/1,000\/s {2}1,000\/s {5}0 % /u);
  });

  test("cuts long values short", () => {
    const stages = Array.from({ length: 20 }, () => ({ fromPerSecond: 1, toPerSecond: 1, lengthMs: 1_000 }));
    const load = { kind: "open", arrival: "constant", maxInFlight: 1, stages } as const;
    const text = textOf([sampleResult], [{ ...sampleResult, runId: "other", plan: { ...sampleResult.plan, load } }]);
    expect(text).toMatch(/^ {2}plan\.load\.stages +none -> \[\{"fromPerSecond":1,.{40}\.\.\.$/mu);
  });

  test("names the runs that cannot be compared, and judges none", () => {
    const [first, ...others] = slow;
    const text = textOf(base, [{ ...first!, interrupted: true }, ...others]);
    expect(text).toMatch(/^Cannot be compared: 1 run\n {2}new {3}new1 {2}it was interrupted\n\n {2}figure/u);
    expect(text.match(/not judged$/gmu)).toHaveLength(3);
    expect(text).toMatch(/\n\nNot judged: every run must complete without failures$/u);
  });

  test("of one run a side says that the noise is not known, and how it would be", () => {
    const text = textOf(base.slice(0, 1), slow.slice(0, 1));
    expect(text).toMatch(/^ {2}figure {11}base {6}new {3}change$/mu);
    expect(text).toMatch(/activities\/s +1,600\/s {2}1,280\/s {2}-20\.0 % {2}run-to-run noise unknown$/mu);
    expect(text).toMatch(/\n\nRun-to-run noise unknown: .*`run --repeat 5`$/u);
  });

  test("names the figures that are left out, and why", () => {
    const few = [{ rate: 1_600 }, { rate: 1_610 }];
    const text = textOf(runsOf("base", few), runsOf("new", few));
    expect(text).toMatch(/^ {2}response p99 .*left out: 4 of 4 runs do not have it, it takes 1,000 samples$/mu);
  });

  test.each([
    ["No difference shown beyond 5 % (confidence 95 %)", base, same],
    [
      "Faster beyond 5 % (confidence 95 %): activities/s",
      slow,
      base.map((run, index) => ({ ...run, runId: `b${index}` })),
    ],
    [
      "Slower beyond 5 % (confidence 95 %): activities/s; faster: response p50, response p99",
      base,
      fiveRunsOf("new", { rate: 1_280, p50: 3_000, p99: 5_500 }),
    ],
  ])("concludes: %s", (conclusion, before, after) => {
    expect(textOf(before, after).split("\n").at(-1)).toBe(conclusion);
  });

  test("of several candidates names each, and the base", () => {
    const [first, second] = [
      { runs: slow, names: { base: "old", new: "grpc" } },
      { runs: same.map((run) => ({ ...run, runId: `${run.runId}b` })), names: { base: "old", new: "http2" } },
    ];
    const text = comparisonsText(compareCandidates(base, [first, second]), plain);
    expect(text).toMatch(/^grpc against old\n\n {2}figure +old \(mean of 5\) {2}grpc \(mean of 5\) /u);
    expect(text).toMatch(/\nSlower .*: activities\/s\n\nhttp2 against old\n\n[^]*\nNo difference shown [^\n]*$/u);
  });

  test("has colours only where they are wanted", () => {
    expect(textOf(base, slow)).not.toContain("\u001B");
    expect(comparisonText(compareRuns(base, slow), { ...plain, colours: new Chalk({ level: 1 }) })).toContain(
      "\u001B[31mslower\u001B",
    );
  });
});
