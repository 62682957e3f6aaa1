// Comfort of the products' pages: the margin while a price is typed, and a scan that goes on to the next field.

import { all, byId, figures, maybe, one, percent } from "../common/dom.js";

for (const form of all(document, "form[data-margin]")) wireMargin(form);
for (const field of all(document, "input[data-scan]", HTMLInputElement)) wireScan(field);

/**
 * Show the margin of what is typed, on its net: the same sums as the preview of many prices.
 * @param {HTMLElement} form
 */
function wireMargin(form) {
  const price = one(form, 'input[name="price"]', HTMLInputElement), output = one(form, "output");
  const tax = maybe(form, 'select[name="tax_class_id"]', HTMLSelectElement), cost = maybe(form, 'input[name="cost"]', HTMLInputElement);
  const whole = 10 ** Number(form.dataset.decimals);
  const look = () => {
    const typed = amount(price.value, whole), spent = cost ? amount(cost.value, whole) : form.dataset.cost === "" ? null : Number(form.dataset.cost);
    const chosen = tax ? tax.selectedOptions[0]?.dataset : form.dataset;
    output.textContent = "";
    output.removeAttribute("data-loss");
    if (!typed || spent === null || !chosen) return;
    const net = chosen.inclusive === "1" ? Math.round((typed * 10000) / (10000 + Number(chosen.rate))) : typed;
    if (net <= 0) return;
    const margin = ((net - spent) * 10_000) / net;
    output.textContent = (output.dataset.words ?? "")
      .replace("{margin}", percent(margin, 1))
      .replace("{amount}", figures((net - spent) / whole, Number(form.dataset.decimals)));
    output.toggleAttribute("data-loss", net < spent);
  };
  for (const field of [price, tax, cost]) field?.addEventListener("input", look);
  look();
}

/**
 * Read an amount in minor units; null where it is none.
 * @param {string} text
 * @param {number} whole
 */
function amount(text, whole) {
  const found = /^\s*(\d{1,9})(?:[.,](\d{1,3}))?\s*$/.exec(text);
  return found ? Math.round(Number(`${found[1]}.${found[2] ?? 0}`) * whole) : null;
}

/**
 * A scanner ends with Enter: that means the next field, not the whole form; while nothing else is typed, the page that
 * says what is known of the code.
 * @param {HTMLInputElement} field
 */
function wireScan(field) {
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !field.value.trim()) return;
    event.preventDefault();
    const next = byId(field.dataset.scan ?? "", HTMLInputElement);
    if (field.dataset.known && !next.value) location.assign(`${field.dataset.known}?${new URLSearchParams({ code: field.value.trim() })}`);
    else next.focus();
  });
}
