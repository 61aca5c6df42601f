/** The element of the page with this id. The page is ours, so it has one. */
export function byId(id: string): HTMLElement {
  const found = document.getElementById(id);
  if (found === null) throw new Error(`The page has no element #${id}.`);
  return found;
}

/** Changes the text only if it is another one: a screen reader says what changes. */
export function setText(id: string, text: string): void {
  const element = byId(id);
  if (element.textContent !== text) element.textContent = text;
}

const TIME = new Intl.DateTimeFormat(undefined, {
  month: "short",
  day: "numeric",
  hour: "numeric",
  minute: "2-digit",
  second: "2-digit",
});

/** ISO 8601 as the reader writes it. */
export function timeText(iso: string): string {
  return TIME.format(new Date(iso));
}

/** An element with a text, or with elements. Text is never read as markup. */
export function element(
  name: string,
  content: string | readonly Node[],
  attributes: Readonly<Record<string, string>> = {},
) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (typeof content === "string") made.textContent = content;
  else made.append(...content);
  return made;
}

/** As in the report: on a narrow screen, each row of a short, wide table becomes a block. */
const LEAST_STACKED_COLUMNS = 4;
const MOST_STACKED = 12;

export interface Cell {
  readonly text: string;
  readonly tone?: string;
}

/** Shows a section with its table, or hides it without rows. The first column has text, and others numbers unless named. */
export function showTable(
  id: string,
  columns: readonly string[],
  rows: readonly (readonly Cell[])[],
  textColumns: readonly string[] = [],
): void {
  const section = byId(id);
  section.hidden = rows.length === 0;
  const place = section.querySelector(".scroll");
  if (rows.length === 0 || place === null) return;
  const kindOf = (index: number) => (index === 0 || textColumns.includes(columns[index] ?? "") ? "text" : "number");
  const head = columns.map((name, index) =>
    element("th", name, { scope: "col", role: "columnheader", class: kindOf(index) }),
  );
  const body = rows.map((cells) =>
    element(
      "tr",
      cells.map(({ text, tone = "" }, index) =>
        index === 0
          ? element("th", text, { scope: "row", role: "rowheader", class: `${kindOf(index)} ${tone}` })
          : element("td", text, { role: "cell", class: `${kindOf(index)} ${tone}`, "data-name": columns[index] ?? "" }),
      ),
      { role: "row" },
    ),
  );
  // A browser forgets the roles of a table whose rows are blocks.
  const rowGroup = { role: "rowgroup" };
  const header = element("thead", [element("tr", head, { role: "row" })], rowGroup);
  const table = element("table", [header, element("tbody", body, rowGroup)], { role: "table" });
  place.classList.toggle("stack", columns.length >= LEAST_STACKED_COLUMNS && rows.length <= MOST_STACKED);
  // The same table stays, with what a reader has selected in it.
  if (place.firstElementChild?.isEqualNode(table) !== true) place.replaceChildren(table);
}
