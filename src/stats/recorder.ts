import { ClockBridge, type BridgedTime } from "./clock-bridge.js";
import type { NeutralTime } from "./common-spans.js";
import type { Completion, Start } from "./completion.js";
import { lengthOf, type DueCount, type PlannedStart } from "../result/load-shape.js";
import { partOf, sequenceOfShard, type Shard } from "../result/shard.js";
import { censoredOf, type Censored } from "../result/stored-percentile.js";
import type { LiveSnapshot } from "./live-snapshot.js";
import type { StandingPart } from "./merged-standing.js";
import { OrchestrationFigures } from "./orchestration-figures.js";
import type { Unsent } from "./outcome-counts.js";
import { RunCounters, type RunCountersOptions } from "./run-counters.js";
import type { RunBuckets } from "./latency-buckets.js";
import type { IrregularActions } from "./run-counts.js";
import { RunLatencies } from "./run-latencies.js";
import type {
  BreakdownTally,
  Concurrency,
  GeneratorHealth,
  GrowthTally,
  ResultEnvironment,
  RunResult,
  Outage,
  Stall,
  StuckInstance,
  Throughput,
} from "../result/run-result.js";
import type { ResultSoFar } from "./result-so-far.js";
import type { SequenceSet } from "./sequence-set.js";
import type { SeriesSoFar } from "./series.js";
import { StallDetector } from "./stall-detector.js";
import { Timeline, type StartTimes } from "./timeline.js";
import { verdictOf } from "./verdict.js";

const LISTED_STUCK = 100;

/** Facts that are known only after the run has ended. */
export interface RunEnd {
  /** On the client's clock, as all times of a `Start`. */
  readonly endedMs: number;
  readonly interrupted: boolean;
  /** When no more starts were wanted. Those that were due later are not missing. */
  readonly stoppedMs: number;
  readonly neverSent: Iterable<PlannedStart>;
  readonly environment: ResultEnvironment;
  /** Activity results seen in any instance, including unfinished ones. */
  readonly activitiesCompleted: number;
  /** When they were counted; absent if at the end of the run. */
  readonly countedMs?: number;
  /** Activities that the run's own workers executed for anything on the hub; undefined if others took part. */
  readonly activitiesExecuted: number | undefined;
  readonly health: Omit<GeneratorHealth, "heldBack" | "slipMs" | "slipShare" | "slipGrowthMs">;
  /** Details of unfinished instances, perhaps not all of them. */
  readonly stuck: readonly StuckInstance[];
  /** The ids of unfinished instances whose start was never answered. */
  readonly unanswered: readonly string[];
  readonly noticing: Readonly<Record<string, number>>;
  readonly outages: readonly Outage[];
  readonly recount: RunResult["recount"];
  /** Undefined if the content of an orchestration is unknown. */
  readonly irregular: IrregularActions | undefined;
  /** Without fields where no instance was traced. */
  readonly whereTimeWent: Pick<RunResult, "breakdown" | "fanIn" | "workers">;
  /** What the growth of iterations is computed from; absent without any. */
  readonly growth?: GrowthTally | undefined;
  /** What the phases of several generators are merged from; absent where nothing was traced. */
  readonly breakdownTally?: BreakdownTally | undefined;
}

/** What the recorder does not know of a run in progress. */
interface Standing extends Pick<RunEnd, "environment" | "health"> {
  /** As of `soFar`. */
  readonly due?: DueCount | undefined;
}

/**
 * Takes the events of a run in the order of time, and derives a `RunResult` at the end. Its memory grows by only two
 * bits for each start. Pure: it has no clock and does no I/O.
 */
export class Recorder {
  readonly #counters: RunCounters;
  readonly #latencies = new RunLatencies();
  readonly #timeline: Timeline;
  readonly #ofEach: OrchestrationFigures;
  readonly #stalls = new StallDetector();
  readonly #bridge = new ClockBridge<Completion>((completion, time) => this.#place(completion, time));
  readonly #hasResponse: boolean;
  #startedMs = 0;

  /** If the emulator counts activities, `addActivities` passes its counts on. */
  constructor(readonly options: RunCountersOptions) {
    this.#counters = new RunCounters(options);
    this.#timeline = new Timeline(options.plan, options.activitySource);
    this.#ofEach = new OrchestrationFigures(options.plan);
    this.#hasResponse = options.plan.load?.kind !== "closed";
  }

  /** The times of the plan count from now. */
  begin(startedMs: number): void {
    this.#startedMs = startedMs;
  }

  /**
   * The run ended early. Windows, phases and stalls end at this time; counts and latencies go on with what still ends.
   */
  cut(clientMs: number): void {
    const atMs = this.sinceMs(clientMs);
    this.#timeline.cut(atMs);
    this.#ofEach.cut(atMs);
    this.#stalls.cut(atMs);
  }

  /** A start was sent. */
  addSend(start: Start): void {
    const [dueMs, sentMs] = [this.sinceMs(start.intendedMs), this.sinceMs(start.sentMs)];
    const isMeasured = this.#isMeasured(start);
    this.#counters.addStart(start, { isMeasured });
    this.#timeline.addSend(dueMs, sentMs);
    this.#stalls.offered(dueMs);
    this.#stalls.started(sentMs);
    if (isMeasured) this.#latencies.addSend(start);
    this.#ofEach.of(start.sequence)?.addSend(start, dueMs, isMeasured);
  }

  /** The backend acknowledged or refused a start. A refused one also comes to `add`, as failed. */
  addAnswer(start: Start): void {
    if (start.acceptedMs !== undefined) this.accepted.add(start.sequence);
    if (!this.#isMeasured(start)) return;
    this.#latencies.addAnswer(start);
    this.#ofEach.of(start.sequence)?.addAnswer(start);
  }

  /** A start without an answer was accepted nevertheless. The time is unknown. */
  addFound({ sequence }: Start): void {
    this.accepted.add(sequence);
  }

  add(completion: Completion): void {
    const { start, outcome, noticedMs, server } = completion;
    const { sentMs, acceptedMs } = start;
    const atMs = this.sinceMs(noticedMs);
    const isMeasured = this.#isMeasured(start);
    this.#counters.addEnd(completion, { isMeasured });
    this.#ofEach.of(start.sequence)?.addEnd(completion, isMeasured);
    if (completion.refused) this.#stalls.refused(atMs);
    else this.#stalls.ended(atMs, acceptedMs === undefined ? undefined : noticedMs - acceptedMs);
    if (outcome !== "completed") {
      this.#timeline.addNotCompleted(atMs, outcome);
      return;
    }
    if (isMeasured) this.#latencies.addNoticed(completion);
    this.#timeline.addNoticed(this.#timesOf(start), atMs);
    this.#bridge.add(completion, { sentMs, acceptedMs, noticedMs, server });
  }

  /** `total` is the number of completed activities so far. */
  addActivities(clientMs: number, total: number): void {
    const more = this.#counters.addActivities(total);
    if (more === 0) return;
    this.#timeline.addActivities(this.sinceMs(clientMs), more);
    this.#stalls.progress(this.sinceMs(clientMs));
  }

  addRpcErrors(clientMs: number, error: { readonly call: string; readonly status: string }, count: number): void {
    this.#counters.addRpcErrors(error, count);
    this.#timeline.addRpcErrors(this.sinceMs(clientMs), error.status, count);
    this.#stalls.rpcError(this.sinceMs(clientMs), error.status, count);
  }

  /** One of the run's own workers has lost the backend. */
  addReconnect(clientMs: number): void {
    this.#timeline.addReconnect(this.sinceMs(clientMs));
  }

  /** The numbers of the starts that the backend acknowledged. */
  get accepted(): SequenceSet {
    return this.#counters.accepted;
  }

  /** The numbers of the starts that completed. */
  get completed(): SequenceSet {
    return this.#counters.completed;
  }

  /** Starts that were due in the warm-up. */
  get inWarmup(): number {
    return this.#counters.inWarmup;
  }

  get counts(): RunResult["counts"]["orchestrations"] {
    return this.#counters.orchestrations;
  }

  /** The activities that the outputs of completed orchestrations account for. */
  get activitiesAccountedFor(): number {
    return this.#counters.activitiesAccountedFor;
  }

  /** Milliseconds from the start of the run. */
  sinceMs(clientMs: number): number {
    return clientMs - this.#startedMs;
  }

  /** The stall in progress; undefined if there is none. */
  stallAt(clientMs: number): Stall | undefined {
    return this.#stalls.at(this.sinceMs(clientMs));
  }

  /** The figures that a view shows during the run. `due`: see `soFar`. */
  snapshot(nowMs: number, due?: DueCount): RecorderSnapshot {
    const { completed, failed, terminated, unfinished } = this.counts;
    const { heldBack, rpcErrors } = this.#counters;
    const { response, service } = this.#latencies;
    const censored = censoredOf(this.#counters.counts(0, { unsent: this.#unsentOf(due) }));
    return {
      responseMs: this.#hasResponse ? response.summaryNoticed(censored.response) : undefined,
      serviceMs: service.summaryNoticed(censored.service),
      own: {
        completed,
        failed,
        terminated,
        inFlight: unfinished,
        heldBack,
        rpcErrors,
        stall: this.stallAt(nowMs),
        ...(this.options.plan.shard && { idleSinceMs: this.#stalls.idleSinceMs }),
      },
    };
  }

  /** The latencies so far in few buckets, for monitoring. */
  latencyBuckets(): RunBuckets {
    return this.#latencies.buckets({ hasResponse: this.#hasResponse });
  }

  /** The intervals of the run in progress. */
  get seriesSoFar(): SeriesSoFar {
    return this.#timeline.seriesSoFar;
  }

  /** All stalls so far. The last one is open if it is in progress. */
  stallsSoFar(nowMs: number): readonly Stall[] {
    return this.#stalls.close(this.sinceMs(nowMs));
  }

  /** As `StallDetector.idleUntil`. */
  idleSoFar(nowMs: number): readonly NeutralTime[] {
    return this.#stalls.idleUntil(this.sinceMs(nowMs));
  }

  /** The result so far with the verdict as it forms: what a view of the run in progress judges. */
  standing(runId: string, nowMs: number, { environment, health, due }: Standing): ResultSoFar {
    const soFar = this.soFar(runId, nowMs, { environment, due });
    const censored = censoredOf(soFar.counts);
    const measured = { ...soFar, generator: { heldBack: this.#counters.heldBack, ...this.#slip(censored), ...health } };
    return { ...measured, verdict: verdictOf(measured) };
  }

  /** The part of a shard in the result so far of the run. Of `judged` orchestrations it tells latencies. */
  standingPart(
    shard: Shard,
    nowMs: number,
    { judged, ...of }: Standing & { readonly judged: readonly string[] },
  ): StandingPart {
    const { counts, generator, verdict } = this.standing("", nowMs, of);
    return {
      shard,
      atMs: this.sinceMs(nowMs),
      counts,
      accepted: this.accepted.size,
      latencies: this.#latencies.tallyNoticed(),
      window: this.#timeline.windowSoFar,
      ...this.#ofEach.standing(judged, this.#nextStarts(of.due)),
      generator: generator ?? { heldBack: 0 },
      verdict,
    };
  }

  /**
   * The result so far, with everything that thresholds need. Latency lasts until the client noticed. `due` are the
   * starts that were due by now, if the load has a schedule.
   */
  soFar(runId: string, nowMs: number, { environment, due }: Pick<Standing, "environment" | "due">): ResultSoFar {
    const endMs = this.sinceMs(nowMs);
    const throughput = this.#timeline.throughputSoFar(endMs);
    const counts = this.#counters.counts(0, { unsent: this.#unsentOf(due) });
    const censored = censoredOf(counts);
    const hasResponse = this.#hasResponse;
    return {
      ...this.#head(runId, endMs, environment),
      counts,
      ...(throughput && { throughput }),
      latencyMs: this.#latencies.summariesNoticed(censored, { hasResponse }),
      leastLatencyMs: this.#latencies.summariesLeast(censored, { hasResponse }),
      ...this.#ofEach.soFar(this.#nextStarts(due)),
    };
  }

  close(runId: string, end: RunEnd): RunResult {
    const measured = this.#close(runId, end);
    return { ...measured, verdict: verdictOf(measured) };
  }

  #close(runId: string, end: RunEnd): Omit<RunResult, "verdict"> {
    const endMs = this.sinceMs(end.endedMs);
    const neverSent = this.#addNeverSent(end);
    const stalls = this.#stalls.close(endMs);
    this.#bridge.flush();
    this.addActivities(end.countedMs ?? end.endedMs, Math.max(end.activitiesCompleted, this.activitiesAccountedFor));
    const hasResponse = this.#hasResponse;
    const { response, service } = this.#latencies;
    const { unfinished, terminated } = this.counts;
    const isSettled = !end.interrupted && neverSent + unfinished + terminated === 0;
    const throughput = this.#timeline.throughput(endMs, isSettled, end.irregular);
    const clock = this.#bridge.summary();
    const concurrency = this.#concurrency(throughput);
    const orchestrations = this.counts;
    const { activitiesExecuted: activities, environment } = end;
    const executed = activities === undefined ? undefined : { activities, hub: environment.hub };
    const counts = this.#counters.counts(neverSent, { executed, irregular: end.irregular });
    const censored = censoredOf(counts);
    return {
      ...this.#head(runId, endMs, end.environment),
      interrupted: end.interrupted,
      counts,
      ...(throughput && { throughput }),
      latencyMs: this.#latencies.summaries(censored, { hasResponse }),
      ...this.#ofEach.close(throughput, isSettled),
      ...this.#timeline.close(endMs, isSettled, { response: response.until, service: service.until }),
      ...(end.outages.length > 0 && { outages: end.outages }),
      ...(stalls.length > 0 && { stalls }),
      generator: {
        heldBack: this.#counters.heldBack,
        ...this.#slip(censored),
        ...end.health,
      },
      ...(clock && { clock }),
      ...(concurrency && { concurrency }),
      noticing: end.noticing,
      ...end.whereTimeWent,
      ...(end.recount && { recount: end.recount }),
      ...(orchestrations.failed > 0 && { failures: { total: orchestrations.failed, first: this.#counters.failures } }),
      ...(orchestrations.unfinished > 0 && {
        stuck: { total: orchestrations.unfinished, first: end.stuck.slice(0, LISTED_STUCK) },
      }),
      ...(end.unanswered.length > 0 && {
        unanswered: { total: end.unanswered.length, first: end.unanswered.slice(0, LISTED_STUCK) },
      }),
      histograms: this.#latencies.encoded({ hasResponse }),
      ...(this.options.plan.shard && {
        tally: {
          isSettled,
          accepted: this.accepted.size,
          neverSent,
          idle: this.#stalls.idleUntil(endMs),
          ...(end.irregular && { irregular: end.irregular }),
          latencies: this.#latencies.tally(),
          ...this.#timeline.tally(),
          ...(end.growth && { growth: end.growth }),
          ...(end.breakdownTally && { breakdown: end.breakdownTally }),
        },
      }),
    };
  }

  #slip(censored: Censored): Pick<GeneratorHealth, "slipMs" | "slipShare" | "slipGrowthMs"> {
    const { unheldSlip: slipMs } = this.#latencies;
    const { load, warmupMs = 0 } = this.options.plan;
    if (load?.kind !== "open") return slipMs ? { slipMs } : {};
    const slipShare = this.#latencies.slipShares(censored);
    const slipGrowthMs = this.#latencies.slipGrowthMs((lengthOf(this.options.plan) ?? 0) - warmupMs);
    return { ...(slipMs && { slipMs, slipGrowthMs }), ...(slipShare && { slipShare }) };
  }

  #head(runId: string, durationMs: number, environment: ResultEnvironment) {
    const startedAt = new Date(this.#startedMs).toISOString();
    return {
      schemaVersion: 1,
      runId,
      startedAt,
      durationMs,
      interrupted: false,
      plan: this.options.plan,
      environment,
    } as const;
  }

  /** Returns their number. Starts that were not due when the load ended were not offered. */
  #addNeverSent({ neverSent, stoppedMs }: RunEnd): number {
    const untilMs = this.sinceMs(stoppedMs);
    let count = 0;
    for (const { sequence, dueMs } of neverSent) {
      count += 1;
      if (dueMs > untilMs) continue;
      const isMeasured = dueMs >= this.#warmupMs;
      this.#counters.addUnsent({ isMeasured });
      this.#ofEach.of(sequence)?.addUnsent(isMeasured);
      this.#timeline.addNeverSent(dueMs);
      this.#stalls.offered(dueMs);
    }
    return count;
  }

  #unsentOf(due: DueCount | undefined): Unsent {
    if (due === undefined) return { all: 0, measured: 0 };
    const { started } = this.counts;
    return {
      all: Math.max(0, due.all - started),
      measured: Math.max(0, due.all - Math.max(started, due.inWarmup)),
    };
  }

  /** The starts that are due and not sent. */
  *#nextStarts(due: DueCount | undefined): Iterable<{ readonly sequence: number; readonly isMeasured: boolean }> {
    if (due === undefined) return;
    for (let ordinal = this.counts.started; ordinal < due.all; ordinal += 1)
      yield { sequence: sequenceOfShard(ordinal, this.options.plan.shard), isMeasured: ordinal >= due.inWarmup };
  }

  #place(completion: Completion, time: BridgedTime | undefined): void {
    const { start, noticedMs } = completion;
    const part = this.#ofEach.of(start.sequence);
    if (time && this.#isMeasured(start)) {
      this.#latencies.addBridged(completion, time);
      part?.addBridged(completion, time);
    }
    const placed = time && { ...time, completedMs: this.sinceMs(time.completedMs) };
    const atMs = this.#timeline.addPlaced(this.#timesOf(start), this.sinceMs(noticedMs), placed);
    part?.addCompleted(atMs, this.sinceMs(start.intendedMs));
    this.#counters.addPlaced();
  }

  #timesOf({ intendedMs, acceptedMs }: Start): StartTimes {
    return {
      dueMs: this.sinceMs(intendedMs),
      acceptedMs: acceptedMs === undefined ? undefined : this.sinceMs(acceptedMs),
    };
  }

  #isMeasured({ intendedMs }: Start): boolean {
    return this.sinceMs(intendedMs) >= this.#warmupMs;
  }

  get #warmupMs(): number {
    return this.options.plan.warmupMs ?? 0;
  }

  #concurrency(throughput: Throughput | undefined): Concurrency | undefined {
    const { load, parallelOrchestrations, shard } = this.options.plan;
    const { meanMs } = this.#latencies.service;
    if (load?.kind !== "closed" || !throughput || meanMs === undefined) return undefined;
    const effective = (throughput.orchestrationsPerSecond * meanMs) / 1_000;
    return { planned: partOf(parallelOrchestrations ?? 1, shard), effective };
  }
}

/** The part of a `LiveSnapshot` that a recorder knows. */
type RecorderSnapshot = Required<Pick<LiveSnapshot, "responseMs" | "serviceMs" | "own">>;
