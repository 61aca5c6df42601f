import { formatCount, plural, threeDigits } from "../format/count.js";
import { oneLine } from "../format/one-line.js";
import { figuresOf } from "../stats/comparison.js";
import { figureOf } from "../result/figure.js";
import type { RunResult } from "../result/run-result.js";
import { spreadOf, type Spread } from "../stats/spread.js";
import { objectionTo } from "../stats/unusable-run.js";
import { figureValueText } from "./comparison-rows.js";

/** A column without a header holds words. */
export interface RepeatsTable {
  readonly heads: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** `5 runs: 4 in these figures, 1 left out`, or `5 runs`. */
export function repeatsTitle(results: readonly RunResult[]): string {
  const { count, leftOut } = spreadOf(results);
  const runs = plural(results.length, "run");
  return leftOut.length === 0
    ? runs
    : `${runs}: ${formatCount(count)} in these figures, ${formatCount(leftOut.length)} left out`;
}

/** Each figure with its mean and its variation between runs. */
export function spreadTable(results: readonly RunResult[]): RepeatsTable {
  const { figures } = spreadOf(results);
  return { heads: ["figure", "mean", "std. dev.", "min", "max"], rows: figures.map(spreadCells) };
}

/** Each run with its figures and a remark. */
export function runsTable(results: readonly RunResult[]): RepeatsTable {
  const figures = figuresOf(results);
  return {
    heads: ["run", ...figures, ""],
    rows: results.map((result) => [
      oneLine(result.runId),
      ...figures.map((figure) => valueText(figure, figureOf(figure)?.read(result))),
      remarkOn(result),
    ]),
  };
}

function spreadCells({ figure, mean, deviation, least, most }: Spread): readonly string[] {
  const share = deviation === undefined ? "" : `${threeDigits((deviation / mean) * 100)} %`;
  return [figure, valueText(figure, mean), share, valueText(figure, least), valueText(figure, most)];
}

function valueText(figure: string, value: number | undefined): string {
  return value === undefined ? "" : figureValueText(figure, value);
}

function remarkOn(result: RunResult): string {
  const objection = objectionTo(result, false);
  const missed = (result.thresholds ?? []).filter(({ passed }) => !passed).map(({ expression }) => expression);
  const remarks = [
    objection && `left out: ${objection.reason}`,
    result.verdict?.status === "suspect" ? "suspect" : undefined,
    missed.length > 0 ? `missed ${missed.join(", ")}` : undefined,
  ];
  return oneLine(remarks.filter((remark) => remark !== undefined).join("; "));
}
