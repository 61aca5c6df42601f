import { ClockBridge } from "./clock-bridge.js";
import type { Completion, Start } from "./completion.js";
import { lengthOf } from "../result/load-shape.js";
import type { LiveSnapshot } from "./live-snapshot.js";
import { RunCounters, type RunCountersOptions } from "./run-counters.js";
import type { IrregularActions } from "./run-counts.js";
import { RunLatencies, type BridgedTime } from "./run-latencies.js";
import type {
  Concurrency,
  GeneratorHealth,
  ResultEnvironment,
  RunResult,
  Stall,
  StuckInstance,
  Throughput,
} from "../result/run-result.js";
import type { SequenceSet } from "./sequence-set.js";
import { StallDetector } from "./stall-detector.js";
import { Timeline, type StartTimes } from "./timeline.js";
import { verdictOf } from "./verdict.js";

const LISTED_STUCK = 100;

/** What is known only when the run has ended. */
export interface RunEnd {
  /** On the client's clock, as all times of a `Start`. */
  readonly endedMs: number;
  readonly interrupted: boolean;
  /** When starts were due that never left, in milliseconds from the start of the run. */
  readonly neverSentMs: Iterable<number>;
  readonly environment: ResultEnvironment;
  /** Activity results seen in any instance, unfinished ones included. */
  readonly activitiesCompleted: number;
  /** Of whatever was on the hub, by the run's own workers; undefined where others did the work. */
  readonly activitiesExecuted: number | undefined;
  readonly health: Omit<GeneratorHealth, "heldBack" | "slipMs" | "slipShare" | "slipGrowthMs">;
  /** What was asked about the unfinished; need not be all of them. */
  readonly stuck: readonly StuckInstance[];
  /** Those of the unfinished whose start was never answered, by their ids. */
  readonly unanswered: readonly string[];
  readonly noticing: Readonly<Record<string, number>>;
  readonly recount: RunResult["recount"];
  /** Undefined where what an orchestration does is not known. */
  readonly irregular: IrregularActions | undefined;
}

/**
 * Takes what happens in a run as it comes, in the order of time, and derives a `RunResult` at the end, in memory that
 * does not grow with the number of starts but for two bits each. Pure: it has no clock and does no I/O.
 */
export class Recorder {
  readonly #counters: RunCounters;
  readonly #latencies = new RunLatencies();
  readonly #timeline: Timeline;
  readonly #stalls = new StallDetector();
  readonly #bridge = new ClockBridge<Completion>((completion, time) => this.#place(completion, time));
  readonly #hasResponse: boolean;
  #startedMs = 0;

  /** Where the emulator is the source of activities, `addActivities` hands on what it says. */
  constructor(readonly options: RunCountersOptions) {
    this.#counters = new RunCounters(options);
    this.#timeline = new Timeline(options.plan, options.activitySource);
    this.#hasResponse = options.plan.load?.kind !== "closed";
  }

  /** The plan's times count from now on. */
  begin(startedMs: number): void {
    this.#startedMs = startedMs;
  }

  /** A start leaves. */
  addSend(start: Start): void {
    const [dueMs, sentMs] = [this.sinceMs(start.intendedMs), this.sinceMs(start.sentMs)];
    const isMeasured = this.#isMeasured(start);
    this.#counters.addStart(start, { isMeasured });
    this.#timeline.addSend(dueMs, sentMs);
    this.#stalls.offered(dueMs);
    this.#stalls.started(sentMs);
    if (isMeasured) this.#latencies.addSend(start);
  }

  /** The backend has acknowledged or refused a start; a refused one also comes to `add`, as failed. */
  addAnswer(start: Start): void {
    if (start.acceptedMs !== undefined) this.accepted.add(start.sequence);
    if (this.#isMeasured(start)) this.#latencies.addAnswer(start);
  }

  /** A start that was not answered was accepted all the same; when, is not known. */
  addFound({ sequence }: Start): void {
    this.accepted.add(sequence);
  }

  add(completion: Completion): void {
    const { start, outcome, noticedMs, server } = completion;
    const { sentMs, acceptedMs } = start;
    const atMs = this.sinceMs(noticedMs);
    this.#counters.addEnd(completion);
    this.#stalls.ended(atMs, acceptedMs === undefined ? undefined : noticedMs - acceptedMs);
    if (outcome !== "completed") {
      this.#timeline.addNotCompleted(atMs, outcome);
      return;
    }
    if (this.#isMeasured(start)) this.#latencies.addNoticed(completion);
    this.#timeline.addNoticed(this.#timesOf(start), atMs);
    this.#bridge.add(completion, { sentMs, acceptedMs, noticedMs, server });
  }

  /** So many activities are known to have completed in all. */
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

  /** A worker of the run's own has lost the backend. */
  addReconnect(clientMs: number): void {
    this.#timeline.addReconnect(this.sinceMs(clientMs));
  }

  /** The numbers of the starts that the backend acknowledged. */
  get accepted(): SequenceSet {
    return this.#counters.accepted;
  }

  /** The numbers of those that completed. */
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

  /** Activities whose results the outputs of completed orchestrations account for. */
  get activitiesAccountedFor(): number {
    return this.#counters.activitiesAccountedFor;
  }

  /** Milliseconds from the start of the run. */
  sinceMs(clientMs: number): number {
    return clientMs - this.#startedMs;
  }

  /** The stall that goes on; undefined while there is none. */
  stallAt(clientMs: number): Stall | undefined {
    return this.#stalls.at(this.sinceMs(clientMs));
  }

  /** What a view shows while the run goes on. */
  snapshot(nowMs: number): RecorderSnapshot {
    const { completed, failed, terminated, unfinished } = this.counts;
    const { heldBack, rpcErrors } = this.#counters;
    const { response, service } = this.#latencies;
    return {
      responseMs: this.#hasResponse ? response.summaryNoticed(this.#counters.censored) : undefined,
      serviceMs: service.summaryNoticed(this.#counters.censored),
      own: {
        completed,
        failed,
        terminated,
        inFlight: unfinished,
        heldBack,
        rpcErrors,
        stall: this.stallAt(nowMs),
      },
    };
  }

  /** As far as the run is by now, with what a threshold can be judged by: latency as the client noticed it. */
  soFar(runId: string, nowMs: number, environment: ResultEnvironment): RunResult {
    const endMs = this.sinceMs(nowMs);
    const throughput = this.#timeline.throughputSoFar(endMs);
    return {
      ...this.#head(runId, endMs, environment),
      counts: this.#counters.counts(0),
      ...(throughput && { throughput }),
      latencyMs: this.#latencies.summariesNoticed(this.#counters.censored, { hasResponse: this.#hasResponse }),
    };
  }

  close(runId: string, end: RunEnd): RunResult {
    const measured = this.#close(runId, end);
    return { ...measured, verdict: verdictOf(measured) };
  }

  #close(runId: string, end: RunEnd): Omit<RunResult, "verdict"> {
    const endMs = this.sinceMs(end.endedMs);
    const neverSent = this.#addNeverSent(end.neverSentMs, endMs);
    const stalls = this.#stalls.close(endMs);
    this.#bridge.flush();
    this.addActivities(end.endedMs, Math.max(end.activitiesCompleted, this.activitiesAccountedFor));
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
    return {
      ...this.#head(runId, endMs, end.environment),
      interrupted: end.interrupted,
      counts: this.#counters.counts(neverSent, { executed, irregular: end.irregular }),
      ...(throughput && { throughput }),
      latencyMs: this.#latencies.summaries(this.#counters.censored, { hasResponse }),
      ...this.#timeline.close(endMs, isSettled, { response: response.until, service: service.until }),
      ...(stalls.length > 0 && { stalls }),
      generator: {
        heldBack: this.#counters.heldBack,
        ...this.#slip(),
        ...end.health,
      },
      ...(clock && { clock }),
      ...(concurrency && { concurrency }),
      noticing: end.noticing,
      ...(end.recount && { recount: end.recount }),
      ...(orchestrations.failed > 0 && { failures: { total: orchestrations.failed, first: this.#counters.failures } }),
      ...(orchestrations.unfinished > 0 && {
        stuck: { total: orchestrations.unfinished, first: end.stuck.slice(0, LISTED_STUCK) },
      }),
      ...(end.unanswered.length > 0 && {
        unanswered: { total: end.unanswered.length, first: end.unanswered.slice(0, LISTED_STUCK) },
      }),
      histograms: this.#latencies.encoded({ hasResponse }),
    };
  }

  #slip(): Pick<GeneratorHealth, "slipMs" | "slipShare" | "slipGrowthMs"> {
    const { unheldSlip: slipMs } = this.#latencies;
    const { load, warmupMs = 0 } = this.options.plan;
    if (load?.kind !== "open") return slipMs ? { slipMs } : {};
    const slipShare = this.#latencies.slipShares(this.#counters.censored);
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

  /** Returns how many; those that were not due yet when the run ended were not offered. */
  #addNeverSent(neverSentMs: Iterable<number>, endMs: number): number {
    let count = 0;
    for (const dueMs of neverSentMs) {
      count += 1;
      if (dueMs > endMs) continue;
      this.#timeline.addNeverSent(dueMs);
      this.#stalls.offered(dueMs);
    }
    return count;
  }

  #place(completion: Completion, time: BridgedTime | undefined): void {
    const { start, noticedMs } = completion;
    if (time && this.#isMeasured(start)) this.#latencies.addBridged(completion, time);
    const placed = time && { ...time, completedMs: this.sinceMs(time.completedMs) };
    this.#timeline.addPlaced(this.#timesOf(start), this.sinceMs(noticedMs), placed);
    this.#counters.addPlaced();
  }

  #timesOf({ intendedMs, acceptedMs }: Start): StartTimes {
    return {
      dueMs: this.sinceMs(intendedMs),
      acceptedMs: acceptedMs === undefined ? undefined : this.sinceMs(acceptedMs),
    };
  }

  #isMeasured({ intendedMs }: Start): boolean {
    return this.sinceMs(intendedMs) >= (this.options.plan.warmupMs ?? 0);
  }

  #concurrency(throughput: Throughput | undefined): Concurrency | undefined {
    const { load, parallelOrchestrations } = this.options.plan;
    const { meanMs } = this.#latencies.service;
    if (load?.kind !== "closed" || !throughput || meanMs === undefined) return undefined;
    const effective = (throughput.orchestrationsPerSecond * meanMs) / 1_000;
    return { planned: parallelOrchestrations ?? 1, effective };
  }
}

/** The part of a `LiveSnapshot` that a recorder knows. */
type RecorderSnapshot = Required<Pick<LiveSnapshot, "responseMs" | "serviceMs" | "own">>;
