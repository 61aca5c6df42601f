import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Readable } from "node:stream";
import type { LaunchMessage } from "../../../src/protocol/launch-message.js";

/** The program that fanout starts. */
const BUNDLED = fileURLToPath(new URL("../../../lib/emulator/process/main.js", import.meta.url));
/** The same as single modules, for a test that changes one of them. */
export const UNBUNDLED = fileURLToPath(new URL("../../../dist/emulator/process/main.js", import.meta.url));

interface SpawnOptions {
  readonly main?: string;
  readonly version?: string;
  readonly idleMs?: number;
  readonly env?: NodeJS.ProcessEnv;
  /** The file of its log; none: `log` has it. */
  readonly logFile?: number;
}

/** A process of the shared emulator, as the launcher starts it; needs the build. */
export interface EmulatorProcess {
  readonly child: ChildProcess;
  readonly message: LaunchMessage;
  /** What it has written to its log. */
  readonly log: () => string;
  /** Resolves with how it ended. */
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
}

export async function spawnEmulator(
  folder: string,
  { main = BUNDLED, version = "test", idleMs = 60_000, env = {}, logFile }: SpawnOptions = {},
): Promise<EmulatorProcess> {
  const child = spawn(process.execPath, [main, version, String(idleMs)], {
    env: { PATH: process.env["PATH"], FANOUT_STATE_DIR: folder, ...env },
    stdio: ["ignore", "ignore", logFile ?? "pipe", "pipe"],
  });
  let log = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    log += text;
  });
  const exited = once(child, "close").then(([code, signal]: unknown[]) => ({
    code: code as number | null,
    signal: signal as NodeJS.Signals | null,
  }));
  const report = child.stdio[3] as Readable;
  const text = await new Promise<string>((resolve, reject) => {
    let text = "";
    report.on("data", (part: Buffer) => {
      text += part.toString();
      if (text.endsWith("\n")) resolve(text);
    });
    report.on("end", () => {
      reject(new Error("The emulator ended without a word."));
    });
  });
  return { child, exited, message: JSON.parse(text) as LaunchMessage, log: () => log };
}
