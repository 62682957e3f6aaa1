// The region's demand: what was sold as a line, what is expected as a dashed one. A table stands behind it.

import { drawChart, ink, utcDay } from "../common/charts.js";
import { all } from "../common/dom.js";

const language = document.documentElement.lang;
const HEIGHT = 280;
const WHOLE_WEEKS = [1, 2, 7, 14, 28, 56, 112].map((days) => days * 86_400);

for (const holder of all(document, "[data-chart]")) draw(holder);

/** @param {HTMLElement} holder */
async function draw(holder) {
  const answer = await fetch(holder.dataset.chart ?? "", { headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  /** @type {{ days: number[], sold: (number | null)[], expected: (number | null)[] }} */
  const { days, sold, expected } = await answer.json();
  if (!days.length) return;
  const short = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", timeZone: "UTC" });
  const long = new Intl.DateTimeFormat(language, { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });
  const figures = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });
  const figure = (/** @type {import("uplot")} */ _plot, /** @type {number | null} */ value) => (value == null ? "" : figures.format(value));
  const lastSold = sold.findLastIndex((value) => value != null);
  const joint = expected[lastSold]; // where the two lines meet: a day that was sold, not expected
  /** @type {Omit<import("uplot").Options, "width">} */
  const options = {
    height: HEIGHT,
    cursor: { y: false, drag: { x: false, y: false } },
    legend: { markers: { dash: (plot, n) => (plot.series[n]?.dash ? "dashed" : "solid") } },
    tzDate: utcDay,
    scales: { y: { range: (_plot, _least, most) => [0, Math.max(1, most * 1.1)] } },
    axes: [
      { stroke: ink("--ink-muted"), font: "13px system-ui", space: 84, incrs: WHOLE_WEEKS, grid: { show: false }, ticks: { stroke: ink("--line"), width: 1 },
        values: (_plot, ticks) => ticks.map((at) => short.format(at * 1000)) },
      { stroke: ink("--ink-muted"), font: "13px system-ui", size: 56, grid: { stroke: ink("--line"), width: 1 }, ticks: { show: false },
        values: (_plot, ticks) => ticks.map((value) => figures.format(value)) },
    ],
    series: [
      { label: holder.dataset.day, value: (_plot, at) => (at == null ? "" : long.format(at * 1000)) },
      { label: holder.dataset.sold, stroke: ink("--jade"), width: 2, spanGaps: false, points: { show: false }, value: figure },
      { label: holder.dataset.expected, stroke: ink("--amber"), width: 2, dash: [6, 5], points: { show: false },
        value: (_plot, value, _series, at) => (at === lastSold && value === joint ? "" : figure(_plot, value)) },
    ],
    hooks: { drawAxes: [(plot) => shadeComing(plot, days[lastSold])] },
  };
  drawChart(holder, options, [days, sold, expected]);
}

/**
 * Put what is still to come on a tint, so that the dashes need no second look.
 * @param {import("uplot")} plot
 * @param {number | undefined} from
 */
function shadeComing(plot, from) {
  if (from == null) return;
  const { left, top, width, height } = plot.bbox;
  const x = Math.max(left, plot.valToPos(from, "x", true));
  plot.ctx.save();
  plot.ctx.globalAlpha = 0.55;
  plot.ctx.fillStyle = ink("--amber-light");
  plot.ctx.fillRect(x, top, left + width - x, height);
  plot.ctx.restore();
}
