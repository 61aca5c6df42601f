import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { status } from "@grpc/grpc-js";
import type { Backend } from "../backend/backend.js";
import { isServiceError } from "../backend/call-retry.js";
import type { EmulatorAdmin } from "../backend/emulator-admin.js";
import { explain } from "../backend/explain.js";
import { plural } from "../format/count.js";
import { fanOutFanInWorkload, type Workload } from "../orchestrations/workload.js";
import { readWorkItem, writeAbandon, type WorkItem } from "../wire/work-item.js";
import { backOff } from "./backoff.js";
import { Executor, type RunnableWorkItem } from "./executor.js";
import { openChannel } from "./open-channel.js";
import { ProgressWatch } from "./progress-watch.js";
import { ResultSender } from "./result-sender.js";
import { EMPTY_MESSAGE, describeError, type WorkItemStream, type WorkerChannel } from "./worker-channel.js";

export type WorkerEvent =
  | { readonly type: "connected" }
  /** Once for each outage, also if the backend is not there at the start. The worker goes on trying. */
  | { readonly type: "lost"; readonly reason: string }
  | { readonly type: "error"; readonly message: string };

export interface WorkerHostOptions {
  readonly backend: Pick<Backend, "target" | "recover" | "connection"> & {
    readonly admin: Pick<EmulatorAdmin, "drainWorker"> | undefined;
  };
  /** Defaults to a new name that tells the machine and the process. */
  readonly workerId?: string;
  readonly workload?: Workload;
  readonly onEvent: (event: WorkerEvent) => void;
  /** How long a drain waits, in milliseconds, for a backend from which nothing comes any more; 5,000 by default. */
  readonly drainPatienceMs?: number;
}

/** A worker at work. It outlives its backend's absence, and never lets an unsent result go because a stream broke. */
export interface WorkerHost {
  readonly workerId: string;
  readonly connected: boolean;
  /** Work items that are being executed, or whose result the backend does not have yet. */
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

const CALLS = {
  orchestrator: { complete: "CompleteOrchestratorTask", abandon: "AbandonTaskOrchestratorWorkItem" },
  activity: { complete: "CompleteActivityTask", abandon: "AbandonTaskActivityWorkItem" },
} as const;

class Host implements WorkerHost {
  readonly workerId: string;
  activitiesCompleted = 0;
  activitiesExecuted = 0;
  staleResults = 0;
  inFlight = 0;

  readonly #backend: WorkerHostOptions["backend"];
  readonly #onEvent: (event: WorkerEvent) => void;
  readonly #drainPatienceMs: number;
  readonly #channel: WorkerChannel;
  readonly #executor: Executor;
  readonly #sender: ResultSender;

  /** Aborted when the drain begins: no new stream is opened after that. */
  readonly #draining = new AbortController();
  /** Aborted when the drain ends: nothing is sent after that. */
  readonly #closed = new AbortController();
  #drained: Promise<void> | undefined;
  /** Work items that arrive are handed back instead of executed. */
  #givingBack = false;

  #stream: WorkItemStream | undefined;
  #lost = false;
  /** Attempts to connect that failed in a row. */
  #failures = 0;
  /** Work items inside the workload's own code, which may take its time. */
  #executing = 0;
  /** Told whenever a work item came, a work item ended, or the stream did. */
  readonly #watch = new ProgressWatch();

  constructor(options: WorkerHostOptions) {
    const { backend, workerId, workload = fanOutFanInWorkload, onEvent, drainPatienceMs = 5_000 } = options;
    this.workerId = workerId ?? `${hostname()}-${process.pid}-${randomUUID().slice(0, 8)}`;
    this.#backend = backend;
    this.#onEvent = onEvent;
    this.#drainPatienceMs = drainPatienceMs;
    this.#channel = openChannel(backend, this.workerId);
    this.#executor = new Executor(workload);
    this.#sender = new ResultSender(
      this.#channel,
      () => backend.recover(),
      this.#closed.signal,
      (message) => onEvent({ type: "error", message }),
    );
    void this.#serve();
  }

  get connected(): boolean {
    return this.#stream !== undefined;
  }

  drain(): Promise<void> {
    return (this.#drained ??= this.#drain());
  }

  async #serve(): Promise<void> {
    const { signal } = this.#draining;
    while (!signal.aborted) {
      const reason = await this.#session().catch((error: unknown) => this.#whyLost(error));
      this.#stream = undefined;
      this.#watch.progress();
      if (signal.aborted) {
        return;
      }
      if (!this.#lost) {
        this.#lost = true;
        this.#onEvent({ type: "lost", reason });
      }
      await this.#backend.recover().catch((error: unknown) => {
        if (this.#failures === 0) {
          this.#onEvent({ type: "error", message: describeError(error) });
        }
      });
      await backOff(this.#failures++, signal);
    }
  }

  /** An absence is told as it is, for it is waited for; what waiting does not mend is told with what does. */
  #whyLost(error: unknown): string {
    const isAway = isServiceError(error) && error.code === status.UNAVAILABLE;
    return describeError(isAway ? error : explain(error, this.#backend.connection));
  }

  /** From a Hello to the end of one stream of work items. Resolves or rejects with why it ended. */
  async #session(): Promise<string> {
    await this.#channel.call("Hello", EMPTY_MESSAGE, HELLO_DEADLINE_MS);
    if (this.#draining.signal.aborted) {
      return "draining";
    }
    const ended = Promise.withResolvers<string>();
    const stream = await this.#channel.takeWorkItems({
      // A backend that says Hello but refuses the stream is not there yet: only headers or work end the backing off.
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
      this.#stream = stream;
      this.#lost = false;
      this.#onEvent({ type: "connected" });
    }
    return ended.promise;
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
    if (item.kind === "orchestrator" || item.kind === "activity") {
      void (this.#givingBack ? this.#giveBack(item) : this.#run(item));
    } else if (item.kind === "other") {
      this.#onEvent({ type: "error", message: "A work item is neither an orchestrator's nor an activity's: ignored" });
    }
  }

  async #run(item: RunnableWorkItem): Promise<void> {
    this.inFlight++;
    const result = await this.#execute(item);
    if (item.kind === "activity") {
      this.activitiesExecuted++;
    }
    if (result !== undefined) {
      const outcome = await this.#sender.send(CALLS[item.kind].complete, result);
      if (outcome === "stale") {
        this.staleResults++;
      } else if (outcome === "accepted" && item.kind === "activity") {
        this.activitiesCompleted++;
      }
    }
    this.#settle();
  }

  async #execute(item: RunnableWorkItem): Promise<Buffer | undefined> {
    this.#executing++;
    try {
      return await this.#executor.execute(item);
    } catch (error) {
      // Not given back: it would come again at once, to this worker or one like it.
      this.#onEvent({ type: "error", message: `An ${item.kind}'s work item is dropped: ${describeError(error)}` });
      return undefined;
    } finally {
      this.#executing--;
    }
  }

  async #giveBack({ kind, completionToken }: RunnableWorkItem): Promise<void> {
    this.inFlight++;
    await this.#sender.send(CALLS[kind].abandon, writeAbandon(completionToken));
    this.#settle();
  }

  #settle(): void {
    // After a drain gave up, what it left behind stays counted.
    if (!this.#closed.signal.aborted) {
      this.inFlight--;
      this.#watch.progress();
    }
  }

  async #drain(): Promise<void> {
    this.#draining.abort();
    if (this.#stream !== undefined) {
      await this.#stopTaking(this.#stream);
    }
    await this.#watch.until({
      isDone: () => this.inFlight === 0,
      isBusy: () => this.#executing > 0,
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
    if ((await this.#askToDrain()) && (await this.#watch.until(streamEnd))) {
      return;
    }
    this.#givingBack = true;
    // What the backend has sent so far arrives ahead of this answer, and can still be handed back.
    await this.#channel.call("Hello", EMPTY_MESSAGE, this.#drainPatienceMs).catch(() => undefined);
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
