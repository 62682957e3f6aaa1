// The camera at the till: what it reads goes the way of a scanner's code. It stands among the products, in a question
// that wants a code, or in a payment that does; it waits while another question stands open, and goes when money is taken.

import { $ } from "../till/settings.js";
import { qtyText } from "../till/words.js";
import { Camera } from "./camera.js";

export class CounterCamera {
  /** @type {Camera | null} */
  camera = null;
  /**
   * By its line, how many there were when the camera last told of it.
   * @type {Map<string, number>}
   */
  qty = new Map();

  /** @param {{ taking: import("../till/taking.js").Taking, basket: import("../till/basket.js").Basket, pay: import("../till/pay.js").Pay, opening: import("../till/opening.js").OpenTill }} till */
  constructor({ taking, basket, pay, opening }) {
    this.taking = taking;
    this.basket = basket;
    this.pay = pay;
    this.opening = opening;
    basket.onChange((changed) => this.#confirm(changed));
  }

  /**
   * Open it in `host`; where it stands already, close it.
   * @param {HTMLElement} host
   * @param {HTMLElement} opener
   */
  toggle(host, opener) {
    const wasHere = this.camera?.isOpen && this.camera.host === host;
    this.camera?.close();
    if (wasHere) return;
    this.qty = new Map(this.basket.lines().map((line) => [line.id, line.qty]));
    this.camera = new Camera(host, {
      onCode: (code) => this.taking.scanned(code, performance.now()),
      mood: () => this.#mood(host),
      counts: $("goods").contains(host),
      onClose: (hadFocus) => {
        opener.setAttribute("aria-expanded", "false");
        if (hadFocus) opener.focus();
      },
    });
    opener.setAttribute("aria-expanded", "true");
    this.camera.open();
  }

  /**
   * What came into the basket is said over the picture: +1 and its name.
   * @param {Changed} changed
   */
  #confirm({ why, line }) {
    if (!line || !this.camera?.isOpen) return;
    const more = line.qty - (this.qty.get(line.id) ?? 0);
    this.qty.set(line.id, line.qty);
    if (why === "added") this.camera.tell(`${more < 0 ? "−" : "+"}${qtyText(line.product, Math.abs(more))} ${line.product.name}`);
  }

  /**
   * @param {HTMLElement} host
   * @returns {"look" | "wait" | "leave"}
   */
  #mood(host) {
    if (this.basket.readOnly || this.opening.isOpen) return "leave";
    const question = document.querySelector("dialog[open]");
    if (question) return question.contains(host) ? "look" : "wait";
    return !this.pay.isOpen || $("pay").contains(host) ? "look" : "leave";
  }
}
