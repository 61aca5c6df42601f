import { describe, expect, onTestFinished, test } from "vitest";
import { startLivePage } from "../../../src/http/live-page.js";
import { LiveHub } from "../../../src/live/live-hub.js";
import type { LiveUpdate } from "../../../src/live/live-update.js";
// As built: the report holds the source of functions, which no transform may have touched.
import { resultHtml } from "../../../dist/report/html.js";
import {
  backgroundOf,
  BACKGROUNDS,
  barriersOf,
  CHROMIUM,
  HAS_CHROMIUM,
  overflowOf,
  says,
  useChromium,
} from "../../support/page/chromium.js";
import { openLoadResult } from "../../support/report/open-load-result.js";
import { sampleUpdate, updateSaying } from "../../support/live/sample-update.js";

/** The left edge of each plot. */
const PLOT_EDGES = `[...document.querySelectorAll(".u-over")].map((plot) => Math.round(plot.getBoundingClientRect().left))`;
/** The names of what the Tab key reaches, in its order. */
const FOCUSED = `document.activeElement.getAttribute("aria-label") ?? document.activeElement.tagName`;
/** A server of the page that says what the test lets it say. */
async function served(first?: LiveUpdate) {
  const hub = new LiveHub();
  let report: string | undefined;
  const server = await startLivePage({ port: 0, hub, report: () => report, refresh: () => {}, onViewers: () => {} });
  onTestFinished(() => server.close());
  if (first) hub.publish(first);
  return {
    ...server,
    hub,
    finish: (html: string): void => {
      report = html;
      hub.publish({ ...sampleUpdate, phase: { kind: "ended", report: "/report" } });
    },
  };
}

describe.skipIf(!HAS_CHROMIUM)(`the live page in a browser (needs Chromium: ${CHROMIUM})`, () => {
  const opened = useChromium();

  test("answers the question first, draws the charts on one time axis, and complains about nothing", async () => {
    const { url } = await served(sampleUpdate);
    const { page, trouble } = await opened(url);
    await says(page, "h1", "Does not hold so far: 1 threshold missed");
    await says(page, "#detail", "40 s of 1m, 2 failed");
    await says(page, "#started", "2,006");
    await says(page, "#thresholds tbody", "410 ms");
    await says(page, "#stalls tbody", "2.04 s");
    await says(page, "#rates-legend", "offered 50/s");
    const edges = await page.evaluate<readonly number[]>(PLOT_EDGES);
    expect(edges).toHaveLength(4);
    expect(new Set(edges).size).toBe(1);
    expect(trouble).toEqual([]);
  });

  test("says the same to two viewers, after a reload, and to one that comes late", async () => {
    const { url, hub } = await served(sampleUpdate);
    const [first, second] = [await opened(url), await opened(url)];
    await Promise.all([first, second].map(({ page }) => says(page, "h1", "Does not hold so far")));
    expect(hub.viewers).toBe(2);
    await first.page.reload();
    await says(first.page, "#rates-legend", "offered 50/s");
    const { snapshot } = sampleUpdate;
    const more = { index: 40, offered: 51, started: 51, completed: 51, failed: 0 };
    hub.publish({
      ...sampleUpdate,
      snapshot: { ...snapshot, elapsedMs: 41_100 },
      series: { widthMs: 1_000, intervals: [more] },
    });
    for (const { page } of [first, second, await opened(url)]) await says(page, "#rates-legend", "offered 51/s");
  });

  test("becomes the finished report", async () => {
    const { url, finish } = await served(sampleUpdate);
    const { page, trouble } = await opened(url);
    await says(page, "#link", "live");
    finish(await resultHtml(openLoadResult));
    await page.waitForURL(new URL("report", url).href);
    await says(page, "h1", /Incomplete|Completed/u);
    expect(await page.evaluate("document.querySelectorAll('canvas').length")).toBeGreaterThan(0);
    const late = await opened(url);
    expect(late.page.url()).toBe(new URL("report", url).href);
    expect([...trouble, ...late.trouble]).toEqual([]);
  });

  test("tells that the connection is lost, and shows the run again when it is back", async () => {
    const { url, hub } = await served(sampleUpdate);
    const { page } = await opened(url);
    await says(page, "#link", "live");
    await page.route("**/events", (route) => route.abort());
    hub.dropAll();
    await says(page, "#link", "connection lost");
    await says(page, "#lost", "The connection to the run is lost.");
    await page.unroute("**/events");
    await says(page, "#link", "live");
    expect(await page.locator("#lost").isVisible()).toBe(false);
  });

  test("tells that a run failed, and does not ask again", async () => {
    const { url, hub } = await served(sampleUpdate);
    const { page } = await opened(url);
    await says(page, "#link", "live");
    hub.publish({ ...sampleUpdate, phase: { kind: "failed", why: "The backend does not answer." } });
    await says(page, "h1", "The run failed");
    await says(page, "#detail", "The backend does not answer.");
    await says(page, "#link", "ended");
    await expect.poll(() => hub.viewers).toBe(0);
  });

  test("runs no script of a run: its texts are texts", async () => {
    const text = `</script><script>window.hacked = true</script><img src=x onerror="window.hacked = true">`;
    const { url } = await served(updateSaying(text));
    const { page, trouble } = await opened(url);
    for (const part of ["#plan", "#labels", "#detail", "#thresholds", "#verdict", "#counts", "#lines"])
      await says(page, part, text);
    expect(await page.evaluate("window.hacked")).toBeUndefined();
    expect(await page.locator("img").count()).toBe(0);
    expect(trouble).toEqual([]);
  });

  test("its policy allows no script of anyone else", async () => {
    const { url } = await served(sampleUpdate);
    const { page } = await opened(url);
    await page.evaluate(
      `{ const script = document.createElement("script"); script.textContent = "window.hacked = true"; document.body.append(script); }`,
    );
    expect(await page.evaluate("window.hacked")).toBeUndefined();
    const policy = (await fetch(url)).headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain("unsafe");
  });

  test("is as wide as the screen at 360 px, and has no serious barrier, in light and in dark", async () => {
    const { url } = await served({ ...sampleUpdate, verdict: updateSaying("a reason").verdict });
    const { page } = await opened(url, { viewport: { width: 360, height: 800 } });
    await says(page, "#rates-legend", "offered 50/s");
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await overflowOf(page)).toBe(0);
      expect(await backgroundOf(page)).toBe(BACKGROUNDS[colorScheme]);
      expect(await barriersOf(page)).toEqual([]);
    }
  });

  test("the keyboard reaches each table that may scroll", async () => {
    const { url } = await served(sampleUpdate);
    const { page } = await opened(url);
    await says(page, "#counts", "UNAVAILABLE");
    const names: string[] = [];
    for (let press = 0; press < 4; press += 1) {
      await page.keyboard.press("Tab");
      names.push(await page.evaluate<string>(FOCUSED));
    }
    expect(names).toEqual(["Thresholds so far", "Stalls", "Latency so far", "Orchestrations so far"]);
  });
});
