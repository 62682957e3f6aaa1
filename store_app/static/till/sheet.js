// The one question at a time: a sheet that stands before everything else until it is answered or left.

import { note, quiet } from "./dom.js";
import { $, say } from "./settings.js";
import { soundBad } from "../common/sound.js";

/** The one sheet: a dialog that stands before everything else until it is answered or left. */
class Sheet {
  constructor() {
    this.root = $("sheet");
    this.isHeld = false;
    this.root.addEventListener("cancel", (event) => { if (this.isHeld) event.preventDefault(); });
    this.root.addEventListener("close", () => { if (!this.root.open) this.#left(); });
    this.root.addEventListener("keydown", (event) => {
      if (this.isHeld) return;
      const writes = event.target.matches("input, textarea, select");
      if (this.pad && !writes && event.key !== "Enter" && this.pad.keyed(event)) event.stopPropagation();
      else if (event.key === "Enter" && this.onEnter && !event.target.closest("button:not([aria-pressed=true]), a, select, textarea")) {
        event.preventDefault();
        this.onEnter();
      }
    });
  }

  get isOpen() { return this.root.open; }

  /** While `act` hands the basket over, fetches one or asks for leave, nothing else is asked or touched, and scans wait:
   * what went in now would be in neither basket, or its question would be closed with this one. */
  async hold(act) {
    const parts = [$("basket"), $("goods")], before = parts.map((part) => part.inert);
    const set = (values) => parts.forEach((part, at) => { part.inert = values[at]; });
    this.isHeld = true;
    set([true, true]);
    try { return await act(); } finally {
      this.isHeld = false;
      set(before);
    }
  }

  /** Open it: title, what stands in it, its buttons. `onScan` takes scans while it is open, `onEnter` the key. */
  open({ title, body = [], foot = [], wide = false, onScan = null, onEnter = null, onLeave = null, focus = null, pad = null }) {
    this.close();
    $("sheet-title").textContent = title;
    $("sheet-says").replaceChildren();
    $("sheet-body").replaceChildren(...[body].flat(Infinity).filter(Boolean));
    $("sheet-foot").replaceChildren(...[foot].flat(Infinity).filter(Boolean));
    $("sheet-foot").hidden = !$("sheet-foot").childElementCount;
    $("sheet-camera-button").hidden = !onScan;
    this.root.classList.toggle("wide", wide);
    Object.assign(this, { onScan, onEnter, onLeave, pad });
    this.root.showModal();
    (focus ?? this.root.querySelector("#sheet-body :is(input, button, [tabindex]):not([disabled])") ?? this.root).focus();
    return this;
  }

  complain(words) {
    soundBad();
    $("sheet-says").replaceChildren(note("bad", words));
  }

  tell(words) { $("sheet-says").replaceChildren(note("good", words)); }
  quieten() { $("sheet-says").replaceChildren(); }

  close() {
    if (!this.root.open) return;
    this.root.close();
    this.#left();
  }

  // the browser tells of a closing later, perhaps when the next question already stands here
  #left() {
    const left = this.onLeave;
    this.onScan = this.onLeave = this.onEnter = this.pad = null;
    left?.();
  }
}

export const sheet = new Sheet();

export const backButton = () => quiet(say("back"), () => { if (!sheet.isHeld) sheet.close(); });
