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
 * `lead`, and `text` beside it: lines of at most `columns`, which may be infinite, all but the first indented by the
 * width of the lead. Where it leaves too little room the text goes below it.
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
 * Lines of at most `columns`, which may be infinite: broken between words, never inside one, nor inside a `command` or
 * after a number. A word that is longer has a line for itself, so that it can be copied
 * whole. What fits already stays as it is.
 */
export function wrapped(text: string, columns: number): readonly string[] {
  if (text.includes("\n")) return text.split("\n").flatMap((line) => wrapped(line, columns));
  if (textWidth(text) <= columns) return [text];
  const kept = text.replaceAll(WHOLE, (part) => (textWidth(part) <= columns ? part.replaceAll(" ", KEPT_SPACE) : part));
  return wrapAnsi(kept, columns).replaceAll(KEPT_SPACE, " ").split("\n");
}

/** Cells one beside the other, in lines of at most `columns`: those without room go below, indented. */
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
