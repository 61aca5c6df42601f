import type { ComparedFigure, Comparison } from "../result/run-result.js";
import { conclusionOf, figureText, objectionRows, sideNames } from "./comparison-rows.js";
import { junitXml, type TestCase, type TestSuite } from "./junit-xml.js";

/** Comparisons as JUnit XML, with a suite for each. */
export function comparisonsJunit(comparisons: readonly Comparison[]): string {
  return junitXml(comparisons.map(comparisonSuite));
}

/** Its tests: there is no objection to a run, and no figure is slower. */
export function comparisonSuite(comparison: Comparison): TestSuite {
  const { base, new: fresh } = sideNames(comparison);
  return {
    name: `fanout compare ${fresh} with ${base}`,
    properties: [
      ["noiseThreshold", comparison.noiseThreshold],
      ["confidence", comparison.confidence],
      ["runs.base", comparison.runs.base.length],
      ["runs.new", comparison.runs.new.length],
      ...comparison.figures.flatMap(figureProperties),
    ],
    cases: [
      runsCase(comparison),
      ...comparison.figures.map((figure) => figureCase(figure, comparison)),
      ...comparison.leftOut.map(({ figure, reason }) => ({ name: caseName(figure), skipped: reason })),
    ],
  };
}

function figureProperties({ figure, base, new: after, ratio, p }: ComparedFigure) {
  const values = { base, new: after, ratio, ...(p !== undefined && { p }) };
  return Object.entries(values).map(([name, value]) => [`${figure}.${name}`, value] as const);
}

function runsCase(comparison: Comparison): TestCase {
  const name = "every run can be compared";
  const reasons = objectionRows(comparison, comparison.unusable).map((cells) => cells.join("  "));
  if (reasons.length === 0) return { name };
  return { name, failure: { message: reasons.join("; "), details: reasons } };
}

function figureCase(figure: ComparedFigure, comparison: Comparison): TestCase {
  const name = caseName(figure.figure);
  const { finding } = figure;
  if (finding === "faster" || finding === "no difference shown") return { name };
  const message = `${finding}: ${figureText(figure)}`;
  if (finding !== "slower") return { name, skipped: message };
  const { word, rest } = conclusionOf(comparison);
  return { name, failure: { message, details: [word + rest] } };
}

function caseName(figure: string): string {
  return `${figure} is not slower`;
}
