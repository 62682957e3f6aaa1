// What was scanned is shown, and the field waits for the next scan: the way to what is shown takes the focus with it.
const field = document.querySelector(".pick-scan #code");
if (field) addEventListener("load", () => requestAnimationFrame(() => field.focus({ preventScroll: true })));
// The sheet goes to the printer.
for (const button of document.querySelectorAll("[data-print]")) button.addEventListener("click", () => print());
