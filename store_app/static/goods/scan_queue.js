// Work with a scanner: every scan is kept here until the store's computer has taken it, one after the other, each once.
// All of it works without this too, one scan a page.

import { all, byId, fieldOf, maybe, one as part } from "../common/dom.js";
import { newId } from "../common/ids.js";

/** @typedef {{ code: string, times: string, command_id: string }} Scan */

for (const form of all(document, "form[data-scan-queue]", HTMLFormElement)) wire(form);

/** @param {HTMLFormElement} form */
function wire(form) {
  const field = fieldOf(form, "code"), times = form.elements.namedItem("times") && fieldOf(form, "times"), state = part(form, "[data-scan-state]");
  const place = `scans:${form.action}`, shown = form.dataset.scanQueue ?? "";
  /** @type {Scan[]} */
  const waiting = JSON.parse(sessionStorage.getItem(place) ?? "[]");
  const refused = part(form, "[data-refused]");
  let sending = false;
  if (document.activeElement === document.body) field.focus();

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    event.stopImmediatePropagation();
    const code = field.value.trim();
    if (!code) return;
    waiting.push({ code, times: times?.value || "1", command_id: newId() });
    field.value = "";
    if (times) times.value = "1";
    keep();
    send();
  }, true);

  // A scanner types faster than any hand and ends with Enter: its burst goes to the scan field wherever the focus is.
  let burst = "", last = 0;
  document.addEventListener("keydown", (event) => {
    if (event.timeStamp - last > 50) burst = "";
    last = event.timeStamp;
    if (event.target === field) { // a burst that began elsewhere, before the field had the focus
      if (event.key === "Enter" && burst) { field.value = burst + field.value; burst = ""; }
      return;
    }
    if (event.key.length === 1) burst += event.key;
    if (event.key !== "Enter" || burst.length < 6) return;
    event.preventDefault();
    if (event.target instanceof HTMLInputElement) event.target.value = event.target.defaultValue;
    field.value = burst;
    burst = "";
    form.requestSubmit();
    field.focus();
  });

  document.addEventListener("htmx:after:swap", () => field.focus()); // what was asked is answered: on with the next

  if (waiting.length) send();

  function keep() {
    sessionStorage.setItem(place, JSON.stringify(waiting));
    say((waiting.length > 1 && form.dataset.waiting) || "");
  }

  /** @param {string} words */
  function say(words) {
    state.textContent = words.replace("{n}", String(waiting.length));
  }

  async function send() {
    if (sending) return;
    sending = true;
    for (let [next] = waiting; next; [next] = waiting) {
      try {
        await one(next);
        waiting.shift();
        keep();
      } catch {
        say(form.dataset.offline ?? "");
        await new Promise((go) => setTimeout(go, 2000));
      }
    }
    sending = false;
  }

  /**
   * Send a scan. A refusal is an answer too: the page says it. Only no answer, or a fault of the machine, is asked again.
   * @param {Scan} scan
   */
  async function one(scan) {
    const body = new URLSearchParams({ csrf_token: fieldOf(form, "csrf_token").value, ...scan });
    const answer = await fetch(form.action, { method: "POST", body, headers: { "HX-Request": "true" }, credentials: "same-origin" });
    if (answer.status >= 500) throw new Error(String(answer.status));
    const text = await answer.text();
    const block = new DOMParser().parseFromString(text, "text/html").getElementById(shown);
    if (!block) { location.reload(); return; }
    byId(shown).replaceWith(block);
    window.htmx?.process(block);
    if (answer.status >= 400 && !block.querySelector(".choices")) refuse(scan.code, block.querySelector(".note-bad span")?.textContent ?? "");
    const asked = maybe(block, ".is-attention input:not([type=hidden])");
    if (asked && !waiting[1]) asked.focus();
  }

  /**
   * Keep a refusal in sight until somebody has read it: the next scan would cover it.
   * @param {string} code
   * @param {string} sentence
   */
  function refuse(code, sentence) {
    const line = refused.appendChild(document.createElement("li"));
    line.appendChild(document.createElement("span")).textContent = `${code}: ${sentence}`;
    const button = line.appendChild(document.createElement("button"));
    button.type = "button";
    button.className = "btn btn-quiet";
    button.textContent = refused.dataset.seen ?? "";
    button.addEventListener("click", () => { line.remove(); field.focus(); });
  }
}
