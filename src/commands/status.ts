import { z } from "zod";
import { resolveConnection } from "../backend/connection-string.js";
import { isMissingCall } from "../backend/missing-call.js";
import { openBackend } from "../backend/open-backend.js";
import { UsageError } from "../errors.js";
import { ExitCode } from "../exit-codes.js";
import { cannotList, checkRunId, unknownRun } from "../hub/hub-errors.js";
import { latestRuns } from "../hub/latest-runs.js";
import { lookUp } from "../hub/look-up.js";
import { RunObserver } from "../hub/run-status.js";
import { Interruption } from "./interruption.js";
import { styleFor } from "../report/text-style.js";
import { instanceLines, runText, runsText } from "../report/status-text.js";
import type { CommandIo } from "./io.js";
import { noticeOn } from "./notice.js";
import { documentOf, instancesContent, unknownExitCode, write, type StatusCall } from "./status-call.js";
import { followInstances, followRun } from "./status-watch.js";

const statusFlags = z.object({
  run: z.string().optional(),
  watch: z.boolean().default(false),
  json: z.boolean().default(false),
  connectionString: z.string().optional(),
  taskHub: z.string().optional(),
});

/** `fanout status`: instances, a run, or the latest runs of a hub; once, or until all have ended. */
export async function runStatusCommand(ids: readonly string[], rawFlags: unknown, io: CommandIo): Promise<ExitCode> {
  const { run, watch, json, connectionString, taskHub } = statusFlags.parse(rawFlags);
  checkSubject(ids, run, watch);
  const connection = resolveConnection({ flag: connectionString, taskHub });
  const backend = await openBackend(connection, { onNotice: noticeOn(io.stderr) });
  const interruption = new Interruption();
  const call: StatusCall = { backend, json, signal: interruption.signal, io };
  try {
    if (run !== undefined) return watch ? await followRun(call, run) : await showRun(call, run);
    if (ids.length > 0) return watch ? await followInstances(call, ids) : await showInstances(call, ids);
    return await showLatestRuns(call);
  } catch (error) {
    // What was under way when Ctrl-C came ends with an error of its own.
    if (interruption.exitCode !== undefined) return interruption.exitCode;
    throw error;
  } finally {
    interruption[Symbol.dispose]();
    backend.close();
  }
}

function checkSubject(ids: readonly string[], run: string | undefined, watch: boolean): void {
  if (run !== undefined) checkRunId(run);
  if (run !== undefined && ids.length > 0) {
    throw new UsageError(
      "conflicting-flags",
      `expected instance ids or --run, found both: "${ids[0]}" and --run ${run}`,
    );
  }

  if (watch && run === undefined && ids.length === 0)
    throw new UsageError("missing-flag", "--watch: expected instance ids or --run to watch, found neither");
}

async function showInstances(call: StatusCall, ids: readonly string[]): Promise<ExitCode> {
  const { backend, json, signal, io } = call;
  const looked = await lookUp(backend.client, ids, signal);
  const text = instanceLines(looked.instances, Date.now(), styleFor(io.stdout));
  write(io, json ? documentOf(backend, instancesContent(looked, backend)) : text);
  return unknownExitCode(looked, call) ?? ExitCode.Success;
}

async function showRun({ backend, json, signal, io }: StatusCall, runId: string): Promise<ExitCode> {
  const observing = new AbortController();
  try {
    const run = await new RunObserver(backend, runId, AbortSignal.any([signal, observing.signal])).look("all");
    if (!run) throw unknownRun(runId, backend);
    write(io, json ? documentOf(backend, { run }) : runText(run, styleFor(io.stdout)));
    return ExitCode.Success;
  } finally {
    observing.abort();
  }
}

async function showLatestRuns({ backend, json, signal, io }: StatusCall): Promise<ExitCode> {
  const { runs } = await latestRuns(backend.client, Date.now(), signal).catch((error: unknown) => {
    throw isMissingCall(error) ? cannotList(backend, "Name instances, or a run with --run.", error) : error;
  });
  if (json) write(io, documentOf(backend, { runs }));
  else if (runs.length > 0) write(io, runsText(runs, styleFor(io.stdout)));
  else io.stderr.write(`task hub ${backend.connection.taskHub} has no runs; \`fanout run\` starts one\n`);
  return ExitCode.Success;
}
