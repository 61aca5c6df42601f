import { createHash } from "node:crypto";
import type { RunResult } from "../stats/run-result.js";
import { chartSection } from "./html/chart.js";
import { circumstances } from "./html/circumstances.js";
import { markup, Markup, scriptJson } from "./html/markup.js";
import { percentileChart, percentileCurves } from "./html/percentile-chart.js";
import { chartAssets, PANELS_ID } from "./html/script.js";
import { STYLE } from "./html/style.js";
import { header, thresholdSection, tiles, verdictSection } from "./html/summary.js";
import {
  failureSection,
  latencySection,
  noticingSection,
  percentileSection,
  phaseSection,
  rpcErrorSection,
  stallSection,
  stuckSection,
  timeSection,
} from "./html/tables.js";
import { timeCharts } from "./html/time-charts.js";
import { outcomeText } from "./outcome.js";

/**
 * A run as one HTML file that needs no network: about 90 kB, and 70 bytes for each interval of its series. What came from a
 * backend is escaped, and a content security policy lets nothing run but the page's own script.
 */
export async function resultHtml(result: RunResult): Promise<string> {
  const assets = await chartAssets();
  const curves = percentileCurves(result);
  const charts = [...timeCharts(result), percentileChart(result, curves)].flatMap((chart) => chart ?? []);
  const panels = charts.flatMap((chart) => ("panels" in chart ? chart.panels.map(({ panel }) => panel) : []));
  const sections = [
    header(result),
    verdictSection(result),
    thresholdSection(result),
    tiles(result),
    charts.map(chartSection),
    panels.length > 0 ? HINT : undefined,
    latencySection(result),
    percentileSection(curves),
    phaseSection(result),
    stallSection(result),
    failureSection(result),
    stuckSection(result),
    rpcErrorSection(result),
    noticingSection(result),
    timeSection(result),
    circumstances(result),
  ];
  const page: Page = {
    title: `fanout: ${outcomeText(result)}`,
    body: markup`${sections}`,
    ...(panels.length > 0 && { data: scriptJson(panels), script: assets.script }),
    style: panels.length > 0 ? assets.style + STYLE : STYLE,
  };
  return documentOf(page).text;
}

const HINT = markup`<noscript><p class="note">The charts are drawn by a script. Without it, the tables below hold their figures.</p></noscript>
<p class="note hint">Point at a chart to read its values; drag over one to look closer, and double-click to go back.</p>
`;

interface Page {
  readonly title: string;
  readonly body: Markup;
  readonly data?: Markup;
  readonly script?: string;
  readonly style: string;
}

function documentOf({ title, body, data, script, style }: Page): Markup {
  const scripts =
    data && script
      ? markup`<script type="application/json" id="${PANELS_ID}">${data}</script>
<script>${new Markup(script)}</script>
`
      : undefined;
  return markup`<!doctype html>
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
}

/** What is in the page and nothing else: https://www.w3.org/TR/CSP3/ */
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
