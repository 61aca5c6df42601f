import { z } from "zod";
import type { Backend } from "../backend/backend.js";
import { resolveConnection } from "../backend/connection-string.js";
import { isMissingCall } from "../backend/missing-call.js";
import { openBackend } from "../backend/open-backend.js";
import { FanoutError, UsageError } from "../errors.js";
import { ExitCode } from "../exit-codes.js";
import { formatCount, plural } from "../format/count.js";
import { parseDuration } from "../format/duration.js";
import { cannotList, cannotPurge, checkRunId, unknownRun } from "../hub/hub-errors.js";
import { purgeInstances } from "../hub/purge.js";
import { selectOlder, selectRun, type PurgeSelection } from "../hub/purge-selection.js";
import { clientClock } from "../load/clock.js";
import { Interruption } from "../load/interruption.js";
import { liveView } from "../report/live.js";
import { statusesText } from "../report/status-text.js";
import { confirmed, requireTerminal } from "./confirm.js";
import type { CommandIo } from "./io.js";

const LISTED_LEFT = 10;

const purgeFlags = z.object({
  run: z.string().optional(),
  olderThan: z.string().optional(),
  yes: z.boolean().default(false),
  connectionString: z.string().optional(),
  taskHub: z.string().optional(),
});

type Subject = { readonly runId: string } | { readonly olderThanMs: number; readonly age: string };

/** `fanout purge`: deletes ended instances of a run, or of all load tests before a time; counted and asked first. */
export async function runPurgeCommand(rawFlags: unknown, io: CommandIo): Promise<ExitCode> {
  const flags = purgeFlags.parse(rawFlags);
  const subject = subjectOf(flags.run, flags.olderThan);
  if (!flags.yes) requireTerminal("`fanout purge` deletes instances");
  const connection = resolveConnection({ flag: flags.connectionString, taskHub: flags.taskHub });
  const backend = await openBackend(connection, { onNotice: (line) => void io.stderr.write(`${line}\n`) });
  const interruption = new Interruption();
  try {
    const selection = await select(backend, subject, interruption.signal);
    const { ended } = selection;
    const what = `${plural(ended.length, "ended instance")} ${subjectText(subject)}`;
    const where = `task hub ${connection.taskHub} on ${backend.displayName}`;
    if (ended.length === 0) io.stdout.write(`nothing to purge: no ended instances ${subjectText(subject)}\n`);
    else if (flags.yes || (await confirmed(`Purge ${what} from ${where}?`, interruption.signal))) {
      await purgeAndTell(backend, selection, interruption.signal, io);
      return interruption.exitCode ?? ExitCode.Success;
    } else io.stdout.write("nothing was changed\n");
    tellWhatIsLeft(selection, io);
    return interruption.exitCode ?? ExitCode.Success;
  } catch (error) {
    if (interruption.exitCode !== undefined) return interruption.exitCode;
    throw error;
  } finally {
    interruption[Symbol.dispose]();
    backend.close();
  }
}

/**
 * Purges what a run has left on the hub, for `fanout run --purge`. That it failed is a line and false, never an error:
 * the run has its result.
 */
export async function purgeAfterRun(
  backend: Backend,
  runId: string,
  signal: AbortSignal,
  io: CommandIo,
): Promise<boolean> {
  try {
    const selection = await selectRun(backend.client, runId, signal);
    await purgeAndTell(backend, selection, signal, { stdout: io.stderr, stderr: io.stderr });
    return true;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    io.stderr.write(`error: the run could not be purged: ${reason}. Later: fanout purge --run ${runId}\n`);
    return false;
  }
}

function subjectOf(run: string | undefined, age: string | undefined): Subject {
  if ((run === undefined) === (age === undefined)) {
    throw new UsageError(
      `expected either --run or --older-than, found ${run === undefined ? "neither" : "both"}; ` +
        "`fanout status` lists the latest runs",
    );
  }
  if (run !== undefined) {
    checkRunId(run);
    return { runId: run };
  }
  const olderThanMs = parseDuration(age ?? "");
  if (age === undefined || olderThanMs === undefined || olderThanMs <= 0) {
    throw new UsageError(`--older-than: expected an age such as 7d, 12h or 30m, found "${age}"`);
  }
  return { olderThanMs, age };
}

function subjectText(subject: Subject): string {
  return "runId" in subject ? `of run ${subject.runId}` : `of load tests, created more than ${subject.age} ago`;
}

async function select(backend: Backend, subject: Subject, signal: AbortSignal): Promise<PurgeSelection> {
  if ("runId" in subject) {
    const selection = await selectRun(backend.client, subject.runId, signal);
    if (selection.ended.length + selection.left.ids.length === 0) throw unknownRun(subject.runId, backend);
    return selection;
  }
  try {
    return await selectOlder(backend.client, Date.now() - subject.olderThanMs, signal);
  } catch (error) {
    throw isMissingCall(error) ? cannotList(backend, "Purge a run by its id with --run.", error) : error;
  }
}

/** @throws FanoutError if the backend refused to purge some */
async function purgeAndTell(
  backend: Backend,
  selection: PurgeSelection,
  signal: AbortSignal,
  io: CommandIo,
): Promise<void> {
  const total = selection.ended.length;
  const startedMs = clientClock();
  let ended = 0;
  const view = liveView(io.stderr, () => ({
    elapsedMs: clientClock() - startedMs,
    orchestrations: { total, started: total, ended },
    activities: { total: 0, completed: 0 },
    responseMs: undefined,
  }));
  view.start();
  try {
    const onPurged = (count: number): void => void (ended += count);
    const { purged, refused, reason } = await purgeInstances(backend.client, selection.ended, { signal, onPurged });
    view.stop();
    io.stdout.write(`purged ${plural(purged, "instance")}\n`);
    tellWhatIsLeft(selection, io);
    if (refused === 0) return;
    throw new FanoutError(`${plural(refused, "instance")} could not be purged: ${reason}`);
  } catch (error) {
    view.stop();
    if (signal.aborted) io.stdout.write(`interrupted: purged ${formatCount(ended)} of ${plural(total, "instance")}\n`);
    throw isMissingCall(error) ? cannotPurge(backend, error) : error;
  } finally {
    view.stop();
  }
}

function tellWhatIsLeft({ left, others }: PurgeSelection, io: CommandIo): void {
  if (left.ids.length > 0) {
    const named = left.ids.slice(0, LISTED_LEFT).map((id) => `  ${id}\n`);
    const rest = left.ids.length - named.length;
    io.stdout.write(
      `left ${plural(left.ids.length, "instance")} that ${left.ids.length === 1 ? "has" : "have"} not ended ` +
        `(${statusesText(left.byStatus)}):\n${named.join("")}`,
    );
    if (rest > 0) io.stdout.write(`  and ${formatCount(rest)} more\n`);
  }
  if (others > 0) io.stdout.write(`left ${plural(others, "instance")} that no load test has started\n`);
}
