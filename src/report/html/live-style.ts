/** What the page of a run in progress has beyond its report. Its colours and its parts are those of `style.ts`. */
export const LIVE_STYLE = `
[hidden] { display: none !important; }
.doubt-text { color: var(--doubt); }
.detail { margin-top: 0.25rem; min-height: 1.5em; }
.link { display: inline-flex; align-items: center; gap: 0.4rem; margin-left: 0.4rem; padding: 0.05rem 0.6rem; border: 1px solid var(--rule); border-radius: 1rem; }
.link::before { content: ""; width: 0.5rem; height: 0.5rem; border-radius: 50%; background: var(--muted); }
.link.on::before { background: var(--good); }
.link.off { color: var(--bad); border-color: var(--bad); }
.link.off::before { background: var(--bad); }
.lines { margin-top: 0.6rem; list-style: none; font-size: 0.87rem; }
.lines li { padding: 0.2rem 0; border-top: 1px solid var(--grid); }
.actions { display: flex; flex-wrap: wrap; align-items: center; gap: 0.6rem; margin-top: 0.9rem; }
.actions:not(:has(:not([hidden], :empty))) { display: none; }
button.danger { color: var(--bad); border-color: var(--bad); }
dialog { max-width: min(30rem, calc(100vw - 2rem)); padding: 1.25rem; color: var(--text); background: var(--page); border: 1px solid var(--muted); border-radius: 6px; }
dialog::backdrop { background: rgb(0 0 0 / 45%); }
dialog p { margin-top: 0.6rem; }
.tiles { grid-template-columns: repeat(6, 1fr); margin-top: 1.5rem; }
.tiles .value { white-space: nowrap; }
.state { white-space: nowrap; font-weight: 500; }
@media (prefers-reduced-motion: no-preference) {
  .link.on::before { animation: breathe 2s ease-in-out infinite; }
  @keyframes breathe { 50% { opacity: 0.35; } }
}
@media screen and (max-width: 860px) { .tiles { grid-template-columns: repeat(3, 1fr); } }
@media screen and (max-width: 560px) { .tiles { grid-template-columns: 1fr 1fr; } }
`;
