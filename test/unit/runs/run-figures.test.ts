import { expect, test } from "vitest";
import { figuresOf, RunFigures } from "../../../src/runs/run-figures.js";
import { sampleResult } from "../../support/report/sample-result.js";

test.each([NaN, Infinity])("a figure of %d is absent, so that a list of runs can be sent and read again", (figure) => {
  const throughput = { orchestrationsPerSecond: figure, activitiesPerSecond: 7 };
  const figures = figuresOf({ ...sampleResult, throughput }, undefined);
  expect(figures).toMatchObject({ activitiesPerSecond: 7 });
  expect(figures).not.toHaveProperty("orchestrationsPerSecond");
  expect(RunFigures.parse(figures)).toEqual(figures);
});
