// Counting a drawer: the sum runs along, a number pad writes into the field that was touched last, Enter goes on.

import { all, around, figures, maybe, one } from "../common/dom.js";

const holder = maybe(document, "[data-counting]");
if (holder) wire(holder);
const rest = maybe(document, "[data-rest]");
if (rest) wireRest(rest);

/** @param {HTMLElement} counting */
function wire(counting) {
  const fields = all(counting, "[data-worth]", HTMLInputElement);
  const sum = one(counting, "[data-sum]"), pad = one(counting, "[data-count-pad]");
  const typed = maybe(counting, "#sum", HTMLInputElement);
  const places = Number(counting.dataset.places || 2);
  const sign = sum.textContent.replace(/\d([\d.,\s]*\d)?/, "\u0000");
  let [touched] = fields, begun = true;

  const add = () => {
    const minor = fields.reduce((all, field) => all + Number(field.dataset.worth) * (Math.trunc(Number(field.value)) || 0), 0);
    sum.textContent = sign.replace("\u0000", figures(minor / 10 ** places, places));
    for (const field of fields) field.closest(".piece")?.classList.toggle("piece-there", Number(field.value) > 0);
  };
  const touch = (/** @type {HTMLInputElement} */ field) => {
    if (touched !== field) begun = true;
    touched = field;
    for (const other of fields) other.closest(".piece")?.classList.toggle("piece-now", other === field);
  };
  const onward = () => {
    const next = touched && fields[fields.indexOf(touched) + 1];
    if (next) { next.focus(); next.select(); }
    return Boolean(next);
  };

  one(counting, "[data-sum-holder]").hidden = false;
  pad.hidden = false;
  counting.addEventListener("input", add);
  counting.addEventListener("change", add);
  counting.addEventListener("focusin", ({ target }) => { if (target instanceof HTMLInputElement && target.dataset.worth) { touch(target); target.select(); } });
  counting.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && around(event, "[data-worth]") && onward()) event.preventDefault();
  });
  pad.addEventListener("mousedown", (event) => event.preventDefault()); // the field keeps the focus
  pad.addEventListener("click", (event) => {
    const digit = around(event, "[data-digit]")?.dataset.digit;
    if (!digit || !touched) return;
    if (digit === "next") { onward(); begun = true; return; }
    const before = begun ? "" : touched.value;
    touched.value = digit === "back" ? touched.value.slice(0, -1) : String(Number(before + digit)).slice(0, 4);
    begun = false;
    add();
  });
  typed?.addEventListener("input", () => { for (const field of fields) field.disabled = typed.value.trim() !== ""; });
  if (touched) touch(touched);
  add();
}

/** @param {HTMLElement} rest shows what leaves the drawer while what stays is typed */
function wireRest(rest) {
  const keep = one(document, "#keep", HTMLInputElement);
  const places = Number(rest.dataset.places), counted = Number(rest.dataset.counted);
  const sign = (rest.dataset.sum ?? "").replace(/\d([\d.,\s]*\d)?/, "\u0000");
  const show = () => {
    const minor = counted - Math.round(Number(keep.value.trim().replace(",", ".")) * 10 ** places);
    if (rest.parentElement) rest.parentElement.hidden = !(minor >= 0);
    rest.textContent = sign.replace("\u0000", figures(minor / 10 ** places, places));
  };
  keep.addEventListener("input", show);
  show();
}
