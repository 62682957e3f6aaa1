// A picking list and a route's sheet.

import { maybe } from "../common/dom.js";

// What was scanned is shown, and the field waits for the next scan: the way to what is shown takes the focus with it.
const field = maybe(document, ".pick-scan #code");
if (field) addEventListener("load", () => requestAnimationFrame(() => field.focus({ preventScroll: true })));
// The sheet goes to the printer.
for (const button of document.querySelectorAll("[data-print]")) button.addEventListener("click", () => print());
