import { stripVTControlCharacters } from "node:util";

/** Control characters except white space, and characters that change the direction of text. */
const CONTROLS = /(?!\s)[\p{Cc}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu;

/** Foreign text on one line, without control sequences. */
export function oneLine(text: string): string {
  return withoutEscapes(text).replaceAll(/\s+/gu, " ").trim();
}

/** The same for text of several lines. */
export function plainText(text: string): string {
  return withoutEscapes(text).replaceAll(/[^\S\n]/gu, " ");
}

/**
 * The same for text that keeps its white space, for a file. Whole sequences are removed first, so that none of their
 * letters stay.
 */
export function withoutEscapes(text: string): string {
  return stripVTControlCharacters(text).toWellFormed().replaceAll(CONTROLS, "");
}

/** The length of a backend's text in a line for a person. */
const MOST_TOLD = 500;

/** Text of a backend for a person: `oneLine`, shortened. */
export function toldText(text: string): string {
  return shortened(oneLine(text), MOST_TOLD);
}

/** `text` up to `most` characters, with `…` if it is longer. */
export function shortened(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most).toWellFormed()}…` : text;
}
