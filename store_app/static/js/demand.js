// The region's demand: what was sold as a line, what is expected as a dashed one. A table stands behind it.

const ink = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

for (const holder of document.querySelectorAll("[data-chart]")) draw(holder);

async function draw(holder) {
  const answer = await fetch(holder.dataset.chart, { headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  const { days, sold, expected } = await answer.json();
  const written = new Intl.DateTimeFormat(document.documentElement.lang, { day: "numeric", month: "short", timeZone: "UTC" });
  const day = (seconds) => written.format(seconds * 1000);
  const options = {
    width: holder.clientWidth || 640,
    height: 260,
    cursor: { y: false },
    tzDate: (stamp) => uPlot.tzDate(new Date(stamp * 1000), "Etc/UTC"),
    scales: { y: { range: (_plot, _least, most) => [0, Math.max(1, most * 1.1)] } },
    axes: [
      { stroke: ink("--ink-muted"), grid: { show: false }, values: (_plot, ticks) => ticks.map(day) },
      { stroke: ink("--ink-muted"), grid: { stroke: ink("--line") }, size: 56 },
    ],
    series: [
      { label: holder.dataset.day, value: (_plot, at) => (at == null ? "–" : day(at)) },
      { label: holder.dataset.sold, stroke: ink("--jade"), width: 2, spanGaps: false, points: { show: false } },
      { label: holder.dataset.expected, stroke: ink("--amber"), width: 2, dash: [6, 5], points: { show: false } },
    ],
  };
  const plot = new uPlot(options, [days, sold, expected], holder);
  new ResizeObserver(() => plot.setSize({ width: holder.clientWidth, height: 260 })).observe(holder);
}
