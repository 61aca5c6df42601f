import { writeSync } from "node:fs";
import process from "node:process";
import { errorText } from "../../format/error-text.js";
import { FanoutError } from "../../errors.js";
import { ExitCode } from "../../exit-codes.js";
import { chosenDurability } from "../../protocol/durability.js";
import { MACHINE_TIME } from "../clock/machine-time.js";
import { chosenRetention } from "../hub/retention.js";
import { runEmulator } from "./run-emulator.js";
import { openStateFolder } from "../../protocol/state-folder.js";
import type { LaunchMessage } from "../../protocol/launch-message.js";

/**
 * The process of the shared emulator: started in the background by the first command that needs it. On descriptor 3
 * it says, once, how its start ended.
 *
 * Arguments: its version, and the milliseconds without a connection after which it leaves.
 */
const [version = "", idleMs = ""] = process.argv.slice(2);

// The log is a file, whose disk may be full: what cannot be written to it is left out.
process.stderr.on("error", () => {});

try {
  const retention = chosenRetention(undefined);
  const durability = chosenDurability(undefined);
  const state = openStateFolder();
  const idle = Number(idleMs);
  const run = await runEmulator({
    state,
    version,
    port: undefined,
    idleMs: idle,
    durability,
    retention,
    onNotice: log,
  });
  if (run === undefined) {
    tell({ state: "taken" });
  } else {
    process.on("SIGTERM", run.stop);
    process.on("SIGINT", run.stop);
    // The terminal of the command that started it is not its own.
    process.on("SIGHUP", () => undefined);
    // Outside of calls and transactions: what a timer does, and what follows a sync.
    process.on("uncaughtException", run.lose);
    log(`started, version ${version}, durability ${durability}`);
    tell({ state: "ready", pid: process.pid });
    await run.stopped;
    log("stopped");
    process.exit(0);
  }
} catch (error) {
  log(error instanceof Error ? (error.stack ?? error.message) : String(error));
  const reason = errorText(error);
  const exitCode = error instanceof FanoutError ? error.exitCode : ExitCode.Failure;
  tell({ state: "failed", reason: reason.endsWith(".") ? reason : `${reason}.`, exitCode });
  // A database that could not be brought to the disk is not closed, which would write to it.
  process.exit(1);
}

function log(line: string): void {
  process.stderr.write(`${new Date(MACHINE_TIME.epochMs()).toISOString()} [${process.pid}] ${line}\n`);
}

function tell(message: LaunchMessage): void {
  try {
    writeSync(3, `${JSON.stringify(message)}\n`);
  } catch {
    // Whoever started it has gone; others will find it.
  }
}
