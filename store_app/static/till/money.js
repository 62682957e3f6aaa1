// Money in whole minor units; the same arithmetic as the server's, which has the last word.

import { settings } from "./settings.js";

const digits = settings.exponent;
const scale = 10 ** digits;

/**
 * Round numerator / denominator half away from zero.
 * @param {number} numerator
 * @param {number} denominator
 */
export function divideHalfUp(numerator, denominator) {
  const whole = Math.abs(numerator);
  const quotient = Math.floor(whole / denominator);
  const rounded = quotient + (2 * (whole - quotient * denominator) >= denominator ? 1 : 0);
  return numerator < 0 ? -rounded : rounded;
}

/**
 * What a line says of its price: a label's amount, and what is taken off an amount by hand.
 * @typedef {{ amount?: number | null, off?: (amount: number) => number }} Spoken
 */

/**
 * Price a line as the receipt shows it, before any tax that is added: what is taken off by hand comes first.
 * @param {Priced} product
 * @param {number} qty
 * @param {Spoken} [said]
 */
export function lineShown(product, qty, { amount = null, off = () => 0 } = {}) {
  const whole = amount ?? divideHalfUp(qty * product.price_minor, product.price_quantity);
  return whole > 0 ? Math.max(0, whole - off(whole)) : whole;
}

/**
 * Price a line as the server does: tax is inside the price, or added to it; a deposit is what it is.
 * @param {Priced} product
 * @param {number} qty
 * @param {Spoken} [said]
 */
export function lineTotal(product, qty, said) {
  const shown = lineShown(product, qty, said);
  return product.inclusive || product.kind === "deposit" ? shown : shown + divideHalfUp(shown * (product.rate_bp ?? 0), 10_000);
}

/**
 * Give what a line costs before promotions and discounts, as the server priced it.
 * @param {Pick<Line, "shown" | "quoted">} line
 */
export const unreduced = ({ shown, quoted }) => shown + (quoted?.manual_minor ?? 0) + (quoted?.offers ?? []).reduce((sum, { amount_minor }) => sum + amount_minor, 0);

/**
 * Give what a percentage (in hundredths of a percent) takes off an amount.
 * @param {number} amount
 * @param {number} bp
 */
export const offByPercent = (amount, bp) => divideHalfUp(amount * bp, 10_000);

/**
 * Round a cash total to the smallest coin.
 * @param {number} minor
 */
export function roundCash(minor) {
  const coin = settings.smallest_coin_minor;
  return coin <= 1 ? minor : divideHalfUp(minor, coin) * coin;
}

/**
 * Name the amounts a customer is likely to hand over, rising, at most three besides the exact one.
 * @param {number} due
 */
export function likelyNotes(due) {
  if (due <= 0) return [];
  const covers = new Set(settings.notes_minor.map((note) => Math.ceil(due / note) * note));
  return [...covers].filter((amount) => amount !== due).sort((a, b) => a - b).slice(0, 3);
}

/** Writes amounts as the server does: -$1,234.50. The browser's own way takes a while to load. */
export class MoneyWords {
  /**
   * @param {number} digits
   * @param {Settings["money"]} form
   */
  constructor(digits, form) {
    this.digits = digits;
    this.form = form;
  }

  /**
   * Give the parts of an amount: minus, sign before, figures, sign after.
   * @param {number} minor
   * @returns {[minus: string, before: string, figures: string, after: string]}
   */
  parts(minor) {
    const { before, after, group, point } = this.form, all = String(Math.abs(minor)).padStart(this.digits + 1, "0");
    const whole = all.slice(0, all.length - this.digits).replace(/\B(?=(\d{3})+$)/g, group);
    return [minor < 0 ? "-" : "", before, this.digits ? whole + point + all.slice(-this.digits) : whole, after];
  }

  /** @param {number} minor */
  text(minor) { return this.parts(minor).join(""); }
}

const words = new MoneyWords(digits, settings.money);

/** @param {number} minor */
export const moneyText = (minor) => words.text(minor);

/**
 * Write an amount into an element, its currency sign small.
 * @param {Element} element
 * @param {number} minor
 */
export function showMoney(element, minor) {
  const [minus, before, figures, after] = words.parts(minor);
  const small = (/** @type {string} */ text) => Object.assign(document.createElement("span"), { className: "currency", textContent: text });
  element.replaceChildren(minus, before && small(before), figures, after && small(after));
}

/**
 * Read what was keyed: digits alone are minor units (2000 is 20.00), a decimal point makes it 20.
 * @param {string} text
 */
export function parseKeyed(text) {
  if (!text) return 0;
  if (!text.includes(".")) return Number(text);
  const [whole = "", rest = ""] = text.split(".");
  return Number(whole || 0) * scale + Number((rest + "0".repeat(digits)).slice(0, digits) || 0);
}
