import { expect, test } from "vitest";
import { textWidth } from "../../src/format/wrap.js";
import type { InstanceStatus } from "../../src/hub/instance-status.js";
import { comparisonsText } from "../../src/report/comparison-text.js";
import { repeatsText } from "../../src/report/repeats-text.js";
import { instanceLines, runsText, runText } from "../../src/report/status-text.js";
import { summaryText } from "../../src/report/text.js";
import { styleFor, type TextStyle } from "../../src/report/text-style.js";
import { compareCandidates } from "../../src/stats/comparison.js";
import type { RunResult } from "../../src/stats/run-result.js";
import { closedLoadResult } from "./closed-load-result.js";
import { fiveRunsOf } from "./compared-runs.js";
import { incompleteResult } from "./incomplete-result.js";
import { openLoadResult } from "./open-load-result.js";

const WIDTHS = Array.from({ length: 81 }, (_, index) => 40 + index);
const CREATED = "2026-06-01T12:00:00.000Z";
const NOW_MS = Date.parse(CREATED) + 12_000;
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
const running = {
  instanceId: "r0123456789ab-00000",
  name: "FanOutFanInOrchestration",
  status: "Running",
  createdAt: CREATED,
  lastUpdatedAt: CREATED,
  progress: { iterationsCompleted: 3, iterations: 10, activitiesCompleted: 15 },
} as unknown as InstanceStatus;
const failed = {
  ...running,
  status: "Failed",
  durationMs: 5_800,
  failure: { type: "TypeError", message: LONG },
} as const;
const run = {
  runId: "r0123456789ab",
  createdAt: CREATED,
  lastUpdatedAt: CREATED,
  durationMs: 6_000,
  instances: 1_000,
  ended: 990,
  byStatus: { Completed: 970, Failed: 20, Running: 10 },
  activities: { needed: 50_000, completed: 49_700 },
  throughput: { orchestrationsPerSecond: 161.7, activitiesPerSecond: 8_283 },
  failures: { total: 20, first: [{ instanceId: "r0123456789ab-00007", type: "TypeError", message: LONG }] },
} as const;

const TEXTS: Readonly<Record<string, (style: TextStyle) => string>> = {
  "open load": (style) => summaryText(openLoadResult, style),
  "closed load": (style) => summaryText(closedLoadResult, style),
  "a run that was interrupted": (style) => summaryText(incompleteResult, style),
  "a run of which there is much to say": (style) => summaryText(everything, style),
  repeats: (style) => repeatsText([...base, everything], style),
  comparisons: (style) => comparisonsText(comparisons, style),
  instances: (style) => instanceLines([running, failed], NOW_MS, style),
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

/** Those of tables that are turned or in parts stand in another order, and their names stand there again. */
function wordsOf(text: string): readonly string[] {
  return [...new Set(text.split(/\s+/u))].toSorted();
}
