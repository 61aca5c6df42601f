import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { resultsCsv } from "../../src/report/csv.js";
import type { RunResult } from "../../src/stats/run-result.js";
import { incompleteResult, resultSaying } from "./incomplete-result.js";
import { sampleResult } from "./sample-result.js";

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

  test("leave empty what is absent", () => {
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
    const values = leavesOf(incompleteResult)
      .filter((path) => !/^(?:schemaVersion|failures|stuck|thresholds|environment\.hub\.(?:more|runs))/u.test(path))
      .map((path) => path.replace(/^(plan\.activity|counts\.rpcErrors)\..*/u, "$1"));
    expect(columns).toEqual(new Set(values));
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
          expect([text, `'${text}`]).toContain(found);
          expect(found).not.toMatch(/^[=+\-@\t\r\n]/u);
        }
      }),
    );
  });
});
