import { z } from "zod";
import type { Backend } from "../backend/backend.js";
import { isMissingCall } from "../backend/missing-call.js";
import { FanoutError, UsageError } from "../errors.js";
import { ExitCode } from "../exit-codes.js";
import { formatCount, plural } from "../format/count.js";
import { parseDuration } from "../format/duration.js";
import { errorText } from "../format/error-text.js";
import { oneLine } from "../format/one-line.js";
import { cannotList, cannotPurge, checkRunId, unknownRun } from "../hub/hub-errors.js";
import { selectOlder, selectRun, type InstanceSelection } from "../hub/instance-selection.js";
import { purgeInstances } from "../hub/purge.js";
import { readFlags } from "../plan/flag-values.js";
import { statusesText } from "../report/status-text.js";
import { confirmed, requireTerminal } from "./confirm.js";
import { counting } from "./counting.js";
import type { CommandIo } from "./io.js";
import { onHub, placeText } from "./on-hub.js";
import { orchestratorsText, requireNamed } from "./own-work.js";
import { TERMINATE_PATIENCE_MS, terminateAndTell } from "./terminate.js";

const LISTED_LEFT = 10;

const purgeFlags = z.object({
  run: z.string().optional(),
  olderThan: z.string().optional(),
  orchestrator: z.array(z.string()).default([]),
  terminate: z.boolean().default(false),
  yes: z.boolean().default(false),
  connectionString: z.string().optional(),
  taskHub: z.string().optional(),
});

type PurgeFlags = z.output<typeof purgeFlags>;
type Subject = { readonly runId: string } | { readonly olderThanMs: number; readonly age: string };

/**
 * `fanout purge`: counts the ended instances of a run, or of all load tests before a time, asks, and deletes them.
 * `--terminate` ends unfinished ones first. Exits with 1 if some had to be left.
 */
export async function runPurgeCommand(rawFlags: unknown, io: CommandIo): Promise<ExitCode> {
  const flags = readFlags(purgeFlags, rawFlags);
  const subject = subjectOf(flags.run, flags.olderThan);
  if (!flags.yes) requireTerminal("`fanout purge` deletes instances");
  return onHub(flags, io, async (backend, signal) => {
    const selection = await select(backend, subject, signal);
    const isEmpty = selection.ended.length === 0 && !(flags.terminate && selection.unfinished.ids.length > 0);
    if (isEmpty) {
      io.stdout.write(`nothing to purge: no ended instances ${subjectText(subject)}\n`);
    } else if (!(await isMeant(subject, selection, flags, { backend, signal }))) {
      io.stdout.write("nothing was changed\n");
      return ExitCode.Success;
    }
    const left = flags.terminate ? await terminateFirst(backend, selection, signal, io) : selection;
    if (left.ended.length > 0) await purgeAndTell(backend, left.ended, signal, io);
    return tellWhatIsLeft(left, subject, io);
  });
}

/**
 * Purges the instances of a run for `fanout run --purge`. A failure is a line and the value false, never an error,
 * because the run has its result.
 */
export async function purgeAfterRun(
  backend: Backend,
  runId: string,
  signal: AbortSignal,
  io: CommandIo,
): Promise<boolean> {
  const toStderr = { stdout: io.stderr, stderr: io.stderr };
  try {
    const selection = await selectRun(backend.client, runId, signal);
    await purgeAndTell(backend, selection.ended, signal, toStderr);
    const left = selection.unfinished.ids.length;
    if (left === 0) return true;
    const what = `${plural(left, "instance")} of the run that ${left === 1 ? "has" : "have"} not ended`;
    io.stderr.write(`error: left ${what}; to terminate and purge them: fanout purge --run ${runId} --terminate\n`);
    return false;
  } catch (error) {
    io.stderr.write(
      `error: the run could not be purged: ${errorText(error)}. Try again later: fanout purge --run ${runId}\n`,
    );
    return false;
  }
}

function subjectOf(run: string | undefined, age: string | undefined): Subject {
  if ((run === undefined) === (age === undefined)) {
    const [code, found] =
      run === undefined ? (["missing-flag", "neither"] as const) : (["conflicting-flags", "both"] as const);
    throw new UsageError(code, `expected either --run or --older-than, found ${found}`, {
      hint: "`fanout status` lists the latest runs",
    });
  }
  if (run !== undefined) {
    checkRunId(run);
    return { runId: run };
  }
  const olderThanMs = parseDuration(age ?? "");
  if (age === undefined || olderThanMs === undefined || olderThanMs <= 0)
    throw new UsageError("invalid-value", `--older-than: expected an age such as 7d, 12h or 30m, found "${age}"`);

  return { olderThanMs, age };
}

function subjectText(subject: Subject): string {
  return "runId" in subject ? `of run ${subject.runId}` : `of load tests, created more than ${subject.age} ago`;
}

async function select(backend: Backend, subject: Subject, signal: AbortSignal): Promise<InstanceSelection> {
  if ("runId" in subject) {
    const selection = await selectRun(backend.client, subject.runId, signal);
    if (selection.ended.length + selection.unfinished.ids.length === 0) throw unknownRun(subject.runId, backend);
    return selection;
  }
  try {
    return await selectOlder(backend.client, Date.now() - subject.olderThanMs, signal);
  } catch (error) {
    throw isMissingCall(error) ? cannotList(backend, "Purge a run by its id with --run.", error) : error;
  }
}

/** Whether the person at the terminal, or `--yes`, confirms it. */
async function isMeant(
  subject: Subject,
  selection: InstanceSelection,
  flags: PurgeFlags,
  { backend, signal }: { readonly backend: Backend; readonly signal: AbortSignal },
): Promise<boolean> {
  const { ended, unfinished, unrecognised } = selection;
  if (flags.yes) {
    if ("runId" in subject) requireNamed(subject.runId, selection, flags.orchestrator);
    return true;
  }
  const what = flags.terminate
    ? `${plural(ended.length, "ended instance")}, and ${formatCount(unfinished.ids.length)} to be terminated,`
    : plural(ended.length, "ended instance");
  const of = unrecognised.length > 0 ? ` (${orchestratorsText(unrecognised)})` : "";
  return confirmed(`Purge ${what} ${subjectText(subject)}${of} from ${placeText(backend)}?`, signal);
}

/** Terminates the unfinished instances, and returns the instances to purge. */
async function terminateFirst(
  backend: Backend,
  selection: InstanceSelection,
  signal: AbortSignal,
  io: CommandIo,
): Promise<InstanceSelection> {
  const { ids } = selection.unfinished;
  if (ids.length === 0) return selection;
  const { ended, unfinished } = await terminateAndTell(backend, ids, TERMINATE_PATIENCE_MS, signal, io);
  return { ...selection, ended: [...selection.ended, ...ended], unfinished };
}

/** @throws FanoutError if the backend refused to purge some */
async function purgeAndTell(
  backend: Backend,
  ids: readonly string[],
  signal: AbortSignal,
  io: CommandIo,
): Promise<void> {
  const view = counting(io, ids.length);
  try {
    const { purged, refused, reason } = await purgeInstances(backend.client, ids, { signal, onPurged: view.add });
    view.stop();
    io.stdout.write(`purged ${plural(purged, "instance")}\n`);
    if (refused > 0)
      throw new FanoutError("instances-left", `${plural(refused, "instance")} could not be purged: ${reason}`);
  } catch (error) {
    view.stop();
    const total = plural(ids.length, "instance");
    if (signal.aborted) io.stdout.write(`interrupted: purged ${formatCount(view.count)} of ${total}\n`);
    throw isMissingCall(error) ? cannotPurge(backend, error) : error;
  }
}

/** Success if nothing is left of what was selected. */
function tellWhatIsLeft({ unfinished, others }: InstanceSelection, subject: Subject, io: CommandIo): ExitCode {
  const { ids, byStatus } = unfinished;
  if (others > 0) io.stdout.write(`left ${plural(others, "instance")} that no load test has started\n`);
  if (ids.length === 0) return ExitCode.Success;
  const named = ids.slice(0, LISTED_LEFT).map((id) => `  ${oneLine(id)}\n`);
  const rest = ids.length - named.length;
  const count = `${plural(ids.length, "instance")} that ${ids.length === 1 ? "has" : "have"} not ended`;
  io.stdout.write(`left ${count} (${statusesText(byStatus)}):\n${named.join("")}`);
  if (rest > 0) io.stdout.write(`  and ${formatCount(rest)} more\n`);
  const scope = "runId" in subject ? `--run ${subject.runId}` : `--older-than ${subject.age}`;
  io.stdout.write(`to end and purge ${ids.length === 1 ? "it" : "them"}: fanout purge ${scope} --terminate\n`);
  return ExitCode.Failure;
}
