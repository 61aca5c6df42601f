import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { withoutEscapes } from "../../../src/format/one-line.js";
import { resultsCsv } from "../../../src/report/csv.js";
import type { RunResult } from "../../../src/result/run-result.js";
import { closedLoadResult } from "../../support/report/closed-load-result.js";
import { incompleteResult, resultSaying } from "../../support/report/incomplete-result.js";
import { openLoadResult } from "../../support/report/open-load-result.js";
import { sampleResult } from "../../support/report/sample-result.js";

const LISTS =
  /^(?:schemaVersion|failures|stuck|thresholds|phases|series|stalls|histograms|(?:recount\.\w+|unanswered)\.first|environment\.hub\.(?:more|runs))\b/u;
/** Objects that a cell holds as a whole. */
const WHOLE =
  /^(plan\.(?:activity|load|labels|timer|tags|inputs|shard|orchestrations)|counts\.rpcErrors(?:ByCall)?|verdict\.reasons|noticing|recount\.byStatus)\b.*/u;

/** RFC 4180, strictly: throws at a quote where none may be. */
function parseCsv(text: string): readonly (readonly string[])[] {
  const rows: string[][] = [[]];
  const cell = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/uy;
  while (cell.lastIndex < text.length) {
    const at = cell.lastIndex;
    const match = cell.exec(text);
    if (!match) throw new Error(`Expected a cell, found ${JSON.stringify(text.slice(at, at + 40))}`);
    rows.at(-1)!.push(match[1]?.replaceAll('""', '"') ?? match[2] ?? "");
    if (match[3] === "\r\n") rows.push([]);
  }
  return rows.slice(0, -1);
}

function recordsOf(...results: [RunResult, ...RunResult[]]): readonly Readonly<Record<string, string>>[] {
  const [header = [], ...rows] = parseCsv(resultsCsv(results));
  return rows.map((row) => {
    expect(row).toHaveLength(header.length);
    return Object.fromEntries(header.map((name, column) => [name, row[column] ?? ""]));
  });
}

function leavesOf(value: unknown, path: readonly string[] = []): readonly string[] {
  return typeof value === "object" && value !== null
    ? Object.entries(value).flatMap(([key, inner]) => leavesOf(inner, [...path, key]))
    : [path.join(".")];
}

describe("results as CSV", () => {
  test("have a row for each run under one header", () => {
    const [first, second, ...more] = recordsOf(sampleResult, incompleteResult);
    expect(more).toEqual([]);
    expect(first).toMatchObject({
      runId: "r0123456789ab",
      startedAt: "2030-01-02T03:04:05.678Z",
      interrupted: "false",
      "plan.workers": "auto",
      "counts.orchestrations.completed": "200",
      "counts.rpcErrors": "{}",
      "throughput.activitiesPerSecond": "1626",
      "latencyMs.response.p90": "11000",
    });
    expect(second).toMatchObject({ interrupted: "true", "counts.rpcErrors": '{"UNAVAILABLE":3,"CANCELLED":1}' });
  });

  test("leave absent fields empty", () => {
    const { throughput: _absent, ...result } = sampleResult;
    expect(recordsOf(result)[0]).toMatchObject({
      "throughput.makespanMs": "",
      "latencyMs.response.p999": "",
      "latencyMs.slip.mean": "",
      "plan.orchestrator": "",
    });
  });

  test("have a column for each single value of a result, and no other", () => {
    const columns = new Set(Object.keys(recordsOf(incompleteResult)[0]!));
    const longest = { count: 10_000, mean: 1, p95: 1, p999: 1, max: 1 };
    const shares = { mean: 0.1, p50: 0.1, p90: 0.1, p95: 0.1, p99: 0.1, p999: 0.1 };
    const otherRun: RunResult = {
      ...sampleResult,
      plan: {
        ...sampleResult.plan,
        inputs: { file: "orders.csv", lines: 2, order: "cycle", sha256: "" },
        planFile: "plan.yaml",
        instanceVersion: "2.1.0",
        tags: { team: "shop" },
        shard: { number: 1, of: 2 },
        orchestrations: [{ orchestrator: "Order", weight: 1 }],
      },
      counts: {
        ...sampleResult.counts,
        unsent: 1,
        actionsAtLeast: 1,
        actionsMissing: "1 had not ended",
        rpcErrorsByCall: { GetInstance: { UNKNOWN: 1 } },
      },
      latencyMs: {
        response: longest,
        service: longest,
        server: longest,
        startRpc: longest,
        slip: longest,
        detectionLag: longest,
      },
      generator: {
        heldBack: 0,
        slipMs: longest,
        eventLoopDelayMs: longest,
        slipShare: shares,
        slipGrowthMs: 1,
      },
      recount: { unknown: "no answer" },
      unanswered: { total: 1, first: ["r0123456789ab-00000-000"] },
    };
    const values = [incompleteResult, openLoadResult, closedLoadResult, otherRun]
      .flatMap((result) => leavesOf(result))
      .filter((path) => !LISTS.test(path))
      .map((path) => path.replace(WHOLE, "$1"));
    expect(columns).toEqual(new Set([...values, "stalls", "longest stall"]));
  });

  test("keep the columns that there have been in their places", () => {
    const columns = Object.keys(recordsOf(sampleResult)[0]!);
    expect(columns.slice(0, 36).at(-1)).toBe("throughput.actionsPerSecond");
    expect(columns.indexOf("latencyMs.slip.max")).toBe(70);
  });

  test("describe the course of a run over time", () => {
    expect(recordsOf(openLoadResult)[0]).toMatchObject({
      "plan.parallelOrchestrations": "",
      "plan.load": expect.stringMatching(/^\{"kind":"open","arrival":"constant",/u),
      "plan.labels": '{"branch":"main","durable store":"netherite"}',
      "verdict.status": "suspect",
      "throughput.windowMs": "105000",
      "latencyMs.response.until": "completed",
      stalls: "1",
      "longest stall": "2040",
      "clock.offsetMs": "-1.2",
      "recount.byStatus": '{"Completed":5785,"Failed":3,"Running":12}',
      "recount.lost.total": "0",
    });
    expect(recordsOf(closedLoadResult)[0]).toMatchObject({ "concurrency.effective": "9.8", stalls: "" });
  });

  test.each([
    ["=1+1", "'=1+1"],
    ["+1", "'+1"],
    ["-1", "'-1"],
    ["@SUM(A1)", "'@SUM(A1)"],
    [" =1", "' =1"],
    ["\t=1", "'\t=1"],
    ["＝1", "'＝1"],
    ["a=b", "a=b"],
    ["\u001B[31m=1", "'=1"],
    ["red \u001B[31mstop\u001B[0m\nhere", "red stop\nhere"],
  ])("write the text %j as %j", (text, written) => {
    expect(recordsOf(resultSaying(text))[0]).toMatchObject({ "environment.taskHub": written });
  });

  test("are read back as they were, and hold no formula", () => {
    const texts = fc.oneof(
      fc.string({ unit: "grapheme" }),
      fc.string({ unit: fc.constantFrom(...Array.from(',"\r\n=+-@\t a1')) }),
    );
    fc.assert(
      fc.property(texts, texts, (one, other) => {
        const records = recordsOf(resultSaying(one), resultSaying(other));
        for (const [row, text] of [one, other].entries()) {
          const found = records[row]!["environment.backend.name"]!;
          const told = withoutEscapes(text);
          expect([told, `'${told}`]).toContain(found);
          expect(found).not.toMatch(/^[=+\-@\t\r\n]/u);
        }
      }),
    );
  });
});
