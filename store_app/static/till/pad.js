// A number pad for fingers and for the keyboard: one of it serves cash, the float, quantities, grams and PINs.

import { around } from "../common/dom.js";
import { el, icon, keepFocus } from "./dom.js";
import { say, settings } from "./settings.js";

const LONGEST = 9;

export class Pad {
  /**
   * `root` holds buttons with data-key: a digit, "00", ".", "back" or "clear".
   * @param {HTMLElement} root
   * @param {(text: string) => void} onChange
   * @param {number} [longest]
   */
  constructor(root, onChange, longest = LONGEST) {
    this.root = root;
    this.onChange = onChange;
    this.longest = longest;
    /** @type {{ key: string, at: number }[]} */
    this.typed = [];
    root.addEventListener("mousedown", keepFocus); // the focus stays where Enter is understood
    root.addEventListener("click", (event) => {
      const key = around(event, "button")?.dataset.key;
      if (key) this.press(key, event.timeStamp);
    });
  }

  get text() { return this.typed.map((stroke) => stroke.key).join(""); }

  /**
   * @param {string} key
   * @param {number} at
   */
  press(key, at) {
    if (key === "clear") this.typed = [];
    else if (key === "back") this.typed.pop();
    else if (key === "." && (this.text.includes(".") || !this.root.querySelector('[data-key="."], [data-key="00"]'))) return;
    else if ((this.text + key).length <= this.longest) this.typed.push(...[...key].map((digit) => ({ key: digit, at })));
    this.onChange(this.text);
  }

  /**
   * Take a key of the keyboard; gives true when it was one of the pad's.
   * @param {KeyboardEvent} event
   */
  keyed(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return false;
    if (/^[\d.]$/.test(event.key)) this.press(event.key, event.timeStamp);
    else if (event.key === ",") this.press(".", event.timeStamp);
    else if (event.key === "Backspace") this.press("back", event.timeStamp);
    else if (event.key === "Delete") this.press("clear", event.timeStamp);
    else return false;
    event.preventDefault();
    return true;
  }

  /**
   * Forget what was keyed since `at`: it was a scanner, not a hand.
   * @param {number} at
   */
  forgetSince(at) {
    this.typed = this.typed.filter((stroke) => stroke.at < at);
    this.onChange(this.text);
  }

  clear() {
    this.typed = [];
    this.onChange("");
  }
}

/** The language's decimal sign. */
const comma = () => new Intl.NumberFormat(settings.language).formatToParts(0.5).find(({ type }) => type === "decimal")?.value ?? ".";

/**
 * Make the buttons of a pad; `corner` is what stands left of the zero.
 * @param {string} label
 * @param {"clear" | "00" | "."} [corner]
 * @param {string | null} [id]
 */
export function padButtons(label, corner = "clear", id = null) {
  const key = (/** @type {string} */ name, /** @type {import("./dom.js").Children} */ content, /** @type {string} */ spoken = "") => {
    const button = el("button", { "aria-label": spoken || null }, content);
    button.dataset.key = name;
    return button;
  };
  const left = corner === "clear" ? key("clear", "C", say("clear")) : key(corner, corner === "." ? comma() : corner);
  return el("div.pad", { id, role: "group", "aria-label": label, tabindex: "-1" },
    [..."789456123"].map((digit) => key(digit, digit)), left, key("0", "0"), key("back", icon("backspace"), say("back-digit")));
}
