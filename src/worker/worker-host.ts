import { EMPTY_BYTES } from "../protocol/empty-bytes.js";
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { status } from "@grpc/grpc-js";
import type { Backend } from "../backend/backend.js";
import { isServiceError } from "../backend/call-retry.js";
import type { EmulatorAdmin } from "../backend/emulator-admin.js";
import { explain, explainHello } from "../backend/explain.js";
import { doubtText } from "../backend/missing-hub.js";
import { plural } from "../format/count.js";
import { fanOutFanInWorkload, type Workload } from "../orchestrations/workload.js";
import { readWorkItem, type WorkItem } from "../protocol/read-work-item.js";
import { writeWorkItemsRequest } from "../protocol/work-items-request.js";
import { backOff, wait } from "./backoff.js";
import { DEFAULT_LIMITS, type IntakeLimits } from "./intake.js";
import { openChannel } from "./open-channel.js";
import { ProgressWatch } from "./progress-watch.js";
import { DEFAULT_REPLAY, type Replay } from "../protocol/replay.js";
import type { WorkerEvent } from "../protocol/worker-messages.js";
import { ResultSender } from "./result-sender.js";
import type { StrayItem } from "./stray-work.js";
import { Workbench } from "./workbench.js";
import { describeError, type WorkItemStream, type WorkerChannel } from "./worker-channel.js";

export interface WorkerHostOptions {
  readonly backend: Pick<Backend, "target" | "recover" | "connection"> & {
    readonly admin: Pick<EmulatorAdmin, "drainWorker"> | undefined;
  };
  /** Defaults to a new name with the machine and the process. */
  readonly workerId?: string;
  readonly workload?: Workload;
  readonly limits?: IntakeLimits;
  readonly replay?: Replay;
  readonly onEvent: (event: WorkerEvent) => void;
  /** How long a drain waits, in milliseconds, for a backend from which nothing comes any more; 5,000 by default. */
  readonly drainPatienceMs?: number;
}

/** A worker at work. It outlives its backend's absence, and never lets an unsent result go because a stream broke. */
export interface WorkerHost {
  readonly workerId: string;
  readonly connected: boolean;
  /** Work items that are waiting, being executed, or whose result the backend does not have yet. */
  readonly inFlight: number;
  /** Activity results that the backend has acknowledged. */
  readonly activitiesCompleted: number;
  /** Activities that were executed, whatever became of the result. */
  readonly activitiesExecuted: number;
  /** Results that the backend no longer wanted, because it had given the work item to somebody else. */
  readonly staleResults: number;
  /**
   * Takes no more work, finishes what is in flight and closes; never rejects. A backend that stays away does not hold
   * it up: what could not be sent to it is then still counted in `inFlight`.
   */
  drain(): Promise<void>;
}

export function startWorkerHost(options: WorkerHostOptions): WorkerHost {
  return new Host(options);
}

const HELLO_DEADLINE_MS = 10_000;

/**
 * How long a worker stays away that can give work back in no other way: a second, doubling to 30, and a second again after
 * a minute in which it was sent none.
 */
const FIRST_REST_MS = 1_000;
const LONGEST_REST_MS = 30_000;
const UNDISTURBED_MS = 60_000;

class Host implements WorkerHost {
  readonly workerId: string;
  readonly #backend: WorkerHostOptions["backend"];
  readonly #onEvent: (event: WorkerEvent) => void;
  readonly #drainPatienceMs: number;
  readonly #channel: WorkerChannel;
  readonly #bench: Workbench;
  /** The GetWorkItemsRequest. */
  readonly #request: Buffer;

  /** Aborted when the drain begins: no new stream is opened after that. */
  readonly #draining = new AbortController();
  /** Aborted when the drain ends: nothing is sent after that. */
  readonly #closed = new AbortController();
  #drained: Promise<void> | undefined;

  #stream: WorkItemStream | undefined;
  /** What a person was told last. */
  #told: "connected" | "lost" | undefined;
  /** How long to stay away before the next stream, where the last one was left on purpose, milliseconds. */
  #restMs = 0;
  #withdrawals = 0;
  /** When the stream was taken, by `performance.now()`. */
  #tookMs = 0;
  /** Attempts to connect that failed in a row. */
  #failures = 0;
  /** Told whenever a work item came, a work item ended, or the stream did. */
  readonly #watch = new ProgressWatch();

  constructor(options: WorkerHostOptions) {
    const { backend, workerId, workload = fanOutFanInWorkload, limits = DEFAULT_LIMITS, onEvent } = options;
    const { replay = DEFAULT_REPLAY } = options;
    this.workerId = workerId ?? `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`;
    this.#backend = backend;
    this.#onEvent = onEvent;
    this.#drainPatienceMs = options.drainPatienceMs ?? 5_000;
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

  get inFlight(): number {
    return this.#bench.inFlight;
  }

  get activitiesCompleted(): number {
    return this.#bench.activitiesCompleted;
  }

  get activitiesExecuted(): number {
    return this.#bench.activitiesExecuted;
  }

  get staleResults(): number {
    return this.#bench.staleResults;
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

  /** An absence is told as it is, for it is waited for; what waiting does not mend is told with what does. */
  #whyLost(error: unknown): string {
    const { connection } = this.#backend;
    const told = isAway(error) ? error : explain(error, connection);
    // Work is asked for of a hub, and of no instance.
    const isNotFound = isServiceError(told) && told.code === status.NOT_FOUND;
    return isNotFound ? doubtText(told.details, connection.taskHub) : describeError(told);
  }

  /** From a Hello to the end of one stream of work items. Resolves or rejects with why it ended. */
  async #session(): Promise<string> {
    await this.#channel.call("Hello", EMPTY_BYTES, HELLO_DEADLINE_MS).catch((error: unknown) => {
      throw isAway(error) ? error : explainHello(error, this.#backend.connection);
    });
    if (this.#draining.signal.aborted) return "draining";

    const ended = Promise.withResolvers<string>();
    const stream = await this.#channel.takeWorkItems(this.#request, {
      // A backend that answers Hello but refuses the stream is not there yet: only headers or work end the backing off.
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
   * The backend has no call by which to give work back. It takes it back from a worker that leaves: so this one does, when
   * it has finished its own, and stays away for a while. The worker that hosts it can take it then.
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
    this.#bench.giveBackWaiting();
    if (this.#stream !== undefined) await this.#stopTaking(this.#stream);

    await this.#watch.until({
      isDone: () => this.#bench.isEmpty,
      isBusy: () => this.#bench.isExecuting,
      patienceMs: this.#drainPatienceMs,
    });
    this.#closed.abort();
    this.#channel.close();
    if (this.inFlight > 0) {
      const results = plural(this.inFlight, "result");
      this.#onEvent({
        type: "error",
        message: `${results} could not be sent: the backend will have the work done again`,
      });
    }
  }

  async #stopTaking(stream: WorkItemStream): Promise<void> {
    const streamEnd = { isDone: () => this.#stream === undefined, patienceMs: this.#drainPatienceMs };
    if ((await this.#askToDrain()) && (await this.#watch.until(streamEnd))) return;

    // What the backend has sent so far arrives ahead of this answer, and can still be handed back.
    await this.#channel.call("Hello", EMPTY_BYTES, this.#drainPatienceMs).catch(() => undefined);
    stream.cancel();
    await this.#watch.until(streamEnd);
  }

  /** Whether the backend will end the stream by itself, after all that it has sent. */
  async #askToDrain(): Promise<boolean> {
    try {
      await this.#backend.admin?.drainWorker(this.workerId, { signal: AbortSignal.timeout(this.#drainPatienceMs) });
      return this.#backend.admin !== undefined;
    } catch {
      return false;
    }
  }
}

const KINDS = { orchestrator: "orchestration", activity: "activity", entity: "entity" } as const;

/** The name is somebody else's: as JSON it is one line, without controls. */
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
