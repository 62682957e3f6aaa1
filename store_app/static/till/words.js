// How quantities and prices are written at the till.

import { now } from "./clock.js";
import { moneyText } from "./money.js";
import { say, settings } from "./settings.js";

/**
 * Write a quantity with its unit: 3, 350 g, 1.2 kg.
 * @param {Measured} product
 * @param {number} qty
 */
export function qtyText(product, qty) {
  if (product.stock_unit === "each") return String(qty);
  const [small, large] = settings.units[product.stock_unit];
  return Math.abs(qty) < 1000 ? `${qty} ${small}`
    : `${(qty / 1000).toLocaleString(settings.language, { maximumFractionDigits: 3 })} ${large}`;
}

/** @param {Measured & Priced} product */
export const perText = (product) => qtyText(product, product.price_quantity).replace(/^1 /, "");

/**
 * Write the price of one, or of the price quantity.
 * @param {Measured & Priced} product
 * @param {number} [priceMinor]
 */
export function eachText(product, priceMinor = product.price_minor) {
  const price = moneyText(priceMinor);
  return product.stock_unit === "each" ? say("each", { price }) : say("per", { price, per: perText(product) });
}

/**
 * Write why something was done: a reason off the tiles is kept as its code, a person's own words as they are.
 * @param {string} reason
 */
export const reasonText = (reason) => settings.reasons.find(([code]) => code === reason)?.[1] ?? reason;

/**
 * Write an instant of the store: day and hour, or the hour alone when it is today.
 * @param {string} iso
 */
export function whenText(iso) {
  /** @type {Intl.DateTimeFormatOptions} */
  const wishes = { hour: "numeric", minute: "2-digit", timeZone: settings.tz };
  const at = new Date(iso);
  const sameDay = at.toLocaleDateString(settings.language, { timeZone: settings.tz }) === now().toLocaleDateString(settings.language, { timeZone: settings.tz });
  return at.toLocaleString(settings.language, sameDay ? wishes : { ...wishes, day: "numeric", month: "short" });
}

/**
 * Write how long ago something was, in whole minutes or hours.
 * @param {string} iso
 */
export function agoText(iso) {
  const minutes = Math.max(0, Math.round((now().getTime() - Date.parse(iso)) / 60_000));
  return minutes < 1 ? say("just-now") : minutes < 120 ? say("minutes-ago", { n: minutes }) : say("hours-ago", { n: Math.round(minutes / 60) });
}
