import { availableParallelism } from "node:os";
import { plural } from "../format/count.js";
import { formatDuration } from "../format/duration.js";
import { oneLine } from "../format/one-line.js";
import type { Backend } from "../backend/backend.js";
import { OwnWorkers } from "../own-workers/own-workers.js";
import { foreignNames } from "../plan/orchestration-mix.js";
import type { LoadPlan } from "../plan/plan.js";
import type { Progress } from "./progress.js";
import type { OwnWork } from "../protocol/worker-messages.js";
import type { Replay } from "../protocol/replay.js";
import { workerEnvironment } from "../own-workers/worker-environment.js";
import { decideWorkers, mayStartOwn, ownWorkerActivities, ownWorkerCount } from "../own-workers/worker-policy.js";

const REVIEW_EVERY_MS = 100;

/** The variables with which a worker process of a run connects. */
export function environmentOfWorkers(
  { connection, target }: Backend,
  plan: LoadPlan,
  replay: Replay,
): Readonly<Record<string, string>> {
  const transport = target.transport ?? "grpc-js";
  return workerEnvironment(connection, { transport, replay, mostActivities: ownWorkerActivities(plan) });
}

export interface WorkerWatchOptions {
  readonly plan: LoadPlan;
  readonly backend: Backend;
  /** The variables with which a worker process connects. */
  readonly environment: Readonly<Record<string, string>>;
  readonly attended: boolean;
  readonly onLine: (line: string) => void;
  /** One of the run's own workers has lost the backend. */
  readonly onLost: () => void;
  /** There is no worker, and none is coming. */
  readonly onGivenUp: (reason: string) => void;
}

/** Makes sure that a run has workers, or that a person learns that it has none. */
export class WorkerWatch {
  readonly #startedMs = performance.now();
  readonly #isForeign: boolean;
  #own: OwnWorkers | undefined;
  #warned = false;
  #seen = false;
  readonly #ready = Promise.withResolvers<void>();
  #timer: NodeJS.Timeout | undefined;

  constructor(readonly options: WorkerWatchOptions) {
    this.#isForeign = foreignNames(options.plan).length > 0;
  }

  /** The number of worker processes that the run started for itself. */
  get ownWorkers(): number {
    return this.#own?.count ?? 0;
  }

  /** Whether workers of others take part. */
  get areOthers(): boolean {
    return this.ownWorkers === 0 && this.#seen;
  }

  /**
   * Resolves when the run's own workers are ready, because the start of their processes says nothing about the backend.
   * Resolves at once if the run starts none.
   */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** What the run's own workers executed; undefined if it has none. */
  async executed(): Promise<readonly OwnWork[] | undefined> {
    return await this.#own?.executed();
  }

  start(progress: Progress): void {
    this.#review(progress);
    this.#timer = setInterval(() => this.#review(progress), REVIEW_EVERY_MS);
  }

  /** Starts no more workers, and reports nothing more. */
  stopReviewing(): void {
    clearInterval(this.#timer);
  }

  async stop(): Promise<void> {
    this.stopReviewing();
    await this.#own?.stop();
  }

  #review(progress: Progress): void {
    const { plan, backend, attended } = this.options;
    const workerlessMs = progress.workerlessMs();
    if (workerlessMs === 0) {
      this.#warned = false;
      this.#seen = true;
    }
    if (!this.#needsWorkers(workerlessMs)) this.#ready.resolve();
    const decision = decideWorkers(plan, {
      backend: backend.kind,
      ownWorkersStarted: this.#own !== undefined,
      seenWorker: this.#seen,
      workerlessMs: workerlessMs ?? 0,
      elapsedMs: performance.now() - this.#startedMs,
      warned: this.#warned,
      attended,
    });
    if (decision === "start-own") this.#startOwn();
    const unhosted = progress.unhosted();
    if (decision === "warn") this.#warn(unhosted);
    if (decision === "give-up") {
      const lacking = `${this.#absence(unhosted)} for ${formatDuration(this.#patienceMs())}`;
      this.options.onGivenUp(`${lacking}; ${this.#hint(unhosted)}`);
    }
  }

  /** Whether own workers are starting, or will start if the hub has none. */
  #needsWorkers(workerlessMs: number | undefined): boolean {
    const { plan, backend } = this.options;
    if (this.#isHostKnown) return workerlessMs !== 0;
    return mayStartOwn(plan, backend.kind) && (plan.workers !== "auto" || workerlessMs !== 0);
  }

  #startOwn(): void {
    const { plan, backend, environment, onLine, onLost, onGivenUp } = this.options;
    const count = ownWorkerCount(plan, availableParallelism());
    this.#own = new OwnWorkers({ count, environment, onLine, onLost, onGivenUp });
    this.#own.start();
    if (!this.#isHostKnown) void this.#own.allConnected.then(this.#ready.resolve);
    const why = plan.workers === "auto" ? `task hub ${backend.connection.taskHub} has no worker: ` : "";
    onLine(`${why}started ${plural(count, "worker process")} for this run`);
  }

  /**
   * Whether the backend reports who hosts an orchestration. Then the run waits for a host of each before it starts
   * any.
   */
  get #isHostKnown(): boolean {
    return this.#isForeign && this.options.backend.kind === "emulator";
  }

  #warn(unhosted: readonly string[]): void {
    const { plan, onLine } = this.options;
    this.#warned = true;
    const waiting = formatDuration(plan.workerWarningMs);
    const [absence, hint] = [this.#absence(unhosted), this.#hint(unhosted)];
    if (this.#isHostKnown && !this.#seen)
      onLine(`${absence}; ${hint}. Waiting ${waiting} for it (--worker-timeout); nothing starts before`);
    else onLine(`${absence} for ${waiting}; ${hint}`);
  }

  #patienceMs(): number {
    const { workerWarningMs, workerDeadlineMs } = this.options.plan;
    return this.#isHostKnown && !this.#seen ? workerWarningMs : workerDeadlineMs;
  }

  #absence(unhosted: readonly string[]): string {
    const place = `task hub ${this.options.backend.connection.taskHub}`;
    if (!this.#isForeign) return `no worker seen on ${place}`;
    const names = namesText(unhosted);
    return this.#isHostKnown ? `no worker on ${place} hosts ${names}` : `no worker on ${place} has taken up ${names}`;
  }

  /** Names no connection string, which may hold a secret. */
  #hint(unhosted: readonly string[]): string {
    const { backend, plan } = this.options;
    const key = plan.orchestrations === undefined ? "--orchestrator" : "orchestrations in the plan file";
    if (this.#isForeign) return `start the worker that hosts ${namesText(unhosted)}, or check the spelling of ${key}`;
    if (backend.kind === "emulator") return "start one with: fanout worker";
    return "start one with: fanout worker --connection-string, and the string that this run uses";
  }
}

function namesText(names: readonly string[]): string {
  return new Intl.ListFormat("en", { type: "disjunction" }).format(names.map(oneLine));
}
