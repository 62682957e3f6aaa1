// What need not be done before the scanned line is on the screen: it is done right after, once however often asked for.

const AT_THE_LATEST_MS = 50; // a hidden page draws no frames

const waiting = new Map();
const channel = new MessageChannel();
let timer = 0;
channel.port1.onmessage = flush;

/** Do `act` after the next frame; asked for again under the same key before that, it is done once, the last way. */
export function afterPaint(key, act) {
  if (!waiting.size) {
    requestAnimationFrame(() => channel.port2.postMessage(0));
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
