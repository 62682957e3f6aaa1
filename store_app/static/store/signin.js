// The number pad of the sign-in page; the keyboard writes into the field as ever, Enter goes.
// A badge is scanned wherever the focus is, also while a PIN is awaited; what else is scanned at a locked till waits for it.
import { around, fieldOf, maybe } from "../common/dom.js";
import { isBadge } from "../common/badge.js";
import { keepScan, keptScans } from "../common/scans.js";
import { listenForScans } from "../common/wedge.js";

const pad = maybe(document, "[data-pin-pad]");
const field = maybe(document, "#pin", HTMLInputElement);

if (pad && field) {
  pad.hidden = false;
  pad.addEventListener("click", (event) => {
    const key = around(event, "[data-digit]")?.dataset.digit;
    if (!key) return;
    field.value = key === "back" ? field.value.slice(0, -1) : (field.value + key).slice(0, field.maxLength);
  });
  document.addEventListener("keydown", (event) => {
    if (event.target !== field && /^[0-9]$/.test(event.key)) { field.value = (field.value + event.key).slice(0, field.maxLength); field.focus(); }
  });
}
const badge = maybe(document, "[data-badge-form]", HTMLFormElement), scans = maybe(document, "#scans");
const countScans = () => {
  const { key = "", words = "" } = scans?.dataset ?? {}, { length } = keptScans(key);
  if (scans && length) scans.textContent = words.replace("{n}", String(length));
};
if (badge || scans) {
  listenForScans((code) => {
    if (field) field.value = "";
    if (isBadge(code)) {
      if (!badge) return;
      fieldOf(badge, "badge").value = code;
      badge.submit();
    } else if (scans) {
      keepScan(scans.dataset.key ?? "", code);
      countScans();
    }
  });
}
if (scans) countScans();
document.documentElement.dataset.ready = "1";
