/**
 * Much more than the workers can do, through the built program: 10,000 orchestrations of 10 x 2,000 activities are
 * started over HTTP on an emulator of its own with a worker. Prints every 10 s what was done, the memory of each process,
 * what was redelivered and the emulator's longest turn, and how long a small orchestration takes that comes late; at the
 * end how long each process takes to end.
 *
 *     npm run build && node bench/storm.ts [--minutes 5] [--orchestrations 10000] [--activities 2000] [--workers 1]
 */
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { parseArgs, promisify } from "node:util";

const LOOK_MS = 10_000;
const MIB = 1_048_576;
const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "5" },
    orchestrations: { type: "string", default: "10000" },
    activities: { type: "string", default: "2000" },
    workers: { type: "string", default: "1" },
  },
});

const FANOUT = path.join(import.meta.dirname, "../bin/fanout.js");
const folder = mkdtempSync(path.join(tmpdir(), "fanout-storm-"));
const env = {
  ...process.env,
  FANOUT_STATE_DIR: folder,
  FANOUT_API_KEY: "",
  DURABLE_TASK_CONNECTION_STRING: "UseDevelopmentStorage=true",
};

interface Status {
  readonly activitiesCompleted: number;
  readonly orchestrationsEnded: number;
  readonly inFlight: number;
  readonly redelivered: number;
  readonly longestTurnMs: number;
  readonly storeBytes: number;
  readonly backlog: Readonly<
    Record<"orchestrations" | "activities", { readonly waiting: number; readonly withWorkers: number }>
  >;
}

const processes = new Map<string, ChildProcess>();
const emulator = begin("emulator", ["emulator"]);
await said(emulator, /^listening/u);
const server = begin("serve", ["serve", "--port", "0"]);
const [, url] = await said(server, /^Orchestration API on (http:[^,]+)/u);
for (let n = 1; n <= Number(values.workers); n += 1)
  await said(begin(`worker ${n}`, ["worker", "--port", "0"]), /^Connected/u);

const startedMs = performance.now();
let small: string | undefined;
void post(Number(values.orchestrations), 10, Number(values.activities));
let before = 0;
const end = new AbortController();
for (let look = 1; look <= Number(values.minutes) * 6; look += 1) {
  await setTimeout(startedMs + look * LOOK_MS - performance.now());
  const { activitiesCompleted, backlog, ...status } = await statusOf();
  const rate = ((activitiesCompleted - before) * 1_000) / LOOK_MS;
  before = activitiesCompleted;
  const memory = Array.from(processes, ([name, child]) => `${name} ${residentMib(child)} MiB`).join(", ");
  console.log(
    `${look * 10} s: ${count(activitiesCompleted)} activities, ${count(rate)}/s, ${count(backlog.activities.waiting)} ` +
      `waiting and ${count(backlog.activities.withWorkers)} with workers; ${count(status.inFlight)} orchestrations in ` +
      `flight, ${count(backlog.orchestrations.waiting)} waiting; ${status.redelivered} redelivered, longest turn ` +
      `${status.longestTurnMs} ms, store ${count(status.storeBytes / MIB)} MiB; ${memory}${small ?? ""}`,
  );
  small = undefined;
  if (look % 3 === 0) void late();
}
end.abort();
await setTimeout(1_000);
for (const [name, child] of [...processes].toReversed()) {
  const from = performance.now();
  child.kill("SIGTERM");
  if (child.exitCode === null) await once(child, "exit");
  console.log(`${name} ended ${((performance.now() - from) / 1_000).toFixed(1)} s after SIGTERM: ${child.exitCode}`);
}
rmSync(folder, { recursive: true });

/** A small orchestration beside all the others. */
async function late(): Promise<void> {
  const from = performance.now();
  const [id] = await post(1, 1, 1);
  for (let status = ""; status !== "Completed" && !end.signal.aborted; await setTimeout(200)) {
    const answer = await fetch(`${url}/api/orchestrations/${id}`);
    ({ status } = (await answer.json()) as { status: string });
  }
  small = `; a small one took ${((performance.now() - from) / 1_000).toFixed(1)} s`;
}

async function post(parallelOrchestrations: number, iterations: number, parallelActivities: number): Promise<string[]> {
  const answer = await fetch(`${url}/api/orchestrations`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ iterations, parallelActivities, parallelOrchestrations }),
  });
  if (answer.status !== 202) throw new Error(`${answer.status}: ${await answer.text()}`);
  return ((await answer.json()) as { instanceIds: string[] }).instanceIds;
}

function begin(name: string, args: readonly string[]): ChildProcess {
  const child = spawn(process.execPath, [FANOUT, ...args], { env, stdio: ["ignore", "ignore", "pipe"] });
  processes.set(name, child);
  return child;
}

/** The first line that it says so; what it says later is shown. */
async function said(child: ChildProcess, pattern: RegExp): Promise<RegExpExecArray> {
  const lines = createInterface({ input: child.stderr! });
  return new Promise((resolve) => {
    lines.on("line", (line) => {
      const match = pattern.exec(line);
      if (match !== null) resolve(match);
      if (/warning|error|redeliver|gone|restart/iu.test(line)) console.log(`  ${line}`);
    });
  });
}

async function statusOf(): Promise<Status> {
  const { stdout } = await promisify(execFile)(process.execPath, [FANOUT, "emulator", "status", "--json"], { env });
  return JSON.parse(stdout) as Status;
}

/** `VmRSS` of Linux. */
function residentMib({ pid }: ChildProcess): string {
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  return count(Number(/^VmRSS:\s+(\d+)/mu.exec(status)?.[1]) / 1_024);
}

function count(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}
