import { rmSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { AdminConnection } from "../backend/admin-connection.js";
import { EmulatorDoor } from "../backend/emulator-door.js";
import { takeProcessLock } from "../emulator/process/process-lock.js";
import { FanoutError } from "../errors.js";
import { ExitCode } from "../exit-codes.js";
import { formatBytes } from "../format/bytes.js";
import { formatCount } from "../format/count.js";
import { durabilityText } from "../format/durability.js";
import { formatDuration } from "../format/duration.js";
import { hanging, wrapped } from "../format/wrap.js";
import type { Backlog, EmulatorStatus } from "../protocol/admin.js";
import { openStateFolder, refuseUnwritable, type StateFolder } from "../protocol/state-folder.js";
import { workText } from "../report/emulator-live-text.js";
import { storeSizeText } from "../report/store-size.js";
import { styleFor, type TextStyle } from "../report/text-style.js";
import { confirmed, requireTerminal } from "./confirm.js";
import type { CommandIo } from "./io.js";

/** The time that an emulator may take to stop: it writes its pending turn and closes its database. */
const STOP_PATIENCE_MS = 10_000;
const POLL_MS = 25;

/** `fanout emulator status`. Like the other commands on the shared emulator, it does not load the emulator itself. */
export async function emulatorStatusCommand(flags: { json: boolean }, io: CommandIo): Promise<ExitCode> {
  const state = openStateFolder();
  const status = await sharedStatus(state);
  if (flags.json) {
    const answer = status === undefined ? { running: false, folder: state.folder } : { running: true, ...status };
    io.stdout.write(`${JSON.stringify(answer, undefined, 2)}\n`);
  } else {
    io.stdout.write(
      status === undefined ? `not running; its state is in ${state.folder}\n` : statusText(status, styleFor(io.stdout)),
    );
  }
  return ExitCode.Success;
}

export async function emulatorStopCommand(io: CommandIo): Promise<ExitCode> {
  const state = openStateFolder();
  const status = await stopShared(state);
  const rest =
    status?.durability === "ephemeral" ? "what it held in memory is gone" : `its state stays in ${state.folder}`;
  io.stdout.write(status === undefined ? "not running\n" : `stopped (process ${status.pid}); ${rest}\n`);
  return ExitCode.Success;
}

/** Ends the shared emulator and deletes its database. */
export async function emulatorResetCommand(flags: { yes: boolean }, io: CommandIo): Promise<ExitCode> {
  const state = openStateFolder();
  if (!flags.yes) requireTerminal("`fanout emulator reset` deletes all instances");
  if (!flags.yes && !(await confirmed(`Delete all instances in ${state.folder}?`))) {
    io.stdout.write("nothing was changed\n");
    return ExitCode.Success;
  }
  // The lock is held to the end of this process, so that no emulator opens what is being deleted.
  await stopShared(state);
  for (const suffix of ["", "-wal", "-shm"]) rmSync(state.database + suffix, { force: true });

  io.stdout.write(`deleted the emulator's state in ${state.folder}\n`);
  return ExitCode.Success;
}

/** Stops the emulator and waits until its lock is ours. Returns its last status. */
async function stopShared(state: StateFolder): Promise<EmulatorStatus | undefined> {
  refuseUnwritable(state, false);
  const status = await sharedStatus(state);
  if (status !== undefined) {
    const admin = new AdminConnection(new EmulatorDoor(state));
    await admin.stop();
    admin.close();
  }
  const endMs = performance.now() + STOP_PATIENCE_MS;
  while (!(await takeProcessLock(state.lock))) {
    if (performance.now() > endMs) {
      throw new FanoutError(
        "emulator-unresponsive",
        `The emulator${status === undefined ? "" : ` (process ${status.pid})`} did not stop within ` +
          `${STOP_PATIENCE_MS / 1000} s.`,
        { hint: `Its log is '${state.log}'.` },
      );
    }
    await setTimeout(POLL_MS);
  }
  return status;
}

/** The status of the emulator on a state folder; undefined if none runs. */
export async function sharedStatus(state: StateFolder): Promise<EmulatorStatus | undefined> {
  const admin = new AdminConnection(new EmulatorDoor(state));
  try {
    return await admin.status();
  } finally {
    admin.close();
  }
}

function statusText(status: EmulatorStatus, { columns }: TextStyle): string {
  const rows: [string, string][] = [
    ["process", String(status.pid)],
    ["version", status.version],
    ["started", status.startedAt],
    ["endpoints", status.endpoints.join(", ")],
    ["folder", status.folder],
    ["durability", durabilityText(status.durability)],
    ["instances", `${formatCount(status.instances)}, ${formatCount(status.inFlight)} in flight`],
    ["done", workText(status)],
    ["store", formatBytes(status.storeBytes)],
    ["workers", formatCount(status.workers)],
    ["orchestrations", backlogText(status.backlog.orchestrations)],
    ["activities", backlogText(status.backlog.activities)],
    ["connections", formatCount(status.connections)],
    ["redelivered", formatCount(status.redelivered)],
    ["longest turn", formatDuration(status.longestTurnMs)],
    ["expired", formatCount(status.expired)],
  ];
  const note = storeSizeText(status);
  const lines = [
    ...rows.flatMap(([name, value]) => hanging(`${name.padEnd(14)} `, value, columns)),
    ...(note === undefined ? [] : wrapped(note, columns)),
  ];
  return `${lines.join("\n")}\n`;
}

/** `1,200 waiting for a worker, 200 with workers` */
function backlogText({ waiting, withWorkers, resting }: Backlog): string {
  const counts = [`${formatCount(waiting)} waiting for a worker`, `${formatCount(withWorkers)} with workers`];
  return [
    ...counts,
    ...(resting > 0 ? [`${formatCount(resting)} resting after their workers went away or refused`] : []),
  ].join(", ");
}
