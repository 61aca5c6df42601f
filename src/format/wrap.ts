import stringWidth from "fast-string-width";
import { wrapAnsi } from "fast-wrap-ansi";

/** With less room than this beside a lead, text goes below it. */
const LEAST_ROOM = 20;
const BELOW = "    ";
const KEPT_SPACE = "\u00A0";
/** Parts that must not be broken: a command, and a number with its unit or the word that it counts. */
const WHOLE = /`[^`\n]+`|(?<![^\s(])(?:± )?[-+]?\d[\d.,]* [^\s\d]\S*/gu;

/** Columns that text takes on a terminal: none for colours, two for wide characters. */
export function textWidth(text: string): number {
  return stringWidth(text);
}

/**
 * `lead`, and `text` beside it, in lines of at most `columns`, which may be infinite. All lines but the first are
 * indented by the width of the lead. If the lead leaves too little room, the text starts below it.
 */
export function hanging(lead: string, text: string, columns: number): readonly string[] {
  const width = textWidth(lead);
  if (width + textWidth(text) <= columns) return [lead + text];
  const needed = Math.max(LEAST_ROOM, ...text.split(" ").map(textWidth));
  if (width > BELOW.length && columns - width < needed) return [lead.trimEnd(), ...hanging(BELOW, text, columns)];
  const [first = "", ...rest] = wrapped(text, columns - width);
  return [lead + first, ...rest.map((line) => " ".repeat(width) + line)];
}

/**
 * Lines of at most `columns`, which may be infinite. Text is broken between words, but not inside a `command` or after
 * a number. A longer word has a line of its own, so that it can be copied whole. A text that fits stays unchanged.
 */
export function wrapped(text: string, columns: number): readonly string[] {
  if (text.includes("\n")) return text.split("\n").flatMap((line) => wrapped(line, columns));
  if (textWidth(text) <= columns) return [text];
  const kept = text.replaceAll(WHOLE, (part) => (textWidth(part) <= columns ? part.replaceAll(" ", KEPT_SPACE) : part));
  return wrapAnsi(kept, columns).replaceAll(KEPT_SPACE, " ").split("\n");
}

/** Cells side by side, in lines of at most `columns`. Cells without room are below, indented. */
export function flowing(cells: readonly string[], gap: string, columns: number): readonly string[] {
  const lines: string[] = [];
  let line: string | undefined;
  for (const cell of cells) {
    const joined = line === undefined ? cell : line + gap + cell;
    if (textWidth(joined.trimEnd()) <= columns) {
      line = joined;
      continue;
    }
    if (line !== undefined) lines.push(line.trimEnd());
    const below = hanging(line === undefined ? "" : BELOW, cell.trimEnd(), columns);
    lines.push(...below.slice(0, -1));
    line = below.at(-1);
  }
  return line === undefined ? lines : [...lines, line.trimEnd()];
}
