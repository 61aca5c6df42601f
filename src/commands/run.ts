import type { Backend } from "../backend/backend.js";
import { resolveConnection, type Connection } from "../backend/connection-string.js";
import { greet } from "../backend/greeting.js";
import { doubtOfHub } from "../backend/missing-hub.js";
import { openBackend } from "../backend/open-backend.js";
import { chooseTransport } from "../backend/transport.js";
import { ExitCode, firstOf } from "../exit-codes.js";
import { plural } from "../format/count.js";
import { planLine } from "../format/plan-line.js";
import { requireFreeRunIds } from "../load/free-run-id.js";
import { Interruption } from "../load/interruption.js";
import { newRunId, repeatedRunId } from "../load/run-id.js";
import { refuseUncarried } from "../load/uncarried-thresholds.js";
import { capacityLine, guardSpend, spendObjection, withinSpend } from "../load/spend-guard.js";
import { checkResultFiles } from "../report/report-files.js";
import { compareRuns, type Comparison } from "../stats/comparison.js";
import { readBaseline } from "./compare.js";
import { storeSizeText } from "../report/store-size.js";
import { errorsOnly } from "./errors-only.js";
import type { CommandIo } from "./io.js";
import { noticeOn } from "./notice.js";
import { parseRunCall, type RunCall } from "./run-call.js";
import { runOnce } from "./run-once.js";
import { RunResults } from "./run-results.js";

/** `fanout run`: load tests, from flags to summaries. Data goes to stdout, all else to stderr. */
export async function runRunCommand(rawFlags: unknown, allIo: CommandIo): Promise<ExitCode> {
  const asked = parseRunCall(rawFlags);
  // With --quiet all but results and errors goes nowhere.
  const io = asked.quiet ? { ...allIo, stderr: errorsOnly(allIo.stderr) } : allIo;
  await checkResultFiles(asked);
  const baseline = await readBaseline(asked);
  const { connectionString, taskHub } = asked;
  const connection = resolveConnection({ flag: connectionString, taskHub });
  const transport = chooseTransport(connection, asked.transport);
  const call = { ...asked, plan: withinSpend(asked.plan, asked.limits, asked.repeat) };
  refuseUncarried(call.thresholds, call.plan);
  if (call.dryRun) return dryRun(call, connection, io);
  // What an http endpoint bills is known once it has said what it is.
  guardSpend(call.plan, call.limits, call.repeat, mayBeEmulator(connection) ? "emulator" : "endpoint");
  const say = noticeOn(io.stderr);
  const backend = await openBackend(connection, { onNotice: say, transport });
  const interruption = new Interruption();
  const results = new RunResults(call, allIo);
  try {
    const place = await placeOf(backend, call);
    say(`backend: ${place}, task hub ${connection.taskHub} (connection string: ${connection.source})`);
    const doubt = backend.kind === "scheduler" ? await doubtOfHub(backend) : undefined;
    if (doubt !== undefined) say(`warning: ${doubt}`);
    say(planLine(call.plan));
    const capacity = capacityLine(call.plan, call.limits, call.repeat);
    if (capacity !== undefined) say(capacity);
    const wasLarge = await noteStoreSize(backend, say);
    const codes = await repeatedly(backend, call, results, interruption, io);
    if (!wasLarge && interruption.exitCode === undefined) await noteStoreSize(backend, say).catch(() => {});
    results.showSpread();
    if (interruption.exitCode !== undefined) return interruption.exitCode;
    if (baseline.length === 0) return firstOf(codes);
    const comparison = compareRuns(baseline, results.all, { allowInvalid: call.allowInvalid });
    return firstOf([...withoutDropped(codes, comparison), await results.addComparison(comparison)]);
  } finally {
    results.end();
    interruption[Symbol.dispose]();
    backend.close();
  }
}

/** Says that the embedded emulator's store is large; whether it is. */
async function noteStoreSize({ admin }: Backend, say: (line: string) => void): Promise<boolean> {
  const note = admin && storeSizeText(await admin.status());
  if (note !== undefined) say(note);
  return note !== undefined;
}

/** Our own emulator has no TLS. */
function mayBeEmulator(connection: Connection): boolean {
  return connection.kind === "emulator" || connection.url.protocol === "http:";
}

/**
 * What is at the other end, which has to be a backend, and to bill no more than was allowed.
 * @throws UsageError, FanoutError
 */
async function placeOf(backend: Backend, { plan, limits, repeat }: RunCall): Promise<string> {
  const { displayName, connection } = backend;
  if (connection.kind === "emulator") return displayName;
  const { emulatorVersion } = await greet(backend).catch((error: unknown) => {
    guardSpend(plan, limits, repeat, "endpoint");
    throw error;
  });
  guardSpend(plan, limits, repeat, emulatorVersion === undefined ? "endpoint" : "emulator");
  return emulatorVersion === undefined
    ? displayName
    : `a fanout emulator at ${displayName}, version ${emulatorVersion}`;
}

/** Runs the plan as often as asked, one run after the other, each with its summary and its results. */
async function repeatedly(
  backend: Backend,
  call: RunCall,
  results: RunResults,
  interruption: Interruption,
  io: CommandIo,
): Promise<readonly ExitCode[]> {
  const runId = call.runId ?? newRunId(Date.now(), Math.random);
  const runIds =
    call.repeat > 1 ? Array.from({ length: call.repeat }, (_, index) => repeatedRunId(runId, index + 1)) : [runId];
  if (call.runId !== undefined) await requireFree(backend, runIds, interruption);
  const codes: ExitCode[] = [];
  for (const [index, id] of runIds.entries()) {
    if (interruption.exitCode !== undefined) break;
    if (call.repeat > 1) io.stderr.write(`\nrun ${index + 1} of ${call.repeat}\n`);
    codes.push(await runOnce({ backend, call, runId: id, results, interruption, io }));
  }
  return codes;
}

async function requireFree(backend: Backend, runIds: readonly string[], { signal }: Interruption): Promise<void> {
  try {
    await requireFreeRunIds(backend, runIds, signal);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** An invalid run that the comparison could do without does not fail what the others show. */
function withoutDropped(codes: readonly ExitCode[], { dropped }: Comparison): readonly ExitCode[] {
  return dropped.length === 0 ? codes : codes.filter((code) => code !== ExitCode.Invalid);
}

/** What a run would do and cost. Nothing is opened for it, so that it needs neither a backend nor a credential. */
function dryRun({ plan, limits, repeat }: RunCall, connection: Connection, io: CommandIo): ExitCode {
  const place = connection.kind === "emulator" ? "the embedded emulator" : connection.url.origin;
  const objection = spendObjection(plan, limits, repeat, connection.kind);
  const lines = [
    "dry run: nothing is started",
    `backend: ${place}, task hub ${connection.taskHub} (connection string: ${connection.source})`,
    planLine(plan),
    repeat > 1 ? `${plural(repeat, "time")}, one after the other` : undefined,
    "actions are what a scheduler bills: 1 for each start and each continue-as-new, 2 for each activity, 3 for each retry",
    capacityLine(plan, limits, repeat),
    objection && `without --dry-run this is refused: ${objection}`,
  ];
  const say = noticeOn(io.stdout);
  for (const line of lines) if (line !== undefined) say(line);
  return ExitCode.Success;
}
