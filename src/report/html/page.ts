import { createHash } from "node:crypto";
import { markup, Markup } from "./markup.js";
import { PANELS_ID } from "./script.js";

export interface Page {
  readonly title: string;
  readonly body: Markup;
  readonly data?: Markup;
  readonly script?: string;
  readonly style: string;
}

/** A page in one file that loads nothing. Text from a backend is escaped, and only the page's own script may run. */
export function documentOf({ title, body, data, script, style }: Page): string {
  const scripts =
    data && script
      ? markup`<script type="application/json" id="${PANELS_ID}">${data}</script>
<script>${new Markup(script)}</script>
`
      : undefined;
  const { text } = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${new Markup(policyOf(style, script))}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${new Markup(style)}</style>
</head>
<body>
<main>
${body}</main>
${scripts}</body>
</html>
`;
  return text;
}

/** Allows only the content of the page: https://www.w3.org/TR/CSP3/ */
function policyOf(style: string, script?: string): string {
  return [
    "default-src 'none'",
    `style-src ${hashOf(style)}`,
    ...(script === undefined ? [] : [`script-src ${hashOf(script)}`]),
    "img-src data:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
}

function hashOf(source: string): string {
  return `'sha256-${createHash("sha256").update(source).digest("base64")}'`;
}
