import { markup, type Content, type Markup } from "./markup.js";

/** `number` columns are aligned to the right. */
export interface Column {
  readonly name: string;
  readonly kind: "text" | "number";
}

/** Columns by their names: the first one has text, the others have numbers. */
export function numbersBy(name: string, ...numbers: readonly string[]): readonly Column[] {
  return [{ name, kind: "text" }, ...numbers.map((name): Column => ({ name, kind: "number" }))];
}

/** A table under its title. Nothing without rows. */
export function tableSection(
  title: string,
  columns: readonly Column[],
  rows: readonly (readonly Content[])[],
  note?: string,
): Markup | undefined {
  if (rows.length === 0) return undefined;
  return markup`<section><h2>${title}</h2>${note && markup`<p class="note">${note}</p>`}
${dataTable(title, columns, rows)}</section>
`;
}

/** A table with more rows scrolls where it does not fit: a page of blocks would be longer than it is wide. */
const MOST_STACKED = 12;
/** Fewer columns fit. */
const LEAST_STACKED_COLUMNS = 4;

/**
 * The first cell of a row is its header. On a narrow screen, each row of a short, wide table becomes a block whose cells have
 * the names of their columns. It keeps the roles of a table, which a browser would forget.
 */
export function dataTable(label: string, columns: readonly Column[], rows: readonly (readonly Content[])[]): Markup {
  const head = columns.map(
    ({ name, kind }) => markup`<th scope="col" role="columnheader" class="${kind}">${name}</th>`,
  );
  const isStacked = rows.length <= MOST_STACKED && columns.length >= LEAST_STACKED_COLUMNS;
  const layout = isStacked ? "scroll stack" : "scroll";
  return markup`<div class="${layout}" role="region" aria-label="${label}" tabindex="0"><table role="table">
<thead role="rowgroup"><tr role="row">${head}</tr></thead>
<tbody role="rowgroup">
${rows.map((row) => markup`<tr role="row">${row.map((cell, index) => cellOf(cell, index, columns))}</tr>\n`)}</tbody>
</table></div>`;
}

function cellOf(cell: Content, index: number, columns: readonly Column[]): Markup {
  const { name, kind }: Column = columns[index] ?? { name: "", kind: "text" };
  return index === 0
    ? markup`<th scope="row" role="rowheader" class="${kind}">${cell}</th>`
    : markup`<td role="cell" class="${kind}" data-name="${name}">${cell}</td>`;
}

/** The columns, and their cells, that have content in at least one row. */
export function withoutEmpty(columns: readonly Column[], rows: readonly (readonly Content[])[]) {
  const told = columns.map((_column, index) => rows.some((row) => row[index] !== undefined));
  const kept = <T>(cells: readonly T[]) => cells.filter((_cell, index) => told[index]);
  return [kept(columns), rows.map(kept)] as const;
}

/** Names and their values. A value that is undefined or empty is left out. */
export function definitionList(rows: readonly (readonly [name: string, value: string | undefined])[]): Markup {
  const told = rows.filter(([, value]) => value !== undefined && value !== "");
  return markup`<dl>${told.map(([name, value]) => markup`<div><dt>${name}</dt><dd>${value}</dd></div>\n`)}</dl>`;
}
