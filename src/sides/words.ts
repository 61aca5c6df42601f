import { UsageError } from "../errors.js";

/** A word: a sequence of quoted parts, escaped characters and other characters without a blank between. */
const WORD = /(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\])+/gsu;
const PART = /'(?<single>[^']*)'|"(?<double>(?:\\.|[^"\\])*)"|\\(?<escaped>.)|(?<plain>[^\s'"\\]+)/gsu;

/**
 * The words of a command line, by a shell's quotes and backslashes. Nothing is expanded: no shell ever sees it.
 * `name` is what errors call it.
 * @throws UsageError where a quote is not closed
 */
export function wordsOf(text: string, name: string): readonly string[] {
  if (text.replaceAll(WORD, "").trim() !== "") {
    throw new UsageError(
      "invalid-side",
      `${name}: expected every quote to be closed, and a character after the last backslash`,
    );
  }

  return [...text.matchAll(WORD)].map(([word]) => unquoted(word));
}

function unquoted(word: string): string {
  return [...word.matchAll(PART)]
    .map(
      ({ groups }) =>
        groups?.["single"] ??
        groups?.["double"]?.replaceAll(/\\(["\\$`])/gu, "$1") ??
        groups?.["escaped"] ??
        groups?.["plain"] ??
        "",
    )
    .join("");
}
