import type { Timeline } from "../result/timeline-schema.js";
import { HOME_LINK, markup, type Markup } from "./html/markup.js";
import { documentOf } from "./html/page.js";
import { STYLE } from "./html/style.js";
import { timelineFigure, timelineTitle } from "./html/timeline.js";
import { endText, startText } from "./timeline/words.js";

/** Of each instance and its sub-orchestrations: more fold. */
const MOST_ROWS = 120;

/**
 * Timelines as one HTML file without a script, which loads nothing. Each list is that of an instance and of its
 * sub-orchestrations. `isServed` by `fanout serve`, whose first page it then leads to.
 */
export function timelinePage(each: readonly (readonly Timeline[])[], { isServed = false } = {}): string {
  const roots = each.flatMap(([root]) => root ?? []);
  const [only] = roots;
  const title = roots.length === 1 && only ? `${only.instanceId}: ${endText(only)}` : `${roots.length} timelines`;
  return documentOf({
    title: `fanout: ${title}`,
    body: markup`<header><p class="brand">${isServed ? HOME_LINK : "fanout"} timeline</p>
${roots.length === 1 ? "" : markup`<h1>${title}</h1>`}</header>
${each.map((timelines) => instanceSection(timelines, roots.length === 1))}`,
    style: STYLE,
  });
}

function instanceSection(timelines: readonly Timeline[], isOnly: boolean): Markup | undefined {
  const [root] = timelines;
  if (!root) return undefined;
  const heading = markup`<code>${root.instanceId}</code> ${timelineTitle(root)}`;
  return markup`<section class="instance">${isOnly ? markup`<h1>${heading}</h1>` : markup`<h2>${heading}</h2>`}
<p class="facts">Created <time datetime="${root.startedAt}">${startText(root)}</time></p>
${timelineFigure(timelines, MOST_ROWS)}</section>
`;
}
