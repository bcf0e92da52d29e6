/** The timeline and the plot of lateness. */
export const charts = `
.chart { display: block; width: 100%; overflow: hidden; flex: none; }
.chart.timeline { height: 116px; }
.chart.lateness { height: 150px; }
.chart text { font-size: 11px; }
.tick { fill: var(--soft); font-variant-numeric: tabular-nums; }
.axis, .grid { stroke: var(--line); }
.band { fill: var(--idle); }
.band[data-mode="websocket"] { fill: var(--websocket); }
.band[data-mode="eventsource"] { fill: var(--eventsource); }
.band[data-mode="stream"] { fill: var(--stream); }
.band[data-mode="longpolling"] { fill: var(--longpolling); }
.band-label { fill: var(--on-band); font-weight: 600; dominant-baseline: central; }
.hatch-line { stroke: var(--hatch); stroke-width: 3; }
rect.bar { fill: var(--bars); }
.mark line { stroke: var(--text); stroke-opacity: 0.45; }
.mark path { fill: var(--good); stroke: var(--card); stroke-width: 1; }
.mark[data-kind="lost"] path { fill: var(--bad); }
.mark[data-kind="gap"] path { fill: var(--warn); }
.mark[data-kind="switched"] path { fill: none; stroke: var(--text); stroke-width: 1.6; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 14px; font-size: 12px; }
.legend li { display: flex; align-items: center; gap: 5px; }
.swatch { width: 10px; height: 10px; border-radius: 2px; background: var(--idle); }
.swatch[data-mode="websocket"] { background: var(--websocket); }
.swatch[data-mode="eventsource"] { background: var(--eventsource); }
.swatch[data-mode="stream"] { background: var(--stream); }
.swatch[data-mode="longpolling"] { background: var(--longpolling); }
.swatch[data-mode="waiting"] { background: repeating-linear-gradient(135deg, var(--idle) 0 3px, var(--line) 3px 5px); }
.swatch[data-mode="bar"] { background: var(--bars); }

.glyph[data-kind="opened"] { color: var(--good); }
.glyph[data-kind="lost"] { color: var(--bad); }
.glyph[data-kind="gap"] { color: var(--warn); }
.figures { display: flex; flex-wrap: wrap; gap: 4px 28px; }
.dot { fill: var(--accent); }
.dot.replayed { fill: none; stroke: var(--accent); stroke-width: 1.2; }
.dot.coarse { fill: var(--bars); }
.dot.coarse.replayed { fill: none; stroke: var(--bars); }
.dot-key { width: 8px; height: 8px; border: 1px solid var(--accent); border-radius: 50%; background: var(--accent); }
.dot-key.replayed { background: none; }
.dot-key.coarse { border-color: var(--bars); background: var(--bars); }
.quantile { stroke: var(--good); stroke-width: 1.5; }
.quantile.p95 { stroke: var(--warn); stroke-dasharray: 6 4; }
.line-key { width: 16px; border-top: 2px solid var(--good); }
.line-key.p95 { border-top: 2px dashed var(--warn); }
`
