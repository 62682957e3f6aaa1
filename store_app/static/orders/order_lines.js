// Lines of orders and deliveries: reasons appear when a number changes, and a scan is heard anywhere. All works without it.

import { all, around, fieldOf, figures, maybe, one, percent } from "../common/dom.js";
import { isLocked } from "../common/touched.js";

// A basket drawn again keeps what is typed on its other lines; where a line was undone, what is saved stands again.
/** @type {Map<string, FormData>} */
let typed = new Map();
document.addEventListener("htmx:before:swap", () => {
  const forms = all(document, "form[data-changed]", HTMLFormElement).filter((form) => !undone?.contains(form));
  typed = new Map(forms.map((form) => [form.action, new FormData(form)]));
});

/** @param {HTMLFormElement} form */
function typeAgain(form) {
  const kept = typed.get(form.action), packs = fieldOf(form, "packs");
  if (!kept || kept.get("packs") === form.dataset.packs) return; // it is what was saved
  packs.value = String(kept.get("packs"));
  fieldOf(form, "reason", HTMLSelectElement).value = String(kept.get("reason"));
  fieldOf(form, "words").value = String(kept.get("words"));
  packs.dispatchEvent(new Event("change"));
}

// Who leaves the page with something unsaved on it is asked by the browser; a page that locks itself is not held up.
/** @type {EventTarget | null} */
let sent = null;
addEventListener("beforeunload", (event) => {
  const isUnsaved = [...document.querySelectorAll("form[data-changed]")].some((form) => form !== sent);
  if (isUnsaved && !isLocked()) event.preventDefault();
});

// What was unfolded stays so when its basket is drawn again.
/** @type {Set<string | undefined>} */
const unfolded = new Set();
document.addEventListener("toggle", ({ target }) => {
  if (target instanceof HTMLDetailsElement && target.dataset.keep) unfolded[target.open ? "add" : "delete"](target.dataset.keep);
}, true);

// Who saved or undid a line stands at it again in the basket drawn again, wherever in it the line is now.
let lineId = "";
/** @type {HTMLElement | null} */
let undone = null;
document.addEventListener("submit", (event) => {
  const line = around(event, ".order-line");
  sent = event.target;
  lineId = line?.id ?? "";
  undone = around(event, "form[data-change]") ? null : line;
});

wire();
document.addEventListener("htmx:after:swap", () => {
  wire();
  const line = lineId && document.getElementById(lineId);
  if (!line) return;
  lineId = "";
  line.tabIndex = -1;
  line.focus({ preventScroll: true });
  line.scrollIntoView({ block: "center" });
});

function wire() {
  for (const fold of all(document, "details[data-keep]", HTMLDetailsElement)) fold.open ||= unfolded.has(fold.dataset.keep);
  for (const form of all(document, "form[data-change]:not([data-wired])", HTMLFormElement)) wireChange(form);
  for (const form of all(document, "form[data-count]:not([data-wired])", HTMLFormElement)) wireCount(form);
}

/**
 * Show at once how long a changed number of packs would last, and ask why.
 * @param {HTMLFormElement} form
 */
function wireChange(form) {
  form.dataset.wired = "";
  const field = one(form, 'input[name="packs"]', HTMLInputElement);
  const output = one(form, "output"), inWords = one(form, ".order-pack-words"), costs = one(form, ".order-packs b");
  const beyond = one(form, "[data-beyond]"), { packQty, have, perDay, currency = "", left } = form.dataset;
  const before = Number(form.dataset.packs), packCost = Number(form.dataset.packCost);
  const look = () => {
    const packs = Number(field.value);
    form.toggleAttribute("data-changed", packs !== before);
    inWords.hidden = packs !== before; // they tell of what is saved
    costs.textContent = money(packs * packCost, currency);
    const { none = "", long = "", words = "", risk = "", cost = "", comma } = output.dataset, said = [];
    const units = Number(have) + packs * Number(packQty), days = units / Number(perDay);
    if (units <= 0) said.push(none);
    else if (Number(perDay) > 0) said.push(days > 60 ? long : words.replace("{days}", figures(days, days < 3 ? 1 : 0)));
    const risks = form.dataset.risks ? form.dataset.risks.split(",") : [];
    if (units > 0 && packs < risks.length) said.push(risk.replace("{risk}", percent(Number(risks[packs]), 0)));
    const total = Number(form.dataset.total) + (packs - before) * packCost;
    said.push(cost.replace("{cost}", money(total, currency)));
    output.textContent = said.join(comma);
    const over = left === undefined ? 0 : total - Number(left);
    beyond.hidden = over <= 0;
    beyond.textContent = over > 0 ? (beyond.dataset.beyond ?? "").replace("{amount}", money(over, currency)) : "";
  };
  field.addEventListener("change", look);
  field.addEventListener("input", look);
  typeAgain(form);
  const reason = fieldOf(form, "reason", HTMLSelectElement), own = fieldOf(form, "words");
  const need = () => { reason.required = !own.value.trim(); };
  own.addEventListener("input", need);
  need();
}

// An order is not sent without the change that stands in sight: it is saved first, with its reason.
document.addEventListener("submit", (event) => {
  const basket = around(event, "[data-approve]") && around(event, ".basket");
  const unsaved = basket && maybe(basket, "form[data-changed]", HTMLFormElement);
  if (!unsaved) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  one(unsaved, "[data-unsaved]").hidden = false;
  unsaved.scrollIntoView({ block: "center" });
  fieldOf(unsaved, "reason", HTMLSelectElement).focus({ preventScroll: true });
}, true);

/**
 * @param {number} minor
 * @param {string} currency
 */
function money(minor, currency) {
  const format = new Intl.NumberFormat(document.documentElement.lang || "en", { style: "currency", currency, currencyDisplay: "narrowSymbol" });
  return format.format(minor / 10 ** (format.resolvedOptions().maximumFractionDigits ?? 2));
}

/**
 * Ask why a count differs from the advice. What was scanned is there to be typed over.
 * @param {HTMLFormElement} form
 */
function wireCount(form) {
  form.dataset.wired = "";
  for (const line of all(form, ".count-line")) {
    const field = one(line, 'input[name^="qty-"]', HTMLInputElement);
    const look = () => line.toggleAttribute("data-open", Number(field.value) !== Number(line.dataset.advised));
    field.addEventListener("change", look);
    field.addEventListener("input", look);
    look();
  }
  const scan = maybe(document, "#scan", HTMLInputElement);
  const found = maybe(form, ".count-line.is-found");
  if (found) addEventListener("load", () => { // before that the browser takes the focus away, for the line in the address
    found.scrollIntoView({ block: "center" });
    const field = one(found, 'input[name^="qty-"]', HTMLInputElement);
    field.focus({ preventScroll: true });
    field.select();
  });
  // A scanner types faster than any hand and ends with Enter: its burst goes to the scan field wherever the focus is.
  let burst = "", last = 0, before = "";
  document.addEventListener("keydown", (event) => {
    const { target } = event;
    if (target === scan) return;
    if (event.timeStamp - last > 50) [burst, before] = ["", target instanceof HTMLInputElement ? target.value : ""];
    last = event.timeStamp;
    if (event.key.length === 1) burst += event.key;
    if (event.key !== "Enter" || burst.length < 6 || !scan) return;
    event.preventDefault();
    if (target instanceof HTMLInputElement && form.contains(target) && target.type !== "hidden") target.value = before;
    scan.value = burst;
    burst = "";
    scan.form?.requestSubmit();
  });
}
