import { withoutEscapes } from "../format/one-line.js";
import type { RunResult } from "../result/run-result.js";
import { flatResult, orchestrationsOf } from "./flat-result.js";

const END_OF_LINE = "\r\n";
/** Text that spreadsheets take for a formula, also after white space and in full width. */
const FORMULA = /^(?:[\t\r\n]|\s*[=+\-@＝＋－＠])/u;

/** A header and a row for each run, as in RFC 4180. An absent value is empty. */
export function resultsCsv(results: readonly [RunResult, ...RunResult[]]): string {
  const orchestrations = orchestrationsOf(results);
  const rows = results.map((result) => flatResult(result, orchestrations));
  const header = rows[0]?.map(([path]) => cell(path)) ?? [];
  return [header, ...rows.map((row) => row.map(([, value]) => (value === undefined ? "" : cell(value))))]
    .map((cells) => cells.join(",") + END_OF_LINE)
    .join("");
}

/**
 * Text that a spreadsheet would execute gets an apostrophe in front, so that it is shown as it is. Numbers stay
 * numbers.
 */
function cell(value: string | number | boolean): string {
  const told = withoutEscapes(String(value));
  const text = typeof value === "string" && FORMULA.test(told) ? `'${told}` : told;
  return /[",\r\n]/u.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
