import { stripVTControlCharacters } from "node:util";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { resultMarkdown } from "../../../src/report/markdown.js";
import { incompleteResult, resultSaying } from "../../support/report/incomplete-result.js";
import { closedLoadResult } from "../../support/report/closed-load-result.js";
import { openLoadResult } from "../../support/report/open-load-result.js";
import { sampleResult } from "../../support/report/sample-result.js";

/** Cells of a table's row as GitHub finds them: a backslash keeps the punctuation behind it from meaning anything. */
function cellsOf(row: string): readonly string[] {
  const cells = row.match(/(?:\\[!-/:-@[-`{-~]|[^|])+/gu) ?? [];
  return cells.map((cell) => cell.trim().replaceAll(/\\([!-/:-@[-`{-~])/gu, "$1")).filter((cell) => cell !== "");
}

const rowsOf = (markdown: string) => markdown.split("\n").filter((line) => line.startsWith("|"));

describe("a result as Markdown", () => {
  test("has the outcome, the plan, the figures, the latencies and the environment", () => {
    const markdown = resultMarkdown(sampleResult);
    expect(markdown).toMatch(/^### fanout: Completed 200 orchestrations in 12\.3 s\n\n200 orchestrations x 10 /u);
    const rows = rowsOf(markdown).map((row) => cellsOf(row));
    expect(rows).toContainEqual(["activities", "20,000 of 20,000"]);
    expect(rows).toContainEqual(["throughput, activities", "1,626/s"]);
    expect(rows).toContainEqual(["latency", "mean", "p50", "p90", "max"]);
    expect(rows).toContainEqual(["response", "6 s", "6.10 s", "11 s", "12.3 s", "intended start until completed"]);
    expect(rows).toContainEqual(["machine", "linux, 2 cores, a cpu"]);
    expect(markdown).toMatch(/<details><summary>Environment<\/summary>\n\n\|[^<]+\n\n<\/details>\n$/u);
  });

  test("shows only what was measured", () => {
    expect(resultMarkdown(sampleResult)).not.toMatch(
      /p99|service|slip|RPC errors|not completed|failed|continue|undefined|NaN/u,
    );
  });

  test("shows the time of a run of one", () => {
    const orchestrations = { started: 1, completed: 1, failed: 0, terminated: 0, unfinished: 0 };
    const counts = { ...sampleResult.counts, orchestrations };
    const latencyMs = { response: { count: 1, mean: 1_200, max: 1_200 } };
    const markdown = resultMarkdown({ ...sampleResult, counts, latencyMs });
    expect(markdown).toContain("| response | 1.20 s | intended start until completed |");
    expect(markdown).toContain("percentiles need more orchestrations");
  });

  test("has no table where nothing was measured", () => {
    expect(resultMarkdown({ ...sampleResult, latencyMs: {} })).not.toContain("latency");
  });

  test("lists what failed and what is stuck, and counts the rest", () => {
    const markdown = resultMarkdown(incompleteResult);
    expect(markdown).toContain("Interrupted: 120 of 200 orchestrations completed in 12.3 s, 20 never started");
    const rows = rowsOf(markdown).map((row) => cellsOf(row));
    expect(rows).toContainEqual(["not completed", "12 failed, 1 terminated, 47 unfinished"]);
    expect(rows).toContainEqual(["RPC errors", "3 UNAVAILABLE, 1 CANCELLED"]);
    expect(rows).toContainEqual(["r0123456789ab-00007", "FanInError: lost | <b>0</b> & `3`"]);
    expect(rows).toContainEqual(["r0123456789ab-00008", "Running", "3 of 10"]);
    expect(rows).toContainEqual(["r0123456789ab-00009", "Pending", "0 of 10"]);
    expect(rows).toContainEqual([
      "on the hub",
      "7 or more unfinished instances: 7 of run r9999999999999, when the run began",
    ]);
    expect(markdown).toContain("and 11 more");
    expect(markdown).toContain("and 44 more");
  });

  test("says of each threshold whether it was reached, and what was found", () => {
    const rows = rowsOf(resultMarkdown(incompleteResult)).map((row) => cellsOf(row));
    expect(rows).toContainEqual(["activities/s>1000", "passed", "1,626/s"]);
    expect(rows).toContainEqual(["p99<500ms", "missed", "612 ms"]);
    expect(rows).toContainEqual(["p999<1s", "missed", "not judged, the run was interrupted"]);
    expect(resultMarkdown(sampleResult)).not.toContain("threshold");
  });

  test("says of open load how each phase went, where it stalled, and why it is suspect", () => {
    const markdown = resultMarkdown(openLoadResult);
    expect(markdown).toContain(
      "in 2m\n\n**Suspect: take these figures with care**\n\n- the machine was 93 % busy (limit 90 %), 21 % of it this " +
        "process: run the workers or the backend on another machine\n\nopen load, ",
    );
    const rows = rowsOf(markdown).map((row) => cellsOf(row));
    expect(rows).toContainEqual(["warm-up", "400 orchestrations in 10 s, left out of throughput and latency"]);
    expect(rows).toContainEqual(["throughput, measured over", "1m45s"]);
    expect(rows).toContainEqual(["phase", "offered", "completed", "response p50", "response p99"]);
    expect(rows).toContainEqual(["40/s to 80/s", "60/s", "59.8/s", "244 ms", "1.64 s"]);
    expect(rows).toContainEqual(["calls to notice completions", "5,800 WaitForInstanceCompletion, 24 ListInstanceIds"]);
    expect(rows).toContainEqual(["backend's clock known to", "± 0.40 ms"]);
    expect(markdown).toContain("\n\n- stalled 2.04 s from 1m12s on, 119 in flight, 52/s offered, 12 UNAVAILABLE\n\n");
  });

  test("names what closed load cannot show", () => {
    const markdown = resultMarkdown(closedLoadResult);
    expect(markdown).toContain(
      "|\n\nclosed load cannot show how long arrivals would have waited (coordinated omission)\n",
    );
    expect(markdown).not.toMatch(/response|Suspect|Invalid|stalled/u);
    expect(rowsOf(markdown).map((row) => cellsOf(row))).toContainEqual(["concurrency", "9.80 of 10"]);
  });

  test("stays small with long messages", () => {
    const message = "x".repeat(1_000_000);
    const first = Array.from({ length: 100 }, () => ({ instanceId: "i", type: "t", message }));
    expect(resultMarkdown({ ...sampleResult, failures: { total: 100, first } }).length).toBeLessThan(20_000);
  });

  test.each([
    ["a|b", "a\\|b"],
    ["a\\|b", "a\\\\\\|b"],
    ["<img src=x>", "\\<img src=x\\>"],
    ["&lt;", "\\&lt;"],
    ["a\r\n\tb", "a b"],
    ["`*_~[x](y)#1@me$", "\\`\\*\\_\\~\\[x\\](y)\\#1\\@me\\$"],
  ])("writes %j as %j", (text, written) => {
    expect(rowsOf(resultMarkdown(resultSaying(text)))).toContain(`| task hub | ${written} |`);
  });

  test("keeps any text unchanged within its cell", () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...Array.from("|\\\n\r<>`*&#x -\u0000\u001B\u{1F600}")) }),
        (text) => {
          const shown = stripVTControlCharacters(text)
            .replaceAll(/(?!\s)\p{Cc}/gu, "")
            .replaceAll(/\s+/gu, " ")
            .trim();
          const markdown = resultMarkdown(resultSaying(text));
          const rows = rowsOf(markdown).map((row) => cellsOf(row));
          if (shown !== "") expect(rows).toContainEqual(["task hub", shown]);
          expect(rowsOf(markdown).length).toBeLessThanOrEqual(rowsOf(resultMarkdown(resultSaying("x"))).length);
          // oxlint-disable-next-line no-control-regex
          expect(markdown).not.toMatch(/[\u0000-\u0009\u000B-\u001F\u007F]/u);
        },
      ),
    );
  });
});
