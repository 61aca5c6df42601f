import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { resultJson, resultsJson } from "../../src/report/json.js";
import { fiveRunsOf } from "../support/report/compared-runs.js";
import { openLoadResult } from "../support/report/open-load-result.js";
import { Workplace } from "../support/e2e/workplace.js";

/** What begins a drawing. */
const DRAWN = "\u001B[?7l";
const CTRL_C = "\u0003";
const CLEARED = "\u001B[J\r\u001B[K\u001B[?25h";

/** Lines of what was written to a terminal, without the name of it. */
function linesOf(output: string): readonly string[] {
  return stripVTControlCharacters(output)
    .replace(/^\/dev\/\S+\r\n/u, "")
    .split(/[\r\n]+/u);
}

function widerThan(columns: number, output: string): readonly string[] {
  // A command that is to be copied stays whole, and so does a word.
  return linesOf(output).filter((line) => line.length > columns && !/^ {2}\$ |^\S+$/u.test(line));
}

function expectToFit(output: string, columns: number): void {
  expect(widerThan(columns, output)).toEqual([]);
}

/** The drawings from the first one on that is not for a wider terminal: those before it were on their way. */
function drawnFor(columns: number, output: string): readonly string[] {
  const drawn = output.split(DRAWN).slice(1);
  const first = drawn.findIndex((text) => widerThan(columns, text).length === 0);
  return first === -1 ? [] : drawn.slice(first);
}

describe("on a terminal", () => {
  test("the output of each command fits, also during a run while the terminal becomes narrower", async () => {
    const place = await Workplace.open();
    const run = place.startOnTerminal("run --rate 50/s --duration 30s --workers 1", 100);
    const [, name = ""] = await run.says(/^(\/dev\/\S+)/u);
    await run.says(/seconds .* [1-9]\d* completed/su);
    const before = run.output.length;
    await place.startProgram("stty", ["-F", name, "cols", "60"]).ended;
    // The last one may not be there as a whole.
    await expect.poll(() => drawnFor(60, run.output.slice(before)).length).toBeGreaterThan(3);
    run.press(CTRL_C);
    const { code, stdout } = await run.ended;
    expect(code).toBe(130);
    const [started = "", summary = ""] = stdout.split(CLEARED);
    expectToFit(stdout.slice(0, before), 100);
    for (const text of drawnFor(60, started.slice(before))) expectToFit(text, 60);
    expectToFit(summary, 60);
    expect(stripVTControlCharacters(summary)).toMatch(/^Interrupted: \d+ of 1,500 orchestrations completed in /u);
    expect(stripVTControlCharacters(summary)).toMatch(/^ {2}run id {8}r[0-9a-z]{12}\r$/mu);

    const runs = { before: { rate: 1_600 }, after: { rate: 1_280 } };
    for (const [name, figures] of Object.entries(runs))
      await writeFile(join(place.folder, `${name}.json`), resultsJson(fiveRunsOf(name, figures)));

    await writeFile(join(place.folder, "open.json"), resultJson(openLoadResult));
    for (const [line, last] of [
      ["report open.json", "  and 2 more"],
      ["report before.json", "  run id        before5"],
      ["compare before.json after.json", "Slower beyond 5 % (confidence 95 %): activities/s"],
      ["status", " Completed"],
      ["doctor", "be written to"],
      ["emulator status", "expired"],
      ["run --help", "$ fanout run"],
    ] as const) {
      const shown = await place.startOnTerminal(line, 60).ended;
      expectToFit(shown.stdout, 60);
      expect(stripVTControlCharacters(shown.stdout)).toContain(last);
    }
    const piped = (await place.run("report open.json")).stdout;
    expect(piped).toMatch(/^ {2}latency +mean .* max\n {2}response .* intended start until completed$/mu);
  });

  test("of type dumb, a run prints lines that fit, without escape sequences", async () => {
    const place = await Workplace.open();
    const run = place.startOnTerminal("run --workers 1 --allow-invalid --iterations 60 --activity-duration 60ms", 60, {
      ...place.env,
      TERM: "dumb",
    });
    const { code, stdout } = await run.ended;
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining("Completed 1 orchestration") });
    expect(stdout).toMatch(/^\d+ s: 0 of 1 orchestrations, /mu);
    // A run of one orchestration has no latency yet.
    expect(stdout.replaceAll(/\s+/gu, " ")).toMatch(
      /iteration [\d.]+ m?s on average; response time when the orchestration/u,
    );
    expect(stdout).not.toContain("\u001B");
    expectToFit(stdout, 60);
  });
});
