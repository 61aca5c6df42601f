import { describe, expect, test } from "vitest";
import { parsePlan } from "../../../src/plan/plan.js";
import { refuseUncarried } from "../../../src/load/uncarried-thresholds.js";
import { parseThreshold } from "../../../src/stats/threshold.js";

const DEFAULTS = { iterations: "1", parallelActivities: "1", workers: "auto", timeout: "10m" };
const once = (count: string) => ({ parallelOrchestrations: count });
const closed = { parallelOrchestrations: "20", duration: "1m" };
const open = (rate: string, more = {}) => ({ rate, duration: "10s", ...more });

function refuse(flags: object, ...expressions: readonly string[]): void {
  refuseUncarried(
    expressions.map((text) => parseThreshold(text)),
    parsePlan({ ...DEFAULTS, ...flags }),
  );
}

describe("a threshold that no run of the plan could pass is refused, with an alternative", () => {
  test.each<[string, object, string]>([
    [
      "p99<1s",
      once("10"),
      "p99 takes 1,000 orchestrations, so that ten lie beyond it, and the plan measures 10; start as many (--parallel-orchestrations 1,000), or use 'max<1s'",
    ],
    ["service p99 < 1s", once("20"), "or use 'service p50 < 1s'"],
    ["latencyMs.slip.p90<1s", once("99"), "or use 'latencyMs.slip.p50<1s'"],
    ["service p999<1s", { ...once("5"), total: "9,999" }, "start as many (--total 10,000), or use 'service p99<1s'"],
    ["p90<1s", open("9.9/s"), "and the plan measures 99; start more, for longer, or use 'p50<1s'"],
    ["p90<1s", open("5/s", { warmup: "10s" }), "and the plan measures 50;"],
    [
      "errors<1%",
      once("5"),
      "a proof takes 300 orchestrations without an error, and the plan starts 5; start as many (--parallel-orchestrations 300), or use 'errors<60%' or 'counts.orchestrations.failed<1'",
    ],
    ["p99<1s", closed, "closed load has no response time, as its starts have no schedule; use 'service p99<1s'"],
    ["latencyMs.response.boundMs<9ms", closed, "use 'latencyMs.service.boundMs<9ms'"],
    ["activities/s>1", { ...once("5"), orchestrator: "Order" }, "the activities and actions of Order are not known"],
    ["counts.activities.completed>1", { ...once("5"), orchestrator: "Order" }, "are not known"],
    ["concurrency.effective>1", once("5"), "only closed load has a concurrency"],
    ["throughput.makespanMs<1m", open("5/s"), "load that time bounds has no makespan"],
    ["queue p90<1s", { ...once("5"), traceSample: "0" }, "--trace-sample 0 traces no orchestration"],
    ["throughput.windowMs<1m", once("5"), "only load that time bounds has a window"],
  ])("%s of %j", (expression, flags, message) => {
    expect(() => refuse(flags, expression)).toThrow(`--threshold '${expression}': `);
    expect(() => refuse(flags, expression)).toThrow(message);
  });

  test("all of several are reported", () => {
    expect(() => refuse(once("5"), "max<1s", "p90<1s", "errors<1%")).toThrow(
      /'p90<1s': .*\nerror: --threshold 'errors<1%'/u,
    );
  });
});

test.each<[string, object]>([
  ["p99<1s", once("1,000")],
  ["p90<1s", open("10/s")],
  ["p90<1s", open("10/s", { warmup: "1s" })],
  ["errors<1%", once("300")],
  // A part of the starts may fail: that is for the end to judge, as what only time bounds is.
  ["service p999<1s", closed],
  ["errors>1%", once("1")],
  ["max<1s", once("1")],
  ["activities/s>1", once("1")],
  ["duration<1m", { ...once("1"), orchestrator: "Order" }],
  ["concurrency.effective>1", closed],
])("%s of %j is judged at the end", (expression, flags) => {
  expect(() => refuse(flags, expression)).not.toThrow();
});

test("random arrivals are counted as they will come, not by their mean", () => {
  const seeds = ["1", "2", "3", "4", "5", "6", "7", "8"];
  const refused = seeds.filter((seed) => {
    try {
      refuse(open("10/s", { arrival: "poisson", seed }), "p90<1s");
      return false;
    } catch {
      return true;
    }
  });
  expect(refused.length).toBeGreaterThan(0);
  expect(refused.length).toBeLessThan(seeds.length);
});

describe("a threshold of one orchestration of a mix", () => {
  const orchestrations = [
    { orchestrator: "Order", weight: "9" },
    { orchestrator: "Refund", weight: "1" },
  ];
  const refuseMixed = (expression: string, flags: object, mix = orchestrations) => {
    const plan = parsePlan({ ...DEFAULTS, ...flags, orchestrations: mix });
    refuseUncarried([parseThreshold(expression, plan.orchestrations)], plan);
  };

  test.each<[string, object, string]>([
    ["Refund p90<1s", once("900"), "p90 takes 100 orchestrations, so that ten lie beyond it, and the plan measures 90"],
    [
      "Refund p90<1s",
      open("10/s", { duration: "90s" }),
      "the plan measures 90; start more of Refund, or use 'Refund p50<1s'",
    ],
    ["Refund errors<1%", once("1,000"), "the plan starts 100; start more of Refund, or use 'Refund errors<3%' or "],
    [
      "Refund p90<1s",
      closed,
      "closed load has no response time, as its starts have no schedule; use 'Refund service p90<1s'",
    ],
  ])("%s of %j is refused by its own starts", (expression, flags, message) => {
    expect(() => refuseMixed(expression, flags)).toThrow(message);
  });

  test("is advised with the name of the orchestration as it is, even if that is a percentile", () => {
    const mix = [{ orchestrator: "p90", weight: "1" }];
    expect(() => refuseMixed("p90 p90<1s", once("50"), mix)).toThrow("or use 'p90 p50<1s'");
  });

  test.each<[string, object]>([
    ["Refund p90<1s", once("1,010")],
    ["Order p90<1s", once("130")],
    ["Refund service p90<1s", closed],
  ])("%s of %j is accepted", (expression, flags) => {
    expect(() => refuseMixed(expression, flags)).not.toThrow();
  });
});
