import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Contender } from "../../../bench/throughput/contender.js";
import type { Engine } from "../../../bench/throughput/engine.js";
import type { RunMeasure } from "../../../bench/throughput/measure-run.js";
import type { Standing } from "../../../bench/throughput/session.js";
import { spreadOf } from "../../../bench/throughput/spread.js";
import { summarize } from "../../../bench/throughput/summary.js";
import { markdownTable, workloadTable } from "../../../bench/throughput/table.js";
import { workloadsNamed } from "../../../bench/throughput/workloads.js";

const [W1] = workloadsNamed(["W1"]);
const SLOW = { milliseconds: 5, wrap: () => ["", []] as const };

test("the ratio is the median of the ratios of each repetition, not the ratio of the medians", () => {
  const [fanout] = summarize(
    W1!,
    [standing("fanout", [100, 300, 200]), standing("restate", [100, 100, 400])],
    "restate",
  ).contenders;
  expect(fanout?.toBaseline).toEqual({ median: 1, min: 0.5, max: 3 });
  expect(fanout?.activitiesPerSecond).toEqual({ median: 200, min: 100, max: 300 });
});

test("an engine with slowed commits is compared with the slowed baseline, and with itself", () => {
  const standings = [
    standing("fanout", [100]),
    standing("restate", [200]),
    standing("fanout", [50], SLOW),
    standing("restate", [25], SLOW),
  ];
  expect(summarize(W1!, standings, "restate").contenders[2]).toMatchObject({
    name: "fanout+5ms",
    toBaseline: { median: 2 },
    toUnslowed: { median: 0.5 },
  });
});

test("without a baseline there are figures and no ratios", () => {
  const failed: Standing = { ...standing("restate", []), absent: { kind: "failed", reason: "a result was lost" } };
  const summary = summarize(W1!, [standing("fanout", [100]), failed], "restate");
  expect(summary.contenders[0]).not.toHaveProperty("toBaseline");
  expect(summary.contenders[1]).not.toHaveProperty("activitiesPerSecond");
  expect(workloadTable(summary)).toContain("- restate: failed, a result was lost");
});

test("a remark of several runs is printed once, with their number", () => {
  const [run] = standing("fanout", [100]).runs;
  const runs = [{ ...run!, remarks: ["busy"] }, run!, { ...run!, remarks: ["busy"] }];
  const [summary] = summarize(W1!, [{ ...standing("fanout", []), runs }], "restate").contenders;
  expect(summary?.remarks).toEqual(["busy in 2 of 3 runs"]);
});

test("a figure that was not measured is not shown as a number", () => {
  const table = workloadTable(
    summarize(W1!, [standing("fanout", [100, 110, 120]), standing("restate", [])], "restate"),
  );
  expect(table).toMatch(/\| fanout +\| 110 \(100\.\.120\) +\|/u);
  expect(table).toMatch(/\| restate +\| n\/a +\|/u);
  expect(table).not.toContain("to restate");
});

test("the columns of a table are aligned", () => {
  const rows = [
    ["a", "long"],
    ["longer", "b"],
  ] as const;
  const table = markdownTable(
    [
      { title: "x", cell: (row: (typeof rows)[number]) => row[0] },
      { title: "y", cell: (row) => row[1] },
    ],
    rows,
  );
  expect(table).toBe("| x      | y    |\n| ------ | ---- |\n| a      | long |\n| longer | b    |");
});

test("the median lies between the least and the most, and no order of the values changes it", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ noNaN: true, min: 0, max: 1e9 }), { minLength: 1 }), (values) => {
      const spread = spreadOf(values);
      expect(spread.min).toBeLessThanOrEqual(spread.median);
      expect(spread.median).toBeLessThanOrEqual(spread.max);
      expect(spreadOf(values.toReversed())).toEqual(spread);
    }),
  );
});

function standing(name: string, perSecond: readonly number[], slow?: Contender["slow"]): Standing {
  const runs = perSecond.map((activitiesPerSecond): RunMeasure => ({
    activitiesPerSecond,
    cpuSecondsPerThousand: 1,
    peakBytes: 1e6,
    remarks: [],
  }));
  return { contender: { engine: engine(name), ...(slow !== undefined && { slow }) }, runs };
}

function engine(name: string): Engine {
  return {
    name,
    durability: "fsync",
    durable: true,
    missing: () => undefined,
    cannot: () => undefined,
    start: () => Promise.reject(new Error("It is not to be started")),
  };
}
