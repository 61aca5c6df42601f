import { expect, test } from "vitest";
import { NOTHING_SEEN, fanIn, fanOut, orchestrationInput } from "../../../bench/throughput/peers/orchestration.js";
import { performActivity } from "../../../bench/throughput/peers/activity.js";
import { workloadsNamed } from "../../../bench/throughput/workloads.js";

const [W1, UNEVEN, PAYLOAD] = workloadsNamed(["W1", "uneven", "payload-1k"]);

test("a fan-in of each activity's result counts them all", async () => {
  const input = orchestrationInput("a", W1!);
  const results = await Promise.all(fanOut(input, 3).map(performActivity));
  expect(fanIn({ results: 30, faulty: 0 }, input, 3, results)).toEqual({ results: 40, faulty: 0 });
});

test.each<readonly [string, (results: unknown[]) => unknown[]]>([
  ["lost", (results) => results.slice(1)],
  ["doubled", (results) => [...results, results[0]]],
  ["another's", (results) => [...results.slice(1), results[1]]],
  ["absent", (results) => [...results.slice(1), undefined]],
])("a fan-in with a result that is %s is faulty, and none of its results count", async (_, change) => {
  const input = orchestrationInput("a", W1!);
  const results = await Promise.all(fanOut(input, 0).map(performActivity));
  expect(fanIn(NOTHING_SEEN, input, 0, change(results) as typeof results)).toEqual({ results: 0, faulty: 1 });
});

test("a result of another iteration is faulty", async () => {
  const input = orchestrationInput("a", W1!);
  const results = await Promise.all(fanOut(input, 0).map(performActivity));
  expect(fanIn(NOTHING_SEEN, input, 1, results).faulty).toBe(1);
});

test("a result carries the payload that was asked for, and the fan-in looks at its length", async () => {
  const input = orchestrationInput("a", PAYLOAD!);
  const results = await Promise.all(fanOut(input, 0).map(performActivity));
  expect(results[0]?.padding).toHaveLength(1_024);
  expect(fanIn(NOTHING_SEEN, input, 0, results).faulty).toBe(0);
  const short = results.map((result) => ({ ...result, padding: "x" }));
  expect(fanIn(NOTHING_SEEN, input, 0, short).faulty).toBe(1);
});

test("sleeps are uneven, and the same in a replay", () => {
  const input = orchestrationInput("a", UNEVEN!);
  const sleeps = fanOut(input, 0).map(({ sleepMs }) => sleepMs);
  expect(new Set(sleeps).size).toBe(20);
  expect(fanOut(input, 0).map(({ sleepMs }) => sleepMs)).toEqual(sleeps);
});
