import type { Backend } from "../backend/backend.js";
import type { Connection } from "../backend/connection-string.js";
import { doubtOfHub } from "../backend/missing-hub.js";
import { openBackend } from "../backend/open-backend.js";
import type { Transport } from "../backend/transport.js";
import { ExitCode, firstOf } from "../exit-codes.js";
import { planLine } from "../report/plan-line.js";
import { requireFreeRunIds } from "../load/free-run-id.js";
import { Interruption } from "./interruption.js";
import { generatorsText, type Generators } from "../plan/generators-flag.js";
import { newRunId, repeatedRunId } from "../plan/run-id.js";
import { capacityLine, guardSpend } from "../plan/spend-guard.js";
import { storeSizeText } from "../report/store-size.js";
import { compareRuns } from "../stats/comparison.js";
import type { Comparison, RunResult } from "../result/run-result.js";
import type { CommandIo } from "./io.js";
import { noticeOn } from "./notice.js";
import { placeOf } from "./place-of.js";
import type { RunCall } from "./run-call.js";
import { runOnce } from "./run-once.js";
import type { RunPage } from "./run-page.js";
import { openCollector, type Collector } from "./run-telemetry.js";
import { RunResults } from "./run-results.js";

/** A call that is valid as far as can be checked without a backend. */
interface CheckedCall {
  readonly call: RunCall;
  readonly generators: Generators;
  readonly connection: Connection;
  readonly transport: Transport | undefined;
  readonly baseline: readonly RunResult[];
  /** Present with `--live`. */
  readonly page: RunPage | undefined;
  /** The output of progress. With `--quiet` it has only errors. */
  readonly io: CommandIo;
  readonly resultsIo: CommandIo;
}

interface ReadyCall extends CheckedCall {
  /** Present with `--otlp`. */
  readonly collector: Collector | undefined;
}

/** Opens the backend, runs the plan there as often as requested, and judges the results. */
export async function runOnBackend(checked: CheckedCall): Promise<ExitCode> {
  const { call, connection, transport, page, io, resultsIo } = checked;
  const say = noticeOn(io.stderr);
  const backend = await openBackend(connection, { onNotice: say, transport });
  const interruption = new Interruption();
  const results = new RunResults(call, resultsIo);
  const collector = await openCollector(call, say);
  try {
    const code = await judgedRuns(backend, { ...checked, collector }, results, interruption);
    await page?.finish(results.all);
    return code;
  } finally {
    results.end();
    interruption[Symbol.dispose]();
    backend.close();
  }
}

async function judgedRuns(
  backend: Backend,
  checked: ReadyCall,
  results: RunResults,
  interruption: Interruption,
): Promise<ExitCode> {
  const { call, generators, connection, baseline, io } = checked;
  const say = noticeOn(io.stderr);
  const place = await placeOf(backend, (billing) => guardSpend(call.cost, call.limits, call.repeat, billing));
  say(`backend: ${place}, task hub ${connection.taskHub} (connection string: ${connection.source})`);
  const doubt = backend.kind === "scheduler" ? await doubtOfHub(backend) : undefined;
  if (doubt !== undefined) say(`warning: ${doubt}`);
  say(planLine(call.plan) + generatorsText(generators));
  const capacity = capacityLine(call.cost, call.limits, call.repeat);
  if (capacity !== undefined) say(capacity);
  const wasLarge = await noteStoreSize(backend, say);
  const codes = await repeatedly(backend, checked, results, interruption);
  if (!wasLarge && interruption.exitCode === undefined) await noteStoreSize(backend, say).catch(() => {});
  results.showSpread();
  if (interruption.exitCode !== undefined) return interruption.exitCode;
  if (baseline.length === 0) return firstOf(codes);
  const comparison = compareRuns(baseline, results.all, { allowInvalid: call.allowInvalid });
  return firstOf([...withoutDropped(codes, comparison), await results.addComparison(comparison)]);
}

/** Reports a large store of the embedded emulator. Returns whether it is large. */
async function noteStoreSize({ admin }: Backend, say: (line: string) => void): Promise<boolean> {
  const note = admin && storeSizeText(await admin.status());
  if (note !== undefined) say(note);
  return note !== undefined;
}

/** Runs the plan as often as requested, one run after the other, each with its summary and its results. */
async function repeatedly(
  backend: Backend,
  { call, generators, page, collector, io }: ReadyCall,
  results: RunResults,
  interruption: Interruption,
): Promise<readonly ExitCode[]> {
  const runId = call.runId ?? newRunId(Date.now(), Math.random);
  const runIds =
    call.repeat > 1 ? Array.from({ length: call.repeat }, (_, index) => repeatedRunId(runId, index + 1)) : [runId];
  if (call.runId !== undefined) await requireFreeRunIds(backend, runIds, call.plan.shard, interruption.signal);
  const codes: ExitCode[] = [];
  for (const [index, id] of runIds.entries()) {
    if (interruption.exitCode !== undefined) break;
    if (call.repeat > 1) io.stderr.write(`\nrun ${index + 1} of ${call.repeat}\n`);
    const number = index + 1;
    const run = { backend, call, runId: id, number, generators: generators.count, results, interruption };
    codes.push(await runOnce({ ...run, page, collector, io }));
  }
  return codes;
}

/** An invalid run that the comparison dropped does not fail the command. */
function withoutDropped(codes: readonly ExitCode[], { dropped }: Comparison): readonly ExitCode[] {
  return dropped.length === 0 ? codes : codes.filter((code) => code !== ExitCode.Invalid);
}
