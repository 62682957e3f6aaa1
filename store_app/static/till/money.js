// Money in whole minor units; the same arithmetic as the server's, which has the last word.

import { settings } from "./settings.js";

const digits = settings.exponent;
const scale = 10 ** digits;

/** Round numerator / denominator half away from zero. */
export function divideHalfUp(numerator, denominator) {
  const whole = Math.abs(numerator);
  const quotient = Math.floor(whole / denominator);
  const rounded = quotient + (2 * (whole - quotient * denominator) >= denominator ? 1 : 0);
  return numerator < 0 ? -rounded : rounded;
}

/** Price a line as the receipt shows it, before any tax that is added: what is taken off by hand comes first. */
export function lineShown(product, qty, { amount = null, off = () => 0 } = {}) {
  const whole = amount ?? divideHalfUp(qty * product.price_minor, product.price_quantity);
  return whole > 0 ? Math.max(0, whole - off(whole)) : whole;
}

/** Price a line as the server does: tax is inside the price, or added to it; a deposit is what it is. */
export function lineTotal(product, qty, said) {
  const shown = lineShown(product, qty, said);
  return product.inclusive || product.kind === "deposit" ? shown : shown + divideHalfUp(shown * product.rate_bp, 10_000);
}

/** Give what a percentage (in hundredths of a percent) takes off an amount. */
export const offByPercent = (amount, bp) => divideHalfUp(amount * bp, 10_000);

/** Round a cash total to the smallest coin. */
export function roundCash(minor) {
  const coin = settings.smallest_coin_minor;
  return coin <= 1 ? minor : divideHalfUp(minor, coin) * coin;
}

/** Name the amounts a customer is likely to hand over, rising, at most three besides the exact one. */
export function likelyNotes(due) {
  if (due <= 0) return [];
  const covers = new Set(settings.notes_minor.map((note) => Math.ceil(due / note) * note));
  return [...covers].filter((amount) => amount !== due).sort((a, b) => a - b).slice(0, 3);
}

/** Writes amounts as the server does: -$1,234.50. The browser's own way takes a while to load. */
export class MoneyWords {
  constructor(digits, form) { Object.assign(this, { digits, ...form }); }

  /** Give the parts of an amount: minus, sign before, figures, sign after. */
  parts(minor) {
    const all = String(Math.abs(minor)).padStart(this.digits + 1, "0");
    const whole = all.slice(0, all.length - this.digits).replace(/\B(?=(\d{3})+$)/g, this.group);
    return [minor < 0 ? "-" : "", this.before, this.digits ? whole + this.point + all.slice(-this.digits) : whole, this.after];
  }

  text(minor) { return this.parts(minor).join(""); }
}

const words = new MoneyWords(digits, settings.money);

export const moneyText = (minor) => words.text(minor);

/** Write an amount into an element, its currency sign small. */
export function showMoney(element, minor) {
  const [minus, before, figures, after] = words.parts(minor);
  const small = (text) => Object.assign(document.createElement("span"), { className: "currency", textContent: text });
  element.replaceChildren(minus, before && small(before), figures, after && small(after));
}

/** Read what was keyed: digits alone are minor units (2000 is 20.00), a decimal point makes it 20. */
export function parseKeyed(text) {
  if (!text) return 0;
  if (!text.includes(".")) return Number(text);
  const [whole, rest = ""] = text.split(".");
  return Number(whole || 0) * scale + Number((rest + "0".repeat(digits)).slice(0, digits) || 0);
}
