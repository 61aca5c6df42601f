import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { resultJson, resultsJson } from "../../src/report/json.js";
import { fiveRunsOf } from "../support/report/compared-runs.js";
import { incompleteResult } from "../support/report/incomplete-result.js";
import { schemaErrors } from "../support/report/published-schema.js";
import { sampleResult } from "../support/report/sample-result.js";
import type { RunResult } from "../../src/result/run-result.js";
import { parseRunResult } from "../support/e2e/checked-result.js";
import { FANOUT, Workplace } from "../support/e2e/workplace.js";

let place: Workplace;

beforeAll(async () => {
  place = await Workplace.withWorker();
});

afterAll(() => place.close());

async function placeWithResults(): Promise<Workplace> {
  const place = await Workplace.open();
  await writeFile(join(place.folder, "good.json"), resultJson(sampleResult));
  await writeFile(join(place.folder, "bad.json"), resultJson(incompleteResult));
  return place;
}

function invalid(run: RunResult): RunResult {
  const reason = { severity: "invalid", name: "slip", text: "late", advice: "wait" } as const;
  return { ...run, verdict: { status: "invalid", reasons: [reason] } };
}

describe("fanout report", () => {
  test("shows a result in each form, and the run appends its step summary itself", async () => {
    const summary = join(place.folder, "summary.md");
    await writeFile(summary, "before");
    const variable = { GITHUB_STEP_SUMMARY: summary };
    const run = await place.runWith(
      variable,
      "run --json result.json --workers 0 --parallel-orchestrations 20 --iterations 1",
    );
    expect(run).toMatchObject({ code: 0 });
    const text = await place.succeed("report result.json");
    expect(text).toMatchObject({ stdout: run.stdout, stderr: "" });
    expect(await place.succeed("report --text result.json")).toMatchObject({ stdout: run.stdout });
    const { stdout: markdown } = await place.succeed("report result.json --markdown");
    expect(markdown).toMatch(/^### fanout: Completed 20 orchestrations in /u);
    expect(await readFile(summary, "utf8")).toBe(`before\n${markdown}`);
    const { stdout: html } = await place.succeed("report result.json --html");
    expect(html).toMatch(/^<!doctype html>.*Completed 20 orchestrations in .*<\/html>\s*$/isu);
    const { stdout: junit } = await place.succeed("report result.json --junit");
    expect(junit).toMatch(/<testsuite name="fanout run \S+" tests="4" failures="0"/u);
    await copyFile(join(place.folder, "result.json"), join(place.folder, "copy.json"));
    const { stdout: csv } = await place.succeed("report result.json copy.json --csv");
    const [header, first, second, ...rest] = csv.split("\r\n");
    expect(header).toMatch(/^runId,startedAt,/u);
    expect(first).toBe(second);
    expect(rest).toEqual([""]);
  });

  test.each(["--parallel-orchestrations 20", "--parallel-orchestrations 4 --duration 1s", "--rate 30/s --duration 1s"])(
    "reads what `fanout run %s` wrote, which is what the published schema says",
    async (load) => {
      const run = await place.succeed(`run --workers 0 ${load} --allow-invalid --json result.json`);
      const content = await readFile(join(place.folder, "result.json"), "utf8");
      expect(schemaErrors(JSON.parse(content))).toEqual([]);
      expect(parseRunResult(content).counts.orchestrations.completed).toBeGreaterThan(0);
      expect(await place.succeed("report result.json")).toMatchObject({ stdout: run.stdout });
    },
  );

  test("writes the same bytes as the run's own report flags", async () => {
    const files = "--text a.txt --markdown a.md --html a.html --junit a.xml --csv a.csv";
    await place.succeed(`run --workers 0 --json a.json ${files}`);
    for (const [form, file] of Object.entries({
      text: "txt",
      markdown: "md",
      html: "html",
      junit: "xml",
      csv: "csv",
    })) {
      const written = await readFile(join(place.folder, `a.${file}`), "utf8");
      expect(await place.succeed(`report a.json --${form}`)).toMatchObject({ stdout: written });
    }
  });

  test("shows several results, in one file or in many, with mean, spread and each run", async () => {
    const place = await placeWithResults();
    const runs = fiveRunsOf("night", { rate: 1_600 }).map((run, index) => (index === 4 ? invalid(run) : run));
    await writeFile(join(place.folder, "list.json"), resultsJson(runs));
    const { stdout } = await place.succeed("report list.json");
    expect(stdout).toMatch(/^5 runs: 4 in these figures, 1 left out$/mu);
    expect(stdout).toMatch(/^ {2}figure +mean +std\. dev\. +min +max$/mu);
    // The mean of 1, 0.98, 1.03 and 1.01 times 1,600/s.
    expect(stdout).toMatch(/^ {2}activities\/s +1,608\/s +2\.07 % +1,568\/s +1,648\/s$/mu);
    expect(stdout).toMatch(/^ {2}night2 +1,568\/s +6\.12 s +11\.3 s$/mu);
    expect(stdout).toMatch(/^ {2}night5 .* left out: its figures are invalid: late$/mu);
    expect(stdout.match(/^Completed 200 orchestrations /gmu)).toHaveLength(5);
    expect(stdout).toContain("\nrun 5 of 5\n\nCompleted 200 ");
    const { stdout: markdown } = await place.succeed("report list.json --markdown");
    expect(markdown).toMatch(/^### fanout: 5 runs: 4 in these figures, 1 left out\n/u);
    expect(markdown).toContain("| activities/s | 1,608/s | 2.07 % |");
    const { stdout: html } = await place.succeed("report list.json --html");
    expect(html).toMatch(/<h1>5 runs: 4 in these figures, 1 left out<\/h1>.*night5.*<\/html>\s*$/su);
    const { stdout: junit } = await place.succeed("report list.json good.json --junit");
    expect(junit.match(/<testsuite name="fanout run /gu)).toHaveLength(6);
    expect(junit).toMatch(/^<testsuites name="fanout" tests="\d+" failures="1" /mu);
    const { stdout: csv } = await place.succeed("report list.json good.json --csv");
    expect(csv.split("\r\n")).toHaveLength(1 + 6 + 1);
    const { stdout: one } = await place.succeed("report list.json --run night2 --markdown");
    expect(one).toMatch(/^### fanout: Completed 200 .*night2/su);
    expect(await place.run("report list.json --run night9")).toMatchObject({
      code: 2,
      stderr: "error: --run: expected one of night1, night2, night3, night4, night5, found night9\n",
    });
  });

  test("reads stdin, and stays quiet when its reader leaves", async () => {
    const place = await placeWithResults();
    const command = `'${process.execPath}' '${FANOUT}' report - --markdown < good.json | head -n 1`;
    const { stdout, stderr } = await place.startProgram("sh", ["-c", command]).ended;
    expect({ stdout, stderr }).toEqual({ stdout: "### fanout: Completed 200 orchestrations in 12.3 s\n", stderr: "" });
  });

  test("shows a failed run with exit code 0, and cleans its text for the terminal", async () => {
    const place = await placeWithResults();
    const { stdout } = await place.succeed("report bad.json");
    expect(stdout).toMatch(/^Interrupted: 120 of 200 /u);
    expect(stdout).toContain("FanInError: lost | <b>0</b> & `3`");
    // oxlint-disable-next-line no-control-regex -- they are what it looks for
    expect(stdout).not.toMatch(/[\u0000-\u0009\u000B-\u001F\u007F]/u);
  });

  test.each([
    ["report missing.json", /^error: expected a file .*ENOENT.*missing\.json/u],
    ["report other.json", /^error: other\.json: schemaVersion: expected 1, found nothing\n$/u],
    ["report newer.json --csv", /^error: newer\.json: schemaVersion: .*update this one\n$/u],
    ["report good.json --csv --junit", /^error: expected one form, found --junit and --csv\n$/u],
    ["report", /^error: missing required argument 'file'\n$/u],
  ])("`fanout %s` ends with 2 and says why", async (line, message) => {
    const place = await placeWithResults();
    await writeFile(join(place.folder, "other.json"), '{"name": "a package"}');
    await writeFile(join(place.folder, "newer.json"), JSON.stringify({ ...sampleResult, schemaVersion: 2 }));
    expect(await place.run(line)).toMatchObject({ code: 2, stdout: "", stderr: expect.stringMatching(message) });
  });
});

test("a step summary that cannot be written costs a line on stderr, and does not change the exit code", async () => {
  const folder = join(place.folder, "a-folder");
  await mkdir(folder);
  const { code, stderr } = await place.runWith({ GITHUB_STEP_SUMMARY: folder }, "run --workers 0");
  expect({ code, stderr }).toMatchObject({ code: 0 });
  expect(stderr).toMatch(/^the step summary could not be written to GITHUB_STEP_SUMMARY: EISDIR/mu);
});
