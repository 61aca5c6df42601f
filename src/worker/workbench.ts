import { status } from "@grpc/grpc-js";
import type { Workload } from "../orchestrations/workload.js";
import { textOf } from "../protocol/wire.js";
import { readRequestHead } from "../protocol/orchestrator-request.js";
import { readActivityRequest, writeAbandon, type WorkItem } from "../protocol/read-work-item.js";
import { wait } from "./backoff.js";
import { Executor, type Execution, type RunnableWorkItem } from "./executor.js";
import { Intake, type IntakeLimits } from "./intake.js";
import type { Replay } from "../protocol/replay.js";
import { isTooLarge, type ResultSender, type SendOutcome } from "./result-sender.js";
import { Rests } from "./rests.js";
import { SlicedQueue } from "./sliced-queue.js";
import { StrayWork, type StrayItem } from "./stray-work.js";
import { TimeSlice } from "./time-slice.js";
import { failureOf } from "./too-large.js";
import { WorkCounts } from "./work-counts.js";
import { describeError } from "./worker-channel.js";

/** A work item that can be given back. */
type ReturnableWorkItem = Exclude<WorkItem, { kind: "healthPing" | "other" }>;

type Completion = Extract<Execution, { kind: "completion" }>;

export interface WorkbenchOptions {
  readonly workload: Workload;
  readonly limits: IntakeLimits;
  readonly replay: Replay;
  readonly sender: ResultSender;
  /**
   * Work of another application arrived, for the first time of that kind and name. `isLast`: further names are not
   * reported.
   */
  readonly onStray: (item: StrayItem, isLast: boolean) => void;
  /** The backend has no call to give work back. */
  readonly onNoAbandon: () => void;
  readonly onError: (message: string) => void;
  /** A work item has begun or ended. */
  readonly onProgress: () => void;
  /** Aborts when resting items must be given back. */
  readonly draining: AbortSignal;
  /** Aborts when sending ends. Items that are left stay counted. */
  readonly closed: AbortSignal;
}

const CALLS = {
  orchestrator: { complete: "CompleteOrchestratorTask", abandon: "AbandonTaskOrchestratorWorkItem" },
  activity: { complete: "CompleteActivityTask", abandon: "AbandonTaskActivityWorkItem" },
  entity: { abandon: "AbandonTaskEntityWorkItem" },
} as const;

/**
 * The work items that a worker holds. It executes them in the order of arrival and sends their results. Their number is
 * bounded.
 */
export class Workbench {
  /** The number of activity results that the backend has acknowledged. */
  activitiesCompleted = 0;
  /** What it has executed, whatever became of the results. */
  readonly executed = { activities: 0, episodes: 0, orchestratorMs: 0, slowestMs: 0 };
  readonly counts = new WorkCounts();
  /** The number of results that came too late, because the backend had given the work item to another worker. */
  staleResults = 0;
  readonly intake: Intake;
  readonly #options: WorkbenchOptions;
  readonly #executor: Executor;
  readonly #strays: StrayWork;
  readonly #unreadRests = new Rests();
  /** Of the turns of episodes. */
  readonly #slice = new TimeSlice();
  readonly #episodes: SlicedQueue<RunnableWorkItem>;
  readonly #activities: SlicedQueue<RunnableWorkItem>;
  #inFlight = 0;
  readonly #executing = new Set<RunnableWorkItem>();

  constructor(options: WorkbenchOptions) {
    this.#options = options;
    this.intake = new Intake(options.limits);
    this.#executor = new Executor(options.workload, { slice: this.#slice, replay: options.replay });
    this.#strays = new StrayWork((item) => this.#abandon(item), options.onStray, options.draining);
    this.#episodes = new SlicedQueue(this.#slice, (item) => this.#run(item));
    this.#activities = new SlicedQueue(new TimeSlice(), (item) => void this.#run(item));
  }

  /** Work items that wait, are being executed, or have a result that the backend has not accepted yet. */
  get inFlight(): number {
    return this.#inFlight;
  }

  get executor(): Pick<Executor, "episodes" | "sessions"> {
    return this.#executor;
  }

  /** Whether it holds nothing, including work of other applications. */
  get isEmpty(): boolean {
    return this.#inFlight === 0 && this.#strays.held === 0;
  }

  /** The number of work items inside the workload's own code, which may take any time. */
  get executing(): number {
    return this.#executing.size;
  }

  /** Accepts a work item for execution. */
  take(item: ReturnableWorkItem): void {
    if (item.kind === "entity") {
      void this.#strays.giveBack(entityOf(item));
      return;
    }
    this.#inFlight++;
    this.intake.add(item.kind, item.request.length);
    (item.kind === "activity" ? this.#activities : this.#episodes).add(item);
  }

  /** Gives an item back that was not accepted. */
  async giveBack(item: ReturnableWorkItem): Promise<void> {
    this.#inFlight++;
    await this.#abandon(item);
    this.#settle();
  }

  /** Gives back all items that have not begun. */
  giveBackWaiting(): void {
    for (const item of [...this.#episodes.takeAll(), ...this.#activities.takeAll()])
      void this.#abandon(item).then(() => this.#done(item));
  }

  /** Gives back all items whose execution has not ended, and returns their names. Call it before sending ends. */
  giveBackExecuting(): { readonly names: readonly string[]; readonly sent: Promise<void> } {
    const items = [...this.#executing];
    const sent = Promise.all(items.map((item) => this.#abandon(item))).then(() => undefined);
    return { names: items.map(nameOf), sent };
  }

  /** Resolves when the next item of its kind may begin. The result may still be on its way. */
  async #run(item: RunnableWorkItem): Promise<void> {
    this.#executing.add(item);
    const beganMs = this.#timeMs(item);
    try {
      const execution = await this.#executor.execute(item);
      if (execution.kind === "stray") {
        void this.#strays.giveBack(execution.item);
        this.#done(item);
      } else {
        this.#count(item, this.#timeMs(item) - beganMs);
        void this.#send(item, execution);
      }
    } catch (error) {
      this.#options.onError(`An ${item.kind}'s work item cannot be read and is given back: ${describeError(error)}`);
      this.counts.items[item.kind].dropped++;
      void this.#giveBackUnread(item);
    } finally {
      this.#executing.delete(item);
    }
  }

  /** It may return at once, to this worker or a similar one, so it rests here before. */
  async #giveBackUnread(item: RunnableWorkItem): Promise<void> {
    const { draining, sender } = this.#options;
    const restMs = this.#unreadRests.next(item.kind);
    if (restMs > 0) await wait(restMs, draining);
    await sender.send(CALLS[item.kind].abandon, writeAbandon(item.completionToken));
    this.#done(item);
  }

  #count({ kind }: RunnableWorkItem, tookMs: number): void {
    if (kind === "activity") {
      this.executed.activities++;
      this.executed.slowestMs = Math.max(this.executed.slowestMs, tookMs);
    } else {
      this.executed.episodes++;
      this.executed.orchestratorMs += tookMs;
    }
    this.counts.execution[kind].add(tookMs);
  }

  /** Of episodes, a clock that stands while one waits for its next turn. Episodes run one after the other. */
  #timeMs({ kind }: RunnableWorkItem): number {
    return kind === "orchestrator" ? performance.now() - this.#slice.waitedMs : performance.now();
  }

  async #send(item: RunnableWorkItem, { message, failed }: Completion): Promise<void> {
    const outcome = await this.#complete(item, message);
    const counted = outcome.kind === "accepted" ? (failed ? "failed" : "completed") : outcome.kind;
    this.counts.items[item.kind][counted]++;
    if (outcome.kind === "stale") {
      this.staleResults++;
    } else if (outcome.kind === "accepted" && item.kind === "activity") {
      this.activitiesCompleted++;
    } else if (outcome.kind === "refused") {
      const { complete, abandon } = CALLS[item.kind];
      this.#options.onError(`${complete} was refused, its result is dropped: ${describeError(outcome.error)}`);
      // If the item is still this worker's, another worker must get it.
      await this.#options.sender.send(abandon, writeAbandon(item.completionToken));
    }
    this.#done(item);
  }

  async #complete(item: RunnableWorkItem, result: Buffer): Promise<SendOutcome> {
    const { sender } = this.#options;
    const { complete } = CALLS[item.kind];
    const outcome = await sender.send(complete, result);
    if (outcome.kind !== "accepted" && item.kind === "orchestrator") this.#executor.discard(item);

    return outcome.kind === "refused" && isTooLarge(outcome.error)
      ? sender.send(complete, failureOf(item, result.length, outcome.error))
      : outcome;
  }

  async #abandon({ kind, completionToken }: Pick<ReturnableWorkItem, "kind" | "completionToken">): Promise<void> {
    const { abandon } = CALLS[kind];
    const outcome = await this.#options.sender.send(abandon, writeAbandon(completionToken));
    this.counts.items[kind][outcome.kind === "accepted" ? "returned" : outcome.kind]++;
    if (outcome.kind === "refused") {
      if (outcome.error.code === status.UNIMPLEMENTED) this.#options.onNoAbandon();
      else this.#options.onError(`${abandon} was refused: ${describeError(outcome.error)}`);
    }
    this.#options.onProgress();
  }

  #done({ kind, request }: RunnableWorkItem): void {
    this.intake.remove(kind, request.length);
    this.#settle();
  }

  #settle(): void {
    // Items that a drain gave up stay counted.
    if (!this.#options.closed.aborted) {
      this.#inFlight--;
      this.#options.onProgress();
    }
  }
}

function nameOf({ kind, request }: RunnableWorkItem): string {
  if (kind === "orchestrator") return `orchestrator of ${readRequestHead(request).instanceId}`;
  const { name, instanceId, taskId } = readActivityRequest(request);
  return `activity ${name} ${instanceId}#${taskId}`;
}

/** The id of an entity is `@name@key`. */
function entityOf({ request, completionToken }: Extract<WorkItem, { kind: "entity" }>): StrayItem {
  const id = textOf(request);
  return { kind: "entity", name: id.split("@", 2)[1] ?? id, id, completionToken };
}
