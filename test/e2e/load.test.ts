import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parseResults } from "../../src/result/read-result.js";
import type { RunResult } from "../../src/result/run-result.js";
import { Workplace } from "../support/e2e/workplace.js";

const SMALL = "--workers 0 --iterations 1 --parallel-activities 2 --allow-invalid";

let place: Workplace;

beforeAll(async () => {
  place = await Workplace.withWorker();
});

afterAll(() => place.close());

async function resultsIn(place: Workplace, file: string): Promise<readonly RunResult[]> {
  return parseResults(await textIn(place, file), file);
}

function textIn(place: Workplace, file: string): Promise<string> {
  return readFile(join(place.folder, file), "utf8");
}

describe("load over time", () => {
  test("closed load with --total starts that number, and keeps the requested number in flight", async () => {
    const { stdout, stderr } = await place.succeed(`run --total 30 --parallel-orchestrations 5 ${SMALL} --json r.json`);
    expect(stderr).toMatch(
      /^closed load, 5 in flight: 30 orchestrations x 1 iteration x 2 activities = 60 activities/mu,
    );
    expect(stdout).toMatch(/^Completed 30 orchestrations in /u);
    const [result] = await resultsIn(place, "r.json");
    expect(result!.counts).toMatchObject({ planned: 30, orchestrations: { started: 30, completed: 30 } });
    expect(result!.latencyMs).not.toHaveProperty("response");
    expect(result!.recount).toMatchObject({ instances: 30, lost: { total: 0 }, unexpected: { total: 0 } });
  });

  test("stages are phases of the result, and their offered starts add up", async () => {
    const stages = "10/s:1s,10/s->30/s:2s";
    await place.succeed(`run --stages ${stages} --warmup 1s --seed 7 --label a=b ${SMALL} --json r.json`);
    const [result] = await resultsIn(place, "r.json");
    const { plan, phases, counts, series } = result!;
    expect(plan).toMatchObject({ seed: 7, labels: { a: "b" }, warmupMs: 1_000, graceMs: 30_000 });
    expect(phases?.map(({ name, started }) => [name, started])).toEqual([
      ["warm-up", 10],
      ["10/s", 10],
      ["10/s to 30/s", 40],
    ]);
    expect(counts).toMatchObject({ planned: 60, warmup: 10, orchestrations: { started: 60, completed: 60 } });
    expect(series?.reduce((sum, { offered }) => sum + offered, 0)).toBe(60);
  });

  test("a few starts at a low rate have that rate as their throughput", async () => {
    const { stdout } = await place.succeed(`run --rate 30/m --duration 3s ${SMALL} --allow-invalid --json r.json`);
    expect(stdout).toMatch(/throughput +orchestrations 0\.50\/s, .* over 4 s/u);
    const [result] = await resultsIn(place, "r.json");
    expect(result!.throughput!.orchestrationsPerSecond).toBeCloseTo(0.5, 6);
  });

  test("starts that the cap holds back are counted, and make the run invalid unless --allow-invalid is set", async () => {
    const load = "--rate 40/s --duration 500ms --max-in-flight 1 --workers 0 --iterations 1 --activity-duration 50ms";
    const { code, stdout } = await place.run(`run ${load}`);
    expect({ code, stdout }).toMatchObject({ code: 96 });
    expect(stdout).toMatch(/^Invalid/mu);
    expect(stdout).toMatch(/--max-in-flight held back \d/u);
    await place.succeed(`run ${load} --allow-invalid`);
  });

  test("starts that the cap holds back to the end are never sent, and count", async () => {
    const place = await Workplace.open();
    const load = "--rate 40/s --duration 1s --max-in-flight 2 --grace 500ms --workers 1 --iterations 1";
    const { code, stdout } = await place.run(`run ${load} --activity-duration 30s --json r.json`);
    expect(code).toBe(1);
    const [result] = await resultsIn(place, "r.json");
    expect(result?.counts).toMatchObject({ planned: 40, unsent: 38, orchestrations: { started: 2, unfinished: 2 } });
    expect(stdout).toMatch(/--max-in-flight held back 95 % of starts.*: 38 of 40 were due and never sent/u);
    expect(stdout).toMatch(/never sent +38 starts that were due/u);
  });

  test("instances that do not end within the grace are unfinished, and the next run has the hub for itself", async () => {
    const place = await Workplace.open();
    const load =
      "--rate 20/s --duration 1s --grace 500ms --workers 1 --iterations 1 --activity-duration 4s --allow-invalid";
    const { code, stdout, stderr } = await place.run(`run ${load}`);
    expect(code).toBe(1);
    expect(stderr).toContain("error: not everything ended within 500 ms of the last start (--grace)");
    expect(stderr).toContain("terminating 20 orchestrations in flight");
    expect(stdout).toMatch(/20 unfinished/u);
    const { stderr: next } = await place.succeed("run --workers 1 --iterations 1");
    expect(next).not.toContain("unfinished");
  });

  test("with --abort-on-fail, a threshold that is missed for good ends the run", async () => {
    const flags = "--rate 5/s --duration 5m --workers 0 --iterations 1 --allow-invalid --abort-on-fail --threshold";
    const { code, stdout, stderr } = await place.run(`run ${flags}`, "max<1ms");
    expect(code).toBe(99);
    expect(stderr).toContain("threshold max<1ms can no longer be met (--abort-on-fail)");
    expect(stdout).toMatch(/missed {2}max<1ms/u);
  });
});

describe("results", () => {
  test("are written to every requested file; repeats also to numbered files", async () => {
    const place = await Workplace.open();
    const files = "--json r.json --html r.html --markdown r.md --junit r.xml --csv r.csv --text r.txt";
    await place.succeed(`run --workers 1 --iterations 1 --repeat 2 --run-id nightly ${files}`);
    expect((await readdir(place.folder)).sort()).toEqual(
      ["html", "md", "txt"]
        .flatMap((ending) => [`r-1.${ending}`, `r-2.${ending}`, `r.${ending}`])
        .concat("r.json", "r.csv", "r.xml")
        .sort(),
    );
    const results = await resultsIn(place, "r.json");
    expect(results.map(({ runId }) => runId)).toEqual(["nightly.1", "nightly.2"]);
    expect(await textIn(place, "r-2.html")).toContain("nightly.2");
    const all = await Promise.all(["html", "md", "txt", "xml", "csv"].map((ending) => textIn(place, `r.${ending}`)));
    for (const text of all) expect(text).toMatch(/nightly\.1.*nightly\.2/su);
    expect(all[3]!.match(/<testsuite /gu)).toHaveLength(2);
    for (const [index, form] of ["html", "markdown", "text", "junit", "csv"].entries())
      expect((await place.succeed(`report r.json --${form}`)).stdout).toBe(all[index]);

    const { stdout } = await place.succeed("status --run nightly.2");
    expect(stdout).toContain("nightly.2");
  });

  test("are refused before anything starts if a file cannot be written", async () => {
    const place = await Workplace.open();
    const { code, stderr } = await place.run("run --html nowhere/r.html");
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining("--html") as string });
    expect(stderr).not.toContain("emulator");
  });

  test("are served to Prometheus during the run", async () => {
    const run = place.start(`run --rate 20/s --duration 10m ${SMALL} --metrics-port 0`);
    const [, url] = await run.says(/^metrics: (http:\/\/127\.0\.0\.1:\d+\/metrics)$/mu);
    await run.says(/\b[1-9]\d* completed/u);
    const text = await (await fetch(url!)).text();
    expect(text).toMatch(/^fanout_orchestrations_started_total(?:\{[^}]*\})? [1-9]\d*$/mu);
    run.kill("SIGINT");
    expect(await run.ended).toMatchObject({ code: 130 });
    await expect(fetch(url!)).rejects.toThrow("fetch failed");
  });

  test("are compared with an earlier baseline", async () => {
    await place.succeed("run --workers 0 --iterations 1 --repeat 2 --json before.json");
    const { stdout } = await place.run("run --workers 0 --iterations 1 --baseline before.json --allow-invalid");
    expect(stdout).toMatch(/run-to-run noise unknown/u);
  });
});
