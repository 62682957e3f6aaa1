// What time it is at the store: the node's clock, never the tablet's, which may stand in another year.

import { settings } from "./settings.js";

let ahead = Date.parse(settings.now) - Date.now();

/**
 * Follow the node's clock: `iso` is what it says now.
 * @param {string} iso
 */
export function follow(iso) { ahead = Date.parse(iso) - Date.now(); }

/** Give the instant it is at the store. */
export const now = () => new Date(Date.now() + ahead);

/**
 * Give the last day on which a person of `age` can have been born, as a date at midnight UTC.
 * @param {number} age
 */
export function bornBy(age) {
  const parts = new Intl.DateTimeFormat("en-CA", { timeZone: settings.tz, year: "numeric", month: "2-digit", day: "2-digit" }).formatToParts(now());
  const of = (/** @type {string} */ kind) => Number(parts.find(({ type }) => type === kind)?.value);
  const year = of("year"), month = of("month"), day = of("day");
  const lastOfMonth = new Date(Date.UTC(year - age, month, 0)).getUTCDate(); // February 29 is the 28th of most years
  return new Date(Date.UTC(year - age, month - 1, Math.min(day, lastOfMonth)));
}
