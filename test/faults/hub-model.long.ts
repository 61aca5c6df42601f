import { randomInt } from "node:crypto";
import { expect, test } from "vitest";
import { runSeeds, seedsOf } from "./hub-model/seeds.js";

const seeds = seedsOf({ first: randomInt(2 ** 31), count: 10_000 });

test(`what a hub has accepted is with one worker or done: ${seeds.count} seeds from ${seeds.first}`, async () => {
  const { failed } = await runSeeds(seeds);
  expect(failed).toEqual([]);
});
