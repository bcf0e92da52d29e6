import { charts } from './styles-charts.js'

/** Colours in light and dark, and what every element begins with: the page's own styles end at the shadow root. */
const base = `
:host {
  all: initial;
  color-scheme: light dark;
  --card: light-dark(#ffffff, #181d24);
  --sunk: light-dark(#f0f2f5, #11161c);
  --line: light-dark(#d5dae1, #2e3641);
  --edge: light-dark(#7d8896, #7a8594);
  --text: light-dark(#1a2129, #e6eaf0);
  --soft: light-dark(#515c6b, #a3aebb);
  --accent: light-dark(#1d5fbf, #7fb2ff);
  --good: light-dark(#1b7a4b, #6fd3a0);
  --warn: light-dark(#8a5a00, #f0b860);
  --bad: light-dark(#b3261e, #ff8f87);
  --warn-back: light-dark(#fdf3dc, #33290f);
  --bad-back: light-dark(#fdeceb, #3a1b1a);
  --websocket: light-dark(#1d5fbf, #7fb2ff);
  --eventsource: light-dark(#1b7a4b, #6fd3a0);
  --stream: light-dark(#7a3fb5, #c79bff);
  --longpolling: light-dark(#8f5a00, #f0b860);
  --idle: light-dark(#66707e, #8b95a3);
  --on-band: light-dark(#ffffff, #0e131a);
  --hatch: light-dark(rgb(255 255 255 / 35%), rgb(0 0 0 / 35%));
  --bars: light-dark(#8fa3bd, #566a86);
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
  color: var(--text);
  font: 14px / 1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
}
:host([inline]) { display: block; }
:host([theme="light"]) { color-scheme: light; }
:host([theme="dark"]) { color-scheme: dark; }
*, *::before, *::after { box-sizing: border-box; }
[hidden] { display: none !important; }
h2, h3, p, ul, dl, dd, i { margin: 0; padding: 0; font-style: normal; }
ul { list-style: none; }
h2 { font-size: 15px; }
h3 { font-size: 15px; }
dt, .hint, .legend, label { color: var(--soft); font-size: 13px; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
.hidden {
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap;
}
input, select, button, textarea {
  min-height: 30px; border: 1px solid var(--edge); border-radius: 6px;
  background: var(--card); color: var(--text); font: inherit; font-size: 13px;
}
button { padding: 3px 11px; font-weight: 500; cursor: pointer; }
button:hover { border-color: var(--accent); color: var(--accent); }
button[aria-pressed="true"] { border-color: var(--accent); background: var(--accent); color: var(--card); }
button.icon { min-width: 30px; padding: 0; border-color: transparent; background: none; font-size: 18px; line-height: 1; }
select { padding: 2px 4px; }
input[type="search"] { flex: 1 1 9rem; min-width: 0; padding: 3px 9px; }
input[type="checkbox"] { width: 16px; min-height: 16px; height: 16px; margin: 0; accent-color: var(--accent); }
::placeholder { color: var(--soft); opacity: 1; }
.json { width: 100%; font-family: var(--mono); font-size: 12px; }
@media (pointer: coarse) {
  input, select, button { min-height: 44px; }
  button.icon { min-width: 44px; }
}
`

/** The button in the corner, the panel, and what stands at its top. */
const frame = `
.launcher {
  position: fixed; right: 12px; bottom: 12px; z-index: 2147483000;
  display: flex; gap: 8px; align-items: center; border-radius: 99px; box-shadow: 0 2px 10px rgb(0 0 0 / 25%);
}
.launcher::before, .pill.state::before {
  content: ""; width: 8px; height: 8px; border-radius: 50%; background: currentcolor;
}
.launcher::before { background: var(--idle); }
.launcher[data-state="open"]::before { background: var(--good); }
.launcher[data-state="waiting"]::before, .launcher[data-state="connecting"]::before { background: var(--warn); }
.launcher .lost:not(:empty) { color: var(--bad); font-weight: 600; }
.panel { container-type: inline-size; display: flex; flex-direction: column; }
.docked {
  position: fixed; inset: auto 0 0; z-index: 2147483000; height: min(55vh, 460px);
  border-top: 1px solid var(--edge); background: var(--card); box-shadow: 0 -4px 20px rgb(0 0 0 / 20%);
}
.inline { gap: 16px; }
.head { display: flex; flex-wrap: wrap; gap: 6px 20px; align-items: center; }
.docked > .head { padding: 8px 12px 0; }
.result { flex-basis: 100%; }
.result:empty { position: absolute; }
.pills, .actions { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; }
.actions { margin-left: auto; }
.pill {
  padding: 1px 10px; border: 1px solid var(--edge); border-radius: 99px;
  color: var(--soft); font-size: 13px; font-weight: 600;
}
.pill.state { display: inline-flex; gap: 7px; align-items: center; }
.pill[data-state="open"] { border-color: var(--good); color: var(--good); }
.pill[data-state="connecting"], .pill[data-state="waiting"] { border-color: var(--warn); color: var(--warn); }
.pill[data-mode="websocket"] { border-color: var(--websocket); color: var(--websocket); }
.pill[data-mode="eventsource"] { border-color: var(--eventsource); color: var(--eventsource); }
.pill[data-mode="stream"] { border-color: var(--stream); color: var(--stream); }
.pill[data-mode="longpolling"] { border-color: var(--longpolling); color: var(--longpolling); }
.counters { display: flex; flex-wrap: wrap; gap: 0 16px; }
.counters > div { display: flex; gap: 5px; align-items: baseline; }
dd { font-weight: 600; font-variant-numeric: tabular-nums; }
.counters [data-counter="gaps"] dd:not([data-value="0"]) { color: var(--bad); }
[role="tablist"] {
  display: flex; flex: none; flex-wrap: wrap; gap: 2px; padding: 6px 12px 0; border-bottom: 1px solid var(--line);
}
[role="tab"] {
  flex: none; border-color: transparent; border-bottom: 2px solid transparent; border-radius: 6px 6px 0 0; background: none;
}
[role="tab"]:focus-visible { outline-offset: -2px; }
[role="tab"][aria-selected="true"] { border-bottom-color: var(--accent); color: var(--accent); font-weight: 600; }
.view > div { display: flex; flex-direction: column; gap: 8px; min-height: 0; flex: 1; }
.docked > .view { display: flex; flex: 1; min-height: 0; padding: 8px 12px 12px; overflow-y: auto; }
.docked .box { flex: 1; min-height: 120px; }
.inline > .head, .inline > .view {
  padding: 14px 16px 16px; border: 1px solid var(--line); border-radius: 8px; background: var(--card);
}
.inline > .view { display: grid; gap: 10px; grid-template-columns: minmax(0, 1fr); }
.inline .box { max-height: 240px; }
.inline .box.log { height: 420px; max-height: none; }
.tools { display: flex; flex-wrap: wrap; gap: 8px; align-items: center; }
.tools .legend { margin-left: auto; }
.check { display: flex; gap: 7px; align-items: center; min-height: 30px; }
@media (max-width: 560px) { .docked { height: 85vh; height: 85dvh; } }
@container (max-width: 560px) {
  .head { gap: 8px; }
  .counters { width: 100%; justify-content: space-between; gap: 0 8px; }
  .actions { width: 100%; margin: 0; }
  .actions button:not(.icon) { flex: 1 1 auto; padding-inline: 6px; }
  .tools select { flex: 1 1 6rem; min-width: 0; }
  .tools input[type="search"] { flex-basis: 100%; }
  .tools button { flex: 1; }
  .tools .legend { margin: 0; }
  [role="tablist"] { padding-inline: 4px; gap: 0; }
  [role="tab"] { flex: 1 1 auto; padding-inline: 6px; }
}
`

/** Tables: in a narrow panel each row is a few lines. */
const tables = `
.box { position: relative; overflow: auto; border: 1px solid var(--line); border-radius: 6px; background: var(--sunk); }
.none { padding: 12px; color: var(--soft); }
table { width: 100%; border-collapse: collapse; font-size: 13px; }
th {
  position: sticky; top: 0; background: var(--sunk); box-shadow: inset 0 -1px var(--line);
  color: var(--soft); font-weight: 500; text-align: left; white-space: nowrap;
}
th, td { padding: 4px 10px; vertical-align: top; }
td { border-bottom: 1px solid var(--line); }
td { font-variant-numeric: tabular-nums; }
.time, .id, .mode, .took, .event, .for, .position, .watermark, .waiting, .heard { white-space: nowrap; }
.time, .mode { color: var(--soft); }
.log .channel, .log .type { max-width: 9rem; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.text, .url, .answer, .channels .channel { overflow-wrap: anywhere; }
.text, .url { width: 99%; }
.log .text { min-width: 8rem; white-space: pre-wrap; }
.log [data-kind="message"] .text, .url { font-family: var(--mono); font-size: 12.5px; }
.answer { min-width: 7.5rem; }
.badge { padding: 0 6px; border: 1px solid var(--edge); border-radius: 99px; font-size: 12px; }
td .label { display: none; color: var(--soft); }
tr[data-kind="gap"] { background: var(--warn-back); box-shadow: inset 3px 0 var(--warn); }
tr:is([data-kind="deadletter"], [data-kind="deleted"], [data-kind="lost"]) {
  background: var(--bad-back); box-shadow: inset 3px 0 var(--bad);
}
[data-kind="gap"] .type, [data-kind="gap"] .event { color: var(--warn); font-weight: 600; }
:is([data-kind="deadletter"], [data-kind="deleted"]) .type, [data-kind="lost"] .event { color: var(--bad); font-weight: 600; }
:is([data-kind="opened"], [data-kind="resumed"]) .event { color: var(--good); font-weight: 600; }
:is([data-kind="error"], [data-kind="step"]) td { color: var(--soft); }
[data-state="failed"] .answer { color: var(--bad); }
@container (max-width: 560px) {
  thead { position: absolute; clip-path: inset(50%); }
  table, tbody { display: block; }
  tr { display: flex; flex-wrap: wrap; gap: 0 8px; padding: 6px 10px; border-bottom: 1px solid var(--line); }
  td { padding: 0; border: 0; }
  td:empty { display: none; }
  td.text, td.url { order: 1; flex-basis: 100%; }
  .log .mode, .took { margin-left: auto; }
  .log .channel, .log .type { max-width: 100%; white-space: normal; overflow-wrap: anywhere; }
  .channel, .for { font-weight: 600; }
  .channels .channel { flex-basis: 100%; }
  td .label { display: inline; margin-right: 4px; }
}
`

export const styles = base + frame + tables + charts
