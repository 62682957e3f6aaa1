// Only an open shift sells: without one its float is keyed in first, and while its drawer is counted the count comes first.

import { around } from "../common/dom.js";
import { ask, sentence } from "./api.js";
import { note } from "./dom.js";
import { moneyText, parseKeyed, showMoney } from "./money.js";
import { Pad } from "./pad.js";
import { $, say, settings } from "./settings.js";
import { soundBad } from "../common/sound.js";

export class OpenTill {
  /** @param {Pick<import("./till.js").Till, "rest" | "askShift">} actions */
  constructor(actions) {
    this.actions = actions;
    this.isBusy = false;
    /** @type {"open-till" | "count-till" | null} */
    this.panel = null;
    this.shift = settings.shift;
    this.left = settings.float_left_minor; // at the last close: the float, unless another is keyed
    this.pad = new Pad($("float-pad"), () => showMoney($("float"), this.#float()));
    $("open-button").addEventListener("click", () => this.#open());
    $("count-later").addEventListener("click", () => this.#sellOn());
    $("open-till").addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !around(event, "button")) {
        event.preventDefault();
        this.#open();
      } else if (this.pad.keyed(event)) event.stopPropagation();
    });
  }

  get isOpen() { return this.panel !== null; }

  /**
   * Keep in step with what another page or another person did to the shift; a payment on its way is not covered.
   * @param {Shift | null} shift
   * @param {number | null} [left]
   */
  follow(shift, left = this.left) {
    if (this.isBusy) return;
    this.shift = shift;
    this.left = left;
    this.#show(shift?.state === "open" ? null : shift?.state === "counting" ? "count-till" : "open-till");
  }

  /** Say of a scan that it is not taken: what is in no basket now is scanned again. */
  refuseScan() {
    soundBad();
    this.#complain(this.panel === "count-till" ? "count-says" : "open-says", say("not-open"));
  }

  /**
   * @param {string} says
   * @param {string} words
   */
  #complain(says, words) { $(says).replaceChildren(note("bad", words)); }

  /** @param {OpenTill["panel"]} panel */
  #show(panel) {
    if (panel === this.panel || (panel && document.body.dataset.pay)) return;
    if (this.panel) $(this.panel).hidden = true;
    this.panel = panel;
    $("basket").inert = $("goods").inert = this.isOpen;
    if (!panel) return this.actions.rest();
    this.pad.clear();
    $("float-left").textContent = this.left === null ? "" : say("float-left", { amount: moneyText(this.left) });
    for (const says of ["open-says", "count-says"]) $(says).replaceChildren();
    $(panel).hidden = false;
    $(panel).focus();
  }

  #open() {
    return this.#send("open-says", settings.urls.open_shift, { till_id: settings.till_id, float_minor: this.#float() });
  }

  #float() { return this.pad.text ? parseKeyed(this.pad.text) : this.left ?? 0; }

  #sellOn() {
    return this.#send("count-says", `${settings.urls.open_shift}/${encodeURIComponent(this.shift?.id ?? "")}/go-on`, {});
  }

  /**
   * @param {string} says
   * @param {string} url
   * @param {object} body
   */
  async #send(says, url, body) {
    if (this.isBusy) return;
    this.isBusy = true;
    $(says).replaceChildren();
    /** @type {Shift | null} */
    let shift = null;
    try {
      shift = await ask("POST", url, body);
    } catch (fault) {
      this.#complain(says, sentence(fault));
    }
    this.isBusy = false;
    if (!shift) return;
    this.follow(shift);
    this.actions.askShift();
  }
}
