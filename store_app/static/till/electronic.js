// Cards by terminal and mobile wallets: ask, wait, and say plainly what is known. A payment's id is made here and kept
// with the basket before it is sent, so a lost answer or a reload asks after the same money, never for it again.

import { NoAnswer, Refusal, ask, sentence } from "./api.js";
import { newId } from "../common/ids.js";
import { el, icon, quiet } from "./dom.js";
import { moneyText, showMoney } from "./money.js";
import { $, say, settings, tenderOf } from "./settings.js";
import { soundBad, soundGood } from "../common/sound.js";

const POLL_MS = 900;
const FINAL = ["captured", "declined", "cancelled", "reversed", "refunded_by_hand"];

export class Electronic {
  timer = 0;
  amount = 0;
  waitsForCode = false;
  /** @type {string | null} */
  shownQr = null;

  /** @param {import("./pay.js").Pay} pay */
  constructor(pay) {
    this.pay = pay;
    this.basket = pay.basket;
    this.at = -1;
  }

  get #part() { return this.basket.parts[this.at]; }

  /**
   * A wallet: does the customer show a code, or does the store?
   * @param {number} amount
   */
  chooseWay(amount) {
    this.amount = amount;
    this.waitsForCode = true;
    this.#draw("wallet-title", {
      words: say("wallet-ask"), picture: "qr-code",
      extra: [el("div.scan-code", {}, el("label.form-label", { for: "wallet-code" }, say("wallet-code")),
        el("div.field-and-button", {}, el("input.form-control.form-control-lg", { id: "wallet-code", autocomplete: "off", inputmode: "numeric", maxlength: "64", onkeydown: (event) => { if (event.key === "Enter") this.scanned($("wallet-code", HTMLInputElement).value); } }),
          el("button.btn.btn-quiet.camera-button", { "aria-controls": "wallet-camera", "aria-expanded": "false", id: "wallet-camera-button", onclick: () => this.pay.actions.camera($("wallet-camera-button")) }, icon("camera"), el("span", {}, say("camera")))),
        el("div", { id: "wallet-camera", hidden: true }))],
      buttons: [...this.#shows(amount), quiet(say("back"), () => this.#leave())],
    });
    $("wallet-code").focus();
  }

  /**
   * One button for each wallet whose code the store can show.
   * @param {number} amount
   */
  #shows(amount) {
    const { name: tender, ways, codes } = tenderOf(this.pay.tender);
    const show = (provider = "") => this.begin({ tender, way: "store_code", amount, provider });
    if (!ways.includes("store_code")) return [];
    if (codes.length < 2) return [quiet(say("wallet-store"), () => show(), "qr-code")];
    return codes.map(({ provider, label }) => quiet(say("wallet-store-of", { wallet: label }), () => show(provider), "qr-code"));
  }

  /**
   * A scan while a customer's code is awaited is that code; any other is left alone.
   * @param {string} code
   */
  scanned(code) {
    if (!this.waitsForCode || !code.trim()) return soundBad();
    this.begin({ tender: this.pay.tender, way: "customer_code", amount: this.amount, code: code.trim() });
  }

  /**
   * Ask for an amount.
   * @param {{ tender: string, way: string, amount: number, code?: string, provider?: string }} what
   */
  async begin({ tender, way, amount, code, provider }) {
    this.waitsForCode = false;
    const part = { tender, way, amount_minor: amount, payment_id: newId(), state: "requested" };
    this.basket.addPart(part);
    this.at = this.basket.parts.length - 1;
    this.#waiting(null);
    try {
      this.#heard(await ask("POST", settings.urls.payments, {
        id: part.payment_id, sale_id: this.basket.id, till_id: settings.till_id, tender, way, amount_minor: amount, ...(code ? { code } : {}), ...(provider ? { provider } : {}),
      }, 30_000));
    } catch (fault) {
      if (fault instanceof NoAnswer) this.#unknown("");
      else this.#drop(sentence(fault));
    }
  }

  /** Ask after what was on its way when the page was closed. */
  recover() {
    this.at = this.basket.parts.findIndex((part) => part.state !== undefined && part.state !== "captured");
    this.#waiting(null);
    this.#inquire();
  }

  /** @param {Payment} payment */
  #heard(payment) {
    clearTimeout(this.timer);
    if (!this.#part) return;
    this.basket.setPart(this.at, { state: payment.state });
    if (payment.state === "captured") {
      soundGood();
      this.pay.actions.showCode(null);
      this.basket.setPart(this.at, { state: "captured", ...(payment.reference ? { reference: payment.reference } : {}) });
      return this.pay.goOn();
    }
    if (payment.unwanted && !["reversed", "refunded_by_hand"].includes(payment.state)) return this.#drop(say("payment-let-go"));
    if (FINAL.includes(payment.state)) {
      const words = payment.state === "declined" ? say("declined", { why: payment.reason || say("no-reason") }) : say("payment-cancelled");
      return this.#drop(words);
    }
    if (payment.state === "unknown") return this.#unknown(payment.reason ?? "");
    this.#waiting(payment);
    this.timer = setTimeout(() => this.#inquire(), POLL_MS);
  }

  async #inquire() {
    clearTimeout(this.timer);
    const part = this.#part;
    if (!part) return;
    try {
      this.#heard(await ask("GET", `${settings.urls.payments}/${part.payment_id}`, undefined, 15_000));
    } catch (fault) {
      if (fault instanceof Refusal && fault.status === 404) this.#drop(say("payment-never-asked"));
      else this.#unknown("");
    }
  }

  /**
   * What the cashier saw in the banking app: a transfer has no other witness.
   * @param {boolean} paid
   */
  async #told(paid) {
    clearTimeout(this.timer);
    try {
      this.#heard(await ask("POST", `${settings.urls.payments}/${this.#part?.payment_id}/told`, { paid }, 15_000));
    } catch (fault) {
      if (fault instanceof Refusal) return this.#inquire();
      this.#unknown("");
    }
  }

  async #print() {
    try {
      await ask("POST", `${settings.urls.payments}/${this.#part?.payment_id}/print`, { id: newId(), till_id: settings.till_id });
    } catch (fault) {
      soundBad();
      $("asking-body").append(el("p.note.note-bad", {}, sentence(fault)));
    }
  }

  async #cancel() {
    clearTimeout(this.timer);
    try {
      this.#heard(await ask("POST", `${settings.urls.payments}/${this.#part?.payment_id}/cancel`, {}, 15_000));
    } catch (fault) {
      if (fault instanceof Refusal && fault.status !== 404) {
        this.pay.actions.showCode(null);
        return this.#inquire(); // it was captured or declined meanwhile
      }
      this.#unknown("");
    }
  }

  /**
   * Give a captured part back: reversed at the provider first.
   * @param {Part} part
   */
  async giveBack(part) {
    try {
      const answer = await ask("POST", `${settings.urls.payments}/${part.payment_id}/reverse`, {}, 30_000);
      if (!answer.unwanted && !["reversed", "cancelled"].includes(answer.state)) return this.pay.again(say("reverse-unknown"));
      const now = this.basket.parts.indexOf(part); // pressed twice, it is given back once
      if (now >= 0) this.basket.dropPart(now);
      this.pay.choose(this.pay.tender);
    } catch (fault) {
      this.pay.again(fault instanceof NoAnswer ? say("reverse-unknown") : sentence(fault));
    }
  }

  escape() { if (this.waitsForCode) this.#leave(); }

  // --- what is shown ---

  /** @param {Payment | null} payment */
  #waiting(payment) {
    const part = this.#part, qr = payment?.qr ?? null, isCard = tenderOf(part?.tender ?? "").pane === "card";
    if (qr && qr === this.shownQr && !$("pay-asking").hidden) return;
    this.shownQr = qr;
    const isTransfer = part?.way === "bank_code";
    const go = () => el("button.btn.btn-go.pay-button", { onclick: () => this.#told(true) }, say("transfer-seen"));
    this.#draw(isTransfer ? "transfer-title" : isCard ? "card-title" : "wallet-title", {
      words: qr ? say(isTransfer ? "transfer-scan" : "wallet-scan-ours") : payment?.reason || say(isCard ? "card-waiting" : "wallet-waiting"), picture: qr ? null : "spinner", qr,
      buttons: isTransfer ? [go(), ...(qr && settings.prints ? [quiet(say("transfer-print"), () => this.#print(), "printer")] : []), quiet(say("transfer-unseen"), () => this.#told(false))]
        : [quiet(say("ask-again"), () => this.#inquire()), quiet(say("cancel-payment"), () => this.#cancel())],
    });
    this.pay.actions.showCode(qr);
  }

  /** @param {string} reason */
  #unknown(reason) {
    soundBad();
    this.shownQr = null;
    this.basket.setPart(this.at, { state: "unknown" });
    this.#draw("payment-unknown-title", {
      words: [say("payment-unknown"), reason].filter(Boolean).join(" "), picture: "exclamation-triangle",
      buttons: [el("button.btn.btn-go.pay-button", { onclick: () => this.#inquire() }, say("ask-again")), quiet(say("cancel-payment"), () => this.#cancel())],
    });
  }

  /**
   * @param {string} title
   * @param {{ words: string, picture: string | null, qr?: string | null, extra?: Node[], buttons: Node[] }} shown
   */
  #draw(title, { words, picture, qr = null, extra = [], buttons }) {
    $("asking-title").textContent = say(title);
    showMoney($("asking-amount"), (!this.waitsForCode && this.#part?.amount_minor) || this.amount);
    const image = qr && el("img.qr", { src: qr.startsWith("<") ? `data:image/svg+xml,${encodeURIComponent(qr)}` : qr, alt: say("qr-of", { amount: moneyText(this.#part?.amount_minor ?? 0) }) });
    const mark = image ?? (picture === "spinner" ? el("div.spinner-border", { "aria-hidden": "true" }) : icon(picture ?? "qr-code"));
    $("asking-body").replaceChildren(mark, el("p", {}, words), ...extra);
    $("asking-foot").replaceChildren(...buttons);
    this.pay.show("asking");
  }

  #leave() {
    this.waitsForCode = false;
    this.pay.actions.showCode(null);
    this.pay.again("");
  }

  /** @param {string} words */
  #drop(words) {
    clearTimeout(this.timer);
    this.shownQr = null;
    this.pay.actions.showCode(null);
    if (this.#part) this.basket.dropPart(this.at);
    this.at = -1;
    this.pay.again(words);
    this.pay.choose(this.pay.tender);
    if (words) this.pay.again(words);
    this.pay.catchUp();
  }
}
