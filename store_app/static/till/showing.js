// What the customer sees on the second screen: told over a channel of this browser, drawn by display.js.

import { afterPaint } from "../common/later.js";
import { qtyText } from "./words.js";
import { settings } from "./settings.js";

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
      qty: qtyText(line.product, line.qty), name: line.product.name, total: line.shown,
      offers: (line.quoted?.offers ?? []).map((offer) => ({ name: offer.name, amount: offer.amount_minor })),
    }));
    for (const deposit of this.basket.deposits()) lines.push({ qty: String(deposit.qty), name: deposit.name, total: deposit.total, offers: [] });
    for (const back of this.basket.broughtBack) lines.push({ qty: back.qty_text, name: back.name, total: back.shown ?? back.total, offers: [] });
    /** @type {Shown} */
    const shown = { step, lines, tax: this.basket.tax(), total: this.basket.total(), saved: this.basket.saved(), practice: this.basket.practice };
    this.channel.postMessage(shown);
  }
}
