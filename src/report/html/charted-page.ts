import type { Chart } from "./chart.js";
import { scriptJson, type Markup } from "./markup.js";
import { documentOf } from "./page.js";
import { chartAssets } from "./script.js";
import { STYLE } from "./style.js";

/** A page in one file. It carries the chart library only if one of its charts has something to draw. */
export async function chartedPage(title: string, body: Markup, charts: readonly Chart[]): Promise<string> {
  const panels = charts.flatMap((chart) => ("panels" in chart ? chart.panels.map(({ panel }) => panel) : []));
  if (panels.length === 0) return documentOf({ title, body, style: STYLE });
  const { script, style } = await chartAssets();
  return documentOf({ title, body, data: scriptJson(panels), script, style: style + STYLE });
}
