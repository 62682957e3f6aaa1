// What need not be done before the scanned line is on the screen: it is done right after, once however often asked for.

const AT_THE_LATEST_MS = 150; // a hidden page draws no frames, and has no idle moments

const waiting = new Map();
const idle = globalThis.requestIdleCallback ?? ((act) => setTimeout(act)); // Safari has none
let timer = 0;

/** Do `act` once the next frame is handed over; asked for again under the same key before that, it is done once, the last way. */
export function afterPaint(key, act) {
  if (!waiting.size) {
    requestAnimationFrame(() => idle(() => flush()));
    timer = setTimeout(flush, AT_THE_LATEST_MS);
  }
  waiting.set(key, act);
}

/** Do now what waits. */
export function flush() {
  clearTimeout(timer);
  const acts = [...waiting.values()];
  waiting.clear();
  for (const act of acts) act();
}

addEventListener("pagehide", flush);
document.addEventListener("visibilitychange", () => { if (document.hidden) flush(); });
