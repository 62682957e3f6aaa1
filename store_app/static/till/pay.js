// Paying: choose how, by one tender or by several, until nothing is left to pay; then the sale is sent.
//
// What was already taken (a captured card, cash put down) is kept with the basket, so that neither a reload nor one
// more product loses it.

import { all, around } from "../common/dom.js";
import { ask, sentence } from "./api.js";
import { el, icon } from "./dom.js";
import { Electronic } from "./electronic.js";
import { hasTab } from "./lines.js";
import { likelyNotes, moneyText, parseKeyed, roundCash, showMoney } from "./money.js";
import { Pad } from "./pad.js";
import { Sending } from "./sending.js";
import { $, filled, say, settings, tenderOf } from "./settings.js";
import { soundBad } from "../common/sound.js";

/** @typedef {"choose" | "asking" | "sending" | "unknown" | "done"} PayStep */
/** @type {PayStep[]} */
const STEPS = ["choose", "asking", "sending", "unknown", "done"];
const SLIP_SIGNS = 2; // a slip's number has as many at least
const REST_MS = 400;
const ROW_OF_TENDERS = 6; // as many stand side by side
const MOST_PARTS = 100; // as the server takes them
const ABSURD = 10; // change of ten of the largest notes: a slip of the finger, or a scanner's digits

/**
 * What paying asks of the till.
 * @typedef {Pick<import("./till.js").Till, "askFirst" | "quieten" | "rest" | "paying" | "takeWaiting" | "showCode" | "camera" | "complain" | "sold" | "reprint" | "askShift" | "renewPrices" | "allow">} PayActions
 */

/**
 * Tell whether a part is taken: no provider has it on its way.
 * @param {Part} part
 */
const isTaken = ({ state }) => state === undefined || state === "captured";

export class Pay {
  /** @type {PayStep | null} */
  step = null;
  tender = "cash";
  cardWay = "slip";
  /**
   * What was keyed, or pressed as a note.
   * @type {number | null}
   */
  given = null;
  /**
   * The absurd sum that was asked about.
   * @type {number | null}
   */
  sure = null;
  /** @type {number | null} */
  voucherWorth = null;
  /**
   * What was pressed while a tender was being taken.
   * @type {(() => void) | null}
   */
  later = null;
  resting = false;
  rested = 0;
  taking = false;
  keyedBefore = false;
  shownTotal = 0;
  shownCustomer = "";

  /**
   * @param {import("./basket.js").Basket} basket
   * @param {import("./quoting.js").Quoting} quoting
   * @param {PayActions} actions
   */
  constructor(basket, quoting, actions) {
    this.basket = basket;
    this.quoting = quoting;
    this.actions = actions;
    this.reference = $("card-reference", HTMLInputElement);
    this.voucher = $("voucher-code", HTMLInputElement);
    this.pad = new Pad($("cash-pad"), () => this.#showChoice());
    this.electronic = new Electronic(this);
    this.sending = new Sending(this);
    basket.onChange(({ why }) => {
      if (why === "prices") this.#repriced();
      if (why === "stopped" && this.step === "choose" && basket.stopped().length) this.close();
      if (why === "prices" || why === "customer") this.#recustomed();
    });
    basket.addEventListener("waiting", () => this.#showWaiting());
    for (const id of ["pay-back", "waiting-here"]) $(id).addEventListener("click", () => this.close());
    $("take").addEventListener("click", () => this.take());
    $("tenders").addEventListener("click", (event) => {
      const tab = around(event, "button"), { tender } = tab?.dataset ?? {};
      if (tab && tender) this.#onceTaken(tab, () => this.choose(tender));
    });
    $("card-ways").addEventListener("click", (event) => {
      const button = around(event, "button"), { way } = button?.dataset ?? {};
      const { tender } = this;
      if (button && way) this.#onceTaken(button, () => { this.choose(tender); this.#cardBy(way); });
    });
    this.voucher.addEventListener("input", () => this.#forgetVoucher());
    $("voucher-look").addEventListener("click", () => this.#lookUpVoucher());
    $("notes").addEventListener("click", (event) => {
      const note = around(event, "button");
      if (note) this.#give(Number(note.dataset.minor));
    });
    $("pay").addEventListener("keydown", (event) => this.#keyed(event));
  }

  get isOpen() { return this.step !== null; }
  get isBusy() { return this.step === "sending" || this.step === "unknown" || this.step === "asking"; }
  get row() { return tenderOf(this.tender); }
  /** Whether a terminal here can be asked for this tender. */
  get hasTerminal() { return this.row.ways.includes("terminal") && !this.basket.practice; }
  get byTerminal() { return this.row.pane === "card" && this.hasTerminal && this.cardWay === "terminal"; }
  get isRefund() { return this.basket.total() < 0; }
  /** What is still owed before this tender, rounded when it is cash. */
  get due() {
    const left = this.basket.total() - this.paid + this.toAccounts;
    return this.tender === "cash" ? roundCash(left) : left;
  }
  /** What of an amount owed goes back to accounts, whatever the till says of the rest. */
  get toAccounts() { return this.isRefund ? Object.values(this.basket.goesBack()).reduce((sum, minor) => sum + minor, 0) : 0; }
  get paid() { return this.basket.parts.reduce((sum, part) => sum + (isTaken(part) ? part.amount_minor : 0), 0); }
  /** The most this tender can pay: what the points, the tab or the voucher have left. */
  get most() {
    const known = this.basket.customer, { pane } = this.row;
    const has = pane === "points" ? known?.points_worth_minor : pane === "tab" ? known?.tab_left_minor : pane === "code" ? this.voucherWorth : null;
    if (this.isRefund || has == null) return Infinity;
    const taken = pane === "code" ? 0 : this.basket.parts.reduce((sum, part) => sum + (part.tender === this.tender ? part.amount_minor : 0), 0);
    return Math.max(0, has - taken);
  }
  /** What this tender is to pay: what was keyed, else all that is due; never more than it has, and only cash gives change. */
  get amount() {
    const due = Math.abs(this.due), isCash = this.tender === "cash" && !this.isRefund;
    return Math.min(this.given ?? due, this.most, isCash ? Infinity : due);
  }
  /** Whether a card's slip must have its number: this till has a terminal, and the card was read elsewhere. */
  get needsSlip() { return this.row.pane === "card" && this.hasTerminal && !this.byTerminal && !this.isRefund; }

  /** Open the panel; what the law or the store wants to be asked first is asked first. */
  async open() {
    if (this.isOpen || this.basket.isEmpty() || !(await this.actions.askFirst())) return;
    this.actions.quieten();
    $("pay-says").replaceChildren();
    this.later = null;
    this.reference.value = this.voucher.value = "";
    this.show("choose");
    this.#cardBy("terminal");
    this.choose("cash");
  }

  /** Close the panel and go back to the basket (or on to the next customer). */
  close() {
    if (this.step === "sending" || this.step === "asking" || (this.step === "unknown" && $("unknown-back").hidden)) return;
    this.show(null);
    this.actions.rest();
  }

  /** Take what is chosen; when nothing is left to pay, the sale is sent. */
  async take() {
    if (this.step !== "choose" || $("take", HTMLButtonElement).disabled || this.taking) return;
    this.taking = true;
    try {
      const { shownTotal: shown, tender, given } = this;
      const elsewhere = this.row.pane === "phone" || this.byTerminal;
      // what was priced a while ago may cost something else now: known before anybody else is asked for the money
      if ((elsewhere || !this.basket.quote) && (await this.quoting.settle(elsewhere)) && this.basket.total() !== shown) {
        return this.again(say("prices-changed", { now: moneyText(this.basket.total()), before: moneyText(shown) }));
      }
      if (this.basket.stopped().length) return this.close();
      if (this.quoting.refusal) return this.again(this.quoting.refusal.message);
      if (!(await this.actions.askFirst())) return this.again("");
      if (this.tender !== tender) return this.again(say("tender-gone", { tender: tenderOf(tender).label }));
      this.given = given; // what was keyed since was not read beside what was pressed
      await this.#takeTender();
    } finally {
      this.taking = false;
      this.catchUp();
    }
  }

  /**
   * Do what a press on a tender asks for; while another one is being taken, do it once that is over.
   * @param {HTMLElement} button
   * @param {() => void} act
   */
  #onceTaken(button, act) {
    if (!this.taking) return act();
    this.later = act;
    for (const one of button.parentElement?.children ?? []) one.setAttribute("aria-pressed", String(one === button));
  }

  /** Do what was pressed while a tender was being taken; what was said of that one stays to be read. */
  catchUp() {
    const act = this.step === "choose" ? this.later : null;
    if (!act) return;
    this.later = null;
    const said = [...$("pay-says").children];
    act();
    $("pay-says").replaceChildren(...said);
  }

  async #takeTender() {
    const { amount, tender } = this;
    if (this.isRefund) {
      const accounts = Object.entries(this.basket.goesBack()).map(([to, minor]) => ({ tender: to, amount_minor: -minor }));
      return this.sending.send([...accounts, ...(amount ? [{ tender, amount_minor: -amount, ...this.#reference() }] : [])]);
    }
    if (this.due <= 0) return this.finish();
    if (this.basket.parts.length >= MOST_PARTS) return this.again(say("too-many-parts", { n: MOST_PARTS }));
    if (tender === "cash") return this.#takeCash();
    if (this.byTerminal) return this.electronic.begin({ tender, way: "terminal", amount });
    if (this.row.ways.includes("bank_code")) return this.electronic.begin({ tender, way: "bank_code", amount });
    if (this.row.pane === "phone") return this.electronic.chooseWay(amount);
    if (this.row.pane === "code") return this.#takeVoucher(amount);
    const slip = this.#reference();
    if (this.needsSlip && (slip.reference ?? "").length < SLIP_SIGNS) return this.again(say("slip-needed"));
    return this.#added({ tender, amount_minor: amount, ...slip });
  }

  /** Cash as keyed; a sum nobody hands over is asked about once. */
  #takeCash() {
    const change = this.amount - this.due;
    if (change >= ABSURD * Math.max(this.due, ...settings.notes_minor) && this.sure !== this.amount) {
      this.sure = this.amount;
      return this.again(say("sure-given", { given: moneyText(this.amount), change: moneyText(change) }));
    }
    return this.#added({ tender: "cash", amount_minor: this.amount });
  }

  /** @returns {{ reference?: string }} */
  #reference() {
    const reference = this.row.pane === "card" ? this.reference.value.trim() : "";
    return reference ? { reference } : {};
  }

  /** @param {number} amount */
  async #takeVoucher(amount) {
    const worth = await this.#lookUpVoucher();
    if (worth === null) return;
    if (worth <= 0) return this.again(say("voucher-empty"));
    const reference = this.voucher.value.trim();
    if (this.basket.parts.some((part) => part.reference === reference && part.tender === this.tender)) return this.again(say("voucher-twice"));
    this.#added({ tender: this.tender, amount_minor: Math.min(worth, amount), reference });
  }

  /**
   * Show what a voucher is worth; gives the amount, or null when nobody knows it.
   * @returns {Promise<number | null>}
   */
  async #lookUpVoucher() {
    const code = this.voucher.value.trim();
    if (!code) { this.again(say("voucher-code-needed")); return null; }
    try {
      /** @type {{ balance_minor: number }} */
      const voucher = await ask("GET", `${settings.urls.vouchers}/${encodeURIComponent(code)}`);
      if (this.voucher.value.trim() !== code) return null; // another one stands there by now
      $("voucher-worth").textContent = say("voucher-worth", { amount: moneyText(voucher.balance_minor) });
      this.voucherWorth = voucher.balance_minor;
      this.#showChoice();
      return voucher.balance_minor;
    } catch (fault) {
      this.#forgetVoucher();
      this.again(sentence(fault));
      return null;
    }
  }

  #forgetVoucher() {
    this.voucherWorth = null;
    $("voucher-worth").textContent = "";
    this.#showChoice();
  }

  /** @param {Part} part */
  #added(part) {
    this.basket.addPart(part);
    if (this.due > 0) this.#rest();
    this.goOn();
  }

  /** Take nothing for a moment: the second press of a double click was not meant for what is shown now. */
  #rest() {
    this.resting = true;
    clearTimeout(this.rested);
    this.rested = setTimeout(() => { this.resting = false; this.#showChoice(); }, REST_MS);
  }

  /** The server's prices came while the panel was open: what was shown is not taken silently for something else. */
  #repriced() {
    const now = this.basket.total(), before = this.shownTotal;
    if (this.step !== "choose" || now === before || this.taking) return;
    this.given = null;
    this.#rest();
    this.again(say("prices-changed", { now: moneyText(now), before: moneyText(before) }));
  }

  /** Whose sale it is came, changed or was taken off while the panel was open: what a customer may pay with is drawn again. */
  #recustomed() {
    if (this.step !== "choose" || JSON.stringify(this.basket.customer) === this.shownCustomer) return;
    if (this.#offered().includes(this.tender)) this.#showChoice();
    else this.choose("cash");
  }

  /** After a tender was taken: send the sale, or ask for the rest. */
  goOn() {
    this.tender = this.row.pane === "code" ? "cash" : this.tender;
    if (this.due <= 0) return this.finish();
    this.show("choose");
    this.choose("cash");
    this.catchUp();
  }

  finish() {
    const total = this.basket.total(), rest = total - this.paid;
    const given = this.basket.parts.reduce((sum, part) => sum + (part.tender === "cash" ? part.amount_minor : 0), 0);
    if (total >= 0 && this.paid - given > total) return this.again(say("paid-too-much", { paid: moneyText(this.paid - given), total: moneyText(total) }));
    const tenders = this.basket.parts.filter(isTaken).map(({ tender, amount_minor, reference, payment_id }) => ({
      tender, amount_minor, ...(reference ? { reference } : {}), ...(payment_id ? { payment_id } : {}),
    }));
    if (rest > 0 && roundCash(rest) === 0) tenders.push({ tender: "cash", amount_minor: 0 }); // no coin is that small
    this.sending.send(tenders);
  }

  /** Ask after a payment that was on its way when the page was closed. */
  recover() {
    if (this.basket.pending) this.sending.recover();
    else if (!this.basket.parts.every(isTaken)) this.electronic.recover();
  }

  /**
   * A scanner spoke: take its digits out of the amount; give true if the product may go in now.
   * @param {string} code
   * @param {number} startedAt
   */
  interrupt(code, startedAt) {
    if (this.step === "asking" && this.electronic.waitsForCode) { this.electronic.scanned(code); return null; }
    if (this.step === "choose") {
      this.pad.forgetSince(startedAt);
      if (this.row.pane === "code") {
        this.voucher.value = code;
        this.#lookUpVoucher();
        return null;
      }
    }
    if (this.isBusy) return false;
    this.close();
    return true;
  }

  /**
   * Show the choice again with a sentence of what is in the way.
   * @param {string} words
   */
  again(words) {
    this.show("choose");
    this.#showChoice();
    if (words) soundBad();
    $("pay-says").replaceChildren(...(words ? [el("p.note.note-bad", {}, words)] : []));
  }

  // --- choosing ---

  /** @param {string} tender */
  choose(tender) {
    this.tender = tender;
    this.given = this.sure = null;
    this.keyedBefore = false;
    this.#forgetVoucher();
    $("pay-says").replaceChildren();
    this.pad.clear();
    this.#focus();
  }

  /** Stand where the next key belongs: in the field this tender cannot do without, else where keys are the amount. */
  #focus() {
    (this.row.pane === "code" ? this.voucher : this.needsSlip ? this.reference : $("pay")).focus();
  }

  /** @param {string} way */
  #cardBy(way) {
    this.cardWay = way;
    for (const button of all($("card-ways"), "button")) button.setAttribute("aria-pressed", String(button.dataset.way === way));
    this.#showChoice();
    if (this.step === "choose") this.#focus();
  }

  /** @param {number} minor */
  #give(minor) {
    this.given = minor;
    this.pad.typed = [];
    this.#showChoice();
  }

  #offered() {
    const known = this.basket.customer, spot = this.isRefund ? "exchange" : "till";
    const can = (/** @type {Tender} */ { pane, ways }) => (pane === "tab" ? known && (this.isRefund || hasTab(known))
      : pane === "points" ? known?.points_worth_minor : pane === "phone" ? ways.length && !this.basket.practice : true);
    return settings.tenders.filter((row) => row.at.includes(spot) && can(row)).map(({ name }) => name);
  }

  #showChoice() {
    if (this.step !== "choose") return;
    if (this.pad.text) this.given = parseKeyed(this.pad.text);
    else if (this.keyedBefore) this.given = null;
    this.keyedBefore = Boolean(this.pad.text);
    this.shownTotal = this.basket.total();
    this.shownCustomer = JSON.stringify(this.basket.customer);
    const { due, tender, isRefund } = this, offered = this.#offered();
    for (const tab of all($("tenders"), "button")) {
      tab.hidden = !offered.includes(tab.dataset.tender ?? "");
      tab.setAttribute("aria-pressed", String(tab.dataset.tender === tender));
    }
    $("tenders").dataset.count = String(Math.min(offered.length, ROW_OF_TENDERS + 1));
    $("pay-title").textContent = say(isRefund ? "to-give-back" : this.paid ? "still-to-pay" : "to-pay");
    showMoney($("pay-due"), Math.abs(due));
    const rounding = tender === "cash" ? due - (this.basket.total() - this.paid + this.toAccounts) : 0;
    $("pay-rounding").hidden = !rounding;
    if (rounding) $("pay-rounding").textContent = say("rounding", { amount: moneyText(rounding) });
    this.#showParts();
    $("notes").hidden = tender !== "cash" || isRefund;
    const { pane } = this.row;
    $("card-way").hidden = pane !== "card";
    $("card-ways").hidden = !this.hasTerminal;
    $("slip").hidden = this.byTerminal;
    $("voucher-way").hidden = pane !== "code";
    $("customer-way").hidden = pane !== "tab" && pane !== "points";
    $("customer-way").textContent = this.#customerWords();
    $("card-ask").textContent = say(isRefund ? "card-back" : this.byTerminal ? "card-terminal" : "card-ask", { amount: moneyText(this.amount) });
    this.#showAmounts(due, tender);
    this.actions.paying({ due: Math.abs(due), given: this.given, tender });
  }

  /**
   * @param {number} due
   * @param {string} tender
   */
  #showAmounts(due, tender) {
    const given = this.amount, missing = Math.abs(due) - given, cash = tender === "cash" && !this.isRefund;
    if (cash) this.#showNotes(given);
    $("given-word").textContent = say(cash ? "given" : "amount");
    showMoney($("given"), given);
    $("change-word").textContent = say(missing > 0 ? "missing" : "change");
    $("change-row").hidden = !cash && missing <= 0;
    $("change-row").classList.toggle("missing", missing > 0);
    showMoney($("change-preview"), Math.abs(missing));
    $("take", HTMLButtonElement).disabled = (given <= 0 && due > 0) || this.resting;
    const facts = { amount: moneyText(given), rest: moneyText(Math.max(0, missing)) };
    const words = due <= 0 ? "take-free" : missing > 0 ? "take-part" : this.byTerminal && "take-terminal";
    $("take-word").textContent = this.isRefund && due ? filled(this.row.back, facts) : words ? say(words, facts) : filled(this.row.take, facts);
  }

  #customerWords() {
    const known = this.basket.customer;
    if (!known) return "";
    if (this.row.pane === "points") return say("points-worth", { n: known.points ?? 0, amount: moneyText(known.points_worth_minor ?? 0) });
    return say("tab-standing", { name: known.name, owes: moneyText(known.tab_balance_minor ?? 0), left: moneyText(known.tab_left_minor ?? 0) });
  }

  #showParts() {
    const back = this.isRefund ? Object.entries(this.basket.goesBack()) : [];
    $("parts").hidden = !this.basket.parts.length && !back.length;
    const goesBack = back.map(([tender, minor]) => el("li", {}, icon("arrow-uturn-left"), el("span", {}, say("goes-back", { tender: tenderOf(tender).label })), el("b.figures", {}, moneyText(minor))));
    $("parts").replaceChildren(...goesBack, ...this.basket.parts.map((part, at) => el("li", {}, icon("check-circle"),
      el("span", {}, tenderOf(part.tender).label), part.reference && el("span.muted", {}, part.reference), el("b.figures", {}, moneyText(part.amount_minor)),
      el("button.btn.btn-quiet", { "aria-label": say("take-back-part", { tender: tenderOf(part.tender).label, amount: moneyText(part.amount_minor) }), onclick: () => this.#takeBack(at, part) }, icon("x-mark")))));
  }

  /**
   * @param {number} at
   * @param {Part} part
   */
  async #takeBack(at, part) {
    if (part.payment_id) return this.electronic.giveBack(part);
    this.basket.dropPart(at);
    this.choose(this.tender);
  }

  /** @param {number} given */
  #showNotes(given) {
    $("notes").replaceChildren(...[this.due, ...likelyNotes(this.due)].map((minor, at) => {
      const note = el("button", { "aria-pressed": String(minor === given) }, at === 0 ? say("exact") : moneyText(minor));
      note.dataset.minor = String(minor);
      return note;
    }));
  }

  /** @param {KeyboardEvent} event */
  #keyed(event) {
    if (event.key === "Escape") {
      event.stopPropagation();
      return this.step === "asking" ? this.electronic.escape() : this.close();
    }
    if (this.step !== "choose" || around(event, "input")) {
      if (event.key === "Enter" && this.step === "choose") {
        event.preventDefault();
        this.take();
      }
      return;
    }
    if (event.key === "Enter" && !around(event, "button")) {
      event.preventDefault();
      this.take();
    } else if (this.pad.keyed(event)) {
      event.stopPropagation();
      $("pay").focus();
    }
  }

  /** @param {PayStep | null} step */
  show(step) {
    this.step = step;
    $("pay").hidden = step === null;
    for (const name of STEPS) $(`pay-${name}`).hidden = name !== step;
    $("basket").inert = $("goods").inert = step !== null;
    document.body.dataset.pay = step ?? "";
    if (step === "choose") this.#focus();
    if (step === "sending" || step === "asking") $("pay").focus();
    this.#showWaiting();
    if (step !== null) return;
    this.actions.paying(null);
    this.actions.takeWaiting();
  }

  /** Say how many scans wait: for the next customer once this one has paid, or for this basket where one goes back to it. */
  #showWaiting() {
    const n = this.basket.waiting.length;
    $("pay-waiting").hidden = !n;
    $("waiting-words").textContent = n ? say(n === 1 ? "scan-waits" : "scans-wait", { n }) : "";
    $("waiting-here").hidden = this.isBusy && !(this.step === "unknown" && !$("unknown-back").hidden);
  }
}
