import { mkdtempSync, rmSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import type { Page } from "playwright-core";
import { afterAll, describe, expect, test } from "vitest";
// As built: the page holds the source of functions, which no transform may have touched.
import { resultHtml } from "../../../dist/report/html.js";
import { repeatsHtml } from "../../../dist/report/pages.js";
import { CHROMIUM, HAS_CHROMIUM, usePages } from "../../support/page/chromium.js";
import { brokenDownResult } from "../../support/report/broken-down-result.js";
import { timelinePage } from "../../../dist/report/timeline-page.js";
import { timelinesOf } from "../../../src/timeline/timeline.js";
import { resultSaying } from "../../support/report/incomplete-result.js";
import { openLoadResult } from "../../support/report/open-load-result.js";
import { sampleResult } from "../../support/report/sample-result.js";
import {
  asksActivity,
  BEGIN_US,
  episode,
  fails,
  fanOuts,
  started,
  toldInstance,
} from "../../support/timeline/told-history.js";

const PANELS = ["rates", "activities", "in-flight", "latency", "percentiles"];

const GROWN = { fanIn: brokenDownResult.fanIn! };

/** Each text of the page with its colour, and what is behind it, as `[text, ratio]`: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio */
const CONTRASTS = String.raw`(() => {
  const numbers = (colour) => colour.match(/[\d.]+/g).map(Number);
  const luminance = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((v) => v / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = numbers(getComputedStyle(at).backgroundColor);
      if (colour[3] !== 0) return colour;
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    const text = walker.currentNode.textContent.trim();
    if (text === "" || ["SCRIPT", "NOSCRIPT"].includes(element.tagName)) continue;
    const [a, b] = [luminance(numbers(getComputedStyle(element).color)), luminance(behind(element))];
    found.push([text, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)]);
  }
  return found;
})()`;

/** The pixels of a canvas, read from a copy: to read the canvas itself again and again is warned of. */
const PIXELS = String.raw`((canvas, width = canvas.width) => {
  const context = new OffscreenCanvas(width, canvas.height).getContext("2d");
  context.drawImage(canvas, 0, 0);
  return context.getImageData(0, 0, width, canvas.height).data;
})`;

/** Of each canvas, by its panel: its width in CSS pixels, and how many of its pixels are drawn on. */
const CANVASES = String.raw`[...document.querySelectorAll(".panel")].map((panel) => {
  const canvas = panel.querySelector("canvas");
  const data = ${PIXELS}(canvas);
  let drawn = 0;
  for (let at = 3; at < data.length; at += 4) drawn += data[at] > 0 ? 1 : 0;
  return { id: panel.id, width: canvas.getBoundingClientRect().width, drawn };
})`;

/** How many pixels of the first chart have the colour of a stall, of those between the shares of its plot. */
const stallPixels = (from: number, to: number) => String.raw`(() => {
  const canvas = document.querySelector(".panel canvas");
  const [place, plot] = [canvas, document.querySelector(".panel .u-over")].map((each) => each.getBoundingClientRect());
  const data = ${PIXELS}(canvas);
  const [left, right] = [${from}, ${to}].map((share) => plot.left - place.left + share * plot.width);
  let found = 0;
  for (let at = 0; at < data.length; at += 4) {
    const x = (at / 4) % canvas.width;
    found += x >= left && x <= right && data[at] === 247 && data[at + 1] === 217 && data[at + 2] === 213 ? 1 : 0;
  }
  return found;
})()`;

/** How much wider the page is than what shows it. */
const OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth";
/** The colour in which the first chart's axis is written: that of the most opaque pixel on the left of its plot. */
const AXIS_COLOUR = String.raw`(() => {
  const data = ${PIXELS}(document.querySelector(".panel canvas"), 50);
  let most = 0;
  for (let at = 0; at < data.length; at += 4) if (data[at + 3] > data[most + 3]) most = at;
  return [...data.slice(most, most + 3)].join(" ");
})()`;
/** How many bars of timelines leave their row, or cannot be seen, and how many there are. */
const BARS_OUTSIDE = String.raw`(() => {
  const bars = [...document.querySelectorAll(".timeline rect")].map((bar) => [bar, bar.ownerSVGElement].map((each) => each.getBoundingClientRect()));
  const isOutside = ([bar, lane]) => bar.left < lane.left - 1 || bar.right > lane.right + 1 || bar.width <= 0 || bar.height <= 0;
  return [bars.filter(isOutside).length, bars.length];
})()`;
/** The left edge of each plot, and where each cell of the latency table ends that has the p99 or the maximum. */
const PLOT_EDGES = `[...document.querySelectorAll(".u-over")].map((plot) => plot.getBoundingClientRect().left)`;
const WORST_LATENCIES = String.raw`[...document.querySelectorAll('[aria-label="Latencies"] td')]
  .filter(({ dataset, textContent }) => ["p99", "max"].includes(dataset.name) && textContent !== "")
  .map((cell) => [cell.getBoundingClientRect().left, cell.getBoundingClientRect().right])`;
const ARE_FACTS_SHOWN = `[...document.querySelectorAll("details dl")].map((list) => list.checkVisibility())`;
const BACKGROUND = "getComputedStyle(document.body).backgroundColor";

/** All charts are in view, so that the mouse reaches them. */
const TALL = { viewport: { width: 1_100, height: 2_400 } };

interface Canvas {
  readonly id: string;
  readonly width: number;
  readonly drawn: number;
}

async function canvasesOf(page: Page): Promise<readonly Canvas[]> {
  return page.evaluate<readonly Canvas[]>(CANVASES);
}

describe.skipIf(!HAS_CHROMIUM)(`the HTML report in a browser (needs Chromium: ${CHROMIUM})`, () => {
  const folder = mkdtempSync(path.join(tmpdir(), "fanout-report-"));
  const emptyPage = usePages({ offline: true });

  afterAll(() => rmSync(folder, { recursive: true }));

  /** Opens the report as a file, without a network; `trouble` is all that it asked for and complained about. */
  async function opened(html: string, options: Parameters<typeof emptyPage>[0] = {}) {
    const file = path.join(folder, `${crypto.randomUUID()}.html`);
    await writeFile(file, html);
    const page = await emptyPage({ viewport: { width: 1_100, height: 800 }, ...options });
    const url = pathToFileURL(file).href;
    const trouble: string[] = [];
    page.on("request", (request) => {
      if (request.url() !== url && request.url() !== "data:,") trouble.push(`requested ${request.url()}`);
    });
    page.on("console", (message) => trouble.push(`${message.type()}: ${message.text()}`));
    page.on("pageerror", (error) => trouble.push(`threw ${error.message}`));
    page.on("dialog", (dialog) => {
      trouble.push(`opened a dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    await page.goto(url);
    return { page, trouble };
  }

  test("draws every chart, requests nothing and reports no error", async () => {
    const { page, trouble } = await opened(await resultHtml(openLoadResult));
    const canvases = await canvasesOf(page);
    expect(canvases.map(({ id }) => id)).toEqual(PANELS);
    for (const { id, drawn } of canvases) expect({ id, isDrawn: drawn > 2_000 }).toEqual({ id, isDrawn: true });
    expect(trouble).toEqual([]);
  });

  test("draws what an iteration took by its number, and shows the values at the pointer", async () => {
    const { page, trouble } = await opened(await resultHtml({ ...openLoadResult, ...GROWN }));
    expect((await canvasesOf(page)).map(({ id }) => id)).toEqual([...PANELS, "growth"]);
    const plot = page.locator("#growth .u-over");
    const { width } = (await plot.boundingBox())!;
    await plot.hover({ position: { x: width - 5, y: 50 } });
    const told = async () => page.locator("#growth-legend output").allTextContents();
    // The fitted line rises by 41 ms for each 100 iterations, through 180 ms in the middle.
    await expect.poll(told).toEqual(["200 ms", "181 ms", "7"]);
    expect(trouble).toEqual([]);
  });

  test("draws the trend of several runs in the order of their starts, with a gap for one that is invalid", async () => {
    const runs = ["soon", "2030-01-04", "2030-01-03", "2030-01-02", "2030-01-01"].map((startedAt, number) => {
      const rate = 10 + number;
      const throughput = { orchestrationsPerSecond: rate, activitiesPerSecond: 10 * rate };
      return { ...sampleResult, runId: `started.${startedAt}`, startedAt, throughput };
    });
    const invalid = { ...runs[2]!, verdict: { status: "invalid", reasons: [] } } as const;
    const { page, trouble } = await opened(await repeatsHtml(runs.with(2, invalid)));
    const rows = page.locator('[aria-label="Each run"] tbody th');
    expect(await rows.allTextContents()).toEqual(runs.map(({ runId }) => runId).toReversed());
    const plot = page.locator("#trend-0 .u-over");
    const { width } = (await plot.boundingBox())!;
    const told = async () => (await page.locator("#trend-0-legend output").allTextContents()).slice(-2);
    await plot.hover({ position: { x: width / 4, y: 50 } });
    await expect.poll(told).toEqual(["130/s", "2"]);
    await plot.hover({ position: { x: width / 2, y: 50 } });
    await expect.poll(told).toEqual(["", "3"]);
    expect(trouble).toEqual([]);
  });

  test("marks a stall at its time, and nowhere else", async () => {
    const { page } = await opened(await resultHtml(openLoadResult));
    const { fromMs, lengthMs } = openLoadResult.stalls![0]!;
    const { durationMs } = openLoadResult;
    const [from, to] = [fromMs / durationMs, (fromMs + lengthMs) / durationMs];
    expect(await page.evaluate(stallPixels(from, to))).toBeGreaterThan(1_000);
    expect(await page.evaluate(stallPixels(0, from - 0.005))).toBe(0);
    expect(await page.evaluate(stallPixels(to + 0.005, 1))).toBe(0);
  });

  test("blocks a script that is not its own", async () => {
    const html = await resultHtml(openLoadResult);
    const injected = html.replace("</main>", '<script>alert(1)</script><img src="https://example.invalid/x"></main>');
    const { page, trouble } = await opened(injected);
    await page.locator("h1").waitFor();
    expect(trouble.filter((line) => line.includes("Content Security Policy"))).toHaveLength(2);
    expect(trouble.some((line) => line.startsWith("opened a dialog"))).toBe(false);
  });

  test.each([
    ["a phone", 360],
    ["a small tablet", 600],
    ["a wide window", 1_600],
  ])("fits the width of %s", async (_what, width) => {
    const { page, trouble } = await opened(await resultHtml(openLoadResult), { viewport: { width, height: 740 } });
    expect(await page.evaluate(OVERFLOW)).toBe(0);
    for (const canvas of await canvasesOf(page)) {
      expect(canvas.width).toBeGreaterThan(300);
      expect(canvas.width).toBeLessThanOrEqual(width - 32);
    }
    expect(trouble).toEqual([]);
  });

  test("has all plots at one left edge, so that a moment is at the same place in each", async () => {
    const { page } = await opened(await resultHtml({ ...openLoadResult, ...GROWN }));
    const edges = await page.evaluate<readonly number[]>(PLOT_EDGES);
    expect(edges).toHaveLength(PANELS.length + 1);
    expect(new Set(edges).size).toBe(1);
  });

  test("shows p99 and maximum of all latencies on a phone without scrolling", async () => {
    const { page } = await opened(await resultHtml(openLoadResult), { viewport: { width: 400, height: 740 } });
    const cells = await page.evaluate<readonly (readonly [number, number])[]>(WORST_LATENCIES);
    expect(cells.length).toBeGreaterThan(5);
    expect(cells.filter(([left, right]) => left < 0 || right > 400)).toEqual([]);
  });

  test("follows the window when it is made narrower", async () => {
    const { page } = await opened(await resultHtml(openLoadResult));
    await page.setViewportSize({ width: 360, height: 740 });
    await expect.poll(async () => (await canvasesOf(page)).every(({ width }) => width < 340)).toBe(true);
    expect(await page.evaluate(OVERFLOW)).toBe(0);
  });

  test("follows the reader's dark mode, also when it changes", async () => {
    const { page, trouble } = await opened(await resultHtml(openLoadResult), { colorScheme: "dark" });
    const colour = async () => page.evaluate<string>(AXIS_COLOUR);
    const [dark, darkLine] = [await page.evaluate<string>(BACKGROUND), await colour()];
    await page.emulateMedia({ colorScheme: "light" });
    expect(await page.evaluate(BACKGROUND)).toBe("rgb(255, 255, 255)");
    expect(dark).toBe("rgb(20, 23, 27)");
    await expect.poll(colour).not.toBe(darkLine);
    expect(trouble).toEqual([]);
  });

  test("is light on paper, with all details shown and charts that fit A4", async () => {
    const { page, trouble } = await opened(await resultHtml(openLoadResult), { colorScheme: "dark" });
    expect(await page.evaluate(ARE_FACTS_SHOWN)).toEqual([false, false, false]);
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    await expect.poll(async () => (await canvasesOf(page)).every(({ width }) => width === 680)).toBe(true);
    expect(await page.evaluate(BACKGROUND)).toBe("rgb(255, 255, 255)");
    expect(await page.evaluate("document.documentElement.className")).toBe("paper");
    expect(await page.evaluate(ARE_FACTS_SHOWN)).toEqual([true, true, true]);
    const pdf = await page.pdf({ preferCSSPageSize: true });
    expect(pdf.subarray(0, 5).toString()).toBe("%PDF-");
    expect(trouble).toEqual([]);
  });

  test.each(["valid", "suspect", "invalid"] as const)(
    "has enough contrast if the run is %s, in light and in dark colours",
    async (status) => {
      const reasons = [{ severity: "suspect", name: "cpu", text: "busy", advice: "less" }] as const;
      const verdict = { status, reasons: status === "valid" ? [] : reasons };
      const { page } = await opened(await resultHtml({ ...openLoadResult, verdict }));
      for (const colorScheme of ["light", "dark"] as const) {
        await page.emulateMedia({ colorScheme });
        const contrasts = await page.evaluate<readonly (readonly [string, number])[]>(CONTRASTS);
        expect(contrasts.length).toBeGreaterThan(300);
        expect({ colorScheme, low: contrasts.filter(([, ratio]) => ratio < 4.5) }).toEqual({ colorScheme, low: [] });
      }
    },
  );

  test("shows the values at the pointer in every chart over time", async () => {
    const { page } = await opened(await resultHtml(openLoadResult), TALL);
    const box = (await page.locator("#rates .u-over").boundingBox())!;
    // Between 30 s and 31 s of 120 s.
    await page.mouse.move(box.x + (box.width * 30.5) / 120, box.y + 50);
    const told = async (id: string) => page.locator(`#${id}-legend output`).allTextContents();
    const { offered, started, completed } = openLoadResult.series![30]!;
    const rates = [offered, completed, started].map((count) => `${count}/s`);
    await expect.poll(async () => told("rates")).toEqual([...rates, "30.5 s"]);
    expect((await told("latency")).slice(-1)).toEqual(["30.5 s"]);
  });

  test("zooms into a dragged range, and back on a double click", async () => {
    const { page, trouble } = await opened(await resultHtml(openLoadResult), TALL);
    const before = await page.locator("#in-flight canvas").screenshot();
    const box = (await page.locator("#rates .u-over").boundingBox())!;
    await page.mouse.move(box.x + box.width * 0.5, box.y + 50);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.7, box.y + 50, { steps: 5 });
    await page.mouse.up();
    await page.mouse.move(0, 0);
    await expect.poll(async () => before.equals(await page.locator("#in-flight canvas").screenshot())).toBe(false);
    await page.mouse.dblclick(box.x + 20, box.y + 50);
    await page.mouse.move(0, 0);
    await expect.poll(async () => before.equals(await page.locator("#in-flight canvas").screenshot())).toBe(true);
    expect(trouble).toEqual([]);
  });

  test("shows hostile text as text", async () => {
    const hostile = `</script><script>alert(1)</script>"'><img src=x onerror=alert(1)><!-- &amp;`;
    const { series, phases, stalls, histograms } = openLoadResult;
    const named = phases!.map((phase) => ({ ...phase, name: hostile }));
    const result = {
      ...resultSaying(hostile),
      series: series!,
      phases: named,
      stalls: stalls!,
      histograms: histograms!,
    };
    const { page, trouble } = await opened(await resultHtml(result));
    expect(await page.getByText(hostile, { exact: true }).count()).toBeGreaterThan(8);
    expect(await page.locator("img, main script").count()).toBe(0);
    expect((await canvasesOf(page)).length).toBeGreaterThan(3);
    expect(trouble).toEqual([]);
  });

  test.each([
    ["light", 360],
    ["dark", 1_600],
  ] as const)(
    "a page of timelines fits, is legible in %s and shows hostile text as text",
    async (colorScheme, width) => {
      const hostile = `</title><script>alert(1)</script>"'><img src=x onerror=alert(1)>`;
      const order = toldInstance(
        [
          [0, episode],
          [0, started],
          [0, asksActivity(1, hostile)],
          [20, fails(1, hostile)],
          [50, { kind: "signalled", signal: "event", name: hostile }],
        ],
        { instanceId: hostile, name: hostile, status: hostile, missing: hostile },
      );
      const each = [order, fanOuts(300, 4)].map((instance) => timelinesOf([instance], BEGIN_US + 100_000));
      const { page, trouble } = await opened(timelinePage(each), { colorScheme, viewport: { width, height: 740 } });
      expect(await page.evaluate(OVERFLOW)).toBe(0);
      expect(await page.getByText(hostile).count()).toBeGreaterThan(5);
      expect(await page.locator("img, script").count()).toBe(0);
      const contrasts = await page.evaluate<readonly (readonly [string, number])[]>(CONTRASTS);
      expect(contrasts.filter(([, ratio]) => ratio < 4.5)).toEqual([]);
      // Each bar lies within its row, and each row has one.
      const bars = await page.evaluate<readonly number[]>(BARS_OUTSIDE);
      expect(bars).toEqual([0, expect.any(Number)]);
      expect(bars[1]).toBeGreaterThan(60);
      expect(trouble).toEqual([]);
    },
  );

  test("of 3,600 intervals is drawn within seconds on a busy machine", async () => {
    const long = Array.from({ length: 3_600 }, (_, index) => ({
      ...openLoadResult.series![index % 115]!,
      fromMs: index * 1_000,
    }));
    const { page, trouble } = await opened(
      await resultHtml({ ...openLoadResult, durationMs: 3_600_000, series: long }),
    );
    const loadedMs = await page.evaluate<number>("performance.getEntriesByType('navigation')[0].domComplete");
    expect(loadedMs).toBeLessThan(5_000);
    expect((await canvasesOf(page)).every(({ drawn }) => drawn > 2_000)).toBe(true);
    expect(trouble).toEqual([]);
  });
});
