import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { RunResult } from "../../src/result/run-result.js";
import { fiveRunsOf } from "../support/report/compared-runs.js";
import { COMPARISON_SCHEMA, schemaErrors } from "../support/report/published-schema.js";
import { FANOUT, Workplace } from "../support/e2e/workplace.js";

const FIGURES = { rate: 1_600, p50: 6_000, p99: 11_000 };
const base = fiveRunsOf("base", FIGURES);
const slow = fiveRunsOf("slow", { rate: 1_200, p50: 8_000, p99: 15_000 });
const fast = fiveRunsOf("fast", { rate: 2_400, p50: 4_000, p99: 7_000 });
const same = fiveRunsOf("same", FIGURES);

function withInvalid(runs: readonly RunResult[], count: number): readonly RunResult[] {
  return runs.map((run, index) => ({
    ...run,
    verdict: { status: index < count ? "invalid" : "valid", reasons: [] },
  }));
}

/** A list in one file, as `run --repeat` writes it, and a run in each. */
async function placeWithRuns(): Promise<Workplace> {
  const place = await Workplace.open();
  const files: Readonly<Record<string, unknown>> = {
    base,
    slow,
    fast,
    same,
    interrupted: fast.map((run, index) => ({ ...run, interrupted: index === 0 })),
    invalid: withInvalid(slow, 1),
    mostlyInvalid: withInvalid(slow, 3),
    later: slow.map((run) => ({ ...run, startedAt: "2030-01-02T07:34:05.678Z" })),
    elsewhere: slow.map((run) => ({
      ...run,
      environment: { ...run.environment, cpu: { model: "Another", cores: 2 } },
    })),
    ...Object.fromEntries([...base, ...slow].map((run) => [run.runId, run])),
    other: { name: "a package" },
  };
  for (const [name, content] of Object.entries(files))
    await writeFile(join(place.folder, `${name}.json`), JSON.stringify(content));

  return place;
}

describe("fanout compare", () => {
  test.each([
    ["base.json slow.json", 98, /^Slower beyond 5 % .*: activities\/s, response p50, response p99$/mu],
    ["slow.json base.json", 0, /^Faster beyond 5 % /mu],
    ["base.json fast.json", 0, /^Faster beyond 5 % /mu],
    ["base.json same.json", 0, /^No difference shown beyond 5 % /mu],
    ["base.json slow.json --noise-threshold 60%", 0, /^No difference shown beyond 60 % /mu],
    ["--noise-threshold 0.6 base.json -- slow.json", 0, /^No difference shown beyond 60 % /mu],
    ["base.json -- slow.json", 98, /base \(mean of 5\) {2}new \(mean of 5\)/u],
    ["base.json -- slow1.json slow2.json slow3.json slow4.json", 98, /base \(mean of 5\) {2}new \(mean of 4\)/u],
    ["base1.json base2.json base3.json -- slow.json", 98, /base \(mean of 3\) {2}new \(mean of 5\)/u],
    ["base1.json slow1.json", 0, /^Run-to-run noise unknown: /mu],
    ["base.json interrupted.json", 1, /^ {2}new {3}fast1 {2}it was interrupted$/mu],
    ["base.json invalid.json", 98, /^Left out: 1 run\n {2}new {3}slow1 {2}its figures are invalid/mu],
    ["base.json invalid.json", 98, /base \(mean of 5\) {2}new \(mean of 4\)/u],
    ["base.json invalid.json --allow-invalid", 98, /base \(mean of 5\) {2}new \(mean of 5\)/u],
    ["mostlyInvalid.json fast.json", 96, /^ {2}base {2}slow1 {2}its figures are invalid/mu],
    ["mostlyInvalid.json fast.json --allow-invalid", 0, /^Faster beyond 5 % /mu],
    ["base.json later.json", 98, /^Take care: new was measured 4h30m after base: .*`fanout compare --run`$/mu],
    ["base.json elsewhere.json", 98, /^Take care: the sides ran on unlike machines \(.* -> 2 x Another\): /mu],
    ["invalid.json -- interrupted.json", 1, /^Cannot be compared: 2 runs$/mu],
  ])("`%s` ends with %i and states the conclusion", async (line, code, stdout) => {
    const place = await placeWithRuns();
    expect(await place.run(`compare ${line}`)).toMatchObject({ code, stdout: expect.stringMatching(stdout) });
  });

  test("writes the comparison as JSON, with the same exit code", async () => {
    const place = await placeWithRuns();
    const { code, stdout, stderr } = await place.run("compare base.json slow.json --json");
    expect({ code, stderr }).toEqual({ code: 98, stderr: "" });
    expect(JSON.parse(stdout)).toMatchObject({
      noiseThreshold: 0.05,
      confidence: 0.95,
      runs: { base: base.map(({ runId }) => runId), new: slow.map(({ runId }) => runId) },
      figures: [
        { figure: "activities/s", ratio: expect.closeTo(0.75, 6), finding: "slower" },
        { figure: "response p50", finding: "slower" },
        { figure: "response p99", finding: "slower" },
      ],
    });
  });

  test("writes every requested file, and the step summary", async () => {
    const place = await placeWithRuns();
    const summary = join(place.folder, "summary.md");
    const line = "compare base.json slow.json --json c.json --markdown c.md --junit c.xml --html c.html";
    const { code, stdout } = await place.runWith({ GITHUB_STEP_SUMMARY: summary }, line);
    expect(code).toBe(98);
    expect(stdout).toMatch(/^Slower beyond 5 % /mu);
    const read = (name: string) => readFile(join(place.folder, name), "utf8");
    const comparison: unknown = JSON.parse(await read("c.json"));
    expect(comparison).toMatchObject({ figures: [{ finding: "slower" }, {}, {}], caveats: [], dropped: [] });
    expect(schemaErrors(comparison, COMPARISON_SCHEMA)).toEqual([]);
    const headline = "new against base: Slower beyond 5 % (confidence 95 %): activities/s, response p50, response p99";
    const markdown = await read("c.md");
    expect(markdown).toMatch(/^### fanout: new against base: Slower beyond 5 % /u);
    expect(markdown).toContain("| activities/s | 1,596/s | 1,197/s | -25.0 % |");
    expect(await read("summary.md")).toBe(`\n${markdown}`);
    const junit = await read("c.xml");
    expect(junit).toContain('<testsuite name="fanout compare new with base" tests="4" failures="3" ');
    expect(junit).toMatch(/name="activities\/s is not slower".*>\n {6}<failure type="failure" message="slower: 1,596/u);
    expect(await read("c.html")).toContain(headline.replace("Slower", '<span class="bad">Slower</span>'));
  });

  test("never overwrites results of runs", async () => {
    const place = await placeWithRuns();
    const { code, stderr } = await place.run("compare --json base.json slow.json fast.json");
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr:
        "error: --json: expected a file to write the comparison to, found base.json, which holds results of runs; " +
        "put the flag after the files, or name another file\n",
    });
    expect(await place.run("compare base.json slow.json")).toMatchObject({ code: 98 });
  });

  test("reads a side from stdin", async () => {
    const place = await placeWithRuns();
    const command = `'${process.execPath}' '${FANOUT}' compare base.json - < slow.json`;
    expect(await place.startProgram("sh", ["-c", command]).ended).toMatchObject({ code: 98, stderr: "" });
  });

  test.each([
    [
      "base.json",
      /^error: expected two files, BASE\.\.\. -- NEW\.\.\., or --run for each side, found 1 without `--`: base\.json\n$/u,
    ],
    ["base1.json base2.json slow1.json", /found 3 without `--`: base1\.json, base2\.json, slow1\.json\n$/u],
    ["base.json slow.json --", /found 2 and 0: /u],
    ["-- base.json slow.json", /found 0 and 2: /u],
    ["base.json base.json", /^error: expected different runs, found base1 of .* twice\n$/u],
    ["base.json missing.json", /^error: expected a file .*missing\.json/u],
    ["base.json other.json", /^error: other\.json: schemaVersion: /u],
    ["base.json slow.json --html c --junit ./c", /^error: --html and --junit: expected a file for each, found /u],
    ["base.json slow.json --html .", /^error: --html: expected a file, found the folder \.\n$/u],
    ["base.json slow.json --noise-threshold 5", /^error: --noise-threshold: .* such as 5% or 0\.05, found "5"\n$/u],
    ["base.json slow.json --noise-threshold=-5%", /^error: --noise-threshold: .*found "-5%"\n$/u],
    ["", /^error: expected two files, BASE\.\.\. -- NEW\.\.\., or --run for each side, found 0 without `--`\n$/u],
  ])("`%s` ends with 2 and says why", async (line, message) => {
    const place = await placeWithRuns();
    const ended = await place.run(`compare ${line}`.trim());
    expect(ended).toMatchObject({ code: 2, stdout: "", stderr: expect.stringMatching(message) });
  });

  test("shows in its help how to separate two sides", async () => {
    const place = await placeWithRuns();
    const { stdout } = await place.succeed("compare --help");
    expect(stdout).toContain("Usage: fanout compare [options] <base...> -- <new...>");
  });
});

describe("fanout run --baseline", () => {
  test("prints the comparison after its summary", async () => {
    const place = await placeWithRuns();
    const { stdout } = await place.succeed(
      "run --workers 1 --parallel-orchestrations 20 --iterations 1 --baseline base1.json base2.json",
    );
    expect(stdout).toMatch(/^Completed 20 orchestrations /u);
    expect(stdout).toMatch(/^ {2}plan\.parallelOrchestrations +200 -> 20$/mu);
    expect(stdout).toMatch(/^ {2}figure +base \(mean of 2\) +new +change$/mu);
    expect(stdout).toMatch(/\nRun-to-run noise unknown: .*\n$/u);
  });

  test("writes a failed comparison into every form of the result", async () => {
    const place = await placeWithRuns();
    // No real run is as fast as that.
    const before = fiveRunsOf("before", { rate: 1e9, p50: 0.001, p99: 0.002 });
    await writeFile(join(place.folder, "fastest.json"), JSON.stringify(before));
    const variable = { GITHUB_STEP_SUMMARY: join(place.folder, "summary.md") };
    const files = "--json k.json --junit k.xml --markdown k.md --html k.html --text k.txt";
    const flags = "--workers 1 --parallel-orchestrations 20 --iterations 1 --allow-invalid";
    const run = await place.runWith(variable, `run ${flags} --repeat 2 --baseline fastest.json ${files}`);
    expect(run).toMatchObject({ code: 98, stdout: expect.stringMatching(/^Slower beyond 5 % .*activities\/s/mu) });
    const read = (name: string) => readFile(join(place.folder, name), "utf8");
    const [first, last] = JSON.parse(await read("k.json")) as RunResult[];
    expect(first).not.toHaveProperty("comparison");
    expect(last!.comparison!.figures[0]).toMatchObject({ figure: "activities/s", finding: "slower" });
    expect(schemaErrors(last)).toEqual([]);
    const junit = await read("k.xml");
    expect(junit.match(/<testsuite name="fanout run /gu)).toHaveLength(2);
    expect(junit).toMatch(/<testsuite name="fanout compare new with base" .*failures="[1-9]/u);
    expect(junit).toMatch(/<failure type="failure" message="slower: /u);
    for (const name of ["k.md", "summary.md"])
      expect(await read(name)).toMatch(/^### fanout: new against base: Slower beyond 5 %/mu);

    expect(await read("k.html")).toContain('new against base: <span class="bad">Slower</span> beyond 5 %');
    expect(await read("k.txt")).toMatch(/^Slower beyond 5 % /mu);
    expect((await place.succeed("report k.json --junit")).stdout).toBe(junit);
  });

  test("refuses a baseline that cannot be compared, and starts nothing", async () => {
    const place = await placeWithRuns();
    const message = "error: --baseline: expected runs without failures, found fast1: it was interrupted\n";
    const ended = await place.run("run --baseline interrupted.json");
    expect(ended).toMatchObject({ code: 2, stdout: "", stderr: message });
  });
});
