import { chartSection, type Chart } from "./chart.js";
import { LIVE_PANELS, LIVE_TILES } from "./live-panels.js";
import { LIVE_STYLE } from "./live-style.js";
import { markup } from "./markup.js";
import { chartAssets } from "./script.js";
import { STYLE } from "./style.js";

const CHARTS: readonly Chart[] = [
  {
    title: "Offered, started and completed",
    text: "A completion counts when this process noticed it. Stalls are marked.",
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

/** The page of a run in progress, without a run. Its script fills it. */
export async function liveShell(): Promise<{ readonly html: string; readonly style: string }> {
  const { style } = await chartAssets();
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
<link rel="stylesheet" href="live.css">
<script src="live.js" type="module"></script>
</head>
<body>
<main>
<header>
<p class="brand">fanout run, live <span class="link" id="link" role="status">connecting</span></p>
<h1 id="answer" aria-live="polite">Connecting to the run</h1>
<p class="detail" id="detail"></p>
<p class="plan" id="plan"></p>
<p class="facts" id="facts"></p>
<ul class="labels" id="labels" aria-label="labels" hidden></ul>
</header>
<noscript><p class="verdict invalid">This page is drawn by a script. Allow it, or wait for the report of --html.</p></noscript>
<section class="verdict suspect" id="lost" role="alert" hidden></section>
<section id="thresholds" hidden><h2>Thresholds so far</h2><div class="scroll" role="region" aria-label="Thresholds so far" tabindex="0"></div></section>
<section class="verdict suspect" id="verdict" hidden></section>
<section class="tiles" aria-label="key figures">
${tiles}</section>
${CHARTS.map(chartSection)}
<section id="stalls" hidden><h2>Stalls</h2><div class="scroll" role="region" aria-label="Stalls" tabindex="0"></div></section>
<section id="latencies" hidden><h2>Latency so far</h2><div class="scroll" role="region" aria-label="Latency so far" tabindex="0"></div></section>
<section id="counts" hidden><h2>Orchestrations so far</h2><div class="scroll" role="region" aria-label="Orchestrations so far" tabindex="0"></div></section>
</main>
</body>
</html>
`;
  return { html: text, style: style + STYLE + LIVE_STYLE };
}
