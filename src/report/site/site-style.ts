import { STYLE } from "../html/style.js";

/** The style of the pages of `fanout serve`: that of the report, and what people write into. */
export const SITE_STYLE = `${STYLE}
[hidden] { display: none !important; }
a { color: var(--solid); text-underline-offset: 0.15em; }
:is(a, button, input, select, textarea, summary):focus-visible { outline: 2px solid var(--solid); outline-offset: 2px; border-radius: 3px; }
.site { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0.25rem 1.25rem; margin-bottom: 1.5rem; padding-bottom: 0.6rem; border-bottom: 1px solid var(--rule); font-size: 0.87rem; }
.site .home { color: var(--text); font-weight: 650; text-decoration: none; margin-right: auto; }
.site .home:hover { text-decoration: underline; }
button, input, select, textarea { font: inherit; color: inherit; }
button { padding: 0.35rem 0.9rem; border: 1px solid var(--muted); border-radius: 4px; background: var(--page); cursor: pointer; }
button:hover:not(:disabled) { border-color: var(--text); }
button:disabled { color: var(--muted); border-color: var(--rule); cursor: default; }
button.main { border-color: var(--solid); background: var(--solid); color: var(--page); font-weight: 600; }
button.main:hover:not(:disabled) { filter: brightness(1.1); }
button.main:disabled { border-color: var(--rule); background: var(--rule); color: var(--muted); }
button.plain { padding: 0; border: 0; background: none; color: var(--solid); text-decoration: underline; text-underline-offset: 0.15em; }
input:not([type="checkbox"]), select, textarea { width: 100%; padding: 0.35rem 0.55rem; border: 1px solid var(--muted); border-radius: 4px; background: var(--page); }
textarea { resize: vertical; min-height: 2.2rem; }
::placeholder { color: var(--muted); opacity: 1; }
label { font-weight: 500; }
.login { max-width: 24rem; margin-top: 1.5rem; }
.login > * + * { margin-top: 0.75rem; }
.login label { display: block; margin-bottom: 0.2rem; }
`;
