import { spawn } from "node:child_process";
import { closeSync, openSync, renameSync, statSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { errorText } from "../format/error-text.js";
import type { LaunchMessage } from "../protocol/launch-message.js";
import type { StateFolder } from "../protocol/state-folder.js";
import { FanoutError, UsageError } from "../errors.js";
import { ExitCode } from "../exit-codes.js";
import { FANOUT_VERSION } from "../version.js";
import { DOOR_VARIABLE } from "../protocol/loopback-door.js";
import { AdminConnection } from "./admin-connection.js";
import { EmulatorDoor } from "./emulator-door.js";

const MAIN = fileURLToPath(new URL("../emulator/process/main.js", import.meta.url));

/** The shared emulator stops after it has had no connection for this long. */
const IDLE_MS = 30_000;
/** The time to wait for the emulator. Opening a large store takes a while. */
const PATIENCE_MS = 20_000;
const POLL_MS = 25;
/** The time that a new process may take to report. It is generous: only a process that is stopped, or whose disk is, takes it. */
const LAUNCH_MS = 120_000;
/** A larger log is moved to `.old`, and a new one begins. */
const MAX_LOG_BYTES = 1_000_000;

/**
 * The environment of the shared emulator. The emulator outlives the command that started it, and must not keep its
 * secrets.
 */
const ENVIRONMENT = [
  "PATH",
  "HOME",
  "LANG",
  "LC_ALL",
  "TZ",
  "TMPDIR",
  "TEMP",
  "TMP",
  "USERPROFILE",
  "LOCALAPPDATA",
  "APPDATA",
  "SystemRoot",
  "XDG_DATA_HOME",
  "XDG_RUNTIME_DIR",
  "FANOUT_RETENTION",
  "FANOUT_DURABILITY",
  DOOR_VARIABLE,
];

/**
 * Makes sure that an emulator of this version answers for the folder, and starts one if none does. If several
 * processes try, one of them wins. Returns whether this call started it.
 * @throws FanoutError if an emulator of another version is in use, or if the emulator does not start
 */
export async function ensureEmulator(state: StateFolder, launchMs = LAUNCH_MS): Promise<boolean> {
  const endMs = performance.now() + PATIENCE_MS;
  while (performance.now() < endMs) {
    if (await answers(state)) return false;

    const outcome = await launch(state, launchMs);
    if (outcome.state === "ready") return true;

    if (outcome.state === "failed") {
      const problem = `The embedded emulator did not start. ${outcome.reason}`;
      const hint = `Its log is '${state.log}'.`;
      throw new FanoutError("emulator-not-started", problem, { hint, exitCode: outcome.exitCode });
    }
    await setTimeout(POLL_MS);
  }
  throw new FanoutError(
    "emulator-unresponsive",
    `The embedded emulator of '${state.folder}' runs but did not answer within ${PATIENCE_MS / 1000} s.`,
    { hint: `Its log is '${state.log}'.` },
  );
}

/** Whether a usable emulator runs. Asks an idle one of another version to stop. */
async function answers(state: StateFolder): Promise<boolean> {
  const admin = new AdminConnection(new EmulatorDoor(state));
  try {
    const status = await admin.status();
    if (status === undefined) return false;

    if (status.version === FANOUT_VERSION) return true;

    if (status.connections > 1) {
      throw new FanoutError(
        "emulator-version-mismatch",
        `The embedded emulator that runs is of version ${status.version}, this is fanout ${FANOUT_VERSION}, and other ` +
          "commands use it.",
        { hint: "Wait until they are done, or end it with `fanout emulator stop`." },
      );
    }
    await admin.stop();
    return false;
  } finally {
    admin.close();
  }
}

async function launch(state: StateFolder, launchMs: number): Promise<LaunchMessage> {
  const log = openLog(state.log);
  try {
    const child = spawn(process.execPath, [MAIN, FANOUT_VERSION, String(IDLE_MS)], {
      // A session of its own: Ctrl-C in the terminal of the first command must not reach it.
      detached: true,
      cwd: state.folder,
      env: { ...allowed(process.env), FANOUT_STATE_DIR: state.folder },
      stdio: ["ignore", log, log, "pipe"],
      windowsHide: true,
    });
    // At the limit of open files, `spawn` returns a child without streams, and emits the error afterwards.
    const report = (child.stdio as typeof child.stdio | undefined)?.[3] as NodeJS.ReadableStream | undefined;
    const reported = new Promise<LaunchMessage>((resolve) => {
      child.on("error", ({ message }) => {
        const reason = `Its process could not be started: ${message}.`;
        resolve({ state: "failed", reason, exitCode: ExitCode.Failure });
      });
      if (report === undefined) return;
      let text = "";
      report.setEncoding("utf8");
      report.on("data", (part: string) => {
        text += part;
        if (text.endsWith("\n")) resolve(JSON.parse(text) as LaunchMessage);
      });
      report.on("end", () => {
        resolve({ state: "failed", reason: "Its process ended early.", exitCode: ExitCode.Failure });
      });
    });
    const timer = new AbortController();
    const late = setTimeout(launchMs, lateness(child.pid, launchMs), { signal: timer.signal });
    const outcome = await Promise.race([reported, late]);
    timer.abort();
    child.unref();
    (report as unknown as { destroy(): void } | undefined)?.destroy();
    return outcome;
  } finally {
    closeSync(log);
  }
}

function lateness(pid: number | undefined, launchMs: number): LaunchMessage {
  const reason =
    `Its process${pid === undefined ? "" : ` ${pid}`} has not reported within ${launchMs / 1_000} s: it may be ` +
    "stopped, or the disk of its state folder may be stuck.";
  return { state: "failed", reason, exitCode: ExitCode.Failure };
}

function openLog(file: string): number {
  try {
    if (statSync(file).size > MAX_LOG_BYTES) renameSync(file, `${file}.old`);
  } catch {
    // There is no log yet.
  }
  try {
    return openSync(file, "a", 0o600);
  } catch (error) {
    throw new UsageError("unusable-state-folder", `The emulator's log cannot be written: ${errorText(error)}.`, {
      hint: "Set FANOUT_STATE_DIR to a folder that can be written to.",
      cause: error,
    });
  }
}

function allowed(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(ENVIRONMENT.map((name) => [name, env[name]]).filter(([, value]) => value !== undefined));
}
