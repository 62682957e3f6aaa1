// What the customer sees on the second screen: sent over a channel of this browser, drawn by display.js. It speaks the
// store's language, so figures go there as numbers, and products by their names on paper.

import { afterPaint } from "../common/later.js";
import { settings } from "./settings.js";

/** @param {Product} product */
const onPaper = (product) => product.paper_name ?? product.name;

export class Showing {
  /** @param {import("./basket.js").Basket} basket */
  constructor(basket) {
    this.basket = basket;
    /** @type {Step} */
    this.step = { kind: "basket" };
    this.channel = new BroadcastChannel(`cornerstore.display.${settings.store_id}.${settings.till_id}`);
    this.channel.onmessage = ({ data }) => { if (data === "hello") this.tell(); };
  }

  /** Show the basket, and above it what is going on: paying, a code to scan, thanks. */
  tell(step = this.step) {
    this.step = step;
    afterPaint("showing", () => this.#post());
  }

  #post() {
    const { step } = this;
    /** @type {Shown["lines"]} */
    const lines = this.basket.lines().map((line) => ({
      qty: line.qty, stock_unit: line.product.stock_unit, name: onPaper(line.product), total: line.shown,
      offers: (line.quoted?.offers ?? []).map((offer) => ({ name: offer.name, amount: offer.amount_minor })),
    }));
    for (const { of = null, name, qty, total } of this.basket.deposits()) {
      const deposit = this.basket.catalogue.bySku.get(this.basket.line(of)?.product.deposit_sku ?? "");
      lines.push({ qty, stock_unit: "each", name: deposit ? onPaper(deposit) : name, total, offers: [] });
    }
    for (const { qty, stock_unit, name, total, shown = total } of this.basket.broughtBack) lines.push({ qty: -qty, stock_unit, name, total: shown, offers: [] });
    /** @type {Shown} */
    const shown = { step, lines, tax: this.basket.tax(), total: this.basket.total(), saved: this.basket.saved(), practice: this.basket.practice };
    this.channel.postMessage(shown);
  }
}
