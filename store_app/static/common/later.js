// What need not be done before the scanned line is on the screen: it is done right after, once however often asked for.

const AT_THE_LATEST_MS = 50; // after the frame, where something keeps the page busy

/** @type {Map<string, () => void>} */
const waiting = new Map();
const idle = globalThis.requestIdleCallback ?? ((/** @type {() => void} */ act) => setTimeout(act)); // Safari has none

/**
 * Do `act` once the next frame is handed over; asked for again under the same key before that, it is done once, the last way.
 * @param {string} key
 * @param {() => void} act
 */
export function afterPaint(key, act) {
  if (!waiting.size) {
    if (document.hidden) setTimeout(flush); // it draws no frames
    else requestAnimationFrame(() => idle(() => flush(), { timeout: AT_THE_LATEST_MS }));
  }
  waiting.set(key, act);
}

/** Do now what waits. */
export function flush() {
  const acts = [...waiting.values()];
  waiting.clear();
  for (const act of acts) act();
}

addEventListener("pagehide", flush);
document.addEventListener("visibilitychange", () => { if (document.hidden) flush(); });
