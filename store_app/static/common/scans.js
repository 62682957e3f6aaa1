// What is scanned while the till is locked, or was asked for by a window that lost the till meanwhile: kept under the
// till's name until its basket takes it.

import { keep, recall } from "./storage.js";

const MOST = 50;

/**
 * Give the codes that wait.
 * @param {string} key
 * @returns {string[]}
 */
export function keptScans(key) {
  try {
    const kept = JSON.parse(recall(key) ?? "[]");
    return Array.isArray(kept) ? kept.filter((code) => typeof code === "string").slice(0, MOST) : [];
  } catch {
    return [];
  }
}

/**
 * Keep one more.
 * @param {string} key
 * @param {string} code
 */
export const keepScan = (key, code) => keep(key, JSON.stringify([...keptScans(key), code]));

/**
 * Give the codes that wait, and keep them no longer.
 * @param {string} key
 */
export function takeScans(key) {
  const codes = keptScans(key);
  if (codes.length) keep(key, "[]");
  return codes;
}
