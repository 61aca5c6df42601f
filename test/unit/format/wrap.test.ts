import { Chalk } from "chalk";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { flowing, hanging, textWidth, wrapped } from "../../../src/format/wrap.js";

const columns = fc.integer({ min: 40, max: 120 });
const word = fc.stringMatching(/^[a-zé,.:;()'-]{1,15}$/u);
const figure = fc.stringMatching(/^[1-9][0-9]{0,2}(?:\.[0-9]{2})?(?: ms| s| %|\/s| items)$/u);
const command = fc.stringMatching(/^`fanout [a-z]{3,8} --[a-z]{3,8}`$/u);
const prose = fc
  .array(
    fc.oneof({ weight: 6, arbitrary: word }, { weight: 2, arbitrary: figure }, { weight: 1, arbitrary: command }),
    {
      minLength: 1,
      maxLength: 60,
    },
  )
  .map((parts) => ({ parts, text: parts.join(" ") }));

describe("text that is wrapped", () => {
  test("fits, keeps every word in order, and has figures and commands whole", () => {
    fc.assert(
      fc.property(prose, columns, ({ parts, text }, columns) => {
        const lines = wrapped(text, columns);
        for (const line of lines) expect(textWidth(line)).toBeLessThanOrEqual(columns);
        expect(lines.join(" ")).toBe(text);
        for (const part of parts) expect(lines.some((line) => line.includes(part))).toBe(true);
      }),
    );
  });

  test("hangs from its lead, or goes below one that leaves no room", () => {
    expect(hanging("  name    ", "of more than one line of text here", 30)).toEqual([
      "  name    of more than one",
      "          line of text here",
    ]);
    expect(hanging("  a name that is long  ", "of more than one line of text", 30)).toEqual([
      "  a name that is long",
      "    of more than one line of",
      "    text",
    ]);
  });

  test.each([
    ["is one line in a pipe", "a ".repeat(200).trimEnd(), Number.POSITIVE_INFINITY, 1],
    ["is one line where it fills the terminal", "x".repeat(40), 40, 1],
    ["keeps its own lines", `${"a ".repeat(30).trimEnd()}\n    indented\n`, 40, 4],
    ["has a word that is too long whole", `see ${"x".repeat(60)} there`, 40, 3],
    ["counts the columns of wide characters", "漢字 ".repeat(16).trimEnd(), 40, 2],
    ["counts none for colours", new Chalk({ level: 1 }).red("x ".repeat(20).trimEnd()), 40, 1],
  ])("%s", (_title, text, columns, lines) => {
    expect(wrapped(text, columns)).toHaveLength(lines);
  });
});

test("cells without room go below, whole", () => {
  expect(flowing(["an-id", "Running  ", "for 12 s", "why it failed"], "  ", 20)).toEqual([
    "an-id  Running",
    "    for 12 s",
    "    why it failed",
  ]);
  expect(flowing(["an-id", "Running  ", "", "why"], "  ", Number.POSITIVE_INFINITY)).toEqual([
    "an-id  Running      why",
  ]);
});
