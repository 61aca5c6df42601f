import { describe, expect, test } from "vitest";
import { resultsCsv } from "../../../src/report/csv.js";
import { flatResult } from "../../../src/report/flat-result.js";
import { resultHtml } from "../../../src/report/html.js";
import { resultsJunit } from "../../../src/report/junit.js";
import { resultMarkdown } from "../../../src/report/markdown.js";
import { orchestrationTable } from "../../../src/report/orchestration-rows.js";
import { planLine } from "../../../src/report/plan-line.js";
import { mixedResult } from "../../support/report/mixed-result.js";
import { sampleResult } from "../../support/report/sample-result.js";

describe("the orchestrations of a mix", () => {
  test("have a row each, with the columns that say something", () => {
    const { columns, rows } = orchestrationTable(mixedResult);
    const named = rows.map(({ name, cells }) => ({
      orchestration: name,
      ...Object.fromEntries(cells.map((cell, place) => [columns[place]!, cell])),
    }));
    expect(named).toMatchObject([
      { orchestration: "Order", started: "2,250", completed: "2,250", failed: "", lost: "", throughput: "37.5/s" },
      { orchestration: "Refund, late", started: "750", failed: "10", lost: "1", "service p50": "202 ms" },
    ]);
    expect(columns).not.toContain("unfinished");
    expect(orchestrationTable(sampleResult)).toEqual({ columns: [], rows: [] });
  });

  test("are in the Markdown and in the page", async () => {
    expect(resultMarkdown(mixedResult)).toMatch(/\| Refund, late +\| +750 \| +740 \| +10 \|/u);
    expect(resultMarkdown(sampleResult)).not.toContain("| orchestration ");
    const page = await resultHtml(mixedResult);
    expect(page).toMatch(/<h2[^>]*>Orchestrations/u);
    expect(page).toContain("Refund, late");
    expect(await resultHtml(sampleResult)).not.toMatch(/<h2[^>]*>Orchestrations/u);
  });

  test("have their shares in the line of the plan", () => {
    expect(planLine(mixedResult.plan)).toContain(
      "each orchestration: 75 % Order and 25 % Refund, late, whose activities and actions are unknown",
    );
  });

  test("have columns behind all others of the CSV, which are empty for a run without them", () => {
    const [header, first, second] = resultsCsv([sampleResult, mixedResult]).split("\r\n");
    expect(header).toContain(",Order counts.orchestrations.started,");
    expect(header).toContain(',"Refund, late latencyMs.service.p99",');
    expect(first).toMatch(/,{30}$/u);
    expect(second).toContain(",750,740,10,0,0,");
    const flat = Object.fromEntries(flatResult(mixedResult));
    expect(flat["Refund, late latencyMs.service.p99"]).toBe(204);
    expect(flat["Order throughput.orchestrationsPerSecond"]).toBe(37.5);
  });

  test("are a check each of the JUnit XML", () => {
    const xml = resultsJunit([mixedResult]);
    expect(xml).toMatch(/name="every Order completed"[^>]*\/>/u);
    expect(xml).toMatch(/name="every Refund, late completed"[^>]*>\s*<failure[^>]* message="740 of 750 completed"/u);
    expect(xml).toContain("the activities of the orchestrations are not known");
  });
});
