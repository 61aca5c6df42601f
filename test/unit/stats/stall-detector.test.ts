import { describe, expect, test } from "vitest";
import type { Stall } from "../../../src/result/run-result.js";
import { StallDetector } from "../../../src/stats/stall-detector.js";
import {
  closedLoad,
  completionsAt,
  detectorOf,
  draws,
  exponential,
  openLoad,
  type Draw,
  type Life,
} from "../../support/stats/simulated-run.js";

const MINUTE = 60_000;

function stallsOf(lives: readonly Life[], endMs: number): readonly Stall[] {
  return detectorOf(lives, endMs).close(endMs);
}

/** Of so many simulated runs, the seeds of those that had a stall. */
function alarmsOf(runs: number, livesOf: (draw: Draw) => readonly Life[], endMs = MINUTE): readonly number[] {
  return Array.from({ length: runs }, (_, seed) => seed).filter(
    (seed) => stallsOf(livesOf(draws(seed)), endMs).length > 0,
  );
}

/** Times until the end, with random gaps of a mean. */
function randomTimes(draw: Draw, meanMs: number, untilMs = MINUTE): readonly number[] {
  const times: number[] = [];
  for (let at = exponential(draw, meanMs); at < untilMs; at += exponential(draw, meanMs)) times.push(at);
  return times;
}

function fiftyEach(timesMs: readonly number[]): readonly number[] {
  return timesMs.flatMap((atMs) => Array.from({ length: 50 }, () => atMs));
}

describe("no stall is found", () => {
  test.each([
    [1_000, 1],
    [1_000, 10],
    [200, 100],
  ])("in %d runs of a minute with %d random completions a second", (runs, perSecond) => {
    expect(alarmsOf(runs, (draw) => completionsAt(randomTimes(draw, 1_000 / perSecond), 100))).toEqual([]);
  });

  test("in batches of 50 every second, or at random times of that rate", () => {
    const seconds = Array.from({ length: 60 }, (_, index) => (index + 1) * 1_000);
    for (const inFlight of [5, 50, 1_000]) {
      expect(stallsOf(completionsAt(fiftyEach(seconds), inFlight), MINUTE)).toEqual([]);
      expect(alarmsOf(100, (draw) => completionsAt(fiftyEach(randomTimes(draw, 1_000)), inFlight))).toEqual([]);
    }
  });

  test.each([1, 3, 10, 100])("in closed load of %d, in lockstep or at random", (inFlight) => {
    const load = { inFlight, lengthMs: 2 * MINUTE };
    for (const spreadMs of [0, 10, 300]) {
      const serviceOf = (draw: Draw) => () => 3_000 + spreadMs * draw();
      expect(alarmsOf(20, (draw) => closedLoad({ ...load, serviceMs: serviceOf(draw) }), 2 * MINUTE)).toEqual([]);
    }
    const random = (draw: Draw) => closedLoad({ ...load, serviceMs: () => exponential(draw, 1_000) });
    expect(alarmsOf(50, random, 2 * MINUTE)).toEqual([]);
  });

  test.each([20, 2_000, 5_000])("when the rate changes, with a service time of %d ms", (meanMs) => {
    for (const [before, after] of [
      [100, 1],
      [100, 0.2],
      [100, 10],
      [1, 100],
    ] as const) {
      const rateAt = (atMs: number): number => (atMs < 30_000 ? before : after);
      for (const isRandom of [true, false]) {
        const livesOf = (draw: Draw): readonly Life[] =>
          openLoad({
            gapMs: (atMs) => (isRandom ? exponential(draw, 1_000 / rateAt(atMs)) : 1_000 / rateAt(atMs)),
            serviceMs: () => (isRandom ? exponential(draw, meanMs) : meanMs),
            lengthMs: MINUTE,
          });
        expect(alarmsOf(isRandom ? 20 : 1, livesOf)).toEqual([]);
      }
    }
  });

  test("when the rate falls slowly", () => {
    const livesOf = (draw: Draw): readonly Life[] =>
      openLoad({
        gapMs: (atMs) => exponential(draw, 1_000 / (100 - 99 * Math.min(1, atMs / MINUTE))),
        serviceMs: () => exponential(draw, 2_000),
        lengthMs: 2 * MINUTE,
      });
    expect(alarmsOf(50, livesOf, 2 * MINUTE)).toEqual([]);
  });

  test("before the first completions, however late they are, and between them and the next", () => {
    const lives = closedLoad({ inFlight: 50, serviceMs: () => MINUTE, lengthMs: 10 * MINUTE });
    const early = detectorOf(lives, MINUTE - 1);
    expect(early.at(MINUTE - 1)).toBeUndefined();
    expect(stallsOf(lives, 10 * MINUTE)).toEqual([]);
  });

  test("among a handful of orchestrations that take very different times", () => {
    const lives = [1_000, 3_000, 9_000, 30_000, 120_000].map((endMs) => ({ startMs: 0, endMs }));
    expect(stallsOf(lives, 2 * MINUTE)).toEqual([]);
  });

  test("while nothing is in flight", () => {
    const steady = openLoad({ gapMs: () => 20, serviceMs: () => 10, lengthMs: 10_000 });
    const later = steady.map(({ startMs, endMs }) => ({ startMs: startMs + MINUTE, endMs: endMs + MINUTE }));
    expect(stallsOf([...steady, ...later], 2 * MINUTE)).toEqual([]);
  });

  test("where starts wait long for their acknowledgement, though the service that follows is short", () => {
    const detector = new StallDetector();
    for (const index of Array.from({ length: 100 }, (_, index) => index)) {
      detector.started(index * 2_000);
      detector.ended(index * 2_000 + 2_000, 20);
    }
    expect(detector.close(200_000)).toEqual([]);
  });
});

describe("a freeze is found", () => {
  test("in random completions of 50 a second: one stall, within a gap of the truth", () => {
    for (const seed of Array.from({ length: 100 }, (_, index) => index)) {
      const times = randomTimes(draws(seed), 20).map((atMs) => (atMs < 30_000 ? atMs : atMs + 2_000));
      const before = times.findLast((atMs) => atMs < 30_000)!;
      const after = times.find((atMs) => atMs >= 32_000)!;
      const stalls = stallsOf(completionsAt(times, 100), MINUTE);
      expect(stalls).toHaveLength(1);
      expect(stalls[0]).toMatchObject({ fromMs: before, lengthMs: after - before });
      expect(stalls[0]).not.toHaveProperty("open");
    }
  });

  test.each([5_000, 10_000, 30_000])(
    "in open load of 50 a second that is served in 20 ms, at %d ms and of 2 s: its length to a tenth",
    (fromMs) => {
      for (const seed of Array.from({ length: 20 }, (_, index) => index)) {
        const draw = draws(seed);
        const lives = openLoad({
          gapMs: () => 20,
          serviceMs: () => exponential(draw, 20),
          lengthMs: MINUTE,
          freezes: [{ fromMs, lengthMs: 2_000 }],
        });
        const stalls = stallsOf(lives, MINUTE);
        expect(stalls).toHaveLength(1);
        expect(Math.abs(stalls[0]!.lengthMs - 2_000)).toBeLessThan(200);
        expect(Math.abs(stalls[0]!.fromMs - fromMs)).toBeLessThan(200);
        expect(stalls[0]!.offeredPerSecond).toBeCloseTo(50, -1);
        expect(stalls[0]!.inFlight).toBeGreaterThan(90);
      }
    },
  );

  test("in open load while more is in flight than ends in its time", () => {
    const lives = openLoad({
      gapMs: () => 20,
      serviceMs: () => 5_000,
      lengthMs: MINUTE,
      freezes: [{ fromMs: 40_000, lengthMs: 2_000 }],
    });
    expect(stallsOf(lives, MINUTE)).toHaveLength(1);
  });

  test.each([
    [100, 0, 30_500],
    [100, 200, 30_500],
    [3, 0, 61_500],
    [1, 100, 91_500],
  ])("in lockstep of %d with a spread of %d ms", (inFlight, spreadMs, fromMs) => {
    const draw = draws(inFlight);
    const lives = closedLoad({
      inFlight,
      serviceMs: () => 3_000 + spreadMs * draw(),
      lengthMs: 2 * MINUTE,
      freezes: [{ fromMs, lengthMs: 10_000 }],
    });
    const stalls = stallsOf(lives, 2 * MINUTE);
    expect(stalls).toHaveLength(1);
    expect(stalls[0]!.fromMs).toBeLessThanOrEqual(fromMs);
    expect(stalls[0]!.fromMs + stalls[0]!.lengthMs).toBeGreaterThanOrEqual(fromMs + 10_000);
    expect(stalls[0]!.lengthMs).toBeLessThanOrEqual(13_500);
  });

  test("each time that there is one, so that freezing never becomes normal", () => {
    const freezes = Array.from({ length: 20 }, (_, index) => ({ fromMs: 10_000 + index * 5_000, lengthMs: 2_000 }));
    const draw = draws(1);
    const lives = openLoad({
      gapMs: () => exponential(draw, 20),
      serviceMs: () => exponential(draw, 20),
      lengthMs: 2 * MINUTE,
      freezes,
    });
    const stalls = stallsOf(lives, 2 * MINUTE);
    expect(stalls).toHaveLength(freezes.length);
    for (const [index, { fromMs, lengthMs }] of stalls.entries()) {
      expect(Math.abs(fromMs - freezes[index]!.fromMs)).toBeLessThan(200);
      expect(Math.abs(lengthMs - 2_000)).toBeLessThan(200);
    }
  });

  test("each time in lockstep of a few too, where only the service times tell", () => {
    const freezes = [60_000, 90_000, 120_000, 150_000].map((fromMs) => ({ fromMs, lengthMs: 12_000 }));
    const lives = closedLoad({ inFlight: 2, serviceMs: () => 3_000, lengthMs: 3 * MINUTE, freezes });
    expect(stallsOf(lives, 3 * MINUTE)).toHaveLength(4);
  });

  test("after a hiccup too short to have a name", () => {
    const lives = openLoad({
      gapMs: () => 20,
      serviceMs: () => 10,
      lengthMs: 20_000,
      freezes: [
        { fromMs: 9_000, lengthMs: 400 },
        { fromMs: 12_000, lengthMs: 2_000 },
      ],
    });
    expect(stallsOf(lives, 20_000)).toHaveLength(1);
  });

  test("in a run that was slow at first", () => {
    const lives = openLoad({
      gapMs: (atMs) => (atMs < 2 * MINUTE ? 1_000 : 20),
      serviceMs: () => 3_000,
      lengthMs: 4 * MINUTE,
      freezes: [{ fromMs: 3.5 * MINUTE, lengthMs: 2_000 }],
    });
    expect(stallsOf(lives, 4 * MINUTE)).toHaveLength(1);
  });

  test("as one open stall when the backend never recovers", () => {
    const lives = openLoad({
      gapMs: () => 20,
      serviceMs: () => 15,
      lengthMs: MINUTE,
      freezes: [{ fromMs: 20_000, lengthMs: Number.POSITIVE_INFINITY }],
    });
    const stalls = stallsOf(lives, MINUTE);
    expect(stalls).toMatchObject([{ open: true, inFlight: 2_000 }]);
    expect(stalls[0]!.fromMs + stalls[0]!.lengthMs).toBe(MINUTE);
    expect(Math.abs(stalls[0]!.fromMs - 20_000)).toBeLessThanOrEqual(20);
  });
});

/** A start every 20 ms, each ended 10 ms later, until 10 s. */
function steady(): StallDetector {
  return detectorOf(openLoad({ gapMs: () => 20, serviceMs: () => 10, lengthMs: 10_000 }), 10_000);
}

describe("a stall", () => {
  test("is visible while it lasts, and looking changes nothing", () => {
    const detector = steady();
    detector.started(10_000);
    expect(detector.at(10_499)).toBeUndefined();
    expect(detector.at(10_500)).toMatchObject({ lengthMs: 500 });
    expect(detector.at(13_000)).toMatchObject({ fromMs: 10_000, lengthMs: 3_000, inFlight: 1, open: true });
    expect(detector.at(10_499)).toBeUndefined();
    detector.ended(10_400, 400);
    expect(detector.at(13_000)).toBeUndefined();
    expect(detector.close(13_000)).toEqual([]);
  });

  test("has the starts that were due in it and the errors of that time alone", () => {
    const detector = steady();
    detector.rpcError(10_000, "INTERNAL");
    detector.offered(10_000);
    detector.started(10_000);
    detector.rpcError(10_100, "UNAVAILABLE");
    detector.rpcError(11_000, "UNAVAILABLE", 2);
    detector.rpcError(11_500, "DEADLINE_EXCEEDED");
    detector.ended(12_000, 2_000);
    detector.rpcError(12_001, "INTERNAL");
    expect(detector.close(12_002)).toEqual([
      {
        fromMs: 10_000,
        lengthMs: 2_000,
        inFlight: 1,
        offeredPerSecond: 0.5,
        rpcErrors: { UNAVAILABLE: 3, DEADLINE_EXCEEDED: 1 },
      },
    ]);
  });

  test("has the starts that were due in it and left only afterwards, and none of before", () => {
    const detector = steady();
    detector.started(10_000);
    detector.started(10_000);
    detector.offered(9_999);
    detector.ended(12_000, 2_000);
    for (const dueMs of [10_000, 11_000, 11_999, 12_000, 9_999]) detector.offered(dueMs);
    expect(detector.close(12_001)).toMatchObject([{ offeredPerSecond: 1.5 }]);
  });

  test("has no starts that were due between it and the next", () => {
    const detector = steady();
    for (const fromMs of [10_000, 20_000]) {
      detector.started(fromMs);
      detector.ended(fromMs + 2_000, 2_000);
    }
    detector.offered(15_000);
    expect(detector.close(30_000)).toMatchObject([{ offeredPerSecond: 0 }, { offeredPerSecond: 0 }]);
  });

  test("does not begin earlier because an event is reported slightly late", () => {
    const detector = steady();
    detector.started(10_000);
    detector.ended(10_010, 10);
    detector.started(10_009);
    expect(detector.at(12_010)).toMatchObject({ fromMs: 10_010, lengthMs: 2_000 });
  });

  test("is not ended by a start that the backend refuses", () => {
    const detector = steady();
    detector.started(10_000);
    detector.started(10_500);
    detector.refused(11_000);
    detector.ended(12_000, 2_000);
    expect(detector.close(12_000)).toMatchObject([{ fromMs: 10_000, lengthMs: 2_000, inFlight: 2 }]);
  });

  test("is ended by an instance whose acceptance is unknown", () => {
    const detector = steady();
    detector.started(10_000);
    detector.started(10_500);
    detector.ended(11_000, undefined);
    expect(detector.close(11_400)).toMatchObject([{ fromMs: 10_000, lengthMs: 1_000, inFlight: 2 }]);
  });

  test("ends when nothing is in flight", () => {
    const detector = steady();
    detector.started(10_000);
    detector.refused(11_000);
    expect(detector.at(20_000)).toBeUndefined();
    expect(detector.close(20_000)).toMatchObject([{ fromMs: 10_000, lengthMs: 1_000 }]);
  });

  test("is ended by activities that complete, or does not come to be", () => {
    const detector = steady();
    detector.started(10_000);
    for (const atMs of [10_400, 10_800, 11_200, 12_700]) detector.progress(atMs);
    expect(detector.close(12_701)).toMatchObject([{ fromMs: 11_200, lengthMs: 1_500 }]);
  });

  test("is kept as one of the hundred longest, in the order of time, and all are counted", () => {
    const detector = steady();
    for (const index of Array.from({ length: 150 }, (_, index) => index)) {
      const fromMs = 10_000 * (index + 1);
      const lengthMs = 1_000 + ((index * 37) % 150) * 10;
      detector.started(fromMs);
      detector.ended(fromMs + lengthMs, lengthMs);
    }
    const stalls = detector.close(2_000_000);
    expect(stalls).toHaveLength(100);
    expect(Math.min(...stalls.map(({ lengthMs }) => lengthMs))).toBe(1_500);
    expect(stalls.map(({ fromMs }) => fromMs)).toEqual(stalls.map(({ fromMs }) => fromMs).sort((a, b) => a - b));
  });
});

test("a start that is refused after the run was cut is no part of it", () => {
  const detector = new StallDetector();
  for (let atMs = 0; atMs < 20_000; atMs += 1_000) {
    detector.started(atMs);
    detector.ended(atMs + 100, 100);
  }
  detector.started(20_000);
  detector.started(20_001);
  detector.cut(60_000);
  const atCut = detector.at(60_000);
  expect(atCut).toMatchObject({ open: true });
  detector.refused(90_000);
  detector.refused(95_000);
  expect(detector.at(99_000)).toEqual(atCut);
  expect(detector.close(60_000)).toEqual([atCut]);
});
