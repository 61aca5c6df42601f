import { oneLine } from "../../format/one-line.js";

/** HTML that is safe to put into a page. Only `markup` and the owners of the page's assets create it. */
export class Markup {
  constructor(readonly text: string) {}
}

/**
 * The content of a template. Text is escaped, `undefined` and `""` are nothing, and a list is the sequence of its
 * items.
 */
export type Content = Markup | string | undefined | readonly Content[];

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** A template that escapes its values in text and in quoted attributes, unless they are `Markup`. */
export function markup(parts: TemplateStringsArray, ...values: readonly Content[]): Markup {
  return new Markup(parts.reduce((text, part, index) => text + written(values[index - 1]) + part));
}

/** To the first page of `fanout serve`, from a page that it serves. */
export const HOME_LINK = markup`<a href="/">fanout</a>`;

function written(content: Content): string {
  if (content === undefined) return "";
  if (content instanceof Markup) return content.text;
  if (typeof content === "string") return escapeHtml(content);
  return content.map(written).join("");
}

function escapeHtml(text: string): string {
  return printable(text).replaceAll(/[&<>"']/gu, (character) => ENTITIES[character]!);
}

/** Removes control characters. Blanks at the ends stay, because they separate the text from its neighbours. */
function printable(text: string): string {
  const [before] = /^\s?/u.exec(text)!;
  const [after] = /\s?$/u.exec(text)!;
  const line = oneLine(text);
  return line === "" ? before && " " : `${before && " "}${line}${after && " "}`;
}

/**
 * A value as the text of a JSON script element. It has no `<`, so that nothing in it ends the element or starts a
 * comment.
 * https://html.spec.whatwg.org/multipage/scripting.html#restrictions-for-contents-of-script-elements
 */
export function scriptJson(value: unknown): Markup {
  return new Markup(JSON.stringify(value).replaceAll("<", String.raw`\u003c`));
}
