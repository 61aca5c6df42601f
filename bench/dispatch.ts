/**
 * What waiting for more results costs, and what it saves: the emulator as it is beside one that dispatches every episode
 * at once, in turn, each with one warm worker. Prints medians and the ratio pair by pair.
 *
 * - a chain of 200 single activities, where nothing is outstanding and nothing may wait: time per step;
 * - slow, uneven fan-outs (exp:20ms): p50 and p99 of the orchestrations, and the CPU that emulator and worker took;
 * - W1 and W2, which waiting is for: activities per second.
 *
 *     npm run build && node bench/dispatch.ts [--pairs 5]
 */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";

const FANOUT = path.join(import.meta.dirname, "../bin/fanout.js");
const EMULATOR = path.join(import.meta.dirname, "held-emulator.ts");
/** `/proc` counts in hundredths of a second on Linux. */
const TICK_MS = 10;

interface Figures {
  readonly [figure: string]: number;
}

interface Place {
  readonly env: NodeJS.ProcessEnv;
  readonly folder: string;
  readonly processes: readonly ChildProcess[];
}

interface Measurement {
  readonly name: string;
  readonly flags: readonly string[];
  readonly figures: (result: Result, cpuMs: number) => Figures;
}

interface Result {
  readonly counts: { readonly activities: { readonly completed: number } };
  readonly throughput: { readonly activitiesPerSecond: number };
  readonly latencyMs: { readonly server: { readonly p50: number; readonly p99?: number; readonly max: number } };
}

const MEASUREMENTS: readonly Measurement[] = [
  {
    name: "chain of 200",
    flags: words("--iterations 200 --parallel-activities 1"),
    figures: ({ latencyMs }) => ({ "ms/step": latencyMs.server.max / 200 }),
  },
  {
    name: "uneven, exp:20ms",
    flags: words(
      "--activity-duration exp:20ms --iterations 2 --parallel-activities 20 " +
        "--parallel-orchestrations 20 --total 1000",
    ),
    figures: ({ latencyMs, counts }, cpuMs) => ({
      "p50 ms": latencyMs.server.p50,
      "p99 ms": latencyMs.server.p99 ?? NaN,
      "CPU us/activity": (cpuMs * 1000) / counts.activities.completed,
    }),
  },
  {
    name: "W1",
    flags: words("--parallel-orchestrations 100 --iterations 10 --parallel-activities 10"),
    figures: ({ throughput }) => ({ "activities/s": throughput.activitiesPerSecond }),
  },
  {
    name: "W2",
    flags: words("--parallel-orchestrations 10 --iterations 20 --parallel-activities 100"),
    figures: ({ throughput }) => ({ "activities/s": throughput.activitiesPerSecond }),
  },
];

const { values } = parseArgs({ options: { pairs: { type: "string", default: "5" } } });
const places = { held: await open([]), immediate: await open(["0"]) };
try {
  for (const measurement of MEASUREMENTS) {
    measure(measurement, places.held);
    measure(measurement, places.immediate);
    const pairs = Array.from({ length: Number(values.pairs) }, () => ({
      held: measure(measurement, places.held),
      immediate: measure(measurement, places.immediate),
    }));
    for (const figure of Object.keys(pairs[0]!.held)) {
      const held = pairs.map((pair) => pair.held[figure]!);
      const immediate = pairs.map((pair) => pair.immediate[figure]!);
      const ratios = held.map((value, index) => value / immediate[index]!);
      console.log(
        `${measurement.name.padEnd(18)} ${figure.padEnd(16)} held ${spread(held)}  immediate ${spread(immediate)}  ` +
          `ratio ${spread(ratios)}`,
      );
    }
  }
} finally {
  close(places.held);
  close(places.immediate);
}

/** An emulator with an empty store, and a worker on it. */
async function open(emulatorArgs: readonly string[]): Promise<Place> {
  const folder = mkdtempSync(path.join(tmpdir(), "fanout-dispatch-"));
  const env = {
    ...process.env,
    FANOUT_STATE_DIR: folder,
    DURABLE_TASK_CONNECTION_STRING: "UseDevelopmentStorage=true",
  };
  const emulator = spawn(process.execPath, [EMULATOR, ...emulatorArgs], { env, stdio: ["ignore", "pipe", "inherit"] });
  await once(emulator.stdout, "data");
  const worker = spawn(process.execPath, [FANOUT, "worker", "--port", "0"], {
    env,
    stdio: ["ignore", "ignore", "pipe"],
  });
  for await (const line of createInterface({ input: worker.stderr })) if (line.startsWith("Connected")) break;

  return { env, folder, processes: [worker, emulator] };
}

function close({ processes, folder }: Place): void {
  for (const each of processes) each.kill("SIGKILL");

  rmSync(folder, { recursive: true });
}

function measure({ flags, figures }: Measurement, { env, processes }: Place): Figures {
  const before = cpuMs(processes);
  const args = [FANOUT, "run", "--json", "--workers", "0", ...flags];
  const run = spawnSync(process.execPath, args, { env, stdio: ["ignore", "pipe", "pipe"] });
  if (run.status !== 0) throw new Error(`fanout run ended with ${run.status}: ${run.stderr.toString()}`);

  return figures(JSON.parse(run.stdout.toString()) as Result, cpuMs(processes) - before);
}

function cpuMs(processes: readonly ChildProcess[]): number {
  let ticks = 0;
  for (const { pid } of processes) {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return ticks * TICK_MS;
}

/** The median, and the least and the greatest. */
function spread(values: readonly number[]): string {
  const sorted = values.toSorted((a, b) => a - b);
  return `${text(sorted[Math.floor(sorted.length / 2)]!)} (${text(sorted[0]!)}..${text(sorted.at(-1)!)})`;
}

function text(value: number): string {
  return value.toLocaleString("en", { maximumSignificantDigits: 3 });
}

function words(line: string): string[] {
  return line.split(" ");
}
