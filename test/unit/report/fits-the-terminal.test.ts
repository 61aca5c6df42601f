import { expect, test } from "vitest";
import { textWidth } from "../../../src/format/wrap.js";
import { comparisonsText } from "../../../src/report/comparison-text.js";
import { repeatsText } from "../../../src/report/repeats-text.js";
import { instanceLines, runsText, runText } from "../../../src/report/status-text.js";
import { summaryText } from "../../../src/report/text.js";
import { styleFor, type TextStyle } from "../../../src/report/text-style.js";
import { compareCandidates } from "../../../src/stats/comparison.js";
import type { RunResult } from "../../../src/result/run-result.js";
import { brokenDownResult } from "../../support/report/broken-down-result.js";
import { closedLoadResult } from "../../support/report/closed-load-result.js";
import { fiveRunsOf } from "../../support/report/compared-runs.js";
import { incompleteResult } from "../../support/report/incomplete-result.js";
import { openLoadResult } from "../../support/report/open-load-result.js";
import { NOW_MS, failedInstance, runningInstance, sampleRun } from "../../support/report/sample-status.js";

const WIDTHS = Array.from({ length: 81 }, (_, index) => 40 + index);
const LONG = "the machine was busy with something else, which took the time that this would have needed";

const everything: RunResult = {
  ...openLoadResult,
  verdict: { status: "invalid", reasons: [{ severity: "invalid", name: "slip", text: LONG, advice: LONG }] },
  thresholds: [
    { expression: "p97.5<500ms", value: 1_310, passed: false, reason: LONG },
    { expression: "service p99<100ms", passed: false, reason: LONG },
  ],
  failures: { total: 9, first: [{ instanceId: "r0123456789ab-01000", type: "FanInError", message: LONG }] },
};
const base = fiveRunsOf("base", { rate: 1_600, p50: 6_000, p99: 11_000 });
const slow = fiveRunsOf("new", { rate: 1_280, p50: 6_000, p99: 11_000 }).map((run, index) =>
  index === 0 ? everything : run,
);
const comparisons = compareCandidates(base, [
  { runs: slow, names: { base: "http2", new: "grpc" } },
  { runs: fiveRunsOf("b", { rate: 1_000 }), names: { base: "http2", new: "link" } },
]);
const failure = { type: "TypeError", message: LONG };
const failed = { ...failedInstance, failure };
const run = { ...sampleRun, failures: { total: 20, first: [{ instanceId: "r0123456789ab-00007", ...failure }] } };

const TEXTS: Readonly<Record<string, (style: TextStyle) => string>> = {
  "open load": (style) => summaryText(openLoadResult, style),
  "where the time went": (style) => summaryText(brokenDownResult, style),
  "closed load": (style) => summaryText(closedLoadResult, style),
  "a run that was interrupted": (style) => summaryText(incompleteResult, style),
  "a run of which there is much to say": (style) => summaryText(everything, style),
  repeats: (style) => repeatsText([...base, everything], style),
  comparisons: (style) => comparisonsText(comparisons, style),
  instances: (style) => instanceLines([runningInstance, failed], NOW_MS, style),
  "a run's status": (style) => runText(run, style),
  runs: (style) => runsText([run, { ...run, instances: 1 }], style),
};

test.each(Object.entries(TEXTS))("the text of %s fits every terminal, and says the same", (_of, textIn) => {
  const whole = wordsOf(textIn(styleFor({})));
  for (const columns of WIDTHS) {
    const text = textIn({ ...styleFor({}), columns });
    const tooWide = text.split("\n").filter((line) => textWidth(line) > columns);
    // A word that is longer than a line is left whole.
    expect(tooWide.filter((line) => line.trim().includes(" "))).toEqual([]);
    expect(wordsOf(text)).toEqual(whole);
  }
});

/** Without bars, which need room. Those of tables that are turned or in parts stand in another order, and their names stand there again. */
function wordsOf(text: string): readonly string[] {
  const words = text.split(/\s+/u).filter((word) => !/^█+$/u.test(word));
  return [...new Set(words)].toSorted();
}
