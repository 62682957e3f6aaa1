// The basket and its sale's id, kept in the browser so that a reload, a crash or a power cut loses nothing.
//
// The id is made here, once per basket, and is the sale's for ever: however often it is sent, it is one sale.

import { lineTotal } from "./money.js";
import { settings } from "./settings.js";

const KEY = `cornerstore.till.${settings.store_id}.${settings.till_id}`;
export const MOST_QTY = 999;

export class Basket extends EventTarget {
  constructor(catalogue) {
    super();
    this.catalogue = catalogue;
    this.kept = read() ?? fresh();
    this.active = this.kept.lines.at(-1)?.sku ?? null;
  }

  get id() { return this.kept.id; }
  get last() { return this.kept.last; }
  /** The payment that was sent and not answered yet. */
  get pending() { return this.kept.pending; }

  /** Give the lines that the catalogue still knows: [{product, qty, total}]. */
  lines() {
    return this.kept.lines.flatMap(({ sku, qty }) => {
      const product = this.catalogue.bySku.get(sku);
      return product ? [{ product, qty, total: lineTotal(product, qty) }] : [];
    });
  }

  isEmpty() { return this.lines().length === 0; }

  /** Sum the lines; the server's own total, once it has named one for this very basket, goes first. */
  total() {
    return this.kept.serverTotal ?? this.lines().reduce((sum, line) => sum + line.total, 0);
  }

  minimumAge() { return Math.max(0, ...this.lines().map((line) => line.product.minimum_age ?? 0)); }
  get ageConfirmed() { return this.kept.ageConfirmed; }

  qtyOf(sku) { return this.kept.lines.find((line) => line.sku === sku)?.qty ?? 0; }

  /** Put `qty` more of a product in; gives false when that is more than one sale may have. */
  add(product, qty) { return this.setQty(product, this.qtyOf(product.sku) + qty, "added"); }

  /** Set a line's quantity; 0 removes it. */
  setQty(product, qty, why = "changed") {
    const most = product.maximum_qty ?? (product.stock_unit === "each" ? MOST_QTY : 100_000);
    if (qty > most) return false;
    const lines = this.kept.lines;
    const at = lines.findIndex((line) => line.sku === product.sku);
    if (qty <= 0) {
      if (at >= 0) lines.splice(at, 1);
      this.active = lines[Math.min(at, lines.length - 1)]?.sku ?? null;
      why = "removed";
    } else {
      if (at >= 0) lines[at].qty = qty;
      else lines.push({ sku: product.sku, qty });
      this.active = product.sku;
    }
    this.kept.serverTotal = null;
    this.#changed(why, product);
    return true;
  }

  /** Move the active line up (-1) or down (+1). */
  step(by) {
    const lines = this.kept.lines;
    const at = lines.findIndex((line) => line.sku === this.active);
    this.activate(lines[Math.max(0, Math.min(lines.length - 1, at < 0 ? lines.length - 1 : at + by))]?.sku ?? null);
  }

  activate(sku) {
    this.active = sku;
    this.#changed("active");
  }

  confirmAge(age) {
    this.kept.ageConfirmed = age;
    this.#keep();
  }

  /** Take the server's total for these lines. */
  agreeOn(totalMinor) {
    this.kept.serverTotal = totalMinor;
    this.#changed("prices");
  }

  /** Remember a payment before it is sent, so that even a reload knows what to ask about. */
  sending(body) {
    this.kept.pending = body;
    this.#keep();
  }

  /** Forget the payment: the server said that nothing was written. */
  notSaved() {
    this.kept.pending = null;
    this.#keep();
  }

  /** Begin the next customer's basket under a new id; `last` is the sale just saved, if one was. */
  next(last = this.kept.last) {
    this.kept = { ...fresh(), last };
    this.active = null;
    this.#changed("next");
  }

  /** Take everything out; gives a function that brings it back. */
  empty() {
    const { kept, active } = this;
    this.next();
    return () => {
      this.kept = kept;
      this.active = active;
      this.#changed("back");
    };
  }

  refresh() { this.#changed("prices"); }

  #changed(why, product) {
    this.#keep();
    this.dispatchEvent(new CustomEvent("change", { detail: { why, product } }));
  }

  #keep() { localStorage.setItem(KEY, JSON.stringify(this.kept)); }
}

function fresh() {
  return { id: newId(), lines: [], serverTotal: null, ageConfirmed: null, pending: null, last: null };
}

function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  // a till on a plain http address of the shop's own network has no randomUUID
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

function read() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY));
    return kept?.id && Array.isArray(kept.lines) ? { ...fresh(), ...kept } : null;
  } catch {
    return null; // what cannot be read is no basket
  }
}
