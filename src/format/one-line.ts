import { stripVTControlCharacters } from "node:util";

/** Controls but white space, and what changes the direction in which a terminal shows text. */
const CONTROLS = /(?!\s)[\p{Cc}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]/gu;

/** Text from elsewhere, on one line and with nothing in it that a terminal would obey. */
export function oneLine(text: string): string {
  return withoutEscapes(text).replaceAll(/\s+/gu, " ").trim();
}

/** The same of text that may have several lines. */
export function plainText(text: string): string {
  return withoutEscapes(text).replaceAll(/[^\S\n]/gu, " ");
}

/** The same of text whose white space is to stay, for a file. Whole sequences first: their letters are not left behind. */
export function withoutEscapes(text: string): string {
  return stripVTControlCharacters(text).toWellFormed().replaceAll(CONTROLS, "");
}

/** Of what a backend says, as much as a line for a person takes. */
const MOST_TOLD = 500;

/** Text of a backend for a person: `oneLine`, shortened. */
export function toldText(text: string): string {
  return shortened(oneLine(text), MOST_TOLD);
}

/** `text` up to `most` characters, with `…` where there were more. */
export function shortened(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most).toWellFormed()}…` : text;
}
