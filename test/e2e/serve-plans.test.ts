import { expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import type { PlanCheck } from "../../src/http/site/plan-schemas.js";
import { freePort } from "../support/backend/free-port.js";
import { SchedulerServer } from "../support/backend/scheduler-server.js";
import { RunApi, RUNS, type Answer } from "../support/e2e/run-api.js";
import { serving, SMALL } from "../support/e2e/serving-runs.js";
import { ForwardingBackend } from "../support/hub/forwarding-backend.js";
import { Workplace } from "../support/e2e/workplace.js";

const PLANS = "/api/v1/plans";
const HUB_SEARCH = "/api/v1/hub/runs/search";
const startOperation = z.object({
  requestBody: z.object({
    content: z.object({
      "application/json": z.object({ schema: z.object({ properties: z.record(z.string(), z.unknown()) }) }),
    }),
  }),
});
const JSON_TYPE = { "content-type": "application/json" };

function check(api: RunApi, plan: unknown): Promise<Answer<PlanCheck>> {
  return api.ask(PLANS, { method: "POST", body: JSON.stringify(plan), headers: JSON_TYPE });
}

test("a plan is checked without a start: what it would do, and what is wrong by key", async () => {
  const { api, place } = await serving();
  const backend = { name: "the embedded emulator", taskHub: "default", mayBill: false };
  expect(await check(api, SMALL)).toMatchObject({
    status: 200,
    body: {
      valid: true,
      errors: [],
      planLine: "3 orchestrations x 1 iteration x 2 activities = 6 activities, 15 actions",
      actions: 15,
      starts: 3,
      backend,
    },
  });
  const wrong = (await check(api, { rate: "fast", duration: "1m", colour: 1 })).body;
  expect(wrong).toEqual({ valid: false, errors: [expect.objectContaining({ field: "colour" })], backend });
  const several = (await check(api, { rate: "fast", duration: "soon" })).body;
  expect(several.errors.map(({ field = "" }) => field).toSorted((a, b) => a.localeCompare(b))).toEqual([
    "duration",
    "rate",
  ]);
  expect((await check(api, { ...SMALL, maxActions: 3 })).body).toMatchObject({
    valid: true,
    refusal: { field: "maxActions", detail: expect.stringContaining("this run costs 15 actions") },
  });
  expect(await check(api, [])).toMatchObject({ status: 400 });
  expect((await api.ask(RUNS)).body).toEqual({ runs: [] });
  expect((await place.runningEmulator()).instances).toBe(0);
});

test("the form has a field for each key of a plan", async () => {
  const { api } = await serving();
  const { body } = await api.ask<{ paths: Readonly<Record<string, unknown>> }>("/openapi.json");
  const { post } = z.object({ post: startOperation }).parse(body.paths[RUNS]);
  const keys = Object.keys(post.requestBody.content["application/json"].schema.properties);
  const page = await (await fetch(api.url)).text();
  const fields = [...page.matchAll(/data-key="(\w+)"/gu)].map(([, key = ""]) => key);
  expect(fields.toSorted((a, b) => a.localeCompare(b))).toEqual(keys.toSorted((a, b) => a.localeCompare(b)));
  expect(keys).toContain("iterations");
});

test("on a backend that may bill, a plan without a bound would be refused, and so says the check", async () => {
  const scheduler = await SchedulerServer.start();
  onTestFinished(() => scheduler.close());
  const place = await Workplace.open();
  const connection = `Endpoint=http://localhost:${scheduler.port};Authentication=None;TaskHub=h`;
  const api = await RunApi.of(place.start("serve --port 0", "--connection-string", connection));
  expect((await check(api, SMALL)).body).toMatchObject({
    valid: true,
    actions: 15,
    refusal: { field: "maxActions", detail: expect.stringContaining("maxActions 15") },
    backend: { taskHub: "h", mayBill: true },
  });
  expect((await check(api, { ...SMALL, maxActions: 15 })).body).not.toHaveProperty("refusal");
  for (const own of [{ orchestrator: "Order" }, { orchestrations: [{ orchestrator: "Order", weight: 1 }] }]) {
    const plan = { ...own, parallelOrchestrations: 1_000 };
    const { body } = await check(api, plan);
    expect(body).toMatchObject({
      starts: 1_000,
      refusal: { detail: expect.stringMatching(/1,000 orchestrations of unknown cost.*maxActions 1,000.*the starts/u) },
    });
    expect(body).not.toHaveProperty("actions");
    const bounded = (await check(api, { ...plan, maxActions: 1_000 })).body;
    expect(bounded).not.toHaveProperty("refusal");
    expect(bounded).not.toHaveProperty("actions");
  }
  expect(scheduler.calls.map(({ method }) => method)).not.toContain("StartInstance");
});

test("while the backend does not answer, the check is as if it may bill", async () => {
  const port = await freePort();
  const place = await Workplace.open();
  const connection = `Endpoint=http://localhost:${port};Authentication=None;TaskHub=h`;
  const serve = place.start("serve --port 0", "--connection-string", connection);
  const [, url = ""] = await serve.says(/^Orchestration API on (http[^,]+),/mu);
  const answer = await fetch(url + PLANS, { method: "POST", body: JSON.stringify(SMALL), headers: JSON_TYPE });
  const body = await answer.json();
  expect(body).toMatchObject({ valid: true, actions: 15, refusal: { field: "maxActions" } });
  expect(body).not.toHaveProperty("backend");
});

test("the runs on the task hub are listed, with their first instances and the timeline of each", async () => {
  const { api, place } = await serving();
  await place.succeed(
    "run --run-id nightly --workers 1 --iterations 1 --parallel-activities 1 --parallel-orchestrations 2",
  );
  expect((await api.ask(HUB_SEARCH, { method: "POST" })).body).toEqual({
    runs: [expect.objectContaining({ runId: "nightly", instances: 2, ended: 2, byStatus: { Completed: 2 } })],
    more: false,
  });
  // As a browser asks for an image, and then posts a form, of another site over http.
  expect(await api.ask(HUB_SEARCH)).toMatchObject({ status: 405 });
  const headers = { origin: "http://evil.example" };
  expect(await api.ask(HUB_SEARCH, { method: "POST", headers })).toMatchObject({ status: 403 });
  const { body } = await api.ask<{ instances: { instanceId: string }[] }>("/api/v1/hub/runs/nightly/instances");
  expect(body).toMatchObject({ instances: [{ status: "Completed" }, { status: "Completed" }], more: false });
  const page = await fetch(`${api.url}/timelines/${body.instances[0]!.instanceId}`);
  expect(page.headers.get("content-security-policy")).toContain("frame-ancestors 'none'");
  expect(await page.text()).toContain("Completed");
  expect(await api.ask("/api/v1/hub/runs/nobody/instances")).toMatchObject({ body: { instances: [], more: false } });
});

test("a backend that lacks the calls says so, in JSON and on a page", async () => {
  const place = await Workplace.open();
  await place.succeed("run --run-id nightly --workers 1 --iterations 1 --parallel-activities 1");
  const backend = await ForwardingBackend.start(`unix:${place.socket}`, ["QueryInstances", "StreamInstanceHistory"]);
  onTestFinished(() => backend.close());
  const connection = backend.connectionString("default");
  const api = await RunApi.of(place.start("serve --port 0", "--connection-string", connection));
  for (const [method, path] of [
    ["POST", HUB_SEARCH],
    ["GET", "/api/v1/hub/runs/nightly/instances"],
  ] as const)
    expect(await api.ask(path, { method })).toMatchObject({ status: 501, body: { code: "call-unsupported" } });
  const page = await fetch(`${api.url}/timelines/nightly-00000-000`, { headers: { accept: "text/html" } });
  expect(page.status).toBe(501);
  expect(await page.text()).toMatch(/<h1>This backend cannot tell<\/h1>[\s\S]*StreamInstanceHistory/u);
});

test("with a key, pages lead to the login, and the session starts a run, reads it and follows its events", async () => {
  const place = await Workplace.open();
  const key = "correct-horse-battery";
  const serve = place.startWith({ ...place.env, FANOUT_API_KEY: key }, "serve --port 0");
  const api = await RunApi.of(serve);
  for (const path of ["/", "/runs/r1", "/runs/r1/report", "/compare?baseline=a&new=b", "/timelines/x"]) {
    const page = await fetch(api.url + path, { redirect: "manual", headers: { accept: "text/html" } });
    expect(page.status).toBe(303);
    expect(page.headers.get("location")).toBe(`/login?next=${encodeURIComponent(path)}`);
  }
  for (const path of [PLANS, RUNS, HUB_SEARCH, "/api/v1/session"]) {
    const method = path === PLANS || path === HUB_SEARCH ? "POST" : "GET";
    expect(await api.ask(path, { method })).toMatchObject({ status: 401, body: { code: "unauthorized" } });
  }
  const login = await fetch(`${api.url}/login`, {
    method: "POST",
    redirect: "manual",
    body: new URLSearchParams({ key, next: "/" }),
  });
  expect(login.headers.get("location")).toBe("/");
  const cookie = login.headers.get("set-cookie")!.split(";", 1)[0]!;
  expect(await (await fetch(api.url, { headers: { cookie } })).text()).toContain("Log out");
  const headers = { cookie, ...JSON_TYPE };
  const start = (more: object): Promise<Answer<{ runId: string }>> =>
    api.ask(RUNS, { method: "POST", body: JSON.stringify(SMALL), headers: { ...headers, ...more } });
  expect(await start({})).toMatchObject({ status: 403 });
  expect(await start({ origin: "https://evil.example" })).toMatchObject({ status: 403 });
  expect(await start({ origin: api.url, "sec-fetch-site": "same-site" })).toMatchObject({ status: 403 });
  const started = await start({ origin: api.url });
  expect(started.status).toBe(201);
  const events = await fetch(`${api.url}${RUNS}/${started.body.runId}/events`, { headers: { cookie } });
  expect(events.headers.get("content-type")).toBe("text/event-stream");
  await events.body?.cancel();
  expect(serve.output).not.toContain(key);
});
