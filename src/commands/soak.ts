import path from "node:path";
import { resolveConnection, type Connection } from "../backend/connection-string.js";
import { chooseTransport } from "../backend/transport.js";
import { processLock } from "../emulator/process/process-lock.js";
import { UsageError } from "../errors.js";
import { ExitCode } from "../exit-codes.js";
import { formatRate } from "../format/rate.js";
import { newRunId } from "../plan/run-id.js";
import { capacityLine, guardSpend, spendObjection } from "../plan/spend-guard.js";
import { writeFileWhole } from "../report/json.js";
import { checkOutputFiles } from "../report/output-files.js";
import { planLine } from "../report/plan-line.js";
import { costWithLegs, legsSoFar, soakRunning } from "../soak/legs-so-far.js";
import { SoakFolder } from "../soak/soak-folder.js";
import { errorsOnly } from "./errors-only.js";
import type { CommandIo } from "./io.js";
import { noticeOn } from "./notice.js";
import { parseSoakCall, type SoakCall } from "./soak-call.js";
import type { SoakOnBackend } from "./soak-on-backend.js";

/** What `--resume` may come with. The rest of the call is that of the soak. */
const WITH_RESUME = ["resume", "connectionString", "quiet", "json", "stopOnAlarm", "maxActions"];

/**
 * `fanout soak`: holds a load for hours, and tells when something changes. `given` are the names of the flags on the
 * command line. Data goes to stdout, the rest to stderr.
 */
export async function runSoakCommand(
  rawFlags: Readonly<Record<string, unknown>>,
  given: ReadonlySet<string>,
  allIo: CommandIo,
): Promise<ExitCode> {
  const { resume } = rawFlags;
  if (typeof resume !== "string") {
    const call = parseSoakCall(rawFlags);
    const runId = call.runId ?? newRunId(Date.now(), Math.random);
    using folder = folderOf(call.dir ?? `soak-${runId}`);
    return await soak({ call: { ...call, runId }, cost: call.cost, folder, before: undefined }, allIo);
  }
  using folder = folderOf(resume);
  return await soak(await resumed(folder, rawFlags, given), allIo);
}

async function soak({ call, cost, folder, before }: FoundSoak, allIo: CommandIo): Promise<ExitCode> {
  const io = call.quiet ? { ...allIo, stderr: errorsOnly(allIo.stderr) } : allIo;
  await checkOutputFiles({ json: call.json });
  const { connectionString, taskHub } = call;
  const connection = resolveConnection({ flag: connectionString, taskHub });
  const transport = chooseTransport(connection, call.transport);
  if (call.dryRun) return dryRun(call, connection, io);
  // An http endpoint may be an emulator, which bills nothing: only its answer shows that.
  const mayBeEmulator = connection.kind === "emulator" || connection.url.protocol === "http:";
  guardSpend(cost, call.limits, 1, mayBeEmulator ? "emulator" : "billed", "soak");
  const { soakOnBackend } = await import("./soak-on-backend.js");
  return soakOnBackend({ call, cost, folder, before, connection, transport, io, resultsIo: allIo });
}

type FoundSoak = Pick<SoakOnBackend, "call" | "cost" | "folder" | "before">;

/** @throws UsageError if another process makes it, or if it is not the soak of before */
async function resumed(
  folder: SoakFolder,
  rawFlags: Readonly<Record<string, unknown>>,
  given: ReadonlySet<string>,
): Promise<FoundSoak> {
  const other = [...given].find((name) => !WITH_RESUME.includes(name));
  if (other !== undefined) {
    const flag = `--${other.replaceAll(/[A-Z]/gu, (letter) => `-${letter.toLowerCase()}`)}`;
    throw new UsageError(
      "conflicting-flags",
      `${flag}: expected it without --resume, which goes on with the first call`,
    );
  }
  const found = await folder.read();
  if (!(await folder.lock())) throw soakRunning(found);
  // The process that had it may have written meanwhile.
  const before = await folder.read();
  const { connectionString, quiet, json, stopOnAlarm, maxActions } = rawFlags;
  const own = {
    connectionString,
    quiet,
    json,
    ...(stopOnAlarm !== undefined && { stopOnAlarm }),
    ...(maxActions !== undefined && { maxActions }),
  };
  const call = { ...parseSoakCall({ ...before.flags, ...own }), runId: before.soakId };
  const { inputs } = call.plan;
  if (inputs?.sha256 !== before.inputsSha256) {
    throw new UsageError(
      "invalid-file",
      `--input: expected the file that the soak began with, found ${inputs?.file} changed`,
    );
  }
  const legs = legsSoFar(before, await folder.lastOfLegs(), call.plan);
  return { call, cost: costWithLegs(call.plan, before, legs), folder, before };
}

function folderOf(folder: string): SoakFolder {
  return new SoakFolder(path.normalize(folder), writeFileWhole, processLock);
}

/** Prints the plan and its cost. It opens nothing, so it needs neither a backend nor a credential. */
function dryRun({ plan, cost, limits, ratePerSecond }: SoakCall, connection: Connection, io: CommandIo): ExitCode {
  const place = connection.kind === "emulator" ? "the embedded emulator" : connection.url.origin;
  const objection = spendObjection(cost, limits, 1, connection.kind === "emulator" ? "emulator" : "billed", "soak");
  const say = noticeOn(io.stdout);
  say("dry run: nothing is started");
  say(`backend: ${place}, task hub ${connection.taskHub} (connection string: ${connection.source})`);
  say(`${planLine(plan)}; ${formatRate(ratePerSecond)}`);
  const capacity = capacityLine(cost, limits, 1);
  if (capacity !== undefined) say(capacity);
  if (objection) say(`without --dry-run this soak is refused: ${objection.message}`);
  return ExitCode.Success;
}
