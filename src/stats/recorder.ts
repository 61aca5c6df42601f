import { ClockBridge } from "./clock-bridge.js";
import type { Completion, Start } from "./completion.js";
import { lengthOf } from "../result/load-shape.js";
import type { LiveSnapshot } from "./live-snapshot.js";
import { countsOf, type Counted, type IrregularActions } from "./run-counts.js";
import { RunLatencies, type BridgedTime } from "./run-latencies.js";
import type {
  Concurrency,
  FailedInstance,
  GeneratorHealth,
  ResultEnvironment,
  ResultPlan,
  RunResult,
  Stall,
  StuckInstance,
  Throughput,
} from "../result/run-result.js";
import { activitiesOf } from "../result/run-size.js";
import { SequenceSet } from "./sequence-set.js";
import { StallDetector } from "./stall-detector.js";
import { Timeline, type StartTimes } from "./timeline.js";
import { verdictOf } from "./verdict.js";

const LISTED_FAILURES = 10;
const LISTED_STUCK = 100;

export interface RecorderOptions {
  readonly plan: ResultPlan;
  /** Who counts activities: the emulator, which `addActivities` hands on, or each completion. */
  readonly activitySource: "emulator" | "completions";
}

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
  /** The numbers of the starts that the backend acknowledged. */
  readonly accepted = new SequenceSet();
  /** The numbers of those that completed. */
  readonly completed = new SequenceSet();
  readonly #latencies = new RunLatencies();
  readonly #timeline: Timeline;
  readonly #stalls = new StallDetector();
  readonly #bridge = new ClockBridge<Completion>((completion, time) => this.#place(completion, time));
  readonly #ended = { completed: 0, failed: 0, terminated: 0 };
  readonly #failures: FailedInstance[] = [];
  readonly #rpcErrors: Record<string, number> = {};
  readonly #rpcErrorsByCall: Record<string, Record<string, number>> = {};
  readonly #hasResponse: boolean;
  #startedMs = 0;
  #started = 0;
  #inWarmup = 0;
  #heldBack = 0;
  #activities = 0;

  constructor(readonly options: RecorderOptions) {
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
    this.#started += 1;
    if (start.heldBack) this.#heldBack += 1;
    this.#timeline.addSend(dueMs, sentMs);
    this.#stalls.offered(dueMs);
    this.#stalls.started(sentMs);
    if (this.#isMeasured(start)) this.#latencies.addSend(start);
    else this.#inWarmup += 1;
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
    this.#ended[outcome] += 1;
    this.#stalls.ended(atMs, acceptedMs === undefined ? undefined : noticedMs - acceptedMs);
    if (outcome === "failed") this.#listFailure(completion);
    if (outcome !== "completed") {
      this.#timeline.addNotCompleted(atMs, outcome);
      return;
    }
    this.completed.add(start.sequence);
    if (this.#isMeasured(start)) this.#latencies.addNoticed(completion);
    this.#timeline.addNoticed(this.#timesOf(start), atMs);
    this.#bridge.add(completion, { sentMs, acceptedMs, noticedMs, server });
  }

  /** So many activities are known to have completed in all. */
  addActivities(clientMs: number, total: number): void {
    const more = total - this.#activities;
    if (more <= 0) return;
    this.#activities = total;
    this.#timeline.addActivities(this.sinceMs(clientMs), more);
    this.#stalls.progress(this.sinceMs(clientMs));
  }

  addRpcErrors(clientMs: number, { call, status }: { readonly call: string; readonly status: string }, count: number) {
    const ofCall = (this.#rpcErrorsByCall[call] ??= {});
    ofCall[status] = (ofCall[status] ?? 0) + count;
    this.#rpcErrors[status] = (this.#rpcErrors[status] ?? 0) + count;
    this.#timeline.addRpcErrors(this.sinceMs(clientMs), status, count);
    this.#stalls.rpcError(this.sinceMs(clientMs), status, count);
  }

  /** A worker of the run's own has lost the backend. */
  addReconnect(clientMs: number): void {
    this.#timeline.addReconnect(this.sinceMs(clientMs));
  }

  /** Starts that were due in the warm-up. */
  get inWarmup(): number {
    return this.#inWarmup;
  }

  get counts(): RunResult["counts"]["orchestrations"] {
    const { completed, failed, terminated } = this.#ended;
    const unfinished = this.#started - completed - failed - terminated;
    return { started: this.#started, completed, failed, terminated, unfinished };
  }

  /** Activities whose results the outputs of completed orchestrations account for. */
  get activitiesAccountedFor(): number {
    return this.#ended.completed * (activitiesOf(this.options.plan) ?? 0);
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
    const { completed, failed, terminated } = this.#ended;
    const { response, service } = this.#latencies;
    return {
      responseMs: this.#hasResponse ? response.summaryNoticed(this.#censored) : undefined,
      serviceMs: service.summaryNoticed(this.#censored),
      own: {
        completed,
        failed,
        terminated,
        inFlight: this.counts.unfinished,
        heldBack: this.#heldBack,
        rpcErrors: this.#rpcErrors,
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
      counts: this.#counts(0),
      ...(throughput && { throughput }),
      latencyMs: this.#latencies.summariesNoticed(this.#censored, { hasResponse: this.#hasResponse }),
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
      counts: this.#counts(neverSent, { executed, irregular: end.irregular }),
      ...(throughput && { throughput }),
      latencyMs: this.#latencies.summaries(this.#censored, { hasResponse }),
      ...this.#timeline.close(endMs, isSettled, { response: response.until, service: service.until }),
      ...(stalls.length > 0 && { stalls }),
      generator: {
        heldBack: this.#heldBack,
        ...this.#slip(),
        ...end.health,
      },
      ...(clock && { clock }),
      ...(concurrency && { concurrency }),
      noticing: end.noticing,
      ...(end.recount && { recount: end.recount }),
      ...(orchestrations.failed > 0 && { failures: { total: orchestrations.failed, first: this.#failures } }),
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
    const slipShare = this.#latencies.slipShares(this.#censored);
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

  #counts(neverSent: number, atEnd: Pick<Counted, "executed" | "irregular"> = {}): RunResult["counts"] {
    return countsOf(this.options.plan, {
      orchestrations: this.counts,
      accepted: this.accepted.size,
      inWarmup: this.#inWarmup,
      neverSent,
      activities: this.#activities,
      activitySource: this.options.activitySource,
      rpcErrors: this.#rpcErrors,
      rpcErrorsByCall: this.#rpcErrorsByCall,
      ...atEnd,
    });
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
    if (this.options.activitySource === "completions") this.#activities += activitiesOf(this.options.plan) ?? 0;
  }

  #timesOf({ intendedMs, acceptedMs }: Start): StartTimes {
    return {
      dueMs: this.sinceMs(intendedMs),
      acceptedMs: acceptedMs === undefined ? undefined : this.sinceMs(acceptedMs),
    };
  }

  #listFailure({ start, failure }: Completion): void {
    if (this.#failures.length >= LISTED_FAILURES) return;
    const { type, message } = failure ?? { type: "Unknown", message: "the backend gave no reason" };
    this.#failures.push({ instanceId: start.instanceId, type, message });
  }

  #isMeasured({ intendedMs }: Start): boolean {
    return this.sinceMs(intendedMs) >= (this.options.plan.warmupMs ?? 0);
  }

  /** The share of the started that a longer run might have shown to be the slowest: a terminated one was cut off too. */
  get #censored(): number {
    const { started, terminated, unfinished } = this.counts;
    return started === 0 ? 0 : (unfinished + terminated) / started;
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
