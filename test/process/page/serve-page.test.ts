import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { Page } from "playwright-core";
import { freePort } from "../../support/backend/free-port.js";
import { SchedulerServer } from "../../support/backend/scheduler-server.js";
import { RunApi } from "../../support/e2e/run-api.js";
import { ENDLESS, serving, servingAll, SMALL } from "../../support/e2e/serving-runs.js";
import { Workplace } from "../../support/e2e/workplace.js";
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

const KEY = "correct-horse-battery";
const SCRIPT = `</script><script>window.hacked = true</script><img src=x onerror="window.hacked = true">`;
const PATIENCE = { timeout: 45_000 };

async function endedRun(api: RunApi, plan: object = SMALL): Promise<string> {
  const { runId } = (await api.start(plan)).body;
  await api.ended(runId);
  return runId;
}

interface Listed {
  readonly actions?: number;
  readonly runId: string;
}

/** The runs of a server, the latest first. */
async function runsOf(api: RunApi): Promise<readonly Listed[]> {
  return (await api.ask<{ runs: readonly Listed[] }>("/api/v1/runs")).body.runs;
}

/** A `fanout serve` on a backend that may bill. */
async function billing(): Promise<{ readonly api: RunApi }> {
  const scheduler = await SchedulerServer.start();
  onTestFinished(() => scheduler.close());
  const place = await Workplace.open();
  const connection = `Endpoint=http://localhost:${scheduler.port};Authentication=None;TaskHub=h`;
  return { api: await RunApi.of(place.start("serve --port 0", "--connection-string", connection)) };
}

async function fill(page: Page, values: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, value] of Object.entries(values)) await page.locator(`#plan-${name}`).fill(value);
}

describe.skipIf(!HAS_CHROMIUM)(`the first page of fanout serve (needs Chromium: ${CHROMIUM})`, () => {
  const opened = useChromium();
  let api: RunApi;
  let place: Workplace;

  beforeAll(async () => {
    ({ api, place } = await servingAll());
  });

  afterAll(() => place.close());

  test("starts a run from the form, whose plan line follows the typing, and leads to its page", async () => {
    const { page, trouble } = await opened(api.url);
    await says(page, "#place", "On the embedded emulator, task hub default.");
    await says(page, "#forecast", "1 orchestration x 10 iterations x 5 activities = 50 activities, 101 actions");
    await fill(page, { iterations: "2", parallelOrchestrations: "3" });
    await says(page, "#forecast", "3 orchestrations x 2 iterations x 5 activities = 30 activities, 63 actions");
    expect(new URL(page.url())).toMatchObject({ search: "", hash: "#iterations=2&parallelOrchestrations=3" });
    await page.evaluate("location.hash = '#iterations=4'");
    await says(page, "#forecast", "1 orchestration x 4 iterations");
    await fill(page, { iterations: "2", parallelOrchestrations: "3" });
    await says(page, "#forecast", "3 orchestrations x 2 iterations");
    await page.getByRole("button", { name: "Start the run" }).click();
    await page.waitForURL("**/runs/*/report", PATIENCE);
    await says(page, "h1", "Completed 3 orchestrations");
    const [, runId = ""] = /\/runs\/(\w+)\//u.exec(page.url()) ?? [];
    await page.goto(api.url);
    const row = page.locator("#runs tbody tr").filter({ hasText: runId });
    await row.filter({ hasText: "✓ completed" }).filter({ hasText: /\d\/s/u }).waitFor();
    expect(trouble).toEqual([]);
  });

  test("says what is wrong beside its field, opens what hides it, and goes to it at a start", async () => {
    const before = await runsOf(api);
    const { page, trouble } = await opened(`${api.url}/#duration=1m&seed=x`);
    await says(page, "#wrong-seed", "Expected");
    await fill(page, { rate: "fast" });
    await says(page, "#wrong-rate", 'Expected a rate such as 50/s, 0.5/s or 90/m, at most 100,000/s, found "fast".');
    const rate = page.getByLabel("Rate").first();
    expect(await rate.getAttribute("aria-invalid")).toBe("true");
    await page.getByRole("button", { name: "Start the run" }).click();
    await expect.poll(() => page.evaluate("document.activeElement.name")).toBe("rate");
    await fill(page, { rate: "50/s", seed: "" });
    await says(page, "#forecast", "open load, 50/s for 1m");
    expect(await page.locator("#wrong-rate").isVisible()).toBe(false);
    await fill(page, { orchestrations: "[" });
    await says(page, "#wrong-orchestrations", "Expected JSON, found something else.");
    expect(await runsOf(api)).toEqual(before);
    expect(trouble).toEqual([]);
  });

  test("says why a start was refused that the plan is not to blame for, and still what the plan would do", async () => {
    const { api } = await serving();
    await api.start(ENDLESS);
    const { page, trouble } = await opened(`${api.url}/#iterations=1`);
    await says(page, "#forecast", "11 actions");
    await page.getByRole("button", { name: "Start the run" }).click();
    await says(
      page,
      "#refused",
      "The server makes at most 1 run at a time (--max-runs). Try again when a run has ended",
    );
    await says(page, "#forecast", "11 actions");
    await page.route("**/api/v1/runs", (route) => route.abort());
    await page.getByRole("button", { name: "Start the run" }).click();
    await says(page, "#refused", "The server does not answer. Start again: it starts one run only.");
    await says(page, "#forecast", "11 actions");
    expect(trouble.filter((text) => !text.includes("Failed to load resource"))).toEqual([]);
  });

  test("says of a run that its result is gone", async () => {
    const { api } = await serving();
    const runId = await endedRun(api);
    const { body } = await api.ask<{ runs: object[] }>("/api/v1/runs");
    const error = { code: "no-result", message: "The server holds the result no more." };
    const { page } = await opened(api.url);
    await says(page, "#runs tbody", runId);
    await page.route("**/api/v1/runs", (route) =>
      route.fulfill({ json: { runs: body.runs.map((run) => ({ ...run, error })) } }),
    );
    await says(page, "#runs tbody", "completed, result gone");
    expect(await page.getByLabel(`Compare ${runId}`).isDisabled()).toBe(true);
  });

  test("asks, with the number of actions, before a run that may be billed", async () => {
    const { api } = await billing();
    const { page } = await opened(`${api.url}/#iterations=1`);
    await says(page, "#forecast", "11 actions may be billed.");
    await page.getByRole("button", { name: "Start the run" }).click();
    await page.getByRole("dialog", { name: "This run may be billed" }).waitFor();
    await says(page, "#confirm-text", "It may cost up to 11 actions on http");
    expect(await barriersOf(page)).toEqual([]);
    await page.keyboard.press("Escape");
    expect(await runsOf(api)).toEqual([]);
    await page.getByRole("button", { name: "Start the run" }).click();
    await page.getByRole("button", { name: "Start, for up to 11 actions" }).click();
    await page.waitForURL("**/runs/*", PATIENCE);
    const runs = await runsOf(api);
    expect(runs).toMatchObject([{ actions: 11 }]);
    await api.cancel(runs[0]!.runId);
    await api.ended(runs[0]!.runId);
  });

  test("names the starts before a run of orchestrations whose actions are unknown", async () => {
    const { api } = await billing();
    const { page } = await opened(`${api.url}/#orchestrator=Order&parallelOrchestrations=1000`);
    await says(page, "#forecast", "Its actions may be billed.");
    const sent = page.waitForRequest(
      (request) => request.method() === "POST" && request.url().endsWith("/api/v1/runs"),
    );
    await page.getByRole("button", { name: "Start the run" }).click();
    await says(page, "#confirm-text", "It may make up to 1,000 starts, whose actions are unknown, on http");
    await page.getByRole("button", { name: "Start up to 1,000 orchestrations, at an unknown cost" }).click();
    expect((await sent).postDataJSON()).toMatchObject({ orchestrator: "Order", maxActions: 1_000 });
  });

  test("asks before a start on a backend that does not answer, whatever the address says", async () => {
    const place = await Workplace.open();
    const connection = `Endpoint=http://localhost:${await freePort()};Authentication=None;TaskHub=h`;
    const serve = place.start("serve --port 0", "--connection-string", connection);
    const [, url = ""] = await serve.says(/^Orchestration API on (http[^,]+),/mu);
    const { page } = await opened(`${url}/#iterations=1&maxActions=1000`);
    await says(page, "#forecast", "11 actions may be billed.");
    await page.getByRole("button", { name: "Start the run" }).click();
    await says(
      page,
      "#confirm-text",
      "It may cost up to 11 actions on the backend, which does not answer yet and may bill them.",
    );
    expect(await barriersOf(page)).toEqual([]);
  });

  test("starts what was written when somebody types while the start is checked", async () => {
    const before = await runsOf(api);
    const { page } = await opened(`${api.url}/#iterations=1`, { isNew: true });
    await says(page, "#forecast", "1 iteration ");
    await page.clock.install();
    const held = Promise.withResolvers<() => void>();
    await page.route("**/api/v1/plans", (route) => held.resolve(() => void route.continue()), { times: 1 });
    await page.getByRole("button", { name: "Start the run" }).click();
    const goOn = await held.promise;
    await fill(page, { iterations: "2" });
    // The pause after the last key is over.
    await page.clock.runFor(1_000);
    goOn();
    await page.waitForURL("**/runs/*/report", PATIENCE);
    const runs = await runsOf(api);
    expect(runs).toHaveLength(before.length + 1);
    expect(runs[0]).toMatchObject({ plan: { iterations: 1 } });
  });

  test("says that the backend is away, and which one it is when it is there", async () => {
    const port = await freePort();
    const place = await Workplace.open();
    const connection = `Endpoint=http://localhost:${port};Authentication=None;TaskHub=h`;
    const serve = place.start("serve --port 0", "--connection-string", connection);
    const [, url = ""] = await serve.says(/^Orchestration API on (http[^,]+),/mu);
    const { page, trouble } = await opened(url);
    await says(page, "#place", "The backend does not answer yet.");
    await says(page, "#forecast", "101 actions");
    const scheduler = await SchedulerServer.start(undefined, port);
    onTestFinished(() => scheduler.close());
    await says(page, "#place", `On http://localhost:${port}, task hub h.`);
    await says(page, "#forecast", "101 actions may be billed.");
    expect(trouble).toEqual([]);
  });

  test("compares two runs, the older one as the baseline", async () => {
    const [first, second] = [await endedRun(api), await endedRun(api)];
    const { page, trouble } = await opened(api.url);
    const compare = page.getByRole("button", { name: "Compare" });
    await page.getByLabel(`Compare ${second}`).check();
    expect(await compare.isDisabled()).toBe(true);
    await page.getByLabel(`Compare ${first}`).check();
    await compare.click();
    await page.waitForURL(`**/compare?baseline=${first}&new=${second}`);
    await says(page, "h2", `${second} against ${first}`);
    expect(await barriersOf(page)).toEqual([]);
    expect(await page.getByRole("link", { name: first }).getAttribute("href")).toBe(`/runs/${first}/report`);
    await page.getByRole("link", { name: "fanout" }).click();
    await says(page, "h2", "Start a run");
    await page.goto(`${api.url}/compare?baseline=${first}&new=nobody`);
    await says(page, "h1", "Not found");
    await page.goto(`${api.url}/compare?baseline=${first}&new=${first}`);
    await says(page, "h1", "That cannot be asked");
    expect(trouble.filter((text) => !text.includes("Failed to load resource"))).toEqual([]);
  });

  test("shows the runs on the task hub, and the timeline of one of their instances", async () => {
    const { api } = await serving();
    const runId = await endedRun(api);
    const { page, trouble } = await opened(api.url);
    await page.getByRole("button", { name: "Ask the backend" }).click();
    await says(page, "#hub", "3 instances, 3 Completed");
    await says(page, "#hub-note", /^1 run$/u);
    await page.route("**/hub/runs/search", (route) => route.fulfill({ json: { runs: [], more: true } }), { times: 1 });
    await page.getByRole("button", { name: "Ask the backend" }).click();
    await says(page, "#hub-note", "0 runs. The search was cut");
    const busy = { detail: "Other searches are under way.", hint: "Try again in a few seconds." };
    await page.route("**/hub/runs/search", (route) => route.fulfill({ status: 429, json: busy }), { times: 1 });
    await page.getByRole("button", { name: "Ask the backend" }).click();
    await says(page, "#hub-note", "Other searches are under way. Try again in a few seconds.");
    await page.getByRole("button", { name: "Ask the backend" }).click();
    await page.route("**/instances", (route) => route.abort(), { times: 1 });
    const summary = page.locator("#hub summary");
    await summary.click();
    await says(page, "#hub", "The server does not answer.");
    await summary.click();
    await summary.click();
    await page.locator("#hub a").first().click();
    await page.waitForURL("**/timelines/*");
    await says(page, "h1", runId);
    await page.locator(".timeline li").first().waitFor();
    expect(await barriersOf(page)).toEqual([]);
    await page.goto(`${api.url}/timelines/nobody`);
    await says(page, "h1", "Not found");
    expect(trouble.filter((text) => !text.includes("Failed to load resource"))).toEqual([]);
  });

  test("logs in with the key, stays logged in where a link leads, and logs out", async () => {
    const place = await Workplace.open();
    const serve = place.startWith({ ...place.env, FANOUT_API_KEY: KEY }, "serve --port 0");
    const api = await RunApi.of(serve, { "x-api-key": KEY });
    const runId = await endedRun(api);
    const { page, trouble } = await opened(`${api.url}/runs/${runId}/report`, { isNew: true });
    await says(page, "h1", "Log in");
    await page.getByLabel("API key").fill("not the key of it");
    await page.getByRole("button", { name: "Log in" }).click();
    await says(page, "#trouble", "That is not the key of this server.");
    expect(await barriersOf(page)).toEqual([]);
    await page.getByLabel("API key").fill(KEY);
    await page.keyboard.press("Enter");
    await page.waitForURL(`**/runs/${runId}/report`);
    await says(page, "h1", "Completed");
    // As after a link of another site, with which the browser does not send the cookie.
    await page.goto(`${api.url}/login?next=${encodeURIComponent("/")}#iterations=7`);
    await page.waitForURL("**/#iterations=7");
    await says(page, "#runs tbody", runId);
    await says(page, "#forecast", "7 iterations");
    const [cookie] = await page.context().cookies();
    expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Strict", secure: false });
    expect(await page.evaluate("document.cookie")).toBe("");
    const input = JSON.stringify("x".repeat(20_000));
    await page.locator("#more summary").first().click();
    await fill(page, { input, orchestrator: "Order" });
    await says(page, "#forecast", "Order, whose activities and actions are unknown");
    await page.context().clearCookies();
    await page.reload();
    await says(page, "h1", "Log in");
    await page.getByLabel("API key").fill("not the key of it");
    await page.keyboard.press("Enter");
    await says(page, "#trouble", "That is not the key of this server.");
    await page.getByLabel("API key").fill(KEY);
    await page.keyboard.press("Enter");
    await says(page, "#forecast", "Order, whose activities and actions are unknown");
    expect(await page.locator("#plan-input").inputValue()).toBe(input);
    await page.getByRole("button", { name: "Log out" }).click();
    await says(page, "h1", "Log in");
    await page.goto(api.url);
    await says(page, "h1", "Log in");
    expect(trouble.filter((text) => !text.includes("Failed to load resource"))).toEqual([]);
  });

  test("runs no script of a run, a name or an address", async () => {
    await endedRun(api, { ...SMALL, label: [`a=${SCRIPT}`], threshold: ["max<10m"] });
    const { page, trouble } = await opened(
      `${api.url}/#${new URLSearchParams({ rate: SCRIPT, label: SCRIPT }).toString()}`,
    );
    await says(page, "#wrong-rate", "window.hacked");
    for (const path of [
      `/runs/${encodeURIComponent(SCRIPT)}`,
      `/compare?baseline=${encodeURIComponent(SCRIPT)}&new=x`,
    ]) {
      await page.goto(api.url + path);
      await says(page, "main", "window.hacked");
    }
    await page.goto(`${api.url}/timelines/${encodeURIComponent(SCRIPT)}`);
    await says(page, "h1", "Not found");
    expect(await page.evaluate("window.hacked")).toBeUndefined();
    expect(await page.locator("img").count()).toBe(0);
    expect(trouble.filter((text) => !text.includes("Failed to load resource"))).toEqual([]);
    const policy = (await fetch(api.url)).headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toContain("unsafe");
  });

  test("starts a run by the keyboard alone", async () => {
    const { page } = await opened(api.url);
    await says(page, "#forecast", "101 actions");
    const focused = (): Promise<string> =>
      page.evaluate<string>("document.activeElement.id || document.activeElement.textContent");
    const order: string[] = [];
    while (order.at(-1) !== "start-button") {
      await page.keyboard.press("Tab");
      order.push(await focused());
      if (order.at(-1) === "plan-iterations") await page.keyboard.type("1");
      if (order.length > 50) throw new Error(`Expected to reach the button, found ${order.join(", ")}`);
    }
    expect(order.slice(0, 3)).toEqual(["fanout", "HTTP API", "plan-iterations"]);
    await page.keyboard.press("Enter");
    await page.waitForURL("**/runs/*/report", PATIENCE);
    await says(page, "h1", "Completed 1 orchestration");
  });

  test("is as wide as the screen at 360 px, and has no serious barrier, in light and in dark", async () => {
    await endedRun(api);
    const { page } = await opened(`${api.url}/#rate=fast&duration=1m&seed=x`, {
      viewport: { width: 360, height: 800 },
    });
    await says(page, "#wrong-rate", "Expected");
    await says(page, "#runs tbody", "completed");
    await page.getByRole("button", { name: "Ask the backend" }).click();
    await says(page, "#hub", "3 instances");
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      expect(await overflowOf(page)).toBe(0);
      expect(await backgroundOf(page)).toBe(BACKGROUNDS[colorScheme]);
      expect(await barriersOf(page)).toEqual([]);
    }
  });
});
