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
  /** Whether a TLS terminator in a process of its own is between the emulator and everybody else. */
  readonly tls?: boolean;
}

/** The emulator in the foreground, workers that stay, and one `fanout run` for each run. */
export function fanoutEngine({ name, workers, transport, replay, tls = false }: FanoutOptions): Engine {
  const flags = [
    ...(transport === undefined ? [] : ["--transport", transport]),
    ...(replay === undefined ? [] : ["--replay", replay]),
  ];
  return {
    name,
    durability: "SQLite (WAL), answers behind an fdatasync",
    durable: true,
    missing: () => (existsSync(path.join(ROOT, "dist/cli.js")) ? undefined : "it is not built: npm run build"),
    cannot: () => undefined,
    start: (place) => startFanout(place, workers, flags, tls),
  };
}

async function startFanout(
  place: Place,
  workers: number,
  flags: readonly string[],
  tls: boolean,
): Promise<RunningEngine> {
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    FANOUT_STATE_DIR: place.folder,
    DURABLE_TASK_CONNECTION_STRING: "UseDevelopmentStorage=true",
    NO_COLOR: "1",
  };
  const running: BackgroundProcess[] = [];
  const started = async (one: BackgroundProcess, sign: string): Promise<void> => {
    running.push(one);
    await one.ready(() => one.output().includes(sign));
  };
  try {
    const port = tls ? await freePort() : undefined;
    const emulatorArgs = [FANOUT, "emulator", ...(port === undefined ? [] : ["--port", String(port)])];
    const emulator = place.startServer("emulator", process.execPath, emulatorArgs, { env });
    await started(emulator, "Ctrl-C stops");
    const terminator = port === undefined ? undefined : await startTlsTerminator(place.folder, port);
    if (terminator !== undefined) {
      running.push(terminator.process);
      Object.assign(env, terminator.environment, {
        DURABLE_TASK_CONNECTION_STRING: `Endpoint=${terminator.endpoint};Authentication=None;TaskHub=default`,
      });
    }
    const worker = [FANOUT, "worker", "--port", "0", ...flags];
    for (let number = 1; number <= workers; number += 1) {
      const log = path.join(place.folder, `worker-${number}.log`);
      await started(startProcess(log, process.execPath, worker, { env }), "Connected to");
    }
    let run: number | undefined;
    return {
      versions: [
        ...versions(),
        `${workers} worker${workers === 1 ? "" : "s"}`,
        ...(flags.length > 0 ? [flags.join(" ")] : []),
        ...(terminator === undefined ? [] : [`TLS by ${terminator.command}`]),
      ].join(", "),
      pids: () => [...running.map(({ pid }) => pid), ...(run === undefined ? [] : [run])],
      serverPids: () => [emulator.pid],
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
