import { createHash } from "node:crypto";
import { stripVTControlCharacters } from "node:util";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { resultHtml } from "../../../src/report/html.js";
import type { RunResult } from "../../../src/result/run-result.js";
import { brokenDownResult } from "../../support/report/broken-down-result.js";
import { closedLoadResult } from "../../support/report/closed-load-result.js";
import { incompleteResult, resultSaying } from "../../support/report/incomplete-result.js";
import { openLoadResult } from "../../support/report/open-load-result.js";
import { sampleResult } from "../../support/report/sample-result.js";

/** The page without what it brings along: its style and its script. */
function contentOf(html: string): string {
  return html.replaceAll(/<style>.*?<\/style>|<script>.*?<\/script>/gsu, "");
}

/** What a reader sees: text without tags, entities resolved, one line for each block. */
function textOf(html: string): string {
  const text = contentOf(html)
    .replaceAll(/<script type="application\/json".*?<\/script>/gsu, "")
    .replaceAll(/<\/?(?:output|span|strong|time|code|svg|line)[^>]*>/gu, "")
    .replaceAll(/<[^>]*>/gu, "\n");
  return decoded(text).replaceAll(/\s*\n\s*/gu, "\n");
}

function decoded(text: string): string {
  const characters: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" };
  return text.replaceAll(/&(amp|lt|gt|quot|#39);/gu, (_entity, name: string) => characters[name]!);
}

const tagsOf = (html: string) => contentOf(html).match(/<[a-z][^>]*>/gu) ?? [];

interface DrawnPanel {
  readonly id: string;
  readonly y: { readonly logarithmic: boolean };
  readonly lines: readonly { readonly name: string; readonly values: readonly (number | null)[] }[];
  readonly bands: readonly { readonly text: string }[];
  readonly borders: readonly { readonly text: string }[];
}

function panelsOf(html: string): readonly DrawnPanel[] {
  const [, json = "[]"] = /<script type="application\/json" id="panels">(.*?)<\/script>/su.exec(html) ?? [];
  return JSON.parse(json) as readonly DrawnPanel[];
}

async function isLogarithmic(result: RunResult): Promise<boolean | undefined> {
  return panelsOf(await resultHtml(result)).find(({ id }) => id === "latency")?.y.logarithmic;
}

describe("the HTML report", () => {
  test("shows what the median and the slowest traced orchestration waited for", async () => {
    const text = textOf(await resultHtml(brokenDownResult));
    expect(text).toMatch(/waited for\n.*\nThe median: order-17 Completed, took 17 ms\nOrder: 3 activities, /u);
    expect(text).toMatch(/The slowest: order-17 Completed, took 485 ms\nOrder: 120 activities, /u);
    expect(text).toMatch(/rows fold \d+ activities; 10 ms each on average, at most 10 ms\n/u);
  });

  test("begins with the outcome, the plan, the run and the verdict, and goes on to thresholds and figures", async () => {
    const text = textOf(await resultHtml(openLoadResult));
    const inOrder = [
      "Incomplete: 5,785 of 5,800 orchestrations completed in 2m",
      "open load, 40/s for 45 s",
      "Run r0123456789ab, started 2030-01-02 03:04:05 UTC",
      "branch=main",
      "▲ Suspect: take these figures with care",
      "the machine was 93 % busy",
      "What to change: run the workers or the backend on another machine",
      "1 of 2 thresholds missed",
      "✓ passed",
      "✕ missed",
      "orchestrations per second",
      "response time, p99",
      "Offered, started and completed",
      "Activities and orchestrations in flight",
      "Response time over time",
      "Latency by percentile",
      "Phases",
      "Stalls",
      "3 orchestrations failed",
      "12 orchestrations unfinished",
      "RPC errors",
      "Calls made to notice completions",
      "Load generator and clocks",
      "Environment",
      "Plan",
    ];
    const missing = inOrder.filter((part, index) => {
      const before = inOrder.slice(0, index).reduce((from, part) => text.indexOf(part, from) + part.length, 0);
      return text.indexOf(part, before) === -1;
    });
    expect(missing).toEqual([]);
  });

  test("says of a valid run quietly that it is, and of an invalid one loudly that it is not", async () => {
    const reasons = [
      { severity: "invalid", name: "slip", text: "slip p99 was 80 ms", advice: "use less load" },
    ] as const;
    const valid = await resultHtml({ ...openLoadResult, verdict: { status: "valid", reasons: [] } });
    const invalid = await resultHtml({ ...openLoadResult, verdict: { status: "invalid", reasons } });
    expect(textOf(valid)).toContain("✓ Valid: nothing about the load generator");
    expect(valid).not.toContain('class="verdict');
    expect(invalid).toContain('class="verdict invalid"');
    expect(textOf(invalid)).toContain(
      "✕ Invalid: do not use these figures\nslip p99 was 80 ms\nWhat to change: use less load",
    );
  });

  test.each([
    ["valid", "good", "tiles"],
    ["suspect", "doubt", "tiles"],
    ["invalid", "doubt", "tiles invalid"],
  ] as const)(
    "heads a %s run in the colour %s, and mutes only figures that are invalid",
    async (status, colour, tiles) => {
      const html = await resultHtml({ ...sampleResult, verdict: { status, reasons: [] } });
      expect(html).toContain(`<h1><span class="${colour}">Completed</span>`);
      expect(html).toContain(`<section class="${tiles}" `);
      expect(textOf(html).match(/invalid/giu) ?? []).toHaveLength(status === "invalid" ? 1 : 0);
    },
  );

  test("draws offered, started and completed work, with stalls and phases marked", async () => {
    const panels = panelsOf(await resultHtml(openLoadResult));
    expect(panels.map(({ id }) => id)).toEqual(["rates", "activities", "in-flight", "latency", "percentiles"]);
    const [rates] = panels;
    expect(rates?.lines.map(({ name }) => name)).toEqual(["offered", "completed", "started"]);
    expect(rates?.lines[0]?.values[0]).toBe(openLoadResult.series![0]!.offered);
    expect(rates?.bands.map(({ text }) => text)).toEqual(["stall 1: 2.04 s"]);
    expect(rates?.borders.map(({ text }) => text)).toEqual(["warm-up", "40/s", "40/s to 80/s"]);
  });

  test("has a logarithmic axis if a linear one would put the typical value at the bottom", async () => {
    const [first, ...rest] = openLoadResult.series!;
    const slow = { ...first!, response: { ...first!.response!, max: 60_000 } };
    expect(await isLogarithmic(openLoadResult)).toBe(false);
    expect(await isLogarithmic({ ...openLoadResult, series: [slow, ...rest] })).toBe(true);
  });

  test("of closed load has service time, and says what it cannot show", async () => {
    const html = await resultHtml({ ...closedLoadResult, ...over(openLoadResult, "service") });
    const panels = panelsOf(html);
    expect(panels[0]?.lines.map(({ name }) => name)).toEqual(["completed", "started"]);
    expect(panels.at(-1)?.lines.map(({ name }) => name)).toEqual(["service"]);
    expect(textOf(html)).toContain("service time, p99");
    expect(textOf(html)).toContain("closed load cannot show how long arrivals would have waited");
  });

  test.each<[string, RunResult, string]>([
    ["no series", sampleResult, "This result has no series"],
    ["no histograms", sampleResult, "This result has no histograms"],
    ["one orchestration", runOfOne(), "A run of one orchestration is a single point"],
    ["one interval", { ...openLoadResult, series: openLoadResult.series!.slice(0, 1) }, "over within one interval"],
    [
      "a histogram that is none",
      { ...openLoadResult, histograms: { response: { hdr: "x", count: 9 } } },
      "Too few completed",
    ],
    ["nothing completed", { ...openLoadResult, latencyMs: {} }, "Nothing completed, so there is no latency to chart"],
  ])("leaves out the charts of a result with %s, and says why", async (_what, result, sentence) => {
    expect(textOf(await resultHtml(result))).toContain(sentence);
  });

  test("has no script if there is nothing to draw", async () => {
    for (const result of [sampleResult, incompleteResult, runOfOne()]) {
      const html = await resultHtml(result);
      expect(html).not.toContain("<script");
      expect(html).not.toContain("script-src");
      expect(html.length).toBeLessThan(25_000);
    }
  });

  test("shows only what was measured", async () => {
    expect(contentOf(await resultHtml(sampleResult))).not.toMatch(/undefined|NaN|null|Infinity|p99|Stalls|Phases/u);
    expect(textOf(await resultHtml(openLoadResult))).not.toMatch(/undefined|NaN|null|Infinity/u);
  });

  test("loads nothing, and allows only the one script and the one style it holds", async () => {
    const html = await resultHtml(openLoadResult);
    const [, style] = /<style>(.*?)<\/style>/su.exec(html)!;
    const [, script] = /<script>(.*?)<\/script>/su.exec(html)!;
    expect(html).toContain(
      `content="default-src 'none'; style-src ${hashOf(style!)}; script-src ${hashOf(script!)}; img-src data:; base-uri 'none'; form-action 'none'"`,
    );
    expect(contentOf(html)).not.toMatch(/\b(?:https?:|src=|srcset=|action=|style=|on[a-z]+=)/u);
    expect(contentOf(html).match(/href="[^"]*"/gu)).toEqual(['href="data:,"']);
    expect(style).not.toMatch(/url\(|@import/u);
    expect(script).toContain("Copyright (c) 2022 Leon Sorokin");
  });

  test("of 3,600 intervals stays below 600 kB", async () => {
    const { series } = openLoadResult;
    const long = Array.from({ length: 3_600 }, (_, index) => ({ ...series![index % 115]!, fromMs: index * 1_000 }));
    const html = await resultHtml({ ...openLoadResult, durationMs: 3_600_000, series: long });
    expect(panelsOf(html)[0]?.lines[0]?.values).toHaveLength(3_600);
    expect(html.length).toBeLessThan(600_000);
  });
});

describe("hostile text", () => {
  const HOSTILE = `</script><script>alert(1)</script>"'><img src=x onerror=alert(1)>&lt;\u0000\u001B[31m\u202E<!--`;

  test("becomes no tag and no attribute, wherever it is", async () => {
    const hostile = everywhere(HOSTILE);
    const harmless = everywhere("x");
    const html = await resultHtml(hostile);
    expect(tagsOf(html).filter((tag) => !tag.startsWith("<meta"))).toEqual(
      tagsOf(await resultHtml(harmless))
        .filter((tag) => !tag.startsWith("<meta"))
        .map((tag) => tag.replace(/datetime="x"/u, () => `datetime="${escaped(HOSTILE)}"`)),
    );
    expect(panelsOf(html)[0]?.borders[0]?.text).toBe(HOSTILE);
  });

  test("is shown unchanged, without control sequences", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.string({ unit: fc.constantFrom(...Array.from("<>&\"'`/!-x \n\u0000\u001B\u{1F600}")) }),
        async (text) => {
          const html = await resultHtml(resultSaying(text));
          const shown = stripVTControlCharacters(text)
            .replaceAll(/(?!\s)\p{Cc}/gu, "")
            .replaceAll(/\s+/gu, " ")
            .trim();
          // oxlint-disable-next-line no-control-regex -- they are what it looks for
          expect(html).not.toMatch(/[\u0000-\u0009\u000B-\u001F\u007F]/u);
          if (shown !== "") expect(decoded(/<dt>task hub<\/dt><dd>(.*?)<\/dd>/u.exec(html)![1]!).trim()).toBe(shown);
        },
      ),
      { numRuns: 50 },
    );
  });
});

function hashOf(source: string): string {
  return `'sha256-${createHash("sha256").update(source).digest("base64")}'`;
}

function escaped(text: string): string {
  const line = stripVTControlCharacters(text).replaceAll(/[\p{Cc}\u202E]/gu, "");
  return line.replaceAll(
    /[&<>"']/gu,
    (one) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" })[one]!,
  );
}

/** The result with the text wherever text of others may be. */
function everywhere(text: string): RunResult {
  const { environment, failures, stuck, thresholds } = resultSaying(text);
  return {
    ...openLoadResult,
    runId: text,
    startedAt: text,
    plan: { ...openLoadResult.plan, orchestrator: text, labels: { [text]: text } },
    environment,
    verdict: { status: "invalid", reasons: [{ severity: "invalid", name: text, text, advice: text }] },
    counts: { ...openLoadResult.counts, rpcErrors: { [text]: 1 } },
    phases: openLoadResult.phases!.map((phase) => ({ ...phase, name: text })),
    stalls: openLoadResult.stalls!.map((stall) => ({ ...stall, rpcErrors: { [text]: 1 } })),
    outages: [{ fromMs: 1, lengthMs: 2, found: text }],
    noticing: { [text]: 1 },
    recount: { unknown: text },
    failures: failures!,
    stuck: stuck!,
    thresholds: thresholds!,
  };
}

/** The series and the histogram of another run, as if only one of its latencies had been measured. */
function over({ series, histograms }: RunResult, name: "service"): Pick<RunResult, "series" | "histograms"> {
  return {
    series: series!.map(({ service, response: _response, ...rest }) => ({ ...rest, ...(service && { service }) })),
    histograms: { [name]: histograms![name]! },
  };
}

function runOfOne(): RunResult {
  const orchestrations = { started: 1, completed: 1, failed: 0, terminated: 0, unfinished: 0 };
  return { ...openLoadResult, counts: { ...openLoadResult.counts, orchestrations } };
}
