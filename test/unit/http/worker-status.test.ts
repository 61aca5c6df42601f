import { afterEach, beforeEach, expect, test } from "vitest";
import { UsageError } from "../../../src/errors.js";
import { startWorkerStatus, type WorkerState, type WorkerStatusServer } from "../../../src/http/worker-status.js";

const idle: WorkerState = {
  connected: true,
  connectedSince: new Date("2026-11-29T10:00:00Z"),
  draining: false,
  inFlight: 0,
  executed: { activities: 0, episodes: 0 },
};
let worker: WorkerState;
let server: WorkerStatusServer;

beforeEach(async () => {
  worker = idle;
  server = await startWorkerStatus({ host: "127.0.0.1", ports: [0], worker: () => worker, figures: () => undefined });
});
afterEach(() => server.close());

test("/status says that the worker runs, what it does, and the time in UTC", async () => {
  worker = { ...idle, inFlight: 3, executed: { activities: 50, episodes: 12 } };
  const response = await fetch(`${server.url}/status`);
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("application/json");
  expect(await response.json()).toEqual({
    status: "Running",
    service: "Worker Service",
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/u),
    connected: true,
    connectedSince: "2026-11-29T10:00:00.000Z",
    draining: false,
    inFlight: 3,
    executed: { activities: 50, episodes: 12 },
  });
});

test("/health says that it is healthy, with a query or without", async () => {
  for (const path of ["/health", "/health?probe=1"]) {
    const response = await fetch(server.url + path);
    expect(await response.json()).toEqual({ status: "Healthy" });
  }
});

test.each([
  { state: "ready", change: {}, status: 200, body: { ready: true } },
  {
    state: "without a backend",
    change: { connected: false, connectedSince: undefined },
    status: 503,
    body: { ready: false, reason: "no connection to the backend" },
  },
  { state: "draining", change: { draining: true }, status: 503, body: { ready: false, reason: "draining" } },
])("/ready of a worker that is $state; it is healthy", async ({ change, status, body }) => {
  worker = { ...idle, ...change };
  const response = await fetch(`${server.url}/ready`);
  expect(response.status).toBe(status);
  expect(await response.json()).toEqual(body);
  expect((await fetch(`${server.url}/health`)).status).toBe(200);
});

test("a HEAD gets the headers alone", async () => {
  const response = await fetch(`${server.url}/health`, { method: "HEAD" });
  expect(response.status).toBe(200);
  expect(response.headers.get("content-length")).toBe("20");
  expect(await response.text()).toBe("");
});

test.each(["/", "/nothing", "/constructor"])("%s is not found, in JSON", async (path) => {
  const response = await fetch(server.url + path);
  expect(response.status).toBe(404);
  expect(await response.json()).toEqual({
    error: `Expected /status, /health, /ready, or /metrics, found ${path}`,
    code: "not-found",
  });
});

test("other methods are refused with those that are allowed", async () => {
  const response = await fetch(`${server.url}/status`, { method: "POST", body: "{}" });
  expect(response.status).toBe(405);
  expect(response.headers.get("allow")).toBe("GET, HEAD");
});

test("a port that is in use is an error of usage that names it and --port", async () => {
  const port = Number(new URL(server.url).port);
  const error: unknown = await startWorkerStatus({
    host: "127.0.0.1",
    ports: [port],
    worker: () => worker,
    figures: () => undefined,
  }).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(UsageError);
  expect(String(error)).toMatch(new RegExp(`Port ${port} .* --port`, "u"));
});

test("of several ports, the first free one is taken", async () => {
  const port = Number(new URL(server.url).port);
  const second = await startWorkerStatus({
    host: "127.0.0.1",
    ports: [port, 0],
    worker: () => worker,
    figures: () => undefined,
  });
  expect((await fetch(`${second.url}/health`)).status).toBe(200);
  expect(second.url).not.toBe(server.url);
  second.close();
});

test("an IPv6 address is in brackets in the URL", async () => {
  const second = await startWorkerStatus({ host: "::1", ports: [0], worker: () => worker, figures: () => undefined });
  expect(second.url).toMatch(/^http:\/\/\[::1\]:\d+$/u);
  expect((await fetch(`${second.url}/health`)).status).toBe(200);
  second.close();
});
