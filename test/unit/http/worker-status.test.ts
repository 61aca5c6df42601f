import { afterEach, beforeEach, expect, test } from "vitest";
import { UsageError } from "../../../src/errors.js";
import { startWorkerStatus, type WorkerStatusServer } from "../../../src/http/worker-status.js";

let server: WorkerStatusServer;

beforeEach(async () => {
  server = await startWorkerStatus(0);
});
afterEach(() => server.close());

test("/status says that the worker runs, and the time in UTC", async () => {
  const response = await fetch(`${server.url}/status`);
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("application/json");
  expect(await response.json()).toEqual({
    status: "Running",
    service: "Worker Service",
    time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/u),
  });
});

test("/health says that it is healthy, with a query or without", async () => {
  for (const path of ["/health", "/health?probe=1"]) {
    const response = await fetch(server.url + path);
    expect(await response.json()).toEqual({ status: "Healthy" });
  }
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
  expect(await response.json()).toEqual({ error: `Expected /status or /health, found ${path}`, code: "not-found" });
});

test("other methods are refused with those that are allowed", async () => {
  const response = await fetch(`${server.url}/status`, { method: "POST", body: "{}" });
  expect(response.status).toBe(405);
  expect(response.headers.get("allow")).toBe("GET, HEAD");
});

test("a port that is in use is an error of usage that names it and --port", async () => {
  const port = Number(new URL(server.url).port);
  const error: unknown = await startWorkerStatus(port).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(UsageError);
  expect(String(error)).toMatch(new RegExp(`Port ${port} .* --port`, "u"));
});
