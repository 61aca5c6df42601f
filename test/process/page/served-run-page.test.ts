import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { Page } from "playwright-core";
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
import { RunApi } from "../../support/e2e/run-api.js";
import { Workplace } from "../../support/e2e/workplace.js";
import { ENDLESS, inFlight, servingAll, SMALL } from "../../support/e2e/serving-runs.js";

/** Longer than any test. */
const LASTING = { rate: "10/s", duration: "10m", iterations: 1, parallelActivities: 1, workers: 1 };
const PATIENCE = { timeout: 45_000 };
const KEY = "correct-horse-battery";
const SCRIPT = `</script><script>window.hacked = true</script><img src=x onerror="window.hacked = true">`;

async function reportOf(page: Page, runId: string): Promise<void> {
  await page.waitForURL(`**/runs/${runId}/report`, PATIENCE);
  await says(page, "h1", /Interrupted|Completed/u);
}

describe.skipIf(!HAS_CHROMIUM)(`the page of a run of fanout serve (needs Chromium: ${CHROMIUM})`, () => {
  const opened = useChromium();
  let api: RunApi;
  let place: Workplace;

  beforeAll(async () => {
    ({ api, place } = await servingAll(" --max-runs 10"));
  });

  afterAll(() => place.close());

  /** Starts a run that does not outlive the test. */
  async function started(plan: object): Promise<string> {
    const { runId } = (await api.start(plan)).body;
    onTestFinished(async () => {
      await api.cancel(runId);
    });
    return runId;
  }

  test("is watched by two viewers to its end, one of them reloads it in the middle, and it becomes the report", async () => {
    const runId = await started({ ...LASTING, threshold: ["max<10m"] });
    const url = `${api.url}/runs/${runId}`;
    const viewers = [await opened(url), await opened(url)] as const;
    for (const { page } of viewers) {
      await says(page, "h1", /so far/u);
      await says(page, "#rates-legend", /completed [1-9]/u);
    }
    await viewers[0].page.reload();
    await says(viewers[0].page, "#rates-legend", /completed [1-9]/u);
    await says(viewers[0].page, "#thresholds tbody", "max<10m");
    await api.cancel(runId);
    for (const { page } of viewers) await reportOf(page, runId);
    const late = await opened(url);
    await reportOf(late.page, runId);
    expect([...viewers, late].flatMap(({ trouble }) => trouble)).toEqual([]);
  });

  test("leads to the report of a run that ends by itself", async () => {
    const runId = await started(SMALL);
    const { page } = await opened(`${api.url}/runs/${runId}`);
    await reportOf(page, runId);
    expect(await page.locator("h1").textContent()).toContain("Completed 3 orchestrations");
    const downloading = page.waitForEvent("download");
    await page.getByRole("link", { name: "Download the result" }).click();
    const download = await downloading;
    expect(download.suggestedFilename()).toBe(`${runId}.json`);
    expect(JSON.parse(await readFile(await download.path(), "utf8"))).toMatchObject({ runId, schemaVersion: 1 });
  });

  test("cancels the run by the keyboard alone, and only when one says so", async () => {
    const runId = await started(ENDLESS);
    await inFlight(api, runId);
    const { page, trouble } = await opened(`${api.url}/runs/${runId}`);
    const cancel = page.getByRole("button", { name: "Cancel the run" });
    await cancel.first().waitFor();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog", { name: "Cancel this run?" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "hidden" });
    expect((await api.get(runId)).body.status).toBe("running");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await page.waitForURL(`**/runs/${runId}/report`, PATIENCE);
    expect((await api.get(runId)).body.status).toBe("cancelled");
    expect(trouble).toEqual([]);
  });

  test("says why a run failed, also to a viewer that comes after it", async () => {
    await place.succeed("run --run-id taken --workers 1 --iterations 1 --parallel-activities 1");
    const runId = await started({ ...SMALL, runId: "taken" });
    await api.ended(runId);
    const { page, trouble } = await opened(`${api.url}/runs/${runId}`);
    await says(page, "h1", "The run failed");
    await says(page, "#detail", "taken");
    await says(page, "#link", "ended");
    expect(await page.getByRole("button").count()).toBe(0);
    await page.goto(`${api.url}/runs/${runId}/report`);
    await says(page, "h1", "The run failed");
    expect(trouble).toEqual([]);
  });

  test("ends with the session, shows the login, and leads back to the run", async () => {
    const place = await Workplace.open();
    const serve = place.startWith({ ...place.env, FANOUT_API_KEY: KEY }, "serve --port 0");
    const api = await RunApi.of(serve, { "x-api-key": KEY });
    const { runId } = (await api.start(LASTING)).body;
    const { page } = await opened(`${api.url}/runs/${runId}`, { isNew: true });
    const logIn = async (): Promise<void> => {
      await page.getByLabel("API key").fill(KEY);
      await page.keyboard.press("Enter");
      await says(page, "h1", /so far/u);
    };
    await logIn();
    const home = await page.context().newPage();
    await home.goto(api.url);
    await home.getByRole("button", { name: "Log out" }).click();
    await says(page, "h1", "Log in");
    // Who came in with the key stays.
    for await (const { event } of api.events(runId)) if (event === "update") break;
    await logIn();
    expect(page.url()).toBe(`${api.url}/runs/${runId}`);
  });

  test("of an unknown run says so, and leads to all runs", async () => {
    for (const runId of ["rnobody", SCRIPT]) {
      for (const path of ["", "/report"]) {
        const { page } = await opened(`${api.url}/runs/${encodeURIComponent(runId)}${path}`);
        await says(page, "h1", "Not found");
        await says(page, "p", `The server has no run ${runId}.`);
        expect(await page.evaluate("window.hacked")).toBeUndefined();
        expect(await page.getByRole("link").first().getAttribute("href")).toBe("/");
        expect(await barriersOf(page)).toEqual([]);
      }
    }
  });

  test("runs no script of a label, a name, an input or what the run says, and neither does its report", async () => {
    const plan = { orchestrator: SCRIPT, input: { text: SCRIPT }, label: [`note=${SCRIPT}`], workerTimeout: "30s" };
    const runId = await started(plan);
    const { page, trouble } = await opened(`${api.url}/runs/${runId}`);
    for (const part of ["#plan", "#labels", "#detail", "#lines"]) await says(page, part, SCRIPT);
    expect(await page.evaluate("window.hacked")).toBeUndefined();
    await api.cancel(runId);
    await page.waitForURL(`**/runs/${runId}/report`, PATIENCE);
    await says(page, ".plan", SCRIPT);
    await says(page, ".labels", SCRIPT);
    expect(await page.evaluate("window.hacked")).toBeUndefined();
    expect(await page.locator("img").count()).toBe(0);
    expect(await page.getByRole("link", { name: "fanout" }).getAttribute("href")).toBe("/");
    expect(trouble).toEqual([]);
  });

  test("is as wide as the screen at 360 px, and has no serious barrier, in light and in dark", async () => {
    const runId = await started({ ...ENDLESS, label: ["team=blue"] });
    const { page } = await opened(`${api.url}/runs/${runId}`, { viewport: { width: 360, height: 800 } });
    await says(page, "#labels", "team=blue");
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await overflowOf(page)).toBe(0);
      expect(await backgroundOf(page)).toBe(BACKGROUNDS[colorScheme]);
      expect(await barriersOf(page)).toEqual([]);
      await page.getByRole("button", { name: "Cancel the run" }).click();
      await page.getByRole("dialog").waitFor();
      expect(await overflowOf(page)).toBe(0);
      expect(await barriersOf(page)).toEqual([]);
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "hidden" });
    }
  });
});
