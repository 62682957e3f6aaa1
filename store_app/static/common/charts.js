// What our charts share: colours of the page, whole days, a size that follows the page; and bars that a page says itself.

import uPlot from "uplot";

import { all } from "./dom.js";

const DAY_MS = 86_400_000;

/**
 * Give a colour of the page by its variable's name.
 * @param {string} name
 */
export const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/**
 * Give an instant in whole seconds as a date of which a chart reads the day at UTC.
 * @param {number} stamp
 */
export const utcDay = (stamp) => uPlot.tzDate(new Date(stamp * 1000), "Etc/UTC");

/**
 * Draw a chart in `holder` that is as wide as it, now and later.
 * @param {HTMLElement} holder
 * @param {Omit<uPlot.Options, "width">} options
 * @param {uPlot.AlignedData} lines
 */
export function drawChart(holder, options, lines) {
  const { height } = options;
  const plot = new uPlot({ ...options, width: holder.clientWidth || 560 }, lines, holder);
  const follow = new ResizeObserver(() => {
    if (plot.root.isConnected) plot.setSize({ width: holder.clientWidth, height });
    else follow.disconnect();
  });
  follow.observe(holder);
  return plot;
}

/**
 * A chart as a page says it (`pages/common/charts.py`): bars of the first line, lines of the others; with days, steps.
 * @typedef {object} Drawing
 * @property {string} head
 * @property {string[]} names
 * @property {string[]} [hrefs]
 * @property {string[]} [days]
 * @property {boolean} [lying]
 * @property {{ label: string, values: (number | null)[], texts: string[] }[]} lines
 */

/** Draw what the page says and has not drawn yet; a table of the same figures stands beside it. */
export function drawAll() {
  for (const holder of all(document, "[data-drawing]")) if (!holder.firstChild) drawFigures(holder);
}

/** @param {HTMLElement} holder */
function drawFigures(holder) {
  /** @type {Drawing} */
  const drawing = JSON.parse(holder.dataset.drawing ?? "");
  const { names, lines, lying } = drawing, hrefs = drawing.hrefs ?? [], { lang, dir } = document.documentElement;
  const fromRight = dir === "rtl", short = new Intl.NumberFormat(lang, { notation: "compact" });
  const font = "13px system-ui", stroke = ink("--ink-muted"), wide = holder.clientWidth || 560;
  const cut = (/** @type {string} */ name) => (lying && name.length > 20 ? `${name.slice(0, 19)}…` : name);
  const bars = uPlot.paths.bars?.({ size: [0.7, 40] }), steps = drawing.days && uPlot.paths.stepped?.({ align: 1 });
  const at = drawing.days?.map((day) => Date.parse(day) / DAY_MS) ?? names.map((_, n) => n);
  const said = new Intl.DateTimeFormat(lang, { day: "numeric", month: "short", timeZone: "UTC" });
  const named = (/** @type {number} */ x) => (steps ? said.format(x * DAY_MS) : cut(names[x] ?? ""));
  /** @type {Omit<uPlot.Options, "width">} */
  const options = {
    height: lying ? 70 + 30 * names.length : 260,
    cursor: { x: !lying, y: false, drag: { x: false, y: false }, points: { show: false } },
    legend: { markers: { dash: (plot, n) => (plot.series[n]?.dash ? "dashed" : "solid") } },
    scales: {
      x: { time: false, range: steps ? [at[0] ?? 0, at.at(-1) ?? 1] : [-0.6, names.length - 0.4], ...(lying ? { ori: 1, dir: -1 } : { dir: fromRight ? -1 : 1 }) },
      y: { range: (_plot, least, most) => (steps ? [least * 0.9, most * 1.1] : [Math.min(0, least * 1.1), Math.max(1, most * 1.1)]), ...(lying ? { ori: 0, dir: fromRight ? -1 : 1 } : {}) },
    },
    axes: [
      { stroke, font, grid: { show: false }, ticks: { show: false }, incrs: [1, 2, 7, 14, 28, 56, 112], space: lying ? 20 : 78,
        side: lying ? (fromRight ? 1 : 3) : 2, size: lying ? Math.min(170, wide / 2.4) : 34,
        values: (_plot, ticks) => ticks.map(named) },
      { stroke, font, grid: { stroke: ink("--line"), width: 1 }, ticks: { show: false }, side: lying ? 2 : fromRight ? 1 : 3, size: lying ? 34 : 56,
        space: lying ? 70 : 40, values: (_plot, ticks) => ticks.map((value) => short.format(value)) },
    ],
    series: [
      { label: drawing.head, value: (_plot, x) => (x == null ? "" : names[at.indexOf(x)] ?? "") },
      ...lines.map((line, n) => ({
        label: line.label, value: (/** @type {uPlot} */ _plot, /** @type {number | null} */ _value, /** @type {number} */ _series, /** @type {number | null} */ idx) => (idx == null ? "" : line.texts[idx] ?? ""),
        points: { show: false },
        ...(n ? { stroke: ink("--amber"), width: 2, dash: [6, 5] } : steps ? { stroke: ink("--jade"), width: 3 } : { stroke: ink("--jade"), fill: ink("--jade"), width: 0, ...(bars ? { paths: bars } : {}) }),
        ...(steps ? { paths: steps } : {}),
      })),
    ],
  };
  const plot = drawChart(holder, options, [at, ...lines.map((line) => line.values)]);
  holder.classList.toggle("has-links", hrefs.length > 0);
  plot.over.addEventListener("click", () => {
    const href = hrefs[plot.cursor.idx ?? -1];
    if (href) location.assign(href);
  });
}
