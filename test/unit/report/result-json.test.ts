import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { resultJson, resultsJson } from "../../../src/report/json.js";
import { parseResults } from "../../../src/result/read-result.js";
import type { Interval, RunResult } from "../../../src/result/run-result.js";
import { openLoadResult } from "../../support/report/open-load-result.js";
import { sampleResult } from "../../support/report/sample-result.js";

/** The longest that a result may be: 3,600 intervals whose latencies fill 60 buckets each. */
function longestResult(): RunResult {
  const buckets = Array.from({ length: 60 }, (_, index) => [800 + index, 1 + (index % 7)]).flat();
  const latency = { count: 240, p50: 241.663, p99: 299.519, max: 301.3999999, buckets };
  const interval = { ...openLoadResult.series![72]!, response: latency, service: latency };
  const series = Array.from({ length: 3_600 }, (_, index): Interval => ({ ...interval, fromMs: index * 1_000 }));
  return { ...openLoadResult, series };
}

/** Of a few, because others may hold the machine up. */
function fastestMs(work: () => unknown): number {
  return Math.min(
    ...Array.from({ length: 4 }, () => {
      const before = performance.now();
      work();
      return performance.now() - before;
    }),
  );
}

describe("a result as JSON", () => {
  test("is pretty, but has arrays of numbers on one line", () => {
    const [first] = openLoadResult.series!;
    const latency = { count: 2, max: 3.5, buckets: [800, 1, 812, 1] };
    const text = resultJson({ ...openLoadResult, series: [{ ...first!, response: latency }] });
    expect(text).toContain('\n  "durationMs": 120000,\n');
    expect(text).toContain('\n        "buckets": [800, 1, 812, 1]\n');
  });

  test("is otherwise equal to the text of JSON.stringify", () => {
    const withoutNumbers = fc.jsonValue().filter((value) => !/[[,]-?\d/u.test(JSON.stringify(value)));
    fc.assert(
      fc.property(withoutNumbers, (value) => {
        const result = { ...sampleResult, plan: { ...sampleResult.plan, activity: { value, none: undefined } } };
        expect(resultJson(result)).toBe(`${JSON.stringify(result, undefined, 2)}\n`);
      }),
    );
  });

  test("parses to the same value for any numbers, and no array of numbers has a line for each", () => {
    fc.assert(
      fc.property(fc.array(fc.double()), (buckets) => {
        const series = [{ ...openLoadResult.series![0]!, response: { count: 1, max: 1, buckets } }];
        const text = resultJson({ ...sampleResult, series });
        expect(text).toBe(resultJson(JSON.parse(text) as RunResult));
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify({ ...sampleResult, series })));
        if (buckets.every(Number.isFinite)) expect(text).toContain(`"buckets": [${buckets.join(", ")}]`);
      }),
    );
  });

  test("of 3,600 intervals is written in the order of JSON.stringify's time, and read back", () => {
    const result = longestResult();
    const plainMs = fastestMs(() => JSON.stringify(result, undefined, 2));
    expect(fastestMs(() => resultJson(result))).toBeLessThan(20 * plainMs);
    const text = resultJson(result);
    expect(text.length).toBeLessThan(8 * 2 ** 20);
    expect(parseResults(text, "file")).toEqual([result]);
  });

  test("of several runs is a list of results", () => {
    const results = [sampleResult, openLoadResult];
    expect(parseResults(resultsJson(results), "file")).toEqual(results);
  });
});
