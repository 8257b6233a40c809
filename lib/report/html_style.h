// html_style.h: the style sheet of the report page, kept apart because it is text and not logic.
#ifndef QAT_REPORT_HTML_STYLE_H_
#define QAT_REPORT_HTML_STYLE_H_

namespace qat {

/// Light and dark by the reader's preference; below 860 px tables become one card per row, each value with
/// its label, those of many columns below 1320 px.
inline constexpr char kReportStyle[] = R"css(
:root { color-scheme: light dark; --ground: #ffffff; --card: #f5f6f8; --text: #1b1f24; --quiet: #57606a; --line: #d5d9df;
  --good: #176f2c; --bad: #b3261e; --c0: #0b62c4; --c1: #c2410c; --c2: #0f766e; --c3: #7e22ce; --mark: #8a4b00; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #14171b; --card: #1d2127; --text: #e7eaee; --quiet: #a2abb6; --line: #363d47;
    --good: #5fd07f; --bad: #ff8a80; --c0: #6cb2ff; --c1: #ff9f5a; --c2: #4fd1c5; --c3: #cf9bff; --mark: #f0b45c; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 24px 20px 48px; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 4px; }
h2 { font-size: 1.15rem; margin: 36px 0 10px; }
h3 { font-size: 1rem; margin: 0 0 6px; } table + h3, ul + h3, p + h3 { margin-top: 24px; } table + .charts { margin-top: 18px; }
p { margin: 0 0 10px; } .quiet { margin-top: 10px; color: var(--quiet); font-size: .9rem; max-width: 46rem; }
.lead { font-size: 1.15rem; line-height: 1.4; max-width: 52rem; }
.summary { display: grid; gap: 6px 28px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 260px), 1fr)); margin-top: 14px; max-width: 100%; }
.measure h3 { font-size: .88rem; color: var(--quiet); } .amount { display: grid; grid-template-columns: minmax(0, 1fr) auto; gap: 0 10px; margin-bottom: 6px; font-size: .9rem; }
.amount .bar { grid-column: 1 / -1; margin-top: 2px; background: var(--ground); } details { margin-top: 14px; } summary { cursor: pointer; color: var(--quiet); }
.verdict { display: inline-block; margin: 10px 0 0; padding: 4px 12px; border-radius: 6px; font-weight: 600; border: 1px solid; }
.failed { margin: 10px 0 0; padding-left: 20px; overflow-wrap: anywhere; }
.good { color: var(--good); } .bad { color: var(--bad); font-weight: 600; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 6px 8px; text-align: left; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; }
th { font-size: .82rem; color: var(--quiet); font-weight: 600; vertical-align: bottom; overflow-wrap: normal; }
td.word { white-space: nowrap; overflow-wrap: normal; } td.name { min-width: 15ch; }
td.interval, th.interval { text-align: right; padding-right: 14px; overflow-wrap: normal; }
td.number, th.number { text-align: right; padding-right: 14px; white-space: nowrap; overflow-wrap: normal; }
.charts { display: grid; gap: 20px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 330px), 1fr)); }
figure { margin: 0; padding: 14px; background: var(--card); border-radius: 8px; max-width: 640px; break-inside: avoid; }
.chart { display: block; width: 100%; height: auto; }
.chart text { font: 13px system-ui, sans-serif; fill: var(--quiet); }
.chart path { fill: none; stroke-width: 1.8; stroke-linejoin: round; }
.c0 { stroke: var(--c0); } .c1 { stroke: var(--c1); stroke-dasharray: 7 3; } .c2 { stroke: var(--c2); stroke-dasharray: 2 3; }
.c3 { stroke: var(--c3); stroke-dasharray: 10 3 2 3; }
.grid { stroke: var(--line); } .axis { stroke: var(--quiet); } .mark { stroke: var(--mark); stroke-dasharray: 4 3; stroke-width: 1.5; }
.legend { display: flex; flex-wrap: wrap; gap: 2px 16px; margin: 0 0 6px; padding: 0; list-style: none; font-size: .88rem; }
.legend svg { width: 28px; height: 8px; vertical-align: middle; margin-right: 6px; stroke-width: 2.5; }
.chart .point { fill: var(--card); stroke-width: 1.6; stroke-dasharray: none; }
.hit { fill: var(--c0); stroke: var(--line); } .miss { fill: var(--bad); stroke: var(--line); }
.dense .hit, .dense .miss { stroke: none; } .frame { fill: none; stroke: var(--line); }
.chart text.count { font-size: 11px; fill: var(--text); } .chart text.count.on { fill: var(--ground); }
.dot { fill: var(--c0); fill-opacity: .35; stroke: var(--c0); stroke-width: 1.5; } .whisker { stroke: var(--c0); }
.bar { display: block; width: 100%; min-width: 90px; height: 16px; margin-top: 4px; background: var(--card); }
.range { fill: var(--c0); } .zero { stroke: var(--text); stroke-width: 1.5; vector-effect: non-scaling-stroke; }
td.wide { width: 38%; } td.bars { width: 19%; }
.tall { height: 34px; } .chosen { fill: var(--c0); fill-opacity: .16; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 4px 18px; margin: 0; }
dl + table { margin-top: 14px; } dt { color: var(--quiet); } dd { margin: 0; overflow-wrap: anywhere; }
.flips { display: grid; grid-template-columns: repeat(auto-fill, minmax(132px, 1fr)); gap: 12px; margin: 0 0 16px; padding: 0; list-style: none; }
.flips li { background: var(--card); border-radius: 8px; padding: 10px; font-size: .88rem; overflow-wrap: anywhere; break-inside: avoid; }
.flips img { display: block; width: 96px; height: 96px; object-fit: contain; image-rendering: pixelated; margin-bottom: 6px; }
.flips p { margin: 0; } .faint { color: var(--quiet); }
ul.warnings { margin: 0; padding-left: 20px; overflow-wrap: anywhere; }
@media screen and (max-width: 860px) {
  main { padding: 16px 14px 32px; }
  dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: 8px; } }
@media screen and (max-width: 860px) {
  table thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table, table tbody, table tr, table td { display: block; width: 100%; }
  table tr { background: var(--card); border-radius: 8px; padding: 8px 12px; margin-bottom: 10px; }
  table td, table td.number, table td.interval, table td.wide, table td.bars, table td.word { width: 100%; border: 0; padding: 3px 0; text-align: right; white-space: normal; display: flex;
    gap: 14px; justify-content: space-between; }
  table td::before { content: attr(data-label); color: var(--quiet); text-align: left; flex: 0 1 auto; max-width: 60%; overflow-wrap: anywhere; }
  table td.name { font-weight: 600; text-align: left; min-width: 0; display: block; } table td.name::before { content: none; }
  table td.wide, table td.bars { display: block; text-align: left; } table .bar { background: var(--ground); } }
@media screen and (max-width: 1320px) {
  table.many thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  table.many, table.many tbody, table.many tr, table.many td { display: block; width: 100%; }
  table.many tbody { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 300px), 1fr)); gap: 10px; }
  table.many tr { background: var(--card); border-radius: 8px; padding: 8px 12px; margin: 0; }
  table.many td, table.many td.number, table.many td.interval, table.many td.wide, table.many td.bars, table.many td.word { width: 100%; border: 0; padding: 3px 0; text-align: right; white-space: normal; display: flex;
    gap: 14px; justify-content: space-between; }
  table.many td::before { content: attr(data-label); color: var(--quiet); text-align: left; flex: 0 1 auto; max-width: 60%; overflow-wrap: anywhere; }
  table.many td.name { font-weight: 600; text-align: left; min-width: 0; display: block; } table.many td.name::before { content: none; }
  table.many td.wide, table.many td.bars { display: block; text-align: left; } table.many .bar { background: var(--ground); } }
@media print {
  :root { --ground: #fff; --card: #fff; --text: #000; --quiet: #333; --line: #999; --good: #0a5c1e; --bad: #a11; --c0: #0b62c4;
    --c1: #c2410c; --c2: #0f766e; --c3: #7e22ce; --mark: #8a4b00; }
  body { font-size: 12px; } main { max-width: none; padding: 0; } h2 { break-after: avoid; } tr { break-inside: avoid; }
  svg { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
)css";

}  // namespace qat

#endif  // QAT_REPORT_HTML_STYLE_H_
