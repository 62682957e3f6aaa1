// An entry of the basket: what makes a line one of its own, what it costs by the shelf, and how the server reads it.

import { lineTotal, offByPercent } from "./money.js";

/** @type {Special} */
const PLAIN = { price_minor: null, amount_minor: null, discount_minor: 0, discount_bp: 0, reason: "", note: "", batch: null, expires_on: null, code: "", called: "" };
export const plain = () => ({ ...PLAIN });

/**
 * Give what makes a line one of its own, as it is.
 * @param {Special} line
 * @returns {Special}
 */
export const specialOf = ({ price_minor, amount_minor, discount_minor, discount_bp, reason, note, batch, expires_on, code, called, labelled }) => (
  { price_minor, amount_minor, discount_minor, discount_bp, reason, note, batch, expires_on, code, called, labelled });

/**
 * Give what of a line is not plain.
 * @param {Special} line
 * @returns {Partial<Special>}
 */
function ownOf(line) {
  const { labelled: _labelled, ...special } = specialOf(line), usual = new Map(Object.entries(PLAIN));
  return Object.fromEntries(Object.entries(special).filter(([name, value]) => (value ?? null) !== usual.get(name)));
}

/** @param {Special} line */
export const isPlain = (line) => Object.keys(ownOf(line)).length === 0;
/**
 * Price a line by the shelf, its label, or what the cashier said; `price` is lineTotal or lineShown.
 * @param {typeof lineTotal} price
 * @param {Product} product
 * @param {Entry} entry
 */
export function byShelf(price, product, entry) {
  const priced = entry.price_minor === null ? product : { ...product, price_minor: entry.price_minor };
  const off = (/** @type {number} */ amount) => (entry.discount_bp ? offByPercent(amount, entry.discount_bp) : entry.discount_minor);
  return price(priced, entry.qty, { amount: entry.amount_minor, off });
}

/**
 * Write a line as the server reads it: what is plain is left out.
 * @param {Line} line
 * @returns {Rung}
 */
export function rung(line) {
  return { sku: line.product.sku, qty: line.qty, ...ownOf(line) };
}

/**
 * Stand in for a product the catalogue no longer has: its name is known, what it costs is not.
 * @param {Entry} entry
 * @returns {Product}
 */
export function gone({ sku, name, stock_unit: unit, price_minor: price }) {
  return {
    isGone: true, sku, name: name ?? sku, stock_unit: unit ?? "each", price_minor: price ?? 0, price_quantity: 1,
    kind: "goods", inclusive: true, rate_bp: 0, deposit_sku: null, minimum_age: null, maximum_qty: null, pack_text: "",
  };
}
