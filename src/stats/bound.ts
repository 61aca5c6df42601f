import type { FigureKind } from "../result/measured-field.js";

const UNIT_MS = new Map([
  ["ms", 1],
  ["s", 1_000],
  ["m", 60_000],
]);
const MULTIPLES = new Map([
  ["", 1],
  ["k", 1_000],
  ["M", 1_000_000],
]);
const PARTS = new Map([
  ["", 1],
  ["%", 100],
]);

/** A number, with or without groups of three, and an optional unit. */
const QUANTITY = /^(?<number>\d+(?:\.\d+)?|\d{1,3}(?:[,_]\d{3})+) ?(?<unit>%|[A-Za-z]*)$/u;

const NUMBER = { units: MULTIPLES, expected: "a number such as 1, 1,000 or 10k" };

/** The notation of the bound of each kind of figure. */
const NOTATIONS: Readonly<
  Record<FigureKind, { readonly units: ReadonlyMap<string, number>; readonly expected: string }>
> = {
  duration: { units: UNIT_MS, expected: "a duration with its unit, such as 500ms, 2s or 1m" },
  share: { units: PARTS, expected: "a share such as 0.1% or 0.001" },
  rate: NUMBER,
  count: NUMBER,
};

/** What `parseBound` accepts, for an error message. */
export function boundExpected(kind: FigureKind): string {
  return NOTATIONS[kind].expected;
}

/**
 * Reads a number: a duration in milliseconds, a share as a part of 1. The unit of a duration is never guessed. Returns
 * undefined for anything else.
 */
export function parseBound(text: string, kind: FigureKind): number | undefined {
  const groups = QUANTITY.exec(text)?.groups;
  const unit = NOTATIONS[kind].units.get(groups?.["unit"] ?? "");
  if (!groups || unit === undefined) return undefined;
  const number = Number(groups["number"]?.replaceAll(/[,_]/gu, ""));
  const bound = kind === "share" ? number / unit : number * unit;
  return Number.isFinite(bound) && !(kind === "share" && bound > 1) ? bound : undefined;
}
