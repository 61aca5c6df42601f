import { describe, expect, test } from "vitest";
import { ChangeAlarm, INTERVALS_TO_ALARM, type Change } from "../../../src/soak/change-alarm.js";
import { randomOf } from "../../support/capacity/simulated-search.js";

/** Ten minutes of ten seconds each. */
const LEARNED = 60;
const INTERVALS_OF_AN_HOUR = 360;
const HOURS = 8;
/** A soak has at most so many series. */
const SERIES = 4;

type Noise = (random: () => number) => () => number;

/** Throughputs of a backend without a fault, about 500 each. */
const NOISES: Readonly<Record<string, Noise>> = {
  "as random arrivals": (random) => () => 500 + Math.sqrt(500) * normal(random),
  "with half of it left in the next interval": (random) => wandering(random, 0.5),
  "with most of it left in the next interval": (random) => wandering(random, 0.7),
  // Student's t with three degrees of freedom.
  "with heavy tails": (random) => () => {
    const squares = [1, 2, 3].map(() => normal(random) ** 2);
    return 500 + (20 * normal(random)) / Math.sqrt(squares.reduce((sum, square) => sum + square) / 3);
  },
  "with a hiccup an hour": (random) => () => (random() < 1 / INTERVALS_OF_AN_HOUR ? 200 : 500 + 22 * normal(random)),
};

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

function wandering(random: () => number, correlation: number): () => number {
  let value = 0;
  return () => {
    value = correlation * value + Math.sqrt(1 - correlation ** 2) * normal(random);
    return 500 + 20 * value;
  };
}

function alarmOn(worse: "lower" | "higher", learned = LEARNED): ChangeAlarm {
  return new ChangeAlarm({ worse, learned, leastDeviation: (usual) => 0.02 * usual });
}

function changesOf(alarm: ChangeAlarm, values: Iterable<number>): readonly Change[] {
  return [...values].flatMap((value) => alarm.add(value) ?? []);
}

function* take(count: number, next: () => number): Iterable<number> {
  for (let index = 0; index < count; index += 1) yield next();
}

describe.each(Object.entries(NOISES))("a series %s", (_name, noise) => {
  test.each(["lower", "higher"] as const)("has less than one false alarm in 100 quiet hours of a soak: %s", (worse) => {
    const soaks = 50;
    let alarms = 0;
    for (let seed = 0; seed < soaks; seed += 1) {
      const next = noise(randomOf(seed));
      const changes = changesOf(alarmOn(worse), take(HOURS * INTERVALS_OF_AN_HOUR, next));
      alarms += changes.filter(({ kind }) => kind === "changed").length;
    }
    const of100Hours = (alarms * SERIES * 100) / (soaks * HOURS);
    expect(of100Hours).toBeLessThanOrEqual(1);
  });

  test("has a collapse at any time found within the stated intervals, and told since it began", () => {
    const late: number[] = [];
    for (let seed = 0; seed < 50; seed += 1) {
      const random = randomOf(seed);
      const next = noise(random);
      const alarm = alarmOn("lower");
      const quiet = LEARNED + Math.floor(random() * HOURS * INTERVALS_OF_AN_HOUR);
      changesOf(alarm, take(quiet, next));
      const found = [...take(INTERVALS_TO_ALARM, () => 0.2 * next())].map((value) => alarm.add(value));
      const change = found.find((each) => each?.kind === "changed");
      if (change?.kind !== "changed" || change.since > quiet) late.push(seed);
    }
    expect(late).toEqual([]);
  });
});

test("a series that stalls again and again and catches up in between is found, and not called usual for one burst", () => {
  const random = randomOf(2);
  const quiet = take(2 * LEARNED, () => 500 + Math.sqrt(500) * normal(random));
  let index = 0;
  const stalling = take(40, () => (index++ % 4 === 3 ? 2_000 : 0));
  expect(changesOf(alarmOn("lower"), [...quiet, ...stalling]).map(({ kind }) => kind)).toEqual(["changed"]);
});

test("a slow decline is found", () => {
  const random = randomOf(1);
  let index = 0;
  const declining = (): number => 500 - 0.05 * index++ + 20 * normal(random);
  const [change] = changesOf(alarmOn("lower"), take(HOURS * INTERVALS_OF_AN_HOUR, declining));
  expect(change).toMatchObject({ kind: "changed" });
});

test("a series that is as usual again is told once, and may change again", () => {
  const alarm = alarmOn("lower", 20);
  const values = [...Array<number>(30).fill(100), ...Array<number>(10).fill(10), ...Array<number>(30).fill(100)];
  const kinds = changesOf(alarm, [...values, ...Array<number>(10).fill(10)]).map(({ kind }) => kind);
  expect(kinds).toEqual(["changed", "recovered", "changed"]);
});

test("no value that is better than usual is an alarm", () => {
  expect(changesOf(alarmOn("lower", 20), [...Array<number>(30).fill(100), ...Array<number>(50).fill(200)])).toEqual([]);
});
