import { markup, type Markup } from "../html/markup.js";
import { formField, type FormField } from "./form-fields.js";
import { sitePage } from "./site-page.js";

export const HOME_SCRIPT_PATH = "/site/home.js";

/** The keys that most runs have, in the order in which people think of them. All others are below "More". */
const FIRST: readonly { readonly title: string; readonly names: readonly string[] }[] = [
  { title: "What an orchestration does", names: ["iterations", "parallelActivities", "activityDuration"] },
  { title: "The load", names: ["parallelOrchestrations", "rate", "duration"] },
  { title: "When it holds, and how to find it again", names: ["threshold", "label"] },
];

/** The first page of `fanout serve`: start a run, and see those that were started. `fields` are the keys of a plan. */
export function homePage({
  fields,
  withKey,
}: {
  readonly fields: readonly FormField[];
  readonly withKey: boolean;
}): string {
  const logout = withKey
    ? markup`<form method="post" action="/logout"><button class="plain" type="submit">Log out</button></form>`
    : undefined;
  return sitePage({
    title: "Runs",
    script: HOME_SCRIPT_PATH,
    links: markup`<a href="/docs">HTTP API</a>${logout}`,
    body: markup`<h1>Does it hold?</h1>
<p class="plan" id="place"></p>
<p id="now" role="status" hidden></p>
<noscript><p class="verdict invalid">This page needs its script. Allow it, or use the <a href="/docs">HTTP API</a>.</p></noscript>
<section class="verdict suspect" id="lost" role="status" hidden></section>
${startSection(fields)}
${runsSection()}
${hubSection()}
${confirmation()}`,
  });
}

function startSection(fields: readonly FormField[]): Markup {
  const byName = new Map(fields.map((field) => [field.name, field]));
  const first = FIRST.map(({ title, names }) => ({
    title,
    fields: names.flatMap((name) => byName.get(name) ?? []),
  }));
  const shown = new Set(first.flatMap((group) => group.fields));
  const rest = Map.groupBy(
    fields.filter((field) => !shown.has(field)),
    ({ group }) => group,
  );
  const more = [...rest].map(([title, group]) => fieldset(title, group));
  return markup`<section aria-labelledby="start-title">
<h2 id="start-title">Start a run</h2>
<form id="start" novalidate>
${first.map(({ title, fields: group }) => (group.length === 0 ? undefined : fieldset(title, group)))}
<details id="more"><summary>More: all that <code>fanout run</code> can say</summary>
${more}</details>
<div class="start">
<div class="forecast"><p id="forecast" role="status">&nbsp;</p><p class="wrong" id="refused" role="alert" hidden></p></div>
<button class="main" type="submit" id="start-button">Start the run</button>
</div>
</form>
</section>
`;
}

function fieldset(title: string, fields: readonly FormField[]): Markup {
  return markup`<fieldset><legend>${title}</legend>
<div class="fields">
${fields.map(formField)}</div>
</fieldset>
`;
}

function runsSection(): Markup {
  return markup`<section aria-labelledby="runs-title">
<h2 id="runs-title">Runs of this server</h2>
<p class="absent" id="no-runs">No run yet.</p>
<form id="compare" action="/compare" hidden>
<div class="scroll" role="region" aria-labelledby="runs-title" tabindex="0"><table id="runs">
<thead><tr>${HEADS.map(([name, kind]) => markup`<th scope="col" class="${kind}">${name}</th>`)}</tr></thead>
<tbody></tbody>
</table></div>
<p class="compare"><button type="submit" id="compare-button" disabled>Compare</button> <span class="note" id="compare-note" role="status">Choose two runs that have ended.</span></p>
</form>
</section>
`;
}

const HEADS: readonly (readonly [name: string, kind: "text" | "number"])[] = [
  ["run", "text"],
  ["status", "text"],
  ["activities/s", "number"],
  ["latency", "number"],
  ["started", "text"],
];

function hubSection(): Markup {
  return markup`<section aria-labelledby="hub-title">
<h2 id="hub-title">Runs on the task hub</h2>
<p class="note">The last ten that the backend still has, also of other servers and of <code>fanout run</code>.</p>
<p><button type="button" id="hub-button">Ask the backend</button> <span class="note" id="hub-note" role="status"></span></p>
<ul class="hub" id="hub"></ul>
</section>
`;
}

/** Asked before a run that may cost money. */
function confirmation(): Markup {
  return markup`<dialog id="confirm" aria-labelledby="confirm-title" aria-describedby="confirm-text">
<form method="dialog">
<h2 id="confirm-title">This run may be billed</h2>
<p id="confirm-text"></p>
<p class="buttons"><button value="cancel" autofocus>Do not start</button> <button class="main" value="start" id="confirm-button">Start</button></p>
</form>
</dialog>
`;
}
