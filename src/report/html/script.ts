import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { formatCount, threeDigits } from "../../format/count.js";
import { formatDuration } from "../../format/duration.js";
import { CLIENT_FUNCTIONS, drawPanels } from "./browser-charts.js";
import { drawBandNames, drawBands, drawBorders, MARK_FUNCTIONS } from "./browser-marks.js";
import { HEIGHTS_PX, NAME_ROW_PX, STROKES } from "./panel.js";

/** The id of the element with the panels' data. */
export const PANELS_ID = "panels";

const FORMATS = { formatCount, formatDuration, threeDigits };
const TOOLS = { drawBands, drawBorders, drawBandNames, ...FORMATS };
const require = createRequire(import.meta.url);

/** The sources of the chart library, with its licence and style, and of our drawing functions, for a page. */
export async function chartAssets(): Promise<{ readonly script: string; readonly style: string }> {
  const [library, style, licence] = await Promise.all(
    ["uplot/dist/uPlot.iife.min.js", "uplot/dist/uPlot.min.css", "uplot/LICENSE"].map(async (file) =>
      readFile(require.resolve(file), "utf8"),
    ),
  );
  return { script: `/*!\n${licence!.trim()}\n*/\n${library!.trim()}\n${ourScript()}`, style: style!.trim() };
}

/** The source of the functions, each under its own name, and one call. */
function ourScript(): string {
  const functions = [...Object.values(FORMATS), ...MARK_FUNCTIONS, ...CLIENT_FUNCTIONS];
  const values = `strokes: ${JSON.stringify(STROKES)}, heightsPx: ${JSON.stringify(HEIGHTS_PX)}, nameRowPx: ${NAME_ROW_PX}, isLive: false`;
  const tools = `{ Plot: uPlot, ${values}, ${Object.keys(TOOLS).join(", ")} }`;
  const panels = `JSON.parse(document.getElementById(${JSON.stringify(PANELS_ID)}).textContent)`;
  return [
    `(() => {\n"use strict";`,
    ...functions.map((each) => each.toString()),
    `${drawPanels.name}(${panels}, ${tools});`,
    "})();",
  ].join("\n");
}
