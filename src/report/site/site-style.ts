import { STYLE } from "../html/style.js";

/** The style of the pages of `fanout serve`: that of the report, and what people write into. */
export const SITE_STYLE = `${STYLE}
html { scroll-padding-bottom: 8rem; }
[hidden] { display: none !important; }
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
textarea { display: block; resize: vertical; min-height: 2.2rem; }
::placeholder { color: var(--muted); opacity: 1; }
label { font-weight: 500; }
.login { max-width: 24rem; margin-top: 1.5rem; }
.login > * + * { margin-top: 0.75rem; }
.login label { display: block; margin-bottom: 0.2rem; }
fieldset { border: 0; margin: 0; padding: 0; min-width: 0; }
fieldset + fieldset { margin-top: 1.4rem; }
legend { padding: 0; margin-bottom: 0.5rem; color: var(--muted); font-size: 0.87rem; }
#start { margin-top: 0.9rem; }
#start > details { margin-top: 1.4rem; padding-top: 0.7rem; border-top: 1px solid var(--rule); }
#start > details > fieldset:first-of-type { margin-top: 1rem; }
.fields { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 15rem), 1fr)); gap: 1rem 1.25rem; align-items: start; }
.field label { display: block; margin-bottom: 0.2rem; }
.field.switch { display: grid; grid-template-columns: auto 1fr; column-gap: 0.5rem; align-items: baseline; }
.field.switch label { margin: 0; }
.field.switch p { grid-column: 2; }
.field :is(input:not([type="checkbox"]), textarea, select) { font-variant-numeric: tabular-nums; }
.unit { color: var(--muted); font-weight: 400; font-size: 0.8rem; margin-left: 0.25rem; }
.help { margin-top: 0.2rem; color: var(--muted); font-size: 0.8rem; line-height: 1.4; }
.help em { font-style: normal; border-bottom: 1px dotted var(--muted); }
.wrong { margin-top: 0.2rem; color: var(--bad); font-size: 0.87rem; line-height: 1.4; }
[aria-invalid="true"] { border-color: var(--bad) !important; box-shadow: inset 0 0 0 1px var(--bad); }
.start { position: sticky; bottom: 0; display: flex; flex-wrap: wrap; gap: 0.6rem 1.25rem; align-items: center; justify-content: space-between; margin-top: 1.5rem; padding: 0.75rem 0; background: var(--page); border-top: 1px solid var(--rule); }
.forecast { flex: 1 1 20rem; min-height: 1.5em; }
.compare { margin-top: 0.7rem; }
#now { margin-top: 0.5rem; font-weight: 500; }
#runs { width: 100%; }
#runs .pick { margin: 0 0.6rem 0 0; }
#runs .what { display: block; margin-left: 1.4rem; color: var(--muted); font-weight: 400; font-size: 0.8rem; }
#runs :is(th, td) { padding-right: 1.2rem; }
#runs tbody th { width: 55%; }
#runs :is(th, td):last-child { padding-right: 0; }
#runs td { white-space: nowrap; }
#hub-button { margin-top: 0.6rem; }
.hub { list-style: none; margin-top: 0.6rem; }
.hub > li { padding: 0.5rem 0; border-bottom: 1px solid var(--rule); }
.hub details { margin: 0; }
.hub ul { list-style: none; margin: 0.4rem 0 0 1.2rem; max-height: 22rem; overflow-y: auto; font-size: 0.87rem; }
dialog { max-width: min(30rem, calc(100vw - 2rem)); padding: 1.25rem 1.5rem; border: 1px solid var(--rule); border-radius: 6px; background: var(--page); color: var(--text); }
dialog::backdrop { background: rgb(0 0 0 / 50%); }
dialog p { margin-top: 0.75rem; }
.buttons { display: flex; flex-wrap: wrap; gap: 0.75rem; justify-content: flex-end; }
@media screen and (max-width: 560px) {
  #runs :is(thead) { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
  #runs, #runs :is(tbody, td, th) { display: block; min-width: 0; }
  #runs tr { display: grid; grid-template-columns: 1fr 1fr; gap: 0.2rem 0.9rem; padding: 0.6rem 0; border-bottom: 1px solid var(--rule); }
  #runs :is(th, td) { padding: 0; border: 0; text-align: left; white-space: normal; }
  #runs tbody th { grid-column: 1 / -1; width: auto; }
  #runs td::before { content: attr(data-name); display: block; color: var(--muted); font-size: 0.8rem; }
  .start button { width: 100%; }
}
`;
