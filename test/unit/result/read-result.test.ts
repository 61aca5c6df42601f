import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UsageError } from "../../../src/errors.js";
import { resultJson } from "../../../src/report/json.js";
import { parseResult, parseResults, readResult, readResults } from "../../../src/result/read-result.js";
import type { LatencySummary, RunResult } from "../../../src/result/run-result.js";
import { closedLoadResult } from "../../support/report/closed-load-result.js";
import { incompleteResult } from "../../support/report/incomplete-result.js";
import { openLoadResult } from "../../support/report/open-load-result.js";
import { sampleResult } from "../../support/report/sample-result.js";

const count = fc.nat();
// JSON has no negative zero.
const figure = fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }).map((value) => (value === 0 ? 0 : value));
const text = fc.string({ unit: "binary" });

const latency = fc.record<LatencySummary, "count" | "mean" | "max">(
  { count, mean: figure, p50: figure, p90: figure, p99: figure, p999: figure, max: figure },
  { requiredKeys: ["count", "mean", "max"] },
);

const results: fc.Arbitrary<RunResult> = fc
  .record({
    durationMs: figure,
    interrupted: fc.boolean(),
    latencyMs: fc.record({ response: latency, service: latency, server: latency, slip: latency }, { requiredKeys: [] }),
    message: text,
    rpcErrors: fc.dictionary(fc.stringMatching(/^[A-Z]+(?:_[A-Z]+)*$/u), count),
    workers: fc.oneof(fc.constant("auto" as const), count),
    whole: fc.boolean(),
  })
  .map(({ message, rpcErrors, workers, whole, ...changes }) => {
    const base = whole ? incompleteResult : sampleResult;
    return {
      ...base,
      ...changes,
      plan: { ...base.plan, workers },
      counts: { ...base.counts, rpcErrors },
      failures: { total: 1, first: [{ instanceId: message, type: message, message }] },
    };
  });

function withLoad(load: unknown): object {
  return { ...sampleResult, plan: { ...sampleResult.plan, load } };
}

describe("a result that is read", () => {
  test.each([openLoadResult, closedLoadResult])("equals what a run of $plan.load.kind load wrote", (result) => {
    expect(parseResult(resultJson(result), "file")).toEqual(result);
  });

  test("may be one of a list, as a repeated run writes it", () => {
    const results = [sampleResult, openLoadResult];
    expect(parseResults(JSON.stringify(results), "file")).toEqual(results);
    expect(parseResults(resultJson(sampleResult), "file")).toEqual([sampleResult]);
    expect(parseResult(JSON.stringify([sampleResult]), "file")).toEqual(sampleResult);
  });

  test("equals what the run wrote", () => {
    fc.assert(
      fc.property(results, (result) => {
        expect(parseResult(resultJson(result), "file")).toEqual(result);
      }),
    );
  });

  test("keeps the fields that are not known here", () => {
    const more = { ...sampleResult, weather: { p50: 1 }, plan: { ...sampleResult.plan, rate: 50 } };
    expect(parseResult(JSON.stringify(more), "file")).toEqual(more);
  });

  test("says disk where an old one says fsync, so that the two compare alike", () => {
    const { environment } = sampleResult;
    const backend = { ...environment.backend, durability: "fsync" };
    const old = JSON.stringify({ ...sampleResult, environment: { ...environment, backend } });
    expect(parseResult(old, "file").environment.backend.durability).toBe("disk");
  });

  test("may begin with a byte order mark", () => {
    expect(parseResult(`\uFEFF${resultJson(sampleResult)}`, "file")).toEqual(sampleResult);
  });

  const { counts: _absent, ...withoutCounts } = sampleResult;
  test.each<readonly [message: string, content: unknown]>([
    ["expected a result or a list of them, found an empty list", []],
    ["expected one result, found a list of 2", [sampleResult, sampleResult]],
    [
      "result 2: durationMs: expected a number from 0 on, found -1",
      [sampleResult, { ...sampleResult, durationMs: -1 }],
    ],
    ["result 1: the result: expected an object, found []", [[]]],
    ['plan.load.kind: expected "once", "closed" or "open", found "half"', withLoad({ kind: "half" })],
    ["plan.load: expected an object, found 5", withLoad(5)],
    ['plan.load.arrival: expected "constant" or "poisson", found nothing', withLoad({ kind: "open" })],
    [
      'recount: expected an object with "instances", "byStatus", "lost" and "unexpected", or with "unknown", found {}',
      { ...sampleResult, recount: {} },
    ],
    ["the result: expected an object, found null", null],
    ["schemaVersion: expected 1, found nothing", {}],
    ["schemaVersion: expected 1, found 2: a newer fanout wrote it; update this one", { schemaVersion: 2 }],
    ['schemaVersion: expected 1, found "1"', { ...sampleResult, schemaVersion: "1" }],
    ["durationMs: expected a number from 0 on, found -1", { ...sampleResult, durationMs: -1 }],
    ['durationMs: expected a number, found "1 s"', { ...sampleResult, durationMs: "1 s" }],
    ["startedAt: expected a time such as 2030-01-02T03:04:05.678Z, found 5", { ...sampleResult, startedAt: 5 }],
    ["counts: expected an object, found nothing", withoutCounts],
    [
      "counts.rpcErrors.UNAVAILABLE: expected a whole number, found 1.5",
      { ...sampleResult, counts: { ...sampleResult.counts, rpcErrors: { UNAVAILABLE: 1.5 } } },
    ],
    [
      'plan.workers: expected "auto" or a whole number, found "many"',
      { ...sampleResult, plan: { ...sampleResult.plan, workers: "many" } },
    ],
    [
      "stuck.first.0.status: expected a string, found nothing",
      { ...sampleResult, stuck: { total: 1, first: [{ instanceId: "a" }] } },
    ],
    ['runId: expected a string, found ["xxx', { ...sampleResult, runId: ["x".repeat(1_000)] }],
  ])("is refused with %s", (message, content) => {
    const read = () => parseResult(JSON.stringify(content), "old.json");
    expect(read).toThrow(UsageError);
    expect(read).toThrow(`old.json: ${message}`);
    expect(read).toThrow(/^.{0,200}$/u);
  });

  test.each([
    ["nothing", " \n"],
    ["what is no JSON: ", "{"],
  ])("that is no JSON is refused: found %s", (found, content) => {
    const message = `old.json: expected the JSON that \`fanout run --json FILE\` wrote, found ${found}`;
    expect(() => parseResult(content, "old.json")).toThrow(message);
  });

  test("that is not there is refused by name", async () => {
    await expect(readResult("missing.json")).rejects.toThrow(UsageError);
    await expect(readResult("missing.json")).rejects.toThrow(/ENOENT.*missing\.json/u);
    await expect(readResults(".")).rejects.toThrow(/EISDIR/u);
  });
});
