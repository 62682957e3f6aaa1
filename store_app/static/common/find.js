// The search over everything, over the page: Ctrl K opens it, arrows go from hit to hit, Enter takes the first.

import { all, byId, maybe } from "./dom.js";

const WAIT_MS = 120;

/** Open the search from its links and by Ctrl K, and ask while somebody types. */
export function wireFinder() {
  const finder = maybe(document, "dialog.find", HTMLDialogElement);
  if (!finder) return;
  const field = byId("find-text", HTMLInputElement), hits = byId("find-hits");
  let asked = 0, timer = 0, shown = "";
  const open = () => { if (!document.querySelector("dialog[open]")) { finder.showModal(); field.select(); } };
  const ask = async () => {
    const text = field.value.trim(), n = ++asked;
    const address = `${field.form?.action}?${new URLSearchParams({ q: text })}`;
    const answer = text ? await fetch(address, { headers: { "HX-Request": "true" } }) : null;
    if (n !== asked || answer?.redirected) return;
    hits.innerHTML = answer?.ok ? await answer.text() : "";
    shown = text;
  };

  for (const link of all(document, "[data-find]")) link.addEventListener("click", (event) => { event.preventDefault(); open(); });
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return;
    event.preventDefault();
    open();
  });
  field.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(ask, WAIT_MS); });
  field.form?.addEventListener("submit", (event) => {
    const first = shown === field.value.trim() && maybe(hits, "a");
    if (!first) return; // the whole page answers
    event.preventDefault();
    first.click();
  });
  finder.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const stops = [field, ...all(hits, "a")], here = stops.findIndex((one) => one === document.activeElement);
    event.preventDefault();
    stops[(here + (event.key === "ArrowDown" ? 1 : -1) + stops.length) % stops.length]?.focus();
  });
  byId("find-close").addEventListener("click", () => finder.close());
}
