import type { Connection } from "../backend/connection-string.js";
import { doubtOfHub } from "../backend/missing-hub.js";
import { openBackend } from "../backend/open-backend.js";
import type { Transport } from "../backend/transport.js";
import { UsageError } from "../errors.js";
import { ExitCode, firstOf } from "../exit-codes.js";
import { oneLine } from "../format/one-line.js";
import { requireFreeRunIds } from "../load/free-run-id.js";
import { repeatedRunId } from "../plan/run-id.js";
import { capacityLine, guardSpend } from "../plan/spend-guard.js";
import { resultJson, writeFileWhole } from "../report/json.js";
import { liveView } from "../report/live.js";
import type { LiveView } from "../report/live-view.js";
import { planLine } from "../report/plan-line.js";
import { alarmText, soakText } from "../report/soak-text.js";
import { styleFor } from "../report/text-style.js";
import type { PlanCost } from "../result/plan-cost.js";
import type { Soak, SoakLeg } from "../result/soak-schema.js";
import { soakRunning } from "../soak/legs-so-far.js";
import { legsText, SoakRun, type SoakOutcome } from "../soak/soak.js";
import type { SoakFolder } from "../soak/soak-folder.js";
import { Interruption, SKIPPED } from "./interruption.js";
import type { CommandIo } from "./io.js";
import { noticeOn } from "./notice.js";
import { placeOf } from "./place-of.js";
import type { SoakCall } from "./soak-call.js";

/** A soak that begins or goes on. */
export interface SoakOnBackend {
  /** With a run id. */
  readonly call: SoakCall & { readonly runId: string };
  /** Of all legs. */
  readonly cost: PlanCost;
  /** Locked, if the soak goes on. */
  readonly folder: SoakFolder;
  /** Undefined for a new one. */
  readonly before: Soak | undefined;
  readonly connection: Connection;
  readonly transport: Transport | undefined;
  /** The output of progress. With `--quiet` it has only errors. */
  readonly io: CommandIo;
  readonly resultsIo: CommandIo;
}

/** Opens the backend, holds the load there, and tells what happened, also after Ctrl-C. */
export async function soakOnBackend(checked: SoakOnBackend): Promise<ExitCode> {
  const { call, cost, folder, before, connection, transport, io, resultsIo } = checked;
  const say = noticeOn(io.stderr);
  const backend = await openBackend(connection, { onNotice: say, transport });
  const interruption = new Interruption();
  let view: LiveView | undefined;
  const onLine = (line: string): void => (view ? view.line(oneLine(line)) : say(line));
  try {
    const { taskHub } = connection;
    const place = await placeOf(backend, (billing) => guardSpend(cost, call.limits, 1, billing, "soak"));
    say(`backend: ${place}, task hub ${taskHub} (connection string: ${connection.source})`);
    const doubt = backend.kind === "scheduler" ? await doubtOfHub(backend) : undefined;
    if (doubt !== undefined) say(`warning: ${doubt}`);
    say(planLine(call.plan));
    const capacity = capacityLine(call.cost, call.limits, 1);
    if (capacity !== undefined) say(capacity);
    const soak = before ?? newSoak(checked, backend.displayName);
    if (before) {
      requireSamePlace(before, { backend: backend.displayName, taskHub });
    } else {
      await requireFreeRunIds(backend, [repeatedRunId(soak.soakId, 1)], undefined, interruption.signal);
      await folder.create();
      if (!(await folder.lock())) throw soakRunning(soak);
    }
    say(`soak ${soak.soakId}, ${before ? legsText(soak) : "checkpoints"} in ${folder.folder}`);
    const run = new SoakRun({
      backend,
      replay: call.replay,
      plan: call.plan,
      soak,
      folder,
      stopOnAlarm: call.stopOnAlarm,
      attended: io.stderr.isTTY ?? false,
      interruption: interruption.signal,
      beginReading: () => interruption.beginReading(() => onLine(SKIPPED)),
      onLine,
      onLeg: (leg) => {
        view = liveView(io.stderr, () => leg.snapshot());
        view.start();
      },
      resultText: resultJson,
      alarmText,
    });
    const outcome = await run.run();
    view?.stop();
    if (outcome.gaveUp !== undefined) io.stderr.write(`error: ${outcome.gaveUp}\n`);
    await tell(outcome.soak, checked, resultsIo);
    if (outcome.unwritten !== undefined) throw outcome.unwritten;
    return interruption.exitCode ?? exitCodeOf(outcome, call);
  } finally {
    view?.stop();
    interruption[Symbol.dispose]();
    backend.close();
  }
}

function newSoak({ call, connection }: SoakOnBackend, backend: string): Soak {
  return {
    schemaVersion: 1,
    soakId: call.runId,
    startedAt: new Date().toISOString(),
    durationMs: call.duration,
    everyMs: call.every,
    learnMs: call.learn,
    ratePerSecond: call.ratePerSecond,
    backend,
    taskHub: connection.taskHub,
    ...(call.plan.inputs && { inputsSha256: call.plan.inputs.sha256 }),
    flags: call.flags as Soak["flags"],
    ended: "running",
    legs: [],
    alarms: [],
  };
}

/** @throws UsageError if a resumed soak would go on elsewhere */
function requireSamePlace(soak: Soak, found: Pick<Soak, "backend" | "taskHub">): void {
  if (soak.backend === found.backend && soak.taskHub === found.taskHub) return;
  const text = ({ backend, taskHub }: typeof found): string => `task hub ${taskHub} on ${backend}`;
  throw new UsageError("wrong-backend", `--resume: the soak is on ${text(soak)}, found ${text(found)}`);
}

/** Prints the answer before it writes a file: a full disk costs the file, not the answer. */
async function tell(soak: Soak, { call, folder }: SoakOnBackend, io: CommandIo): Promise<void> {
  const { json } = call;
  const forPeople = json === true ? io.stderr : io.stdout;
  forPeople.write(`${soakText(soak, folder.folder, styleFor(forPeople))}\n`);
  const document = `${JSON.stringify(soak, undefined, 2)}\n`;
  if (json === true) io.stdout.write(document);
  else if (json !== undefined) await writeFileWhole("--json", json, document);
}

function exitCodeOf({ soak, gaveUp }: SoakOutcome, { allowInvalid }: SoakCall): ExitCode {
  const { ended, legs, alarms } = soak;
  const isInvalid = !allowInvalid && legs.some(({ verdict }) => verdict === "invalid");
  const isShort = ended !== "done" && alarms.length === 0;
  return firstOf([
    ...(gaveUp !== undefined || isShort || legs.some(isBroken) ? [ExitCode.Failure] : []),
    ...(isInvalid ? [ExitCode.Invalid] : []),
    ...(alarms.length > 0 ? [ExitCode.ThresholdMissed] : []),
  ]);
}

/** Whether something of it failed, was lost, or is not accounted for. */
function isBroken({ ended, failed = 0, terminated = 0, unfinished = 0, lost = 0, account }: SoakLeg): boolean {
  if (account) {
    const isMissing = "unknown" in account || account.missing.total > 0;
    return isMissing || Object.keys(account.byStatus).some((status) => status !== "Completed");
  }
  // A leg that ends early terminates what it has in flight.
  return failed > 0 || lost > 0 || (ended === "done" && terminated + unfinished > 0);
}
