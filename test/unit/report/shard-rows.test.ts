import { expect, test } from "vitest";
import { resultHtml } from "../../../src/report/html.js";
import { resultMarkdown } from "../../../src/report/markdown.js";
import { shardTable } from "../../../src/report/shard-rows.js";
import { summaryText } from "../../../src/report/text.js";
import { styleFor } from "../../../src/report/text-style.js";
import type { RunResult } from "../../../src/result/run-result.js";
import { openLoadResult } from "../../support/report/open-load-result.js";

const shard = { startedAt: openLoadResult.startedAt, cpu: { model: "EPYC", cores: 2 } };

const merged: RunResult = {
  ...openLoadResult,
  shards: [
    {
      ...shard,
      number: 1,
      started: 2_900,
      completed: 2_890,
      verdict: { status: "valid", reasons: [] },
      generator: {
        heldBack: 0,
        slipMs: { count: 2_900, mean: 1, p99: 3.1, max: 12 },
        cpu: { machine: 0.7, generator: 0.25 },
      },
    },
    { ...shard, number: 2, started: 1_200, completed: 1_000, died: "was ended by SIGKILL" },
  ],
};

const HEADS = ["started", "completed", "slip p99", "slip max", "generator CPU", "machine CPU", "verdict"];

test("each generator of a merged result has a row, with how it went", () => {
  expect(shardTable(merged)).toEqual({
    columns: HEADS,
    rows: [
      { name: "1", cells: ["2,900", "2,890", "3.10 ms", "12 ms", "25.0 %", "70.0 %", "valid"] },
      { name: "2", cells: ["1,200", "1,000", "", "", "", "", "died"] },
    ],
  });
});

test("the text, the Markdown and the page have it, and those of a single generator do not", async () => {
  expect(summaryText(merged, styleFor({}))).toMatch(/^ {2}shard +started +completed +slip p99/mu);
  expect(resultMarkdown(merged)).toContain(`| shard | ${HEADS.join(" | ")} |`);
  expect(await resultHtml(merged)).toContain("<h2>Generators</h2>");
  expect(summaryText(openLoadResult, styleFor({}))).not.toContain("shard");
  expect(resultMarkdown(openLoadResult)).not.toContain("shard");
  expect(await resultHtml(openLoadResult)).not.toContain("<h2>Generators</h2>");
});
