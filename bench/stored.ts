/**
 * What instances that are stored cost the embedded emulator: a store with a million that have ended, and 100,000 in
 * flight, beside an empty one.
 *
 *     npm run build && node bench/stored.ts [--stored 1000000] [--in-flight 100000] [--runs 7] [--folder FOLDER]
 *
 * Prints how long the emulator's process takes to listen, what memory it takes, the longest turn of each read of the
 * store, and activities per second and the emulator's CPU per activity of W1 (100 x 10 x 10) through two warm workers,
 * in turn on both stores, as medians with the ratio. A folder that is named is kept, and used again if it is there.
 */
import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { parseArgs } from "node:util";
import type * as EventFrames from "../src/protocol/event-frames.js";
import type * as HistoryEvent from "../src/protocol/history-event.js";
import type * as SqliteStore from "../src/emulator/store/sqlite/store.js";
import type * as Statuses from "../src/protocol/orchestration-status.js";
import type { CompletedFilter, CompletedPlace, NewInstance, RowFilter, Store } from "../src/emulator/store/store.js";
import type * as Wire from "../src/protocol/wire.js";
import type * as Version from "../src/version.js";

const { values } = parseArgs({
  options: {
    stored: { type: "string", default: "1000000" },
    "in-flight": { type: "string", default: "100000" },
    runs: { type: "string", default: "7" },
    folder: { type: "string" },
  },
});
const STORED = Number(values.stored);
const IN_FLIGHT = Number(values["in-flight"]);
const ROOT = path.join(import.meta.dirname, "..");
const FANOUT = path.join(ROOT, "bin/fanout.js");
const { openSqliteStore } = (await built("emulator/store/sqlite/store")) as typeof SqliteStore;
const { PAST_EVENT, frame } = (await built("protocol/event-frames")) as typeof EventFrames;
const event = (await built("protocol/history-event")) as typeof HistoryEvent;
const { Status } = (await built("protocol/orchestration-status")) as typeof Statuses;
const { stringValue } = (await built("protocol/wire")) as typeof Wire;
const { FANOUT_VERSION } = (await built("version")) as typeof Version;

/** Its workers are never there: what is in flight stays so, while the runs have a hub of their own. */
const PARKED_HUB = "parked";
const HUB = "default";
const ACTIVITIES_OF_A_RUN = 10_000;
const IN_A_TRANSACTION = 10_000;
const IN_A_RUN = 50_000;
/** Clock ticks per second of /proc/PID/stat. */
const TICKS = 100;
const NOTHING = { output: undefined, customStatus: undefined, failure: undefined, trace: undefined };

const root = values.folder ?? mkdtempSync(path.join(tmpdir(), "fanout-stored-"));
const full = path.join(root, "full");
const empty = mkdtempSync(path.join(tmpdir(), "fanout-empty-"));
const children: ChildProcess[] = [];
try {
  await fill(full);
  await readsOf(full);
  await compare();
} finally {
  for (const child of children) child.kill("SIGKILL");
  rmSync(empty, { recursive: true });
  if (values.folder === undefined) rmSync(root, { recursive: true });
}

/** A module as `npm run build` makes it: that is what is measured. */
function built(module: string): Promise<unknown> {
  return import(path.join(ROOT, "dist", `${module}.js`));
}

async function fill(folder: string): Promise<void> {
  const file = path.join(folder, "emulator.db");
  if (existsSync(file)) return;
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const beganMs = performance.now();
  const store = await openSqliteStore(file);
  // The last day: what is older would be another matter, that of retention.
  const firstUs = (Date.now() - 86_000_000) * 1000;
  const stepUs = Math.floor(82_000_000_000 / Math.max(1, STORED));
  inTransactions(store, STORED, (number) => {
    addEnded(store, number, firstUs + number * stepUs);
  });
  inTransactions(store, IN_FLIGHT, (number) => {
    addInFlight(store, number, Date.now() * 1000);
  });
  store.close();
  const mb = Math.round(statSync(file).size / 1e6);
  console.log(`filled with ${STORED} ended and ${IN_FLIGHT} in flight in ${seconds(beganMs)} s: ${mb} MB`);
}

function inTransactions(store: Store, count: number, add: (number: number) => void): void {
  for (let from = 0; from < count; from += IN_A_TRANSACTION) {
    store.begin();
    for (let number = from; number < Math.min(count, from + IN_A_TRANSACTION); number += 1) add(number);
    store.commit();
  }
}

/** One orchestration of one iteration with one activity, as two episodes leave it behind. */
function addEnded(store: Store, number: number, createdUs: number): void {
  const output = stringValue(
    '{"totalActivities":1,"elapsedTimeMs":12,"averageActivityTimeMs":12,"results":[{"iterationNumber":0,' +
      '"activityNumber":0,"processingTimeMs":0,"output":"Hello World"}]}',
  );
  const key = addRunning(store, number, createdUs, HUB);
  const endedUs = createdUs + 12_000;
  const result = stringValue('{"iterationNumber":0,"activityNumber":0,"processingTimeMs":0,"output":"Hello World"}');
  store.applyEpisode(key, {
    ...NOTHING,
    processedSeq: 2,
    historySeq: 1,
    history: frame(PAST_EVENT, [
      event.orchestratorStarted(endedUs),
      event.taskCompleted(1, result, endedUs),
      event.executionCompleted(Status.Completed, output, undefined, endedUs),
    ]),
    status: Status.Completed,
    updatedUs: endedUs,
    completedUs: endedUs,
    output,
    tasksCompleted: 1,
  });
}

/** One whose activity has no result yet. */
function addInFlight(store: Store, number: number, createdUs: number): void {
  addRunning(store, number, createdUs, PARKED_HUB);
}

function addRunning(store: Store, number: number, createdUs: number, taskHub: string): number {
  const input = stringValue('{"iterations":1,"parallelActivities":1,"includeResults":true}');
  const instance: NewInstance = {
    taskHub,
    instanceId: instanceIdOf(number),
    executionId: number.toString(16).padStart(32, "0"),
    name: "FanOutFanInOrchestration",
    version: undefined,
    status: Status.Pending,
    createdUs,
    scheduledStartUs: 0,
    input,
    parentId: undefined,
    parent: undefined,
    tags: [],
  };
  const key = store.insertInstance(instance)!;
  const started = event.executionStarted({ ...instance, traceContext: undefined }, createdUs);
  const task = {
    name: "FanOutFanInActivity",
    version: undefined,
    input: stringValue('{"iterationNumber":0,"activityNumber":0}'),
    traceContext: undefined,
    tags: [],
  };
  store.applyEpisode(key, {
    ...NOTHING,
    processedSeq: 1,
    historySeq: 0,
    history: frame(PAST_EVENT, [
      event.orchestratorStarted(createdUs),
      started,
      event.taskScheduled(1, task, createdUs),
    ]),
    status: Status.Running,
    updatedUs: createdUs,
    completedUs: 0,
    tasksCompleted: 0,
  });
  return key;
}

function instanceIdOf(number: number): string {
  const run = `r0stored${Math.floor(number / IN_A_RUN)
    .toString()
    .padStart(5, "0")}`;
  const bucket = Math.floor((number % IN_A_RUN) / 1000);
  return `${run}-${bucket.toString().padStart(5, "0")}-${(number % 1000).toString().padStart(3, "0")}`;
}

interface Part<P> {
  readonly rows: number;
  readonly next: P | undefined;
}

/** The longest time that one read of the store holds up all work, in pages as clients ask for them. */
async function readsOf(folder: string): Promise<void> {
  const store = await openSqliteStore(path.join(folder, "emulator.db"));
  const anywhere = { taskHub: HUB, instanceIdPrefix: "", statuses: [], createdFromUs: 0, createdToUs: 0 };
  const query =
    (over: Partial<RowFilter>) =>
    (afterInstanceId = ""): Part<string> => {
      const page = store.query({ ...anywhere, limit: 1_000, payloads: false, ...over, afterInstanceId });
      return { rows: page.rows.length, next: page.next };
    };
  const completed =
    (over: Partial<CompletedFilter>) =>
    (after?: CompletedPlace): Part<CompletedPlace> => {
      const always = { taskHub: HUB, statuses: [], completedFromUs: 1, completedToUs: 0, limit: 1_000 };
      const page = store.listCompleted({ ...always, ...over, after });
      return { rows: page.rows.length, next: page.next };
    };
  const results =
    (instanceIdPrefix: string) =>
    (afterInstanceId = ""): Part<string> => {
      const completedToUs = Date.now() * 1000;
      const part = store.resultsOfEnded({ taskHub: HUB, instanceIdPrefix, afterInstanceId, completedToUs });
      return { rows: part.sum, next: part.next };
    };
  const hourAgoUs = (Date.now() - 3_600_000) * 1000;
  const run = "r0stored00007-";
  const statuses = [Status.Running, Status.Pending, Status.Suspended];
  read("counts", () => ({ rows: store.instanceCount(), next: undefined }));
  read("all", query({}));
  read("all, with payloads", query({ payloads: true }));
  read("one run", query({ instanceIdPrefix: run }));
  read("not completed", query({ statuses }));
  read("not completed of a run", query({ instanceIdPrefix: run, statuses }));
  read("in flight, parked", query({ statuses, taskHub: PARKED_HUB }));
  read("failed", query({ statuses: [Status.Failed] }));
  read("created within the hour", query({ createdFromUs: hourAgoUs }));
  read("all completed", completed({}));
  read("all failed", completed({ statuses: [Status.Failed] }));
  read("completed within the hour", completed({ completedFromUs: hourAgoUs }));
  read("results of one run", results(run));
  read("results of all", results(""));
  store.close();
}

function read<P>(name: string, partOf: (place: P | undefined) => Part<P>): void {
  const timesMs: number[] = [];
  let rows = 0;
  let place: P | undefined;
  do {
    const beganMs = performance.now();
    const part = partOf(place);
    timesMs.push(performance.now() - beganMs);
    rows += part.rows;
    place = part.next;
  } while (place !== undefined);
  const totalMs = timesMs.reduce((sum, ms) => sum + ms, 0);
  console.log(
    `read  ${name.padEnd(26)} longest ${Math.max(...timesMs).toFixed(1)} ms, median ${median(timesMs).toFixed(1)} ms; ` +
      `${timesMs.length} calls, ${rows} rows, ${Math.round(totalMs)} ms`,
  );
}

interface Side {
  readonly name: string;
  readonly folder: string;
  readonly pid: number;
  readonly perSecond: number[];
  readonly cpuUs: number[];
}

async function compare(): Promise<void> {
  const sides = [await open("empty", empty), await open("full", full)];
  for (const { name, pid } of sides) console.log(`${name.padEnd(5)} ${memory(pid)} before the runs`);
  for (const side of sides) await run(side, false);
  for (let number = 0; number < Number(values.runs); number += 1) {
    // In turn, and the other one first each time.
    for (const side of number % 2 === 0 ? sides : sides.toReversed()) await run(side, true);
  }
  for (const { name, pid, perSecond, cpuUs } of sides) {
    console.log(
      `${name.padEnd(5)} ${Math.round(median(perSecond))} activities/s (${perSecond.map(Math.round).join(" ")}); ` +
        `emulator CPU ${median(cpuUs).toFixed(1)} us/activity; ${memory(pid)}`,
    );
  }
  const [none, many] = sides;
  const cost = (of: (side: Side) => number[]): string => (median(of(many!)) / median(of(none!))).toFixed(3);
  console.log(
    `full to empty: time per activity ${(median(none!.perSecond) / median(many!.perSecond)).toFixed(3)}, ` +
      `emulator CPU ${cost(({ cpuUs }) => cpuUs)}`,
  );
}

/** Starts an emulator and two workers on a folder, and prints how long the emulator took to listen. */
async function open(name: string, folder: string): Promise<Side> {
  const env = environment(folder);
  const beganMs = performance.now();
  const emulator = spawn(
    process.execPath,
    [path.join(ROOT, "dist/emulator/process/main.js"), FANOUT_VERSION, "600000"],
    {
      env,
      stdio: ["ignore", "ignore", "inherit", "pipe"],
    },
  );
  children.push(emulator);
  const [report] = (await once(emulator.stdio[3] as Readable, "data")) as [Buffer];
  console.log(
    `${name.padEnd(5)} ready after ${seconds(beganMs)} s: CPU ${(cpuUs(emulator.pid!) / 1e6).toFixed(2)} s; ${memory(emulator.pid!)}; ${report.toString().trim()}`,
  );
  for (let number = 0; number < 2; number += 1) {
    const worker = spawn(process.execPath, [FANOUT, "worker", "--port", "0"], {
      env,
      stdio: ["ignore", "ignore", "pipe"],
    });
    children.push(worker);
    for await (const line of createInterface({ input: worker.stderr })) if (line.startsWith("Connected")) break;
    worker.stderr.resume();
  }
  return { name, folder, pid: emulator.pid!, perSecond: [], cpuUs: [] };
}

async function run(side: Side, counted: boolean): Promise<void> {
  const args = [
    "run",
    "--json",
    "--iterations",
    "10",
    "--parallel-activities",
    "10",
    "--parallel-orchestrations",
    "100",
  ];
  const before = cpuUs(side.pid);
  const result = spawnSync(process.execPath, [FANOUT, ...args], {
    env: environment(side.folder),
    stdio: ["ignore", "pipe", "ignore"],
    maxBuffer: 1 << 28,
  });
  if (result.status !== 0) throw new Error(`fanout run ended with ${result.status}: ${result.stdout.toString()}`);
  if (!counted) return;
  const { throughput } = JSON.parse(result.stdout.toString()) as { throughput: { activitiesPerSecond: number } };
  side.perSecond.push(throughput.activitiesPerSecond);
  side.cpuUs.push((cpuUs(side.pid) - before) / ACTIVITIES_OF_A_RUN);
}

function environment(folder: string): NodeJS.ProcessEnv {
  return {
    ...process.env,
    FANOUT_STATE_DIR: folder,
    DURABLE_TASK_CONNECTION_STRING: "UseDevelopmentStorage=true",
    FANOUT_RETENTION: "none",
  };
}

/** User and system time of a process so far. */
function cpuUs(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return ((Number(fields[11]) + Number(fields[12])) / TICKS) * 1e6;
}

function memory(pid: number): string {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const mb = (name: string): number =>
    Math.round(Number(new RegExp(`${name}:\\s+(\\d+)`, "u").exec(status)?.[1]) / 1024);
  return `memory ${mb("VmRSS")} MiB, peak ${mb("VmHWM")} MiB`;
}

function seconds(sinceMs: number): string {
  return ((performance.now() - sinceMs) / 1000).toFixed(2);
}

function median(of: readonly number[]): number {
  return of.toSorted((a, b) => a - b)[Math.floor(of.length / 2)]!;
}
