import { markup, type Content } from "../html/markup.js";
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
<p class="plan">${withCode(problem)}</p>
${hint === undefined ? undefined : markup`<p class="plan">${withCode(hint)}</p>\n`}<p class="plan"><a href="/">To the runs of this server</a></p>
`,
  });
}

/** Commands are between backticks. */
function withCode(text: string): Content {
  return text.split("`").map((part, index) => (index % 2 === 1 ? markup`<code>${part}</code>` : part));
}
