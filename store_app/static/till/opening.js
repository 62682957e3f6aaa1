// Only an open shift sells: without one its float is keyed in first, and while its drawer is counted the count comes first.

import { NoAnswer, ask } from "./api.js";
import { note } from "./dom.js";
import { parseKeyed, showMoney } from "./money.js";
import { Pad } from "./pad.js";
import { $, say, settings } from "./settings.js";
import { soundBad } from "../common/sound.js";

export class OpenTill {
  constructor(actions) {
    this.actions = actions;
    this.isBusy = false;
    this.panel = null;
    this.shift = settings.shift;
    this.pad = new Pad($("float-pad"), (text) => showMoney($("float"), parseKeyed(text)));
    $("open-button").addEventListener("click", () => this.#open());
    $("count-later").addEventListener("click", () => this.#sellOn());
    $("open-till").addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.target.closest("button")) {
        event.preventDefault();
        this.#open();
      } else if (this.pad.keyed(event)) event.stopPropagation();
    });
  }

  get isOpen() { return this.panel !== null; }

  /** Keep in step with what another page or another person did to the shift; a payment on its way is not covered. */
  follow(shift) {
    if (this.isBusy) return;
    this.shift = shift;
    const wanted = { open: null, counting: "count-till" }[shift?.state ?? "none"];
    this.#show(wanted === undefined ? "open-till" : wanted);
  }

  /** Say of a scan that it is not taken: what is in no basket now is scanned again. */
  refuseScan() {
    soundBad();
    this.#complain(this.panel === "count-till" ? "count-says" : "open-says", say("not-open"));
  }

  #complain(says, words) { $(says).replaceChildren(note("bad", words)); }

  #show(panel) {
    if (panel === this.panel || (panel && document.body.dataset.pay)) return;
    if (this.panel) $(this.panel).hidden = true;
    this.panel = panel;
    $("basket").inert = $("goods").inert = this.isOpen;
    if (!panel) return this.actions.rest();
    this.pad.clear();
    for (const says of ["open-says", "count-says"]) $(says).replaceChildren();
    $(panel).hidden = false;
    $(panel).focus();
  }

  #open() {
    return this.#send("open-says", settings.urls.open_shift, { till_id: settings.till_id, float_minor: parseKeyed(this.pad.text) });
  }

  #sellOn() {
    return this.#send("count-says", `${settings.urls.open_shift}/${encodeURIComponent(this.shift.id)}/go-on`, {});
  }

  async #send(says, url, body) {
    if (this.isBusy) return;
    this.isBusy = true;
    $(says).replaceChildren();
    let shift = null;
    try {
      shift = await ask("POST", url, body);
    } catch (fault) {
      this.#complain(says, fault instanceof NoAnswer ? say("no-answer") : fault.message);
    }
    this.isBusy = false;
    if (!shift) return;
    this.follow(shift);
    this.actions.askShift();
  }
}
