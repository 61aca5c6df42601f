import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  ClockBridge,
  earliestEndMs,
  type BridgedTime,
  type ClockBridgeOptions,
  type CrossingTimes,
} from "../../../src/stats/clock-bridge.js";
import { draws, exponential, type Draw } from "../../support/stats/simulated-run.js";

const EPOCH_MS = 1_900_000_000_000;
const PPM = 1e-6;

interface Crossing extends CrossingTimes {
  /** What nobody but the simulation knows, on the client's clock. */
  readonly trueMs: number;
}

interface Bridged {
  readonly item: Crossing;
  readonly time: BridgedTime | undefined;
}

/** The backend's clock at a time of the client's. */
type BackendClock = (clientMs: number) => number;

interface Load {
  readonly count: number;
  readonly meanGapMs: number;
  readonly mostServiceMs: number;
  /** Of a start call, each way, and of the notice. */
  readonly mostDelayMs: number;
  /** The backend tells whole milliseconds. */
  readonly cut?: boolean;
  /** Of the answers to starts. */
  readonly lostShare?: number;
}

const loads: fc.Arbitrary<Load> = fc.record({
  count: fc.integer({ min: 1, max: 300 }),
  meanGapMs: fc.double({ min: 0, max: 200, noNaN: true }),
  mostServiceMs: fc.double({ min: 0, max: 5_000, noNaN: true }),
  mostDelayMs: fc.double({ min: 0, max: 1_000, noNaN: true }),
  cut: fc.boolean(),
  lostShare: fc.double({ min: 0, max: 0.5, noNaN: true }),
});

/** Rates of drift in ppm, one for each second, over and over. */
const drifts = fc.array(fc.double({ min: -500, max: 500, noNaN: true }), { minLength: 1, maxLength: 40 });
const seeds = fc.integer({ min: 0, max: 2 ** 31 });

/** A clock that drifts against the backend's own time as the table says, second by second, and is set once. */
function clockOf(offsetMs: number, ppm: readonly number[], step = { atMs: Number.POSITIVE_INFINITY, byMs: 0 }) {
  return (clientMs: number): number => {
    const seconds = Math.max(0, clientMs - EPOCH_MS) / 1_000;
    const rounds = Math.floor(seconds / ppm.length);
    const each = ppm.reduce((sum, rate) => sum + rate, 0);
    const partly = ppm.reduce(
      (sum, rate, index) => sum + rate * Math.max(0, Math.min(1, seconds - rounds * ppm.length - index)),
      0,
    );
    // A rate against the client's time is 500 ppm of 500 ppm more against the backend's.
    const driftMs = (rounds * each + partly) * 1_000 * PPM * 0.999;
    return clientMs + offsetMs + driftMs + (clientMs >= step.atMs ? step.byMs : 0);
  };
}

function crossings(load: Load, backend: BackendClock, draw: Draw): readonly Crossing[] {
  const { count, meanGapMs, mostServiceMs, mostDelayMs, cut = false, lostShare = 0 } = load;
  const read = (clientMs: number): number => (cut ? Math.floor(backend(clientMs)) : backend(clientMs));
  let sentMs = EPOCH_MS;
  return Array.from({ length: count }, () => {
    sentMs += exponential(draw, meanGapMs);
    // Most calls are much faster than the slowest.
    const delay = (): number => mostDelayMs * draw() ** 4;
    const createdMs = sentMs + delay();
    const acceptedMs = draw() < lostShare ? undefined : createdMs + delay();
    const trueMs = createdMs + mostServiceMs * draw();
    const noticedMs = trueMs + delay();
    return { sentMs, acceptedMs, noticedMs, trueMs, server: { createdMs: read(createdMs), completedMs: read(trueMs) } };
  }).sort((a, b) => a.noticedMs - b.noticedMs);
}

function bridge(items: readonly Crossing[], options?: ClockBridgeOptions) {
  const bridged: Bridged[] = [];
  const bridge = new ClockBridge<Crossing>((item, time) => bridged.push({ item, time }), options);
  for (const item of items) bridge.add(item, item);
  bridge.flush();
  return { bridged, clock: bridge.summary() };
}

/** Those whose true time lies further from what is told than the bound. */
function outside(bridged: readonly Bridged[]): readonly Bridged[] {
  return bridged.filter(({ item, time }) => !time || Math.abs(time.completedMs - item.trueMs) > time.boundMs + 1e-3);
}

/** Those that might have completed before they were sent, or after it was noticed. */
function impossible(bridged: readonly Bridged[]): readonly Bridged[] {
  return bridged.filter(({ item, time }) => {
    const { completedMs, boundMs } = time!;
    return completedMs - boundMs < item.sentMs - 1e-3 || completedMs + boundMs > item.noticedMs + 1e-3;
  });
}

/** One start, in milliseconds; the call takes 10 each way, the orchestration 100, the notice 20. */
function oneAt(ms: number, offsetMs: number): Crossing {
  const sentMs = EPOCH_MS + ms;
  const [createdMs, trueMs] = [sentMs + 10.5, sentMs + 110.5];
  const server = { createdMs: createdMs + offsetMs, completedMs: trueMs + offsetMs };
  return { sentMs, acceptedMs: sentMs + 21, noticedMs: sentMs + 130.5, trueMs, server };
}

describe("the bound covers the truth", () => {
  test("for any drift of up to 500 ppm, any delays, lost answers and times cut to a millisecond", () => {
    const offsets = fc.double({ min: -3_600_000, max: 3_600_000, noNaN: true });
    const options = fc.record({
      windowMs: fc.integer({ min: 1, max: 10_000 }),
      windowItems: fc.integer({ min: 1, max: 100 }),
    });
    fc.assert(
      fc.property(loads, offsets, drifts, seeds, options, (load, offsetMs, ppm, seed, options) => {
        const items = crossings(load, clockOf(offsetMs, ppm), draws(seed));
        const { bridged, clock } = bridge(items, options);
        expect(bridged.map(({ item }) => item)).toEqual(items);
        expect(outside(bridged)).toEqual([]);
        expect(impossible(bridged)).toEqual([]);
        expect(clock!.boundMs).toBe(Math.max(...bridged.map(({ time }) => time!.boundMs)));
      }),
      { numRuns: 300 },
    );
  });

  test("never earlier than its own times allow, which are known at once", () => {
    const offsets = fc.double({ min: -3_600_000, max: 3_600_000, noNaN: true });
    fc.assert(
      fc.property(loads, offsets, drifts, seeds, (load, offsetMs, ppm, seed) => {
        const items = crossings(load, clockOf(offsetMs, ppm), draws(seed));
        const early = bridge(items).bridged.filter(({ item, time }) => time!.completedMs < earliestEndMs(item));
        expect(early).toEqual([]);
      }),
    );
  });

  test("when the clock is set, either way, while starts go on", () => {
    const steps = fc.record({
      atMs: fc.integer({ min: 100, max: 15_000 }).map((ms) => EPOCH_MS + ms),
      // Twice the longest start call of 200 ms, the cut of two times, and the drift of a window or three.
      byMs: fc.oneof(fc.integer({ min: 425, max: 60_000 }), fc.integer({ min: -60_000, max: -425 })),
    });
    fc.assert(
      fc.property(steps, drifts, seeds, fc.boolean(), (step, ppm, seed, cut) => {
        const load = { count: 2_000, meanGapMs: 10, mostServiceMs: 1_000, mostDelayMs: 100, cut };
        const items = crossings(load, clockOf(0, ppm, step), draws(seed));
        expect(outside(bridge(items).bridged)).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });

  test("when several servers answer, each with a clock of its own", () => {
    const items = Array.from({ length: 200 }, (_, index) => oneAt(index * 100, index % 2 === 0 ? 0 : 1_000));
    const { bridged } = bridge(items);
    expect(outside(bridged)).toEqual([]);
    expect(bridged.every(({ time }) => time!.boundMs === 65.25)).toBe(true);
  });

  test("of all items of a window, when the backend says that one of them ended before it was created", () => {
    const items = [oneAt(0, 0), oneAt(200, 0), oneAt(400, 0)];
    const { createdMs } = items[1]!.server!;
    const back = items.with(1, { ...items[1]!, server: { createdMs, completedMs: createdMs - 2 } });
    expect(bridge(back).bridged.map(({ time }) => time)).toEqual(
      back.map(({ sentMs }) => ({ completedMs: sentMs + 65.25, boundMs: 65.25 })),
    );
  });

  test("far from a step that is seen only close to it", () => {
    // Two calls of 21 ms leave a step of 22 no place; 4.7 s of drift away they do.
    const items = [oneAt(0, 0), oneAt(4_700, 0), oneAt(4_800, 22)];
    expect(outside(bridge(items).bridged)).toEqual([]);
  });
});

describe("the bound is close", () => {
  test("for one start: half of what the call leaves open, on its side that the notice does not narrow", () => {
    const { bridged, clock } = bridge([oneAt(0, 5_000)]);
    // created - accepted = 4989.5, completed - noticed = 4980, created - sent = 5010.5
    expect(clock!.offsetMs).toBeCloseTo(5_000, 1);
    expect(bridged[0]!.time!.boundMs).toBeCloseTo(10.5, 0);
    expect(bridged[0]!.time!.boundMs).toBeLessThan(10.7);
  });

  test("where a quick notice says more than the answer to the start", () => {
    const item = { ...oneAt(0, 5_000), noticedMs: EPOCH_MS + 111 };
    expect(bridge([item]).bridged[0]!.time!.boundMs).toBeCloseTo(5.5, 0);
  });

  test("for many starts: what the quickest of them leave open", () => {
    const load = { count: 2_000, meanGapMs: 10, mostServiceMs: 500, mostDelayMs: 200 };
    const { bridged } = bridge(crossings(load, clockOf(-123_456, [20]), draws(1)));
    expect(Math.max(...bridged.map(({ time }) => time!.boundMs))).toBeLessThan(1);
  });

  test("for a slow start by a quick one before it or behind it", () => {
    const slow = {
      ...oneAt(3_000, 0),
      sentMs: EPOCH_MS + 2_000,
      acceptedMs: EPOCH_MS + 3_109,
      noticedMs: EPOCH_MS + 3_999,
    };
    for (const quickMs of [0, 4_000]) {
      const items = [slow, oneAt(quickMs, 0)].sort((a, b) => a.noticedMs - b.noticedMs);
      const { time } = bridge(items).bridged.find(({ item }) => item === slow)!;
      expect(time!.boundMs).toBeLessThan(13);
    }
  });

  test("while the clock drifts by 500 ppm for ten minutes", () => {
    const load = { count: 6_000, meanGapMs: 100, mostServiceMs: 500, mostDelayMs: 20 };
    const { bridged, clock } = bridge(crossings(load, clockOf(0, [500]), draws(2)));
    expect(Math.max(...bridged.map(({ time }) => time!.boundMs))).toBeLessThan(2);
    expect(clock!.driftMs).toBeGreaterThan(290);
    expect(clock!.driftMs).toBeLessThan(310);
    expect(clock!.offsetMs).toBeCloseTo(300, -1);
  });

  test("again from the second window after the one in which the clock was set", () => {
    const items = Array.from({ length: 400 }, (_, index) => oneAt(index * 100, index < 120 ? 0 : 700));
    const { bridged, clock } = bridge(items);
    const wide = bridged.flatMap(({ time }, index) => (time!.boundMs > 11 ? [index] : []));
    expect([wide.at(0), wide.at(-1)]).toEqual([50, 199]);
    expect(clock!.driftMs).toBeCloseTo(700, 0);
    expect(clock!.boundMs).toBe(65.25);
  });
});

describe("items are handed on", () => {
  test("each once, in order, a window late, and all of them by a flush", () => {
    const bridged: number[] = [];
    const bridge = new ClockBridge<number>((item) => bridged.push(item), { windowMs: 1_000 });
    const add = (...seconds: readonly number[]): number => {
      for (const second of seconds) bridge.add(second, oneAt(second * 1_000, 0));
      return bridged.length;
    };
    expect([add(0, 0.5), add(1), add(1.9), add(2), add(5)]).toEqual([0, 0, 0, 2, 4]);
    bridge.flush();
    expect(bridged).toEqual([0, 0.5, 1, 1.9, 2, 5]);
    bridge.flush();
    expect(bridged).toHaveLength(6);
  });

  test("when there are as many as two windows hold, however fast they come", () => {
    let handedOn = 0;
    const bridge = new ClockBridge<number>(() => (handedOn += 1));
    for (let added = 1; added <= 20_000; added += 1) {
      bridge.add(added, oneAt(0, 0));
      expect(added - handedOn).toBeLessThanOrEqual(4_001);
    }
    bridge.flush();
    expect(handedOn).toBe(20_000);
  });

  test("at once, and without a time, where the backend told none", () => {
    const { bridged, clock } = bridge([oneAt(0, 0), { ...oneAt(1, 0), server: undefined }]);
    expect(bridged.map(({ time }) => time === undefined)).toEqual([true, false]);
    expect(clock).toBeDefined();
    expect(bridge([{ ...oneAt(0, 0), server: undefined }]).clock).toBeUndefined();
  });
});
