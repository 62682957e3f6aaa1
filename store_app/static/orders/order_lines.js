// Lines of orders and deliveries: a changed number is saved and summed at once, and a scan is heard anywhere.

import { all, around, fieldOf, figures, maybe, one } from "../common/dom.js";
import { isLocked } from "../common/touched.js";

wire();
document.addEventListener("htmx:after:swap", wire);

function wire() {
  for (const form of all(document, "form[data-change]:not([data-wired])", HTMLFormElement)) wireChange(form);
  for (const form of all(document, "form[data-count]:not([data-wired])", HTMLFormElement)) wireCount(form);
  for (const basket of all(document, "[data-basket]")) showTotal(basket);
}

/**
 * What is set on a line: packs and reason.
 * @param {HTMLFormElement} form
 */
const setOn = (form) => `${fieldOf(form, "packs").value},${maybe(form, ".order-saved select", HTMLSelectElement)?.value ?? ""}`;
/** @param {HTMLFormElement} form */
const isUnsaved = (form) => setOn(form) !== maybe(form, ".order-saved")?.dataset.saved;

/**
 * Show at once how long a changed number of packs would last and what it costs; htmx saves it.
 * @param {HTMLFormElement} form
 */
function wireChange(form) {
  form.dataset.wired = "";
  const field = fieldOf(form, "packs"), basket = form.closest("[data-basket]");
  if (!(basket instanceof HTMLElement)) return;
  const { packQty, have, perDay, risks = "", packCost } = form.dataset;
  const { none = "", days = "", long = "", comma, currency = "" } = basket.dataset;
  const look = () => {
    const packs = Number(field.value), units = Number(have) + packs * Number(packQty), last = units / Number(perDay), said = [];
    if (units <= 0) said.push(none);
    else if (Number(perDay) > 0) said.push(last > 60 ? long : days.replace("{days}", figures(last, last < 3 ? 1 : 0)));
    const risk = units > 0 && basket.dataset[risks.split(",")[packs] || "no-risk"];
    if (risk) said.push(risk);
    one(form, "output").textContent = said.join(comma);
    one(form, ".order-cost").textContent = money(packs * Number(packCost), currency);
  };
  field.addEventListener("input", () => { look(); showTotal(basket); });
  field.addEventListener("change", () => { look(); showTotal(basket); });
  field.addEventListener("keydown", (event) => toLine(event, basket));
  field.addEventListener("focus", () => field.select());
  look();
}

/**
 * Go from line to line as in a spreadsheet: Enter and the arrows.
 * @param {KeyboardEvent} event
 * @param {HTMLElement} basket
 */
function toLine(event, basket) {
  const by = { Enter: event.shiftKey ? -1 : 1, ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (!by) return;
  event.preventDefault();
  const fields = all(basket, 'form[data-change] input[name="packs"]', HTMLInputElement);
  fields.at((fields.findIndex((one) => one === event.target) + by) % fields.length)?.focus();
}

/**
 * Add up what the basket's lines cost as they stand on the page, and say where that is beyond what is left.
 * @param {HTMLElement} basket
 */
function showTotal(basket) {
  const forms = all(basket, "form[data-change]", HTMLFormElement), { currency = "" } = basket.dataset;
  const total = forms.reduce((sum, form) => sum + Number(fieldOf(form, "packs").value) * Number(form.dataset.packCost), 0);
  for (const sum of all(basket, "[data-sum]")) sum.textContent = money(total, currency);
  const foot = one(basket, "[data-total]"), beyond = one(foot, ".field-error"), { left } = foot.dataset;
  const over = left === undefined ? 0 : total - Number(left);
  beyond.hidden = over <= 0;
  beyond.textContent = over > 0 ? (foot.dataset.beyond ?? "").replace("{amount}", money(over, currency)) : "";
  basket.dataset.total = String(total);
  const atOnce = maybe(document, "[data-sum-all]");
  if (atOnce) atOnce.textContent = money(all(document, "[data-goes]").reduce((sum, one) => sum + Number(one.dataset.total ?? 0), 0), currency);
}

// An order goes when what was changed in it is saved.
/** @type {HTMLFormElement | null} */
let approving = null;
let hasGone = false;
/** @type {(form: HTMLFormElement | null) => HTMLFormElement[]} */
const unsavedOf = (form) => all(form?.closest("[data-basket]") ?? document, "form[data-change]", HTMLFormElement).filter(isUnsaved);
document.addEventListener("submit", (event) => {
  const form = around(event, "form[data-approve]");
  if (!(form instanceof HTMLFormElement) || !unsavedOf(form).length) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  approving = form;
  for (const one of unsavedOf(form)) one.requestSubmit();
}, true);
/** What each request of htmx says of its line. @type {WeakMap<object, string>} */
const sent = new WeakMap();
/** @param {Event} event */
const ctxOf = (event) => (event instanceof CustomEvent ? event.detail.ctx : {});
document.addEventListener("htmx:config:request", (event) => {
  const form = around(event, "form[data-change]");
  if (form instanceof HTMLFormElement) sent.set(ctxOf(event), setOn(form));
});
document.addEventListener("htmx:finally:request", (event) => {
  const form = around(event, "form[data-change]");
  if (!(form instanceof HTMLFormElement) || sent.get(ctxOf(event)) !== setOn(form)) return; // what was set since is sent next
  if (!maybe(form, ".order-saved")) { // it is no proposal any more: the page says what became of it
    hasGone = true;
    location.reload();
  }
  one(form, ".order-unsaved").hidden = !isUnsaved(form);
  if (isUnsaved(form)) approving = null;
  if (!approving || unsavedOf(approving).length) return;
  approving.requestSubmit();
  approving = null;
});

// Who leaves the page with something unsaved on it is asked by the browser; a page that locks itself is not held up.
addEventListener("beforeunload", (event) => {
  if (!hasGone && unsavedOf(null).length && !isLocked()) event.preventDefault();
});

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
