import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { textWidth } from "../../../src/format/wrap.js";
import { tableLines, type FigureTable } from "../../../src/report/table-text.js";
import { styleFor } from "../../../src/report/text-style.js";

const pipe = styleFor({});
const fitted = (table: FigureTable, columns: number): readonly string[] => tableLines(table, { ...pipe, columns });

const table: FigureTable = {
  heads: ["latency", "mean", "p50", "max"],
  rows: [
    { name: "response", cells: ["2.08 s", "2.10 s", "2.26 s"], remark: "intended start until completed" },
    { name: "slip", cells: ["46.8 ms", "", "131 ms"], remark: "intended start until sent" },
  ],
};

describe("a table of figures", () => {
  test("has remarks behind their rows if there is room for all", () => {
    const lines = [
      "  latency      mean     p50     max",
      "  response   2.08 s  2.10 s  2.26 s  intended start until completed",
      "  slip      46.8 ms          131 ms  intended start until sent",
    ];
    expect(fitted(table, 67)).toEqual(lines);
    expect(tableLines(table, pipe)).toEqual(lines);
  });

  test("has the remarks below otherwise", () => {
    expect(fitted(table, 66).slice(3)).toEqual([
      "",
      "  response  intended start until completed",
      "  slip      intended start until sent",
    ]);
  });

  test("is transposed if that makes it fit", () => {
    expect(fitted(table, 34).slice(0, 5)).toEqual([
      "  latency  response     slip",
      "  mean       2.08 s  46.8 ms",
      "  p50        2.10 s",
      "  max        2.26 s   131 ms",
      "",
    ]);
  });

  test("is split into parts if it has too many rows to transpose", () => {
    const rows = ["a", "b", "c"].map((name) => ({ name, cells: ["1.11 s", "2.22 s", "3.33 s"] }));
    expect(fitted({ heads: ["run", "mean", "p50", "max"], rows }, 24)).toEqual([
      "  run    mean     p50",
      "  a    1.11 s  2.22 s",
      "  b    1.11 s  2.22 s",
      "  c    1.11 s  2.22 s",
      "",
      "  run     max",
      "  a    3.33 s",
      "  b    3.33 s",
      "  c    3.33 s",
    ]);
  });

  test("fits every terminal, and loses or breaks no figure", () => {
    const cell = fc.oneof(fc.constant(""), fc.stringMatching(/^[1-9][0-9]{0,2}\.[0-9]{2} (?:ms|s)$/u));
    const name = fc.stringMatching(/^[a-z][a-z /]{0,14}[a-z]$/u);
    const tables = fc.integer({ min: 1, max: 8 }).chain((count) =>
      fc.record({
        heads: fc.tuple(name, ...Array.from({ length: count }, () => name)),
        rows: fc.array(
          fc.record({
            name,
            cells: fc.array(cell, { minLength: count, maxLength: count }),
            remark: fc.lorem({ maxCount: 8 }),
          }),
          { minLength: 1, maxLength: 12 },
        ),
      }),
    );
    fc.assert(
      fc.property(tables, fc.integer({ min: 40, max: 120 }), (table, columns) => {
        const lines = fitted(table, columns);
        for (const line of lines) expect(textWidth(line)).toBeLessThanOrEqual(columns);
        for (const { name, cells } of table.rows) {
          for (const figure of cells.filter((cell) => cell !== ""))
            expect(lines.some((line) => line.includes(`  ${figure}`))).toBe(true);

          expect(lines.some((line) => line.includes(`  ${name}`))).toBe(true);
        }
      }),
    );
  });
});
