import { fork, type ChildProcess } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { ErrorCode } from "../errors.js";
import type { LiveUpdate } from "../live/live-update.js";
import type { LoadTestOutcome } from "../load/load-test.js";
import type { Timeline } from "../result/timeline-schema.js";
import type { RunBuckets } from "../stats/latency-buckets.js";
import type { LiveSnapshot } from "../stats/live-snapshot.js";
import type { StandingPart } from "../stats/merged-standing.js";
import type { FromGenerator, GeneratorTask, ShardPart, ToGenerator } from "./messages.js";

const ENTRY = fileURLToPath(new URL("../generators/main.js", import.meta.url));

/** A process with a task says once a second that it is alive, and hangs if it is silent for this long. */
const LONGEST_SILENCE_S = 30;

/** How a generator process ended. */
export type GeneratorEnd =
  | ({ readonly kind: "ended" } & LoadTestOutcome)
  /** Without a result. `code` is that of the error that the process told. */
  | { readonly kind: "died"; readonly how: string; readonly code?: ErrorCode };

/** One process that makes one shard of a run, or with another `entry` a whole run. */
export class GeneratorProcess<Task = GeneratorTask> {
  readonly ready: Promise<void>;
  readonly ended: Promise<GeneratorEnd>;
  hasEnded = false;
  /** The last one that it sent. */
  snapshot: LiveSnapshot | undefined;
  /** The last ones that it sent. */
  latencies: RunBuckets | undefined;
  /** Takes what the process of a whole run tells viewers. */
  onUpdate: (update: LiveUpdate) => void = () => {};
  /** Takes what the process of a shard tells viewers. */
  onPart: (part: ShardPart) => void = () => {};
  /** Takes what the whole is judged by. */
  onStanding: (standing: StandingPart) => void = () => {};
  /** Takes the timelines of a traced instance. */
  onTimelines: (timelines: readonly Timeline[]) => void = () => {};
  readonly #child: ChildProcess;
  readonly #ready = Promise.withResolvers<void>();
  readonly #ended = Promise.withResolvers<GeneratorEnd>();
  #silence: NodeJS.Timeout | undefined;
  #silentS = 0;

  constructor(onLine: (line: string) => void, entry = ENTRY) {
    this.ready = this.#ready.promise;
    this.ended = this.#ended.promise;
    void this.ended.then(() => {
      this.hasEnded = true;
    });
    const child = fork(entry, [], {
      // As `fanout run` does for itself: see `keepYoungGenerationSmall`.
      execArgv: ["--semi-space-growth-factor=1"],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
      // A group of its own: Ctrl-C goes to the run, which decides about its generators.
      detached: process.platform !== "win32",
    });
    this.#child = child;
    child.on("error", (error) => this.#ended.resolve({ kind: "died", how: `could not be started: ${error.message}` }));
    // At the limit of open files, `fork` returns a child without streams, and emits the error afterwards.
    if (child.stderr) createInterface({ input: child.stderr }).on("line", onLine);
    child.on("message", (message: FromGenerator) => {
      this.#silentS = 0;
      this.#take(message, onLine);
    });
    // After all of its messages and output were read. Of two ends, the first counts.
    child.on("close", (code, signal) => {
      clearInterval(this.#silence);
      const how = signal === null ? `exited with code ${code}` : `was ended by ${signal}`;
      this.#ended.resolve({ kind: "died", how: `${how} (pid ${child.pid})` });
    });
  }

  prepare(task: Task): void {
    this.#tell({ type: "prepare", task });
    this.#watch();
  }

  start(atMs: number): void {
    this.#tell({ type: "start", atMs });
  }

  /** Asks for updates once a second. */
  watch(isWatched: boolean): void {
    this.#tell({ type: "watch", isWatched });
  }

  interrupt(): void {
    this.#tell({ type: "interrupt" });
  }

  /** Ends its part early. */
  end(reason: string): void {
    this.#tell({ type: "end", reason });
  }

  /** Ends the channel. A process that is still at work then ends as by Ctrl-C. */
  leave(): void {
    if (this.#child.connected) this.#child.disconnect();
  }

  /** Ends a process that does not end by itself. `why` follows "The process". */
  kill(why: string): void {
    this.#ended.resolve({ kind: "died", how: `${why} (pid ${this.#child.pid}) and was killed` });
    this.#child.kill("SIGKILL");
  }

  #tell(message: ToGenerator<Task>): void {
    // Sending fails only if the process has just exited, which `ended` says.
    if (this.#child.connected) this.#child.send(message, () => {});
  }

  #take(message: FromGenerator, onLine: (line: string) => void): void {
    switch (message.type) {
      case "ready":
        return this.#ready.resolve();
      case "line":
        return onLine(message.text);
      case "progress":
        this.snapshot = message.snapshot;
        return undefined;
      case "update":
        return this.onUpdate(message.update);
      case "part":
        return this.onPart(message.part);
      case "standing":
        return this.onStanding(message.standing);
      case "latencies":
        this.latencies = message.latencies;
        return undefined;
      case "timelines":
        return this.onTimelines(message.timelines);
      case "alive":
        return undefined;
      case "ended":
        return this.#ended.resolve({ ...message, kind: "ended" });
      case "failed":
        return this.#ended.resolve({ kind: "died", how: `failed: ${message.message}`, code: message.code });
    }
  }

  /** Kills a process that hangs. Seconds are counted one by one, so that a machine that slept does not count as a silence. */
  #watch(): void {
    this.#silence = setInterval(() => {
      this.#silentS += 1;
      if (this.#silentS >= LONGEST_SILENCE_S) this.kill(`hung for ${this.#silentS} s`);
    }, 1_000);
  }
}
