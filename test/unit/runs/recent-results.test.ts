import { expect, test } from "vitest";
import { RecentResults } from "../../../src/runs/recent-results.js";
import { sampleResult } from "../../support/report/sample-result.js";

const MIB = 1024 * 1024;

/** Results of files that are all there, but for one that is called gone. */
function resultsOfFiles() {
  const read: string[] = [];
  const results = new RecentResults(async (file) => {
    read.push(file);
    return file === "gone" ? undefined : { ...sampleResult, runId: file };
  });
  return { read, results };
}

test.each([
  ["the last ones are remembered", 9, ["a", "b", "a", "b"], ["a", "b"]],
  [
    "beyond 20 MiB the one that was asked for first is forgotten",
    9,
    ["a", "b", "a", "c", "a", "b"],
    ["a", "b", "c", "b"],
  ],
  ["a large one is not remembered", 21, ["a", "a"], ["a", "a"]],
  ["one that is gone may be there again", 1, ["gone", "gone"], ["gone", "gone"]],
])("%s", async (_, size, asked, expected) => {
  const { read, results } = resultsOfFiles();
  for (const file of asked) {
    const result = await results.get(file, size * MIB);
    expect(result?.runId).toBe(file === "gone" ? undefined : file);
  }
  expect(read).toEqual(expected);
});

test("one result is read at a time, and those who ask for the same one share it", async () => {
  let reading = 0;
  const most: number[] = [];
  const gate = Promise.withResolvers<void>();
  const results = new RecentResults(async () => {
    reading += 1;
    most.push(reading);
    await gate.promise;
    reading -= 1;
    return sampleResult;
  });
  const all = Promise.all(["a", "b", "a", "b"].map((file) => results.get(file, MIB)));
  gate.resolve();
  expect(await all).toEqual(Array.from({ length: 4 }, () => sampleResult));
  expect(most).toEqual([1, 1]);
});
