// When somebody last touched a page of this browser: kept by the lock (lock.js), told with what a script asks; and
// whether the page is locked.

import { recall } from "./storage.js";

export const TOUCHED = "cornerstore.touched";

/** Tell whether the page is locked and about to leave. */
export const isLocked = () => "locked" in document.documentElement.dataset;

/**
 * Give the header that says how many seconds ago; none where nothing locks.
 * @returns {Record<string, string>}
 */
export function touchedHeader() {
  const at = Number(recall(TOUCHED));
  return at ? { "X-Touched": String(Math.max(0, Math.floor((Date.now() - at) / 1000))) } : {};
}
