import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseRunResult } from "../support/e2e/checked-result.js";
import { Workplace } from "../support/e2e/workplace.js";

let place: Workplace;

beforeAll(async () => {
  place = await Workplace.withWorker();
});

afterAll(() => place.close());

test("a run that reaches its thresholds ends with 0, and shows each", async () => {
  const run =
    "run --workers 0 --parallel-orchestrations 20 --iterations 1 --threshold p50<1m --threshold errors<50% --json result.json";
  const { code, stdout, stderr } = await place.run(run, "--threshold", "service max < 1m");
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(stdout).toMatch(/^3 thresholds passed$/mu);
  expect(stdout).toMatch(/^ {2}passed {2}p50<1m +[\d.]+ m?s$/mu);
  expect(stdout).toMatch(/^ {2}passed {2}errors<50% +0 %$/mu);
  const { thresholds } = parseRunResult(await readFile(join(place.folder, "result.json"), "utf8"));
  expect(thresholds).toEqual([
    { expression: "p50<1m", value: expect.any(Number), passed: true },
    { expression: "errors<50%", value: 0, passed: true },
    { expression: "service max < 1m", value: expect.any(Number), passed: true },
  ]);
});

test("a run that misses a threshold, or cannot judge it, ends with 99 and says why", async () => {
  const run =
    "run --workers 0 --parallel-orchestrations 20 --iterations 1 --threshold orchestrations/s>1M --threshold clock.boundMs<1m --json";
  const { code, stdout, stderr } = await place.run(run, "--threshold", "stuck.total>=1");
  expect({ code, stderr }).toMatchObject({ code: 99 });
  expect(stderr).toMatch(/^2 of 3 thresholds missed$/mu);
  expect(parseRunResult(stdout).thresholds).toEqual([
    { expression: "orchestrations/s>1M", value: expect.any(Number), passed: false },
    { expression: "clock.boundMs<1m", value: expect.any(Number), passed: true },
    { expression: "stuck.total>=1", value: 0, passed: false },
  ]);
});

test("a threshold that no run of the plan can pass is refused before anything starts", async () => {
  const place = await Workplace.open();
  const run = "run --parallel-orchestrations 10 --threshold p99<1m --threshold errors<1% --threshold max<1m";
  const { code, stdout, stderr } = await place.run(run);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toMatch(/^error: --threshold 'p99<1m': p99 takes 1,000 .*, or use 'max<1m'$/mu);
  expect(stderr).toMatch(/^error: --threshold 'errors<1%': .* 300 orchestrations without an error/mu);
  const closed = await place.run("run --duration 1m --threshold p99<1s");
  expect(closed).toMatchObject({ code: 2, stderr: expect.stringContaining("use 'service p99<1s'") as string });
  expect(existsSync(place.stateFolder)).toBe(false);
});

test("a run that failed ends with 1 whatever its thresholds, and shows them", async () => {
  const place = await Workplace.open();
  const { code, stdout } = await place.run(
    "run --parallel-orchestrations 20 --workers 0 --timeout 200ms --threshold duration<1m --threshold p50<1m",
  );
  expect(code).toBe(1);
  expect(stdout).toMatch(/^1 of 2 thresholds missed\n {2}passed {2}duration<1m +[\d.]+ m?s\n {2}missed {2}p50<1m /mu);
});

test("an interrupted run ends with 130, and passes no threshold", async () => {
  const place = await Workplace.open();
  const run = place.start("run --workers 1 --iterations 1000 --parallel-activities 100 --threshold duration<60m");
  await run.says(/[1-9][\d,]* of 100,000 activities/u);
  run.kill("SIGINT");
  const { code, stdout } = await run.ended;
  expect(code).toBe(130);
  expect(stdout).toMatch(/^ {2}missed {2}duration<60m +.*, not judged, the run was interrupted$/mu);
});

test.each([
  ["p9x<500ms", 'found "p9x"; did you mean p90?'],
  ["p99<500", 'expected a duration with its unit, such as 500ms, 2s or 1m, found "500"'],
  ["p99", "expected a figure, one of < <= > >= and a bound"],
])("a wrong expression is a usage error, and nothing starts: %s", async (expression, message) => {
  const place = await Workplace.open();
  const { code, stdout, stderr } = await place.run(`run --threshold p50<1s --threshold ${expression}`);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toMatch(/^error: .*\n$/u);
  expect(stderr).toContain(`--threshold '${expression}': `);
  expect(stderr).toContain(message);
  expect(existsSync(place.stateFolder)).toBe(false);
});
