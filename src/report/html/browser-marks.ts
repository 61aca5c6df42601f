import type uPlot from "uplot";
import type { Panel } from "./panel.js";

/* Runs in the reader's browser, as browser-charts.ts does: these functions know only each other and what they are given. */

/** Returns the colour of a custom property. */
type ColourOf = (property: string) => string;

/** Draws the areas behind the lines. */
export function drawBands(plot: uPlot, { bands }: Panel, colourOf: ColourOf): void {
  const { ctx, bbox } = plot;
  ctx.save();
  clipToPlot(plot);
  for (const { from, to } of bands) {
    const [left, right] = [plot.valToPos(from, "x", true), plot.valToPos(to, "x", true)];
    ctx.fillStyle = colourOf("--stall");
    ctx.fillRect(left, bbox.top, Math.max(right - left, 2), bbox.height);
    for (const edge of [left, Math.max(right, left + 2)]) drawVertical(plot, edge, bbox.top, colourOf("--bad"));
  }
  ctx.restore();
}

/** Draws borders, with their names above the plot and those of the bands. A name without room is left out. */
export function drawBorders(plot: uPlot, { bands, borders }: Panel, nameRowPx: number, colourOf: ColourOf): void {
  const { ctx, bbox } = plot;
  const pxRatio = ratioOf(plot);
  const top = bbox.top - (bands.length > 0 ? 2 : 1) * nameRowPx * pxRatio;
  const right = bbox.left + bbox.width;
  ctx.save();
  writeSmall(plot, colourOf("--muted"));
  for (const [index, { at, text }] of borders.entries()) {
    const here = plot.valToPos(at, "x", true);
    const next = borders[index + 1];
    const end = next ? Math.min(plot.valToPos(next.at, "x", true), right) : right;
    const from = Math.max(here, bbox.left);
    ctx.setLineDash([4 * pxRatio, 3 * pxRatio]);
    if (here > bbox.left && here <= right) drawVertical(plot, here, top, colourOf("--muted"));
    const roomy = from + ctx.measureText(text).width + 8 * pxRatio <= end;
    if (roomy) ctx.fillText(text, from + 4 * pxRatio, top + (nameRowPx / 2) * pxRatio);
  }
  ctx.restore();
}

/** Draws the names of bands above the plot, where they hide nothing. A name without room is left out. */
export function drawBandNames(plot: uPlot, { bands }: Panel, nameRowPx: number, colourOf: ColourOf): void {
  const { ctx, bbox } = plot;
  const gap = 5 * ratioOf(plot);
  const end = bbox.left + bbox.width;
  ctx.save();
  writeSmall(plot, colourOf("--bad"));
  let free = bbox.left;
  for (const { from, to, text, short } of bands) {
    const [left, right] = [plot.valToPos(from, "x", true), plot.valToPos(to, "x", true)];
    if (right < bbox.left || left > end) continue;
    const spots = [text, short].map((text) => {
      const width = ctx.measureText(text).width;
      return { text, width, at: Math.max(free, Math.min((left + right - width) / 2, end - width)) };
    });
    // A name that had to move stays beside its band.
    const spot = spots.find(
      ({ at, width }) => at + width <= end && at <= Math.max(right, left + gap) && at + width >= left,
    );
    if (!spot) continue;
    ctx.fillText(spot.text, spot.at, bbox.top - (nameRowPx / 2) * ratioOf(plot));
    free = spot.at + spot.width + gap;
  }
  ctx.restore();
}

function clipToPlot({ ctx, bbox }: uPlot): void {
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
}

function drawVertical(plot: uPlot, at: number, top: number, colour: string): void {
  const { ctx, bbox } = plot;
  ctx.strokeStyle = colour;
  ctx.lineWidth = ratioOf(plot);
  ctx.beginPath();
  ctx.moveTo(Math.round(at), top);
  ctx.lineTo(Math.round(at), bbox.top + bbox.height);
  ctx.stroke();
}

function writeSmall(plot: uPlot, colour: string): void {
  const { ctx } = plot;
  ctx.font = `${12 * ratioOf(plot)}px system-ui, sans-serif`;
  ctx.textAlign = "left";
  ctx.textBaseline = "middle";
  ctx.fillStyle = colour;
}

/** Pixels of the canvas for one pixel of CSS. */
function ratioOf({ ctx, width }: uPlot): number {
  return ctx.canvas.width / width;
}

/** The functions of this file, for the page. */
export const MARK_FUNCTIONS = [drawBands, drawBorders, drawBandNames, clipToPlot, drawVertical, writeSmall, ratioOf];
