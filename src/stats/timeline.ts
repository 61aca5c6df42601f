import { Phases } from "./phases.js";
import type { BridgedTime } from "./clock-bridge.js";
import type { IrregularActions } from "./run-counts.js";
import type { ResultPlan, RunResult, RunTally, Throughput, WindowTally } from "../result/run-result.js";
import { activitiesOf, furtherActionsOf, mayFail } from "../result/run-size.js";
import { Series, type SeriesSoFar } from "./series.js";
import { ThroughputWindow } from "./throughput-window.js";

/**
 * A completion whose time on the backend's clock is known this precisely has that time. Any other has the time of
 * noticing.
 */
const CLOSE_MS = 50;

/** When a start was due and accepted, in milliseconds from the start of the run, as all times here. */
export interface StartTimes {
  readonly dueMs: number;
  /** Undefined if the backend refused it. */
  readonly acceptedMs: number | undefined;
}

/** The events in time: in intervals, in the parts of the load, and in the window of the throughput. */
export class Timeline {
  readonly #series = new Series();
  readonly #phases: Phases;
  readonly #window: ThroughputWindow;
  /** By the time of noticing, which is known at once. `#window` is some seconds behind. */
  readonly #windowSoFar: ThroughputWindow;
  /** The activities that each completion is credited with, if nobody else counts them. */
  readonly #credited: number;
  readonly #hasResponse: boolean;

  constructor(
    readonly plan: ResultPlan,
    activitySource: "emulator" | "completions",
  ) {
    this.#phases = new Phases(plan);
    this.#window = new ThroughputWindow(plan);
    this.#windowSoFar = new ThroughputWindow(plan);
    this.#credited = activitySource === "completions" ? (activitiesOf(plan) ?? 0) : 0;
    this.#hasResponse = plan.load?.kind !== "closed";
  }

  tally(): Pick<RunTally, "window" | "phases" | "series"> {
    return { window: this.#window.tally(), phases: this.#phases.tally(), series: this.#series.tally() };
  }

  /** Adds everything of another generator with the same plan, whose times count from the same moment. */
  absorb({ window, phases, series }: Pick<RunTally, "window" | "phases" | "series">): void {
    this.#window.absorb(window);
    this.#phases.absorb(phases);
    this.#series.absorb(series);
  }

  /** The run ended early at this time. What completes later counts in the last interval, and in no window. */
  cut(atMs: number): void {
    this.#phases.cut(atMs);
    this.#window.cut(atMs);
    this.#windowSoFar.cut(atMs);
  }

  get seriesSoFar(): SeriesSoFar {
    return this.#series.soFar;
  }

  addSend(dueMs: number, sentMs: number): void {
    this.#series.addOffered(dueMs);
    this.#series.addStart(sentMs);
    this.#window.addStart(dueMs);
    this.#windowSoFar.addStart(dueMs);
    const phase = this.#phases.dueAt(dueMs);
    if (phase) phase.started += 1;
  }

  /** A start was due and never sent. */
  addNeverSent(dueMs: number): void {
    this.#series.addOffered(dueMs);
    const phase = this.#phases.dueAt(dueMs);
    if (phase) phase.unsent += 1;
  }

  addNotCompleted(noticedMs: number, outcome: "failed" | "terminated"): void {
    this.#series.addEnd(noticedMs, outcome);
    this.#window.addNotCompleted(noticedMs);
  }

  /** A start has completed, by the time of noticing. `addPlaced` follows. */
  addNoticed({ dueMs, acceptedMs }: StartTimes, noticedMs: number): void {
    this.#series.addNoticed(noticedMs);
    this.#windowSoFar.addCompleted(noticedMs, dueMs);
    this.#windowSoFar.addActivities(noticedMs, this.#credited);
    const phase = this.#phases.dueAt(dueMs);
    if (phase) phase.completed += 1;
    phase?.response.addNoticed(noticedMs - dueMs);
    if (acceptedMs !== undefined) phase?.service.addNoticed(noticedMs - acceptedMs);
    this.#addLatencies("noticed", { dueMs, acceptedMs }, noticedMs);
  }

  /**
   * The time of a completion is known as well as it will be. `time` is undefined if the backend did not report it.
   * Returns the time at which the completion counts.
   */
  addPlaced(start: StartTimes, noticedMs: number, time: BridgedTime | undefined): number {
    if (time) this.#addCrossing(start, time);
    const atMs = time && time.boundMs <= CLOSE_MS ? time.completedMs : noticedMs;
    this.#series.addEnd(atMs, "completed");
    this.#phases.addCompletion(atMs);
    this.#window.addCompleted(atMs, start.dueMs);
    this.#series.addActivities(atMs, this.#credited);
    this.#window.addActivities(atMs, this.#credited);
    return atMs;
  }

  /** `count` more activities have completed, by a count from elsewhere. */
  addActivities(atMs: number, count: number): void {
    this.#series.addActivities(atMs, count);
    this.#window.addActivities(atMs, count);
    this.#windowSoFar.addActivities(atMs, count);
  }

  addRpcErrors(atMs: number, status: string, count: number): void {
    this.#series.addRpcError(atMs, status, count);
  }

  addReconnect(atMs: number): void {
    this.#series.addReconnect(atMs);
  }

  /** By the time of noticing, for a merge. */
  get windowSoFar(): WindowTally {
    return this.#windowSoFar.tally();
  }

  /** As `ThroughputWindow.throughput`, by the time of noticing. */
  throughputSoFar(endMs: number): Throughput | undefined {
    return this.#windowSoFar.throughput(endMs, false);
  }

  /** As `ThroughputWindow.throughput`. */
  throughput(endMs: number, isSettled: boolean, irregular: IrregularActions | undefined): Throughput | undefined {
    return this.#window.throughput(endMs, isSettled, irregular);
  }

  /** `until` is the end of the run's own latencies. */
  close(
    endMs: number,
    isSettled: boolean,
    until: { readonly response: "completed" | "noticed"; readonly service: "completed" | "noticed" },
  ): Pick<RunResult, "phases" | "series"> {
    const hasResponse = this.#hasResponse;
    const phases = this.#phases.close(endMs, { hasResponse, isSettled });
    const series = this.#series.close(endMs, {
      until,
      hasResponse,
      hasActivities: activitiesOf(this.plan) !== undefined,
      hasActions: activitiesOf(this.plan) !== undefined && !mayFail(this.plan),
      furtherActions: furtherActionsOf(this.plan),
    });
    return { ...(phases && { phases }), series };
  }

  #addCrossing(start: StartTimes, { completedMs, boundMs }: BridgedTime): void {
    const { dueMs, acceptedMs } = start;
    const phase = this.#phases.dueAt(dueMs);
    phase?.response.addCompleted(completedMs - dueMs, boundMs);
    if (acceptedMs !== undefined) phase?.service.addCompleted(completedMs - acceptedMs, boundMs);
    this.#addLatencies("completed", start, completedMs);
  }

  #addLatencies(until: "completed" | "noticed", { dueMs, acceptedMs }: StartTimes, endMs: number): void {
    if (this.#hasResponse) this.#series.addLatency("response", until, dueMs, Math.max(0, endMs - dueMs));
    if (acceptedMs !== undefined) this.#series.addLatency("service", until, dueMs, Math.max(0, endMs - acceptedMs));
  }
}
