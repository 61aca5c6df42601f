import { parseDuration } from "../format/duration.js";
import type { Stage } from "../result/load-shape.js";

const MOST_PER_SECOND = 100_000;
const MOST_STAGES = 100;
const LONGEST_MS = 24 * 24 * 3_600_000;
const RATE = /^(?<number>\d+(?:\.\d+)?|\d{1,3}(?:[,_]\d{3})+)(?<multiple>k?) ?\/ ?(?<unit>s|m|min|h)$/u;
const SECONDS = new Map([
  ["s", 1],
  ["m", 60],
  ["min", 60],
  ["h", 3_600],
]);

/** The values that `parseRate` accepts, for an error message. */
export const RATE_EXPECTED = "a rate such as 50/s, 0.5/s or 90/m, at most 100,000/s";
/** The values that `parseStages` accepts, for an error message. */
export const STAGES_EXPECTED = "stages such as 10/s:30s,10/s->100/s:1m";

/** Reads `50/s` as starts per second. Returns undefined for anything else, including 0 and more than 100,000/s. */
export function parseRate(text: string): number | undefined {
  const perSecond = rateOf(text.trim());
  return perSecond !== undefined && perSecond > 0 ? perSecond : undefined;
}

/**
 * Reads `RATE:DURATION` or `RATE->RATE:DURATION`, with commas between stages. A rate of `0/s` is a pause. Returns
 * undefined for anything else.
 */
export function parseStages(text: string): readonly [Stage, ...Stage[]] | undefined {
  // A comma between three digits on each side groups them; one between stages follows a unit.
  const stages = text.split(/(?<=[a-z])\s*,/u).map(stageOf);
  const [first, ...rest] = stages.flatMap((stage) => (stage === undefined ? [] : [stage]));
  if (first === undefined || rest.length + 1 < stages.length || stages.length > MOST_STAGES) return undefined;
  const lengthMs = rest.reduce((sum, stage) => sum + stage.lengthMs, first.lengthMs);
  return lengthMs <= LONGEST_MS ? [first, ...rest] : undefined;
}

function stageOf(text: string): Stage | undefined {
  const [rates, length, ...others] = text.trim().split(":");
  const [from, to = from, ...more] = (rates ?? "").split("->").map((rate) => rateOf(rate.trim()));
  const lengthMs = parseDuration(length ?? "");
  if (from === undefined || to === undefined || lengthMs === undefined || lengthMs <= 0) return undefined;
  return others.length + more.length === 0 ? { fromPerSecond: from, toPerSecond: to, lengthMs } : undefined;
}

function rateOf(text: string): number | undefined {
  const groups = RATE.exec(text)?.groups;
  if (!groups) return undefined;
  const number = Number(groups["number"]?.replaceAll(/[,_]/gu, "")) * (groups["multiple"] === "k" ? 1_000 : 1);
  const perSecond = number / (SECONDS.get(groups["unit"] ?? "") ?? 1);
  return perSecond <= MOST_PER_SECOND ? perSecond : undefined;
}
