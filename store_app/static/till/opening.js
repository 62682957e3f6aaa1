// No shift, no sale: the float is counted and keyed in before the first customer.

import { NoAnswer, ask } from "./api.js";
import { parseKeyed, showMoney } from "./money.js";
import { Pad } from "./pad.js";
import { $, say, settings } from "./settings.js";

export class OpenTill {
  constructor(actions) {
    this.actions = actions;
    this.isBusy = false;
    this.pad = new Pad($("float-pad"), (text) => showMoney($("float"), parseKeyed(text)));
    $("open-button").addEventListener("click", () => this.#open());
    $("open-till").addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.target.closest("button")) {
        event.preventDefault();
        this.#open();
      } else if (this.pad.keyed(event)) event.stopPropagation();
    });
  }

  get isOpen() { return !$("open-till").hidden; }

  show() {
    if (this.isOpen) return;
    this.pad.clear();
    $("open-till").hidden = false;
    $("basket").inert = $("goods").inert = true;
    $("open-till").focus();
  }

  /** Keep in step with what another page or another person did to the shift. */
  follow(shift) {
    if (this.isBusy) return;
    if (shift && this.isOpen) this.#hide();
    else if (!shift && !this.isOpen && !document.body.dataset.pay) this.show();
  }

  #hide() {
    $("open-till").hidden = true;
    $("basket").inert = $("goods").inert = false;
    this.actions.rest();
  }

  async #open() {
    if (this.isBusy) return;
    this.isBusy = true;
    $("open-says").replaceChildren();
    try {
      await ask("POST", settings.urls.open_shift, { till_id: settings.till_id, float_minor: parseKeyed(this.pad.text) });
      this.#hide();
      this.actions.opened();
    } catch (fault) {
      const note = document.createElement("p");
      note.className = "note note-bad";
      note.textContent = fault instanceof NoAnswer ? say("no-answer") : fault.message;
      $("open-says").replaceChildren(note);
    }
    this.isBusy = false;
  }
}
