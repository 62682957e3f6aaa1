// The right of the till: the basket's lines, what was saved and why, and the total. A row is touched only when what it
// shows has changed, so a scan paints one row however long the basket is; the tools of the active line come after it.

import { isWeighed } from "./catalogue.js";
import { el, icon } from "./dom.js";
import { afterPaint } from "../common/later.js";
import { moneyText, showMoney } from "./money.js";
import { $, say } from "./settings.js";
import { soundBad } from "../common/sound.js";
import { eachText, qtyText, reasonText } from "./words.js";

const stencil = (id) => $(id).content.firstElementChild.cloneNode(true);
const SPOKEN_AFTER_MS = 250; // a burst of scans is spoken once, at its end
const TOOLS = { less: "less", more: "more", remove: "remove", discount: "discount-of", price: "price-of", note: "note-of" };

export class Lines {
  constructor(basket, actions) {
    this.basket = basket;
    this.actions = actions;
    this.rows = new Map();
    this.tools = stencil("tools-stencil");
    this.quoteState = "ready";
    this.quoteWords = "";
    $("lines").addEventListener("click", (event) => this.#clicked(event));
  }

  // --- drawing ---

  show(changed = {}) {
    const lines = this.basket.lines(), deposits = this.basket.deposits();
    const wanted = new Map(lines.map((line) => [line.id, line]));
    for (const row of this.basket.broughtBack) wanted.set(`back-${row.sale_id}-${row.n}`, row);
    for (const [id, row] of this.rows) {
      if (wanted.has(id)) continue;
      if (row.contains(document.activeElement)) this.actions.rest();
      row.remove();
      this.rows.delete(id);
    }
    let before = null;
    for (const [id, line] of wanted) {
      if (line.sale_id) this.#showBack(id, line);
      else this.#showLine(line, deposits.filter((deposit) => deposit.of === id));
      const row = this.rows.get(id);
      if (row.previousElementSibling !== before) $("lines").insertBefore(row, before ? before.nextElementSibling : $("lines").firstElementChild);
      before = row; // a line that was put back stands where it stood
    }
    this.#showSum(lines);
    this.#showAttached();
    this.#announce(changed);
    afterPaint("tools", () => requestAnimationFrame(() => this.#follow())); // in a frame of its own
  }

  #showLine(line, deposits) {
    const active = line.id === this.basket.active, { stopped } = line, isGone = stopped === "gone";
    const state = JSON.stringify([line.qty, line.shown, line.quoted, line.note, line.reason, line.price_minor, line.discount_bp, line.discount_minor, line.batch, line.expires_on, line.labelled, active, stopped, deposits, line.product.price_minor]);
    let row = this.rows.get(line.id);
    if (row?.state === state) return;
    const { product, qty } = line;
    if (!row) {
      row = stencil("line-stencil");
      row.dataset.line = line.id;
      row.querySelector(".line-name").textContent = product.name;
      this.rows.set(line.id, row);
      $("lines").append(row);
    }
    row.state = state;
    const weighed = isWeighed(product);
    row.classList.toggle("active", active);
    row.classList.toggle("stopped", Boolean(stopped));
    row.querySelector(".line-main").setAttribute("aria-expanded", String(active));
    row.querySelector(".line-qty").textContent = weighed ? qtyText(product, qty) : `${qty} ×`;
    row.querySelector(".line-each").textContent = isGone ? "" : weighed ? eachText(product) : [product.pack_text, eachText(product, line.price_minor ?? product.price_minor)].filter(Boolean).join(" · ");
    if (isGone) row.querySelector(".line-total").textContent = "–";
    else showMoney(row.querySelector(".line-total"), line.shown);
    row.querySelector(".line-extras").replaceChildren(...this.#extras(line), ...deposits.map(depositRow));
  }

  /** Do what follows a line: its highlight, and the tools of the active one; both once, where a burst of scans ends. */
  #follow() {
    this.fresh?.classList.add("fresh");
    this.#showTools();
  }

  #showTools() {
    const line = this.basket.line(this.basket.active), row = (line && this.rows.get(line.id)) ?? null, { tools } = this;
    const moves = tools.parentElement !== row;
    if (moves && tools.contains(document.activeElement)) this.actions.rest();
    if (!row) return tools.remove();
    const { product, qty } = line, shown = qtyText(product, qty), number = tools.querySelector(".qty");
    if (tools.of !== product) for (const [act, words] of Object.entries(TOOLS)) tools.querySelector(`[data-act="${act}"]`).setAttribute("aria-label", say(words, { name: product.name }));
    tools.of = product;
    number.textContent = shown;
    number.setAttribute("aria-label", say("quantity-of", { name: product.name, qty: shown }));
    tools.querySelector(".less").hidden = tools.querySelector(".more").hidden = isWeighed(product) || Boolean(line.labelled);
    for (const act of ["discount", "price"]) tools.querySelector(`[data-act="${act}"]`).hidden = product.kind === "deposit"; // empties come back at it
    if (!moves) return;
    row.append(tools);
    row.scrollIntoView({ block: "nearest" });
  }

  /** What stands under a line: offers and discounts with their names, another price, a note, batch and date. */
  #extras(line) {
    const rows = [], { product, quoted } = line;
    if (line.stopped) rows.push(stoppedRow(line));
    for (const offer of quoted?.offers ?? []) rows.push(extra("saving", "tag", offer.name, -offer.amount_minor));
    if (quoted?.unmarked) rows.push(extra("warn", "exclamation-triangle", say("unmarked", { qty: isWeighed(product) ? qtyText(product, quoted.unmarked) : quoted.unmarked })));
    const manual = quoted?.manual_minor ?? 0;
    if (line.discount_bp || line.discount_minor) {
      const how = line.discount_bp ? `−${line.discount_bp / 100} %` : say("discount");
      rows.push(extra("saving", "tag", [how, reasonText(line.reason)].filter(Boolean).join(" · "), manual ? -manual : null));
    }
    if (line.price_minor !== null && !product.isGone && !product.price_typed && line.price_minor !== product.price_minor) {
      rows.push(extra("", "pencil-square", say("price-changed", { from: moneyText(product.price_minor), why: reasonText(line.reason) })));
    }
    if (line.amount_minor !== null) rows.push(extra("", "tag", say("from-label")));
    if (line.expires_on) rows.push(extra("", "calendar-days", say("expires", { day: line.expires_on, batch: line.batch ?? "" })));
    if (line.note) rows.push(extra("", "pencil-square", line.note));
    return rows;
  }

  #showBack(id, line) {
    const shown = line.shown ?? line.total, known = this.rows.get(id);
    if (known) return showMoney(known.querySelector(".line-total"), shown);
    const row = stencil("back-stencil");
    row.dataset.back = JSON.stringify({ sale_id: line.sale_id, n: line.n });
    row.querySelector(".line-qty").textContent = line.qty_text;
    row.querySelector(".line-name").textContent = line.name;
    row.querySelector(".line-each").textContent = say(line.restock ? "back-to-shelf" : "back-to-waste", { n: line.receipt_no });
    row.querySelector(".keep").setAttribute("aria-label", say("keep", { name: line.name }));
    showMoney(row.querySelector(".line-total"), shown);
    this.rows.set(id, row);
    $("lines").append(row);
  }

  #showSum(lines) {
    const empty = this.basket.isEmpty(), total = this.basket.total(), saved = this.basket.saved();
    const pieces = lines.reduce((sum, { product, qty }) => sum + (isWeighed(product) ? 1 : Math.abs(qty)), 0);
    $("count").textContent = !lines.length ? "" : pieces === 1 ? say("one-line") : say("lines", { n: pieces });
    $("nothing").hidden = !empty;
    $("void-button").hidden = $("park-button").hidden = empty;
    $("pay-button").disabled = empty;
    const tax = this.basket.tax();
    $("tax-row").hidden = !tax;
    if (tax) showMoney($("tax"), tax);
    showMoney($("total"), total);
    $("pay-word").textContent = say(total < 0 ? "give-back" : "pay");
    $("pay-amount").textContent = empty ? "" : moneyText(Math.abs(total));
    $("saved").hidden = !saved;
    if (saved) $("saved").textContent = say("saved", { amount: moneyText(saved) });
    const hints = this.basket.hints().filter((hint) => hint.missing_qty > 0).slice(0, 2);
    $("hints").hidden = !hints.length;
    $("hints").replaceChildren(...hints.map((hint) => el("li", {}, icon("light-bulb"),
      el("span", {}, say("hint", { n: hint.missing_qty, name: hint.name, amount: moneyText(hint.would_save_minor) })))));
    this.#showQuoteState();
  }

  #showQuoteState() {
    const words = { pending: say("offers-pending"), silent: say("offers-silent") }[this.quoteState] ?? "";
    $("quote-state").textContent = this.basket.isEmpty() ? "" : words;
    $("quote-state").classList.toggle("state-bad", this.quoteState === "silent");
    $("pay-button").classList.toggle("stopped", this.quoteState === "refused" || this.basket.stopped().length > 0);
  }

  /** Say whether the server's prices are here: pending, ready, silent or refused; the same refusal once. */
  quoting(state, words = "") {
    if (state === this.quoteState && words === this.quoteWords) return;
    this.quoteState = state;
    this.quoteWords = words;
    this.#showQuoteState();
    if (state === "refused") this.complain(words);
  }

  /** The customer, coupons and the note of the whole sale, as chips under the heading. */
  #showAttached() {
    const { customer, coupons, note } = this.basket, used = this.basket.quote?.coupons_used;
    const state = JSON.stringify([customer, coupons, note, used]);
    if (state === this.attachedState) return;
    this.attachedState = state;
    const chips = [];
    if (customer) {
      chips.push(el("button.attached", { onclick: () => this.actions.customer() }, icon("user"), el("b", {}, customer.name), el("span.muted.figures", {}, standingText(customer))));
    }
    for (const code of coupons) {
      const idle = used && !used.includes(code);
      chips.push(el("button.attached", { onclick: () => this.actions.coupons() }, icon("ticket"), el("b", {}, code), idle && el("span.muted", {}, say("coupon-idle"))));
    }
    if (note) chips.push(el("button.attached", { onclick: () => this.actions.saleNote() }, icon("pencil-square"), el("span", {}, note)));
    $("attached").hidden = !chips.length;
    $("attached").replaceChildren(...chips);
  }

  // --- speaking ---

  #announce({ why, line }) {
    const row = line && this.rows.get(line.id);
    if (row && (why === "added" || why === "changed")) {
      this.fresh?.classList.remove("fresh");
      this.fresh = row; // its highlight begins anew
    }
    if (line && why !== "active") this.#speak(why, line);
    if (why === "stopped") this.rows.get(this.basket.stopped()[0]?.id)?.scrollIntoView({ block: "nearest" });
    else if (why !== "prices") requestAnimationFrame(() => this.rows.get(this.basket.active)?.scrollIntoView({ block: "nearest" }));
  }

  #speak(why, { id, product, qty }) {
    clearTimeout(this.speaking);
    this.speaking = setTimeout(() => {
      const total = say("total-is", { total: moneyText(this.basket.total()) });
      const said = why === "removed" ? say("removed", { name: product.name })
        : say("added", { name: product.name, qty: qtyText(product, qty), price: moneyText(this.basket.line(id)?.shown ?? 0) });
      $("announce").textContent = `${said} ${total}`;
    }, SPOKEN_AFTER_MS);
  }

  #clicked(event) {
    const row = event.target.closest(".line");
    if (!row) return;
    if (row.dataset.back) {
      if (event.target.closest(".keep")) this.actions.keepBack(JSON.parse(row.dataset.back));
      return;
    }
    const line = this.basket.line(row.dataset.line);
    const act = event.target.closest("[data-act]")?.dataset.act;
    if (!act) this.basket.activate(line.id);
    else this.actions[act](line);
  }

  /** Say what is wrong and what to do; stays until understood or until the next product is taken. */
  complain(words) {
    const said = stencil("say-stencil");
    said.querySelector("span").textContent = words;
    said.querySelector("button").addEventListener("click", () => {
      this.quieten();
      this.actions.rest();
    });
    $("says").replaceChildren(said);
    soundBad();
    $("checkout").classList.remove("flash");
    requestAnimationFrame(() => $("checkout").classList.add("flash"));
  }

  /** Say something that went well; `offer` = [words, act] puts a button beside it. */
  tell(words, offer = null) {
    $("says").replaceChildren(el("div.note.note-good", {}, el("span", {}, words), offer && el("button.btn.btn-quiet", { onclick: offer[1] }, offer[0])));
  }

  quieten() { if ($("says").firstChild) $("says").replaceChildren(); }
}

function extra(kind, picture, words, amount = null) {
  const row = el(`div.extra${kind && `.${kind}`}`, {}, icon(picture), el("span", {}, words));
  if (amount !== null) row.append(el("b.figures", {}, moneyText(amount)));
  return row;
}

/** Say why a line may not be sold, with the one thing to do. */
function stoppedRow({ stopped, product: { name } }) {
  const row = extra("warn", "exclamation-triangle", say(`${stopped}-line`)), out = el("button.btn.btn-quiet", { "aria-label": say("take-out-of", { name }) }, say("take-out"));
  out.dataset.act = "remove";
  row.append(out);
  return row;
}

function depositRow({ name, qty, total }) {
  const row = el("div.extra.deposit", {}, icon("arrow-path"), el("span", {}, `${qty} × ${name}`), el("b.figures"));
  showMoney(row.lastChild, total);
  return row;
}

/** Tell whether a customer has a tab: owes something, or may. */
export const hasTab = (customer) => Boolean(customer.tab_left_minor || customer.tab_balance_minor);

/** Write what a customer has: points, and what is on the tab and left of it; nothing of what there is none of. */
export function standingText(customer) {
  return [
    Boolean(customer.member || customer.points) && say("points-have", { n: customer.points ?? 0 }),
    customer.points_to_confirm && say("points-unconfirmed"),
    hasTab(customer) && say("tab-left", { owes: moneyText(customer.tab_balance_minor ?? 0), left: moneyText(customer.tab_left_minor ?? 0) }),
  ].filter(Boolean).join(" · ");
}
