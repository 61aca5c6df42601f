import { expect, test } from "vitest";
import { trendCharts } from "../../../src/report/html/trend-charts.js";
import { sampleResult } from "../../support/report/sample-result.js";

const runsOf = (...rates: readonly number[]) =>
  rates.map((orchestrationsPerSecond) => ({
    ...sampleResult,
    throughput: { orchestrationsPerSecond, activitiesPerSecond: 10 * orchestrationsPerSecond },
  }));

test("draws each run beside the mean and its 95 % confidence interval", () => {
  const [chart] = trendCharts(runsOf(90, 100, 110));
  // The deviation is 100 activities/s, and Student's t of 2 degrees of freedom 4.303: 1000 ± 4.303 x 100 / sqrt(3).
  expect(chart).toMatchObject({
    title: "activities/s, by run",
    text: "The mean is 1,000/s, with 95 % confidence between 752/s and 1,248/s.",
  });
  const { lines } = (chart as Extract<typeof chart, { panels: unknown }>).panels[0]!.panel;
  expect(lines.find(({ name }) => name === "run")?.values).toEqual([900, 1_000, 1_100]);
});

test("a run that is left out of the mean has its number and no point", () => {
  const [first, second, third, fourth] = runsOf(90, 1, 100, 110);
  const invalid = { ...second!, verdict: { status: "invalid", reasons: [] } } as const;
  const [chart] = trendCharts([first!, invalid, third!, fourth!]);
  expect(chart).toHaveProperty("text", expect.stringContaining("The mean is 1,000/s"));
  const { xs, lines } = (chart as Extract<typeof chart, { panels: unknown }>).panels[0]!.panel;
  expect(xs).toEqual([1, 2, 3, 4]);
  expect(lines.find(({ name }) => name === "run")).toMatchObject({
    values: [900, null, 1_000, 1_100],
    dots: [0, 2, 3],
  });
  expect(lines.map(({ name }) => name)).toEqual(["mean", "95 % from", "95 % to", "run"]);
});

test("a left-out run does not decide which figures there are", () => {
  const [first, second, third] = runsOf(90, 100, 110);
  const { activitiesPerSecond: _unknown, ...throughput } = first!.throughput;
  const interrupted = { ...first!, interrupted: true, throughput };
  expect(trendCharts([interrupted, first!, second!, third!])[0]).toHaveProperty("title", "activities/s, by run");
});

test("draws nothing of two runs, which show no trend", () => {
  expect(trendCharts(runsOf(90, 110))).toEqual([]);
});
