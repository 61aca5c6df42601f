import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync, readFileSync } from "node:fs";
import path from "node:path";
import { stopAll, supervised, type BackgroundProcess } from "#background-process";
import type { Engine, Outcome, Place, RunningEngine } from "#engine";
import type { PeerMessage, RunRequest } from "#peer-protocol";
import { activitiesOf, type Workload } from "#workloads";

const BENCH = path.join(import.meta.dirname, "..");

/** The server of a peer, and how its process finds it. */
export interface PeerServer {
  readonly process: BackgroundProcess;
  /** What the peer's process reads: where the server is. */
  readonly environment: Readonly<Record<string, string>>;
  /** Of a program that is no npm package. */
  readonly version?: string;
}

export interface PeerOptions {
  readonly name: string;
  readonly durability: string;
  readonly durable: boolean;
  /** The module in `peers/` that the process runs, and its argument. */
  readonly module: string;
  readonly variant?: string;
  /** Its npm packages, those whose versions are to be told. */
  readonly packages: readonly string[];
  /** Why its server cannot be started here. */
  readonly serverMissing?: () => string | undefined;
  readonly startServer?: (place: Place) => Promise<PeerServer>;
  readonly cannot?: (workload: Workload) => string | undefined;
  readonly settings?: string;
}

/** An engine whose workers and client are one Node process, beside its server if it has one. */
export function peerEngine(options: PeerOptions): Engine {
  return {
    name: options.name,
    durability: options.durability,
    durable: options.durable,
    missing() {
      const absent = options.packages.find((name) => packageVersion(name) === undefined);
      if (absent !== undefined) return `${absent} is not installed: npm ci --prefix bench`;
      return options.serverMissing?.();
    },
    cannot: (workload) => options.cannot?.(workload),
    start: (place) => startPeer(options, place),
  };
}

async function startPeer(options: PeerOptions, place: Place): Promise<RunningEngine> {
  const running: BackgroundProcess[] = [];
  try {
    const server = await options.startServer?.(place);
    if (server !== undefined) running.push(server.process);
    const { child, ended } = forkPeer(options, place, server);
    running.push(ended);
    const [message] = await nextMessage(child, ended);
    if (message.type !== "ready") throw new Error(`${options.name}: expected it to be ready, found ${message.type}`);
    const packages = options.packages.map((name) => `${name.split("/").at(-1)} ${packageVersion(name)}`);
    let runs = 0;
    return {
      versions: [server?.version, ...packages, options.settings].filter((part) => part !== undefined).join(", "),
      pids: () => running.map(({ pid }) => pid),
      serverPids: () => (server === undefined ? [] : [server.process.pid]),
      async run(workload, signal) {
        runs += 1;
        child.send({ run: runs, workload } satisfies RunRequest);
        const [message] = await nextMessage(child, ended, signal);
        return outcomeOf(message, workload);
      },
      stop: () => stopAll(running),
    };
  } catch (error) {
    await stopAll(running);
    throw error;
  }
}

function forkPeer({ name, module, variant }: PeerOptions, { folder }: Place, server: PeerServer | undefined) {
  const log = path.join(folder, "peer.log");
  const output = openSync(log, "w");
  const child = fork(path.join(BENCH, "throughput/peers", module), variant === undefined ? [] : [variant], {
    env: { ...process.env, ...server?.environment },
    stdio: ["ignore", output, output, "ipc"],
  });
  closeSync(output);
  return { child, ended: supervised(child, name, log, "SIGKILL") };
}

/** @throws where the process ends instead, with the last lines that it wrote */
async function nextMessage(child: ChildProcess, process: BackgroundProcess, signal?: AbortSignal) {
  const over = new AbortController();
  const waits = { signal: signal === undefined ? over.signal : AbortSignal.any([over.signal, signal]) };
  const ended = once(child, "exit", waits).then(([code]) => {
    throw new Error(`its process ended with ${code}: ${process.output().trim().slice(-1_000)}`);
  });
  try {
    return (await Promise.race([once(child, "message", waits), ended])) as [PeerMessage];
  } finally {
    over.abort();
    ended.catch(() => {});
  }
}

function outcomeOf(message: PeerMessage, workload: Workload): Outcome {
  if (message.type !== "done") throw new Error(message.type === "failed" ? message.message : message.type);
  const { seconds, tally, executions } = message;
  const expected = activitiesOf(workload);
  if (tally.results !== expected || tally.faulty > 0)
    throw new Error(`Expected ${expected} results, found ${tally.results} and ${tally.faulty} faulty fan-ins`);

  const again = executions - expected;
  return { seconds, remarks: again === 0 ? [] : [`activities were executed more than once`] };
}

function packageVersion(name: string): string | undefined {
  // The SDK is fanout's own dependency.
  const file = [BENCH, path.join(BENCH, "..")]
    .map((folder) => path.join(folder, "node_modules", name, "package.json"))
    .find((one) => existsSync(one));
  return file && (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}
