import { z } from "zod";
import { resolveConnection, type Connection } from "../backend/connection-string.js";
import { openBackend } from "../backend/open-backend.js";
import type { Backend } from "../backend/backend.js";
import { ExitCode } from "../exit-codes.js";
import { planLine } from "../format/plan-line.js";
import { clientClock } from "../load/clock.js";
import { Interruption } from "../load/interruption.js";
import { LoadTest, type LoadTestOutcome } from "../load/load-test.js";
import { parsePlan, type LoadPlan } from "../load/plan.js";
import { newRunId } from "../load/run-id.js";
import { capacityLine, guardSpend, parseSpendLimits, spendObjection, type SpendLimits } from "../load/spend-guard.js";
import { coloursFor } from "../report/colours.js";
import { checkJsonFile, resultJson, writeJsonFile } from "../report/json.js";
import { liveView } from "../report/live.js";
import { appendStepSummary } from "../report/step-summary.js";
import { summaryText } from "../report/text.js";
import { plannedStarts } from "../stats/load-shape.js";
import { actionsOf } from "../stats/run-size.js";
import { judge, parseThreshold, type Threshold } from "../stats/threshold.js";
import type { CommandIo } from "./io.js";
import { purgeAfterRun } from "./purge.js";

const runFlags = z.object({
  connectionString: z.string().optional(),
  taskHub: z.string().optional(),
  /** A file, or true for stdout. */
  json: z.union([z.string(), z.literal(true)]).optional(),
  leave: z.boolean().default(false),
  dryRun: z.boolean().default(false),
  purge: z.boolean().default(false),
  threshold: z.array(z.string()).default([]),
});

type RunFlags = z.output<typeof runFlags>;

/** `fanout run`: one load test, from its flags to its summary. Data goes to stdout, all else to stderr. */
export async function runRunCommand(rawFlags: unknown, io: CommandIo): Promise<ExitCode> {
  const plan = parsePlan(rawFlags);
  const limits = parseSpendLimits(rawFlags);
  const flags = runFlags.parse(rawFlags);
  const thresholds = flags.threshold.map(parseThreshold);
  if (typeof flags.json === "string") await checkJsonFile(flags.json);
  const { connectionString, taskHub } = flags;
  const connection = resolveConnection({ flag: connectionString, taskHub });
  if (flags.dryRun) return dryRun(plan, limits, connection, io);
  guardSpend(leastActionsOf(plan), limits, connection.kind);
  const say = (line: string): void => void io.stderr.write(`${line}\n`);
  const backend = await openBackend(connection, { onNotice: say });
  const interruption = new Interruption();
  try {
    say(`backend: ${backend.displayName}, task hub ${connection.taskHub} (connection string: ${connection.source})`);
    say(planLine(plan));
    const capacity = capacityLine(leastActionsOf(plan), limits);
    if (capacity !== undefined) say(capacity);
    return await runOn(backend, plan, flags, thresholds, interruption, io);
  } finally {
    interruption[Symbol.dispose]();
    backend.close();
  }
}

async function runOn(
  backend: Backend,
  plan: LoadPlan,
  flags: RunFlags,
  thresholds: readonly Threshold[],
  interruption: Interruption,
  io: CommandIo,
): Promise<ExitCode> {
  const view = liveView(io.stderr, () => test.snapshot());
  const test = new LoadTest({
    plan,
    backend,
    runId: newRunId(Date.now(), Math.random),
    clock: clientClock,
    attended: io.stderr.isTTY ?? false,
    leave: flags.leave,
    interruption: interruption.signal,
    onLine: (line) => view.line(line),
  });
  const { runId } = test.options;
  try {
    view.start();
    const outcome = judged(await test.run(), thresholds);
    view.stop();
    await present(outcome, flags.json, io);
    // The first Ctrl-C has ended the run; a second one ends the process, and with it the purge.
    const purged = !flags.purge || (await purgeAfterRun(backend, runId, new AbortController().signal, io));
    return interruption.exitCode ?? (purged ? exitCodeOf(outcome) : ExitCode.Failure);
  } finally {
    view.stop();
    await test.close();
  }
}

/** What a run would do and cost. Nothing is opened for it, so that it needs neither a backend nor a credential. */
function dryRun(plan: LoadPlan, limits: SpendLimits, connection: Connection, io: CommandIo): ExitCode {
  const place = connection.kind === "emulator" ? "the embedded emulator" : connection.url.origin;
  const actions = leastActionsOf(plan);
  const objection = spendObjection(actions, limits, connection.kind);
  const lines = [
    "dry run: nothing is started",
    `backend: ${place}, task hub ${connection.taskHub} (connection string: ${connection.source})`,
    planLine(plan),
    "actions are what a scheduler bills: 1 for each start and each continue-as-new, 2 for each activity",
    capacityLine(actions, limits),
    objection && `without --dry-run this is refused: ${objection}`,
  ];
  io.stdout.write(lines.map((line) => (line === undefined ? "" : `${line}\n`)).join(""));
  return ExitCode.Success;
}

/** Prints the summary before the file is written: a full disk costs the file, not what was learnt. */
async function present({ result, gaveUp }: LoadTestOutcome, json: RunFlags["json"], io: CommandIo): Promise<void> {
  if (gaveUp !== undefined) io.stderr.write(`error: ${gaveUp}\n`);
  const forPeople = json === true ? io.stderr : io.stdout;
  forPeople.write(`${summaryText(result, coloursFor(forPeople))}\n`);
  await appendStepSummary(result, process.env["GITHUB_STEP_SUMMARY"], (line) => void io.stderr.write(`${line}\n`));
  if (json === true) io.stdout.write(resultJson(result));
  if (typeof json === "string") await writeJsonFile(json, result);
}

function judged(outcome: LoadTestOutcome, thresholds: readonly Threshold[]): LoadTestOutcome {
  if (thresholds.length === 0) return outcome;
  const { result } = outcome;
  return { ...outcome, result: { ...result, thresholds: thresholds.map((threshold) => judge(threshold, result)) } };
}

function exitCodeOf({ result, gaveUp }: LoadTestOutcome): ExitCode {
  const { started, completed } = result.counts.orchestrations;
  if (gaveUp !== undefined || started !== completed) return ExitCode.Failure;
  return result.thresholds?.some(({ passed }) => !passed) ? ExitCode.ThresholdMissed : ExitCode.Success;
}

/** What a run costs; of somebody's own orchestration at least one action for each start. */
function leastActionsOf(plan: LoadPlan): number {
  return (actionsOf(plan) ?? 1) * (plannedStarts(plan) ?? 1);
}
