import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import type { LiveUpdate } from "../../src/live/live-update.js";
import type { Problem } from "../../src/http/problem.js";
import { parseRunResult } from "../support/e2e/checked-result.js";
import { RunApi, RUNS, type Answer, type ServerEvent } from "../support/e2e/run-api.js";
import { ENDLESS, inFlight, serving, servingAll, SMALL } from "../support/e2e/serving-runs.js";
import { parseExposition } from "../support/http/exposition-format.js";
import { Workplace } from "../support/e2e/workplace.js";
import { SchedulerServer } from "../support/backend/scheduler-server.js";

/** For tests that need no server of their own. */
let shared: Awaited<ReturnType<typeof servingAll>>;

beforeAll(async () => {
  shared = await servingAll(" --max-runs 5");
});

afterAll(() => shared.place.close());

async function idsOf(api: RunApi): Promise<readonly string[]> {
  const { runs } = (await api.ask<{ runs: readonly { runId: string }[] }>(RUNS)).body;
  return runs.map(({ runId }) => runId);
}

test("a run is started, followed, listed and read, and its result is that of fanout run", async () => {
  const { serve, api } = await serving();
  const started = await api.start({ ...SMALL, label: ["team=blue"], threshold: ["max<10m"] });
  expect(started.status).toBe(201);
  const { runId } = started.body;
  expect(started.headers.get("location")).toBe(`${RUNS}/${runId}`);
  expect(started.body).toMatchObject({
    status: "starting",
    planLine: "3 orchestrations x 1 iteration x 2 activities = 6 activities, 15 actions",
    actions: 15,
    plan: { parallelOrchestrations: 3, labels: { team: "blue" } },
  });
  const events: ServerEvent[] = [];
  for await (const event of api.events(runId)) events.push(event);
  expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
  expect(events.at(-1)).toMatchObject({ event: "ended", data: { runId, status: "completed", exitCode: 0 } });
  expect(events.at(-2)).toMatchObject({
    event: "update",
    data: {
      run: { runId, labels: { team: "blue" } },
      phase: { kind: "ended", report: `/runs/${runId}/report` },
      snapshot: { orchestrations: { ended: 3 }, own: { completed: 3 } },
      thresholds: [{ expression: "max<10m", state: "holds" }],
    },
  });
  const run = (await api.get(runId)).body;
  expect(run).toMatchObject({ status: "completed", exitCode: 0, snapshot: { orchestrations: { ended: 3 } } });
  const { lines, ...listed } = run;
  expect(lines).toBeInstanceOf(Array);
  expect((await api.ask(RUNS)).body).toEqual({ runs: [listed] });
  const { body } = await api.ask(`${RUNS}/${runId}/result`);
  const result = parseRunResult(JSON.stringify(body));
  expect(result).toMatchObject({
    runId,
    interrupted: false,
    counts: { orchestrations: { started: 3, completed: 3 }, activities: { completed: 6 } },
    thresholds: [{ expression: "max<10m", passed: true }],
  });
  await serve.says(new RegExp(`^Run ${runId} was completed`, "mu"));
});

test("a late viewer gets the series from the start, one that lost its connection the rest, and then nothing", async () => {
  const { api } = shared;
  const { runId } = (await api.start(SMALL)).body;
  await api.ended(runId);
  const all: ServerEvent[] = [];
  for await (const event of api.events(runId)) all.push(event);
  expect(all.map(({ event }) => event)).toEqual(["update", "ended"]);
  const [{ id, data: update }, { id: lastId }] = all as [ServerEvent, ServerEvent];
  const { series } = update as LiveUpdate;
  expect(series.intervals.reduce((sum, { completed }) => sum + completed, 0)).toBe(3);
  const rest: ServerEvent[] = [];
  for await (const event of api.events(runId, id)) rest.push(event);
  expect(rest.map(({ event }) => event)).toEqual(["update", "ended"]);
  expect(rest[0]!.data).toEqual({ ...(update as LiveUpdate), series: { ...series, intervals: [] } });
  const again = await api.ask(`${RUNS}/${runId}/events`, { headers: { "last-event-id": lastId } });
  expect(again.status).toBe(204);
});

test("a run of several generators is followed as one", async () => {
  const { api } = shared;
  const { runId } = (await api.start({ ...SMALL, generators: 2, parallelOrchestrations: 4 })).body;
  const completed: number[] = [];
  for await (const { event, data } of api.events(runId)) {
    if (event === "update")
      for (const interval of (data as LiveUpdate).series.intervals) completed[interval.index] = interval.completed;
  }
  expect(completed.reduce((sum, count) => sum + count, 0)).toBe(4);
  expect(await api.ended(runId)).toMatchObject({ status: "completed", exitCode: 0 });
});

test("HEAD of the events of a run is refused, and so takes no place of a viewer", async () => {
  const { api } = shared;
  const { runId } = (await api.start(ENDLESS)).body;
  onTestFinished(async () => {
    await api.cancel(runId);
  });
  const answer = await api.ask(`${RUNS}/${runId}/events`, { method: "HEAD" });
  expect(answer.status).toBe(405);
  expect(answer.headers.get("allow")).toBe("GET");
});

test("metrics say what the server and its runs have done", async () => {
  const { api } = await serving();
  const { runId } = (await api.start(SMALL)).body;
  await api.ended(runId);
  const response = await fetch(`${api.url}/metrics`);
  expect(response.headers.get("content-type")).toMatch(/^text\/plain; version=0\.0\.4/u);
  const families = parseExposition(await response.text());
  const valueOf = (name: string, labels: Readonly<Record<string, string>> = {}, part = name) =>
    families
      .get(name)
      ?.samples.filter((sample) => sample.name === part)
      .find((sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value))?.value;
  expect(valueOf("fanout_build_info")).toBe(1);
  expect(valueOf("fanout_serve_runs", { status: "completed" })).toBe(1);
  expect(valueOf("fanout_serve_runs", { status: "running" })).toBe(0);
  expect(valueOf("fanout_serve_orchestrations_started_total")).toBe(3);
  expect(valueOf("fanout_serve_orchestrations_ended_total", { outcome: "completed" })).toBe(3);
  expect(valueOf("fanout_serve_activities_completed_total")).toBe(6);
  const seconds = "fanout_serve_run_duration_seconds";
  expect(valueOf(seconds, { status: "completed" }, `${seconds}_count`)).toBe(1);
  for (const latency of ["response", "service"]) {
    const name = `fanout_serve_orchestration_${latency}_duration_seconds`;
    expect(valueOf(name, {}, `${name}_count`)).toBe(3);
    expect(valueOf(name, { le: "+Inf" }, `${name}_bucket`)).toBe(3);
  }
  const requests = "http_server_request_duration_seconds";
  const start = { http_request_method: "POST", http_route: RUNS, http_response_status_code: "201" };
  expect(valueOf(requests, start, `${requests}_count`)).toBe(1);
  expect(families.get(requests)?.type).toBe("histogram");
  expect(valueOf("nodejs_eventloop_lag_p99_seconds")).toBeGreaterThanOrEqual(0);
});

test("a repeated start with the same Idempotency-Key is the same run", async () => {
  const { api } = await serving(" --max-runs 5");
  const key = { "idempotency-key": '"8e03978e-40d5"' };
  const starts = await Promise.all([1, 2, 3].map(() => api.start(ENDLESS, key)));
  expect(starts.map(({ status }) => status)).toEqual([201, 201, 201]);
  expect(new Set(starts.map(({ body }) => body.runId)).size).toBe(1);
  const sameInAnotherOrder = Object.fromEntries(Object.entries(ENDLESS).toReversed());
  expect((await api.start(sameInAnotherOrder, key)).body.runId).toBe(starts[0]!.body.runId);
  expect(await api.start(SMALL, key)).toMatchObject({ status: 422, body: { code: "idempotency-key-reused" } });
  expect(await api.start(SMALL, { "idempotency-key": '"' })).toMatchObject({ status: 400 });
  expect((await api.ask<{ runs: unknown[] }>(RUNS)).body.runs).toHaveLength(1);
});

test("a start beyond --max-runs is refused until a run has ended", async () => {
  const { api } = await serving();
  const { runId } = (await api.start({ ...ENDLESS, runId: "nightly" })).body;
  expect(runId).toBe("nightly");
  const refused = await api.start(SMALL);
  expect(refused).toMatchObject({ status: 429, body: { code: "too-many-runs" } });
  expect(refused.headers.get("retry-after")).toBe("5");
  await api.cancel(runId);
  await api.ended(runId);
  expect(await api.start({ ...SMALL, runId })).toMatchObject({
    status: 409,
    body: { code: "run-id-taken", field: "runId" },
  });
  expect(await api.start(SMALL)).toMatchObject({ status: 201 });
});

describe("a wrong request starts nothing", () => {
  test("and its problem names what is wrong", async () => {
    const { api } = shared;
    const before = await idsOf(api);
    for (const [plan, status, field, detail] of [
      [{ colour: "red" }, 400, "colour", "colour: unknown key"],
      [
        { __proto__: null, html: "/tmp/x.html" },
        400,
        "html",
        "html: not over HTTP: the server writes and reads no files",
      ],
      [
        { connectionString: "Endpoint=http://h;Authentication=None" },
        400,
        "connectionString",
        "connectionString: not over HTTP",
      ],
      [
        { rate: "fast", duration: "1m" },
        400,
        "rate",
        'rate: expected a rate such as 50/s, 0.5/s or 90/m, at most 100,000/s, found "fast"',
      ],
      [{ leave: true }, 400, "leave", "leave: not over HTTP: a run that is cancelled"],
      [{ rate: "5/s" }, 400, "rate", "rate: expected"],
      [{ iterations: [1] }, 400, "iterations", "iterations: expected text or a number"],
      [{ threshold: ["p99 is low"] }, 400, "threshold", "threshold 'p99 is low': expected"],
      [{ input: "@/etc/passwd" }, 400, "input", "input: expected orchestrator with it"],
      [
        { orchestrations: [{ orchestrator: "A", weight: 1, colour: 1 }] },
        400,
        "orchestrations.0.colour",
        "unknown key",
      ],
      [{ orchestrations: [{ orchestrator: "A", weight: 0 }] }, 400, "orchestrations.0.weight", "weight: expected"],
      [{ maxActions: 1 }, 422, "maxActions", "maxActions: this run costs 101 actions"],
      [{ generators: 9, parallelOrchestrations: 1 }, 400, "generators", "generators: expected at most 1"],
      [
        { orchestrations: [{ orchestrator: "A", weight: 1, inputOrder: "random" }] },
        400,
        "orchestrations.0.inputOrder",
        "not over HTTP: the server reads no files",
      ],
      ["null", 400, undefined, "Expected a JSON object as the body"],
      ["[]", 400, undefined, "Expected a JSON object as the body"],
      ["{", 400, undefined, "Expected a JSON body"],
    ] as const) {
      const answer = await api.start(plan);
      const problem = answer.body as unknown as Problem;
      expect({ plan, status: answer.status, field: problem.field, detail: problem.detail }).toEqual({
        plan,
        status,
        field,
        detail: expect.stringContaining(detail),
      });
      expect(answer.headers.get("content-type")).toBe("application/problem+json");
      expect(problem).toMatchObject({ type: `/api/v1/problems/${problem.code}`, status });
      expect((await api.ask(problem.type)).body).toMatchObject({ code: problem.code, meaning: problem.title });
    }
    const several = (await api.start({ colour: "red", rate: true })).body as unknown as Problem;
    expect(several.errors?.map(({ field }) => field).toSorted()).toEqual(["colour", "rate"]);
    const long = { ["x".repeat(50_000)]: 1, ["y".repeat(50_000)]: 1 };
    const many = Object.fromEntries(Array.from({ length: 50_000 }, (_, index) => [`key${index}`, 1]));
    for (const plan of [long, many]) {
      const problem = (await api.start(plan)).body as unknown as Problem;
      expect(problem.code).toBe("unknown-flag");
      expect(JSON.stringify(problem).length).toBeLessThan(10_000);
    }
    expect(await idsOf(api)).toEqual(before);
    expect(await api.ask(`${RUNS}/rnobody`)).toMatchObject({
      status: 404,
      body: { code: "run-not-found", status: 404 },
    });
    expect(await api.ask("/api/v1/nothing")).toMatchObject({ status: 404, body: { code: "not-found", status: 404 } });
    expect(await api.ask(`${RUNS}/rnobody`, { method: "DELETE" })).toMatchObject({ status: 405 });
  });

  test("without the key, and of a page of another site", async () => {
    const place = await Workplace.open();
    const key = "correct-horse-battery";
    const serve = place.startWith({ ...place.env, FANOUT_API_KEY: key }, "serve --port 0");
    const api = await RunApi.of(serve);
    for (const path of [RUNS, `${RUNS}/x`, `${RUNS}/x/events`, `${RUNS}/x/result`])
      expect(await api.ask(path)).toMatchObject({ status: 401, body: { code: "unauthorized", status: 401 } });
    expect(await api.start(SMALL)).toMatchObject({ status: 401 });
    expect(await api.start(SMALL, { "x-api-key": key })).toMatchObject({ status: 201 });
    expect(serve.output).not.toContain(key);
    expect(await fetch(`${api.url}/metrics`)).toMatchObject({ status: 401 });
    for (const path of [RUNS, `${RUNS}/x/events`, "/metrics"]) {
      const site = { "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors" };
      expect(await shared.api.ask(path, { headers: site })).toMatchObject({ status: 403 });
    }
    const headers = { origin: "http://elsewhere.example" };
    expect(await shared.api.start(SMALL, headers)).toMatchObject({
      status: 403,
      body: { code: "forbidden", status: 403 },
    });
  });

  test("on a backend that may bill actions, without a bound; a start that is repeated is not asked again", async () => {
    const scheduler = await SchedulerServer.start();
    onTestFinished(() => scheduler.close());
    const { api } = await servingOn(scheduler.port);
    expect(await api.start(SMALL)).toMatchObject({
      status: 422,
      body: { code: "spend-limit", field: "maxActions", actions: 15, hint: expect.stringContaining("maxActions 15") },
    });
    expect(scheduler.calls.map(({ method }) => method)).not.toContain("StartInstance");
    expect(await api.start({ ...SMALL, maxActions: 14 })).toMatchObject({ status: 422, body: { actions: 15 } });
    const key = { "idempotency-key": "nightly" };
    const { runId } = (await api.start({ ...SMALL, maxActions: 15 }, key)).body;
    scheduler.close();
    expect(await api.start({ ...SMALL, maxActions: 15 }, key)).toMatchObject({ status: 201, body: { runId } });
    expect(await api.cancel(runId)).toMatchObject({ status: 202 });
    await api.ended(runId);
    expect(await api.start(SMALL)).toMatchObject({ status: 503, body: { code: "backend-unreachable", status: 503 } });
  });
});

test("starts beyond --max-pending are refused, also where a run has started the others", async () => {
  const { api } = await serving(" --max-pending 2");
  const start = (): Promise<Answer<unknown>> =>
    api.ask("/api/orchestrations", {
      method: "POST",
      body: JSON.stringify({ iterations: 1 }),
      headers: { "content-type": "application/json" },
    });
  // The server counts the task hub for the first start, and not again as long as starts fit.
  expect(await start()).toMatchObject({ status: 202 });
  const { runId } = (await api.start({ ...ENDLESS, workers: 0 })).body;
  await inFlight(api, runId);
  expect(await start()).toMatchObject({ status: 429, body: { code: "too-many-pending" } });
});

async function servingOn(port: number) {
  const place = await Workplace.open();
  const serve = place.start(
    "serve --port 0",
    "--connection-string",
    `Endpoint=http://localhost:${port};Authentication=None;TaskHub=h`,
  );
  return { serve, api: await RunApi.of(serve) };
}
