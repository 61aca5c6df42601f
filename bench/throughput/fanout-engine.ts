import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import type { RunResult } from "../../src/result/run-result.js";
import { startTlsTerminator } from "#tls-terminator";
import { startProcess, stopAll, type BackgroundProcess } from "#background-process";
import type { Engine, Outcome, Place, RunningEngine } from "#engine";
import { freePort } from "#free-port";
import { SEED, activitiesOf, type Workload } from "#workloads";

const ROOT = path.join(import.meta.dirname, "../..");
const FANOUT = path.join(ROOT, "bin/fanout.js");

interface FanoutOptions {
  readonly name: string;
  readonly workers: number;
  /** What worker and run make their calls with; absent: what they do by default. */
  readonly transport?: "http2";
  /** How workers come to the state of an orchestration; absent: as they do by default. */
  readonly replay?: "always";
  /** Absent: the emulator, as they reach it by default. */
  readonly backend?: FanoutBackend;
}

/** What fanout's workers and runs connect to. */
export interface FanoutBackend {
  readonly durability: string;
  /** Which program it lacks on this machine and how to get it; undefined where it can be started. */
  missing(): string | undefined;
  /** Starts it, adds its processes to `running` as they start, and waits until they serve. */
  start(place: Place, running: BackgroundProcess[]): Promise<StartedBackend>;
}

export interface StartedBackend {
  /** The process that holds the state. */
  readonly server: BackgroundProcess;
  /** The variables by which workers and runs reach it. */
  readonly environment: NodeJS.ProcessEnv;
  /** Its version and settings, in words. */
  readonly remark?: string;
}

const EMULATOR = {
  durability: "SQLite (WAL), answers behind an fdatasync",
  missing: () => undefined,
} as const;

const EMULATOR_ALONE: FanoutBackend = {
  ...EMULATOR,
  async start(place, running) {
    const server = await startEmulator(place, running);
    return { server, environment: { DURABLE_TASK_CONNECTION_STRING: "UseDevelopmentStorage=true" } };
  },
};

/** A TLS terminator in a process of its own is between the emulator and everybody else. */
export const EMULATOR_BEHIND_TLS: FanoutBackend = {
  ...EMULATOR,
  async start(place, running) {
    const port = await freePort();
    const server = await startEmulator(place, running, ["--port", String(port)]);
    const { process: terminator, command, endpoint, environment } = await startTlsTerminator(place.folder, port);
    running.push(terminator);
    return { server, environment: { ...environment, ...reaching(endpoint) }, remark: `TLS by ${command}` };
  },
};

const SIDECAR = path.join(ROOT, "interop/.cache/sidecar");

/** The other backend of this protocol that runs on one machine. */
export const DURABLETASK_GO: FanoutBackend = {
  durability: "SQLite, as it sets it up",
  missing: () => (existsSync(SIDECAR) ? undefined : "durabletask-go is not built: npm run interop -- Go"),
  async start(place, running) {
    const port = await freePort();
    const file = path.join(place.folder, "sidecar.db");
    const server = place.startServer("sidecar", SIDECAR, ["-port", String(port), "-db", file]);
    running.push(server);
    await server.ready(() => server.output().includes("server listening"));
    return { server, environment: reaching(`http://localhost:${port}`), remark: "durabletask-go v0.6.0" };
  },
};

function reaching(endpoint: string): NodeJS.ProcessEnv {
  return { DURABLE_TASK_CONNECTION_STRING: `Endpoint=${endpoint};Authentication=None;TaskHub=default` };
}

/** In the foreground. */
async function startEmulator(
  place: Place,
  running: BackgroundProcess[],
  flags: readonly string[] = [],
): Promise<BackgroundProcess> {
  const env = { ...process.env, ...stateIn(place) };
  const emulator = place.startServer("emulator", process.execPath, [FANOUT, "emulator", ...flags], { env });
  running.push(emulator);
  await emulator.ready(() => emulator.output().includes("Ctrl-C stops"));
  return emulator;
}

function stateIn({ folder }: Place): NodeJS.ProcessEnv {
  return { FANOUT_STATE_DIR: folder, NO_COLOR: "1" };
}

/** A backend, workers that stay, and one `fanout run` for each run. */
export function fanoutEngine({ name, workers, transport, replay, backend = EMULATOR_ALONE }: FanoutOptions): Engine {
  const flags = [
    ...(transport === undefined ? [] : ["--transport", transport]),
    ...(replay === undefined ? [] : ["--replay", replay]),
  ];
  return {
    name,
    durability: backend.durability,
    durable: true,
    missing: () => (existsSync(path.join(ROOT, "dist/cli.js")) ? backend.missing() : "it is not built: npm run build"),
    cannot: () => undefined,
    start: (place) => startFanout(place, workers, flags, backend),
  };
}

async function startFanout(
  place: Place,
  workers: number,
  flags: readonly string[],
  backend: FanoutBackend,
): Promise<RunningEngine> {
  const running: BackgroundProcess[] = [];
  try {
    const { server, environment, remark } = await backend.start(place, running);
    const env = { ...process.env, ...stateIn(place), ...environment };
    const worker = [FANOUT, "worker", "--port", "0", ...flags];
    for (let number = 1; number <= workers; number += 1) {
      const log = path.join(place.folder, `worker-${number}.log`);
      const started = startProcess(log, process.execPath, worker, { env });
      running.push(started);
      await started.ready(() => started.output().includes("Connected to"));
    }
    let run: number | undefined;
    return {
      versions: [
        ...versions(),
        `${workers} worker${workers === 1 ? "" : "s"}`,
        ...(flags.length > 0 ? [flags.join(" ")] : []),
        ...(remark === undefined ? [] : [remark]),
      ].join(", "),
      pids: () => [...running.map(({ pid }) => pid), ...(run === undefined ? [] : [run])],
      serverPids: () => [server.pid],
      async run(workload, signal) {
        const file = path.join(place.folder, "result.json");
        rmSync(file, { force: true });
        const args = [FANOUT, "run", ...runFlags(workload), ...flags, "--json", file];
        const child = spawn(process.execPath, args, { env, signal, stdio: ["ignore", "ignore", "pipe"] });
        run = child.pid;
        let words = "";
        child.stderr.on("data", (chunk: Buffer) => (words += chunk.toString()));
        const [code] = (await once(child, "close").finally(() => (run = undefined))) as [number | null];
        if (code !== 0) throw new Error(`fanout run ended with ${code}: ${words.trim().slice(-500)}`);
        return outcomeOf(JSON.parse(readFileSync(file, "utf8")) as RunResult, workload);
      },
      stop: () => stopAll(running),
    };
  } catch (error) {
    await stopAll(running);
    throw error;
  }
}

function runFlags(workload: Workload): readonly string[] {
  const { orchestrations, iterations, activities, inFlight, meanSleepMs, outputBytes, continueAsNewEvery } = workload;
  const flags: Readonly<Record<string, string | number | undefined>> = {
    "--iterations": iterations,
    "--parallel-activities": activities,
    "--parallel-orchestrations": inFlight ?? orchestrations,
    "--total": inFlight === undefined ? undefined : orchestrations,
    "--activity-duration": meanSleepMs === undefined ? undefined : `exp:${meanSleepMs}ms`,
    "--seed": meanSleepMs === undefined ? undefined : SEED,
    "--output-bytes": outputBytes,
    "--continue-as-new-every": continueAsNewEvery,
    // The workers are there, and none may be added to them.
    "--workers": 0,
    "--worker-timeout": "30s",
    // Beyond the emulator a run says what it may spend.
    "--max-actions": 1_000_000,
  };
  const given = Object.entries(flags).filter(([, value]) => value !== undefined);
  // What the verdict says is said in a remark.
  return [...given.flatMap(([flag, value]) => [flag, String(value)]), "--allow-invalid"];
}

/**
 * Each orchestration checks its fan-ins, and fails where a result is lost, doubled or wrong; the run counts those that
 * completed, and counts them again at the backend.
 */
export function outcomeOf(result: RunResult, workload: Workload): Outcome {
  const { counts, throughput, recount, verdict } = result;
  const { started, completed, failed, terminated, unfinished } = counts.orchestrations;
  const activities = activitiesOf(workload);
  expectEqual("orchestrations started", started, workload.orchestrations);
  expectEqual("orchestrations completed", completed, workload.orchestrations);
  expectEqual("orchestrations failed, terminated or unfinished", failed + terminated + unfinished, 0);
  expectEqual("activities completed", counts.activities?.completed, activities);
  if (recount === undefined || "unknown" in recount) throw new Error("fanout run did not count its instances again");
  expectEqual("instances that the backend lost", recount.lost.total, 0);
  const { makespanMs, activitiesPerSecond } = throughput ?? {};
  if (makespanMs === undefined || activitiesPerSecond === undefined) throw new Error("fanout run measured no makespan");

  const seconds = makespanMs / 1_000;
  // What it calls throughput has to be what the peers' figure is: activities over the makespan.
  if (Math.abs((activitiesPerSecond * seconds) / activities - 1) > 0.01)
    throw new Error(`Expected ${activities} activities in ${seconds} s, found ${activitiesPerSecond} a second`);

  const reasons = verdict?.reasons.map(({ name }) => name).join(", ") ?? "";
  const healthy = verdict === undefined || verdict.status === "valid";
  return { seconds, remarks: healthy ? [] : [`fanout's own verdict: ${verdict.status} (${reasons})`] };
}

function expectEqual(what: string, found: number | undefined, expected: number): void {
  if (found !== expected) throw new Error(`Expected ${expected} ${what}, found ${found ?? "none counted"}`);
}

function versions(): readonly string[] {
  const { version, dependencies } = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8")) as {
    version: string;
    dependencies: Record<string, string>;
  };
  return [`fanout ${version}`, `durabletask-js ${dependencies["@microsoft/durabletask-js"]}`];
}
