import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import type { RunResult } from "../../src/result/run-result.js";

const FANOUT = path.join(import.meta.dirname, "../../bin/fanout.js");
/** `/proc` counts in hundredths of a second on Linux. */
const TICK_MS = 10;

/** A command and its arguments. */
export type Command = readonly [string, ...string[]];

/** An emulator with an empty store, and a worker on it. */
export interface Place {
  readonly emulator: ChildProcess;
  readonly worker: ChildProcess;
  readonly env: NodeJS.ProcessEnv;
  readonly folder: string;
  /** Of the worker, and of each run. */
  readonly flags: readonly string[];
}

export interface Run {
  readonly result: RunResult;
  readonly activitiesPerSecond: number;
  /** User and system time that the emulator took for each activity, microseconds. */
  readonly emulatorUs: number;
  /** That of emulator and worker. */
  readonly cpuUs: number;
}

/** @param emulator runs an emulator in the foreground, and prints something once it listens */
export async function openPlace([program, ...args]: Command, flags: readonly string[] = []): Promise<Place> {
  const folder = mkdtempSync(path.join(tmpdir(), "fanout-pairs-"));
  const env = {
    ...process.env,
    FANOUT_STATE_DIR: folder,
    DURABLE_TASK_CONNECTION_STRING: "UseDevelopmentStorage=true",
  };
  const emulator = spawn(program, args, { env, stdio: ["ignore", "pipe", "inherit"] });
  await Promise.race([
    once(emulator.stdout, "data"),
    once(emulator, "exit").then(() => Promise.reject(new Error("The emulator ended before it listened"))),
  ]);
  const worker = spawn(process.execPath, [FANOUT, "worker", "--port", "0", ...flags], {
    env,
    stdio: ["ignore", "ignore", "pipe"],
  });
  for await (const line of createInterface({ input: worker.stderr })) if (line.startsWith("Connected")) break;
  worker.stderr.resume();

  return { emulator, worker, env, folder, flags };
}

export function closePlace({ emulator, worker, folder }: Place): void {
  for (const each of [worker, emulator]) each.kill("SIGKILL");

  rmSync(folder, { recursive: true });
}

/** One `fanout run` with these flags. */
export function runIn({ emulator, worker, env, flags }: Place, load: readonly string[]): Run {
  const before = { emulator: cpuUs(emulator), worker: cpuUs(worker) };
  const args = [FANOUT, "run", "--json", "--workers", "0", ...load, ...flags];
  const run = spawnSync(process.execPath, args, { env, stdio: ["ignore", "pipe", "pipe"], maxBuffer: 2 ** 28 });
  if (run.status !== 0) throw new Error(`fanout run ended with ${run.status}: ${run.stderr.toString()}`);

  const result = JSON.parse(run.stdout.toString()) as RunResult;
  const activities = result.counts.activities?.completed ?? NaN;
  const ofEmulator = cpuUs(emulator) - before.emulator;
  return {
    result,
    activitiesPerSecond: result.throughput?.activitiesPerSecond ?? NaN,
    emulatorUs: ofEmulator / activities,
    cpuUs: (ofEmulator + cpuUs(worker) - before.worker) / activities,
  };
}

/** User and system time of a process so far. */
function cpuUs({ pid }: ChildProcess): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS * 1_000;
}
