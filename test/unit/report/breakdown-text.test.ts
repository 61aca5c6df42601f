import { describe, expect, test } from "vitest";
import { textWidth } from "../../../src/format/wrap.js";
import { breakdownLines } from "../../../src/report/breakdown-text.js";
import { standOutTexts } from "../../../src/report/fan-in-rows.js";
import { resultHtml } from "../../../src/report/html.js";
import { resultMarkdown } from "../../../src/report/markdown.js";
import { styleFor } from "../../../src/report/text-style.js";
import { summaryText } from "../../../src/report/text.js";
import { brokenDownResult as result } from "../../support/report/broken-down-result.js";
import { sampleResult } from "../../support/report/sample-result.js";

function linesAt(columns: number): readonly string[] {
  return breakdownLines(result, { ...styleFor({}), columns });
}

describe("where the time went", () => {
  test("is in at most ten lines, the largest first, with bars where there is room", () => {
    expect(linesAt(80)).toEqual([
      "  Where the time went   share         in each",
      "  queue                40.0 %  ± 2.0   800 ms  ████████████████████████",
      "  return               20.0 %  ± 2.0   400 ms  ████████████",
      "  schedule             15.0 %  ± 2.0   300 ms  █████████",
      "  fan-in               10.0 %  ± 2.0   200 ms  ██████",
      "  execute               8.0 %  ± 2.0   160 ms  █████",
      "  start                 3.0 %  ± 2.0    60 ms  ██",
      "  3 others              4.0 %           80 ms  ██",
      "  of 24 traced orchestrations (22 completed, 2 failed, 1 retried), 2 s each on",
      "  average",
    ]);
    expect(linesAt(60)).toHaveLength(10);
    expect(linesAt(60)[1]).toBe("  queue                40.0 %  ± 2.0   800 ms  ████████");
  });

  test("has no bars in a pipe, and fits every terminal", () => {
    expect(linesAt(Number.POSITIVE_INFINITY)[1]).toBe("  queue                40.0 %  ± 2.0   800 ms");
    for (let columns = 47; columns <= 120; columns += 1)
      expect(linesAt(columns).filter((line) => textWidth(line) > columns)).toEqual([]);
  });

  test("is one line where it is not known", () => {
    const { phases: _phases, wholeMs: _whole, ...breakdown } = result.breakdown!;
    const missing = "the backend has no StreamInstanceHistory (UNIMPLEMENTED)";
    const unknown = { ...result, breakdown: { ...breakdown, missing } };
    expect(breakdownLines(unknown, styleFor({}))).toEqual([`  Where the time went is not known: ${missing}`]);
    expect(resultMarkdown(unknown)).toContain(missing);
  });

  test("says that a worker does not stamp", () => {
    const { queue, execute: _execute, return: _return, ...others } = result.breakdown!.phases!;
    const unstamped = { ...result, breakdown: { ...result.breakdown!, phases: { ...others, activity: queue! } } };
    expect(breakdownLines(unstamped, styleFor({})).join("\n")).toContain("its worker does not stamp");
  });

  test("is followed by what stands out", () => {
    const found = [
      "stragglers: the last activity of a fan-out took 140 ms, 2.80 times the median one (execution alone: 120 ms, 3.75 times); waiting for it was 45.0 % of the time",
      "growth: each further 100 iterations add 41 ms to an iteration (38 ms to 44 ms)",
      "advice: --continue-as-new-every 5 would save about 500 ms of each orchestration (25.0 % of its iterations), for 1 more action each",
      "worker host-12 differs: an activity takes 90 ms there, 2.25 times as long as on the others",
    ];
    expect(standOutTexts(result)).toEqual(found);
    expect(summaryText(result, styleFor({}))).toContain(`  ${found.join("\n  ")}`);
    const growth = { ...result.fanIn!.growth!, interval: { from: -1, to: 44 } };
    expect(standOutTexts({ ...result, fanIn: { ...result.fanIn!, growth }, workers: [] })).toEqual(found.slice(0, 1));
    expect(standOutTexts(sampleResult)).toEqual([]);
  });

  test("names a worker that paused", () => {
    const [first, ...others] = result.workers!;
    const pause = { at: "2026-11-29T10:00:01.300Z", lengthMs: 1_020, inHand: 41 };
    expect(standOutTexts({ ...result, workers: [{ ...first!, pause }, ...others] })).toContain(
      `worker ${first!.workerId} paused for 1.02 s at 2026-11-29T10:00:01.300Z, with 41 traced activities in hand`,
    );
  });

  test("is a bar, tables of phases, iterations and workers in HTML", async () => {
    const html = await resultHtml(result);
    expect(html).toContain('<svg class="shares" role="img" aria-label="queue 40.0 %, return 20.0 %,');
    expect(html.match(/<rect x="[\d.]+" width="[\d.]+" height="28"/gu)).toHaveLength(9 + 3);
    expect(html).toContain("The median traced orchestration, r-00000-011: 1.90 s");
    // Over the same time as the slowest one.
    expect(html).toContain(
      '<rect x="26.3" width="473.7" height="28" class="fill-0"><title>queue 1.80 s, from 100 ms</title></rect>',
    );
    expect(html).toContain("With each further 100 iterations an iteration is longer by 41 ms (38 ms to 44 ms).</p>");
    expect(html).toContain("Iterations by their number");
    expect(html).toContain("5 to 9");
    expect(html).toMatch(/host-12<\/th>.*-5 s, ± 0\.40 ms/u);
    expect(html).toMatch(/host-11<\/th>.*60,000.*6,400.*2\.50 s/u);
    expect(html).toContain("240 iterations of the traced orchestrations, 180 ms and 1.40 episodes each on average");
  });

  test("is a table in Markdown, with what each phase is and the bound of the clocks", () => {
    const markdown = resultMarkdown(result);
    expect(markdown).toContain(
      "| queue | 40.0 % | 38.0 % to 42.0 % | 800 ms | 240 | 75 ms | 120 ms | activity asked for until its execution began, from the backend's clock to the worker's, ± 2 ms |",
    );
    expect(markdown.split("\n").filter((line) => /^\| [a-z -]+ \| [\d.]+ % \|/u.test(line))).toHaveLength(9);
  });
});
