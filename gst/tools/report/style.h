#pragma once

namespace hull::tools {

// The report carries its style and script inside: a report is one file that can be mailed.
inline constexpr char kReportStyle[] = R"css(
:root{--ink:#1d2733;--soft:#66717f;--line:#dfe4ea;--paper:#fff;--ground:#f4f6f8;--band:#0072b233}
@media (prefers-color-scheme:dark){:root{--ink:#e8edf2;--soft:#9aa6b3;--line:#34404d;--paper:#18202a;--ground:#10161d;--band:#56b4e944}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.45 system-ui,sans-serif}
main{max-width:1000px;margin:0 auto;padding:16px}
h1{font-size:1.6rem;margin:.4em 0;overflow-wrap:anywhere}h2{font-size:1.1rem;margin:0 0 .6em}
section{background:var(--paper);border:1px solid var(--line);border-radius:10px;padding:16px;margin:16px 0}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px}
.tile{background:var(--paper);border:1px solid var(--line);border-radius:10px;padding:12px 16px}
.tile b{display:block;font-size:1.6rem}.tile span{color:var(--soft);font-size:.85rem}
.charts label{cursor:pointer;padding:3px 10px;border:1px solid var(--line);border-radius:14px;font-size:.85rem;margin-right:6px}
.charts input{position:absolute;opacity:0}
.charts input:checked+label{background:var(--ink);color:var(--paper)}
.charts input:focus-visible+label{outline:2px solid #0072b2}
.linear{display:none}#linear:checked~.linear{display:block}#linear:checked~.log{display:none}
svg text{fill:var(--soft);font:12px system-ui,sans-serif}
svg.chart{width:100%;height:auto;display:block;margin-top:10px}
.grid{stroke:var(--line);stroke-width:1}
.hull{fill:none;stroke:var(--band);stroke-width:14;stroke-linejoin:round;stroke-linecap:round}
.curve{fill:none;stroke-width:2}
.frontier{fill:none;stroke:var(--ink);stroke-width:1.2;stroke-dasharray:1 3;stroke-linecap:round}
.cross{stroke:var(--soft);stroke-width:1.5;stroke-dasharray:3 3}
.fixed{stroke:var(--soft);stroke-width:2;fill:none}
.rung{fill:var(--paper);fill-opacity:.01;stroke-width:3}
svg .label{fill:var(--ink);font-weight:700}
[data-tip]{cursor:pointer}
.legend{color:var(--soft);font-size:.85rem;margin:.6em 0}.legend span{margin-right:12px;white-space:nowrap}
.legend i{display:inline-block;width:14px;height:4px;margin-right:5px;vertical-align:middle;border-radius:2px}
.legend .front{background:repeating-linear-gradient(90deg,var(--ink) 0 2px,transparent 2px 5px)}.legend .band{background:var(--band);height:10px}.legend .ring{width:12px;height:12px;border:3px solid var(--soft);border-radius:50%}
ul{margin:.4em 0;padding-left:1.2em;color:var(--soft);font-size:.9rem}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{text-align:right;padding:5px 10px;border-bottom:1px solid var(--line);white-space:nowrap}
th{color:var(--soft);font-weight:500;font-size:.85rem}
td.why{text-align:left;white-space:normal;min-width:16em;color:var(--soft);font-size:.85rem}p.why{color:var(--soft);font-size:.85rem;overflow-wrap:anywhere}
tr.pass td:first-child{color:#00795a}tr.fail td:first-child{color:#c43b00;font-weight:700}tr.note td:first-child{color:#a66f00}
tr td:nth-child(2):not(:last-child){white-space:normal}
th.why,.rungs th:last-child{text-align:left}.rules td{text-align:left;white-space:normal}.rules td.why{min-width:0}
figure{margin:0 0 12px}figcaption{font-size:.85rem;color:var(--soft)}
svg.strip{width:100%;height:56px;background:var(--ground);border-radius:4px;display:block}
svg.strip polygon{fill:#0072b2;fill-opacity:.45}
svg.shots{width:100%;height:auto;display:block}.shot{fill:#0072b2}
td.key{font:11px ui-monospace,monospace;text-align:left;color:var(--soft)}details{overflow-x:auto}summary{cursor:pointer;color:var(--soft);font-size:.85rem}
.pair{display:grid;grid-template-columns:1fr 1fr;gap:6px}.pair img{width:100%;display:block;border-radius:4px}
#tip{position:fixed;z-index:9;max-width:300px;background:var(--ink);color:var(--paper);padding:6px 10px;border-radius:6px;font-size:.85rem;pointer-events:none}
@media (max-width:600px){main{padding:8px}section{padding:12px 10px;border-radius:8px}
svg.chart text,svg.shots text{font-size:26px}svg .minor{display:none}.curve{stroke-width:4}.grid{stroke-width:2}.rung{stroke-width:5}svg circle{r:7px}svg circle.rung{r:13px}
th,td{padding:5px 6px}h1{font-size:1.3rem}.pair{grid-template-columns:1fr}
.rungs tr{display:grid;grid-template-columns:.6fr 1.5fr .6fr .9fr .9fr .9fr .9fr;border-bottom:1px solid var(--line)}.rungs th,.rungs td{border:0;padding:4px 2px;font-size:.8rem;white-space:normal}
.rungs td.why{grid-column:1/-1;min-width:0}.rungs th:last-child{display:none}}
@media print{:root{--ink:#000;--soft:#444;--line:#ccc;--paper:#fff;--ground:#fff;--band:#0072b233}body{background:#fff}section,.tile{break-inside:avoid;border-color:#ccc}.charts label{display:none}main{max-width:none;padding:0}}
)css";

inline constexpr char kReportScript[] = R"js(
(function () {
  var tip = document.getElementById('tip');
  function show(e) {
    var mark = e.target.closest && e.target.closest('[data-tip]');
    if (!mark) { tip.hidden = true; return; }
    tip.textContent = mark.getAttribute('data-tip');
    tip.hidden = false;
    var x = Math.min(e.clientX + 14, innerWidth - tip.offsetWidth - 8);
    var y = e.clientY + 18 + tip.offsetHeight > innerHeight ? e.clientY - tip.offsetHeight - 10 : e.clientY + 18;
    tip.style.left = Math.max(4, x) + 'px';
    tip.style.top = y + 'px';
  }
  document.addEventListener('mousemove', show);
  document.addEventListener('click', show);
  // The page's own hint replaces the browser's.
  document.querySelectorAll('[data-tip] > title').forEach(function (t) { t.remove(); });
})();
)js";

} // namespace hull::tools
