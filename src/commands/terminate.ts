import { z } from "zod";
import type { Backend } from "../backend/backend.js";
import { FanoutError } from "../errors.js";
import { ExitCode } from "../exit-codes.js";
import { formatCount, plural } from "../format/count.js";
import { formatDuration } from "../format/duration.js";
import { cannotTerminate, checkRunId, unknownRun } from "../hub/hub-errors.js";
import { selectRun, type InstanceSelection } from "../hub/instance-selection.js";
import { untilTerminated, type Termination } from "../hub/termination.js";
import { isMissingCall } from "../backend/missing-call.js";
import { duration, readFlags } from "../plan/flag-values.js";
import { statusesText } from "../report/status-text.js";
import { confirmed, requireTerminal } from "./confirm.js";
import { counting } from "./counting.js";
import type { CommandIo } from "./io.js";
import { onHub, placeText } from "./on-hub.js";
import { orchestratorsText, requireNamed } from "./own-work.js";

/** How long to wait for the end of terminated instances. */
export const TERMINATE_PATIENCE_MS = 30_000;

const terminateFlags = z.object({
  run: z.string(),
  orchestrator: z.array(z.string()).default([]),
  timeout: duration("--timeout").default(TERMINATE_PATIENCE_MS),
  yes: z.boolean().default(false),
  connectionString: z.string().optional(),
  taskHub: z.string().optional(),
});

/** `fanout terminate`: counts the unfinished instances of a run, asks, and ends them. */
export async function runTerminateCommand(rawFlags: unknown, io: CommandIo): Promise<ExitCode> {
  const flags = readFlags(terminateFlags, rawFlags);
  const { run: runId, yes, timeout, orchestrator } = flags;
  checkRunId(runId);
  if (!yes) requireTerminal("`fanout terminate` ends instances");
  return onHub(flags, io, async (backend, signal) => {
    const selection = await selectRun(backend.client, runId, signal);
    const { ids } = selection.unfinished;
    if (selection.ended.length + ids.length === 0) throw unknownRun(runId, backend);
    if (ids.length === 0) {
      io.stdout.write(`nothing to terminate: run ${runId} has no unfinished instances\n`);
      return ExitCode.Success;
    }
    if (yes) {
      requireNamed(runId, selection, orchestrator);
    } else if (!(await confirmed(questionOf(runId, selection, backend), signal))) {
      io.stdout.write("nothing was changed\n");
      return ExitCode.Success;
    }
    const { unfinished, refusal } = await terminateAndTell(backend, ids, timeout, signal, io);
    if (unfinished.ids.length === 0) return ExitCode.Success;
    throw new FanoutError(
      "instances-left",
      `${plural(unfinished.ids.length, "instance")} did not end within ${formatDuration(timeout)} (--timeout), ` +
        `${statusesText(unfinished.byStatus)}${refusal === undefined ? "" : `: ${refusal}`}`,
      { hint: refusal === undefined ? "they end when a worker that hosts them executes them" : undefined },
    );
  });
}

function questionOf(runId: string, { unfinished, unrecognised }: InstanceSelection, backend: Backend): string {
  const of = unrecognised.length > 0 ? ` of ${orchestratorsText(unrecognised)}` : "";
  return `Terminate ${plural(unfinished.ids.length, "unfinished instance")} of run ${runId}${of} on ${placeText(backend)}?`;
}

/** @throws FanoutError where the backend does not terminate */
export async function terminateAndTell(
  backend: Backend,
  ids: readonly string[],
  patienceMs: number,
  signal: AbortSignal,
  io: CommandIo,
): Promise<Termination> {
  const view = counting(io, ids.length);
  try {
    const outcome = await untilTerminated(backend.client, ids, { signal, patienceMs, onEnded: view.add });
    view.stop();
    const count = ids.length - outcome.unfinished.ids.length;
    io.stdout.write(`ended ${plural(count, "instance")}${count > 0 ? ` (${statusesText(outcome.endedAs)})` : ""}\n`);
    return outcome;
  } catch (error) {
    view.stop();
    if (signal.aborted) {
      io.stdout.write(
        `interrupted: of ${plural(ids.length, "instance")} ${formatCount(view.count)} are known to have ended\n`,
      );
    }
    throw isMissingCall(error) ? cannotTerminate(backend, error) : error;
  }
}
