// From a scan, a code, a name or a touch to a line of the basket. Whatever is wrong with a code is one sentence and
// never stops the next scan.

import { all } from "../common/dom.js";
import { Refusal, ask, sentence } from "./api.js";
import { isBadge } from "../common/badge.js";
import { MOST_QTY } from "./basket.js";
import { isWeighed } from "./catalogue.js";
import { askAmount, askNumber } from "./dialogs.js";
import { changePerson } from "./person.js";
import { $, say, settings } from "./settings.js";
import { keepScan } from "../common/scans.js";
import { backButton, sheet } from "./sheet.js";
import { soundBad, soundGood } from "../common/sound.js";
import { isLocked } from "../common/touched.js";

/** @param {Product} product */
export const tooMany = (product) => say("too-many", { n: product.maximum_qty ?? MOST_QTY, name: product.name });

export class Taking {
  /**
   * `scans`: the name under which scans are kept for whichever window has the till.
   * @param {{ catalogue: import("./catalogue.js").Catalogue, basket: import("./basket.js").Basket, goods: import("./goods.js").Goods, view: import("./lines.js").Lines, pay: import("./pay.js").Pay, opening: import("./opening.js").OpenTill, scans: string }} parts
   */
  constructor({ catalogue, basket, goods, view, pay, opening, scans }) {
    this.catalogue = catalogue;
    this.basket = basket;
    this.goods = goods;
    this.view = view;
    this.pay = pay;
    this.opening = opening;
    this.scans = scans;
    this.takesWaiting = false;
    this.search = $("search", HTMLInputElement);
  }

  /**
   * Put `qty` of a product in; a weighed one asks for its weight, one without a price for its price.
   * @param {Product} product
   * @param {number} qty
   * @param {Partial<Special>} [special]
   */
  take(product, qty, special = {}) {
    if (this.opening.isOpen || this.basket.readOnly) return;
    if (product.price_typed && special.price_minor == null && special.amount_minor == null) return this.#askPrice(product, qty);
    if (product.kind === "deposit" && qty > 0) qty = -qty; // rung by itself, a deposit is for empties that come back
    if (isWeighed(product) && qty <= 1 && !special.labelled) {
      askNumber(product, (amount) => this.#put(product, amount, special), this.catalogue.weighing(product));
      return;
    }
    const refusal = this.#put(product, qty, special);
    if (refusal) this.view.complain(refusal);
  }

  /**
   * @param {Product} product
   * @param {number} qty
   */
  #askPrice(product, qty) {
    askAmount({
      title: product.name, lead: say("price-wanted"), label: say("price"),
      onAmount: (minor) => this.#put(product, qty || 1, { price_minor: minor }),
    });
  }

  /**
   * @param {Product} product
   * @param {number} qty
   * @param {Partial<Special>} special
   */
  #put(product, qty, special) {
    if (!this.basket.add(product, qty, special)) return tooMany(product);
    this.view.quieten();
    soundGood();
    this.goods.clearSearch();
    return "";
  }

  /**
   * Take a scanned or typed code.
   * @param {string} code
   * @param {number} [times]
   */
  async takeCode(code, times = 1) {
    let hit = this.catalogue.find(code);
    if (!hit) {
      try {
        hit = await this.#asked(code);
      } catch (fault) {
        if (fault instanceof Refusal) this.view.complain(fault.status === 401 ? say("signed-out") : fault.message, this.#addsUnknown(fault, times));
        else this.view.complain(say("unknown-no-server", { code }));
        return;
      }
    }
    if (this.basket.readOnly) { // another window took the till over while the server was asked
      for (let n = 0; n < times; n += 1) keepScan(this.scans, code);
      return;
    }
    /** @type {Partial<Special>} */
    const special = {};
    if (hit.amount_minor != null) special.amount_minor = hit.amount_minor;
    if (hit.batch != null) special.batch = hit.batch;
    if (hit.expires_on != null) special.expires_on = hit.expires_on;
    const product = this.catalogue.bySku.get(hit.product.sku) ?? hit.product, labelled = saysHowMuch(hit);
    if (labelled) special.labelled = true;
    if (Object.keys(special).length) special.code = code; // the server reads it again: its word counts, not ours
    this.take(product, hit.qty * (labelled ? 1 : times) || 1, special);
    if (labelled && times > 1) this.view.complain(say("label-fixed", { name: product.name }));
  }

  /**
   * Ask the server for what the page does not know.
   * @param {string} code
   * @returns {Promise<Hit>}
   */
  async #asked(code) {
    const hit = await ask("GET", `${settings.urls.scan}/${encodeURIComponent(code)}`);
    if (!this.catalogue.bySku.has(hit.product.sku)) this.catalogue.take(hit.product);
    return hit;
  }

  /**
   * Offer to add the product of an unknown barcode, to whoever may; all it needs comes when somebody first asks for it.
   * @param {Refusal} fault
   * @param {number} times
   * @returns {import("./lines.js").Offer | null}
   */
  #addsUnknown({ code, facts: { barcode } }, times) {
    if (code !== "unknown-barcode" || !barcode || this.basket.practice || !settings.may.includes("catalogue")) return null;
    return [say("add-product"), async () => {
      try {
        const { askNewProduct } = await import("./new_product.js");
        await askNewProduct(barcode, { ask, sentence, sheet, backButton }, (product) => {
          this.catalogue.take(product);
          this.take(product, times);
        }, (other) => this.basket.wait(other));
      } catch (fault) { this.view.complain(sentence(fault)); }
    }];
  }

  /** Sell what is not in the catalogue under a department's open price; all it needs comes when somebody asks for it. */
  async customItem() {
    try {
      const { askCustomItem } = await import("./custom_item.js");
      await askCustomItem(this.catalogue, { ask, sentence, sheet, backButton, adds: settings.may.includes("catalogue") && !this.basket.practice },
        (product, special) => this.take(product, 1, special));
    } catch (fault) { this.view.complain(sentence(fault)); }
  }

  /**
   * The scanner spoke: to an open question that wants a code, to a payment, else into the basket.
   * @param {string} code
   * @param {number} startedAt
   */
  scanned(code, startedAt) {
    if (this.basket.readOnly) return soundBad();
    if (isLocked()) return this.basket.wait(code);
    if (sheet.isOpen) sheet.pad?.forgetSince(startedAt);
    if (isBadge(code)) return changePerson(code, this);
    if (this.opening.isOpen) return this.opening.refuseScan();
    if (sheet.isHeld) return this.basket.wait(code);
    if (sheet.isOpen) {
      if (sheet.onScan) return sheet.onScan(code);
      sheet.close();
    }
    for (const dialog of all(document, "dialog[open]", HTMLDialogElement)) dialog.close();
    const free = this.pay.isOpen ? this.pay.interrupt(code, startedAt) : true;
    if (free === null) return;
    if (!free) return this.basket.wait(code);
    const times = /^(\d{1,3})\*$/.exec(this.search.value.trim());
    this.goods.clearSearch();
    this.takeCode(code, times ? Number(times[1]) : 1);
  }

  /** Take the scans that waited, one after the other; a question or a payment in between lets the others wait on. */
  async takeWaiting() {
    if (this.takesWaiting) return;
    this.takesWaiting = true;
    const { basket, pay, opening } = this;
    try {
      while (basket.waiting.length && !(isLocked() || pay.isBusy || sheet.isOpen || sheet.isHeld || opening.isOpen || basket.readOnly)) await this.takeCode(basket.nextWaiting() ?? "");
    } finally { this.takesWaiting = false; }
  }

  /** Enter in the search field: a code, a quantity and a code, or the first product found; digits are whole codes only. */
  typed() {
    const text = this.search.value.trim();
    const [, times = "1", rest] = /^(?:(\d{1,3})\s*[*×x]\s*)?(.*)$/i.exec(text) ?? [];
    if (!rest) return;
    const code = rest.replaceAll(" ", "");
    if (isBadge(code)) { this.goods.clearSearch(); return changePerson(code, this); }
    if (/^\d{6,14}$/.test(code) || this.catalogue.find(code)) {
      this.goods.clearSearch();
      this.takeCode(code, Math.max(1, Number(times)));
      return;
    }
    const [first] = this.catalogue.search(rest);
    if (first && /^\d+$/.test(code)) {
      this.goods.show();
      this.view.complain(say("no-such-number", { text: rest }));
    } else if (first) this.take(first, Math.max(1, Number(times)));
    else this.view.complain(say("nothing-found", { text: rest }));
  }
}

/**
 * Tell whether the label itself says how much it is, by weight, count or price: a second piece has its own label.
 * @param {Hit} hit
 */
const saysHowMuch = ({ amount_minor: amount, source, product, qty }) =>
  amount != null || source === "embedded" || (source === "gs1" && isWeighed(product) && qty > 1);
