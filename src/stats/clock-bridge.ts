import type { BridgedTime } from "./run-latencies.js";
import type { ClockOffset } from "../result/run-result.js";

/** How long a window is at most, by when its items were noticed, and how many it holds. */
const WINDOW_MS = 5_000;
const WINDOW_ITEMS = 2_000;
/** A window leaves while the next one fills: handed on all at once it would hold up the event loop, and with it starts. */
const HANDED_ON_AT_ONCE = 2;
/**
 * What the backend's clock may gain or lose against the client's, as a share: 500 ppm, the most by which NTP disciplines
 * a clock (https://www.rfc-editor.org/rfc/rfc5905#section-11.3); quartz is ten times better.
 */
const MOST_DRIFT = 500e-6;
/** What is known of the offset is kept in bins of so long, each as of its middle. */
const BIN_MS = 100;
/** Between a time and the middle of its bin. */
const DRIFT_TO_MIDDLE_MS = (BIN_MS / 2) * MOST_DRIFT;
/** A whole number of milliseconds may have been cut to it. */
const CUT_MS = 1;
/** Milliseconds since 1970 in a double are a multiple of 1/4096: what is made of a few of them is off by less than this. */
const ROUNDING_MS = 0.002;
const SLACK_MS = DRIFT_TO_MIDDLE_MS + ROUNDING_MS;

/** What is known of one item. `sentMs`, `acceptedMs` and `noticedMs` are the client's time. */
export interface CrossingTimes {
  readonly sentMs: number;
  /** Undefined where the answer to the start was lost. */
  readonly acceptedMs: number | undefined;
  readonly noticedMs: number;
  /** By the backend's clock; undefined where it did not tell. */
  readonly server: { readonly createdMs: number; readonly completedMs: number } | undefined;
}

export interface ClockBridgeOptions {
  readonly windowMs?: number;
  readonly windowItems?: number;
}

/**
 * Puts what completed by the backend's clock on the client's, with a bound. Of each item, offset = backend - client lies
 * in
 *
 *     [created - accepted, created - sent]   when it was created, between its start and the answer
 *     [completed - noticed, infinity)        when it completed, before the client noticed
 *
 * and an offset known at one time lies, s later or earlier by the backend's clock, in the same range widened by 500 ppm
 * of s on both sides. All ranges of a window, of the one before and of the one after are intersected so; an item's time
 * is the middle of what is left, its bound half of the width.
 *
 * Where nothing is left the clock was set, or there are several: then the window says of each item only what holds by
 * any clock, that it completed between sent and noticed. A step is seen if it is longer than two start calls and
 * something started behind it is noticed by the end of the next window. That no other steps hide, and that the drift is
 * 500 ppm at most, is what the bound assumes.
 *
 * Memory is that of three windows of items, the size of a window being bounded in time and number.
 */
export class ClockBridge<T> {
  readonly #windowMs: number;
  readonly #windowItems: number;
  /** What the window before `#pending` knows of the offset; its items are gone. */
  #before: Knowledge = new Knowledge();
  #pending = new Window<T>();
  #open = new Window<T>();
  /** It is known what its items are told, and some of them have been. */
  #leaving: { readonly items: readonly Buffered<T>[]; readonly ranges: Ranges | undefined } = {
    items: [],
    ranges: undefined,
  };
  #handedOn = 0;
  #firstOffsetMs: number | undefined;
  #lastOffsetMs = 0;
  #boundMs = 0;

  constructor(
    /** Called once for each item, in order, when it is as well known as it will be; without a time the backend did not tell. */
    readonly onBridged: (item: T, time: BridgedTime | undefined) => void,
    { windowMs = WINDOW_MS, windowItems = WINDOW_ITEMS }: ClockBridgeOptions = {},
  ) {
    this.#windowMs = windowMs;
    this.#windowItems = windowItems;
  }

  /** In the order in which they were noticed. An item of which the backend told nothing is handed on at once. */
  add(item: T, times: CrossingTimes): void {
    const { server, sentMs, acceptedMs, noticedMs } = times;
    if (!server) {
      this.onBridged(item, undefined);
      return;
    }
    const fromMs = this.#open.items[0]?.noticedMs ?? noticedMs;
    if (noticedMs - fromMs >= this.#windowMs || this.#open.items.length >= this.#windowItems) this.#close();
    this.#handOn(HANDED_ON_AT_ONCE);
    const { createdMs, completedMs } = server;
    const { items, knowledge } = this.#open;
    items.push({ item, sentMs, noticedMs, completedMs });
    knowledge.atLeast(completedMs, completedMs - noticedMs);
    knowledge.atMost(createdMs, createdMs + cutOf(createdMs) - sentMs);
    if (acceptedMs !== undefined) knowledge.atLeast(createdMs, createdMs - acceptedMs);
    if (completedMs + cutOf(completedMs) < createdMs) knowledge.isConsistent = false;
  }

  /** Hands on all that has been added. */
  flush(): void {
    this.#close();
    this.#close();
    this.#close();
    this.#before = new Knowledge();
  }

  /** Of all that was handed on with a time; undefined before the first. */
  summary(): ClockOffset | undefined {
    if (this.#firstOffsetMs === undefined) return undefined;
    const offsetMs = this.#lastOffsetMs;
    return { offsetMs, boundMs: this.#boundMs, driftMs: offsetMs - this.#firstOffsetMs };
  }

  /** Ends the open window, and lets the one before it leave, which now has a neighbour on either side. */
  #close(): void {
    this.#handOn(this.#leaving.items.length);
    const { items, knowledge } = this.#pending;
    const ranges = items.length === 0 ? undefined : rangesOf([this.#before, knowledge, this.#open.knowledge]);
    this.#leaving = { items, ranges };
    this.#handedOn = 0;
    this.#before = knowledge;
    this.#pending = this.#open;
    this.#open = new Window();
  }

  #handOn(count: number): void {
    const { items, ranges } = this.#leaving;
    const end = Math.min(items.length, this.#handedOn + count);
    for (const buffered of items.slice(this.#handedOn, end)) {
      const time = ranges ? placed(buffered, ranges) : byClientClock(buffered);
      this.#lastOffsetMs = buffered.completedMs - time.completedMs;
      this.#firstOffsetMs ??= this.#lastOffsetMs;
      this.#boundMs = Math.max(this.#boundMs, time.boundMs);
      this.onBridged(buffered.item, time);
    }
    this.#handedOn = end;
  }
}

interface Buffered<T> {
  readonly item: T;
  readonly sentMs: number;
  readonly noticedMs: number;
  /** By the backend's clock. */
  readonly completedMs: number;
}

/** The offset lies in it. */
interface Range {
  leastMs: number;
  mostMs: number;
}

/** By bin of the backend's time. */
type Ranges = ReadonlyMap<number, Range>;

class Window<T> {
  readonly items: Buffered<T>[] = [];
  readonly knowledge = new Knowledge();
}

/** What is known of the offset, by bins of the backend's time. */
class Knowledge {
  readonly ranges = new Map<number, Range>();
  /** False where the backend's own times contradict each other. */
  isConsistent = true;

  atLeast(backendMs: number, offsetMs: number): void {
    const range = rangeAt(this.ranges, binOf(backendMs));
    range.leastMs = Math.max(range.leastMs, offsetMs - SLACK_MS);
  }

  atMost(backendMs: number, offsetMs: number): void {
    const range = rangeAt(this.ranges, binOf(backendMs));
    range.mostMs = Math.min(range.mostMs, offsetMs + SLACK_MS);
  }
}

/** By the backend's clock, as far as it is known. */
function placed(buffered: Buffered<unknown>, ranges: Ranges): BridgedTime {
  const { sentMs, noticedMs, completedMs } = buffered;
  const { leastMs, mostMs } = ranges.get(binOf(completedMs))!;
  const fromMs = Math.max(sentMs, completedMs - mostMs - SLACK_MS);
  const toMs = Math.min(noticedMs, completedMs + cutOf(completedMs) - leastMs + SLACK_MS);
  return fromMs <= toMs ? middleOf(fromMs, toMs) : byClientClock(buffered);
}

/** By the client's clock alone. */
function byClientClock({ sentMs, noticedMs }: Buffered<unknown>): BridgedTime {
  return middleOf(sentMs, noticedMs);
}

function middleOf(fromMs: number, toMs: number): BridgedTime {
  return { completedMs: (fromMs + toMs) / 2, boundMs: (toMs - fromMs) / 2 };
}

function binOf(backendMs: number): number {
  return Math.floor(backendMs / BIN_MS);
}

function cutOf(backendMs: number): number {
  return Number.isInteger(backendMs) ? CUT_MS : 0;
}

function rangeAt(ranges: Map<number, Range>, bin: number): Range {
  const found = ranges.get(bin);
  if (found) return found;
  const range = { leastMs: Number.NEGATIVE_INFINITY, mostMs: Number.POSITIVE_INFINITY };
  ranges.set(bin, range);
  return range;
}

/**
 * What each bin knows from all others, which are widened by the drift between the two: once from the first
 * to the last and once back, as each neighbour passes its range on. Undefined where they contradict each other.
 */
function rangesOf(parts: readonly Knowledge[]): Ranges | undefined {
  if (parts.some(({ isConsistent }) => !isConsistent)) return undefined;
  const ranges = new Map<number, Range>();
  for (const part of parts)
    for (const [bin, { leastMs, mostMs }] of part.ranges) narrow(rangeAt(ranges, bin), leastMs, mostMs);

  const bins = Array.from(ranges.keys()).sort((a, b) => a - b);
  narrowByNeighbours(bins, ranges);
  narrowByNeighbours(bins.toReversed(), ranges);
  return Array.from(ranges.values()).every(({ leastMs, mostMs }) => leastMs <= mostMs) ? ranges : undefined;
}

function narrowByNeighbours(bins: readonly number[], ranges: Ranges): void {
  for (const [index, bin] of bins.entries()) {
    const neighbour = bins[index - 1];
    if (neighbour === undefined) continue;
    const { leastMs, mostMs } = ranges.get(neighbour)!;
    const driftMs = Math.abs(bin - neighbour) * BIN_MS * MOST_DRIFT;
    narrow(ranges.get(bin)!, leastMs - driftMs, mostMs + driftMs);
  }
}

function narrow(range: Range, leastMs: number, mostMs: number): void {
  range.leastMs = Math.max(range.leastMs, leastMs);
  range.mostMs = Math.min(range.mostMs, mostMs);
}
