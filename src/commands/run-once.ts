import type { Backend } from "../backend/backend.js";
import { ExitCode, firstOf } from "../exit-codes.js";
import { clientClock } from "../load/clock.js";
import type { Interruption } from "../load/interruption.js";
import { LoadTest, type LoadTestOutcome } from "../load/load-test.js";
import { coloursFor } from "../report/colours.js";
import { resultJson, resultsJson, writeFileWhole } from "../report/json.js";
import { liveView } from "../report/live.js";
import { writeReportFiles } from "../report/report-files.js";
import { appendStepSummary } from "../report/step-summary.js";
import { summaryText } from "../report/text.js";
import type { RunResult } from "../stats/run-result.js";
import { isMissedForGood, judge } from "../stats/threshold.js";
import type { CommandIo } from "./io.js";
import { purgeAfterRun } from "./purge.js";
import type { RunCall } from "./run-call.js";

const JUDGE_EVERY_MS = 1_000;

interface OneRun {
  readonly backend: Backend;
  readonly call: RunCall;
  /** Which of the repeats it is, from 1 on. */
  readonly number: number;
  readonly runId: string;
  /** Those of the repeats before; this one's is added. */
  readonly results: RunResult[];
  readonly interruption: Interruption;
  readonly io: CommandIo;
}

/** One load test, from its first start to its results. */
export async function runOnce(run: OneRun): Promise<ExitCode> {
  const { backend, call, runId, interruption, io } = run;
  const view = liveView(io.stderr, () => test.snapshot());
  const test = new LoadTest({
    plan: call.plan,
    backend,
    runId,
    clock: clientClock,
    attended: io.stderr.isTTY ?? false,
    leave: call.leave,
    interruption: interruption.signal,
    onLine: (line) => view.line(line),
  });
  const metrics = await metricsOf(run, test);
  const judging = call.abortOnFail ? setInterval(() => abortIfMissed(test, call), JUDGE_EVERY_MS) : undefined;
  try {
    view.start();
    const outcome = judged(await test.run(), call);
    clearInterval(judging);
    view.stop();
    run.results.push(outcome.result);
    await present(outcome, run);
    // The first Ctrl-C has ended the run; a second one ends the process, and with it the purge.
    const purged = !call.purge || (await purgeAfterRun(backend, runId, new AbortController().signal, io));
    return interruption.exitCode ?? firstOf([exitCodeOf(outcome, call), ...(purged ? [] : [ExitCode.Failure])]);
  } finally {
    clearInterval(judging);
    view.stop();
    await metrics?.close();
    await test.close();
  }
}

async function metricsOf({ call, runId, io }: OneRun, test: LoadTest) {
  if (call.metricsPort === undefined) return undefined;
  const { startRunMetrics } = await import("../http/run-metrics.js");
  const metrics = await startRunMetrics({ port: call.metricsPort, snapshot: () => test.snapshot(), labels: { runId } });
  io.stderr.write(`metrics: http://127.0.0.1:${metrics.port}/metrics\n`);
  return metrics;
}

function abortIfMissed(test: LoadTest, { thresholds }: RunCall): void {
  const soFar = test.resultSoFar();
  const missed = soFar && thresholds.find((threshold) => isMissedForGood(threshold, soFar));
  if (missed) test.abort(`threshold ${missed.expression} is missed for good (--abort-on-fail)`);
}

/** Prints the summary before a file is written: a full disk costs the file, not what was learnt. */
async function present({ result, gaveUp }: LoadTestOutcome, { call, number, results, io }: OneRun): Promise<void> {
  const { json, repeat } = call;
  if (gaveUp !== undefined) io.stderr.write(`error: ${gaveUp}\n`);
  const forPeople = json === true ? io.stderr : io.stdout;
  forPeople.write(`${summaryText(result, coloursFor(forPeople))}\n`);
  await appendStepSummary(result, process.env["GITHUB_STEP_SUMMARY"], (line) => void io.stderr.write(`${line}\n`));
  const document = repeat === 1 ? resultJson(result) : resultsJson(results);
  if (json === true && number === repeat) io.stdout.write(document);
  if (typeof json === "string") await writeFileWhole("--json", json, document);
  await writeReportFiles(call, result, repeat === 1 ? undefined : number);
}

function judged(outcome: LoadTestOutcome, { thresholds }: RunCall): LoadTestOutcome {
  if (thresholds.length === 0) return outcome;
  const { result } = outcome;
  return { ...outcome, result: { ...result, thresholds: thresholds.map((threshold) => judge(threshold, result)) } };
}

function exitCodeOf({ result, gaveUp, aborted }: LoadTestOutcome, { allowInvalid }: RunCall): ExitCode {
  const { counts, recount, thresholds, verdict } = result;
  const { started, completed, failed } = counts.orchestrations;
  const lost = recount !== undefined && "lost" in recount && recount.lost.total > 0;
  // What was cut off because of a threshold has not failed.
  const cutOff = !aborted && (gaveUp !== undefined || completed !== (counts.planned ?? started));
  return firstOf([
    ...(failed > 0 || lost || cutOff ? [ExitCode.Failure] : []),
    ...(verdict?.status === "invalid" && !allowInvalid ? [ExitCode.Invalid] : []),
    ...(aborted || thresholds?.some(({ passed }) => !passed) ? [ExitCode.ThresholdMissed] : []),
  ]);
}
