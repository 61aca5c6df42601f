import { formatDuration } from "../../format/duration.js";
import { oneLine } from "../../format/one-line.js";
import type { RunResult } from "../../result/run-result.js";
import { breakdownTable, percent, phaseWord, type BreakdownRow } from "../breakdown-rows.js";
import { iterationText, standOutTexts, workerTable } from "../fan-in-rows.js";
import { markup, type Content, type Markup } from "./markup.js";
import { dataTable, numbersBy, tableSection, type Column } from "./table.js";

const BAR = { width: 1_000, height: 28 };
/** Classes of fills; the smallest phases share the last one. */
const FILLS = 8;

/** Where the time went: the shares as one bar, and the table of the phases. */
export function breakdownSection(result: RunResult): Markup | undefined {
  const table = breakdownTable(result);
  if (!table) return undefined;
  const { columns, rows, notes } = table;
  const head: readonly Column[] = [...numbersBy("phase", ...columns), { name: "", kind: "text" }];
  const cells = rows.map(({ name, cells: figures, meaning }, index): readonly Content[] => [
    markup`<svg width="10" height="10" aria-hidden="true"><rect width="10" height="10" class="${fillOf(index)}"/></svg> ${name}`,
    ...figures,
    meaning,
  ]);
  return markup`<section><h2>Where the time went</h2>
${[...notes, iterationText(result) ?? []].flat().map((note) => markup`<p class="note">${note}</p>\n`)}${rows.length > 0 ? stackedBar(rows) : ""}
${rows.length > 0 ? dataTable("Where the time went", head, cells) : ""}
${examples(result, rows)}
${standOutTexts(result).map((text) => markup`<p>${text}</p>\n`)}</section>
`;
}

/** Drawn without a script. */
function stackedBar(rows: readonly BreakdownRow[]): Markup {
  const texts = rows.map(({ name, share }) => `${name} ${percent(share)}`);
  let from = 0;
  const parts = rows.map(({ share }, index) => {
    const part = barPart(from, share, fillOf(index), texts[index]!);
    from += share;
    return part;
  });
  return bar(texts.join(", "), parts);
}

/** The median orchestration and the slowest one over the same time, in the colours of the table. */
function examples({ breakdown }: RunResult, rows: readonly BreakdownRow[]): readonly Markup[] {
  const { examples = [] } = breakdown ?? {};
  const longestMs = Math.max(...examples.map(({ wholeMs }) => wholeMs));
  const fills = new Map(rows.map(({ phase }, index) => [phase, fillOf(index)]));
  return examples.map(({ rank, instanceId, wholeMs, parts }) => {
    const title = `The ${rank} traced orchestration, ${oneLine(instanceId)}: ${formatDuration(wholeMs)}`;
    let fromMs = 0;
    const drawn = parts.map(({ phase, ms }) => {
      const text = `${phaseWord(phase)} ${formatDuration(ms)}, from ${formatDuration(fromMs)}`;
      const part = barPart(fromMs / longestMs, ms / longestMs, fills.get(phase) ?? fillOf(FILLS), text);
      fromMs += ms;
      return part;
    });
    return markup`<p>${title}</p>
${bar(title, drawn)}
`;
  });
}

function bar(label: string, parts: readonly Markup[]): Markup {
  return markup`<svg class="shares" role="img" aria-label="${label}" viewBox="0 0 ${String(BAR.width)} ${String(BAR.height)}" preserveAspectRatio="none">${parts}</svg>`;
}

/** @param from and `share` are parts of the bar */
function barPart(from: number, share: number, fill: string, title: string): Markup {
  const [x, width] = [from, share].map((part) => (part * BAR.width).toFixed(1)) as [string, string];
  return markup`<rect x="${x}" width="${width}" height="${String(BAR.height)}" class="${fill}"><title>${title}</title></rect>`;
}

function fillOf(index: number): string {
  return `fill-${Math.min(index, FILLS - 1)}`;
}

export function workerSection(result: RunResult): Markup | undefined {
  const { columns, rows } = workerTable(result);
  return tableSection(
    "Workers",
    numbersBy("worker", ...columns),
    rows.map(({ name, cells }) => [name, ...cells]),
  );
}

/** What an iteration took by its number. */
export function growthSection({ fanIn }: RunResult): Markup | undefined {
  const groups = fanIn?.growth?.groups ?? [];
  return tableSection(
    "Iterations by their number",
    numbersBy("iterations", "mean"),
    groups.map(({ fromIteration, iterations, meanMs }) => [
      iterations === 1 ? `${fromIteration}` : `${fromIteration} to ${fromIteration + iterations - 1}`,
      formatDuration(meanMs),
    ]),
  );
}
