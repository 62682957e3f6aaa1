// The right of the till: the basket's lines, what was saved and why, and the total. A row is touched only when what it
// shows has changed, so a scan paints one row however long the basket is; the tools of the active line come after it.

import { isWeighed } from "./catalogue.js";
import { around, one, percent } from "../common/dom.js";
import { el, icon, stencil } from "./dom.js";
import { afterPaint } from "../common/later.js";
import { moneyText, showMoney, unreduced } from "./money.js";
import { $, say } from "./settings.js";
import { soundBad } from "../common/sound.js";
import { eachText, qtyText, reasonText } from "./words.js";

const SPOKEN_AFTER_MS = 250; // a burst of scans is spoken once, at its end
const TOOLS = { less: "less", more: "more", remove: "remove", discount: "discount-of", price: "price-of", note: "note-of" };

/**
 * What a line of the basket, or its parts, ask the till to do.
 * @typedef {Pick<import("./till.js").Till, "rest" | "customer" | "coupons" | "saleNote" | "keepBack"> & Record<"less" | "more" | "qty" | "discount" | "price" | "note" | "remove", (line: Line) => unknown>} LineActions
 */

/** @typedef {[words: string, act: () => unknown]} Offer */

export class Lines {
  /**
   * By its line, a row and the state it shows.
   * @type {Map<string, { row: HTMLElement, state: string }>}
   */
  rows = new Map();
  /** @type {import("./quoting.js").QuoteState} */
  quoteState = "ready";
  quoteWords = "";
  attachedState = "";
  speaking = 0;
  /**
   * The row that was touched last.
   * @type {HTMLElement | undefined}
   */
  fresh = undefined;
  /**
   * Whose tools they are.
   * @type {Product | undefined}
   */
  toolsOf = undefined;

  /**
   * @param {import("./basket.js").Basket} basket
   * @param {LineActions} actions
   */
  constructor(basket, actions) {
    this.basket = basket;
    this.actions = actions;
    this.tools = stencil("tools-stencil");
    $("lines").addEventListener("click", (event) => this.#clicked(event));
  }

  // --- drawing ---

  /** @param {Changed} [changed] */
  show(changed = {}) {
    const lines = this.basket.lines(), deposits = this.basket.deposits();
    /** @type {Map<string, Line | Back>} */
    const wanted = new Map(lines.map((line) => [line.id, line]));
    for (const row of this.basket.broughtBack) wanted.set(`back-${row.sale_id}-${row.n}`, row);
    for (const [id, { row }] of this.rows) {
      if (wanted.has(id)) continue;
      if (row.contains(document.activeElement)) this.actions.rest();
      row.remove();
      this.rows.delete(id);
    }
    /** @type {Element | null} */
    let before = null;
    for (const [id, line] of wanted) {
      const row = "sale_id" in line ? this.#showBack(id, line) : this.#showLine(line, deposits.filter((deposit) => deposit.of === id));
      if (row.previousElementSibling !== before) $("lines").insertBefore(row, before ? before.nextElementSibling : $("lines").firstElementChild);
      before = row; // a line that was put back stands where it stood
    }
    this.#showSum(lines);
    this.#showAttached();
    this.#announce(changed);
    afterPaint("tools", () => requestAnimationFrame(() => this.#follow())); // in a frame of its own
  }

  /**
   * @param {Line} line
   * @param {Deposit[]} deposits
   */
  #showLine(line, deposits) {
    const active = line.id === this.basket.active, { stopped } = line, isGone = stopped === "gone";
    const state = JSON.stringify([line.qty, line.shown, line.quoted, line.note, line.reason, line.price_minor, line.discount_bp, line.discount_minor, line.batch, line.expires_on, line.labelled, active, stopped, deposits, line.product.price_minor]);
    const known = this.rows.get(line.id);
    if (known?.state === state) return known.row;
    const { product, qty } = line, row = known?.row ?? stencil("line-stencil");
    if (!known) {
      row.dataset.line = line.id;
      one(row, ".line-name").textContent = product.name;
      $("lines").append(row);
    }
    this.rows.set(line.id, { row, state });
    const weighed = isWeighed(product);
    row.classList.toggle("active", active);
    row.classList.toggle("stopped", Boolean(stopped));
    one(row, ".line-main").setAttribute("aria-expanded", String(active));
    one(row, ".line-qty").textContent = weighed ? qtyText(product, qty) : `${qty} ×`;
    one(row, ".line-each").textContent = isGone ? "" : weighed ? eachText(product) : [product.pack_text, eachText(product, line.price_minor ?? product.price_minor)].filter(Boolean).join(" · ");
    if (isGone) one(row, ".line-total").textContent = "–";
    else showMoney(one(row, ".line-total"), line.shown);
    const before = unreduced(line);
    one(row, ".line-was").textContent = before === line.shown ? "" : moneyText(before);
    one(row, ".line-extras").replaceChildren(...this.#extras(line), ...deposits.map(depositRow));
    return row;
  }

  /** Do what follows a line: its highlight, and the tools of the active one; both once, where a burst of scans ends. */
  #follow() {
    this.fresh?.classList.add("fresh");
    this.#showTools();
  }

  #showTools() {
    const line = this.basket.line(this.basket.active), row = (line && this.rows.get(line.id)?.row) ?? null, { tools } = this;
    const moves = tools.parentElement !== row;
    if (moves && tools.contains(document.activeElement)) this.actions.rest();
    if (!line || !row) return tools.remove();
    const { product, qty } = line, shown = qtyText(product, qty), number = one(tools, ".qty");
    if (this.toolsOf !== product) for (const [act, words] of Object.entries(TOOLS)) one(tools, `[data-act="${act}"]`).setAttribute("aria-label", say(words, { name: product.name }));
    this.toolsOf = product;
    number.textContent = shown;
    number.setAttribute("aria-label", say("quantity-of", { name: product.name, qty: shown }));
    one(tools, ".less").hidden = one(tools, ".more").hidden = isWeighed(product) || Boolean(line.labelled);
    for (const act of ["discount", "price"]) one(tools, `[data-act="${act}"]`).hidden = product.kind === "deposit"; // empties come back at it
    if (!moves) return;
    row.append(tools);
    row.scrollIntoView({ block: "nearest" });
  }

  /**
   * What stands under a line: offers and discounts with their names, another price, a note, batch and date.
   * @param {Line} line
   */
  #extras(line) {
    /** @type {HTMLElement[]} */
    const rows = [];
    const { product, quoted } = line;
    if (line.stopped) rows.push(stoppedRow(line));
    for (const offer of quoted?.offers ?? []) rows.push(extra("saving", "tag", offer.name, offer.amount_minor));
    if (quoted?.unmarked) rows.push(extra("warn", "exclamation-triangle", say("unmarked", { qty: isWeighed(product) ? qtyText(product, quoted.unmarked) : quoted.unmarked })));
    const manual = quoted?.manual_minor ?? 0;
    if (line.discount_bp || line.discount_minor) {
      const how = line.discount_bp ? `−${percent(line.discount_bp)}` : say("discount");
      rows.push(extra("saving", "tag", [how, reasonText(line.reason)].filter(Boolean).join(" · "), manual || null));
    }
    if (line.price_minor !== null && !product.isGone && !product.price_typed && line.price_minor !== product.price_minor) {
      rows.push(extra("", "pencil-square", say("price-changed", { from: moneyText(product.price_minor), why: reasonText(line.reason) })));
    }
    if (line.amount_minor !== null) rows.push(extra("", "tag", say("from-label")));
    if (line.expires_on) rows.push(extra("", "calendar-days", say("expires", { day: line.expires_on, batch: line.batch ?? "" })));
    if (line.note) rows.push(extra("", "pencil-square", line.note));
    return rows;
  }

  /**
   * @param {string} id
   * @param {Back} line
   */
  #showBack(id, line) {
    const shown = line.shown ?? line.total, known = this.rows.get(id)?.row;
    if (known) {
      showMoney(one(known, ".line-total"), shown);
      return known;
    }
    const row = stencil("back-stencil");
    row.dataset.back = JSON.stringify({ sale_id: line.sale_id, n: line.n });
    one(row, ".line-qty").textContent = line.qty_text;
    one(row, ".line-name").textContent = line.name;
    one(row, ".line-each").textContent = say(line.restock ? "back-to-shelf" : "back-to-waste", { n: line.receipt_no });
    one(row, ".keep").setAttribute("aria-label", say("keep", { name: line.name }));
    showMoney(one(row, ".line-total"), shown);
    this.rows.set(id, { row, state: "" });
    $("lines").append(row);
    return row;
  }

  /** @param {Line[]} lines */
  #showSum(lines) {
    const empty = this.basket.isEmpty(), total = this.basket.total(), saved = this.basket.saved();
    const pieces = lines.reduce((sum, { product, qty }) => sum + (isWeighed(product) ? 1 : Math.abs(qty)), 0);
    $("count").textContent = !lines.length ? "" : pieces === 1 ? say("one-line") : say("lines", { n: pieces });
    $("nothing").hidden = !empty;
    $("void-button").hidden = $("park-button").hidden = empty;
    $("refund-button").hidden = !empty;
    $("pay-button", HTMLButtonElement).disabled = empty;
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
    const { quoteState: state } = this, words = state === "pending" ? say("offers-pending") : state === "silent" ? say("offers-silent") : "";
    $("quote-state").textContent = this.basket.isEmpty() ? "" : words;
    $("quote-state").classList.toggle("state-bad", this.quoteState === "silent");
    $("pay-button").classList.toggle("stopped", this.quoteState === "refused" || this.basket.stopped().length > 0);
  }

  /**
   * Say whether the server's prices are here: pending, ready, silent or refused; the same refusal once.
   * @param {import("./quoting.js").QuoteState} state
   * @param {string} [words]
   */
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
    /** @type {HTMLElement[]} */
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

  /** @param {Changed} changed */
  #announce({ why, line }) {
    const row = line ? this.rows.get(line.id)?.row : undefined;
    if (row && (why === "added" || why === "changed")) {
      this.fresh?.classList.remove("fresh");
      this.fresh = row; // its highlight begins again
    }
    if (line && why && why !== "active") this.#speak(why, line);
    if (why === "stopped") this.rows.get(this.basket.stopped()[0]?.id ?? "")?.row.scrollIntoView({ block: "nearest" });
    else if (why !== "prices") requestAnimationFrame(() => this.rows.get(this.basket.active ?? "")?.row.scrollIntoView({ block: "nearest" }));
  }

  /**
   * @param {string} why
   * @param {NonNullable<Changed["line"]>} line
   */
  #speak(why, { id, product, qty }) {
    clearTimeout(this.speaking);
    this.speaking = setTimeout(() => {
      const total = say("total-is", { total: moneyText(this.basket.total()) });
      const said = why === "removed" ? say("removed", { name: product.name })
        : say("added", { name: product.name, qty: qtyText(product, qty), price: moneyText(this.basket.line(id)?.shown ?? 0) });
      $("announce").textContent = `${said} ${total}`;
    }, SPOKEN_AFTER_MS);
  }

  /** @param {Event} event */
  #clicked(event) {
    const row = around(event, ".line");
    if (!row) return;
    if (row.dataset.back) {
      if (around(event, ".keep")) this.actions.keepBack(JSON.parse(row.dataset.back));
      return;
    }
    const line = this.basket.line(row.dataset.line ?? ""), act = around(event, "[data-act]")?.dataset.act;
    if (!line) return;
    if (!act) return this.basket.activate(line.id);
    const { less, more, qty, discount, price, note, remove } = this.actions;
    new Map(Object.entries({ less, more, qty, discount, price, note, remove })).get(act)?.(line);
  }

  /**
   * Say what is wrong and what to do; stays until understood or until the next product is taken. `offer` puts a button
   * beside it.
   * @param {string} words
   * @param {Offer | null} [offer]
   */
  complain(words, offer = null) {
    const said = stencil("say-stencil");
    one(said, "span").textContent = words;
    if (offer) one(said, "span").after(el("button.btn.btn-go", { onclick: offer[1] }, offer[0]));
    one(said, "button.btn-quiet").addEventListener("click", () => {
      this.quieten();
      this.actions.rest();
    });
    $("says").replaceChildren(said);
    soundBad();
    $("checkout").classList.remove("flash");
    requestAnimationFrame(() => $("checkout").classList.add("flash"));
  }

  /**
   * Say something that went well; `offer` puts a button beside it.
   * @param {string} words
   * @param {Offer | null} [offer]
   */
  tell(words, offer = null) {
    $("says").replaceChildren(el("div.note.note-good", {}, el("span", {}, words), offer && el("button.btn.btn-quiet", { onclick: offer[1] }, offer[0])));
  }

  quieten() { if ($("says").firstChild) $("says").replaceChildren(); }
}

/**
 * @param {string} kind
 * @param {string} picture
 * @param {string} words
 * @param {number | null} [saved] what it saves, said in words: the line's figure has it off already
 */
function extra(kind, picture, words, saved = null) {
  const row = el(`div.extra${kind && `.${kind}`}`, {}, icon(picture), el("span", {}, words));
  if (saved !== null) row.append(el("b.figures", {}, say("saved", { amount: moneyText(saved) })));
  return row;
}

/**
 * Say why a line may not be sold, with the one thing to do.
 * @param {Line} line
 */
function stoppedRow({ stopped, product: { name } }) {
  const row = extra("warn", "exclamation-triangle", say(`${stopped}-line`));
  const out = el("button.btn.btn-quiet", { "aria-label": say("take-out-of", { name }) }, say("take-out"));
  out.dataset.act = "remove";
  row.append(out);
  return row;
}

/** @param {Deposit} deposit */
function depositRow({ name, qty, total }) {
  const amount = el("b.figures");
  showMoney(amount, total);
  return el("div.extra.deposit", {}, icon("arrow-path"), el("span", {}, `${qty} × ${name}`), amount);
}

/**
 * Tell whether a customer has a tab: owes something, or may.
 * @param {Customer} customer
 */
export const hasTab = (customer) => Boolean(customer.tab_left_minor || customer.tab_balance_minor);

/**
 * Write what a customer has: points, and what is on the tab and left of it; nothing of what there is none of.
 * @param {Customer} customer
 */
export function standingText(customer) {
  return [
    Boolean(customer.member || customer.points) && say("points-have", { n: customer.points ?? 0 }),
    customer.points_to_confirm && say("points-unconfirmed"),
    hasTab(customer) && say("tab-left", { owes: moneyText(customer.tab_balance_minor ?? 0), left: moneyText(customer.tab_left_minor ?? 0) }),
  ].filter(Boolean).join(" · ");
}
