// A number pad for fingers and for the keyboard: one of it serves cash, the float, quantities and grams.

const LONGEST = 9;

export class Pad {
  /** `root` holds buttons with data-key: a digit, "00", ".", "back" or "clear". */
  constructor(root, onChange) {
    this.root = root;
    this.onChange = onChange;
    this.typed = [];
    root.addEventListener("click", (event) => {
      const key = event.target.closest("button")?.dataset.key;
      if (key) this.press(key, event.timeStamp);
    });
  }

  get text() { return this.typed.map((stroke) => stroke.key).join(""); }

  press(key, at) {
    if (key === "clear") this.typed = [];
    else if (key === "back") this.typed.pop();
    else if (key === "." && (this.text.includes(".") || !this.root.querySelector('[data-key="."], [data-key="00"]'))) return;
    else if ((this.text + key).length <= LONGEST) this.typed.push({ key, at });
    this.onChange(this.text);
  }

  /** Take a key of the keyboard; gives true when it was one of the pad's. */
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

  /** Forget what was keyed since `at`: it was a scanner, not a hand. */
  forgetSince(at) {
    this.typed = this.typed.filter((stroke) => stroke.at < at);
    this.onChange(this.text);
  }

  clear() {
    this.typed = [];
    this.onChange("");
  }
}
