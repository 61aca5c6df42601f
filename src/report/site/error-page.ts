import { markup } from "../html/markup.js";
import { sitePage } from "./site-page.js";

/** An error as a page that people read. */
export function errorPage({
  title,
  problem,
  hint,
}: {
  readonly title: string;
  readonly problem: string;
  readonly hint?: string | undefined;
}): string {
  return sitePage({
    title,
    body: markup`<h1>${title}</h1>
<p class="plan">${problem}</p>
${hint === undefined ? undefined : markup`<p class="plan">${hint}</p>\n`}<p class="plan"><a href="/">To the runs of this server</a></p>
`,
  });
}
