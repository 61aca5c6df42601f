import type { ClockOffset } from "../result/run-result.js";

/** The limits of a window: its length, by the times of noticing, and its number of items. */
const WINDOW_MS = 5_000;
const WINDOW_ITEMS = 2_000;
/**
 * A window is handed on while the next one fills. Handing it on at once would block the event loop, and with it starts.
 */
const HANDED_ON_AT_ONCE = 2;
/**
 * The largest gain or loss of the backend's clock against the client's, as a share: 500 ppm, the most by which NTP
 * disciplines a clock (https://www.rfc-editor.org/rfc/rfc5905#section-11.3). Quartz is ten times better.
 */
const MOST_DRIFT = 500e-6;
/** The width of the bins in which the offset is kept, each as of its middle. */
const BIN_MS = 100;
/** The drift between a time and the middle of its bin. */
const DRIFT_TO_MIDDLE_MS = (BIN_MS / 2) * MOST_DRIFT;
/** The backend may have truncated a time to whole milliseconds. */
const CUT_MS = 1;
/** Milliseconds since 1970 in a double are a multiple of 1/4096. A sum of a few of them is off by less than this. */
const ROUNDING_MS = 0.002;
const SLACK_MS = DRIFT_TO_MIDDLE_MS + ROUNDING_MS;

/** A time of the backend on the client's clock, true within plus or minus the bound. */
export interface BridgedTime {
  readonly completedMs: number;
  readonly boundMs: number;
}

/** The known times of one item. `sentMs`, `acceptedMs` and `noticedMs` are on the client's clock. */
export interface CrossingTimes {
  readonly sentMs: number;
  /** Undefined if the answer to the start was lost. */
  readonly acceptedMs: number | undefined;
  readonly noticedMs: number;
  /** On the backend's clock; undefined if the backend did not report them. */
  readonly server: { readonly createdMs: number; readonly completedMs: number } | undefined;
}

export interface ClockBridgeOptions {
  readonly windowMs?: number;
  readonly windowItems?: number;
}

/**
 * Translates completion times from the backend's clock to the client's, with a bound. Each item limits the offset
 * backend - client to two ranges:
 *
 *     [created - accepted, created - sent]   when it was created, between its start and the answer
 *     [completed - noticed, infinity)        when it completed, before the client noticed
 *
 * An offset that is known at one time lies, s later or earlier on the backend's clock, in the same range widened by 500
 * ppm of s on both sides. The ranges of a window, of the one before and of the one after are intersected in this way.
 * An item's time is the middle of the remaining range, and its bound is half of the width.
 *
 * If nothing remains, the clock was set, or there are several clocks. The window then says of each item only that it
 * completed between sent and noticed, which holds on any clock. A step of the clock is detected if it is longer than
 * two start calls, and if an item that started after it is noticed by the end of the next window. The bound assumes
 * that no other steps occur, and that the drift is 500 ppm at most.
 *
 * The memory is that of three windows. The size of a window is bounded in time and number.
 */
export class ClockBridge<T> {
  readonly #windowMs: number;
  readonly #windowItems: number;
  /** The knowledge of the window before `#pending`, whose items are gone. */
  #before: Knowledge = new Knowledge();
  #pending = new Window<T>();
  #open = new Window<T>();
  /** A window whose times are known. Some of its items have been handed on. */
  #leaving: { readonly items: readonly Buffered<T>[]; readonly ranges: Ranges | undefined } = {
    items: [],
    ranges: undefined,
  };
  #handedOn = 0;
  #firstOffsetMs: number | undefined;
  #lastOffsetMs = 0;
  #boundMs = 0;

  constructor(
    /**
     * Called once for each item, in order, when its time is as well known as it will be. `time` is undefined if the
     * backend did not report it.
     */
    readonly onBridged: (item: T, time: BridgedTime | undefined) => void,
    { windowMs = WINDOW_MS, windowItems = WINDOW_ITEMS }: ClockBridgeOptions = {},
  ) {
    this.#windowMs = windowMs;
    this.#windowItems = windowItems;
  }

  /** Call it in the order of noticing. An item without times of the backend is handed on at once. */
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

  /** Hands on all added items. */
  flush(): void {
    this.#close();
    this.#close();
    this.#close();
    this.#before = new Knowledge();
  }

  /** The offset over all items that were handed on with a time; undefined before the first. */
  summary(): ClockOffset | undefined {
    if (this.#firstOffsetMs === undefined) return undefined;
    const offsetMs = this.#lastOffsetMs;
    return { offsetMs, boundMs: this.#boundMs, driftMs: offsetMs - this.#firstOffsetMs };
  }

  /** Ends the open window and releases the one before it, which now has both neighbours. */
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

/**
 * No completion gets an earlier time, as its own times limit the range from below (`placed`): it completed so long after
 * it was created, and was not created before it was sent. Known at once, unlike the offset. An item with times that
 * contradict those of others may get an earlier time, with a bound to match.
 */
export function earliestEndMs({ sentMs, noticedMs, server }: Omit<CrossingTimes, "acceptedMs">): number {
  if (!server) return noticedMs;
  const tookMs = server.completedMs - server.createdMs;
  const driftMs = (tookMs + BIN_MS) * MOST_DRIFT;
  return Math.min(noticedMs, sentMs + tookMs - driftMs - cutOf(server.createdMs) - 2 * SLACK_MS);
}

interface Buffered<T> {
  readonly item: T;
  readonly sentMs: number;
  readonly noticedMs: number;
  /** On the backend's clock. */
  readonly completedMs: number;
}

/** A range that contains the offset. */
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

/** The knowledge of the offset, by bins of the backend's time. */
class Knowledge {
  readonly ranges = new Map<number, Range>();
  /** False if the backend's own times contradict each other. */
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

/** The time from the backend's clock, as far as it is known. */
function placed(buffered: Buffered<unknown>, ranges: Ranges): BridgedTime {
  const { sentMs, noticedMs, completedMs } = buffered;
  const { leastMs, mostMs } = ranges.get(binOf(completedMs))!;
  const fromMs = Math.max(sentMs, completedMs - mostMs - SLACK_MS);
  const toMs = Math.min(noticedMs, completedMs + cutOf(completedMs) - leastMs + SLACK_MS);
  return fromMs <= toMs ? middleOf(fromMs, toMs) : byClientClock(buffered);
}

/** The time from the client's clock alone. */
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
 * The range of each bin from all bins, widened by the drift between them. One pass forwards and one backwards suffice,
 * because each neighbour passes its range on. Undefined if the ranges contradict each other.
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
