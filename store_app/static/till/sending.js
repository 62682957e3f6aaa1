// Sending a sale, and knowing for certain. It is sent under the id its basket was born with, so whatever is pressed
// twice or sent again is still one sale; while the answer is missing nothing else can be pressed.

import { NoAnswer, Refusal, ask, sentence } from "./api.js";
import { newId } from "../common/ids.js";
import { beyond } from "./beyond.js";
import { askWords } from "./dialogs.js";
import { el, icon } from "./dom.js";
import { moneyText, showMoney } from "./money.js";
import { $, say, settings, tenderOf } from "./settings.js";
import { soundBad } from "../common/sound.js";

const ASK_AGAIN_MS = 2000;
const SETTLE_MS = 350; // a second press of the same Enter must not wipe the change away

export class Sending {
  timer = 0;
  saveNow = false;

  /** @param {import("./pay.js").Pay} pay */
  constructor(pay) {
    this.pay = pay;
    this.basket = pay.basket;
    this.next = $("next", HTMLButtonElement);
    this.gift = $("gift", HTMLButtonElement);
    $("unknown-act").addEventListener("click", () => this.act());
    $("unknown-back").addEventListener("click", () => pay.close());
    $("next").addEventListener("click", () => pay.close());
    $("again").addEventListener("click", () => pay.actions.reprint());
    $("gift").addEventListener("click", () => this.#gift());
    $("mail").addEventListener("click", () => this.#mail());
  }

  /**
   * Send the whole basket with how it is paid.
   * @param {Tendered[]} tenders
   */
  send(tenders) {
    const { basket } = this, approvals = basket.leaveGiven(), corrections = basket.corrections();
    /** @type {Sent} */
    const body = { id: basket.id, till_id: settings.till_id, ...basket.asked(), tenders, shown_total_minor: basket.total(), age_confirmed: basket.ageConfirmed };
    if (basket.ageConfirmed) body.age_how = basket.ageHow ?? "looked";
    if (approvals.length) body.approvals = approvals;
    if (basket.note) body.note = basket.note;
    if (corrections.length) body.corrections = corrections;
    if (basket.practice) body.practice = true;
    return this.#post(body);
  }

  /** Ask after a payment that was on its way when the page was closed. */
  recover() {
    this.#unknown();
    this.#inquire();
  }

  /** @param {Sent} body */
  async #post(body) {
    this.basket.sending(body);
    this.pay.show("sending");
    try {
      this.#done(await ask("POST", settings.urls.sales, body));
    } catch (fault) {
      if (fault instanceof NoAnswer) this.recover();
      else if (fault instanceof Refusal) await this.#refused(fault, body);
      else throw fault;
    }
  }

  /**
   * @param {Refusal} fault
   * @param {Sent} body
   */
  async #refused(fault, body) {
    soundBad();
    if (fault.code === "sale-content-differs") return this.#inquire(); // what was saved first is what counts
    const { basket, pay } = this;
    basket.notSaved();
    // money on the table is not taken yet: only what a provider has captured stays
    if (fault.code !== "needs-approval") for (let at = basket.parts.length - 1; at >= 0; at -= 1) if (!basket.parts[at]?.payment_id) basket.dropPart(at);
    if (fault.code === "no-open-shift") {
      pay.show(null);
      return pay.actions.askShift();
    }
    if (fault.code === "total-changed") {
      await pay.actions.renewPrices();
      basket.refresh();
      await pay.quoting.settle();
      pay.choose("cash");
      return pay.again(say("prices-changed", { now: moneyText(basket.total()), before: moneyText(body.shown_total_minor) }));
    }
    if (fault.code === "age-check") basket.confirmAge(null);
    if (fault.code === "needs-approval") {
      basket.forgetLeave(fault.facts.needs ?? []);
      const before = basket.approvals.length;
      if (await pay.actions.allow(fault)) return this.#post({ ...body, approvals: [...new Set([...basket.leaveGiven(), ...basket.approvals.slice(before).map((given) => given.id)])] });
    }
    if (fault.facts.stopped) {
      pay.show(null);
      return pay.quoting.refused(fault);
    }
    pay.choose(pay.tender);
    pay.again(fault.status === 401 ? say("signed-out") : fault.message);
  }

  /**
   * Say what was saved. `rest`: what the basket has beyond it goes on in the next one, for it is not paid.
   * @param {Sale} sale
   * @param {Beyond | null} [rest]
   */
  #done(sale, rest = null) {
    const { document: paper } = sale, change = paper.change_minor ?? 0, practice = Boolean(sale.practice);
    const last = practice ? undefined : { id: sale.id, receipt_no: sale.receipt_no, total_minor: sale.total_minor };
    this.basket.next(last, rest);
    const back = sale.total_minor < 0;
    $("done-word").textContent = say(change > 0 ? "change-due" : back ? "given-back" : isOnTab(paper) ? "on-tab" : "paid");
    showMoney($("done-change"), change > 0 ? change : Math.abs(sale.total_minor));
    $("done-receipt").textContent = practice ? say("practice-done") : say("receipt-no", { n: sale.receipt_no, total: moneyText(sale.total_minor) });
    $("done-extras").replaceChildren(...extras(sale, paper));
    $("again").hidden = practice || !settings.prints;
    $("gift").hidden = practice || !settings.prints || paper.kind === "return";
    this.gift.disabled = false;
    $("mail").hidden = practice || !settings.mail;
    this.paperNote("");
    this.pay.show("done");
    this.next.disabled = true;
    setTimeout(() => {
      this.next.disabled = false;
      if (this.pay.step === "done") this.next.focus();
    }, SETTLE_MS);
    this.pay.actions.sold({ total: sale.total_minor, change, saved: paper.saved_minor ?? 0, receipt: sale.receipt_no });
    if (rest) this.#saidBefore(sale, rest);
  }

  /**
   * An earlier state of the basket was saved, after nobody knew of it: that, and nothing since, is paid.
   * @param {Sale} sale
   * @param {Beyond} rest
   */
  #saidBefore({ receipt_no: n, total_minor: total }, rest) {
    const more = rest.lines.length + rest.broughtBack.length, told = { n, total: moneyText(total) };
    const words = [say("saved-before", told), more ? say("saved-before-more") : "", rest.fewer ? say("saved-before-fewer") : ""].filter(Boolean).join(" ");
    this.pay.actions.complain(words);
    this.paperNote(words, "bad");
  }

  /** Print the last sale's gift receipt; a second press while it is asked for is the same wish. */
  async #gift() {
    const { last } = this.basket;
    if (!last || this.gift.disabled) return;
    this.gift.disabled = true;
    try {
      const { copy_no: copy } = await ask("POST", `${settings.urls.receipts}/${last.id}/gift`, { id: newId(), till_id: settings.till_id });
      this.paperNote(say(copy ? "gift-again" : "gift-printed", { n: last.receipt_no, copy }), "good");
    } catch (fault) {
      this.paperNote(sentence(fault));
    }
    this.gift.disabled = false;
  }

  /** Ask where the last sale's receipt is to go by e-mail; pressed twice it is one letter. */
  #mail() {
    const { last } = this.basket, id = newId();
    if (!last) return;
    askWords({
      title: say("mail-title", { n: last.receipt_no }), lead: say("mail-lead"), label: say("mail-address"), type: "email", longest: 254, done: say("mail-send"),
      onWords: async (email) => {
        try {
          await ask("POST", `${settings.urls.receipts}/${last.id}/mail`, { id, email });
        } catch (fault) { return sentence(fault); }
        this.paperNote(say("mail-sent", { n: last.receipt_no }), "good");
        return "";
      },
    });
  }

  /**
   * Note under the change that the paper needs a hand, or came out again.
   * @param {string} words
   * @param {string} [kind]
   */
  paperNote(words, kind = "warn") {
    $("done-paper").hidden = !words;
    $("done-paper").className = `note note-${kind}`;
    $("done-paper").textContent = words;
  }

  // --- when nobody answered ---

  #unknown() {
    soundBad();
    $("unknown-title").textContent = say("unknown-title");
    $("unknown-words").textContent = say("unknown-words");
    $("unknown-act").textContent = say("ask-again");
    $("unknown-back").hidden = $("unknown-signin").hidden = true;
    this.saveNow = false;
    this.pay.show("unknown");
  }

  async #inquire() {
    clearTimeout(this.timer);
    const body = this.basket.pending;
    if (body?.practice) return this.#notThere(); // practice is never in the books: nothing to ask after
    try {
      /** @type {Sale} */
      const sale = await ask("GET", `${settings.urls.sales}/${this.basket.id}`, undefined, 4000);
      this.#done(sale, beyond(this.basket.kept, sale.document.lines));
    } catch (fault) {
      if (this.basket.pending !== body) return;
      if (fault instanceof Refusal && fault.status === 404) return this.#notThere();
      if (fault instanceof Refusal) this.#keptOut(fault);
      if (!(fault instanceof Refusal && fault.status === 401)) this.timer = setTimeout(() => this.#inquire(), ASK_AGAIN_MS);
      if (!(fault instanceof Refusal || fault instanceof NoAnswer)) throw fault;
    }
  }

  /**
   * The store's computer answers, but not to us: say why. The payment is kept, and asked after again.
   * @param {Refusal} fault
   */
  #keptOut(fault) {
    const isOut = fault.status === 401;
    $("unknown-words").textContent = isOut ? say("signed-out-unknown") : fault.message;
    $("unknown-signin").hidden = !isOut;
    if (this.pay.step !== "unknown") this.pay.show("unknown");
    if (isOut) $("unknown-signin").focus();
  }

  #notThere() {
    $("unknown-title").textContent = say("not-saved-title");
    $("unknown-words").textContent = say("not-saved-words");
    $("unknown-act").textContent = say("save-now");
    $("unknown-back").hidden = false;
    $("unknown-signin").hidden = true;
    this.saveNow = true;
    this.pay.show("unknown");
    $("unknown-act").focus();
  }

  act() {
    const { pending } = this.basket;
    if (this.saveNow && pending) this.#post(pending);
    else this.#inquire();
  }
}

/**
 * Whether nothing was paid: all of it was put on the customer's tab.
 * @param {Paper} paper
 */
const isOnTab = ({ payments = [] }) => payments.length > 0 && payments.every(({ tender }) => tenderOf(tender).pane === "tab");

/**
 * What else the customer should hear: what was saved, points, a voucher's code, how it was rounded.
 * @param {Sale} sale
 * @param {Paper} paper
 */
function extras(sale, paper) {
  /** @type {HTMLElement[]} */
  const rows = [];
  const tell = (/** @type {string} */ picture, /** @type {string} */ words) => rows.push(el("li", {}, icon(picture), el("span", {}, words)));
  if (paper.saved_minor && paper.saved_minor > 0) tell("tag", say("saved", { amount: moneyText(paper.saved_minor) }));
  if (sale.rounding_minor) tell("banknotes", say("rounding", { amount: moneyText(sale.rounding_minor) }));
  if (paper.customer?.points_earned) tell("star", say("points-earned", { n: paper.customer.points_earned, balance: paper.customer.points_balance }));
  for (const voucher of paper.vouchers ?? []) tell("ticket", say("voucher-issued", { code: voucher.code, amount: moneyText(voucher.amount_minor) }));
  return rows;
}
