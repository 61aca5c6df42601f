import { markup, type Content, type Markup } from "../html/markup.js";

export interface SitePage {
  readonly title: string;
  readonly body: Markup;
  /** The path of the page's script. */
  readonly script?: string;
  /** Links of the page's head besides the one to the first page. */
  readonly links?: Content;
}

export const SITE_STYLE_PATH = "/site/site.css";

/** A page of `fanout serve`. Its style and its script are files of the server. */
export function sitePage({ title, body, script, links }: SitePage): string {
  const { text } = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title} – fanout</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${SITE_STYLE_PATH}">
${script === undefined ? undefined : markup`<script src="${script}" type="module"></script>\n`}</head>
<body>
${siteHeader(links)}<main>
${body}</main>
</body>
</html>
`;
  return text;
}

/** Leads back to the first page. */
export function siteHeader(links?: Content): Markup {
  return markup`<header class="site"><a class="home" href="/">fanout</a>${links}</header>\n`;
}
