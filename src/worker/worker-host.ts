import { EMPTY_BYTES } from "../protocol/empty-bytes.js";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import type { Backend } from "../backend/backend.js";
import { isServiceError } from "../backend/call-retry.js";
import type { EmulatorAdmin } from "../backend/emulator-admin.js";
import { explain, explainHello } from "../backend/explain.js";
import { doubtText } from "../backend/missing-hub.js";
import { formatCount, plural } from "../format/count.js";
import { WORKER_PROCESS } from "../orchestrations/worker-process.js";
import { fanOutFanInWorkload, type Workload } from "../orchestrations/workload.js";
import { readWorkItem, type WorkItem } from "../protocol/read-work-item.js";
import { writeWorkItemsRequest } from "../protocol/work-items-request.js";
import { backOff, wait } from "./backoff.js";
import { DEFAULT_LIMITS, type IntakeLimits } from "./intake.js";
import { openChannel } from "./open-channel.js";
import { ProgressWatch } from "./progress-watch.js";
import { DEFAULT_REPLAY, type Replay } from "../protocol/replay.js";
import type { ExecutedWork, WorkerEvent } from "../protocol/worker-messages.js";
import { ResultSender } from "./result-sender.js";
import type { EpisodeCounts } from "./orchestrator-executor.js";
import type { SessionCounts } from "./session-cache.js";
import type { StrayItem } from "./stray-work.js";
import type { WorkCounts } from "./work-counts.js";
import { Workbench } from "./workbench.js";
import { describeError, type WorkItemStream, type WorkerChannel } from "./worker-channel.js";

export interface WorkerHostOptions {
  readonly backend: Pick<Backend, "target" | "recover" | "connection"> & {
    readonly admin: Pick<EmulatorAdmin, "drainWorker"> | undefined;
  };
  /** Defaults to a new id with the machine and the process in it. */
  readonly workerId?: string;
  readonly workload?: Workload;
  readonly limits?: IntakeLimits;
  readonly replay?: Replay;
  readonly onEvent: (event: WorkerEvent) => void;
  /** How long a drain waits for a silent backend, in milliseconds. Defaults to 5,000. */
  readonly drainPatienceMs?: number;
  /** How long a drain waits for executions, in milliseconds. Without it, until they end. */
  readonly drainTimeoutMs?: number;
}

/** What a worker has done since it began, and what it holds. */
interface WorkerFigures {
  readonly connected: boolean;
  /** Connections after the first one. */
  readonly reconnects: number;
  readonly inFlight: { readonly orchestrator: number; readonly activity: number };
  readonly items: WorkCounts["items"];
  readonly execution: WorkCounts["execution"];
  readonly episodes: Readonly<EpisodeCounts>;
  readonly sessions: SessionCounts;
}

/** A running worker. It survives outages of its backend, and a broken stream never loses an unsent result. */
export interface WorkerHost {
  readonly workerId: string;
  readonly connected: boolean;
  /** Undefined while it is not connected. */
  readonly connectedSince: Date | undefined;
  /** Work items that wait, are being executed, or have a result that the backend has not accepted yet. */
  readonly inFlight: number;
  /** The number of activity results that the backend has acknowledged. */
  readonly activitiesCompleted: number;
  /** What it has executed, whatever became of the results. */
  readonly executed: ExecutedWork;
  /** The number of results that came too late, because the backend had given the work item to another worker. */
  readonly staleResults: number;
  readonly figures: WorkerFigures;
  /**
   * Accepts no more work, finishes the work in progress and closes. Never rejects. A backend that stays away does not
   * delay it: unsent results are then still counted in `inFlight`, and so is what is executed for too long and given back.
   */
  drain(): Promise<void>;
}

export function startWorkerHost(options: WorkerHostOptions): WorkerHost {
  return new Host(options);
}

const HELLO_DEADLINE_MS = 10_000;
/** For giving back what is still executed. A backend that does not answer takes it from a worker that has gone. */
const GIVE_BACK_MS = 1_000;
/** Of the work items that are given back. */
const LISTED = 10;

/**
 * How long a worker stays disconnected if disconnecting is its only way to give work back: a second, doubling to 30,
 * and a second again after a minute without such work.
 */
const FIRST_REST_MS = 1_000;
const LONGEST_REST_MS = 30_000;
const UNDISTURBED_MS = 60_000;

class Host implements WorkerHost {
  readonly workerId: string;
  readonly #backend: WorkerHostOptions["backend"];
  readonly #onEvent: (event: WorkerEvent) => void;
  readonly #drainPatienceMs: number;
  readonly #drainTimeoutMs: number | undefined;
  readonly #channel: WorkerChannel;
  readonly #bench: Workbench;
  /** The encoded GetWorkItemsRequest. */
  readonly #request: Buffer;

  /** Aborts when the drain begins. No new stream is opened after that. */
  readonly #draining = new AbortController();
  /** Aborts when the drain ends. Nothing is sent after that. */
  readonly #closed = new AbortController();
  #drained: Promise<void> | undefined;

  #stream: WorkItemStream | undefined;
  #connectedSince: Date | undefined;
  #connections = 0;
  /** The state that was last reported to a person. */
  #told: "connected" | "lost" | undefined;
  /** The pause before the next stream, if the worker left the last one on purpose, in milliseconds. */
  #restMs = 0;
  #withdrawals = 0;
  /** When the stream was opened, on the clock of `performance.now()`. */
  #tookMs = 0;
  /** The number of failed attempts to connect in a row. */
  #failures = 0;
  /** Notified when a work item arrives or ends, and when the stream ends. */
  readonly #watch = new ProgressWatch();

  constructor(options: WorkerHostOptions) {
    const { backend, workerId, workload = fanOutFanInWorkload, limits = DEFAULT_LIMITS, onEvent } = options;
    const { replay = DEFAULT_REPLAY } = options;
    this.workerId = workerId ?? `${WORKER_PROCESS}-${randomUUID().slice(0, 8)}`;
    this.#backend = backend;
    this.#onEvent = onEvent;
    this.#drainPatienceMs = options.drainPatienceMs ?? 5_000;
    this.#drainTimeoutMs = options.drainTimeoutMs;
    this.#channel = openChannel(backend, this.workerId);
    const onError = (message: string): void => onEvent({ type: "error", message });
    this.#bench = new Workbench({
      workload,
      limits,
      replay,
      sender: new ResultSender(this.#channel, () => backend.recover(), this.#closed.signal, onError),
      onStray: (item, isLast) => onEvent({ type: "stray", message: describeStray(item, isLast) }),
      onNoAbandon: () => void this.#withdraw(),
      onError,
      onProgress: () => this.#watch.progress(),
      draining: this.#draining.signal,
      closed: this.#closed.signal,
    });
    this.#request = writeWorkItemsRequest({
      orchestrators: Object.keys(workload.orchestrators),
      activities: Object.keys(workload.activities),
      mostOrchestrators: limits.orchestrators,
      mostActivities: limits.activities,
      replaysAlways: replay === "always",
    });
    void this.#serve();
  }

  get connected(): boolean {
    return this.#stream !== undefined;
  }

  get connectedSince(): Date | undefined {
    return this.#connectedSince;
  }

  get inFlight(): number {
    return this.#bench.inFlight;
  }

  get activitiesCompleted(): number {
    return this.#bench.activitiesCompleted;
  }

  get executed(): ExecutedWork {
    return this.#bench.executed;
  }

  get staleResults(): number {
    return this.#bench.staleResults;
  }

  get figures(): WorkerFigures {
    const { intake, counts, executor } = this.#bench;
    const { items, execution } = counts;
    const { episodes, sessions } = executor;
    const reconnects = Math.max(0, this.#connections - 1);
    return { connected: this.connected, reconnects, inFlight: intake.held, items, execution, episodes, sessions };
  }

  drain(): Promise<void> {
    return (this.#drained ??= this.#drain());
  }

  async #serve(): Promise<void> {
    const { signal } = this.#draining;
    while (!signal.aborted) {
      const reason = await this.#session().catch((error: unknown) => this.#whyLost(error));
      this.#take(undefined);
      this.#watch.progress();
      if (signal.aborted) return;

      if (this.#restMs > 0) {
        await wait(this.#restMs, signal);
        this.#restMs = 0;
        continue;
      }
      if (this.#told !== "lost") {
        this.#told = "lost";
        this.#onEvent({ type: "lost", reason });
      }
      await this.#backend.recover().catch((error: unknown) => {
        if (this.#failures === 0) this.#onEvent({ type: "error", message: describeError(error) });
      });
      await backOff(this.#failures++, signal);
    }
  }

  /**
   * An outage is reported as it is, because the worker waits for its end. Other errors are reported with their hint.
   */
  #whyLost(error: unknown): string {
    const { connection } = this.#backend;
    const told = isAway(error) ? error : explain(error, connection);
    // Work is requested from a hub, not for an instance.
    const isNotFound = isServiceError(told) && told.code === status.NOT_FOUND;
    return isNotFound ? doubtText(told.details, connection.taskHub) : describeError(told);
  }

  /**
   * One session, from a Hello to the end of one stream of work items. Resolves or rejects with the reason of its end.
   */
  async #session(): Promise<string> {
    await this.#channel.call("Hello", EMPTY_BYTES, HELLO_DEADLINE_MS).catch((error: unknown) => {
      throw isAway(error) ? error : explainHello(error, this.#backend.connection);
    });
    if (this.#draining.signal.aborted) return "draining";

    const ended = Promise.withResolvers<string>();
    const stream = await this.#channel.takeWorkItems(this.#request, {
      // A backend that answers Hello but refuses the stream is not ready. Only headers or work end the backoff.
      onOpen: () => (this.#failures = 0),
      onItem: (item) => this.#receive(item),
      onEnd: (error) => {
        if (error === undefined) ended.resolve("the backend ended the stream of work items");
        else ended.reject(error);
      },
    });
    if (this.#draining.signal.aborted) {
      stream.cancel();
    } else {
      this.#take(stream);
      if (this.#told !== "connected") {
        this.#told = "connected";
        this.#onEvent({ type: "connected" });
      }
    }
    return ended.promise;
  }

  #take(stream: WorkItemStream | undefined): void {
    this.#stream = stream;
    if (stream !== undefined) this.#connections++;
    this.#connectedSince = stream && new Date();
    this.#tookMs = performance.now();
    this.#bench.intake.watch(stream);
  }

  #receive(frame: Buffer): void {
    this.#watch.progress();
    let item: WorkItem;
    try {
      item = readWorkItem(frame);
    } catch (error) {
      this.#onEvent({ type: "error", message: `A work item cannot be read: ${describeError(error)}` });
      return;
    }
    if (item.kind === "other")
      this.#onEvent({ type: "error", message: "A work item is of a kind that this worker does not know: ignored" });
    else if (item.kind !== "healthPing")
      void (this.#draining.signal.aborted ? this.#bench.giveBack(item) : this.#bench.take(item));
  }

  /**
   * The backend has no call to give work back, but takes it back from a worker that disconnects. Therefore this worker
   * finishes its own work, disconnects, and stays away for a while, so that the right worker can get it.
   */
  async #withdraw(): Promise<void> {
    const stream = this.#stream;
    if (stream === undefined || this.#restMs > 0) return;

    if (this.#withdrawals === 0) {
      const message =
        "This backend has no call to give work back, but takes it back from a worker that leaves: this one leaves for a " +
        "while each time, so that others get it";
      this.#onEvent({ type: "stray", message });
    }
    this.#withdrawals = performance.now() - this.#tookMs > UNDISTURBED_MS ? 1 : this.#withdrawals + 1;
    this.#restMs = Math.min(LONGEST_REST_MS, FIRST_REST_MS * 2 ** (this.#withdrawals - 1));
    stream.pause();
    await this.#watch.until({ isDone: () => this.#bench.isEmpty, patienceMs: this.#drainPatienceMs });
    stream.cancel();
  }

  async #drain(): Promise<void> {
    this.#draining.abort();
    const timeout =
      this.#drainTimeoutMs === undefined ? new AbortController().signal : AbortSignal.timeout(this.#drainTimeoutMs);
    timeout.addEventListener("abort", () => this.#watch.progress());
    this.#bench.giveBackWaiting();
    if (this.#stream !== undefined) await this.#stopTaking(this.#stream, timeout);

    await this.#watch.until({
      isDone: () => this.#bench.isEmpty || timeout.aborted,
      isBusy: () => this.#bench.executing > 0,
      patienceMs: this.#drainPatienceMs,
    });
    if (timeout.aborted) await this.#giveBackExecuting();
    this.#closed.abort();
    this.#channel.close();
    // What ended while it was given back has a result.
    const unsent = this.inFlight - this.#bench.executing;
    if (unsent > 0) {
      const results = plural(unsent, "result");
      this.#onEvent({
        type: "error",
        message: `${results} could not be sent: the backend will have the work done again`,
      });
    }
  }

  async #giveBackExecuting(): Promise<void> {
    const { names, sent } = this.#bench.giveBackExecuting();
    if (names.length === 0) return;
    const more = names.length - LISTED;
    const list = [...names.slice(0, LISTED), ...(more > 0 ? [`${formatCount(more)} more`] : [])].join(", ");
    const message = `${plural(names.length, "work item")} did not end in time, given back: ${list}`;
    this.#onEvent({ type: "error", message });
    await Promise.race([sent, sleep(GIVE_BACK_MS)]);
  }

  async #stopTaking(stream: WorkItemStream, timeout: AbortSignal): Promise<void> {
    const hasEnded = (): boolean => this.#stream === undefined;
    const streamEnd = { isDone: () => hasEnded() || timeout.aborted, patienceMs: this.#drainPatienceMs };
    if (await this.#askToDrain(timeout)) await this.#watch.until(streamEnd);
    if (hasEnded()) return;

    if (!timeout.aborted) {
      // Everything that the backend has sent arrives before this answer, and can still be given back.
      const answered = this.#channel.call("Hello", EMPTY_BYTES, this.#drainPatienceMs).catch(() => undefined);
      await Promise.race([answered, once(timeout, "abort")]);
    }
    stream.cancel();
    await this.#watch.until(streamEnd);
  }

  /** Whether the backend will end the stream itself, after everything that it has sent. */
  async #askToDrain(timeout: AbortSignal): Promise<boolean> {
    const signal = AbortSignal.any([timeout, AbortSignal.timeout(this.#drainPatienceMs)]);
    try {
      await this.#backend.admin?.drainWorker(this.workerId, { signal });
      return this.#backend.admin !== undefined;
    } catch {
      return false;
    }
  }
}

const KINDS = { orchestrator: "orchestration", activity: "activity", entity: "entity" } as const;

/** The name is from another application. As JSON it is one line without control characters. */
function describeStray({ kind, name }: StrayItem, isLast: boolean): string {
  const others = isLast ? " More names are not told." : "";
  return (
    `The backend sent the ${KINDS[kind]} ${JSON.stringify(name.slice(0, 100))}, which this worker does not host: given ` +
    `back, not run. Other applications use this task hub; a load test wants one of its own.${others}`
  );
}

function isAway(error: unknown): boolean {
  return isServiceError(error) && error.code === status.UNAVAILABLE;
}
