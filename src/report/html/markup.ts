import { oneLine } from "../../format/one-line.js";

/** HTML that is safe to put into a page. Only `markup` and the few that own a file's assets make it. */
export class Markup {
  constructor(readonly text: string) {}
}

/** What a template may hold: text is escaped, `undefined` and `""` are nothing, a list is its items one after another. */
export type Content = Markup | string | undefined | readonly Content[];

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** A template whose values are escaped, in text and in quoted attributes alike, unless they are `Markup`. */
export function markup(parts: TemplateStringsArray, ...values: readonly Content[]): Markup {
  return new Markup(parts.reduce((text, part, index) => text + written(values[index - 1]) + part));
}

function written(content: Content): string {
  if (content === undefined) return "";
  if (content instanceof Markup) return content.text;
  if (typeof content === "string") return escapeHtml(content);
  return content.map(written).join("");
}

function escapeHtml(text: string): string {
  return printable(text).replaceAll(/[&<>"']/gu, (character) => ENTITIES[character]!);
}

/** Without control characters; blanks at the ends stay, since they part it from what is beside it. */
function printable(text: string): string {
  const [before] = /^\s?/u.exec(text)!;
  const [after] = /\s?$/u.exec(text)!;
  const line = oneLine(text);
  return line === "" ? before && " " : `${before && " "}${line}${after && " "}`;
}

/**
 * A value as the text of a JSON script element: no `<`, so that nothing in it ends the element or starts a comment.
 * https://html.spec.whatwg.org/multipage/scripting.html#restrictions-for-contents-of-script-elements
 */
export function scriptJson(value: unknown): Markup {
  return new Markup(JSON.stringify(value).replaceAll("<", String.raw`\u003c`));
}
