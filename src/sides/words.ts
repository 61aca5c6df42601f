import { UsageError } from "../errors.js";

/** A word: quoted parts, escaped characters and other characters, without a blank between them. */
const WORD = /(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\])+/gsu;
const PART = /'(?<single>[^']*)'|"(?<double>(?:\\.|[^"\\])*)"|\\(?<escaped>.)|(?<plain>[^\s'"\\]+)/gsu;

/**
 * Splits a command line into words, by the quotes and backslashes of a shell. Nothing is expanded, and no shell is
 * involved. Errors call it `name`.
 * @throws UsageError if a quote is not closed
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
