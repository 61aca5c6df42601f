import { formatDuration } from "../../format/duration.js";
import type { RunResult } from "../../result/run-result.js";
import type { Timeline } from "../../result/timeline-schema.js";
import { PAINT_MEANINGS, paintsOf, pictureOf, type Paint, type Part, type Row } from "../timeline/rows.js";
import { endText, factsText, failureTexts, noteTexts } from "../timeline/words.js";
import { markup, type Markup } from "./markup.js";

const WIDTH = 1_000;
const HEIGHT = 16;
/** What is shorter than a pixel is drawn all the same; a moment is drawn wider. */
const LEAST_WIDTH = 2;
const MOMENT_WIDTH = 5;
/** Told apart by their heights too. */
const HEIGHTS: Readonly<Record<Paint, number>> = {
  queue: 6,
  execute: 16,
  return: 6,
  whole: 12,
  timer: 4,
  child: 4,
  suspended: 12,
  earlier: 6,
  fold: 12,
  mark: 16,
  failed: 16,
};
const DEEPEST_INDENT = 4;
const TICKS = 4;
/** More than a result keeps. */
const TRACED_ROWS = 100;

/**
 * The timeline of an instance and of its sub-orchestrations: a list that reads as text, each with a bar, drawn without a
 * script. Text of a backend is escaped.
 */
export function timelineFigure(timelines: readonly Timeline[], most: number): Markup | undefined {
  const [root] = timelines;
  if (!root) return undefined;
  const { rows, shown } = pictureOf(timelines, most);
  const { durationMs } = root;
  const notes = [...shown].flatMap(([timeline, spans]) => noteTexts(timeline, spans));
  return markup`<p class="facts">${factsText(root)}</p>
${failureTexts([...shown.keys()]).map((text) => markup`<p class="bad">${text}</p>\n`)}<ol class="timeline">
${rows.length > 0 ? axis(durationMs) : ""}${rows.map((row) => rowItem(row, durationMs))}</ol>
<ul class="legend">${legend(rows)}</ul>
${notes.map((note) => markup`<p class="note">${note}</p>\n`)}`;
}

/** What the median and the slowest of the orchestrations that a run traced waited for. */
export function tracedTimelines({ breakdown }: RunResult): Markup | undefined {
  const figures = (breakdown?.examples ?? []).flatMap(({ rank, timelines = [] }) => {
    const [root] = timelines;
    if (!root) return [];
    return markup`<p class="plan">The ${rank}: <code>${root.instanceId}</code> ${timelineTitle(root)}</p>
${timelineFigure(timelines, TRACED_ROWS)}`;
  });
  if (figures.length === 0) return undefined;
  return markup`<section><h2>What the median and the slowest orchestration waited for</h2>
<p class="note">By the backend's clock, from its creation. <code>fanout timeline</code> shows any other one.</p>
${figures}</section>
`;
}

/** The heading of a timeline: how the instance ended. */
export function timelineTitle(timeline: Timeline): Markup {
  const isGood = timeline.status === "Completed" || !timeline.ended;
  return markup`<span class="${isGood ? "good" : "bad"}">${endText(timeline)}</span>`;
}

function axis(durationMs: number): Markup {
  const ticks = Array.from({ length: TICKS + 1 }, (_, index) => {
    const ms = (durationMs * index) / TICKS;
    return markup`<span>${index === 0 ? "0" : formatDuration(ms)}</span>`;
  });
  return markup`<li class="ticks" aria-hidden="true"><span class="who"></span><span class="lane">${ticks}</span><span class="took"></span></li>\n`;
}

function rowItem({ depth, iterations, name, suffix, parts, took, most }: Row, durationMs: number): Markup {
  const indent = `depth-${Math.min(depth, DEEPEST_INDENT)}`;
  const number = iterations === "" ? undefined : markup`<span class="number">${iterations}</span> `;
  const figures = most === "" ? took : `${took}, max ${most}`;
  return markup`<li><span class="who ${indent}">${number}${name}${suffix}</span><svg class="lane" role="img" aria-label="${spokenText(parts)}" viewBox="0 0 ${String(WIDTH)} ${String(HEIGHT)}" preserveAspectRatio="none">${parts.map((part) => bar(part, durationMs))}</svg><span class="took">${figures}</span></li>\n`;
}

function bar({ paint, fromMs, toMs }: Part, durationMs: number): Markup {
  const at = (ms: number): number => (durationMs > 0 ? (WIDTH * Math.min(ms, durationMs)) / durationMs : 0);
  const isMoment = paint === "mark" || paint === "failed";
  const width = Math.max(at(toMs) - at(fromMs), isMoment ? MOMENT_WIDTH : LEAST_WIDTH);
  const x = Math.min(at(fromMs), WIDTH - width);
  const height = HEIGHTS[paint];
  const took = isMoment ? `at ${timeText(fromMs)}` : `${formatDuration(toMs - fromMs)}, from ${timeText(fromMs)}`;
  return markup`<rect class="paint-${paint}" x="${x.toFixed(1)}" y="${String((HEIGHT - height) / 2)}" width="${width.toFixed(1)}" height="${String(height)}"><title>${PAINT_MEANINGS[paint]} ${took}</title></rect>`;
}

function spokenText(parts: readonly Part[]): string {
  return parts
    .slice(0, 5)
    .map(({ paint, fromMs, toMs }) => `${PAINT_MEANINGS[paint]} ${timeText(fromMs)} to ${timeText(toMs)}`)
    .join(", ");
}

function timeText(ms: number): string {
  return ms === 0 ? "0" : formatDuration(ms);
}

function legend(rows: readonly Row[]): readonly Markup[] {
  return paintsOf(rows).map((paint) => {
    const height = HEIGHTS[paint];
    return markup`<li><svg width="14" height="16" aria-hidden="true"><rect class="paint-${paint}" width="14" height="${String(height)}" y="${String((HEIGHT - height) / 2)}"/></svg>${PAINT_MEANINGS[paint]}</li>`;
  });
}
