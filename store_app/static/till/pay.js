// Paying: choose, send, and know for certain. A sale is sent under the id its basket was born with, so whatever
// is pressed twice or sent again is still one sale; while the answer is missing nothing else can be pressed.

import { NoAnswer, Refusal, ask } from "./api.js";
import { askAge } from "./dialogs.js";
import { likelyNotes, moneyText, parseKeyed, roundCash, showMoney } from "./money.js";
import { Pad } from "./pad.js";
import { $, say, settings } from "./settings.js";
import { soundBad } from "./sound.js";

const STEPS = ["choose", "sending", "unknown", "done"];
const ASK_AGAIN_MS = 2000;
const SETTLE_MS = 350; // a second press of the same Enter must not wipe the change away

export class Pay {
  constructor(basket, view, actions) {
    this.basket = basket;
    this.view = view;
    this.actions = actions;
    this.tender = "cash";
    this.step = null;
    this.pad = new Pad($("cash-pad"), () => this.#showChoice());
    $("pay-back").addEventListener("click", () => this.close());
    $("unknown-back").addEventListener("click", () => this.close());
    $("pay-cash").addEventListener("click", () => this.#choose("cash"));
    $("pay-card").addEventListener("click", () => this.#choose("card"));
    $("take").addEventListener("click", () => this.take());
    $("next").addEventListener("click", () => this.close());
    $("again").addEventListener("click", () => actions.reprint());
    $("unknown-act").addEventListener("click", () => this.unknownAct());
    $("notes").addEventListener("click", (event) => {
      const note = event.target.closest("button");
      if (note) this.#give(Number(note.dataset.minor));
    });
    $("pay").addEventListener("keydown", (event) => this.#keyed(event));
  }

  get isOpen() { return this.step !== null; }
  get isBusy() { return this.step === "sending" || this.step === "unknown"; }
  get due() { return this.tender === "cash" ? roundCash(this.basket.total()) : this.basket.total(); }

  /** Open the panel; the age question, if one is due, comes first. */
  open() {
    if (this.isOpen || this.basket.isEmpty()) return;
    const age = this.basket.minimumAge();
    if (age > (this.basket.ageConfirmed ?? 0)) {
      const strict = this.basket.lines().map((line) => line.product).filter((product) => product.minimum_age);
      askAge(age, strict, (old) => {
        if (!old) return this.view.complain(say("age-refused"));
        this.basket.confirmAge(age);
        this.open();
      });
      return;
    }
    this.view.quieten();
    $("pay-says").replaceChildren();
    $("card-reference").value = "";
    this.given = null;
    this.pad.clear();
    this.#show("choose");
    this.#choose("cash");
  }

  /** Close the panel and go back to the basket (or on to the next customer). */
  close() {
    if (this.step === "sending" || (this.step === "unknown" && $("unknown-back").hidden)) return;
    this.#show(null);
    this.actions.rest();
  }

  /** Send the payment. */
  take() {
    if (this.step !== "choose" || $("take").disabled) return;
    const tenders = this.tender === "cash"
      ? [{ tender: "cash", amount_minor: this.given ?? this.due }]
      : [{ tender: "card", amount_minor: this.due, reference: $("card-reference").value.trim() }];
    const body = {
      id: this.basket.id, till_id: settings.till_id,
      lines: this.basket.lines().map(({ product, qty }) => ({ sku: product.sku, qty })),
      tenders: this.due > 0 ? tenders : [], shown_total_minor: this.due,
      age_confirmed: this.basket.ageConfirmed,
    };
    this.#send(body);
  }

  /** Ask after a payment that was on its way when the page was closed. */
  recover() {
    if (!this.basket.pending) return;
    this.#unknown();
    this.#inquire();
  }

  /** A scanner spoke: take its digits out of the amount; give true if the product may go in now. */
  interrupt(startedAt) {
    if (this.isBusy) return false;
    if (this.step === "choose") this.pad.forgetSince(startedAt);
    this.close();
    return true;
  }

  async #send(body) {
    this.basket.sending(body);
    this.#show("sending");
    try {
      this.#done(await ask("POST", settings.urls.sales, body));
    } catch (fault) {
      if (fault instanceof NoAnswer) {
        this.#unknown();
        this.#inquire();
      } else if (fault instanceof Refusal) await this.#refused(fault, body);
      else throw fault;
    }
  }

  async #refused(fault, body) {
    soundBad();
    if (fault.code === "sale-content-differs") return this.#inquire(); // what was saved first is what counts
    this.basket.notSaved();
    if (fault.code === "no-open-shift") {
      this.#show(null);
      return this.actions.openTill();
    }
    if (fault.code === "total-changed") {
      await this.actions.renewPrices();
      this.basket.agreeOn(fault.facts.total_minor);
      this.given = null;
      this.pad.clear();
      const facts = { now: moneyText(fault.facts.total_minor), before: moneyText(body.shown_total_minor) };
      return this.#again(say("prices-changed", facts));
    }
    if (fault.code === "age-check") this.basket.confirmAge(null);
    this.#again(fault.status === 401 ? say("signed-out") : fault.message);
  }

  #again(words) {
    this.#show("choose");
    this.#showChoice();
    const note = document.createElement("p");
    note.className = "note note-bad";
    note.textContent = words;
    $("pay-says").replaceChildren(note);
  }

  #done(sale) {
    const change = sale.document.change_minor;
    const last = { id: sale.id, receipt_no: sale.receipt_no, total_minor: sale.total_minor };
    this.basket.next(last);
    $("done-word").textContent = change > 0 ? say("change-due") : say("paid");
    showMoney($("done-change"), change > 0 ? change : sale.total_minor);
    $("done-receipt").textContent = say("receipt-no", { n: sale.receipt_no, total: moneyText(sale.total_minor) });
    $("done-paper").hidden = true;
    this.#show("done");
    $("next").disabled = true;
    setTimeout(() => {
      $("next").disabled = false;
      if (this.step === "done") $("next").focus();
    }, SETTLE_MS);
    this.actions.sold();
  }

  /** Note under the change that the paper needs a hand. */
  paperNote(words) {
    $("done-paper").hidden = !words;
    $("done-paper").textContent = words;
  }

  // --- when nobody answered ---

  #unknown() {
    soundBad();
    $("unknown-title").textContent = say("unknown-title");
    $("unknown-words").textContent = say("unknown-words");
    $("unknown-act").textContent = say("ask-again");
    $("unknown-back").hidden = true;
    this.saveNow = false;
    this.#show("unknown");
  }

  async #inquire() {
    clearTimeout(this.timer);
    const body = this.basket.pending;
    try {
      this.#done(await ask("GET", `${settings.urls.sales}/${this.basket.id}`, undefined, 4000));
    } catch (fault) {
      if (this.basket.pending !== body) return;
      if (fault instanceof Refusal && fault.status === 404) this.#notThere();
      else this.timer = setTimeout(() => this.#inquire(), ASK_AGAIN_MS);
    }
  }

  #notThere() {
    $("unknown-title").textContent = say("not-saved-title");
    $("unknown-words").textContent = say("not-saved-words");
    $("unknown-act").textContent = say("save-now");
    $("unknown-back").hidden = false;
    this.saveNow = true;
    this.#show("unknown");
    $("unknown-act").focus();
  }

  unknownAct() {
    if (this.saveNow) this.#send(this.basket.pending);
    else this.#inquire();
  }

  // --- choosing ---

  #choose(tender) {
    this.tender = tender;
    $("pay-cash").setAttribute("aria-pressed", String(tender === "cash"));
    $("pay-card").setAttribute("aria-pressed", String(tender === "card"));
    $("cash").hidden = tender !== "cash";
    $("card-way").hidden = tender !== "card";
    $("card-ask").textContent = say("card-ask", { amount: moneyText(this.due) });
    this.#showChoice();
    $("pay").focus();
  }

  #give(minor) {
    this.given = minor;
    this.pad.typed = [];
    this.#showChoice();
  }

  #showChoice() {
    if (this.step !== "choose") return;
    if (this.pad.text) this.given = parseKeyed(this.pad.text);
    else if (this.keyedBefore) this.given = null;
    this.keyedBefore = Boolean(this.pad.text);
    showMoney($("pay-due"), this.due);
    const given = this.given ?? this.due, missing = this.due - given;
    this.#showNotes(given);
    showMoney($("given"), given);
    $("change-word").textContent = say(missing > 0 ? "missing" : "change");
    $("change-row").classList.toggle("missing", missing > 0);
    showMoney($("change-preview"), Math.abs(missing));
    $("take").disabled = this.tender === "cash" && missing > 0;
    $("take-word").textContent = say(this.due <= 0 ? "take-free" : this.tender === "cash" ? "take-cash" : "take-card");
  }

  #showNotes(given) {
    $("notes").replaceChildren(...[this.due, ...likelyNotes(this.due)].map((minor, at) => {
      const note = document.createElement("button");
      note.type = "button";
      note.dataset.minor = minor;
      note.textContent = at === 0 ? say("exact") : moneyText(minor);
      note.setAttribute("aria-pressed", String(minor === given));
      return note;
    }));
  }

  #keyed(event) {
    if (event.key === "Escape") {
      event.stopPropagation();
      return this.close();
    }
    if (this.step !== "choose" || event.target.matches("input")) {
      if (event.key === "Enter" && this.step === "choose") this.take();
      return;
    }
    if (event.key === "Enter" && !event.target.closest("button")) {
      event.preventDefault();
      this.take();
    } else if (this.tender === "cash" && this.pad.keyed(event)) {
      event.stopPropagation();
      $("pay").focus();
    }
  }

  #show(step) {
    this.step = step;
    $("pay").hidden = step === null;
    for (const name of STEPS) $(`pay-${name}`).hidden = name !== step;
    $("basket").inert = $("goods").inert = step !== null;
    document.body.dataset.pay = step ?? "";
    if (step === "choose" || step === "sending") $("pay").focus();
  }
}
