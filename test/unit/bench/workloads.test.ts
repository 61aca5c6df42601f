import { expect, test } from "vitest";
import { WORKLOADS, activitiesOf, workloadsNamed } from "../../../bench/throughput/workloads.js";

test("without names all workloads are measured", () => {
  expect(workloadsNamed([])).toBe(WORKLOADS);
});

test("names choose workloads, in their order", () => {
  expect(workloadsNamed(["W3", "W1"]).map(({ name }) => name)).toEqual(["W3", "W1"]);
});

test("an unknown name is refused, with the known ones", () => {
  expect(() => workloadsNamed(["W9"])).toThrow(/Expected a workload of W1, .*found "W9"/u);
});

test.each([
  ["W1", 10_000],
  ["W2", 20_000],
  ["chain", 1_000],
  ["uneven", 2_000],
])("%s has %d activities", (name, activities) => {
  expect(activitiesOf(workloadsNamed([name])[0]!)).toBe(activities);
});
