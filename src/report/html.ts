import type { RunResult } from "../result/run-result.js";
import { breakdownSection, growthSection, workerSection } from "./html/breakdown.js";
import { chartSection } from "./html/chart.js";
import { comparisonSection } from "./html/comparison.js";
import { circumstances } from "./html/circumstances.js";
import { markup } from "./html/markup.js";
import { growthChart } from "./html/growth-chart.js";
import { chartedPage } from "./html/charted-page.js";
import { percentileChart, percentileCurves } from "./html/percentile-chart.js";
import { header, thresholdSection, tiles, verdictSection } from "./html/summary.js";
import {
  failureSection,
  latencySection,
  noticingSection,
  orchestrationSection,
  percentileSection,
  phaseSection,
  rpcErrorSection,
  shardSection,
  outageSection,
  stallSection,
  stuckSection,
  timeSection,
} from "./html/tables.js";
import { tracedTimelines } from "./html/timeline.js";
import { timeCharts } from "./html/time-charts.js";
import { outcomeText } from "./outcome.js";

/**
 * A run as one HTML file that needs no network: about 90 kB, and 70 bytes for each interval of its series. Text from a
 * backend is escaped, and a content security policy allows only the page's own script. `isServed` by `fanout serve`, whose first
 * page it then leads to.
 */
export async function resultHtml(result: RunResult, { isServed = false } = {}): Promise<string> {
  const curves = percentileCurves(result);
  const charts = [...timeCharts(result), percentileChart(result, curves), growthChart(result)].flatMap(
    (chart) => chart ?? [],
  );
  const sections = [
    header(result, { isServed }),
    verdictSection(result),
    thresholdSection(result),
    result.comparison && comparisonSection(result.comparison),
    tiles(result),
    charts.map(chartSection),
    charts.some((chart) => "panels" in chart) ? HINT : undefined,
    latencySection(result),
    orchestrationSection(result),
    breakdownSection(result),
    tracedTimelines(result),
    growthSection(result),
    workerSection(result),
    percentileSection(curves),
    phaseSection(result),
    shardSection(result),
    outageSection(result),
    stallSection(result),
    failureSection(result),
    stuckSection(result),
    rpcErrorSection(result),
    noticingSection(result),
    timeSection(result),
    circumstances(result),
  ];
  return chartedPage(`fanout: ${outcomeText(result)}`, markup`${sections}`, charts);
}

const HINT = markup`<noscript><p class="note">The charts are drawn by a script. Without it, the tables below hold their figures.</p></noscript>
<p class="note hint">Point at a chart to read its values; drag over one to look closer, and double-click to go back.</p>
`;
