import { aborted } from "../async/aborted.js";
import { formatConnection } from "../backend/connection-string.js";
import { surveyedHub } from "../hub/hub-survey.js";
import { describeEnvironment, durabilityOf } from "../load/environment.js";
import { followProgress } from "../load/follow-progress.js";
import type { LoadTest, LoadTestOptions, LoadTestOutcome } from "../load/load-test.js";
import { progressOf, type Progress } from "../load/progress.js";
import { tellStart } from "../load/start-time.js";
import { WorkerWatch, environmentOfWorkers } from "../load/worker-watch.js";
import { foreignNames, withoutInputValues } from "../plan/orchestration-mix.js";
import { untracedWorker } from "../breakdown/workers.js";
import { resultPlanOf, type LoadPlan } from "../plan/plan.js";
import type { BackendDurability, HubSurvey, ResultEnvironment, RunResult, Stall } from "../result/run-result.js";
import type { Shard } from "../result/shard.js";
import { summedBuckets, type RunBuckets } from "../stats/latency-buckets.js";
import type { LiveSnapshot } from "../stats/live-snapshot.js";
import type { Watched } from "../stats/common-spans.js";
import { commonStalls, hasEnded } from "../stats/merged-health.js";
import { mergedStanding } from "../stats/merged-standing.js";
import { MergedSeries } from "../stats/merged-series.js";
import type { ResultSoFar } from "../stats/result-so-far.js";
import type { SeriesSoFar } from "../stats/series.js";
import { mergeShards } from "../stats/merge-shards.js";
import { shardOf, type ShardResult } from "../stats/shards-of-run.js";
import { sumOf } from "../stats/sums.js";
import { GeneratorProcess, type GeneratorEnd } from "./generator-process.js";
import { lostShard } from "./lost-shard.js";
import { summedSnapshot } from "./summed-snapshot.js";
import { ToldStanding } from "./told-standing.js";

/** From the order to start until the first start is due: all processes have read the order by then. */
const START_AFTER_MS = 300;

/** After the last question about the series. */
const WATCHED_FOR_MS = 3_000;

export interface SeveralGeneratorsOptions extends LoadTestOptions {
  readonly generators: number;
  /** Whether somebody collects the latencies. */
  readonly isCollected: boolean;
  /** Whether `resultSoFar` is asked for without a viewer. */
  readonly isJudged: boolean;
  /** The orchestrations of a mix that a threshold names. */
  readonly judged: readonly string[];
}

/**
 * One run that several processes of this machine make, each a shard. This process has what the run has once: the survey
 * of the task hub, the run's own workers, the start time, the end, and the merged result.
 */
export class SeveralGenerators implements Pick<
  LoadTest,
  "run" | "snapshot" | "resultSoFar" | "standing" | "seriesSoFar" | "stallsSoFar" | "latencyBuckets" | "abort" | "close"
> {
  readonly #progress: Progress;
  readonly #workers: WorkerWatch;
  readonly #stopFollowing = new AbortController();
  readonly #early = Promise.withResolvers<void>();
  /** The generator that said a line first. Others repeat it only while the run ends. */
  readonly #saidBy = new Map<string, number>();
  readonly #series = new MergedSeries();
  readonly #told: ToldStanding;
  #stalls: Watched<Stall>[] = [];
  /** Runs while somebody looks at the series. */
  #unwatching: NodeJS.Timeout | undefined;
  #processes: readonly GeneratorProcess[] = [];
  /** When each of them died. */
  readonly #diedMs: (number | undefined)[] = [];
  /** Why the run gave up. */
  #reason: string | undefined;
  /** By `abort`. */
  #isAborted = false;
  #startedMs: number | undefined;
  #hub: HubSurvey = { unknown: "the run has not begun" };
  #durability: BackendDurability | undefined;

  constructor(readonly options: SeveralGeneratorsOptions) {
    const { plan, backend, runId, clock, attended, onLine, replay, generators } = options;
    this.#told = new ToldStanding(generators);
    const total = (): number => sumOf(this.#snapshots(), ({ activities }) => activities.completed);
    this.#progress = backend.admin
      ? progressOf({
          backend,
          runId,
          clock,
          inFlight: new Set(),
          orchestrators: foreignNames(plan),
          hadWorker: () => false,
          activitiesAccountedFor: total,
        })
      : {
          // Only the generators know instances, and so whether a worker takes them up.
          activitiesCompleted: total,
          workerlessMs: () => undefined,
          unhosted: () => foreignNames(plan),
          follow: aborted,
        };
    this.#workers = new WorkerWatch({
      plan,
      backend,
      environment: environmentOfWorkers(backend, plan, replay),
      attended,
      onLine,
      onLost: () => {},
      onGivenUp: (reason) => this.#giveUp(reason),
    });
  }

  snapshot(): LiveSnapshot {
    const { plan } = this.options;
    const activities = this.#progress.activitiesCompleted();
    const running = this.#processes.flatMap(({ snapshot, hasEnded }) => (snapshot && !hasEnded ? snapshot : []));
    return summedSnapshot(this.#snapshots(), plan, { elapsedMs: this.#elapsedMs, activities, running });
  }

  /** As the generators told last; undefined before the first start, and while one of them has not told. */
  resultSoFar(): ResultSoFar | undefined {
    const { plan, runId, backend, replay } = this.options;
    const durationMs = this.#elapsedMs;
    const told = this.#told.at(durationMs);
    if (this.#startedMs === undefined || told.kind === "untold") return undefined;
    return mergedStanding(told.parts, {
      runId,
      startedMs: this.#startedMs,
      durationMs,
      toldMs: told.toldMs,
      plan: resultPlanOf(plan),
      environment: describeEnvironment(
        backend,
        { ownWorkers: this.#workers.ownWorkers, replay },
        this.#hub,
        this.#durability,
      ),
      activities: backend.admin && this.#progress.activitiesCompleted(),
    });
  }

  /** The same, for a viewer: the generators are asked for more for a few seconds. */
  standing(): ResultSoFar | undefined {
    this.#watch();
    return this.resultSoFar();
  }

  /** Why there is no `standing`; undefined where there is one. */
  unjudged(): string | undefined {
    const told = this.#told.at(this.#elapsedMs);
    return told.kind === "untold" ? told.why : undefined;
  }

  get #elapsedMs(): number {
    return this.#startedMs === undefined ? 0 : Math.max(0, this.options.clock() - this.#startedMs);
  }

  /** The intervals so far, as the generators told them last. They are asked for more for a few seconds. */
  get seriesSoFar(): SeriesSoFar {
    this.#watch();
    return this.#series.soFar;
  }

  stallsSoFar(): readonly Stall[] {
    const { generators } = this.options;
    return commonStalls(
      Array.from({ length: generators }, (_, index) => this.#stalls[index] ?? { spans: [], neutral: [] }),
    );
  }

  /** The latencies so far in few buckets, if they are collected. */
  latencyBuckets(): RunBuckets {
    return summedBuckets(this.#processes.flatMap(({ latencies }) => latencies ?? []));
  }

  /** Until nobody has looked for a while. A generator that is not ready yet hears it again. */
  #watch(): void {
    clearTimeout(this.#unwatching);
    for (const process of this.#processes) process.watch(true);
    this.#unwatching = setTimeout(() => {
      for (const process of this.#processes) process.watch(false);
    }, WATCHED_FOR_MS).unref();
  }

  /** Resolves when all generators have ended. Own workers continue until `close`. */
  async run(): Promise<LoadTestOutcome> {
    const { backend, runId, interruption, clock, onLine, startAtMs } = this.options;
    const hub = await surveyedHub(backend, runId, interruption, onLine);
    this.#hub = hub;
    this.#durability = await durabilityOf(backend, interruption);
    void followProgress(this.#progress, this.#stopFollowing.signal, onLine);
    this.#workers.start(this.#progress);
    this.#fork();
    const over = this.#stopFollowing.signal;
    interruption.addEventListener("abort", () => this.#interrupt(), { signal: over });
    const early = Promise.race([this.#early.promise, aborted(interruption, over)]);
    await Promise.race([this.#workers.ready, early]);
    for (const [index, process] of this.#processes.entries()) process.prepare(this.#taskOf(index, hub));
    if (interruption.aborted) this.#interrupt();
    await Promise.race([Promise.all(this.#processes.map(({ ready }) => ready)), early]);
    const isGoingOn = !interruption.aborted && this.#reason === undefined;
    if (startAtMs !== undefined && isGoingOn) tellStart(startAtMs, clock(), onLine);
    this.#startedMs = startAtMs ?? clock() + START_AFTER_MS;
    for (const process of this.#processes) process.start(this.#startedMs);
    const ends = await Promise.all(this.#processes.map(({ ended }) => ended));
    this.#workers.stopReviewing();
    const result = await this.#merged(ends, hub);
    this.#stopFollowing.abort();
    if (interruption.aborted) return { result, gaveUp: undefined, aborted: false };
    const cutOff = ends.flatMap((end) => (end.kind === "ended" ? (end.gaveUp ?? []) : end.how));
    // A threshold cuts nothing off if all generators have just ended by themselves.
    const gaveUp = this.#isAborted ? cutOff[0] : (this.#reason ?? cutOff[0]);
    const isAborted = this.#isAborted && gaveUp !== undefined && ends.every(({ kind }) => kind === "ended");
    return { result, gaveUp, aborted: isAborted };
  }

  /** Ends the run early. */
  abort(reason: string): void {
    if (this.#reason !== undefined) return;
    this.#isAborted = true;
    this.#giveUp(reason);
  }

  async close(): Promise<void> {
    this.#stopFollowing.abort();
    for (const process of this.#processes) process.leave();
    await this.#workers.stop();
  }

  #fork(): void {
    const { generators } = this.options;
    this.#processes = Array.from({ length: generators }, (_, index) => {
      const number = index + 1;
      const process = new GeneratorProcess((line) => this.#say(number, line));
      process.onPart = ({ series, stalls, idle }) => {
        this.#series.take(index, series);
        this.#stalls[index] = { spans: stalls, neutral: idle };
      };
      process.onStanding = (standing) => this.#told.take(index, standing);
      process.onTimelines = (timelines) => this.options.onTimelines?.(timelines);
      void process.ended.then((end) => {
        this.#told.end(index, end.kind);
        const watched = this.#stalls[index];
        if (watched && end.kind === "ended") this.#stalls[index] = hasEnded(watched);
        if (end.kind === "died") this.#diedMs[index] = this.options.clock();
        const how = end.kind === "died" ? end.how : end.result.interrupted ? "was interrupted by a signal" : undefined;
        if (how !== undefined) this.#giveUp(`generator ${number} of ${generators} ${how}`);
      });
      return process;
    });
  }

  #taskOf(index: number, hub: HubSurvey) {
    const { backend, runId, replay, attended, leave, isCollected, isJudged, judged, onTimelines } = this.options;
    return {
      plan: this.#planOf(index),
      runId,
      connectionString: formatConnection(backend.connection),
      transport: backend.target.transport,
      replay,
      hub,
      attended,
      leave,
      terminateLeft: this.#workers.ownWorkers > 0,
      tellsLatencies: isCollected,
      tellsTimelines: onTimelines !== undefined,
      isJudged,
      judged,
    };
  }

  #planOf(index: number): LoadPlan & { readonly shard: Shard } {
    const { plan, generators } = this.options;
    return { ...withoutInputValues(plan), shard: { number: index + 1, of: generators }, workers: 0 };
  }

  async #merged(ends: readonly GeneratorEnd[], hub: HubSurvey): Promise<RunResult> {
    const { plan, backend } = this.options;
    const ownWork = await this.#workers.executed();
    const [first, ...rest] = await Promise.all(ends.map((end, index) => this.#shardOf(end, index, hub)));
    return mergeShards([first!, ...rest], {
      plan: resultPlanOf(plan),
      environment: await this.#environment(hub),
      activities: backend.admin && this.#progress.activitiesCompleted(),
      executed: ownWork && sumOf(ownWork, ({ activities }) => activities),
      workers: ownWork?.map(untracedWorker) ?? [],
    });
  }

  async #environment(hub: HubSurvey): Promise<ResultEnvironment> {
    const { backend, replay, interruption } = this.options;
    this.#durability = await durabilityOf(backend, interruption, this.#durability);
    return describeEnvironment(backend, { ownWorkers: this.#workers.ownWorkers, replay }, hub, this.#durability);
  }

  async #shardOf(end: GeneratorEnd, index: number, hub: HubSurvey): Promise<ShardResult> {
    if (end.kind === "ended") return shardOf(`generator ${index + 1}`, end.result);
    const { clock, interruption } = this.options;
    return lostShard({
      ...this.options,
      plan: this.#planOf(index),
      startedMs: this.#startedMs ?? clock(),
      endedMs: this.#diedMs[index] ?? clock(),
      environment: await this.#environment(hub),
      interrupted: interruption.aborted,
      told: this.#processes[index]?.snapshot,
      how: end.how,
      isOwn: this.#workers.ownWorkers > 0,
      onLine: (line) => this.#say(index + 1, line),
    });
  }

  #giveUp(reason: string): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.#early.resolve();
    for (const process of this.#processes) process.end(reason);
  }

  #interrupt(): void {
    for (const process of this.#processes) process.interrupt();
  }

  #say(number: number, line: string): void {
    const first = this.#saidBy.get(line) ?? number;
    this.#saidBy.set(line, first);
    const isEnding = this.#reason !== undefined || this.options.interruption.aborted;
    if (first === number || isEnding) this.options.onLine(`generator ${number}: ${line}`);
  }

  #snapshots(): readonly LiveSnapshot[] {
    return this.#processes.flatMap(({ snapshot }) => snapshot ?? []);
  }
}
