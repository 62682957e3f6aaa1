// Lines of orders and deliveries: reasons appear when a number changes, and a scan is heard anywhere. All works without it.

import { isLocked } from "../common/touched.js";

// A basket drawn again keeps what is typed on its other lines; where a line was undone, what is saved stands again.
let typed = [];
document.addEventListener("htmx:before:swap", () => {
  typed = [...document.querySelectorAll("form[data-changed]")].filter((form) => !undone?.contains(form)).map((form) => [form.action, new FormData(form)]);
});

function typeAgain(form) {
  const kept = typed.find(([action]) => action === form.action)?.[1], { packs, reason, words } = form.elements;
  if (!kept || kept.get("packs") === form.dataset.packs) return; // it is what was saved
  [packs.value, reason.value, words.value] = ["packs", "reason", "words"].map((name) => kept.get(name));
  packs.dispatchEvent(new Event("change"));
}

// Who leaves the page with something unsaved on it is asked by the browser; a page that locks itself is not held up.
let sent = null;
addEventListener("beforeunload", (event) => {
  const isUnsaved = [...document.querySelectorAll("form[data-changed]")].some((form) => form !== sent);
  if (isUnsaved && !isLocked()) event.preventDefault();
});

// What was unfolded stays so when its basket is drawn anew.
const unfolded = new Set();
document.addEventListener("toggle", ({ target }) => {
  if (target.dataset?.keep) unfolded[target.open ? "add" : "delete"](target.dataset.keep);
}, true);

// Who saved or undid a line stands at it again in the basket drawn anew, wherever in it the line is now.
let lineId = "", undone = null;
document.addEventListener("submit", ({ target }) => {
  const line = target.closest(".order-line");
  sent = target;
  lineId = line?.id ?? "";
  undone = line && !target.matches("form[data-change]") ? line : null;
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
  for (const fold of document.querySelectorAll("details[data-keep]")) fold.open ||= unfolded.has(fold.dataset.keep);
  for (const form of document.querySelectorAll("form[data-change]:not([data-wired])")) wireChange(form);
  for (const form of document.querySelectorAll("form[data-count]:not([data-wired])")) wireCount(form);
}

// A changed number of packs shows at once how long it would last, and asks why.
function wireChange(form) {
  form.dataset.wired = "";
  const field = form.querySelector('input[name="packs"]');
  const output = form.querySelector("output"), inWords = form.querySelector(".order-pack-words"), costs = form.querySelector(".order-packs b");
  const beyond = form.querySelector("[data-beyond]");
  const look = () => {
    const packs = Number(field.value), { packs: before, packQty, have, perDay } = form.dataset;
    form.toggleAttribute("data-changed", packs !== Number(before));
    inWords.hidden = packs !== Number(before); // they tell of what is saved
    costs.textContent = money(packs * form.dataset.packCost, form.dataset.currency);
    const { none, long, words, risk, cost, comma } = output.dataset, said = [];
    const units = Number(have) + packs * Number(packQty), days = units / Number(perDay);
    if (units <= 0) said.push(none);
    else if (Number(perDay) > 0) said.push(days > 60 ? long : words.replace("{days}", days.toFixed(days < 3 ? 1 : 0)));
    const risks = form.dataset.risks ? form.dataset.risks.split(",") : [];
    if (units > 0 && packs < risks.length) said.push(risk.replace("{risk}", Math.round(risks[packs] / 100)));
    const total = Number(form.dataset.total) + (packs - before) * form.dataset.packCost;
    said.push(cost.replace("{cost}", money(total, form.dataset.currency)));
    output.textContent = said.join(comma);
    const over = "left" in form.dataset ? total - form.dataset.left : 0;
    beyond.hidden = over <= 0;
    beyond.textContent = over > 0 ? beyond.dataset.beyond.replace("{amount}", money(over, form.dataset.currency)) : "";
  };
  field.addEventListener("change", look);
  field.addEventListener("input", look);
  typeAgain(form);
  const { reason, words: own } = form.elements;
  const need = () => { reason.required = !own.value.trim(); };
  own.addEventListener("input", need);
  need();
}

// An order is not sent without the change that stands in sight: it is saved first, with its reason.
document.addEventListener("submit", (event) => {
  const unsaved = event.target.matches("[data-approve]") && event.target.closest(".basket").querySelector("form[data-changed]");
  if (!unsaved) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  unsaved.querySelector("[data-unsaved]").hidden = false;
  unsaved.scrollIntoView({ block: "center" });
  unsaved.elements.reason.focus({ preventScroll: true });
}, true);

function money(minor, currency) {
  const format = new Intl.NumberFormat(document.documentElement.lang || "en", { style: "currency", currency, currencyDisplay: "narrowSymbol" });
  return format.format(minor / 10 ** format.resolvedOptions().maximumFractionDigits);
}

// A count that differs from the advice asks why. What was scanned is there to be typed over.
function wireCount(form) {
  form.dataset.wired = "";
  const lines = [...form.querySelectorAll(".count-line")];
  for (const line of lines) {
    const field = line.querySelector('input[name^="qty-"]');
    const look = () => line.toggleAttribute("data-open", Number(field.value) !== Number(line.dataset.advised));
    field.addEventListener("change", look);
    field.addEventListener("input", look);
    look();
  }
  const scan = document.getElementById("scan");
  const found = form.querySelector(".count-line.is-found");
  if (found) addEventListener("load", () => { // before that the browser takes the focus away, for the line in the address
    found.scrollIntoView({ block: "center" });
    const field = found.querySelector('input[name^="qty-"]');
    field.focus({ preventScroll: true });
    field.select();
  });
  // A scanner types faster than any hand and ends with Enter: its burst goes to the scan field wherever the focus is.
  let burst = "", last = 0, before = "";
  document.addEventListener("keydown", (event) => {
    if (event.target === scan) return;
    if (event.timeStamp - last > 50) [burst, before] = ["", event.target.value];
    last = event.timeStamp;
    if (event.key.length === 1) burst += event.key;
    if (event.key !== "Enter" || burst.length < 6 || !scan) return;
    event.preventDefault();
    if (form.contains(event.target) && event.target.matches("input:not([type=hidden])")) event.target.value = before;
    scan.value = burst;
    burst = "";
    scan.form.requestSubmit();
  });
}
