import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Completion, Start } from "../../../src/stats/completion.js";
import { Recorder, type RunEnd } from "../../../src/stats/recorder.js";
import type { ResultPlan } from "../../../src/result/run-result.js";
import { percentileOf } from "../../../src/result/stored-percentile.js";
import { isMissedForGood, judge, parseThreshold } from "../../../src/stats/threshold.js";

const plan: ResultPlan = {
  iterations: 10,
  parallelActivities: 5,
  parallelOrchestrations: 4,
  load: { kind: "once" },
  workers: "auto",
  timeoutMs: 600_000,
};
const STARTED_MS = 1_000;
/** The backend's clock is so far ahead of the client's. */
const OFFSET_MS = 500_000;
const end: RunEnd = {
  endedMs: 6_000,
  interrupted: false,
  unanswered: [],
  stoppedMs: 6_000,
  neverSent: [],
  environment: {
    fanoutVersion: "0.0.0",
    sdkVersion: "0.0.0",
    node: "24.0.0",
    platform: "linux",
    cpu: { model: "a cpu", cores: 2 },
    backend: { kind: "emulator", name: "the embedded emulator" },
    taskHub: "default",
    ownWorkers: 1,
    hub: { unfinished: 0, more: false, runs: [] },
  },
  activitiesCompleted: 0,
  activitiesExecuted: undefined,
  health: {},
  stuck: [],
  noticing: {},
  outages: [],
  recount: undefined,
  irregular: { instances: 0, actions: 0, measured: 0 },
  whereTimeWent: {},
};
const start: Start = {
  instanceId: "a-00000-000",
  sequence: 0,
  intendedMs: 1_000,
  sentMs: 1_010,
  acceptedMs: 1_030,
  heldBack: false,
};
const completed: Completion = {
  start,
  noticedMs: 3_000,
  outcome: "completed",
  server: { createdMs: OFFSET_MS + 1_020.25, completedMs: OFFSET_MS + 2_900.25 },
  failure: undefined,
};

function recorderOf(of: ResultPlan = plan, activitySource: "emulator" | "completions" = "completions"): Recorder {
  const recorder = new Recorder({ plan: of, activitySource });
  recorder.begin(STARTED_MS);
  return recorder;
}

function addStart(recorder: Recorder, start: Start): void {
  recorder.addSend({ ...start, acceptedMs: undefined });
  recorder.addAnswer(start);
}

function record(completions: readonly Completion[], unfinished: readonly Start[] = [], of = plan): Recorder {
  const recorder = recorderOf(of);
  for (const completion of completions) {
    addStart(recorder, completion.start);
    recorder.add(completion);
  }
  for (const start of unfinished) addStart(recorder, start);
  return recorder;
}

/** Of four orchestrations of 50 activities, some of which have completed, beside others on the hub. */
function reExecuted(activitiesExecuted: number, others = 0, done = 4): number | undefined {
  const completions = Array.from({ length: done }, () => completed);
  const hub = { unfinished: others, more: false, runs: [] };
  const { counts } = record(completions, done < 4 ? [start] : []).close("run", {
    ...end,
    activitiesExecuted,
    environment: { ...end.environment, hub },
  });
  return counts.activities?.reExecuted;
}

describe("a recorder", () => {
  test("accounts for every start", () => {
    const outcomes = fc.array(fc.constantFrom("completed", "failed", "terminated", "unfinished" as const));
    fc.assert(
      fc.property(outcomes, (kinds) => {
        const recorder = recorderOf();
        for (const outcome of kinds) {
          addStart(recorder, start);
          if (outcome !== "unfinished") recorder.add({ ...completed, outcome });
        }
        const { counts, series = [] } = recorder.close("run", end);
        const { started, ...rest } = counts.orchestrations;
        expect(started).toBe(kinds.length);
        expect(rest.completed + rest.failed + rest.terminated + rest.unfinished).toBe(started);
        expect(rest.unfinished).toBe(kinds.filter((kind) => kind === "unfinished").length);
        const sum = (of: "offered" | "started" | "completed" | "failed"): number =>
          series.reduce((sum, interval) => sum + interval[of], 0);
        expect(sum("offered")).toBe(started);
        expect(sum("started")).toBe(started);
        expect(sum("completed")).toBe(rest.completed);
        expect(sum("failed")).toBe(rest.failed + rest.terminated);
        expect(series.at(-1)?.inFlight).toBe(rest.unfinished);
      }),
    );
  });

  test("of a run that ended early counts what still ends, and measures until its end", () => {
    const seconds = { fromPerSecond: 10, toPerSecond: 10, lengthMs: 60_000 };
    const load = { kind: "open", arrival: "constant", stages: [seconds], maxInFlight: 10 } as const;
    const recorder = recorderOf({ ...plan, load, warmupMs: 500 });
    const starts = Array.from({ length: 40 }, (_, sequence): Start => {
      const intendedMs = STARTED_MS + sequence * 100;
      return { ...start, sequence, intendedMs, sentMs: intendedMs, acceptedMs: intendedMs };
    });
    for (const each of starts) addStart(recorder, each);
    const endOf = (sequence: number, atMs: number, outcome: Completion["outcome"] = "completed"): void => {
      const noticedMs = STARTED_MS + atMs;
      recorder.add({ ...completed, start: starts[sequence]!, noticedMs, outcome, server: undefined });
    };
    for (let sequence = 0; sequence < 20; sequence += 1) endOf(sequence, 4_000 + sequence);
    const endedMs = STARTED_MS + 6_000;
    recorder.cut(endedMs);
    for (let sequence = 20; sequence < 30; sequence += 1) endOf(sequence, 10_000);
    for (let sequence = 30; sequence < 40; sequence += 1) endOf(sequence, 12_000, "terminated");
    const result = recorder.close("run", { ...end, endedMs, countedMs: endedMs + 7_000, interrupted: true });
    const { orchestrations } = result.counts;
    expect(orchestrations).toEqual({ started: 40, completed: 30, failed: 0, terminated: 10, unfinished: 0 });
    expect(result.durationMs).toBe(6_000);
    expect(result.throughput).toMatchObject({ windowMs: 5_500, orchestrationsPerSecond: 20 / 5.5 });
    expect(result.phases?.at(-1)).toMatchObject({ lengthMs: 5_500, completedPerSecond: 20 / 5.5 });
    expect(result.series?.length).toBe(6);
    expect(result.series?.reduce((sum, { completed }) => sum + completed, 0)).toBe(30);
    expect(result.stalls?.every(({ fromMs, lengthMs }) => fromMs + lengthMs <= 6_000)).not.toBe(false);
  });

  test("measures until the completion by the backend's clock, known to half the time that the start took", () => {
    const { latencyMs, clock } = record([completed]).close("run", end);
    // Created between sent and accepted, 20 ms apart: the offset is the middle, and may drift by 1 ms until the end.
    const boundMs = expect.closeTo(11, 0);
    const max = expect.closeTo(1_900, 1);
    expect(latencyMs.response).toEqual({ count: 1, mean: max, max, until: "completed", boundMs });
    expect(latencyMs.service).toMatchObject({ max: expect.closeTo(1_870, 1), until: "completed" });
    expect(latencyMs.detectionLag).toMatchObject({ max: expect.closeTo(100, 1), boundMs });
    expect(latencyMs.startRpc).toMatchObject({ max: 20 });
    expect(latencyMs.slip).toMatchObject({ max: 10 });
    expect(latencyMs.server).toMatchObject({ max: 1_880 });
    expect(clock).toMatchObject({ offsetMs: expect.closeTo(OFFSET_MS + 0.25, 1), boundMs });
  });

  test("measures until the client noticed if the backend's clock is not known to a tenth of the figure", () => {
    const slow = { ...completed, start: { ...start, acceptedMs: 1_800 }, noticedMs: 4_500 };
    const { latencyMs } = record([slow]).close("run", end);
    expect(latencyMs.response).toEqual({ count: 1, mean: 3_500, max: 3_500, until: "noticed" });
  });

  test("measures until the client noticed if the backend does not report its times", () => {
    const { latencyMs } = record([{ ...completed, server: undefined }]).close("run", end);
    expect(latencyMs.response).toEqual({ count: 1, mean: 2_000, max: 2_000, until: "noticed" });
    expect(latencyMs).not.toHaveProperty("server");
  });

  test("divides the completed work by the makespan", () => {
    const later = {
      ...completed,
      noticedMs: 5_100,
      server: { ...completed.server!, completedMs: OFFSET_MS + 5_000.25 },
    };
    const { throughput } = record([completed, later]).close("run", end);
    // By the backend's clock, the last one completed 4 s after the first was due.
    expect(throughput).toEqual({
      makespanMs: expect.closeTo(4_000, 1),
      orchestrationsPerSecond: expect.closeTo(0.5, 4),
      activitiesPerSecond: expect.closeTo(25, 2),
      actionsPerSecond: expect.closeTo(50.5, 2),
    });
  });

  test("leaves out figures that were not measured", () => {
    const result = record([], [{ ...start, acceptedMs: undefined }]).close("run", end);
    expect(result).not.toHaveProperty("throughput");
    expect(result).not.toHaveProperty("failures");
    expect(result).not.toHaveProperty("stalls");
    expect(result).not.toHaveProperty("phases");
    expect(Object.keys(result.latencyMs)).toEqual(["slip"]);
  });

  test("never counts fewer activities than the outputs account for", () => {
    const [few, many] = [3, 60].map(
      (activitiesCompleted) => record([completed]).close("run", { ...end, activitiesCompleted }).counts.activities,
    );
    expect(few).toEqual({ needed: 200, completed: 50, source: "completions" });
    expect(many?.completed).toBe(60);
  });

  test("uses the emulator's counts of activities", () => {
    const recorder = recorderOf(plan, "emulator");
    addStart(recorder, start);
    recorder.addActivities(2_500, 30);
    recorder.addActivities(3_500, 45);
    recorder.addActivities(3_600, 45);
    const { series = [], counts } = recorder.close("run", { ...end, activitiesCompleted: 45 });
    expect(series.map(({ activities }) => activities)).toEqual([0, 30, 15, 0, 0]);
    expect(counts.activities).toEqual({ needed: 200, completed: 45, source: "emulator" });
  });

  test("counts superfluous executions if only its own workers took part", () => {
    expect(reExecuted(200)).toBe(0);
    expect(reExecuted(207)).toBe(7);
    expect(reExecuted(207, 1)).toBeUndefined();
    expect(reExecuted(207, 0, 3)).toBeUndefined();
    expect(reExecuted(150)).toBeUndefined();
  });

  test("takes no latency from instances that failed or were cut off", () => {
    const others = (["failed", "terminated"] as const).map((outcome): Completion => ({ ...completed, outcome }));
    expect(record(others).close("run", end).latencyMs).not.toHaveProperty("response");
  });

  test("shows no percentile that the terminated and unfinished might move", () => {
    const many = Array.from({ length: 900 }, () => completed);
    const cutOff = Array.from({ length: 50 }, (): Completion => ({ ...completed, outcome: "terminated" }));
    const { response, startRpc } = record(
      [...many, ...cutOff],
      Array.from({ length: 50 }, () => start),
    ).close("run", end).latencyMs;
    expect(response).toHaveProperty("p50");
    expect(response).not.toHaveProperty("p90");
    expect(startRpc).toHaveProperty("p90");
  });

  test("lists the first ten failures and counts all", () => {
    const failed = Array.from({ length: 12 }, (_, index): Completion => ({
      ...completed,
      start: { ...start, instanceId: `a-${index}` },
      outcome: "failed",
      failure: { type: "FanInError", message: "lost" },
    }));
    const { failures } = record(failed).close("run", end);
    expect(failures?.total).toBe(12);
    expect(failures?.first).toHaveLength(10);
    expect(failures?.first[0]).toEqual({ instanceId: "a-0", type: "FanInError", message: "lost" });
  });

  test("lists at most a hundred of the unfinished and counts all", () => {
    const unfinished = Array.from({ length: 150 }, () => start);
    const stuck = unfinished.map(() => ({ instanceId: "a-00000-000", status: "Pending" }));
    const result = record([], unfinished).close("run", { ...end, stuck });
    expect(result.stuck?.total).toBe(150);
    expect(result.stuck?.first).toHaveLength(100);
  });

  test("puts RPC errors and lost connections where they happened", () => {
    const recorder = record([completed]);
    recorder.addRpcErrors(2_500, { call: "StartInstance", status: "UNAVAILABLE" }, 3);
    recorder.addRpcErrors(4_500, { call: "GetInstance", status: "UNAVAILABLE" }, 1);
    recorder.addReconnect(4_600);
    const { series = [], counts } = recorder.close("run", end);
    expect(counts.rpcErrors).toEqual({ UNAVAILABLE: 4 });
    expect(counts.rpcErrorsByCall).toEqual({ StartInstance: { UNAVAILABLE: 3 }, GetInstance: { UNAVAILABLE: 1 } });
    expect(series.map(({ rpcErrors }) => rpcErrors?.["UNAVAILABLE"])).toEqual([undefined, 3, undefined, 1, undefined]);
    expect(series[3]?.reconnects).toBe(1);
  });

  test("knows the numbers of the starts that were accepted", () => {
    const refused = { ...start, sequence: 1, acceptedMs: undefined };
    const recorder = record([completed], [refused, { ...start, sequence: 2 }]);
    expect([0, 1, 2].map((number) => recorder.accepted.has(number))).toEqual([true, false, true]);
  });

  test("is plain JSON", () => {
    const result = record([completed], [start]).close("run", end);
    expect(JSON.parse(JSON.stringify(result))).toEqual(result);
  });

  test("has a histogram of every latency that it shows", () => {
    const { histograms, latencyMs } = record([completed]).close("run", end);
    expect(Object.keys(histograms ?? {}).sort()).toEqual(Object.keys(latencyMs).sort());
    expect(histograms?.["response"]).toEqual({ hdr: expect.stringMatching(/^[\w+/=]+$/u), count: 1 });
  });
});

/** One that was due, sent, accepted and completed at these seconds of the run. */
/** One a second, of which each takes a tenth. */
function addTwenty(recorder: Recorder): void {
  for (let second = 0; second < 20; second += 1) {
    const completion = at(second, second + 0.1, second);
    addStart(recorder, completion.start);
    recorder.add(completion);
  }
}

function at(dueSeconds: number, completedSeconds: number, sequence = 0): Completion {
  const intendedMs = STARTED_MS + dueSeconds * 1_000;
  const noticedMs = STARTED_MS + completedSeconds * 1_000;
  return {
    ...completed,
    start: { ...start, sequence, intendedMs, sentMs: intendedMs, acceptedMs: intendedMs + 1 },
    noticedMs,
    server: { createdMs: OFFSET_MS + intendedMs + 0.5, completedMs: OFFSET_MS + noticedMs - 0.5 },
  };
}

describe("a recorder of load over time", () => {
  const open: ResultPlan = {
    ...plan,
    load: {
      kind: "open",
      arrival: "constant",
      stages: [
        { fromPerSecond: 1, toPerSecond: 1, lengthMs: 10_000 },
        { fromPerSecond: 2, toPerSecond: 2, lengthMs: 10_000 },
      ],
      maxInFlight: 10,
    },
    warmupMs: 5_000,
    graceMs: 30_000,
  };
  const ended = { ...end, endedMs: STARTED_MS + 40_000 };

  test("leaves the warm-up out of latency and throughput, and counts it", () => {
    const all = [at(1, 2), at(4, 7), at(5, 9), at(16, 18), at(24, 35)];
    const result = record(all, [], open).close("run", ended);
    expect(result.counts).toMatchObject({ warmup: 2, orchestrations: { started: 5, completed: 5 } });
    expect(result.latencyMs.response).toMatchObject({ count: 3 });
    // What was due in the window from 5 to 25 s, at 5, 16 and 24 s, whenever it completed.
    expect(result.throughput).toMatchObject({ windowMs: 20_000, orchestrationsPerSecond: 3 / 20 });
  });

  test("counts, for each part of the load, the due starts and the completions", () => {
    const all = [at(1, 2), at(4, 7), at(6, 9), at(16, 18), at(24, 35)];
    const { phases } = record(all, [], open).close("run", ended);
    expect(phases).toMatchObject([
      { name: "warm-up", fromMs: 0, lengthMs: 5_000, offeredPerSecond: 1, started: 2, completedPerSecond: 1 / 5 },
      { name: "1/s", fromMs: 5_000, lengthMs: 10_000, started: 1, completed: 1, completedPerSecond: 2 / 10 },
      { name: "2/s", fromMs: 15_000, lengthMs: 10_000, offeredPerSecond: 2, started: 2, completedPerSecond: 1 / 10 },
    ]);
    expect(phases?.[2]?.response).toMatchObject({ count: 2, max: expect.closeTo(11_000, -1) });
  });

  test("gives the last part the length of its schedule if no work is left", () => {
    const all = [at(1, 2), at(6, 7), at(16, 17), at(20, 21)];
    const early = { ...end, endedMs: STARTED_MS + 21_000 };
    const { phases } = record(all, [], open).close("run", early);
    expect(phases?.[2]).toMatchObject({ fromMs: 15_000, lengthMs: 10_000, completedPerSecond: 2 / 10 });
    const { phases: cut } = record(all, [], open).close("run", { ...early, interrupted: true });
    expect(cut?.[2]).toMatchObject({ fromMs: 15_000, lengthMs: 6_000, completedPerSecond: 2 / 6 });
  });

  test("counts starts that were never sent as planned, and as offered and unsent if they were due before the load ended", () => {
    const neverSent = [29_000, 31_000].map((dueMs, index) => ({ sequence: 1 + index, dueMs }));
    const stoppedMs = STARTED_MS + 30_000;
    const result = record([at(1, 2)], [], open).close("run", { ...ended, stoppedMs, neverSent });
    expect(result.counts).toMatchObject({ planned: 3, unsent: 1, orchestrations: { started: 1 } });
    expect(result.series?.reduce((sum, { offered }) => sum + offered, 0)).toBe(2);
  });

  describe("whose backend hangs at 5 s, with 100 in flight at most, of 100 a second for a minute", () => {
    const capped: ResultPlan = {
      ...plan,
      load: {
        kind: "open",
        arrival: "constant",
        stages: [{ fromPerSecond: 100, toPerSecond: 100, lengthMs: 60_000 }],
        maxInFlight: 100,
      },
    };
    const sent = (): Recorder => {
      const lucky = Array.from({ length: 500 }, (_, index) => at(index / 100, index / 100 + 0.05, index));
      const hung = Array.from({ length: 100 }, (_, index) => at(5 + index / 100, 99, 500 + index).start);
      return record(lucky, hung, capped);
    };
    const neverSent = Array.from({ length: 5_400 }, (_, index) => ({
      sequence: 600 + index,
      dueMs: 6_000 + 10 * index,
    }));
    const missed = { unsent: 5_400, orchestrations: { started: 600, completed: 500, unfinished: 100 } };

    test("shows no percentile of the few that were sent, and is invalid", () => {
      const result = sent().close("run", {
        ...ended,
        stoppedMs: STARTED_MS + 90_000,
        endedMs: STARTED_MS + 90_000,
        neverSent,
      });
      expect(result.counts).toMatchObject({ planned: 6_000, ...missed });
      expect(result.latencyMs.response).toMatchObject({ count: 500 });
      expect(result.latencyMs.response).not.toHaveProperty("p50");
      // It counts from the acceptance, which the others did not have.
      expect(result.latencyMs.service).toHaveProperty("p50");
      expect(percentileOf(result, "response", 0.5)).toBeUndefined();
      expect(result.verdict).toMatchObject({
        status: "invalid",
        reasons: expect.arrayContaining([
          expect.objectContaining({
            name: "held-back",
            text: "--max-in-flight held back 90 % of starts (limit 1 %): 5,400 of 6,000 were due and never sent",
          }),
        ]) as unknown,
      });
      const { verdict: _verdict, ...valid } = result;
      expect(judge(parseThreshold("p50<1s"), valid)).toMatchObject({
        passed: false,
        reason: "not judged, 500 samples do not carry it with 5,500 of 6,000 orchestrations cut off or never sent",
      });
      expect(judge(parseThreshold("counts.unsent<1"), valid)).toMatchObject({ passed: false, value: 5_400 });
    });

    test("does not miss what was not due when it was ended early", () => {
      const result = sent().close("run", { ...ended, stoppedMs: STARTED_MS + 7_000, neverSent });
      expect(result.counts).toMatchObject({ planned: 6_000, unsent: 101 });
    });

    test("stands so while it goes on", () => {
      const { environment } = end;
      const standing = sent().standing("run", STARTED_MS + 60_000, {
        environment,
        health: {},
        due: { all: 6_000, inWarmup: 0 },
      });
      expect(standing.counts).toMatchObject(missed);
      expect(standing.latencyMs.response).not.toHaveProperty("p50");
      expect(standing.verdict?.reasons.map(({ name }) => name)).toContain("held-back");
      expect(sent().snapshot(STARTED_MS + 60_000, { all: 6_000, inWarmup: 0 }).responseMs).not.toHaveProperty("p50");
      expect(sent().snapshot(STARTED_MS + 6_000, { all: 600, inWarmup: 0 }).responseMs).toHaveProperty("p50");
    });
  });

  test("keeps the slip of held-back starts apart", () => {
    const recorder = recorderOf(open);
    const dueMs = STARTED_MS + 6_000;
    addStart(recorder, { ...start, intendedMs: dueMs, sentMs: dueMs + 2, acceptedMs: dueMs + 3 });
    addStart(recorder, { ...start, intendedMs: dueMs, sentMs: dueMs + 900, acceptedMs: dueMs + 901, heldBack: true });
    const { generator, latencyMs } = recorder.close("run", ended);
    expect(generator).toMatchObject({ heldBack: 1, slipMs: { count: 1, max: 2 } });
    expect(latencyMs.slip).toMatchObject({ count: 2, max: 900 });
  });

  test("has no response time in closed load, but how many were in flight by Little's law", () => {
    const closed: ResultPlan = { ...plan, load: { kind: "closed", durationMs: 10_000 }, parallelOrchestrations: 2 };
    const all = Array.from({ length: 9 }, (_, second) => at(second, second + 1, second));
    const { latencyMs, concurrency, series } = record(all, [], closed).close("run", { ...end, endedMs: 11_000 });
    expect(latencyMs).not.toHaveProperty("response");
    expect(latencyMs.service?.mean).toBeCloseTo(999, -1);
    expect(concurrency?.planned).toBe(2);
    expect(concurrency?.effective).toBeCloseTo(0.9, 2);
    expect(series?.every((interval) => !("response" in interval))).toBe(true);
  });

  test("includes noticed completions in the result so far, before the backend's clock is known", () => {
    const recorder = recorderOf(open);
    for (let second = 5; second < 10; second += 1) {
      const completion = at(second, second + 0.5, second);
      addStart(recorder, completion.start);
      recorder.add(completion);
    }
    const { throughput, counts, latencyMs } = recorder.soFar("run", STARTED_MS + 10_000, end);
    expect(throughput).toMatchObject({ windowMs: 5_000, orchestrationsPerSecond: 1, activitiesPerSecond: 50 });
    expect(counts.orchestrations).toMatchObject({ started: 5, completed: 5 });
    expect(latencyMs.response).toMatchObject({ count: 5, max: 500 });
  });

  test.each([
    ["a start that was found", "completed", 0],
    ["a refused one", "failed", 1],
  ] as const)("is stalled or not by the end of %s, of which no acceptance is known", (_, outcome, refusals) => {
    const recorder = recorderOf(open);
    addTwenty(recorder);
    addStart(recorder, at(20, 99, 20).start);
    addStart(recorder, at(20, 99, 21).start);
    for (let number = 22; number < 100; number += 1) {
      const second = 20 + (number - 21) * 0.2;
      const completion = at(second, second + 0.1, number);
      const start = { ...completion.start, acceptedMs: undefined };
      recorder.addSend(start);
      const refused = refusals > 0 && { refused: true as const, server: undefined };
      recorder.add({ ...completion, start, outcome, ...refused });
    }
    expect(recorder.stallsSoFar(STARTED_MS + 36_000)).toHaveLength(refusals);
  });

  /** A thousand that took so long, and were noticed 2.3 s after they were sent. */
  const noticedLate = (tookMs: number, toldBy: "backend" | "nobody") => {
    const recorder = recorderOf(open);
    for (let number = 0; number < 1_000; number += 1) {
      const { start, ...completion } = at(5 + number / 200, 0, number);
      const noticedMs = start.sentMs + 2_300;
      const createdMs = OFFSET_MS + start.sentMs + 1;
      const server = toldBy === "backend" ? { createdMs, completedMs: createdMs + tookMs } : undefined;
      addStart(recorder, start);
      recorder.add({ ...completion, start, noticedMs, server });
    }
    return recorder;
  };

  test("misses a bound on latency for good by what it will be in the result, however late it was noticed", () => {
    const missed = (recorder: Recorder) =>
      ["max<2s", "service max<2s", "p99<2s", "p99>3s"].map((expression) =>
        isMissedForGood(parseThreshold(expression), recorder.soFar("run", STARTED_MS + 30_000, end)),
      );
    const quick = noticedLate(1_500, "backend");
    expect(missed(quick)).toEqual([false, false, false, false]);
    expect(quick.soFar("run", STARTED_MS + 30_000, end).latencyMs.response).toMatchObject({
      max: expect.closeTo(2_300) as number,
    });
    expect(quick.close("run", ended).latencyMs.response?.max).toBeLessThan(1_600);
    expect(missed(noticedLate(2_100, "backend"))).toEqual([true, true, true, false]);
    expect(missed(noticedLate(1_500, "nobody"))).toEqual([true, true, true, false]);
  });

  test("gives a view its figures so far, including a stall in progress", () => {
    const recorder = recorderOf(open);
    addTwenty(recorder);
    addStart(recorder, at(20, 99, 20).start);
    const { own, responseMs } = recorder.snapshot(STARTED_MS + 60_000);
    expect(own).toMatchObject({ completed: 20, failed: 0, inFlight: 1, heldBack: 0 });
    expect(own.stall).toMatchObject({ inFlight: 1 });
    expect(responseMs).toMatchObject({ count: 15 });
  });
});

describe("of a run with a warm-up, which latencies leave out", () => {
  const warm: ResultPlan = { ...plan, warmupMs: 8_000 };
  /** The starts that are due in the warm-up, ten a second, have all ended; of the 200 after them 25 have not. */
  const starts = Array.from({ length: 280 }, (_, sequence): Start => {
    const intendedMs = STARTED_MS + sequence * 100;
    return { ...start, instanceId: `a-${sequence}`, sequence, intendedMs, sentMs: intendedMs, acceptedMs: intendedMs };
  });
  const ended = starts.slice(0, 255).map((one): Completion => {
    return { ...completed, start: one, noticedMs: one.intendedMs + 50, server: undefined };
  });
  const result = record(ended, starts.slice(255), warm).close("run", { ...end, endedMs: STARTED_MS + 60_000 });

  test("what was cut off is a share of the starts that latencies are of", () => {
    expect(result.counts).toMatchObject({ warmup: 80, measured: { started: 200, terminated: 0, unfinished: 25 } });
    // 25 of 280 are less than a tenth, and 25 of 200 are more.
    expect(result.latencyMs.service).toMatchObject({ count: 175, p50: 50 });
    expect(result.latencyMs.service).not.toHaveProperty("p90");
    expect(percentileOf(result, "service", 0.87)).toBe(50);
    expect(percentileOf(result, "service", 0.88)).toBeUndefined();
    const { reason } = judge(parseThreshold("service p90<1s"), result);
    expect(reason).toBe("not judged, 175 samples do not carry it with 25 of 200 orchestrations cut off");
  });

  test("an old result, which does not tell them apart, has the share of all starts", () => {
    const { measured: _untold, ...counts } = result.counts;
    expect(percentileOf({ ...result, counts }, "service", 0.9)).toBe(50);
  });

  test("what was cut off in the warm-up takes no percentile away", () => {
    const found = record(ended.slice(20), starts.slice(0, 20), warm).close("run", end);
    expect(found.counts.measured).toEqual({ started: 175, terminated: 0, unfinished: 0 });
    expect(found.latencyMs.service).toHaveProperty("p90");
  });
});
