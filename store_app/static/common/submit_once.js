// A form is sent once: the second click of a double click finds it busy. Its command id guards the server anyway.

import { around } from "./dom.js";

const BUSY_MS = 4000;

/** Send each form of the page once. */
export function submitOnce() {
  document.addEventListener("submit", (event) => {
    const form = around(event, "form");
    if (!form) return;
    if (form.getAttribute("aria-busy") === "true") { event.preventDefault(); return; }
    form.setAttribute("aria-busy", "true");
    setTimeout(() => form.removeAttribute("aria-busy"), BUSY_MS);
  });
}
