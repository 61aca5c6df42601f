import { createServer, type AddressInfo } from "node:net";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, onTestFinished, test } from "vitest";
import type { LiveInterval, LiveUpdate } from "../../src/live/live-update.js";
import { parseResult } from "../../src/result/read-result.js";
import { sumOf } from "../../src/stats/sums.js";
import { Workplace } from "../support/e2e/workplace.js";

const LOAD = "--workers 0 --iterations 1 --parallel-activities 2 --allow-invalid --rate 20/s --duration 3s";

let place: Workplace;

beforeAll(async () => {
  place = await Workplace.withWorker();
});

afterAll(() => place.close());

/** The updates that a viewer gets until the connection ends, or `isLast` says so. */
async function* updatesOf(url: string, headers: Readonly<Record<string, string>> = {}) {
  const controller = new AbortController();
  onTestFinished(() => controller.abort());
  const { body } = await fetch(new URL("events", url), { headers, signal: controller.signal });
  let text = "";
  for await (const chunk of body!.pipeThrough(new TextDecoderStream())) {
    const events = (text + chunk).split("\n\n");
    text = events.pop() ?? "";
    for (const event of events) {
      const [, id = "", data = ""] = /^id: (.*)\nevent: update\ndata: (.*)$/u.exec(event) ?? [];
      if (data !== "") yield { id, update: JSON.parse(data) as LiveUpdate };
    }
  }
}

test("a run is told from its start to its report, also to a viewer that comes back", async () => {
  const run = place.start(`run --live 0 ${LOAD} --threshold p50<1m --label a=b`);
  const [, url = ""] = await run.says(/^live: (http:\/\/127\.0\.0\.1:\d+\/)$/mu);
  let [lastId, started] = ["", 0];
  for await (const { id, update } of updatesOf(url)) {
    expect(update.run).toMatchObject({ load: "open", labels: { a: "b" }, number: 1, of: 1 });
    lastId = id;
    started = update.snapshot.orchestrations.started;
    if (update.phase.kind === "running" && started > 0 && update.series.intervals.length > 0) break;
  }
  expect(started).toBeGreaterThan(0);
  let last: LiveUpdate | undefined;
  for await (const { update } of updatesOf(url, { "last-event-id": lastId })) {
    last = update;
    if (update.phase.kind === "ended" && update.phase.report !== undefined) break;
  }
  expect(last).toMatchObject({
    phase: { kind: "ended", report: "/report" },
    snapshot: { orchestrations: { started: 60, ended: 60 } },
    // On a busy machine the measurement may be invalid, so its state says nothing.
    thresholds: [{ expression: "p50<1m" }],
  });
  // A busy machine starts late, and then no threshold is judged.
  expect([0, 99]).toContain((await run.ended).code);
  await expect(fetch(url)).rejects.toThrow("fetch failed");
});

test("several generators are shown as one run, with their latencies over time", async () => {
  const line = `run --live 0 --generators 2 ${LOAD} --json result.json --threshold`;
  const run = place.start(line, "counts.orchestrations.started<1000", "--threshold", "max<0.001ms");
  const [, url = ""] = await run.says(/^live: (\S+)$/mu);
  const intervals = new Map<number, LiveInterval>();
  let last: LiveUpdate | undefined;
  const [states, found] = [new Set<string>(), new Set<string | undefined>()];
  for await (const { update } of updatesOf(url)) {
    states.add(update.thresholds.map(({ state }) => state).join());
    found.add(update.thresholds[0]?.found);
    if (update.phase.kind === "running" && update.thresholds.some(({ found }) => found !== undefined))
      expect(update.verdict).toBeDefined();
    for (const interval of update.series.intervals) intervals.set(interval.index, interval);
    last = update;
    if (update.phase.kind === "ended" && update.phase.report !== undefined) break;
  }
  const { code, stderr } = await run.ended;
  expect({ code, stderr }).toMatchObject({ code: 99 });
  // On a busy machine the measurement may be invalid, and then what only fluctuates is not judged.
  expect([...states].some((each) => /^(?:holds|open),missed-for-good$/u.test(each))).toBe(true);
  expect(found).toContain("60");
  const { series = [] } = parseResult(await readFile(join(place.folder, "result.json"), "utf8"), "result.json");
  const course = [...intervals.values()].toSorted((a, b) => a.index - b.index);
  expect(course.map(({ offered }) => offered).slice(0, 3)).toEqual([20, 20, 20]);
  // The result counts the time until the run's end, in which nothing may have happened.
  const startedIn = series.map(({ started }) => started);
  expect(course.map(({ started }) => started)).toEqual(startedIn.slice(0, course.length));
  expect(startedIn.slice(course.length).every((started) => started === 0)).toBe(true);
  // The same completions, by the time of noticing.
  expect(sumOf(course, ({ completed }) => completed)).toBe(60);
  expect(sumOf(course, ({ activities = 0 }) => activities)).toBe(120);
  // By the time at which a start was due, and all have completed.
  expect(course.slice(0, 3).every(({ p50, max = 0 }) => p50 !== undefined && p50 <= max)).toBe(true);
  expect(last?.snapshot.orchestrations).toMatchObject({ started: 60, ended: 60 });
});

test("--live-keep serves the report until Ctrl-C, and ends with the run's exit code", async () => {
  const run = place.start(
    "run --live 0 --live-keep --workers 0 --iterations 1 --threshold max<0.001ms --allow-invalid",
  );
  const [, url = ""] = await run.says(/^live: (\S+)$/mu);
  await run.says(/The report stays at/u);
  const response = await fetch(url);
  expect(response.url).toBe(new URL("report", url).href);
  expect(await response.text()).toContain("fanout run report");
  run.kill("SIGINT");
  expect(await run.ended).toMatchObject({ code: 99 });
});

test("a port that is in use, or no port, is refused before anything starts", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const refusals = {
    [`--live ${port}`]: `--live: port ${port} is in use on 127.0.0.1.`,
    "--live 99999": "--live: expected at most 65,535",
    "--live-keep": "--live-keep: expected --live with it",
  };
  for (const [flags, message] of Object.entries(refusals)) {
    const { code, stdout, stderr } = await place.run(`run ${flags}`);
    expect({ code, stdout, stderr }).toEqual({
      code: 2,
      stdout: "",
      stderr: expect.stringContaining(message) as string,
    });
    expect(stderr).not.toContain("backend");
  }
});
