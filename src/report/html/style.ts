import { HEIGHTS_PX } from "./panel.js";

/**
 * Text has a contrast of at least 4.5:1 to its background, lines one of 3:1. The colours of the lines are from the
 * palette of Okabe and Ito, which colour-blind readers can tell apart: https://jfly.uni-koeln.de/color/
 */
const LIGHT = `
  --page: #ffffff; --text: #1b1f24; --muted: #59616b; --rule: #d9dde2; --grid: #e6e9ed;
  --good: #0b6b4b; --bad: #b3261e; --doubt: #8a4b00; --bad-soft: #fdf0ee; --doubt-soft: #fdf5e6; --stall: #f7d9d5; --shadow: #b4bcc6;
  --solid: #0072b2; --dashed: #c25400; --dotted: #8f4a78; --broad: #a9b1bb;`;
const DARK = `
  --page: #14171b; --text: #e8eaed; --muted: #a3abb5; --rule: #353c44; --grid: #2a3037;
  --good: #5fcfa5; --bad: #ff9a90; --doubt: #f3b95f; --bad-soft: #2c1b1b; --doubt-soft: #2a2216; --stall: #4a2522; --shadow: #56606c;
  --solid: #56b4e9; --dashed: #e69f00; --dotted: #d99bbd; --broad: #626b76;`;

const PANELS = Object.entries(HEIGHTS_PX).map(([name, px]) => `.panel.${name} { min-height: ${px}px; }`);

const INDENTS = [1, 2, 3, 4].map((depth) => `.timeline .depth-${depth} { padding-left: ${depth}rem; }`);

/** The style of the page. Paper is always light. */
export const STYLE = `
:root { color-scheme: light;${LIGHT}
}
@media screen and (prefers-color-scheme: dark) {
:root:not(.paper) { color-scheme: dark;${DARK}
} }
*, *::before, *::after { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 62rem; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums; overflow-wrap: anywhere; -webkit-text-size-adjust: 100%;
}
html { background: var(--page); }
h1, h2, h3, p, ul, dl, dd, figure { margin: 0; padding: 0; }
h1 { font-size: 1.6rem; line-height: 1.25; font-weight: 650; letter-spacing: -0.01em; }
h2 { font-size: 1.05rem; line-height: 1.35; font-weight: 650; }
h3 { font-size: 0.8rem; font-weight: 500; color: var(--muted); }
section, details { margin-top: 2.25rem; }
code { font: 0.92em/1 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; }
a { color: var(--solid); text-underline-offset: 0.15em; }
.good { color: var(--good); } .bad { color: var(--bad); } .doubt { color: var(--doubt); }
.brand { color: var(--muted); font-size: 0.8rem; margin-bottom: 0.4rem; }
.plan { margin-top: 0.5rem; }
.facts, .note, figcaption p { color: var(--muted); font-size: 0.87rem; }
.facts { margin-top: 0.25rem; }
.moved { margin-top: 0.75rem; }
.labels { display: flex; flex-wrap: wrap; gap: 0.4rem; margin-top: 0.7rem; list-style: none; font-size: 0.8rem; }
.labels li { border: 1px solid var(--rule); border-radius: 3px; padding: 0.05rem 0.5rem; }
.valid { margin-top: 1.25rem; color: var(--muted); font-size: 0.87rem; }
.verdict { margin-top: 1.5rem; padding: 1rem 1.25rem; border: 2px solid; border-left-width: 8px; border-radius: 4px; }
.verdict.suspect { border-color: var(--doubt); background: var(--doubt-soft); }
.verdict.invalid { border-color: var(--bad); background: var(--bad-soft); }
.verdict.suspect :is(h2, strong) { color: var(--doubt); }
.verdict.invalid :is(h2, strong) { color: var(--bad); }
.verdict h2 { font-size: 1.2rem; }
.verdict ul { list-style: none; }
.verdict li { margin-top: 0.6rem; }
.verdict strong { margin-right: 0.35rem; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr)); border-block: 1px solid var(--rule); }
.tiles > div { padding: 0.9rem 1rem 0.9rem 0; }
.tiles .value { font-size: 1.6rem; line-height: 1.3; font-weight: 600; letter-spacing: -0.01em; }
.tiles.invalid .value { color: var(--muted); font-weight: 400; }
.tiles .note { font-size: 0.8rem; line-height: 1.4; }
figcaption p { margin-top: 0.2rem; max-width: 46rem; }
.axis { display: flex; flex-wrap: wrap; gap: 0.1rem 1.75rem; margin-top: 0.9rem; font-size: 0.8rem; }
.axis-title { color: var(--muted); }
.legend { display: flex; flex-wrap: wrap; gap: 0.1rem 1.1rem; list-style: none; }
.legend svg { vertical-align: 0.05em; margin-right: 0.4rem; }
.legend output { display: inline-block; min-width: 3.6rem; font-weight: 600; }
.legend .where output { color: var(--muted); font-weight: 400; text-align: right; }
.solid { stroke: var(--solid); } .dashed { stroke: var(--dashed); } .dotted { stroke: var(--dotted); } .broad { stroke: var(--broad); }
.shares { display: block; width: 100%; height: 1.8rem; margin-top: 0.7rem; border-radius: 3px; }
.fill-0 { fill: var(--solid); } .fill-1 { fill: var(--dashed); } .fill-2 { fill: var(--dotted); } .fill-3 { fill: var(--good); }
.fill-4 { fill: var(--doubt); } .fill-5 { fill: var(--bad); } .fill-6 { fill: var(--muted); } .fill-7 { fill: var(--broad); }
.timeline { list-style: none; padding: 0; margin: 0.7rem 0 0; font-size: 0.8rem; }
.timeline li { display: grid; grid-template-columns: minmax(8rem, 14rem) 1fr 9rem; gap: 0 0.9rem; align-items: center; border-bottom: 1px solid var(--grid); }
.timeline .lane { display: block; width: 100%; height: 1rem; }
.timeline .took { text-align: right; white-space: nowrap; }
.timeline .who .number, .ticks { color: var(--muted); }
.ticks .lane { display: flex; justify-content: space-between; height: auto; white-space: nowrap; }
${INDENTS.join("\n")}
.paint-execute, .paint-whole, .paint-fold { fill: var(--solid); } .paint-child { fill: var(--dashed); } .paint-failed { fill: var(--bad); }
.paint-queue, .paint-timer { fill: var(--muted); } .paint-earlier { fill: var(--broad); } .paint-suspended { fill: var(--doubt); }
.paint-return { fill: var(--dotted); } .paint-mark { fill: var(--good); }
.timeline + .legend { margin: 0.5rem 0; font-size: 0.8rem; } .timeline + .legend svg { vertical-align: -0.2em; }
.instance h1 code { margin-right: 0.4rem; }
.panel { overflow: hidden; }
${PANELS.join("\n")}
.absent { margin-top: 0.3rem; color: var(--muted); }
.scroll {
  margin-top: 0.6rem; overflow-x: auto;
  /* A shadow at each edge behind which there is more. */
  background:
    linear-gradient(to right, var(--page) 40%, transparent) 0 0 / 3rem 100% local,
    linear-gradient(to left, var(--page) 40%, transparent) 100% 0 / 3rem 100% local,
    linear-gradient(to right, var(--shadow), transparent) 0 0 / 0.9rem 100% scroll,
    linear-gradient(to left, var(--shadow), transparent) 100% 0 / 0.9rem 100% scroll;
  background-repeat: no-repeat;
}
.scroll:focus-visible, summary:focus-visible { outline: 2px solid var(--solid); outline-offset: 2px; }
table { border-collapse: collapse; min-width: min(100%, 30rem); font-size: 0.87rem; overflow-wrap: normal; }
th, td { padding: 0.35rem 1.75rem 0.35rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--rule); }
th:last-child, td:last-child { padding-right: 0; }
thead th { color: var(--muted); font-weight: 500; font-size: 0.8rem; vertical-align: bottom; }
tbody th { font-weight: 500; }
.number { text-align: right; }
td.number { white-space: nowrap; }
/* Wide enough for a word, so that only what is no word breaks. */
tbody th.text { overflow-wrap: anywhere; min-width: 8rem; }
td.text { overflow-wrap: anywhere; min-width: 9rem; }
td.text > span { white-space: nowrap; }
summary { cursor: pointer; }
summary h2 { display: inline; }
details + details { margin-top: 0.9rem; }
dl { margin-top: 0.5rem; font-size: 0.87rem; }
dl > div { display: grid; grid-template-columns: minmax(7rem, 15rem) 1fr; gap: 1rem; padding: 0.3rem 0; border-bottom: 1px solid var(--rule); }
dt { color: var(--muted); }
footer { margin-top: 3rem; color: var(--muted); font-size: 0.8rem; }
@media screen and (max-width: 560px) {
  body { padding: 1.25rem 1rem 3rem; }
  h1 { font-size: 1.3rem; }
  .tiles { grid-template-columns: 1fr 1fr; }
  .tiles .value { font-size: 1.3rem; }
  .where { display: none; }
  .stack :is(table, tbody, td, th) { display: block; min-width: 0; }
  .stack thead { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
  .stack tr { display: grid; grid-template-columns: repeat(auto-fill, minmax(5rem, 1fr)); gap: 0.2rem 0.9rem; padding: 0.5rem 0; border-bottom: 1px solid var(--rule); }
  .stack :is(th, td) { padding: 0; border: 0; text-align: left; white-space: normal; }
  .stack :is(th, td.text) { grid-column: 1 / -1; }
  .stack td:empty { display: none; }
  .stack td:not([data-name=""])::before { content: attr(data-name); display: block; color: var(--muted); font-size: 0.8rem; }
  .timeline li { grid-template-columns: 1fr auto; padding: 0.15rem 0; }
  .timeline .lane { grid-column: 1 / -1; grid-row: 2; }
}
@media print {
  @page { size: A4; margin: 12mm; }
  body { padding: 0; max-width: none; font-size: 10pt; }
  section, details { margin-top: 1.4rem; }
  .chart, .verdict, .tiles, tr, .timeline li { break-inside: avoid; }
  h2 { break-after: avoid; }
  .scroll { overflow: visible; background: none; }
  table { font-size: 8.5pt; }
  th, td { padding-right: 0.6rem; }
  :is(td, tbody th).text { min-width: 0; }
  summary { list-style: none; }
  details::details-content { content-visibility: visible; block-size: auto; }
  .where, .hint, details.numbers:not([open]) { display: none; }
}
`;
