import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { createServer, type AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { microsecondsSinceEpoch } from "../../src/timeline/iso-time.js";
import { parseRunResult } from "../support/e2e/checked-result.js";
import { Workplace } from "../support/e2e/workplace.js";
import { attributesOf, numbersOf, OtlpReceiver, pointsOf, type ReceivedSpan } from "../support/otlp/otlp-receiver.js";

const LOAD = "--workers 0 --iterations 2 --parallel-activities 3 --rate 20/s --duration 3s --allow-invalid";

let place: Workplace;

beforeAll(async () => {
  place = await Workplace.withWorker();
});

afterAll(() => place.close());

describe("--otlp", () => {
  test("sends metrics that end as the result, and the traced orchestrations as they are in it", async () => {
    const receiver = await OtlpReceiver.open();
    const env = {
      ...place.env,
      OTEL_METRIC_EXPORT_INTERVAL: "250",
      OTEL_EXPORTER_OTLP_HEADERS: "authorization=Bearer%20of-the-test",
      OTEL_RESOURCE_ATTRIBUTES: "deployment.environment.name=ci",
    };
    const flags = `run --otlp ${receiver.url} --json ${LOAD} --warmup 1s --trace-sample 50% --label branch=main`;
    const { code, stdout, stderr } = await place.startWith(env, flags).ended;
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.not.stringContaining("collector") as string });
    expect(stdout + stderr).not.toContain("of-the-test");
    const result = parseRunResult(stdout);
    const { counts, latencyMs, runId, breakdown } = result;

    expect(receiver.headers.every(({ authorization }) => authorization === "Bearer of-the-test")).toBe(true);
    for (const resource of receiver.resources) {
      expect(resource).toMatchObject({
        "service.name": "fanout",
        "service.instance.id": runId,
        "fanout.run.id": runId,
        "fanout.label.branch": "main",
        "deployment.environment.name": "ci",
      });
    }

    // Cumulative: each export holds the run so far, and the last one all of it.
    const exports = receiver.metrics;
    expect(exports.length).toBeGreaterThan(2);
    const started = exports.map((metrics) => numbersOf(metrics, "fanout.orchestrations.started")[""] ?? 0);
    expect(started).toEqual(started.toSorted((a, b) => a - b));
    const last = exports.at(-1)!;
    const { orchestrations, activities } = counts;
    expect(numbersOf(last, "fanout.orchestrations.started")).toEqual({ "": orchestrations.started });
    expect(numbersOf(last, "fanout.orchestrations.ended")).toEqual({
      completed: orchestrations.completed,
      failed: orchestrations.failed,
      terminated: orchestrations.terminated,
    });
    expect(numbersOf(last, "fanout.activities.completed")).toEqual({ "": activities.completed });
    for (const [name, summary] of [
      ["response", latencyMs.response!],
      ["service", latencyMs.service!],
    ] as const) {
      const points = pointsOf(last, `fanout.orchestration.${name}.duration`);
      const { count, sum, max, bucketCounts, explicitBounds } = points.get(summary.until!)!;
      expect(Number(count)).toBe(summary.count);
      expect(sum! / summary.count).toBeCloseTo(summary.mean / 1_000, 9);
      expect(max).toBeCloseTo(summary.max / 1_000, 9);
      expect(bucketCounts!.reduce((all, each) => all + Number(each), 0)).toBe(summary.count);
      expect(bucketCounts).toHaveLength(explicitBounds!.length + 1);
    }
    const calls = pointsOf(last, "rpc.client.call.duration").values().next().value!;
    expect(Number(calls.count)).toBe(latencyMs.startRpc!.count);

    const traces = Map.groupBy(receiver.spans, ({ traceId }) => traceId);
    expect(traces.size).toBe(breakdown!.orchestrations.traced);
    for (const { instanceId, timelines = [] } of breakdown!.examples!) {
      const spans = [...traces.values()].find((trace) => idOf(trace[0]!) === instanceId)!;
      const [timeline] = timelines;
      const [root] = spans;
      const startNano = BigInt(microsecondsSinceEpoch(timeline!.startedAt)) * 1_000n;
      expect(root).toMatchObject({
        name: "orchestration:FanOutFanInOrchestration",
        startTimeUnixNano: String(startNano),
      });
      expect(millisecondsOf(root!)).toBeCloseTo(timeline!.durationMs, 2);
      const sent = spans.filter(({ parentSpanId }) => parentSpanId === root!.spanId);
      expect(sent.map(({ name }) => name)).toEqual(timeline!.spans.map(({ name }) => `activity:${name}`));
      expect(sent.map(millisecondsOf)).toEqual(
        timeline!.spans.map(({ fromMs, toMs }) => expect.closeTo(toMs - fromMs, 2) as number),
      );
    }
  });

  test("several generators are sent as one run", async () => {
    const receiver = await OtlpReceiver.open();
    const flags = `run --otlp ${receiver.url} --json ${LOAD} --generators 2 --trace-sample 100%`;
    const { code, stdout, stderr } = await place.run(flags);
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.not.stringContaining("collector") as string });
    const { latencyMs, runId, breakdown } = parseRunResult(stdout);
    expect(new Set(receiver.resources.map((resource) => resource["service.instance.id"]))).toEqual(new Set([runId]));
    const last = receiver.metrics.at(-1)!;
    expect(numbersOf(last, "fanout.orchestrations.started")).toEqual({ "": 60 });
    const { until, count, mean } = latencyMs.response!;
    const point = pointsOf(last, "fanout.orchestration.response.duration").get(until!)!;
    expect(Number(point.count)).toBe(count);
    expect(point.sum! / count).toBeCloseTo(mean / 1_000, 9);
    expect(new Set(receiver.spans.map(({ traceId }) => traceId)).size).toBe(breakdown!.orchestrations.traced);
  });

  test("a collector that is away, silent or endless costs the run one line, and neither its figures nor its exit code", async () => {
    const silent = createServer().listen(0, "127.0.0.1");
    await once(silent, "listening");
    onTestFinished(() => void silent.close());
    const { port } = silent.address() as AddressInfo;
    const env = { ...place.env, OTEL_METRIC_EXPORT_INTERVAL: "1000" };
    const collectors = {
      "http://127.0.0.1:9": "ECONNREFUSED",
      // The exporter gives up first, unless it is held up for longer than the run allows it.
      [`http://127.0.0.1:${port}`]: "(?:timed out|no answer within 5 s)",
      [await tricklingCollector()]: "no answer within 5 s",
    };
    const runs = Object.entries(collectors).map(([url, reason]) => {
      return { url, reason, run: place.startWith(env, `run --otlp ${url} --json ${LOAD}`) };
    });
    for (const { url, reason, run } of runs) {
      const { code, stdout, stderr } = await run.ended;
      expect({ code, stderr }).toMatchObject({ code: 0 });
      expect(parseRunResult(stdout).counts.orchestrations).toMatchObject({ started: 60, completed: 60 });
      const lines = stderr.split("\n").filter((line) => line.includes("collector at"));
      expect(lines).toEqual([
        expect.stringMatching(
          `warning: the collector at ${url} does not take the (?:metrics|traces) of the run: .*${reason}`,
        ),
      ]);
    }
  });

  test("an answer that refuses is told by its status alone", async () => {
    const receiver = await OtlpReceiver.open();
    const url = `${receiver.url}/elsewhere`;
    const { code, stderr } = await place.run(`run --otlp ${url} --workers 0 --iterations 1 --allow-invalid`);
    expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining("HTTP 400") as string });
  });
});

/** Its answer never ends, and is never silent for long. */
async function tricklingCollector(): Promise<string> {
  const server = createHttpServer((request, response) => {
    request.resume();
    response.writeHead(200);
    const trickling = setInterval(() => response.write(" "), 100);
    response.on("close", () => clearInterval(trickling));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function idOf({ attributes }: ReceivedSpan): string | undefined {
  return attributesOf(attributes)["durabletask.task.instance_id"];
}

function millisecondsOf({ startTimeUnixNano, endTimeUnixNano }: ReceivedSpan): number {
  return Number(BigInt(endTimeUnixNano) - BigInt(startTimeUnixNano)) / 1e6;
}
