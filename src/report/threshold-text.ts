import { formatCount, plural, threeDigits } from "../format/count.js";
import { formatDuration } from "../format/duration.js";
import { formatRate } from "../format/rate.js";
import { formatShare } from "../format/share.js";
import { hanging } from "../format/wrap.js";
import type { FigureKind } from "../result/measured-field.js";
import type { JudgedThreshold } from "../result/run-result.js";
import { kindOfThreshold } from "../stats/threshold.js";
import type { TextStyle } from "./text-style.js";

const IN_WORDS: Readonly<Record<FigureKind, (value: number) => string>> = {
  duration: formatDuration,
  share: formatShare,
  rate: formatRate,
  count: (value) => (Number.isInteger(value) ? formatCount(value) : threeDigits(value)),
};

/** A line for each threshold, with its outcome and the measured value. */
export function thresholdList(thresholds: readonly JudgedThreshold[] = [], style: TextStyle): readonly string[] {
  if (thresholds.length === 0) return [];
  const { colours } = style;
  const missed = thresholds.filter(({ passed }) => !passed).length;
  const all = plural(thresholds.length, "threshold");
  const headline =
    missed === 0 ? colours.green(`${all} passed`) : colours.red(`${formatCount(missed)} of ${all} missed`);
  const width = Math.max(...thresholds.map(({ expression }) => expression.length));
  return [headline, ...thresholds.flatMap((threshold) => thresholdLines(threshold, width, style))];
}

function thresholdLines(threshold: JudgedThreshold, width: number, { colours, columns }: TextStyle): readonly string[] {
  const { expression, passed, reason } = threshold;
  const word = passed ? colours.green("passed") : colours.red("missed");
  const found = [foundText(threshold), reason].filter((part) => part !== undefined).join(", ");
  return hanging(`  ${word}  ${expression.padEnd(width)}  `, found, columns);
}

/** The measured value in the unit of its kind; a bare number if another version of fanout wrote the expression. */
export function foundText({ expression, value }: JudgedThreshold): string | undefined {
  if (value === undefined) return undefined;
  const kind = kindOfThreshold(expression);
  return kind === undefined ? value.toString() : IN_WORDS[kind](value);
}
