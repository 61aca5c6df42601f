import { once } from "node:events";
import { request, type IncomingMessage } from "node:http";
import { connect } from "node:net";
import * as fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { UsageError } from "../../../src/errors.js";
import { startRunMetrics, type RunMetrics } from "../../../src/http/run-metrics.js";
import { SnapshotMetrics } from "../../../src/http/snapshot-metrics.js";
import { BUCKET_BOUNDS_MS, type LatencyBuckets, type RunBuckets } from "../../../src/stats/latency-buckets.js";
import type { LiveSnapshot, OwnSnapshot } from "../../../src/stats/live-snapshot.js";
import { FANOUT_VERSION } from "../../../src/version.js";
import { parseExposition } from "../../support/http/exposition-format.js";

const OWN: OwnSnapshot = {
  completed: 40,
  failed: 2,
  terminated: 1,
  inFlight: 57,
  heldBack: 3,
  rpcErrors: { UNAVAILABLE: 4, DEADLINE_EXCEEDED: 1 },
  stall: { fromMs: 1_000, lengthMs: 2_500, inFlight: 57, offeredPerSecond: 50, rpcErrors: {} },
};
const SNAPSHOT: LiveSnapshot = {
  elapsedMs: 3_500,
  orchestrations: { total: 200, started: 100, ended: 43 },
  activities: { total: 10_000, completed: 2_150 },
  responseMs: { count: 40, mean: 120, p50: 100, max: 900 },
  serviceMs: { count: 20_000, mean: 20, p50: 10, p90: 30, p99: 90, p999: 99, max: 250 },
  own: OWN,
};

/** Two orchestrations, of 2 ms and of a minute. */
const RESPONSE: LatencyBuckets = {
  counts: [...BUCKET_BOUNDS_MS, Number.POSITIVE_INFINITY].map((bound) => (bound === 2.5 || bound === 100_000 ? 1 : 0)),
  count: 2,
  sumMs: 60_002,
  maxMs: 60_000,
};
const LATENCIES: RunBuckets = { response: { noticed: RESPONSE } };

async function start(snapshot: () => LiveSnapshot = () => SNAPSHOT, port = 0): Promise<RunMetrics> {
  const metrics = await startRunMetrics({ port, snapshot, latencies: () => LATENCIES, labels: { runId: "r1" } });
  onTestFinished(() => metrics.close());
  return metrics;
}

/** Values by their series, such as `up{job="a"}`. */
function seriesOf(text: string): ReadonlyMap<string, number> {
  const samples = [...parseExposition(text).values()].flatMap((family) => family.samples);
  return new Map(samples.map(({ series, value }) => [series, value]));
}

/** The answer to a GET that says it is for this host. */
async function get(port: number, host: string): Promise<IncomingMessage> {
  const [response] = (await once(
    request({ host: "127.0.0.1", port, path: "/metrics", headers: { host } }).end(),
    "response",
  )) as [IncomingMessage];
  response.resume();
  return response;
}

test("/metrics is in the text format of Prometheus, and has each figure of the run", async () => {
  const { port } = await start();
  const response = await fetch(`http://127.0.0.1:${port}/metrics`);
  expect(response.status).toBe(200);
  expect(response.headers.get("content-type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  const series = seriesOf(await response.text());
  const cpu = series.get("process_cpu_seconds_total") ?? 0;
  const memory = series.get("process_resident_memory_bytes") ?? 0;
  expect(cpu).toBeGreaterThan(0);
  expect(memory).toBeGreaterThan(1e6);
  expect(Object.fromEntries(series)).toEqual({
    fanout_orchestrations_started_total: 100,
    'fanout_orchestrations_ended_total{outcome="completed"}': 40,
    'fanout_orchestrations_ended_total{outcome="failed"}': 2,
    'fanout_orchestrations_ended_total{outcome="terminated"}': 1,
    fanout_activities_completed_total: 2_150,
    'fanout_rpc_errors_total{status="UNAVAILABLE"}': 4,
    'fanout_rpc_errors_total{status="DEADLINE_EXCEEDED"}': 1,
    fanout_held_back_total: 3,
    fanout_orchestrations_in_flight: 57,
    fanout_stalled_seconds: 2.5,
    'fanout_response_seconds{quantile="0.5"}': 0.1,
    'fanout_response_seconds{quantile="1"}': 0.9,
    fanout_response_seconds_sum: 4.8,
    fanout_response_seconds_count: 40,
    'fanout_service_seconds{quantile="0.5"}': 0.01,
    'fanout_service_seconds{quantile="0.9"}': 0.03,
    'fanout_service_seconds{quantile="0.99"}': 0.09,
    'fanout_service_seconds{quantile="0.999"}': 0.099,
    'fanout_service_seconds{quantile="1"}': 0.25,
    ...Object.fromEntries(
      [...BUCKET_BOUNDS_MS.map((ms) => ms / 1_000), "+Inf"].map((le) => [
        `fanout_orchestration_response_duration_seconds_bucket{le="${le}"}`,
        Number(le) < 0.0025 ? 0 : Number(le) < 100 ? 1 : 2,
      ]),
    ),
    fanout_orchestration_response_duration_seconds_sum: 60.002,
    fanout_orchestration_response_duration_seconds_count: 2,
    fanout_service_seconds_sum: 400,
    fanout_service_seconds_count: 20_000,
    [`fanout_run_info{run_id="r1",version="${FANOUT_VERSION}"}`]: 1,
    process_cpu_seconds_total: cpu,
    process_resident_memory_bytes: memory,
  });
});

test("a scrape shows the current state of the run", async () => {
  let snapshot: LiveSnapshot = { ...SNAPSHOT, responseMs: undefined, own: { ...OWN, stall: undefined, inFlight: 0 } };
  const { port } = await start(() => snapshot);
  const scrape = async () => seriesOf(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text());
  const before = await scrape();
  expect([...before.keys()].filter((series) => series.startsWith("fanout_response_seconds"))).toEqual([]);
  expect(before.get("fanout_stalled_seconds")).toBe(0);
  snapshot = SNAPSHOT;
  const after = await scrape();
  expect(after.get("fanout_response_seconds_count")).toBe(40);
  expect(after.get("fanout_stalled_seconds")).toBe(2.5);
  expect(after.get("fanout_orchestrations_in_flight")).toBe(57);
});

const number = fc.nat({ max: 1_000_000 });
const latency = fc.option(fc.record({ count: number, mean: number, max: number }), { nil: undefined });
const anySnapshot: fc.Arbitrary<LiveSnapshot> = fc.record({
  elapsedMs: number,
  orchestrations: fc.record({ total: number, started: number, ended: number }),
  activities: fc.record({ total: number, completed: number }),
  responseMs: latency,
  serviceMs: latency,
  own: fc.record({
    completed: number,
    failed: number,
    terminated: number,
    inFlight: number,
    heldBack: number,
    rpcErrors: fc.dictionary(fc.constantFrom("UNAVAILABLE", "UNKNOWN", 'code "99"', "a\\b,c=\n"), number),
    stall: fc.constantFrom(undefined, SNAPSHOT.own?.stall),
  }),
});

test("every exposition can be parsed, and no counter falls", async () => {
  const property = fc.asyncProperty(fc.array(anySnapshot, { minLength: 2, maxLength: 5 }), async (snapshots) => {
    const metrics = new SnapshotMetrics({ runId: "r1" });
    let before: ReadonlyMap<string, number> = new Map();
    for (const snapshot of snapshots) {
      const families = [...parseExposition(await metrics.text(snapshot, LATENCIES)).values()];
      const counting = families.flatMap(({ type, samples }) =>
        samples.filter(({ name }) => type === "counter" || (type === "summary" && /_(?:sum|count)$/u.test(name))),
      );
      for (const { series, value } of counting) expect(value).toBeGreaterThanOrEqual(before.get(series) ?? 0);
      before = new Map(counting.map(({ series, value }) => [series, value]));
    }
  });
  await fc.assert(property, { numRuns: 50 });
});

test("counters rise by the run's own counts", async () => {
  const metrics = new SnapshotMetrics({ runId: "r1" });
  await metrics.text(SNAPSHOT, LATENCIES);
  const later = { ...OWN, completed: 41, rpcErrors: { UNAVAILABLE: 9, UNKNOWN: 1 } };
  const series = seriesOf(await metrics.text({ ...SNAPSHOT, own: later }, LATENCIES));
  expect(series.get('fanout_orchestrations_ended_total{outcome="completed"}')).toBe(41);
  expect(series.get('fanout_rpc_errors_total{status="UNAVAILABLE"}')).toBe(9);
  expect(series.get('fanout_rpc_errors_total{status="UNKNOWN"}')).toBe(1);
});

test.each(["/", "/metrics/more", "/status"])("%s is not found", async (path) => {
  const { port } = await start();
  expect((await fetch(`http://127.0.0.1:${port}${path}`)).status).toBe(404);
});

test("a POST is refused", async () => {
  const { port } = await start();
  const response = await fetch(`http://127.0.0.1:${port}/metrics`, { method: "POST" });
  expect([response.status, response.headers.get("allow")]).toEqual([405, "GET, HEAD"]);
});

test("a request that names another host is refused, as a page may have made a browser send it", async () => {
  const { port } = await start();
  expect((await get(port, "attacker.example")).statusCode).toBe(403);
  expect((await get(port, `localhost:${port}`)).statusCode).toBe(200);
});

test("a port that is in use is an error of usage that names it and --metrics-port", async () => {
  const { port } = await start();
  const error: unknown = await start(undefined, port).catch((error: unknown) => error);
  expect(error).toBeInstanceOf(UsageError);
  expect(String(error)).toMatch(new RegExp(`--metrics-port: ${port} is in use`, "u"));
});

test("closing frees the port, and waits for nobody who is in the middle of a request", async () => {
  const metrics = await start();
  const socket = connect(metrics.port, "127.0.0.1");
  onTestFinished(() => void socket.destroy());
  socket.on("error", () => {});
  const scrape = `GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:${metrics.port}\r\n\r\n`;
  // The answer to the first says that the half of the second has arrived with it.
  socket.write(scrape + scrape.slice(0, 20));
  await once(socket, "data");
  await metrics.close();
  expect((await start(undefined, metrics.port)).port).toBe(metrics.port);
});
