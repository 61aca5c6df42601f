import { expect, test } from "vitest";
import { runSeed } from "./hub-model/run-seed.js";
import { runSeeds, seedsOf } from "./hub-model/seeds.js";

/** Of fewer, not every one has to have everything in it. */
const ENOUGH_SEEDS = 100;
const MOST_SEEDS_TO_CATCH = 20;

/** What a seed is about: a start that is refused is as much of it as one that is not. */
const HAPPENINGS = [
  "crash",
  "roll back",
  "disconnect",
  "abandon",
  "give back",
  "known history",
  "forgotten history",
  "start: OK",
  "start: ALREADY_EXISTS",
  "start: RESOURCE_EXHAUSTED",
  "start in its place: OK",
  "terminate: OK",
  "suspend: OK",
  "resume: OK",
  "raise event: OK",
  "rewind: OK",
  "rewind: FAILED_PRECONDITION",
  "restart: OK",
  "restart: FAILED_PRECONDITION",
  "end at once: OK",
  "purge: OK",
  "delete all: OK",
  "complete activity: OK",
  "complete activity: NOT_FOUND",
  "complete activity: RESOURCE_EXHAUSTED",
  "complete episode: OK",
  "complete episode: NOT_FOUND",
  "complete episode: RESOURCE_EXHAUSTED",
];

const seeds = seedsOf({ first: 1, count: 120 });

test(`what a hub has accepted is with one worker or done, whatever goes wrong: ${seeds.count} seeds from ${seeds.first}`, async () => {
  const { failed, counts } = await runSeeds(seeds);
  expect(failed).toEqual([]);
  if (seeds.count >= ENOUGH_SEEDS) expect(HAPPENINGS.filter((what) => !counts.has(what))).toEqual([]);
});

test("a seed does the same each time", async () => {
  const [first, second] = [await runSeed(seeds.first), await runSeed(seeds.first)];
  expect(second.told.split("\n")).toEqual(first.told.split("\n"));
});

test("a hub that keeps rolled-back changes in memory is caught", async () => {
  const faults: string[] = [];
  for (let seed = 1; seed <= MOST_SEEDS_TO_CATCH && faults.length === 0; seed += 1)
    faults.push(...(await runSeed(seed, "no reload")).faults);

  expect(faults).not.toEqual([]);
});
