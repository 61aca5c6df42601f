import { oneLine } from "../format/one-line.js";

/** Nobody reads more of a message in a table, and GitHub drops a summary beyond 1 MiB. */
const LONGEST_CELL = 1_000;

/** Empty without rows. */
export function markdownTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return "";
  const lines = [header, header.map(() => "---"), ...rows.map((row) => row.map(cellText))];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

export function cellText(text: string): string {
  return escapeMarkdown(text.length > LONGEST_CELL ? `${text.slice(0, LONGEST_CELL)}...` : text);
}

/** Text that Markdown shows as it is: on one line, without markup, HTML, entities, references or formulas. */
export function escapeMarkdown(text: string): string {
  return oneLine(text).replaceAll(/[\\`*_[\]<>|~#&@$]/gu, "\\$&");
}
