import type { NeutralTime } from "./common-spans.js";
import { Rhythm } from "./rhythm.js";
import type { Stall } from "../result/run-result.js";

/** Shorter stalls are ignored. */
const SHORTEST_MS = 500;
const MOST_KEPT = 100;

/**
 * Finds the stalls of a run: times of at least half a second in which work was in flight and nothing completed, for
 * longer than the run's own rhythm explains (`Rhythm` has the rule).
 * A stall begins with the last progress before it, or with the start that ended an idle time. It lasts until there is
 * progress, until nothing is in flight, or until the run ends. Its `inFlight` is the maximum during it.
 * Events must come in the order of time, except `offered`. Times are milliseconds from the start of the run. The memory
 * is constant: the longest hundred stalls are kept. Stalls do not change the rhythm, nor do the service times of
 * instances that were in flight during one. Freezing never becomes normal.
 */
export class StallDetector {
  readonly #rhythm = new Rhythm();
  #stalls: readonly EndedSilence[] = [];
  #stalledUntilMs = Number.NEGATIVE_INFINITY;
  #inFlight = 0;
  #nowMs = 0;
  #isCut = false;
  /** Undefined while nothing is in flight. */
  #silence: Silence | undefined;
  /** Since when nothing is in flight; undefined while something is. */
  #idleSinceMs: number | undefined = 0;
  #idle: readonly NeutralTime[] = [];
  /** The last one, until there is progress. It goes on if what ended it is refused. */
  #idleBefore: NeutralTime | undefined;
  /** Starts that came due while nothing was in flight. */
  #offeredInIdle = 0;
  #isFirst = true;

  /**
   * A start was due. A start that was held back is reported when it is sent, and counts in the stall in which it was
   * due.
   */
  offered(dueMs: number): void {
    if (dueMs < this.#stalledUntilMs) {
      const stall = this.#stalls.findLast(({ silence }) => silence.fromMs <= dueMs);
      if (stall && dueMs < stall.toMs) stall.silence.offered += 1;
    } else if (!this.#silence) {
      this.#offeredInIdle += 1;
    } else if (dueMs >= this.#silence.fromMs) {
      this.#silence.offered += 1;
    }
  }

  /** The run ended early at this time. What happens later, such as the end of what is terminated, is no part of it. */
  cut(atMs: number): void {
    this.#advance(atMs);
    this.#isCut = true;
  }

  /** A start was sent. */
  started(sentMs: number): void {
    if (this.#isCut) return;
    const atMs = this.#advance(sentMs);
    this.#inFlight += 1;
    if (this.#idleSinceMs !== undefined) this.#idleBefore = { fromMs: this.#idleSinceMs, toMs: atMs };
    this.#idleSinceMs = undefined;
    this.#silence ??= new Silence(atMs, this.#offeredInIdle);
    this.#silence.mostInFlight = Math.max(this.#silence.mostInFlight, this.#inFlight);
  }

  /**
   * An instance has ended. `serviceMs` is its time since the backend accepted it; undefined if the answer to its start
   * was lost.
   */
  ended(endedMs: number, serviceMs: number | undefined): void {
    if (this.#isCut) return;
    const atMs = this.#advance(endedMs);
    this.#inFlight = Math.max(0, this.#inFlight - 1);
    this.#progressAt(atMs);
    if (this.#inFlight === 0) this.#idleSinceMs ??= atMs;
    const wasStalled = serviceMs !== undefined && atMs - serviceMs < this.#stalledUntilMs;
    this.#rhythm.addEnd(wasStalled ? undefined : serviceMs);
  }

  /** The backend refused a start, so that no work was done. */
  refused(refusedMs: number): void {
    if (this.#isCut) return;
    const atMs = this.#advance(refusedMs);
    this.#inFlight = Math.max(0, this.#inFlight - 1);
    if (this.#inFlight > 0) return;
    this.#endSilence(atMs);
    this.#idleSinceMs = this.#idleBefore?.fromMs ?? atMs;
    this.#idleBefore = undefined;
  }

  /** Activities have completed. */
  progress(progressMs: number): void {
    if (!this.#isCut) this.#progressAt(this.#advance(progressMs));
  }

  /** Attempts at a call have failed with a gRPC status. */
  rpcError(atMs: number, status: string, count = 1): void {
    if (this.#isCut) return;
    this.#advance(atMs);
    this.#silence?.addRpcErrors(status, count);
  }

  /** The stall in progress, if there is one. Changes nothing, so a live view may call it at any time. */
  at(atMs: number): Stall | undefined {
    const nowMs = this.#isCut ? Math.min(atMs, this.#nowMs) : atMs;
    const silence = this.#silence;
    if (!silence) return undefined;
    const inFlightMs = silence.inFlightMs + this.#inFlight * Math.max(0, nowMs - this.#nowMs);
    return this.#isStall(silence.fromMs, nowMs, inFlightMs) ? { ...silence.stallUntil(nowMs), open: true } : undefined;
  }

  /** In the order of time. The last one is open if it was still in progress. */
  close(endMs: number): readonly Stall[] {
    const ended = this.#stalls.map(({ silence, toMs }) => silence.stallUntil(toMs));
    const open = this.at(endMs);
    return open ? [...ended, open] : ended;
  }

  /** Since when nothing is in flight; undefined while something is. */
  get idleSinceMs(): number | undefined {
    return this.#idleSinceMs;
  }

  /** The longest times in which nothing was in flight, in the order of time. */
  idleUntil(endMs: number): readonly NeutralTime[] {
    const idle = this.#idleBefore ? [...this.#idle, this.#idleBefore] : this.#idle;
    const fromMs = this.#idleSinceMs;
    return fromMs === undefined ? idle : [...idle, { fromMs, toMs: Math.max(endMs, fromMs) }];
  }

  #keepIdle(): void {
    const idle = this.#idleBefore;
    this.#idleBefore = undefined;
    if (idle === undefined || idle.toMs - idle.fromMs < SHORTEST_MS) return;
    this.#idle = longest([...this.#idle, idle], ({ fromMs, toMs }) => toMs - fromMs);
  }

  #progressAt(atMs: number): void {
    this.#keepIdle();
    const silence = this.#silence;
    if (!silence) return;
    const isOrdinary = this.#endSilence(atMs);
    if (this.#isFirst) this.#rhythm.addFirstSilence(silence.inFlightMs);
    else if (isOrdinary) this.#rhythm.addSilence(atMs - silence.fromMs, silence.inFlightMs);
    this.#isFirst = false;
    if (this.#inFlight > 0) this.#silence = new Silence(atMs, 0, this.#inFlight);
  }

  /** Returns whether the silence was ordinary. Otherwise it is a stall, and is kept. */
  #endSilence(atMs: number): boolean {
    const silence = this.#silence;
    this.#silence = undefined;
    this.#offeredInIdle = 0;
    if (!silence || !this.#isStall(silence.fromMs, atMs, silence.inFlightMs)) return true;
    this.#stalledUntilMs = atMs;
    this.#stalls = longest([...this.#stalls, { silence, toMs: atMs }], (ended) => ended.toMs - ended.silence.fromMs);
    return false;
  }

  #isStall(fromMs: number, toMs: number, inFlightMs: number): boolean {
    const ms = toMs - fromMs;
    return ms >= SHORTEST_MS && !this.#rhythm.explains(ms, inFlightMs);
  }

  /** The new time. It is never before the old one: two readings of the clock may differ slightly. */
  #advance(toMs: number): number {
    const atMs = Math.max(this.#nowMs, toMs);
    if (this.#silence) this.#silence.inFlightMs += this.#inFlight * (atMs - this.#nowMs);
    this.#nowMs = atMs;
    return atMs;
  }
}

/** A time without progress while work was in flight. It is a stall if nothing explains it. */
class Silence {
  /** The integral of the number in flight, in milliseconds. */
  inFlightMs = 0;
  /** Starts that were due. */
  offered: number;
  mostInFlight: number;
  /** Created when first needed: there is one silence for each completion. */
  #rpcErrors: Map<string, number> | undefined;

  constructor(
    readonly fromMs: number,
    offered: number,
    mostInFlight = 0,
  ) {
    this.offered = offered;
    this.mostInFlight = mostInFlight;
  }

  addRpcErrors(status: string, count: number): void {
    this.#rpcErrors ??= new Map();
    this.#rpcErrors.set(status, (this.#rpcErrors.get(status) ?? 0) + count);
  }

  stallUntil(toMs: number): Stall {
    const lengthMs = toMs - this.fromMs;
    return {
      fromMs: this.fromMs,
      lengthMs,
      inFlight: this.mostInFlight,
      offeredPerSecond: (this.offered * 1_000) / lengthMs,
      rpcErrors: Object.fromEntries(this.#rpcErrors ?? []),
    };
  }
}

interface EndedSilence {
  readonly silence: Silence;
  readonly toMs: number;
}

/** All of them, or all but the shortest if there is one too many. */
function longest<T>(all: readonly T[], lengthOf: (one: T) => number): readonly T[] {
  if (all.length <= MOST_KEPT) return all;
  const lengths = all.map(lengthOf);
  return all.toSpliced(lengths.indexOf(Math.min(...lengths)), 1);
}
