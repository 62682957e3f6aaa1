// The server's prices for the basket: asked shortly after each change; the newest answer wins, an older one is
// thrown away. While none is here, the page says so and shows the shelf's prices.

import { NoAnswer, Refusal, ask } from "./api.js";
import { settings } from "./settings.js";

const SOON_MS = 60;
const AGAIN_MS = 3000;

/** @typedef {"pending" | "ready" | "silent" | "refused"} QuoteState */

export class Quoting {
  timer = 0;
  /** @type {Refusal | null} */
  refusal = null;

  /**
   * `onState`: pending, ready, silent, or refused with the server's sentence.
   * @param {import("./basket.js").Basket} basket
   * @param {(state: QuoteState, words?: string) => void} onState
   */
  constructor(basket, onState) {
    this.basket = basket;
    this.onState = onState;
    basket.onChange(({ why = "" }) => {
      if (!["active", "prices", "parts", "approved", "stopped"].includes(why)) this.soon();
    });
  }

  /** Ask in a moment; more changes within it make one question. */
  soon() {
    clearTimeout(this.timer);
    if (this.basket.isEmpty()) return this.onState("ready");
    this.refusal = null;
    this.onState("pending");
    this.timer = setTimeout(() => this.#ask(), SOON_MS);
  }

  /** Ask now unless the answer is here, or `again` all the same; gives true when the basket is priced by the server. */
  async settle(again = false) {
    if (this.basket.isEmpty() || (this.basket.quote && !again)) return true;
    clearTimeout(this.timer);
    await this.#ask();
    return Boolean(this.basket.quote);
  }

  /**
   * Keep the server's refusal, of prices or of a sale: it stands until the basket is priced.
   * @param {Refusal} fault
   */
  refused(fault) {
    this.refusal = fault;
    this.basket.stop(fault.facts.stopped ?? []);
    this.onState("refused", fault.message);
  }

  async #ask() {
    const revision = this.basket.revision;
    try {
      const quote = await ask("POST", settings.urls.quote, this.basket.asked(), 4000);
      this.refusal = null;
      if (this.basket.priced(quote, revision)) this.onState("ready");
    } catch (fault) {
      if (revision !== this.basket.revision) return;
      if (fault instanceof NoAnswer) {
        this.onState("silent");
        this.timer = setTimeout(() => this.#ask(), AGAIN_MS);
      } else if (fault instanceof Refusal) this.refused(fault);
      else throw fault;
    }
  }
}
