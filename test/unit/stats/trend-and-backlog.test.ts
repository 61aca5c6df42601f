import { describe, expect, test } from "vitest";
import type { LoadShape } from "../../../src/result/load-shape.js";
import { verdictOf } from "../../../src/stats/verdict.js";
import { MINUTE, STABLE, found, namesOf, queueOf, randomStarts, type Queue } from "../../support/stats/queue-runs.js";
import { openLoadOf, queued, runOf, type Measured } from "../../support/stats/run-of-lives.js";
import { closedLoad, draws, exponential, openLoad, type Draw, type Life } from "../../support/stats/simulated-run.js";

/** Enough servers for all, that take so long, give or take a fifth, by when one starts. */
function unhurried(draw: Draw, perSecond: number, serviceMs: (ms: number) => number, warmupMs = 0): Measured {
  const noisy = (ms: number): number => serviceMs(ms) * (0.8 + 0.4 * draw());
  const lives = randomStarts(draw, perSecond, MINUTE).map((startMs) => ({ startMs, endMs: startMs + noisy(startMs) }));
  return runOf(lives, openLoadOf(perSecond, MINUTE - warmupMs), MINUTE, warmupMs);
}

/** From twice as slow to as fast as it gets, in some eight seconds. */
function warmingUp(ms: number): number {
  return 100 * (1 + Math.exp(-ms / 8_000));
}

/** Twice as slow for a while, early in the run. */
function spell(ms: number): number {
  return ms > 7_000 && ms < 20_000 ? 200 : 100;
}

/** Much slower from a time on, but no slower than that. */
function slowerFrom14s(draw: Draw): Measured {
  const lives = Array.from({ length: 6_000 }, (_, index) => {
    const startMs = index * 10;
    return { startMs, endMs: startMs + (startMs < 14_000 ? 100 : 8_000 * draw()) };
  });
  return runOf(lives, openLoadOf(100, MINUTE), MINUTE);
}

describe("nothing is found", () => {
  // Of 200 runs: trend-and-backlog.long.ts. The seeds are the same each time, so that chance fails no test.
  test.each(STABLE)("in 95 % of 100 runs with a queue that is stable: %j", (queue) => {
    expect(found(100, ["backlog", "trending"], (draw) => queueOf(draw, queue))).toBeLessThanOrEqual(5);
  });

  test("in closed load whose service time is random", () => {
    const load: LoadShape = { kind: "closed", durationMs: MINUTE };
    const runOfClosed = (draw: Draw): Measured =>
      runOf(closedLoad({ inFlight: 20, lengthMs: MINUTE, serviceMs: () => exponential(draw, 300) }), load, MINUTE);
    expect(found(50, ["backlog", "trending"], runOfClosed)).toBeLessThanOrEqual(2);
  });

  test.each([20_000, 45_000, 90_000])("where what is in flight grows since nothing has had %d ms to end", (ms) => {
    const lives = openLoad({ gapMs: () => 20, serviceMs: () => ms, lengthMs: MINUTE });
    expect(namesOf(runOf(lives, openLoadOf(50, MINUTE), MINUTE))).toEqual([]);
  });

  test.each([12_000, 30_000, 50_000])(
    "of a stall at %d ms that ended, though what it left is never caught up with",
    (fromMs) => {
      // From its end on each start waits behind those that piled up: exactly as many complete as come.
      const serviceMs = (startMs: number): number =>
        startMs < fromMs ? 100 + Math.max(0, 4_000 * +(startMs > fromMs - 100)) : 4_100;
      const lives = openLoad({ gapMs: () => 20, serviceMs: () => 0, lengthMs: MINUTE }).map(({ startMs }) => ({
        startMs,
        endMs: startMs + serviceMs(startMs),
      }));
      const result = runOf(lives, openLoadOf(50, MINUTE), MINUTE);
      expect(result.stalls).toHaveLength(1);
      expect(namesOf(result)).toEqual([]);
    },
  );

  test("of a service time that was longer for a while, early in the run", () => {
    expect(found(20, ["trending"], (draw) => unhurried(draw, 50, spell))).toBeLessThanOrEqual(2);
  });

  test("of stalls early in the run, each of which makes its starts slow", () => {
    const freezes = [
      { fromMs: 500, lengthMs: 6_000 },
      { fromMs: 7_500, lengthMs: 5_000 },
      { fromMs: 14_200, lengthMs: 4_400 },
      { fromMs: 21_000, lengthMs: 3_900 },
    ];
    const lives = openLoad({ gapMs: () => 10, serviceMs: () => 100, lengthMs: MINUTE, freezes });
    const result = runOf(lives, openLoadOf(100, MINUTE), MINUTE);
    expect(result.stalls).toHaveLength(4);
    expect(namesOf(result)).toEqual([]);
    expect(namesOf({ ...result, stalls: [] })).toEqual(["trending"]);
  });

  test("where more is in flight since the backend became slower, but no slower than it is", () => {
    expect(found(40, ["backlog"], slowerFrom14s)).toBe(0);
  });

  test("in a run of less than nine seconds, or of too few to have medians", () => {
    const short = openLoad({ gapMs: () => 1, serviceMs: () => 100, lengthMs: 8_000 });
    expect(namesOf(runOf(short, openLoadOf(1_000, 8_000), 8_000))).toEqual([]);
    expect(namesOf(unhurried(draws(1), 2, warmingUp))).toEqual([]);
  });
});

describe("a backlog is found", () => {
  test.each<Queue>([
    { perSecond: 100, servers: 4, utilisation: 1.2 },
    { perSecond: 100, servers: 16, utilisation: 1.5, warmupMs: 10_000 },
    { perSecond: 20, servers: 2, utilisation: 2 },
  ])("in every run of a queue that has more to do than it can: %j", (queue) => {
    expect(found(50, ["backlog"], (draw) => queueOf(draw, queue))).toBe(50);
  });

  test("at a rate with intervals in which nothing starts", () => {
    const startMs = Array.from({ length: 600 }, (_, index) => index * 2_000);
    const lives = queued(startMs, 1, () => 3_000);
    const lengthMs = 20 * MINUTE;
    expect(namesOf(runOf(lives, openLoadOf(0.5, lengthMs), lengthMs))).toContain("backlog");
  });

  test("and reported once, with its growth", () => {
    const lives = queued(
      Array.from({ length: 6_000 }, (_, index) => index * 10),
      1,
      () => 12.5,
    );
    const { status, reasons } = verdictOf(runOf(lives, openLoadOf(100, MINUTE), MINUTE));
    expect(status).toBe("suspect");
    expect(reasons.map(({ text }) => text)).toEqual([
      expect.stringMatching(/^what was in flight grew from 2\d\d to 1,0\d\d and went on growing, so latency depends/u),
    ]);
  });

  test("if the backend freezes and does not recover", () => {
    const lives = openLoad({
      gapMs: () => 20,
      serviceMs: () => 100,
      lengthMs: MINUTE,
      freezes: [{ fromMs: 20_000, lengthMs: 100_000 }],
    });
    expect(namesOf(runOf(lives, openLoadOf(50, MINUTE), MINUTE))).toEqual(["backlog"]);
  });
});

describe("a trend is found", () => {
  test("where the service time still falls, and not behind a warm-up that took it", () => {
    expect(found(50, ["trending"], (draw) => unhurried(draw, 50, warmingUp))).toBe(50);
    expect(found(50, ["trending"], (draw) => unhurried(draw, 50, warmingUp, 25_000))).toBe(0);
  });

  test("and reported with both medians and its direction", () => {
    const { reasons } = verdictOf(unhurried(draws(5), 50, warmingUp));
    expect(reasons).toMatchObject([{ severity: "suspect", name: "trending", advice: "warm up for longer (--warmup)" }]);
    expect(reasons[0]!.text).toMatch(
      /^service time was still falling: the median of the first third was 13\d ms, that of the last 10\d ms \(limit 15 % apart\)$/u,
    );
  });

  test.each([0.88, 0.75])("only where it falls by more than 15 percent: to %f of what it was", (share) => {
    const falling = (ms: number): number => 100 * (1 - (1 - share) * Math.min(1, ms / 45_000));
    expect(found(20, ["trending"], (draw) => unhurried(draw, 200, falling))).toBe(share < 0.8 ? 20 : 0);
  });

  test("where it rises in closed load: there is no queue that could grow", () => {
    const lane = (fromMs: number): readonly Life[] => {
      const endMs = fromMs + 100 + fromMs / 500;
      return fromMs < MINUTE ? [{ startMs: fromMs, endMs }, ...lane(endMs)] : [];
    };
    const lives = [0, 10, 20, 30, 40].flatMap(lane);
    const { reasons } = verdictOf(runOf(lives, { kind: "closed", durationMs: MINUTE }, MINUTE));
    expect(reasons.map(({ text }) => text)).toEqual([expect.stringContaining("still rising")]);
  });
});
