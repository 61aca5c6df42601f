/**
 * What the generator itself does to the figures, against a server that does no work (`bench/delay-server/delay-server.ts`):
 *
 *     npm run build && node bench/generator.ts pace [--rate 1000] [--seconds 60]   how late starts leave, by either transport
 *     npm run build && node bench/generator.ts pace --tls                          the same over TLS, beside plaintext
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
import { cpuSeconds } from "#process-accounting";
import { startTlsTerminator } from "#tls-terminator";
import type { RunResult } from "../src/result/run-result.js";

const FANOUT = path.join(import.meta.dirname, "../bin/fanout.js");
const SERVER = path.join(import.meta.dirname, "./delay-server/delay-server.ts");
const ONE_ACTIVITY = ["--iterations", "1", "--parallel-activities", "1"];

/** The process of a run: how late its starts left at the 99th percentile, and its CPU time. */
interface Paced {
  readonly slipMs: number;
  readonly cpuMs: number;
}

const BY_TRANSPORT = [
  { name: "--transport http2", transport: "http2", tls: false },
  { name: "--transport grpc-js", transport: "grpc-js", tls: false },
];
const OVER_TLS = [
  { name: "plaintext", transport: "http2", tls: false },
  { name: "TLS", transport: "http2", tls: true },
];

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rate: { type: "string", default: "1000" },
    seconds: { type: "string" },
    total: { type: "string", default: "1000000" },
    heap: { type: "string", default: "96" },
    tls: { type: "boolean", default: false },
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
  const paced = new Map<string, Paced>();
  for (const { name, transport, tls } of values.tls ? OVER_TLS : BY_TRANSPORT) {
    await withServer(
      "constant:20ms",
      async (connection, environment) => {
        // Whatever Node compiles in the first seconds is no figure of a minute.
        const load = ["--rate", `${perSecond}/s`, "--duration", `${seconds}s`, "--warmup", "5s"];
        const args = [...load, "--transport", transport, ...ONE_ACTIVITY, ...connection];
        const { result, cpuMs } = await fanout(args, { environment });
        const { slip, response, detectionLag } = result.latencyMs;
        paced.set(name, { slipMs: slip!.p99!, cpuMs });
        console.log(`${name}, verdict ${result.verdict?.status}, ${(cpuMs / 1_000).toFixed(1)} s of CPU`);
        console.log(`  slip       p50 ${ms(slip!.p50)}, p99 ${ms(slip!.p99)}, max ${ms(slip!.max)}`);
        console.log(`  response   p50 ${ms(response!.p50)}, p99 ${ms(response!.p99)}, of a delay of 20 ms`);
        console.log(`  noticing   p50 ${ms(detectionLag!.p50)}, p99 ${ms(detectionLag!.p99)}`);
        console.log(`  slip p99 is ${(slip!.p99! / bare.p99).toFixed(1)} x the bare timer's`);
      },
      tls,
    );
  }
  const [[first, before], [second, after]] = [...paced] as [[string, Paced], [string, Paced]];
  const [slips, cpu] = [after.slipMs / before.slipMs, after.cpuMs / before.cpuMs].map((ratio) => ratio.toFixed(2));
  console.log(`${second} has ${slips} x the slip p99 and ${cpu} x the CPU of ${first}`);
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
    const { result, peakMb } = await fanout([...load, ...ONE_ACTIVITY, ...connection, "--timeout", "1h"], {
      nodeFlags: [`--max-old-space-size=${values.heap}`],
    });
    const { started, completed } = result.counts.orchestrations;
    const seconds = ((performance.now() - startedMs) / 1_000).toFixed(0);
    const lost = result.recount !== undefined && "lost" in result.recount ? result.recount.lost.total : "not recounted";
    console.log(`${started} started, ${completed} completed in ${seconds} s, heap limit ${values.heap} MB`);
    console.log(`peak resident ${peakMb} MB, ${result.series?.length} intervals, lost ${lost}`);
  });
}

async function withServer(
  delay: string,
  use: (connection: readonly string[], environment: NodeJS.ProcessEnv) => Promise<void>,
  tls = false,
): Promise<void> {
  const server = spawn(process.execPath, [SERVER, "--delay", delay], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(createInterface({ input: server.stdout }), "line")) as [string];
  const { port } = JSON.parse(line) as { port: number };
  const terminator = tls ? await startTlsTerminator(folder, port) : undefined;
  const endpoint = terminator?.endpoint ?? `http://127.0.0.1:${port}`;
  const string = `Endpoint=${endpoint};Authentication=None;TaskHub=default`;
  const connection = ["--workers", "0", "--max-actions", "1000000000", "--connection-string", string];
  await use(connection, { ...process.env, ...terminator?.environment });
  await terminator?.process.stop();
  const exited = once(server, "exit");
  server.kill("SIGTERM");
  await exited;
}

/** Runs `fanout run` and reads its result; `peakMb` is the resident memory of its process, `cpuMs` its CPU time. */
async function fanout(
  args: readonly string[],
  {
    nodeFlags = [],
    environment = process.env,
  }: { nodeFlags?: readonly string[]; environment?: NodeJS.ProcessEnv } = {},
) {
  const file = path.join(folder, "result.json");
  const child = spawn(process.execPath, [...nodeFlags, FANOUT, "run", "--allow-invalid", "--json", file, ...args], {
    stdio: ["ignore", "ignore", "inherit"],
    env: environment,
  });
  let peakMb = 0;
  let cpuMs = 0;
  const samples = setInterval(() => {
    peakMb = Math.max(peakMb, residentMb(child));
    cpuMs = Math.max(cpuMs, 1_000 * cpuSeconds([child.pid!]));
  }, 250);
  const [code] = (await once(child, "exit")) as [number];
  clearInterval(samples);
  if (code !== 0) throw new Error(`Expected the run to end with 0, found ${code}`);
  return { result: JSON.parse(readFileSync(file, "utf8")) as RunResult, peakMb, cpuMs };
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
