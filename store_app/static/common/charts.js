// What our charts share: colours of the page, whole days, a size that follows the page.

import uPlot from "uplot";

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
  new ResizeObserver(() => plot.setSize({ width: holder.clientWidth, height })).observe(holder);
}
