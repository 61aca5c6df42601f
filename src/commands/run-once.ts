import type { Backend } from "../backend/backend.js";
import { ExitCode, firstOf } from "../exit-codes.js";
import { oneLine } from "../format/one-line.js";
import { clientClock } from "../async/clock.js";
import { SKIPPED, type Interruption } from "./interruption.js";
import { SeveralGenerators, type SeveralGeneratorsOptions } from "../generators/several-generators.js";
import { LoadTest, type LoadTestOptions, type LoadTestOutcome } from "../load/load-test.js";
import { liveView } from "../report/live.js";
import { isMissedForGood, judge } from "../stats/threshold.js";
import type { CommandIo } from "./io.js";
import { feedOf } from "./live-feed.js";
import { purgeAfterRun } from "./purge.js";
import type { RunCall } from "./run-call.js";
import { exitCodeOfRun } from "./run-exit-code.js";
import type { RunPage } from "./run-page.js";
import type { RunResults } from "./run-results.js";
import { telemetryOf, type Collector } from "./run-telemetry.js";

const JUDGE_EVERY_MS = 1_000;

interface OneRun {
  readonly backend: Backend;
  readonly call: RunCall;
  readonly runId: string;
  /** With `--repeat`, counted from 1. */
  readonly number: number;
  /** How many processes make the load. */
  readonly generators: number;
  /** The result is added here. */
  readonly results: RunResults;
  readonly interruption: Interruption;
  readonly page: RunPage | undefined;
  readonly collector: Collector | undefined;
  readonly io: CommandIo;
}

/** One load test, from its first start to its results. */
export async function runOnce(run: OneRun): Promise<ExitCode> {
  const { backend, call, runId, interruption, page, io } = run;
  const view = liveView(io.stderr, () => test.snapshot());
  const isCollected = run.collector !== undefined || call.metricsPort !== undefined;
  const test = loadTestOf(
    { generators: run.generators, isCollected, ...judgingOf(call) },
    {
      plan: call.plan,
      backend,
      runId,
      clock: clientClock,
      startAtMs: call.startAtMs,
      attended: io.stderr.isTTY ?? false,
      leave: call.leave,
      replay: call.replay,
      interruption: interruption.signal,
      beginReading: () => interruption.beginReading(() => view.line(SKIPPED)),
      onLine: (line) => view.line(oneLine(line)),
      onTimelines: run.collector && ((timelines) => telemetry?.add(timelines)),
    },
  );
  const telemetry = await telemetryOf(run, test, (line) => view.line(oneLine(line)));
  const metrics = await metricsOf(run, test);
  page?.follow(feedOf(run, test), interruption.signal);
  try {
    view.start();
    const outcome = await judgedRun(test, call);
    view.stop();
    page?.ended();
    await run.results.add(outcome);
    await telemetry?.end(outcome.result);
    // The first Ctrl-C has ended the run. A second one ends the process, and with it the purge.
    const purged = !call.purge || (await purgeAfterRun(backend, runId, new AbortController().signal, io));
    return interruption.exitCode ?? firstOf([exitCodeOfRun(outcome, call), ...(purged ? [] : [ExitCode.Failure])]);
  } finally {
    view.stop();
    telemetry?.stop();
    await metrics?.close();
    await test.close();
  }
}

/** Runs the test, ends it early if `--abort-on-fail` says so, and judges its thresholds. */
export async function judgedRun(test: LoadTest | SeveralGenerators, call: RunCall): Promise<LoadTestOutcome> {
  const judging = call.abortOnFail ? setInterval(() => abortIfMissed(test, call), JUDGE_EVERY_MS) : undefined;
  try {
    return judged(await test.run(), call);
  } finally {
    clearInterval(judging);
  }
}

type OfSeveral = Omit<SeveralGeneratorsOptions, keyof LoadTestOptions>;

/** By one generator in this process, or by several in processes of their own. */
export function loadTestOf(several: OfSeveral, options: LoadTestOptions): LoadTest | SeveralGenerators {
  return several.generators === 1 ? new LoadTest(options) : new SeveralGenerators({ ...options, ...several });
}

/** What thresholds need of several generators while the run goes on. */
export function judgingOf({ abortOnFail, thresholds }: RunCall): Pick<OfSeveral, "isJudged" | "judged"> {
  return { isJudged: abortOnFail, judged: thresholds.flatMap(({ figure }) => figure.part?.orchestrator ?? []) };
}

async function metricsOf({ call, runId, io }: OneRun, test: LoadTest | SeveralGenerators) {
  if (call.metricsPort === undefined) return undefined;
  const { startRunMetrics } = await import("../http/run-metrics.js");
  const metrics = await startRunMetrics({
    port: call.metricsPort,
    snapshot: () => test.snapshot(),
    latencies: () => test.latencyBuckets(),
    labels: { runId },
  });
  io.stderr.write(`metrics: http://127.0.0.1:${metrics.port}/metrics\n`);
  return metrics;
}

function abortIfMissed(test: LoadTest | SeveralGenerators, { thresholds }: RunCall): void {
  const soFar = test.resultSoFar();
  const missed = soFar && thresholds.find((threshold) => isMissedForGood(threshold, soFar));
  if (missed) test.abort(`threshold ${missed.expression} can no longer be met (--abort-on-fail)`);
}

function judged(outcome: LoadTestOutcome, { thresholds }: RunCall): LoadTestOutcome {
  if (thresholds.length === 0) return outcome;
  const { result } = outcome;
  return { ...outcome, result: { ...result, thresholds: thresholds.map((threshold) => judge(threshold, result)) } };
}
