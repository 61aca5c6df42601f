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

/** A table under its title, which scrolls sideways if it does not fit. Nothing without rows. */
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

/** The first cell of a row is its header. */
export function dataTable(label: string, columns: readonly Column[], rows: readonly (readonly Content[])[]): Markup {
  const head = columns.map(({ name, kind }) => markup`<th scope="col" class="${kind}">${name}</th>`);
  return markup`<div class="scroll" role="region" aria-label="${label}" tabindex="0"><table>
<thead><tr>${head}</tr></thead>
<tbody>
${rows.map((row) => markup`<tr>${row.map((cell, index) => cellOf(cell, index, columns))}</tr>\n`)}</tbody>
</table></div>`;
}

function cellOf(cell: Content, index: number, columns: readonly Column[]): Markup {
  const kind = columns[index]?.kind ?? "text";
  return index === 0 ? markup`<th scope="row" class="${kind}">${cell}</th>` : markup`<td class="${kind}">${cell}</td>`;
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
