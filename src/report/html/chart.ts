import { markup, type Markup } from "./markup.js";
import { STROKES, type Line, type Panel } from "./panel.js";

/** One or more panels under one title, or the reason why there is none. */
export type Chart = {
  readonly title: string;
  /** How it was measured, and what it shows in words, also for readers who cannot see it. */
  readonly text: string;
} & ({ readonly panels: readonly TitledPanel[] } | { readonly absent: string });

export interface TitledPanel {
  /** The title of the axis. */
  readonly title: string;
  readonly panel: Panel;
}

const SAMPLE_PX = 34;

export function chartSection(chart: Chart): Markup {
  const { title, text } = chart;
  if ("absent" in chart) return markup`<section><h2>${title}</h2><p class="absent">${chart.absent}</p></section>`;
  return markup`<section class="chart">
<figure>
<figcaption><h2>${title}</h2><p>${text}</p></figcaption>
${chart.panels.map(panelBlock)}
</figure>
</section>
`;
}

function panelBlock({ title, panel }: TitledPanel): Markup {
  const { id, height, lines } = panel;
  return markup`<div class="axis"><span class="axis-title">${title}</span>
<ul class="legend" id="${id}-legend">${lines.map(legendItem)}<li class="where"><output></output></li></ul></div>
<div class="panel ${height}" id="${id}" aria-hidden="true"></div>
`;
}

function legendItem({ name, stroke }: Line): Markup {
  const { width, dash } = STROKES[stroke];
  const pattern = dash.length > 0 ? markup` stroke-dasharray="${dash.join(" ")}"` : undefined;
  const size = SAMPLE_PX.toString();
  return markup`<li><svg class="${stroke}" width="${size}" height="8" aria-hidden="true"><line x1="0" y1="4" x2="${size}" y2="4" stroke-width="${width.toString()}"${pattern}/></svg>${name} <output></output></li>`;
}
