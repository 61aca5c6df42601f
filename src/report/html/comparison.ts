import type { Comparison, Finding } from "../../result/run-result.js";
import { plural } from "../../format/count.js";
import {
  caveatTexts,
  conclusionOf,
  differenceRows,
  figureCells,
  figureHeads,
  movedText,
  objectionRows,
  sideNames,
  type Conclusion,
} from "../comparison-rows.js";
import { markup, type Content, type Markup } from "./markup.js";
import { definitionList, tableSection, withoutEmpty, type Column } from "./table.js";

const CLASSES: Readonly<Partial<Record<Finding | Conclusion["word"], string>>> = {
  slower: "bad",
  Slower: "bad",
  "Not judged": "bad",
  "not judged": "bad",
  faster: "good",
  Faster: "good",
};

/** Two sets of runs side by side: the conclusion first, then the details. */
export function comparisonSection(comparison: Comparison): Markup {
  const { word, rest } = conclusionOf(comparison);
  const { base, new: fresh } = sideNames(comparison);
  const caveats = caveatTexts(comparison).map((text) => markup`<li><strong>take care</strong> ${text}</li>\n`);
  const differences = differenceRows(comparison);
  const moved = movedText(comparison);
  return markup`<section>
<h2>${fresh} against ${base}: ${inColour(word)}${rest}</h2>
${caveats.length > 0 ? markup`<ul>${caveats}</ul>` : undefined}
${objections(comparison, comparison.unusable, "cannot be compared")}
${figures(comparison)}
${moved === undefined ? undefined : markup`<p class="moved">${moved}</p>`}
${objections(comparison, comparison.dropped, "left out")}
${differences.length > 0 ? markup`<details><summary>What else differs</summary>\n${definitionList(differences)}</details>` : undefined}
</section>
`;
}

function figures(comparison: Comparison): Markup | undefined {
  const heads = figureHeads(comparison);
  const columns: readonly Column[] = [
    ...heads.map((name, index): Column => ({ name, kind: index === 0 ? "text" : "number" })),
    { name: "finding", kind: "text" },
  ];
  const blanks = (cells: readonly Content[]) => Array.from({ length: heads.length - cells.length }, () => undefined);
  const rows = [
    ...comparison.figures.map((figure) => {
      const cells = figureCells(figure);
      return [...cells, ...blanks(cells), inColour(figure.finding)];
    }),
    ...comparison.leftOut.map(({ figure, reason }) => [figure, ...blanks([figure]), `left out: ${reason}`]),
  ];
  return tableSection("Figures", ...withoutEmpty(columns, rows));
}

function objections(comparison: Comparison, runs: Comparison["unusable"], what: string): Markup | undefined {
  const columns = ["side", "run", "why"].map((name): Column => ({ name, kind: "text" }));
  return tableSection(`${plural(runs.length, "run")} ${what}`, columns, objectionRows(comparison, runs));
}

function inColour(word: Finding | Conclusion["word"]): Markup {
  const name = CLASSES[word];
  return name === undefined ? markup`${word}` : markup`<span class="${name}">${word}</span>`;
}
