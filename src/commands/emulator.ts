import type { EmulatorStatus } from "../protocol/admin.js";
import { runEmulator, type EmulatorRun } from "../emulator/process/run-emulator.js";
import { openStateFolder, type StateFolder } from "../protocol/state-folder.js";
import { FanoutError } from "../errors.js";
import { ExitCode } from "../exit-codes.js";
import { formatBytes } from "../format/bytes.js";
import { formatCount, plural } from "../format/count.js";
import { durabilityText } from "../format/durability.js";
import { isLoopback } from "../backend/loopback.js";
import { listenError } from "../http/port.js";
import { outlivesItsTerminal } from "./no-hang-up.js";
import { showEmulatorLive } from "../report/emulator-live.js";
import { closingText } from "../report/emulator-live-text.js";
import { FANOUT_VERSION } from "../version.js";
import { emulatorCall, type EmulatorCall, type EmulatorFlags } from "./emulator-flags.js";
import type { CommandIo } from "./io.js";
import { noticeOn } from "./notice.js";
import { sharedStatus } from "./shared-emulator.js";

const LIMITS_TEXT =
  "limits of a Scheduler: payloads of 1 MB, instance ids of 100 ASCII characters; --limits none takes more";

/** Runs the shared emulator in the foreground, until SIGINT, SIGTERM or SIGHUP. */
export async function runEmulatorCommand(flags: EmulatorFlags, io: CommandIo): Promise<ExitCode> {
  const call = emulatorCall(flags);
  const state = openStateFolder();
  let say = noticeOn(io.stderr);
  const onNotice = (line: string): void => say(`warning: ${line}`);
  const options = { ...call, state, version: FANOUT_VERSION, idleMs: undefined, onNotice };
  const run = await opened(runEmulator(options), call);
  if (run === undefined) {
    const pid = (await sharedStatus(state))?.pid;
    throw new FanoutError(
      "emulator-running",
      `The shared emulator is already running${pid === undefined ? "" : ` (process ${pid})`}.`,
      { hint: "End it with `fanout emulator stop`, then start it here." },
    );
  }
  process.on("SIGINT", run.stop);
  process.on("SIGTERM", run.stop);
  process.on("SIGBREAK", run.stop);
  process.on("SIGHUP", () => outlivesItsTerminal() || run.stop());
  const startedMs = performance.now();
  io.stderr.write(openingText(run.emulator.status(), state, call));
  const live = showEmulatorLive(io.stderr, () => run.emulator.figures());
  say = live.line;
  try {
    await run.stopped;
  } finally {
    live.stop();
  }
  io.stderr.write(`${closingText(run.emulator.figures(), performance.now() - startedMs)}\n`);
  return ExitCode.Success;
}

/** Reports a port or an address that cannot be used in the words of `fanout serve`. */
async function opened(run: Promise<EmulatorRun | undefined>, { host, port }: EmulatorCall) {
  try {
    return await run;
  } catch (error) {
    throw port === undefined ? error : listenError(host, port, error);
  }
}

function isOwners(endpoint: string): boolean {
  return /^(?:unix|owner):/u.test(endpoint);
}

function openingText(status: EmulatorStatus, state: StateFolder, { host, taskHubs, limits }: EmulatorCall): string {
  const { endpoints, durability, instances, inFlight, storeBytes } = status;
  const reach = isLoopback(host)
    ? "every user of this machine can reach it"
    : "warning: everyone who reaches that address can use it without a credential";
  const held = `${plural(instances, "instance")}, ${formatCount(inFlight)} in flight, ${formatBytes(storeBytes)}`;
  const lines = [
    `listening for fanout on ${endpoints.find(isOwners)?.replace(/^\w+:/u, "") ?? state.folder}`,
    ...endpoints
      .filter((endpoint) => !isOwners(endpoint))
      .map((address) => `listening for any Durable Task SDK on http://${address}; ${reach}`),
    `${taskHubs.length === 1 ? "task hub" : "task hubs"} ${taskHubs.join(", ")}`,
    ...(limits === "scheduler" ? [LIMITS_TEXT] : []),
    `durability ${durabilityText(durability)}`,
    `state in ${durability === "ephemeral" ? "memory" : state.folder}: ${held}. Ctrl-C stops.`,
  ];
  return `${lines.join("\n")}\n`;
}
