import { chartSection, type Chart } from "./chart.js";
import { LIVE_PANELS, LIVE_TILES } from "./live-panels.js";
import { LIVE_STYLE } from "./live-style.js";
import { markup } from "./markup.js";
import { siteHeader } from "../site/site-page.js";
import { chartAssets } from "./script.js";

const CHARTS: readonly Chart[] = [
  {
    title: "Offered, started and completed",
    text: "A completion counts when the load generator noticed it. Stalls are marked.",
    panels: [{ title: "orchestrations/s", panel: LIVE_PANELS.rates }],
  },
  {
    title: "Activities and orchestrations in flight",
    text: "",
    panels: [
      { title: "activities/s", panel: LIVE_PANELS.activities },
      { title: "orchestrations in flight", panel: LIVE_PANELS.inFlight },
    ],
  },
  {
    title: "Latency over time",
    text: "Each start counts in the interval in which it was due, until its end was noticed. A percentile is left out of an interval that has too few samples to carry it.",
    panels: [{ title: "time", panel: LIVE_PANELS.latency }],
  },
];

/** Where the page of a run finds its parts, relative to its own address. */
export interface LivePlaces {
  /** The folder of its script and style, with a slash at the end. */
  readonly assets: string;
  readonly events: string;
  /** Of a run of `fanout serve`. Others have one report, and are cancelled in their terminal. */
  readonly served?: {
    readonly report: string;
    /** Takes a POST. */
    readonly cancel: string;
  };
}

/** `base` is the style of the pages around it. */
export async function liveStyle(base: string): Promise<string> {
  const { style } = await chartAssets();
  return style + base + LIVE_STYLE;
}

/** The page of a run in progress, without a run. Its script fills it. */
export function liveShell({ assets, events, served }: LivePlaces): string {
  const tiles = Object.entries(LIVE_TILES).map(
    ([id, name]) => markup`<div><h3 id="${id}-name">${name}</h3><p class="value" id="${id}">–</p></div>\n`,
  );
  const { text } = markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>fanout: live</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="${assets}live.css">
<script src="${assets}live.js" type="module"></script>
</head>
<body data-events="${events}" data-report="${served?.report}">
${served && siteHeader()}<main>
<header>
<p class="brand">fanout run, live <span class="link" id="link" role="status">connecting</span></p>
<h1 id="answer" aria-live="polite">Connecting to the run</h1>
<p class="detail" id="detail"></p>
<p class="plan" id="plan"></p>
<p class="facts" id="facts"></p>
<ul class="labels" id="labels" aria-label="labels" hidden></ul>
${served && cancelButton(served.cancel)}</header>
<noscript><p class="verdict invalid">This page is drawn by a script. Allow it, or wait for ${served ? markup`<a href="${served.report}">the report</a>` : "the report of --html"}.</p></noscript>
<section class="verdict suspect" id="lost" role="alert" hidden></section>
<section id="thresholds" hidden><h2>Thresholds so far</h2><div class="scroll" role="region" aria-label="Thresholds so far" tabindex="0"></div></section>
<section class="verdict suspect" id="verdict" hidden></section>
<section class="tiles" aria-label="key figures">
${tiles}</section>
${CHARTS.map(chartSection)}
<section id="stalls" hidden><h2>Stalls</h2><div class="scroll" role="region" aria-label="Stalls" tabindex="0"></div></section>
<section id="latencies" hidden><h2>Latency so far</h2><div class="scroll" role="region" aria-label="Latency so far" tabindex="0"></div></section>
<section id="counts" hidden><h2>Orchestrations so far</h2><div class="scroll" role="region" aria-label="Orchestrations so far" tabindex="0"></div></section>
<section id="said" hidden><h2>What the run said</h2><ul class="lines" id="lines"></ul></section>
</main>
</body>
</html>
`;
  return text;
}

function cancelButton(path: string) {
  return markup`<p class="actions"><button type="button" id="cancel" data-path="${path}" hidden>Cancel the run</button> <span id="cancel-answer" role="status"></span></p>
<dialog id="cancel-dialog" aria-labelledby="cancel-question">
<h2 id="cancel-question">Cancel this run?</h2>
<p>It starts nothing more, and its orchestrations in flight are terminated. The report then has what was measured so far.</p>
<p class="actions"><button type="button" id="cancel-no" autofocus>Keep it running</button> <button type="button" id="cancel-yes" class="danger">Cancel the run</button></p>
</dialog>
`;
}
