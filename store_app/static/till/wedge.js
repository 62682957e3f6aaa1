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
 * burst none of them is a command. The characters of the burst that already reached a text field are taken out of it
 * again; `startedAt` (a timeStamp) lets a number pad do the same.
 */
export function listenForScans(onScan) {
  let burst = "", last = -Infinity, startedAt = 0;
  document.addEventListener("keydown", (event) => {
    const gap = event.timeStamp - last, within = burst !== "" && gap <= LONGEST_GAP_MS;
    if (isSeparator(event, within && burst.length >= SHORTEST_FIELD)) {
      event.preventDefault();
      event.stopImmediatePropagation();
      if (!within) startedAt = event.timeStamp;
      burst = within ? burst + SEPARATOR : SEPARATOR;
      last = event.timeStamp;
      return;
    }
    if (MODIFIERS.includes(event.key)) { // Shift of a capital letter, Control of a separator
      if (within) last = event.timeStamp;
      return;
    }
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    if (event.key === "Enter" || event.key === "Tab") {
      const code = burst;
      burst = "";
      last = event.timeStamp;
      if (code.length < SHORTEST_CODE || gap > LONGEST_GAP_MS) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      takeOut(code);
      onScan(code, startedAt);
      return;
    }
    if (event.key.length !== 1) { // no scanner sends an arrow or Delete: a hand is at work
      burst = "";
      return;
    }
    if (gap > LONGEST_GAP_MS) {
      burst = "";
      startedAt = event.timeStamp;
    }
    burst += event.key;
    last = event.timeStamp;
  }, { capture: true });
}

const MODIFIERS = ["Shift", "Control", "Alt", "AltGraph"];

function isSeparator(event, within) {
  if (event.altKey || event.metaKey) return false;
  if (event.ctrlKey) return event.key === "]" || (within && event.code === "BracketRight"); // there another sign by the keyboard's language
  return event.key === SEPARATOR || (within && /^F\d{1,2}$/.test(event.key));
}

function takeOut(scanned) {
  const field = document.activeElement, code = scanned.replaceAll(SEPARATOR, ""); // it wrote no letter
  if (!field || typeof field.value !== "string" || !field.value.endsWith(code)) return;
  field.value = field.value.slice(0, -code.length);
  field.dispatchEvent(new Event("input", { bubbles: true }));
}
