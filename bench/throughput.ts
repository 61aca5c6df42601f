/**
 * Activities per second of `fanout run` on the embedded emulator, whole: its own workers, SQLite with synchronous=FULL,
 * every result accounted for. Beside it, in turn, the SDK's in-memory test backend: volatile, in one process, without a
 * wire. Prints medians and the ratio pair by pair.
 *
 *     npm run build && node bench/throughput.ts [W1 W2 W3] [--reps 3]
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";

const WORKLOADS: Readonly<Record<string, Workload>> = {
  W1: { orchestrations: 100, iterations: 10, activities: 10 },
  W2: { orchestrations: 10, iterations: 20, activities: 100 },
  W3: { orchestrations: 1, iterations: 100, activities: 100 },
};

interface Workload {
  readonly orchestrations: number;
  readonly iterations: number;
  readonly activities: number;
}

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { reps: { type: "string", default: "3" }, alone: { type: "boolean", default: false } },
});
const FANOUT = path.join(import.meta.dirname, "../bin/fanout.js");
const IN_MEMORY = path.join(import.meta.dirname, "in-memory.ts");

for (const name of positionals.length > 0 ? positionals : Object.keys(WORKLOADS)) {
  const workload = WORKLOADS[name];
  if (workload === undefined) {
    throw new Error(`Expected one of ${Object.keys(WORKLOADS).join(", ")}, found ${name}`);
  }
  const pairs = Array.from({ length: Number(values.reps) }, () => ({
    fanout: onEmulator(workload),
    inMemory: values.alone ? NaN : inMemory(workload),
  }));
  const median = (of: (pair: (typeof pairs)[number]) => number): number =>
    pairs.map(of).toSorted((a, b) => a - b)[Math.floor(pairs.length / 2)]!;
  console.log(
    `${name}  fanout ${perSecond(median(({ fanout }) => fanout))}` +
      `  in-memory ${perSecond(median(({ inMemory }) => inMemory))}` +
      `  ratio ${median(({ fanout, inMemory }) => fanout / inMemory).toFixed(2)} (median of ${pairs.length})`,
  );
}

function perSecond(value: number): string {
  return `${Math.round(value).toLocaleString("en")}/s`;
}

/** Activities per second of one run on an emulator with an empty store. */
function onEmulator({ orchestrations, iterations, activities }: Workload): number {
  const folder = mkdtempSync(path.join(tmpdir(), "fanout-bench-"));
  const env = {
    ...process.env,
    FANOUT_STATE_DIR: folder,
    DURABLE_TASK_CONNECTION_STRING: "UseDevelopmentStorage=true",
  };
  const args = ["run", "--json", "--workers", "2"];
  args.push("--parallel-orchestrations", String(orchestrations), "--iterations", String(iterations));
  args.push("--parallel-activities", String(activities));
  const run = spawnSync(process.execPath, [FANOUT, ...args], { env, stdio: ["ignore", "pipe", "ignore"] });
  spawnSync(process.execPath, [FANOUT, "emulator", "stop"], { env, stdio: "ignore" });
  rmSync(folder, { recursive: true });
  if (run.status !== 0) {
    throw new Error(`fanout run ended with ${run.status}: ${run.stdout.toString()}`);
  }
  const result = JSON.parse(run.stdout.toString()) as { throughput: { activitiesPerSecond: number } };
  return result.throughput.activitiesPerSecond;
}

function inMemory({ orchestrations, iterations, activities }: Workload): number {
  const args = [IN_MEMORY, String(orchestrations), String(iterations), String(activities)];
  const run = spawnSync(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  if (run.status !== 0) {
    throw new Error(`the in-memory backend ended with ${run.status}`);
  }
  return Number(run.stdout.toString());
}
