// The number pad of the sign-in page; the keyboard writes into the field as ever, Enter goes.
// A badge is scanned wherever the focus is, also while a PIN is awaited; what else is scanned at a locked till waits for it.
import { isBadge } from "../common/badge.js";
import { keepScan, keptScans } from "../common/scans.js";
import { listenForScans } from "../common/wedge.js";

const pad = document.querySelector("[data-pin-pad]");
const field = document.getElementById("pin");

if (pad && field) {
  pad.hidden = false;
  pad.addEventListener("click", (event) => {
    const key = event.target.closest("[data-digit]")?.dataset.digit;
    if (!key) return;
    field.value = key === "back" ? field.value.slice(0, -1) : (field.value + key).slice(0, field.maxLength);
  });
  document.addEventListener("keydown", (event) => {
    if (event.target !== field && /^[0-9]$/.test(event.key)) { field.value = (field.value + event.key).slice(0, field.maxLength); field.focus(); }
  });
}
const badge = document.querySelector("[data-badge-form]"), scans = document.getElementById("scans");
const countScans = () => {
  const { length } = keptScans(scans.dataset.key);
  if (length) scans.textContent = scans.dataset.words.replace("{n}", length);
};
if (badge || scans) {
  listenForScans((code) => {
    if (field) field.value = "";
    if (isBadge(code)) {
      if (!badge) return;
      badge.elements.badge.value = code;
      badge.submit();
    } else if (scans) {
      keepScan(scans.dataset.key, code);
      countScans();
    }
  });
}
if (scans) countScans();
document.documentElement.dataset.ready = "1";
