// The scanner: a keyboard that types faster than any hand. Gaps come from event.timeStamp, which the browser
// takes when the key arrives, so a busy machine does not stretch them.

const LONGEST_GAP_MS = 35;
const SHORTEST_CODE = 6;
const SHORTEST_FIELD = 3; // of a GS1 code: two digits that say what it is, and one of it
const SEPARATOR = "\x1d"; // between two fields of a GS1 code

/**
 * Call `onScan(code, startedAt)` for each burst of keys closed by Enter or Tab, wherever the focus is.
 *
 * The separator comes as itself, as Ctrl and ], or as a function key, by how the scanner is set up: in the middle of a
 * burst none of them is a command. A text field is as it was before the scan; `startedAt` (a timeStamp) lets a number
 * pad do the same.
 * @param {(code: string, startedAt: number) => void} onScan
 */
export function listenForScans(onScan) {
  const field = new Field();
  let burst = "", last = -Infinity, startedAt = 0;
  const begin = (/** @type {number} */ at) => {
    field.begin();
    burst = "";
    startedAt = at;
  };
  document.addEventListener("keydown", (event) => {
    const gap = event.timeStamp - last, within = burst !== "" && gap <= LONGEST_GAP_MS;
    if (isSeparator(event, within && burst.length >= SHORTEST_FIELD)) {
      event.preventDefault();
      event.stopImmediatePropagation();
      if (!within) begin(event.timeStamp);
      burst += SEPARATOR;
      last = event.timeStamp;
      return;
    }
    if (MODIFIERS.includes(event.key)) { // Shift of a capital letter, Control of a separator
      if (within) last = event.timeStamp;
      return;
    }
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return field.release();
    if (event.key === "Enter" || event.key === "Tab") {
      const code = burst;
      burst = "";
      last = event.timeStamp;
      if (code.length < SHORTEST_CODE || gap > LONGEST_GAP_MS) return field.release();
      event.preventDefault();
      event.stopImmediatePropagation();
      field.restore(code);
      onScan(code, startedAt);
      return;
    }
    if (event.key.length !== 1) { // no scanner sends an arrow or Delete: a hand is at work
      field.release();
      burst = "";
      return;
    }
    if (within) field.hold(event);
    else begin(event.timeStamp);
    burst += event.key;
    last = event.timeStamp;
  }, { capture: true });
  document.addEventListener("pointerdown", () => field.release(), { capture: true }); // what is pressed finds all that was typed
}

const MODIFIERS = ["Shift", "Control", "Alt", "AltGraph"];

/**
 * @param {KeyboardEvent} event
 * @param {boolean} within
 */
function isSeparator(event, within) {
  if (event.altKey || event.metaKey) return false;
  if (event.ctrlKey) return event.key === "]" || (within && event.code === "BracketRight"); // there another sign by the keyboard's language
  return event.key === SEPARATOR || (within && /^F\d{1,2}$/.test(event.key));
}

/**
 * The text field a burst runs into. The burst's first key writes; the next ones wait until it is known whether a scanner
 * or a quick hand typed them, so that the browser draws no frame of a digit that is taken out again.
 */
class Field {
  /** @type {Writable | null} */
  at = null;
  /** @type {Writable | null} */
  into = null;
  /** @type {string | undefined} */
  value = undefined;
  held = "";
  timer = 0;

  begin() {
    this.release();
    this.at = writable();
    this.value = this.at?.value;
  }

  /**
   * Keep a key from its field for a moment longer than a scanner pauses.
   * @param {KeyboardEvent} event
   */
  hold(event) {
    const field = writable();
    if (this.held && field !== this.into) this.release();
    if (!field) return;
    event.preventDefault();
    this.into = field;
    this.held += event.key;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.release(), LONGEST_GAP_MS + 5);
  }

  /** It was a hand: write what waits, where its caret stands. */
  release() {
    const { held, into } = this;
    if (!this.#forget()) return;
    if (document.activeElement === into) document.execCommand("insertText", false, held);
    else if (into) into.value += held;
  }

  /**
   * It was a scanner: forget what waits, and take out what reached the field.
   * @param {string} code
   */
  restore(code) {
    const reached = code.replaceAll(SEPARATOR, "").slice(0, -this.held.length || undefined); // a separator writes no letter
    const field = writable(), begun = field !== null && field === this.at;
    this.#forget();
    if (!field || (begun ? field.value === this.value : !reached || !field.value.endsWith(reached))) return;
    field.value = begun ? this.value ?? "" : field.value.slice(0, -reached.length); // else its first key brought the focus here
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }

  #forget() {
    const some = Boolean(this.held);
    clearTimeout(this.timer);
    this.held = "";
    return some;
  }
}

/** @typedef {HTMLInputElement | HTMLTextAreaElement} Writable */

/** Give the field a key would write into, or null. */
function writable() {
  const field = document.activeElement;
  if (!(field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement) || field.readOnly || field.disabled) return null;
  return /^(text|search|tel|url|email|password|number|textarea)$/.test(field.type) ? field : null;
}
