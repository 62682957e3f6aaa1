// The customer's screen: draws what the till's page tells it; it asks nobody and knows nothing else.

import { el } from "./dom.js";
import { moneyText, showMoney } from "./money.js";
import { $, say, settings } from "./settings.js";
import { qtyText } from "./words.js";

const THANKS_MS = 8000;
const channel = new BroadcastChannel(`cornerstore.display.${settings.store_id}.${settings.till_id}`);
let timer = 0;

/** @param {"idle" | "lines-part" | "code" | "thanks"} part */
function show(part) {
  for (const id of ["idle", "lines-part", "code", "thanks"]) $(id).hidden = id !== part;
}

/**
 * @param {string} id
 * @param {number} minor
 */
function saved(id, minor) {
  $(id).hidden = !(minor > 0);
  if (minor > 0) $(id).textContent = say("saved", { amount: moneyText(minor) });
}

/** @param {Shown} shown */
function draw({ step, lines, tax, total, saved: savedMinor, practice }) {
  clearTimeout(timer);
  $("practice").hidden = !practice;
  if (step.kind === "thanks") {
    $("thanks-change-part").hidden = !(step.change > 0);
    showMoney($("thanks-change"), step.change);
    saved("thanks-saved", step.saved);
    show("thanks");
    timer = setTimeout(() => show("idle"), THANKS_MS);
    return;
  }
  if (step.kind === "code") {
    $("qr", HTMLImageElement).src = step.qr.startsWith("<") ? `data:image/svg+xml,${encodeURIComponent(step.qr)}` : step.qr;
    showMoney($("code-amount"), total);
    return show("code");
  }
  if (!lines.length) return show("idle");
  $("lines").replaceChildren(...lines.map(row));
  $("lines").lastElementChild?.scrollIntoView({ block: "nearest" });
  $("tax-row").hidden = !tax;
  if (tax) showMoney($("tax"), tax);
  showMoney($("total"), total);
  saved("saved", savedMinor);
  const given = step.kind === "pay" && step.tender === "cash" && step.given !== null && step.given > step.due ? step : null;
  $("given-part").hidden = given === null;
  if (given) {
    showMoney($("given"), given.given ?? 0);
    showMoney($("change"), (given.given ?? 0) - given.due);
  }
  show("lines-part");
}

/** @param {Shown["lines"][number]} line */
const row = (line) => el("li", {}, el("span.figures", {}, qtyText(line, line.qty).replace("-", "−")), el("span", {}, line.name), el("b.figures", {}, moneyText(line.total)),
  line.offers.map((offer) => el("small", {}, `${offer.name} · ${say("saved", { amount: moneyText(offer.amount) })}`)));

channel.onmessage = ({ data }) => { if (data !== "hello") draw(data); };
channel.postMessage("hello");
document.documentElement.dataset.ready = "1";
