// The scanner: a keyboard that types faster than any hand. Gaps come from event.timeStamp, which the browser
// takes when the key arrives, so a busy machine does not stretch them.

const LONGEST_GAP_MS = 35;
const SHORTEST_CODE = 6;

/**
 * Call `onScan(code, startedAt)` for each burst of keys closed by Enter or Tab, wherever the focus is.
 *
 * The characters of the burst that already reached a text field are taken out of it again; `startedAt` (a
 * timeStamp) lets a number pad do the same.
 */
export function listenForScans(onScan) {
  let burst = "", last = -Infinity, startedAt = 0;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    const gap = event.timeStamp - last;
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
    if (event.key.length !== 1) return; // Shift of a capital letter
    if (gap > LONGEST_GAP_MS) {
      burst = "";
      startedAt = event.timeStamp;
    }
    burst += event.key;
    last = event.timeStamp;
  }, { capture: true });
}

function takeOut(code) {
  const field = document.activeElement;
  if (!field || typeof field.value !== "string" || !field.value.endsWith(code)) return;
  field.value = field.value.slice(0, -code.length);
  field.dispatchEvent(new Event("input", { bubbles: true }));
}
