import type { Backend } from "../backend/backend.js";
import { activitiesOf } from "../result/run-size.js";
import type { NeutralTime } from "../stats/common-spans.js";
import type { Completion, Start } from "../stats/completion.js";
import type { RunBuckets } from "../stats/latency-buckets.js";
import type { LiveSnapshot } from "../stats/live-snapshot.js";
import { lengthOf, plannedStarts, type DueCount } from "../result/load-shape.js";
import type { StandingPart } from "../stats/merged-standing.js";
import { Recorder } from "../stats/recorder.js";
import type { ResultSoFar } from "../stats/result-so-far.js";
import type { SeriesSoFar } from "../stats/series.js";
import type {
  BackendDurability,
  HubSurvey,
  ResultEnvironment,
  RunResult,
  Stall,
  StuckInstance,
} from "../result/run-result.js";
import type { Timeline } from "../result/timeline-schema.js";
import type { Replay } from "../protocol/replay.js";
import type { Clock } from "../async/clock.js";
import { DueStarts, arrivalsAfter } from "../plan/arrivals.js";
import { CompletionWatch } from "./completion-watch.js";
import { describeEnvironment, durabilityOf } from "./environment.js";
import { GeneratorHealthMonitor } from "./generator-health.js";
import { Generator } from "./generator.js";
import { surveyedHub } from "../hub/hub-survey.js";
import { LeftWork } from "./left-work.js";
import { orchestrationOf } from "../plan/orchestration-of.js";
import { foreignNames } from "../plan/orchestration-mix.js";
import { resultPlanOf, type LoadPlan } from "../plan/plan.js";
import { followProgress } from "./follow-progress.js";
import { progressOf, type Progress } from "./progress.js";
import { recountInstances } from "./recount.js";
import { countIrregularActions } from "./irregular-actions.js";
import { readBreakdown } from "./read-breakdown.js";
import { TraceSample } from "./trace-sample.js";
import { instanceIdOf } from "../plan/run-id.js";
import { RunEnding, type Ending } from "./run-ending.js";
import { OutageWatch } from "./outage-watch.js";
import { RunPulse } from "./run-pulse.js";
import { wait } from "../async/wait.js";
import { describeUnfinished } from "./unfinished.js";
import { tellStart } from "./start-time.js";
import { WorkerWatch, environmentOfWorkers } from "./worker-watch.js";
import { aborted } from "../async/aborted.js";

/** A start leaves this much after it was due at most, unless something holds it up: timers are late, and so are event loops. */
const PUNCTUAL_MS = 100;

/** What the process that coordinates several generators decides for each of them. */
interface Coordination {
  /** The task hub before the run. */
  readonly hub: HubSurvey;
  /** Called when this generator is ready. Resolves with the time of the first start when all are. */
  readonly startsAt: () => Promise<number>;
}

/** A time in which somebody may skip what a run reads after its load. */
export interface Reading extends Disposable {
  readonly skipped: AbortSignal;
}

export interface LoadTestOptions {
  readonly plan: LoadPlan;
  readonly backend: Backend;
  readonly runId: string;
  readonly clock: Clock;
  /** When the first start is due, on the client's clock; absent as soon as the run is ready. */
  readonly startAtMs?: number | undefined;
  /** Present if another process coordinates this generator with others. */
  readonly coordination?: Coordination;
  /** Whether a person sits at a terminal. */
  readonly attended: boolean;
  /** After an interruption, leave the unfinished instances running. */
  readonly leave: boolean;
  /** Terminate what is in flight at the end, also if workers of others execute it. */
  readonly terminateLeft?: boolean;
  readonly interruption: AbortSignal;
  /** How the run's own workers restore the state of an orchestration. */
  readonly replay: Replay;
  /** Prints a line for a person. */
  readonly onLine: (line: string) => void;
  /** Called when histories are to be read. Absent if nobody can skip that alone. */
  readonly beginReading?: () => Reading;
  /** Called when it is decided how the run ends. What is in flight may still be terminated, and much be read. */
  readonly onEnding?: () => void;
  /** Called for each instance that ends, and for each start that is refused. */
  readonly onCompletion?: (completion: Completion) => void;
  /** Called after the run for each traced instance, with its timeline and those of its sub-orchestrations. */
  readonly onTimelines?: ((timelines: readonly Timeline[]) => void) | undefined;
}

export interface LoadTestOutcome {
  readonly result: RunResult;
  /** Why the run ended before all its instances had; undefined if they all ended, or after an interruption. */
  readonly gaveUp: string | undefined;
  /** Whether `abort` ended it. */
  readonly aborted: boolean;
}

/** One run, from a plan to its result. */
export class LoadTest {
  readonly #recorder: Recorder;
  readonly #generator: Generator;
  readonly #progress: Progress;
  readonly #workers: WorkerWatch;
  readonly #watch: CompletionWatch;
  readonly #pulse: RunPulse;
  readonly #outages: OutageWatch;
  readonly #leftWork: LeftWork;
  readonly #traced: TraceSample;
  readonly #health = new GeneratorHealthMonitor();
  readonly #stopStarting = new AbortController();
  readonly #stopRepeating = new AbortController();
  readonly #stopWaiting = new AbortController();
  readonly #stopFollowing = new AbortController();
  readonly #dueStarts: DueStarts | undefined;
  #startedMs: number | undefined;
  /** When no more starts were wanted. */
  #stoppedMs: number | undefined;
  #hadWorker = false;
  #hub: HubSurvey | undefined;
  #durability: BackendDurability | undefined;
  readonly #ending: RunEnding;

  constructor(readonly options: LoadTestOptions) {
    const { plan, backend, runId, clock, attended, onLine } = options;
    const recorder = new Recorder({
      plan: resultPlanOf(plan),
      activitySource: backend.admin && plan.shard === undefined ? "emulator" : "completions",
    });
    this.#recorder = recorder;
    this.#dueStarts = plan.load.kind === "open" ? new DueStarts(plan) : undefined;
    this.#stopStarting.signal.addEventListener("abort", () => (this.#stoppedMs = clock()), { once: true });
    const traced = new TraceSample(plan.traceShare);
    this.#traced = traced;
    this.#ending = new RunEnding({ ...options, stopStarting: this.#stopStarting });
    this.#watch = new CompletionWatch({ client: backend.client, runId, clock, signal: this.#stopWaiting.signal });
    this.#generator = new Generator({
      client: backend.client,
      watch: this.#watch,
      runId,
      plan,
      orchestration: orchestrationOf(plan),
      isTraced: traced.isTraced,
      clock,
      wait,
      stopStarting: this.#stopStarting.signal,
      stopRepeating: this.#stopRepeating.signal,
      stopWaiting: this.#stopWaiting.signal,
      onSend: (start) => {
        recorder.addSend(start);
        this.#trace(start);
      },
      onAnswer: (start) => {
        recorder.addAnswer(start);
        this.#trace(start);
      },
      onFound: (start) => recorder.addFound(start),
      onCompletion: (completion) => {
        // An instance that ended and was not terminated had a worker.
        if (completion.server && completion.outcome !== "terminated") this.#hadWorker = true;
        recorder.add(completion);
        traced.end(completion);
        options.onCompletion?.(completion);
      },
    });
    this.#leftWork = new LeftWork({
      ...options,
      inFlight: this.#generator.inFlight,
      waitingForAnswer: () => this.#generator.waitingForAnswer,
    });
    this.#progress = progressOf({
      backend,
      runId,
      clock,
      inFlight: this.#generator.inFlight,
      orchestrators: foreignNames(plan),
      isShared: plan.shard !== undefined,
      hadWorker: () => this.#hadWorker,
      activitiesAccountedFor: () => recorder.activitiesAccountedFor,
      onActivities: (total) => recorder.addActivities(clock(), total),
      onBeyondScheduler: (sentence) => onLine(`warning: ${sentence}`),
    });
    this.#workers = new WorkerWatch({
      plan,
      backend,
      environment: environmentOfWorkers(backend, plan, options.replay),
      attended,
      onLine,
      onLost: () => recorder.addReconnect(clock()),
      onGivenUp: (reason) => this.#ending.giveUp(reason),
    });
    this.#outages = new OutageWatch({
      reachability: backend.client.reachability,
      sinceStartMs: () => recorder.sinceMs(clock()),
      maxOutageMs: plan.maxOutageMs,
      onLine,
      onGivenUp: (reason) => this.#ending.giveUp(reason),
    });
    const onBeat = (): void => this.#outages.beat();
    this.#pulse = new RunPulse({ recorder, clock, rpcErrors: () => backend.client.rpcErrors, onLine, onBeat });
  }

  /** What was due in the warm-up is not measured. */
  #trace(start: Start): void {
    const { warmupMs = 0 } = this.options.plan;
    if (start.intendedMs >= (this.#startedMs ?? 0) + warmupMs) this.#traced.add(start);
  }

  snapshot(): LiveSnapshot {
    const { plan, clock } = this.options;
    const { started, unfinished } = this.#recorder.counts;
    const lengthMs = lengthOf(plan);
    const total = plannedStarts(plan) ?? 0;
    return {
      elapsedMs: this.#startedMs === undefined ? 0 : clock() - this.#startedMs,
      ...(lengthMs !== undefined && { lengthMs }),
      orchestrations: { total, started, ended: started - unfinished },
      activities: {
        total: (activitiesOf(plan) ?? 0) * Math.max(total, started),
        completed: this.#progress.activitiesCompleted(),
        ...(foreignNames(plan).length === 0 && { perIteration: plan.parallelActivities }),
      },
      outage: this.#outages.current,
      ...this.#recorder.snapshot(clock(), this.#due),
    };
  }

  /** The starts that were due, so that they should have left; undefined if the load has no schedule. */
  get #due(): DueCount | undefined {
    if (this.#startedMs === undefined) return undefined;
    return this.#dueStarts?.by((this.#stoppedMs ?? this.options.clock()) - PUNCTUAL_MS - this.#startedMs);
  }

  /**
   * Resolves when all instances have ended, or the run was interrupted or given up. Own workers continue until `close`.
   */
  async run(): Promise<LoadTestOutcome> {
    const { plan, backend, runId, clock, interruption, onLine } = this.options;
    const over = this.#stopFollowing.signal;
    const hub = this.options.coordination?.hub ?? (await surveyedHub(backend, runId, interruption, onLine));
    this.#hub = hub;
    this.#durability = await durabilityOf(backend, interruption);
    void followProgress(this.#progress, this.#stopFollowing.signal, onLine);
    this.#workers.start(this.#progress);
    await Promise.race([this.#workers.ready, this.#ending.early, aborted(interruption, over)]);
    const startedMs = await this.#startingMs();
    this.#startedMs = startedMs;
    this.#recorder.begin(startedMs);
    this.#health.start();
    this.#pulse.start();
    // The embedded emulator is started again instead.
    if (backend.kind === "scheduler") backend.client.reachability.watch(plan.maxOutageMs);
    if (interruption.aborted) this.#stopStarting.abort();
    const generating = this.#generator.run(startedMs);
    const ending = await this.#ending.of(generating, this.#generator.allStarted);
    const endedMs = clock();
    if (ending.kind !== "all-ended") this.#recorder.cut(endedMs);
    this.options.onEnding?.();
    this.#stopStarting.abort();
    this.#stopRepeating.abort();
    const health = this.#health.stop();
    this.#pulse.stop();
    const { outages } = this.#outages;
    this.#workers.stopReviewing();
    const stuck = await this.#cutOff(ending, generating);
    const countedMs = clock();
    // The workers of a shard execute activities of the others too.
    const ownWork = plan.shard === undefined ? await this.#workers.executed() : undefined;
    this.#stopFollowing.abort();
    using reading = ending.kind === "interrupted" ? undefined : this.options.beginReading?.();
    const canSkip = reading !== undefined;
    const skipped = canSkip ? AbortSignal.any([interruption, reading.skipped]) : interruption;
    const { accepted } = this.#recorder;
    const { unanswered } = this.#generator;
    const interrupted = ending.kind === "interrupted";
    const [recount, irregular] = await Promise.all([
      interrupted
        ? undefined
        : recountInstances({
            client: backend.client,
            runId,
            accepted,
            unanswered,
            plan,
            shard: plan.shard,
            signal: interruption,
          }),
      activitiesOf(plan) === undefined
        ? undefined
        : countIrregularActions({
            ...this.options,
            interruption: skipped,
            canSkip,
            plan: resultPlanOf(plan),
            client: backend.client,
            starts: this.#recorder,
            unanswered,
          }),
    ]);
    const { growth, breakdownTally, ...whereTimeWent } = await readBreakdown({
      client: backend.client,
      starts: this.#traced.starts,
      ownWork,
      plan: resultPlanOf(plan),
      endedMs: countedMs,
      interruption: skipped,
      canSkip,
      onLine,
      onTimelines: this.options.onTimelines,
    });
    this.#durability = await durabilityOf(backend, interruption, this.#durability);
    return {
      result: this.#recorder.close(runId, {
        endedMs,
        countedMs,
        interrupted,
        stoppedMs: (this.#stoppedMs ?? endedMs) - PUNCTUAL_MS,
        neverSent: arrivalsAfter(plan, this.#recorder.counts.started),
        environment: this.#describeEnvironment(hub),
        activitiesCompleted: this.#progress.activitiesCompleted(),
        activitiesExecuted: ownWork?.reduce((sum, { activities }) => sum + activities, 0),
        health,
        stuck,
        unanswered: [...unanswered].toSorted((a, b) => a - b).map((sequence) => instanceIdOf(runId, sequence)),
        noticing: this.#watch.calls,
        outages,
        recount,
        irregular,
        whereTimeWent,
        growth,
        breakdownTally,
      }),
      gaveUp: "reason" in ending ? ending.reason : undefined,
      aborted: ending.kind === "aborted",
    };
  }

  /**
   * When the times of the plan begin, after a wait for it: now, or at the time that was asked for.
   * @throws UsageError if that has passed already
   */
  async #startingMs(): Promise<number> {
    const { clock, coordination, interruption, onLine } = this.options;
    const early = AbortSignal.any([interruption, this.#stopStarting.signal]);
    const startAtMs = coordination
      ? await Promise.race([coordination.startsAt(), aborted(early, this.#stopFollowing.signal)])
      : this.options.startAtMs;
    if (startAtMs === undefined || early.aborted) return clock();
    // A coordinated generator that is late keeps the time of the others, and shows it as slip.
    if (!coordination) tellStart(startAtMs, clock(), onLine);
    for (let earlyMs = startAtMs - clock(); earlyMs > 0 && !early.aborted; earlyMs = startAtMs - clock())
      await wait(Math.ceil(earlyMs), early);
    return early.aborted ? clock() : startAtMs;
  }

  /** The measurements so far; undefined before the first start. */
  resultSoFar(): ResultSoFar | undefined {
    const { runId, clock } = this.options;
    if (this.#startedMs === undefined) return undefined;
    const hub = { unknown: "the run is in progress" };
    const environment = this.#describeEnvironment(hub);
    return this.#recorder.soFar(runId, clock(), { environment, due: this.#due });
  }

  /** The result so far with the verdict as it forms; undefined before the first start. */
  standing(): ResultSoFar | undefined {
    const { runId, clock } = this.options;
    if (this.#startedMs === undefined) return undefined;
    const environment = this.#describeEnvironment(this.#hub ?? { unknown: "the run is in progress" });
    return this.#recorder.standing(runId, clock(), { environment, health: this.#health.soFar(), due: this.#due });
  }

  /** What a shard tells for the result so far of the whole; undefined before the first start. `judged`: see the recorder. */
  standingPart(judged: readonly string[]): StandingPart | undefined {
    const { plan, clock } = this.options;
    if (this.#startedMs === undefined || plan.shard === undefined) return undefined;
    const environment = this.#describeEnvironment(this.#hub ?? { unknown: "the run is in progress" });
    const health = this.#health.soFar();
    return this.#recorder.standingPart(plan.shard, clock(), { environment, health, due: this.#due, judged });
  }

  /** The latencies so far in few buckets, for monitoring. */
  latencyBuckets(): RunBuckets {
    return this.#recorder.latencyBuckets();
  }

  /** The intervals so far. */
  get seriesSoFar(): SeriesSoFar {
    return this.#recorder.seriesSoFar;
  }

  stallsSoFar(): readonly Stall[] {
    return this.#startedMs === undefined ? [] : this.#recorder.stallsSoFar(this.options.clock());
  }

  /** Times so far in which nothing was in flight. */
  idleSoFar(): readonly NeutralTime[] {
    return this.#startedMs === undefined ? [] : this.#recorder.idleSoFar(this.options.clock());
  }

  /** At most so many instances in flight, the earliest accepted first. */
  oldestInFlight(most: number): readonly string[] {
    return [...this.#generator.inFlight].slice(0, most);
  }

  #describeEnvironment(hub: HubSurvey): ResultEnvironment {
    const { backend, replay } = this.options;
    return describeEnvironment(backend, { ownWorkers: this.#workers.ownWorkers, replay }, hub, this.#durability);
  }

  /** Ends the run's own workers after they have finished their work items. */
  async close(): Promise<void> {
    this.#stopStarting.abort();
    this.#stopRepeating.abort();
    this.#stopWaiting.abort();
    this.#stopFollowing.abort();
    await this.#workers.stop();
  }

  /** Sends no more starts, and waits for those in flight as at the end of the load. */
  endLoad(): void {
    this.#stopStarting.abort();
  }

  /** Ends the run early. */
  abort(reason: string): void {
    this.#ending.abort(reason);
  }

  /**
   * Ends the waiting, and terminates what is in flight after an interruption. If the run gave up, it terminates the
   * instances that only its own workers execute, so that the next run has the hub for itself. Resolves with the
   * instances that had not ended.
   */
  async #cutOff(ending: Ending, generating: Promise<void>): Promise<readonly StuckInstance[]> {
    const { inFlight, allStarted } = this.#generator;
    if (ending.kind === "interrupted") await this.#leftWork.afterInterruption(allStarted, generating);
    const unfinished = ending.kind === "all-ended" ? [] : [...inFlight];
    const stuck = await describeUnfinished(this.options.backend.client, unfinished);
    this.#stopWaiting.abort();
    this.options.backend.client.reachability.stopWatching();
    await generating;
    const isOwn = this.options.terminateLeft === true || !this.#workers.areOthers;
    if (ending.kind !== "interrupted") await this.#leftWork.afterGivingUp(isOwn);
    return stuck;
  }
}
