/**
 * What the generator itself does to the figures, against a server that does no work (`bench/delay-server/delay-server.ts`):
 *
 *     npm run build && node bench/generator.ts pace [--rate 1000] [--seconds 60]   how late starts leave, by either transport
 *     npm run build && node bench/generator.ts view [--seconds 20]                 what the live view costs
 *     npm run build && node bench/generator.ts memory [--total 1000000] [--heap 96]  a heap that does not grow
 *
 * `pace` first paces nothing at the same rate by a bare timer: what of the slip is the machine's.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { RunResult } from "../src/result/run-result.js";

const FANOUT = path.join(import.meta.dirname, "../bin/fanout.js");
const SERVER = path.join(import.meta.dirname, "./delay-server/delay-server.ts");
const ONE_ACTIVITY = ["--iterations", "1", "--parallel-activities", "1"];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rate: { type: "string", default: "1000" },
    seconds: { type: "string" },
    total: { type: "string", default: "1000000" },
    heap: { type: "string", default: "96" },
  },
});
const folder = mkdtempSync(path.join(tmpdir(), "fanout-bench-"));
const parts: Record<string, () => Promise<void>> = { pace, view, memory };
const part = parts[positionals[0] ?? ""];
if (part === undefined) throw new Error(`Expected one of ${Object.keys(parts).join(", ")}, found ${positionals[0]}`);
await part();
rmSync(folder, { recursive: true });

async function pace(): Promise<void> {
  const perSecond = Number(values.rate);
  const seconds = Number(values.seconds ?? 60);
  const bare = await bareLateness(perSecond, Math.min(seconds, 10));
  console.log(`bare timer   p50 ${ms(bare.p50)}, p99 ${ms(bare.p99)}, max ${ms(bare.max)}`);
  const slips = new Map<string, number>();
  for (const transport of ["http2", "grpc-js"]) {
    await withServer("constant:20ms", async (connection) => {
      // Whatever Node compiles in the first seconds is no figure of a minute.
      const load = [
        "--rate",
        `${perSecond}/s`,
        "--duration",
        `${seconds}s`,
        "--warmup",
        "5s",
        "--transport",
        transport,
      ];
      const { result } = await fanout([...load, ...ONE_ACTIVITY, ...connection]);
      const { slip, response, detectionLag } = result.latencyMs;
      slips.set(transport, slip!.p99!);
      console.log(`--transport ${transport}, verdict ${result.verdict?.status}`);
      console.log(`  slip       p50 ${ms(slip!.p50)}, p99 ${ms(slip!.p99)}, max ${ms(slip!.max)}`);
      console.log(`  response   p50 ${ms(response!.p50)}, p99 ${ms(response!.p99)}, of a delay of 20 ms`);
      console.log(`  noticing   p50 ${ms(detectionLag!.p50)}, p99 ${ms(detectionLag!.p99)}`);
      console.log(`  slip p99 is ${(slip!.p99! / bare.p99).toFixed(1)} x the bare timer's`);
    });
  }
  console.log(`slip p99 of grpc-js is ${(slips.get("grpc-js")! / slips.get("http2")!).toFixed(1)} x that of http2`);
}

/** How late a timer fires that has nothing else to do. */
async function bareLateness(perSecond: number, seconds: number) {
  const late: number[] = [];
  const startedMs = performance.now();
  for (let number = 0; number < perSecond * seconds; number += 1) {
    const dueMs = startedMs + (number * 1_000) / perSecond;
    for (let earlyMs = dueMs - performance.now(); earlyMs > 0; earlyMs = dueMs - performance.now())
      await sleep(Math.ceil(earlyMs));

    late.push(performance.now() - dueMs);
  }
  late.sort((a, b) => a - b);
  const at = (q: number): number => late[Math.ceil(q * late.length) - 1]!;
  return { p50: at(0.5), p99: at(0.99), max: at(1) };
}

/** An orchestration that does nothing for long, so that all that the run does is to show that. */
async function view(): Promise<void> {
  const seconds = Number(values.seconds ?? 20);
  await withServer(`constant:${seconds}s`, async (connection) => {
    const args = ["run", "--parallel-orchestrations", "2", "--duration", `${seconds}s`, ...ONE_ACTIVITY, ...connection];
    const lines = await cpuMsOf(process.execPath, [FANOUT, ...args]);
    const quoted = [process.execPath, FANOUT, ...args].map((word) => `'${word}'`).join(" ");
    const terminal = await cpuMsOf("script", ["-qfec", `stty cols 100 rows 30; exec ${quoted}`, "/dev/null"]);
    const perSecond = (terminal - lines) / seconds;
    console.log(`without a terminal ${ms(lines)} of CPU, on one ${ms(terminal)}: ${ms(perSecond)} a second more`);
  });
}

async function memory(): Promise<void> {
  const total = Number(values.total);
  await withServer("constant:20ms", async (connection) => {
    const load = ["--total", String(total), "--parallel-orchestrations", "100"];
    const startedMs = performance.now();
    const { result, peakMb } = await fanout(
      [...load, ...ONE_ACTIVITY, ...connection, "--timeout", "1h"],
      [`--max-old-space-size=${values.heap}`],
    );
    const { started, completed } = result.counts.orchestrations;
    const seconds = ((performance.now() - startedMs) / 1_000).toFixed(0);
    const lost = result.recount !== undefined && "lost" in result.recount ? result.recount.lost.total : "not recounted";
    console.log(`${started} started, ${completed} completed in ${seconds} s, heap limit ${values.heap} MB`);
    console.log(`peak resident ${peakMb} MB, ${result.series?.length} intervals, lost ${lost}`);
  });
}

async function withServer(delay: string, use: (connection: readonly string[]) => Promise<void>): Promise<void> {
  const server = spawn(process.execPath, [SERVER, "--delay", delay], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(createInterface({ input: server.stdout }), "line")) as [string];
  const { port } = JSON.parse(line) as { port: number };
  const string = `Endpoint=http://127.0.0.1:${port};Authentication=None;TaskHub=default`;
  await use(["--workers", "0", "--max-actions", "1000000000", "--connection-string", string]);
  const exited = once(server, "exit");
  server.kill("SIGTERM");
  await exited;
}

/** Runs `fanout run` and reads its result; `peakMb` is the resident memory of its process. */
async function fanout(args: readonly string[], nodeFlags: readonly string[] = []) {
  const file = path.join(folder, "result.json");
  const child = spawn(process.execPath, [...nodeFlags, FANOUT, "run", "--allow-invalid", "--json", file, ...args], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  let peakMb = 0;
  const samples = setInterval(() => (peakMb = Math.max(peakMb, residentMb(child))), 250);
  const [code] = (await once(child, "exit")) as [number];
  clearInterval(samples);
  if (code !== 0) throw new Error(`Expected the run to end with 0, found ${code}`);
  return { result: JSON.parse(readFileSync(file, "utf8")) as RunResult, peakMb };
}

/** User and system time of a command and all that it started, in milliseconds. */
async function cpuMsOf(command: string, args: readonly string[]): Promise<number> {
  const child = spawn("bash", ["-c", 'TIMEFORMAT="%U %S"; time "$@" >/dev/null 2>&1', "bash", command, ...args], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let text = "";
  child.stderr.on("data", (chunk: Buffer) => (text += chunk.toString()));
  await once(child, "exit");
  const [user = 0, system = 0] = text.trim().split(" ").map(Number);
  return (user + system) * 1_000;
}

/** The most that was resident so far; 0 of a process that has ended. */
function residentMb({ pid, exitCode }: ChildProcess): number {
  if (exitCode !== null) return 0;
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Math.round(Number(/VmHWM:\s+(\d+)/u.exec(status)?.[1] ?? 0) / 1_024);
}

function ms(value: number | undefined): string {
  return value === undefined ? "-" : `${value.toFixed(2)} ms`;
}
