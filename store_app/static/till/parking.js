// Baskets set aside and taken up again, at this till or another; and baskets given up, with a reason.

import { maybe } from "../common/dom.js";
import { Refusal, ask, sentence } from "./api.js";
import { choices, el, field, go, icon, list } from "./dom.js";
import { moneyText } from "./money.js";
import { reasons, say, settings } from "./settings.js";
import { backButton, sheet } from "./sheet.js";
import { agoText, reasonText } from "./words.js";


export class Parking {
  /**
   * @param {import("./basket.js").Basket} basket
   * @param {import("./lines.js").Lines} view
   * @param {Pick<import("./till.js").Till, "parkedChanged" | "takeWaiting" | "withLeave" | "rest">} actions
   */
  constructor(basket, view, actions) {
    this.basket = basket;
    this.view = view;
    this.actions = actions;
  }

  /** F4: set the basket aside, or list what is set aside when there is none. */
  toggle() {
    if (this.basket.practice) return this.view.complain(say("not-in-practice"));
    if (this.basket.isEmpty()) return this.list();
    if (this.basket.parts.length) return this.view.complain(say("parts-first"));
    const label = field("park-label", say("park-label"), { maxlength: "60", placeholder: say("park-hint") });
    const park = async () => {
      try {
        await sheet.hold(() => ask("POST", `${settings.urls.baskets}/${this.basket.id}/park`, {
          till_id: settings.till_id, label: label.input.value.trim(), total_minor: this.basket.total(), basket: this.basket.packed(),
        }));
      } catch (fault) { return sheet.complain(sentence(fault)); }
      this.basket.next();
      sheet.close();
      this.view.tell(say("parked"), [say("parked-list"), () => this.list()]);
      this.actions.parkedChanged();
      this.actions.takeWaiting();
    };
    sheet.open({ title: say("park-title"), body: label.root, onEnter: park, focus: label.input,
      foot: [backButton(), go(say("park"), park)] });
  }

  /** Ask what waits to be taken up here, and what another till has in hand: {waiting, elsewhere}. */
  async kept() {
    /** @type {{ baskets: ParkedBasket[], taken: ParkedBasket[] }} */
    const { baskets, taken } = await ask("GET", settings.urls.baskets);
    const here = (/** @type {ParkedBasket} */ row) => row.till_id === settings.till_id;
    const lost = taken.filter((row) => here(row) && row.id !== this.basket.id); // taken up here, and the answer was lost
    return { waiting: [...lost, ...baskets], elsewhere: taken.filter((row) => !here(row)) };
  }

  /** List the parked baskets of the store: label, how long ago, total, by whom; and what other tills have in hand. */
  async list() {
    const rows = list(say("parked-list"), say("parked-none")), others = el("div");
    sheet.open({ title: say("parked-list"), body: [rows.root, others], foot: backButton(), wide: true });
    try {
      const { waiting, elsewhere } = await this.kept();
      rows.fill(waiting.map((row) => this.#row(row, "parked-by", "pause-circle", () => this.#resume(row))));
      if (elsewhere.length) {
        others.append(el("h3", {}, say("taken-list")), el("p.muted", {}, say("taken-lead")),
          el("ul.rows", { "aria-label": say("taken-list") }, elsewhere.map((row) => this.#row(row, "taken-by", "computer-desktop", () => this.#takeOver(row)))));
      }
      maybe(sheet.root, ".row-button")?.focus();
    } catch (fault) { sheet.complain(sentence(fault)); }
  }

  /**
   * @param {ParkedBasket} kept
   * @param {string} words
   * @param {string} picture
   * @param {() => unknown} act
   */
  #row(kept, words, picture, act) {
    const by = say(words, { by: kept.kept_by_name, till: kept.till_id, ago: agoText(kept.kept_at) });
    return el("li", {}, el("button.row-button", { onclick: act }, icon(picture),
      el("span.row-main", {}, el("b", {}, kept.label || say("no-label")), el("span.muted", {}, by)), el("b.figures", {}, moneyText(kept.total_minor))));
  }

  /** @param {ParkedBasket} parked */
  async #resume(parked) {
    if (!this.basket.isEmpty()) return sheet.complain(say("park-first"));
    try {
      this.#taken(parked, await sheet.hold(() => ask("POST", `${settings.urls.baskets}/${parked.id}/resume`, { till_id: settings.till_id })));
    } catch (fault) { sheet.complain(sentence(fault)); }
  }

  /**
   * Take a basket out of the hands of another till, one that died say: by leave.
   * @param {ParkedBasket} kept
   */
  async #takeOver(kept) {
    if (!this.basket.isEmpty()) return sheet.complain(say("park-first"));
    const send = (/** @type {string[]} */ approvals) => sheet.hold(() => ask("POST", `${settings.urls.baskets}/${kept.id}/resume`, { till_id: settings.till_id, from_till_id: kept.till_id, approvals }));
    const why = say("taken-leave", { name: kept.label || say("no-label"), till: kept.till_id, by: kept.kept_by_name, total: moneyText(kept.total_minor) });
    const answer = await this.actions.withLeave("baskets.others", why, {}, send, kept.id);
    if (answer) this.#taken(kept, answer);
  }

  /**
   * @param {ParkedBasket} kept
   * @param {{ basket: Packed }} answer
   */
  #taken({ id }, answer) {
    this.basket.unpack({ ...answer.basket, id });
    sheet.close();
    this.view.quieten();
    this.actions.rest();
    this.actions.parkedChanged();
    this.actions.takeWaiting();
  }

  /** Give the basket up: with a reason, kept in the store's journal. */
  giveUp() {
    if (this.basket.isEmpty()) return;
    if (this.basket.parts.some((part) => part.payment_id)) return this.view.complain(say("parts-first"));
    if (this.basket.practice) return this.basket.next();
    let why = "";
    const other = field("void-why", say("why-other"), { maxlength: "200", oninput: () => { sheet.quieten(); } });
    const give = async () => {
      const reason = other.input.value.trim() || why;
      if (!reason) return sheet.complain(say("reason-needed"));
      const send = (/** @type {string[]} */ approvals) => sheet.hold(() => ask("POST", `${settings.urls.baskets}/${this.basket.id}/void`, {
        till_id: settings.till_id, why: reason, total_minor: this.basket.total(),
        lines: this.basket.asked().lines, corrections: this.basket.corrections(), approvals,
      })).catch((fault) => { // another till goes on with it: nothing is given up but what is shown here
        if (!(fault instanceof Refusal) || fault.code !== "basket-taken") throw fault;
        return { told: fault.message };
      });
      const given = await this.actions.withLeave("void", say("void-leave", { total: moneyText(this.basket.total()), why: reasonText(reason) }), { total_minor: this.basket.total() }, send);
      if (!given) return;
      this.basket.next();
      sheet.close();
      this.view.tell(given.told ?? say("voided"));
      this.actions.rest();
      this.actions.takeWaiting();
    };
    sheet.open({
      title: say("void-title", { total: moneyText(this.basket.total()) }), onEnter: give,
      body: [choices(say("why"), reasons("void-"), (chosen) => { why = chosen; sheet.quieten(); }), other.root],
      foot: [backButton(), el("button.btn.btn-warn.btn-lg", { onclick: give }, say("void"))],
    });
  }
}
