// The one question at a time: a sheet that stands before everything else until it is answered or left.

import { around, maybe } from "../common/dom.js";
import { flat, note, quiet } from "./dom.js";
import { $, say } from "./settings.js";
import { soundBad } from "../common/sound.js";

/**
 * @typedef {import("./dom.js").Children} Children
 * @typedef {object} Question
 * @property {string} title
 * @property {Children} [body]
 * @property {Children} [foot] its buttons
 * @property {boolean} [wide]
 * @property {((code: string) => unknown) | null} [onScan] takes scans while it is open
 * @property {(() => unknown) | null} [onEnter]
 * @property {(() => unknown) | null} [onLeave]
 * @property {HTMLElement | null} [focus]
 * @property {import("./pad.js").Pad | null} [pad]
 */

/** The one sheet: a dialog that stands before everything else until it is answered or left. */
class Sheet {
  /** @type {Question["onScan"]} */
  onScan = null;
  /** @type {Question["onEnter"]} */
  onEnter = null;
  /** @type {Question["onLeave"]} */
  onLeave = null;
  /** @type {import("./pad.js").Pad | null} */
  pad = null;

  constructor() {
    this.root = $("sheet", HTMLDialogElement);
    this.isHeld = false;
    this.root.addEventListener("cancel", (event) => { if (this.isHeld) event.preventDefault(); });
    this.root.addEventListener("close", () => { if (!this.root.open) this.#left(); });
    this.root.addEventListener("keydown", (event) => {
      if (this.isHeld) return;
      const writes = around(event, "input, textarea, select");
      if (this.pad && !writes && event.key !== "Enter" && this.pad.keyed(event)) event.stopPropagation();
      else if (event.key === "Enter" && this.onEnter && !around(event, "button:not([aria-pressed=true]), a, select, textarea")) {
        event.preventDefault();
        this.onEnter();
      }
    });
  }

  get isOpen() { return this.root.open; }

  /**
   * While `act` hands the basket over, fetches one or asks for leave, nothing else is asked or touched, and scans wait:
   * what went in now would be in neither basket, or its question would be closed with this one.
   * @template T
   * @param {() => Promise<T>} act
   */
  async hold(act) {
    const parts = [$("basket"), $("goods")], before = parts.map((part) => part.inert);
    const set = (/** @type {boolean[]} */ values) => parts.forEach((part, at) => { part.inert = Boolean(values[at]); });
    this.isHeld = true;
    set([true, true]);
    try { return await act(); } finally {
      this.isHeld = false;
      set(before);
    }
  }

  /**
   * Open it.
   * @param {Question} question
   */
  open({ title, body = [], foot = [], wide = false, onScan = null, onEnter = null, onLeave = null, focus = null, pad = null }) {
    this.close();
    $("sheet-title").textContent = title;
    $("sheet-says").replaceChildren();
    $("sheet-body").replaceChildren(...flat(body));
    $("sheet-foot").replaceChildren(...flat(foot));
    $("sheet-foot").hidden = !$("sheet-foot").childElementCount;
    $("sheet-camera-button").hidden = !onScan;
    this.root.classList.toggle("wide", wide);
    this.onScan = onScan;
    this.onEnter = onEnter;
    this.onLeave = onLeave;
    this.pad = pad;
    this.root.showModal();
    (focus ?? maybe(this.root, "#sheet-body :is(input, button, [tabindex]):not([disabled])") ?? this.root).focus();
    return this;
  }

  /** @param {string} words */
  complain(words) {
    soundBad();
    $("sheet-says").replaceChildren(note("bad", words));
  }

  /** @param {string} words */
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
