// Baskets set aside and taken up again, at this till or another; and baskets given up, with a reason.

import { NoAnswer, ask } from "./api.js";
import { choices, el, field, go, icon, list } from "./dom.js";
import { moneyText } from "./money.js";
import { say, settings } from "./settings.js";
import { backButton, sheet } from "./sheet.js";
import { agoText, reasonText } from "./words.js";

const sentence = (fault) => (fault instanceof NoAnswer ? say("no-answer") : fault.message);
const WHY_VOID = ["void-changed-mind", "void-no-money", "void-wrong-goods", "void-training", "void-wrong-customer"];

export class Parking {
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
        await ask("POST", `${settings.urls.baskets}/${this.basket.id}/park`, {
          till_id: settings.till_id, label: label.input.value.trim(), total_minor: this.basket.total(), basket: this.basket.packed(),
        });
      } catch (fault) { return sheet.complain(sentence(fault)); }
      this.basket.next();
      sheet.close();
      this.view.tell(say("parked"), [say("parked-list"), () => this.list()]);
      this.actions.parkedChanged();
    };
    sheet.open({ title: say("park-title"), body: label.root, onEnter: park, focus: label.input,
      foot: [backButton(), go(say("park"), park)] });
  }

  /** List the parked baskets of the shop: label, how long ago, total, by whom. */
  async list() {
    const rows = list(say("parked-list"), say("parked-none"));
    sheet.open({ title: say("parked-list"), body: rows.root, foot: backButton(), wide: true });
    try {
      const { baskets } = await ask("GET", settings.urls.baskets);
      rows.fill(baskets.map((parked) => el("li", {}, el("button.row-button", { onclick: () => this.#resume(parked) },
        icon("pause-circle"), el("span.row-main", {}, el("b", {}, parked.label || say("no-label")), el("span.muted", {}, say("parked-by", { by: parked.kept_by_name, ago: agoText(parked.kept_at) }))),
        el("b.figures", {}, moneyText(parked.total_minor))))));
      sheet.root.querySelector(".row-button")?.focus();
    } catch (fault) { sheet.complain(sentence(fault)); }
  }

  async #resume(parked) {
    if (!this.basket.isEmpty()) return sheet.complain(say("park-first"));
    try {
      const answer = await ask("POST", `${settings.urls.baskets}/${parked.id}/resume`, { till_id: settings.till_id });
      this.basket.unpack({ ...answer.basket, id: parked.id });
    } catch (fault) { return sheet.complain(sentence(fault)); }
    sheet.close();
    this.view.quieten();
    this.actions.parkedChanged();
  }

  /** Give the basket up: with a reason, kept in the shop's journal. */
  giveUp() {
    if (this.basket.isEmpty()) return;
    if (this.basket.parts.some((part) => part.payment_id)) return this.view.complain(say("parts-first"));
    if (this.basket.practice) return this.basket.next();
    let why = "";
    const other = field("void-why", say("why-other"), { maxlength: "200", oninput: () => { sheet.quieten(); } });
    const give = async () => {
      const reason = other.input.value.trim() || why;
      if (!reason) return sheet.complain(say("reason-needed"));
      const send = (approvals) => ask("POST", `${settings.urls.baskets}/${this.basket.id}/void`, {
        till_id: settings.till_id, why: reason, total_minor: this.basket.total(),
        lines: this.basket.asked().lines, approvals,
      });
      if (!(await this.actions.withLeave("void", say("void-leave", { total: moneyText(this.basket.total()), why: reasonText(reason) }), { total_minor: this.basket.total() }, send))) return;
      this.basket.next();
      sheet.close();
      this.view.tell(say("voided"));
    };
    sheet.open({
      title: say("void-title", { total: moneyText(this.basket.total()) }), onEnter: give,
      body: [choices(say("why"), WHY_VOID.map((reason) => [reason, say(reason)]), (chosen) => { why = chosen; sheet.quieten(); }), other.root],
      foot: [backButton(), el("button.btn.btn-warn.btn-lg", { onclick: give }, say("void"))],
    });
  }
}
