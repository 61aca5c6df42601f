import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { RepeatedLines } from "../format/repeated-lines.js";
import type { ManagedWorkerMessage, ManagingMessage, OwnWork } from "../protocol/worker-messages.js";
import { WorkerDeaths, WorkerStderr, describeDeath, remedyOf, type WorkerDeath } from "./worker-deaths.js";

const ENTRY = fileURLToPath(new URL("../worker/main.js", import.meta.url));
/** How long a drain may take, and the pause before the first restart. */
const TIMING = { drainPatienceMs: 5_000, firstRestartMs: 200 };
const REPORT_PATIENCE_MS = 1_000;
const LONGEST_RESTART_MS = 5_000;

export interface OwnWorkersOptions {
  readonly count: number;
  /** The backend that they connect to, in variables: everyone can read the arguments of a process. */
  readonly environment: Readonly<Record<string, string>>;
  /** Prints a line for a person. */
  readonly onLine: (line: string) => void;
  /** One of them has lost the backend and tries to find it again. */
  readonly onLost?: () => void;
  /** They keep exiting and are not restarted. */
  readonly onGivenUp: (reason: string) => void;
  /** The module that a worker process runs. */
  readonly entry?: string;
  readonly timing?: typeof TIMING;
}

/** Worker processes that live as long as a run, and are restarted when they die. */
export class OwnWorkers {
  readonly #children = new Set<ChildProcess>();
  readonly #deaths = new WorkerDeaths();
  readonly #stopping = new AbortController();
  readonly #timing: typeof TIMING;
  readonly #connected = new Set<number>();
  readonly #allConnected = Promise.withResolvers<void>();
  /** What each process has reported, including dead processes. */
  readonly #executed = new Map<ChildProcess, OwnWork>();
  /** Called when a process has answered. */
  readonly #reported = new Map<ChildProcess, () => void>();
  /** The lines of the workers, without a limit. */
  readonly #said: RepeatedLines;
  /** The reports of stray work so far. */
  readonly #strays = new Set<string>();

  constructor(readonly options: OwnWorkersOptions) {
    this.#timing = options.timing ?? TIMING;
    this.#said = new RepeatedLines((line) => options.onLine(line));
  }

  get count(): number {
    return this.options.count;
  }

  /** Resolves when each one has connected to the backend. */
  get allConnected(): Promise<void> {
    return this.#allConnected.promise;
  }

  start(): void {
    for (let number = 1; number <= this.options.count; number += 1) this.#fork(number);
  }

  /** Asks each worker what it has executed. A dead worker counts with its last report. */
  async executed(): Promise<readonly OwnWork[]> {
    const answers = [...this.#children].map((child) => this.#report(child));
    await Promise.race([Promise.all(answers), sleep(REPORT_PATIENCE_MS, undefined, { ref: false })]);
    return [...this.#executed.values()];
  }

  #report(child: ChildProcess): Promise<void> {
    return new Promise((resolve) => {
      if (!child.connected) return resolve();
      this.#reported.set(child, resolve);
      return child.send({ type: "report" } satisfies ManagingMessage, (error) => error && resolve());
    });
  }

  /** Asks the workers to finish their work, waits at most five seconds, and kills the others. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const exits = [...this.#children].map((child) => once(child, "exit"));
    // Sending fails only if the child has just exited, which is the goal.
    for (const child of this.#children)
      if (child.connected) child.send({ type: "drain" } satisfies ManagingMessage, () => {});
    const timer = new AbortController();
    const patience = sleep(this.#timing.drainPatienceMs, undefined, { signal: timer.signal }).catch(() => {});
    await Promise.race([Promise.all(exits), patience]);
    timer.abort();
    for (const child of this.#children) child.kill("SIGKILL");
    await Promise.all(exits);
    this.#said.flush();
  }

  #fork(number: number): void {
    const child = fork(this.options.entry ?? ENTRY, [], {
      env: { ...process.env, ...this.options.environment },
      execArgv: [],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      // A group of its own: Ctrl-C goes to the run, which decides about its workers.
      detached: process.platform !== "win32",
    });
    this.#children.add(child);
    const name = `worker ${number}`;
    const startedMs = performance.now();
    const stderr = new WorkerStderr((line) => this.#said.add(`${name}: ${line}`));
    child.on("error", (error) => {
      this.options.onLine(`${name}: ${error.message}`);
      // One that could not be started does not exit.
      if (child.pid === undefined) this.#children.delete(child);
    });
    // At the limit of open files, `fork` returns a child without streams, and emits the error afterwards.
    if (child.stderr) createInterface({ input: child.stderr }).on("line", (line) => stderr.add(line));
    child.on("message", (message: ManagedWorkerMessage) => this.#onMessage(number, child, message));
    child.on("exit", () => this.#children.delete(child));
    // After all of its output was read.
    child.on("close", (code, signal) => {
      if (this.#stopping.signal.aborted) return;
      const isKilled = signal === "SIGKILL" || signal === "SIGTERM";
      const cause = stderr.outOfMemory ? "memory" : isKilled ? "killed" : "itself";
      const event = `${name} (pid ${child.pid}) ${describeDeath(code, signal, cause)}`;
      this.#startAgain({ number, cause, livedMs: performance.now() - startedMs }, event);
    });
  }

  #onMessage(number: number, child: ChildProcess, message: ManagedWorkerMessage): void {
    if (message.type === "executed") {
      const { type: _type, ...work } = message;
      this.#executed.set(child, work);
      this.#reported.get(child)?.();
    } else if (message.type === "connected") {
      this.#connected.add(number);
      if (this.#connected.size === this.count) this.#allConnected.resolve();
    } else if (message.type === "stray") {
      // All workers get the same stray work.
      if (!this.#strays.has(message.message)) this.options.onLine(message.message);
      this.#strays.add(message.message);
    } else if (!this.#stopping.signal.aborted) {
      if (message.type === "lost") this.options.onLost?.();
      const text = message.type === "lost" ? `lost the backend: ${message.reason}` : message.message;
      this.#said.add(`worker ${number}: ${text}`);
    }
  }

  #startAgain(death: WorkerDeath, event: string): void {
    const { inARow, isLast } = this.#deaths.add(death);
    if (isLast) {
      const times = `${inARow} times in a row, so it is not started again`;
      this.options.onGivenUp(`${event}, ${times}; ${remedyOf(death.cause)}`);
      return;
    }
    this.options.onLine(`${event}; starting it again`);
    const delayMs = restartDelayMs(death.cause === "killed" ? 1 : inARow, this.#timing.firstRestartMs);
    void sleep(delayMs, undefined, { signal: this.#stopping.signal }).then(
      () => this.#fork(death.number),
      () => {},
    );
  }
}

/** The pause before the restart after the nth death in a row: `firstMs`, doubling to 5 s. */
export function restartDelayMs(deaths: number, firstMs: number): number {
  return Math.min(LONGEST_RESTART_MS, firstMs * 2 ** (deaths - 1));
}
