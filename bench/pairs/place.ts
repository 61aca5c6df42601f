import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import type { RunResult } from "../../src/result/run-result.js";

const FANOUT = path.join(import.meta.dirname, "../../bin/fanout.js");
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

/**
 * User and system time of a process so far, to the nanosecond: `/proc/PID/stat` counts in hundredths of a second. The threads
 * of Node stay until its end. https://docs.kernel.org/scheduler/sched-stats.html
 */
function cpuUs({ pid }: ChildProcess): number {
  const nanoseconds = readdirSync(`/proc/${pid}/task`).map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "latin1").split(" ", 1)[0]),
  );
  return nanoseconds.reduce((sum, one) => sum + one, 0) / 1_000;
}
