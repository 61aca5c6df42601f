import { expect, test } from "vitest";
import { helpText, parseOptions } from "../../../bench/throughput/options.js";

test("without arguments every engine does every workload three times, beside Restate", () => {
  const options = parseOptions([]);
  expect(options).toMatchObject({ help: false, baseline: "restate", reps: 3, limitSeconds: 300 });
  expect(options).not.toHaveProperty("slowCommitsMs");
  expect(options.engines.map(({ name }) => name)).toContain("sdk-in-memory");
});

test("engines are chosen by name", () => {
  const { engines } = parseOptions(["--engines", "restate,fanout"]);
  expect(engines.map(({ name }) => name)).toEqual(["fanout", "restate"]);
});

test.each([
  [["W9"], /Expected a workload of .*found "W9"/u],
  [["--engines", "fanout,none"], /Expected engines of .*found "none"/u],
  [["--baseline", "none"], /found "none"/u],
  [["--reps", "0"], /^--reps: expected a whole number above 0, found "0"$/u],
  [["--slow-commits", "x"], /^--slow-commits: expected a whole number above 0, found "x"$/u],
  [["--restate-partitions", "1.5"], /^--restate-partitions: /u],
  [["--nothing"], /--nothing/u],
])("%j is refused, with the expected form", (argv, message) => {
  expect(() => parseOptions(argv)).toThrow(message);
});

test("the help names every engine and every workload", () => {
  const options = parseOptions(["--help"]);
  for (const { name } of [...options.engines, ...options.workloads]) expect(helpText(options)).toContain(name);
});

test("the SDK's in-memory backend gets no workload that its histories cannot hold", () => {
  const { engines, workloads } = parseOptions([]);
  const inMemory = engines.find(({ name }) => name === "sdk-in-memory")!;
  const without = workloads.filter((workload) => inMemory.cannot(workload) !== undefined);
  expect(without.map(({ name }) => name)).toEqual(["W3", "W3-can", "wide"]);
});
