// A product's outlook: what was sold, what is expected, and how wide the doubt is. Loaded when somebody asks for it;
// the same numbers stand in a table on the product's own page.

import { drawChart, ink } from "../common/charts.js";
import { all, maybe } from "../common/dom.js";

/**
 * @typedef {object} Outlook
 * @property {number[]} days
 * @property {(number | null)[]} sold
 * @property {(number | null)[]} high
 * @property {(number | null)[]} expected
 * @property {(number | null)[]} empty
 * @property {number} today
 * @property {Record<"language" | "day" | "sold" | "high" | "expected" | "empty" | "today", string>} words
 */

document.addEventListener("toggle", (event) => {
  const { target } = event;
  if (target instanceof HTMLDetailsElement && target.matches("[data-outlook]") && target.open) draw(target);
}, true);
for (const holder of all(document, "[data-outlook][data-at-once]")) draw(holder);

/** @param {HTMLElement} holder */
async function draw(holder) {
  const chart = maybe(holder, "[data-chart]");
  if (!chart || chart.dataset.drawn) return;
  chart.dataset.drawn = "1";
  const answer = await fetch(holder.dataset.outlook ?? "", { headers: { Accept: "application/json" } });
  if (!answer.ok) { delete chart.dataset.drawn; return; }
  /** @type {Outlook} */
  const outlook = await answer.json();
  if (!outlook.days.length) return;
  chart.hidden = false;
  const empty = outlook.empty.some((sold) => sold != null) ? [outlook.empty] : [];
  /** @type {import("uplot").AlignedData} */
  const lines = [outlook.days, outlook.sold, outlook.high, outlook.expected, ...empty];
  drawChart(chart, options(outlook, lines.length), lines);
}

/**
 * @param {Outlook} outlook
 * @param {number} lines
 * @returns {Omit<import("uplot").Options, "width">}
 */
function options(outlook, lines) {
  const words = outlook.words;
  const quiet = { show: false };
  return {
    height: 240,
    cursor: { y: false },
    legend: { live: true, markers: { dash: (plot, n) => (plot.series[n]?.dash ? "dashed" : "solid") } },
    scales: { x: { time: true }, y: { range: (_plot, _least, most) => [0, Math.max(1, most * 1.1)] } },
    axes: [
      { stroke: ink("--ink-muted"), space: 84, grid: quiet, values: (_plot, ticks) => ticks.map((tick) => day(tick, words.language)) },
      { stroke: ink("--ink-muted"), grid: { stroke: ink("--line") }, size: 60 },
    ],
    series: [
      { label: words.day, value: (/** @type {import("uplot")} */ _plot, /** @type {number | null} */ tick) => (tick == null ? "" : day(tick, words.language)) },
      { label: words.sold, stroke: ink("--ink"), width: 2, spanGaps: false, points: { size: 4 }, value: figure },
      { label: words.high, stroke: ink("--jade-light"), fill: ink("--jade-light"), points: quiet, value: figure },
      { label: words.expected, stroke: ink("--jade"), width: 2, dash: [6, 4], points: quiet, value: figure },
      { label: words.empty, stroke: ink("--amber"), paths: () => null, points: { show: true, size: 9, fill: ink("--amber") }, value: figure },
    ].slice(0, lines),
    hooks: { draw: [(plot) => markToday(plot, outlook.today, words.today)] },
  };
}

/**
 * @param {number} seconds
 * @param {string} language
 */
const day = (seconds, language) => new Intl.DateTimeFormat(language, { day: "numeric", month: "short", timeZone: "UTC" }).format(seconds * 1000);
/**
 * @param {import("uplot")} _plot
 * @param {number | null} value
 */
const figure = (_plot, value) => (value == null ? "" : String(Math.round(value * 10) / 10));

/**
 * @param {import("uplot")} plot
 * @param {number} today
 * @param {string} word
 */
function markToday(plot, today, word) {
  const x = Math.round(plot.valToPos(today, "x", true));
  const { top, height } = plot.bbox, context = plot.ctx;
  context.save();
  context.strokeStyle = context.fillStyle = ink("--amber");
  context.setLineDash([4, 4]);
  context.beginPath();
  context.moveTo(x, top);
  context.lineTo(x, top + height);
  context.stroke();
  context.textAlign = "right";
  context.fillText(word, x - 6, top + 14);
  context.restore();
}
