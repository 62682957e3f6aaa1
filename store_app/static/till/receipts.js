// Earlier receipts: found by number, by scanning the receipt, by day or by product; printed again, or brought back.

import { Refusal, ask, sentence } from "./api.js";
import { askNumber } from "./dialogs.js";
import { all, one } from "../common/dom.js";
import { choices, el, field, go, icon, list, note, quiet, titled } from "./dom.js";
import { divideHalfUp, lineTotal, moneyText, showMoney } from "./money.js";
import { newId } from "../common/ids.js";
import { reasons, say, settings, tenderOf } from "./settings.js";
import { backButton, sheet } from "./sheet.js";
import { qtyText, whenText } from "./words.js";

/** @param {string} tender */
const wayBack = (tender) => tenderOf(tender).off;
/** @param {string} spot */
const offered = (spot) => settings.tenders.filter(({ at }) => at.includes(spot)).map(({ name, label, icon: picture }) => /** @type {[string, string, string]} */ ([name, label, picture]));
/** @param {Way} way */
const partOf = ({ tender, amount_minor: amount, given_up_minor: lost, how }) => el("p.back-part.figures", {},
  el("span", {}, how === "given" ? say("given-before", { tender: wayBack(tender) }) : how === "hand" && tenderOf(tender).pane === "card" ? say("card-by-hand") : wayBack(tender)), el("b", {}, moneyText(amount - lost)));
/**
 * Tell whether a part's way is settled, whatever is chosen: back to its account, or given by a terminal already.
 * @param {Way} way
 */
const isSettled = ({ how }) => how === "account" || how === "given";
/**
 * Price a line at a price of one unit.
 * @param {Line} line
 * @param {number} price
 */
const worth = (line, price) => lineTotal({ ...line.product, price_minor: price }, line.qty);
/**
 * The price a unit is given back for without a receipt: what it costs today, an offer taken off.
 * @param {Line} line
 */
const blindPrice = (line) => {
  let price = line.price_minor ?? line.product.price_minor;
  if (worth(line, price) > line.total) price = Math.floor(price * line.total / worth(line, price));
  while (price > 0 && worth(line, price) > line.total) price -= 1;
  return price;
};
const SOON_MS = 150;
/** Reasons whose products go to the bin by default. */
const SPOILT = ["back-broken", "back-expired", "back-recalled"];

/**
 * The ids of a return and of what terminals give back for it, made once.
 * @typedef {{ sale: string, payments: Map<string, string> }} Ids
 *
 * What of a receipt comes back.
 * @typedef {{ n: number, qty: number, restock: boolean }[]} Stated
 */

/**
 * Let a person choose why goods come back; what is spoilt then goes into the bin wherever nobody chose a place.
 * @param {(why: string) => unknown} onWhy
 */
const whyBack = (onWhy) => choices(say("why"), reasons("back-"), (why) => {
  onWhy(why);
  sheet.quieten();
  const place = SPOILT.includes(why) ? "no" : "yes";
  for (const where of all(document, "[data-where]:not([data-chosen])")) {
    one(where, `[data-value=${place}]`).click();
    delete where.dataset.chosen;
  }
});
/**
 * Let a person choose where goods go that come back.
 * @param {string} label
 * @param {(restock: boolean) => unknown} onWhere
 */
const whereTo = (label, onWhere) => {
  const where = choices(label, [["yes", say("to-shelf")], ["no", say("to-waste")]], (value) => { where.dataset.chosen = ""; onWhere(value === "yes"); }, "yes");
  where.dataset.where = "";
  return where;
};

export class Receipts {
  timer = 0;
  n = 0;

  /**
   * @param {import("./basket.js").Basket} basket
   * @param {import("./lines.js").Lines} view
   * @param {Pick<import("./till.js").Till, "catalogue" | "withLeave" | "returned">} actions
   */
  constructor(basket, view, actions) {
    this.basket = basket;
    this.view = view;
    this.actions = actions;
  }

  /**
   * Find a receipt; `purpose` is 'print' or 'back'.
   * @param {'print' | 'back'} purpose
   */
  find(purpose) {
    const text = field("receipt-text", say("receipt-search"), { oninput: () => soon() });
    const day = field("receipt-day", say("day"), { type: "date" });
    const rows = list(say("receipts"), say("receipt-none"));
    const look = () => this.#look(text.input.value.trim(), day.input.value, rows, purpose);
    const soon = () => { clearTimeout(this.timer); this.timer = setTimeout(look, SOON_MS); };
    day.input.addEventListener("change", look);
    const blind = purpose === "back" && el("button.btn.btn-quiet.btn-lg", { onclick: () => this.blind() }, icon("question-mark-circle"), el("span", {}, say("without-receipt")));
    sheet.open({
      title: say(purpose === "back" ? "return-title" : "receipts"), wide: true, focus: text.input,
      body: [el("div.two.narrow-second", {}, text.root, day.root), rows.root], foot: [backButton(), blind],
      onEnter: look, onScan: (code) => { text.input.value = code; look(); },
    });
    look();
  }

  /**
   * @param {string} text
   * @param {string} day
   * @param {ReturnType<typeof list>} rows
   * @param {'print' | 'back'} purpose
   */
  async #look(text, day, rows, purpose) {
    const n = this.n += 1;
    const query = new URLSearchParams();
    const sku = text && this.actions.catalogue.find(text)?.product.sku || "";
    if (sku) query.set("sku", sku);
    else if (/^\d{1,7}$/.test(text)) query.set("no", text);
    else if (text) query.set("text", text);
    if (day) query.set("day", day);
    try {
      /** @type {{ sales: ListedSale[] }} */
      const { sales } = await ask("GET", `${settings.urls.receipts}?${query}`);
      if (n !== this.n) return;
      sheet.quieten();
      rows.fill(sales.map((sale) => this.#row(sale, purpose, sku)));
    } catch (fault) { if (n === this.n) sheet.complain(sentence(fault)); }
  }

  /**
   * @param {ListedSale} sale
   * @param {'print' | 'back'} purpose
   * @param {string} sku
   */
  #row(sale, purpose, sku) {
    const act = () => (purpose === "back" ? this.bringBack(sale, sku) : this.#show(sale));
    return el("li", {}, el("button.row-button", { onclick: act }, icon(purpose === "back" ? "arrow-uturn-left" : "document-text"),
      el("span.row-main", {}, el("b.figures", {}, say("receipt-short", { n: sale.receipt_no })),
        el("span.muted", {}, [whenText(sale.completed_at), sale.till_id, sale.cashier_name].filter(Boolean).join(" · "))),
      el("b.figures", {}, moneyText(sale.total_minor))));
  }

  /**
   * Show a receipt before a copy of it is printed, or what of it comes back is chosen.
   * @param {ListedSale} sale
   */
  async #show(sale) {
    try {
      /** @type {{ lines: string[] }} */
      const { lines } = await ask("GET", `${settings.urls.receipts}/${sale.id}/text`);
      sheet.open({
        title: say("receipt-short", { n: sale.receipt_no }), body: el("pre.receipt-text", { tabindex: "0" }, lines.join("\n")),
        foot: [backButton(), quiet(say("return-title"), () => this.bringBack(sale), "arrow-uturn-left"), go(say("print-copy"), () => this.reprint(sale))],
      });
    } catch (fault) { sheet.complain(sentence(fault)); }
  }

  /** @param {ListedSale} sale */
  async reprint(sale) {
    if (!settings.prints) return sheet.complain(say("printer-none-words"));
    try {
      const answer = await ask("POST", `${settings.urls.receipts}/${sale.id}/reprint`, {});
      sheet.close();
      this.view.tell(say("reprinted", { n: sale.receipt_no, copy: answer.copy_no }));
    } catch (fault) { sheet.complain(sentence(fault)); }
  }

  /**
   * Choose what of a receipt comes back, and how; money back at once, or into the basket as an exchange.
   *
   * What is scanned meanwhile is one more of its product; `sku` is the product the receipt was found by.
   * @param {ListedSale} sale
   * @param {string} [sku]
   */
  async bringBack(sale, sku = "") {
    /** @type {{ lines: Returnable[], tenders: Record<string, number> }} */
    let found;
    try {
      found = await ask("GET", `${settings.urls.sales}/${sale.id}/returnable`);
    } catch (fault) { return sheet.complain(sentence(fault)); }
    /** @type {Map<number, Back>} */
    const chosen = new Map();
    const due = el("output.panel-due.figures"), give = el("span.figures"), parts = el("div.back-parts", { role: "status" });
    const changed = () => { sheet.quieten(); plan(); };
    const choosable = found.lines.filter((line) => line.deposit_of === null).map((line) => this.#lineOf(sale, line, found.lines.find((other) => other.deposit_of === line.n), chosen, changed, () => { open(); changed(); }));
    const rows = choosable.map(({ row }) => row);
    const picked = () => [...chosen.values()].filter((row) => row.qty > 0);
    let why = "";
    const ways = offered("return"), [paid, ...others] = Object.keys(found.tenders);
    let tender = !others.length && ways.some(([name]) => name === paid) ? paid ?? null : null;
    /** @type {Ids} */
    const ids = { sale: newId(), payments: new Map() }; // made once: pressed twice it is one return
    const stated = () => picked().map(({ n, qty, restock }) => ({ n, qty, restock }));
    let asked = 0;
    /** Let the node say how the money goes back, and show it; gives null where it cannot. */
    const plan = async () => {
      const n = asked += 1;
      const told = picked().length ? await this.#plan(ids, sale, stated(), tender ?? "cash") : null;
      if (n !== asked) return null;
      const givenUp = told?.ways.reduce((sum, way) => sum + way.given_up_minor, 0) ?? 0, back = (told?.total_minor ?? 0) - givenUp;
      how.hidden = told !== null && told.ways.length > 0 && told.ways.every(isSettled);
      showMoney(due, back);
      give.textContent = back ? moneyText(back) : "";
      parts.replaceChildren(...(told && (tender || how.hidden || told.ways.length > 1) ? told.ways.filter((way) => way.amount_minor > way.given_up_minor).map(partOf) : []),
        ...(givenUp ? [note("warn", say("given-up-part", { amount: moneyText(givenUp) }))] : []));
      return told;
    };
    const how = titled(say("how-back"), choices(say("how-back"), ways, (value) => { tender = value; changed(); }, tender));
    const money = async () => {
      if (!picked().length) return sheet.complain(say("choose-lines"));
      if (!why) return sheet.complain(say("reason-needed"));
      const planned = await plan();
      if (!planned) return;
      if (!tender && !planned.ways.every(isSettled)) return sheet.complain(say("choose-tender"));
      const id = ids.sale = planned.return_id;
      const lines = stated();
      const send = async (/** @type {string[]} */ approvals) => {
        if (!this.basket.practice) await this.#moneyBack(sale, planned.ways, ids, lines, approvals);
        return ask("POST", settings.urls.returns, {
          id, till_id: settings.till_id, sale_id: sale.id, lines, tender: tender ?? "cash", why, approvals,
          ...(this.basket.practice ? { practice: true } : {}),
        });
      };
      const amount = planned.total_minor;
      /** @type {Covers} */
      const covers = { sale_id: sale.id, amount_minor: amount, lines: picked().map(({ n, qty }) => [String(n), qty, 0]) };
      const done = await this.actions.withLeave("take_back", say("back-leave", { n: sale.receipt_no, amount: moneyText(amount) }), covers, send, id);
      if (done) this.#done(done, planned.ways);
    };
    const exchange = () => {
      if (!picked().length) return sheet.complain(say("choose-lines"));
      if (this.basket.broughtBack.some((row) => row.sale_id !== sale.id)) return sheet.complain(say("one-receipt"));
      this.basket.bringBack(picked());
      sheet.close();
      this.view.tell(say("exchange-go-on"));
    };
    const button = go(say("give-money-back"), money);
    button.append(" ", give); // on a phone the sum itself lies below the edge
    const oneMore = (/** @type {string | undefined} */ wanted) => {
      const there = choosable.filter((one) => one.sku === wanted);
      const line = there.find(({ isAll }) => !isAll()) ?? there[0];
      return line ? line.add() : sheet.complain(say("not-on-receipt"));
    };
    const open = () => sheet.open({
      title: say("return-of", { n: sale.receipt_no }), wide: true,
      body: [el("ul.rows.back-rows", { "aria-label": say("lines-of-receipt") }, rows),
        titled(say("why"), whyBack((value) => { why = value; })), how, el("div.sum-total", {}, el("span", {}, say("to-give-back")), due), parts],
      foot: [backButton(), quiet(say("exchange"), exchange, "arrows-right-left"), button],
      onScan: (code) => oneMore(this.actions.catalogue.find(code)?.product.sku),
    });
    open();
    const [sole, second] = choosable;
    if (sku) oneMore(sku);
    else if (sole?.left === 1 && !second) sole.add();
    else changed();
  }

  /**
   * Ask how the money would go back; one that a terminal has not answered for is asked after first.
   * @param {Ids} ids
   * @param {ListedSale} sale
   * @param {Stated} lines
   * @param {string} tender
   * @returns {Promise<Plan | null>}
   */
  async #plan(ids, sale, lines, tender) {
    const wanted = () => ask("POST", `${settings.urls.returns}/plan`, { id: ids.sale, sale_id: sale.id, lines, tender });
    try {
      return await wanted().catch(async (fault) => {
        if (!(fault instanceof Refusal) || fault.code !== "give-back-open") throw fault;
        await ask("GET", `${settings.urls.payments}/${fault.facts.payment_id}`, undefined, 30_000);
        return wanted();
      });
    } catch (fault) {
      sheet.complain(sentence(fault));
      return null;
    }
  }

  /**
   * Have every terminal and wallet that took money give its part back.
   * @param {ListedSale} sale
   * @param {Way[]} ways
   * @param {Ids} ids
   * @param {Stated} lines
   * @param {string[]} approvals
   */
  async #moneyBack(sale, ways, ids, lines, approvals) {
    for (const { payment_id: taken, amount_minor: amount } of ways.filter(({ how }) => how === "ask")) {
      if (!ids.payments.has(taken)) ids.payments.set(taken, newId());
      const back = await ask("POST", `${settings.urls.payments}/${taken}/give-back`, {
        id: ids.payments.get(taken), return_id: ids.sale, sale_id: sale.id, lines, till_id: settings.till_id, amount_minor: amount, approvals,
      }, 30_000);
      if (back.state === "captured") continue;
      if (back.state === "unknown" || back.state === "requested") throw new Error(say("reverse-unknown"));
      ids.payments.delete(taken); // that answer is final: asked again it is another request
      throw new Error(say("declined", { why: back.reason || say("no-reason") }));
    }
  }

  /**
   * @param {ListedSale} sale
   * @param {Returnable} line
   * @param {Returnable | undefined} deposit
   * @param {Map<number, Back>} chosen
   * @param {() => unknown} changed
   * @param {() => unknown} reopen
   */
  #lineOf(sale, line, deposit, chosen, changed, reopen) {
    const left = line.left ?? line.qty - (line.returned ?? 0), each = line.stock_unit === "each";
    const key = () => askNumber({ name: line.name, stock_unit: line.stock_unit, price_minor: line.unit_price_minor, price_quantity: line.price_quantity },
      (qty) => (qty > left ? say("back-most", { left: each ? left : qtyText(line, left) }) : set(qty)), { onLeave: reopen });
    const shown = el("button.tool.figures.back-qty", { "aria-label": say("quantity-of", { name: line.name, qty: "0" }), onclick: key }, "0");
    /** @type {Back} */
    const row = { sale_id: sale.id, n: line.n, qty: 0, restock: true, name: line.name, stock_unit: line.stock_unit, receipt_no: sale.receipt_no, total: 0, qty_text: "" };
    const set = (/** @type {number} */ qty) => {
      row.qty = Math.max(0, Math.min(left, qty));
      row.total = -divideHalfUp((line.total_minor + (deposit?.total_minor ?? 0)) * row.qty, line.qty); // its deposit comes back with it
      row.qty_text = each ? `−${row.qty} ×` : `−${qtyText(line, row.qty)}`;
      shown.textContent = each ? String(row.qty) : qtyText(line, row.qty);
      shown.setAttribute("aria-label", say("quantity-of", { name: line.name, qty: shown.textContent }));
      if (row.qty) chosen.set(line.n, row);
      else chosen.delete(line.n);
      changed();
    };
    const where = whereTo(say("where-to", { name: line.name }), (restock) => { row.restock = restock; });
    const step = each ? 1 : left;
    const shownRow = el("li.back-row", { class: "back-row" }, el("span.row-main", {}, el("b", {}, line.name), el("span.muted.figures", {}, left ? say("can-come-back", { left: each ? left : qtyText(line, left), qty: each ? line.qty : qtyText(line, line.qty), amount: moneyText(line.total_minor + (deposit?.total_minor ?? 0)) }) : say("all-came-back"))),
      left ? el("span.stepper-wide", {}, el("button.tool", { "aria-label": say("less", { name: line.name }), onclick: () => set(row.qty - step) }, icon("minus")), shown,
        el("button.tool", { "aria-label": say("more", { name: line.name }), onclick: () => set(row.qty + step) }, icon("plus"))) : null, left ? where : null);
    return { row: shownRow, sku: line.sku, left, add: () => set(row.qty + step), isAll: () => row.qty === left };
  }

  /** Take goods back that nobody has the receipt of: what is in the basket, at the shelf's price or a typed one. */
  blind() {
    const lines = this.basket.lines().filter((line) => line.qty > 0);
    if (!lines.length) return sheet.complain(say("blind-empty"));
    let why = "", restock = true;
    /** @type {string | null} */
    let tender = null;
    const id = newId();
    const stated = lines.map((line) => ({ line, price: blindPrice(line) })), total = stated.reduce((sum, { line, price }) => sum + worth(line, price), 0);
    const give = async () => {
      if (!why) return sheet.complain(say("reason-needed"));
      if (!tender) return sheet.complain(say("choose-tender"));
      const body = { id, till_id: settings.till_id, tender, why, ...(this.basket.practice ? { practice: true } : {}),
        lines: stated.map(({ line, price }) => ({ sku: line.sku, qty: line.qty, price_minor: price, restock })) };
      /** @type {Covers} */
      const covers = { lines: body.lines.map(({ sku, qty, price_minor }) => [sku, qty, price_minor]) };
      const done = await this.actions.withLeave("take_back.blind", say("blind-leave", { amount: moneyText(total) }), covers, (/** @type {string[]} */ approvals) => sheet.hold(() => ask("POST", `${settings.urls.returns}/blind`, { ...body, approvals })), id);
      if (!done) return;
      this.basket.next();
      this.#done(done);
    };
    sheet.open({
      title: say("without-receipt"), wide: true,
      body: [el("p.muted", {}, say("blind-lead")), el("ul.rows", {}, stated.map(({ line, price }) => el("li.back-row", {}, el("span.row-main", {}, el("b", {}, line.product.name), el("span.muted", {}, qtyText(line.product, line.qty))), el("b.figures", {}, moneyText(-worth(line, price)))))),
        whereTo(say("where-all"), (value) => { restock = value; }),
        titled(say("why"), whyBack((value) => { why = value; })),
        titled(say("how-back"), choices(say("how-back"), offered("blind"), (value) => { tender = value; sheet.quieten(); }))],
      foot: [backButton(), go(say("give-money-back"), give)],
    });
  }

  /**
   * Say what was given back; `ways` as planned, for what a person still has to do.
   * @param {Sale} sale
   * @param {Way[]} [ways]
   */
  #done(sale, ways = []) {
    const voucher = sale.document?.vouchers?.[0];
    const figure = el("p.done-change.figures");
    showMoney(figure, Math.abs(sale.total_minor));
    this.actions.returned();
    sheet.open({
      title: say("given-back"),
      body: [figure, sale.rounding_minor ? el("p.muted", {}, say("rounding", { amount: moneyText(sale.rounding_minor) })) : null,
        ...(sale.document?.payments ?? []).map((paid) => el("p.back-part.figures", {}, el("span", {}, wayBack(paid.tender)), el("b", {}, moneyText(Math.abs(paid.amount_minor))))),
        ...ways.filter(({ how, tender }) => how === "hand" && tenderOf(tender).pane === "card").map((way) => el("p.note", {}, icon("credit-card"), el("span", {}, say("by-hand", { amount: moneyText(way.amount_minor) })))),
        voucher ? el("p.code-large", {}, voucher.code) : null, el("p.muted.figures", {}, say("receipt-no", { n: sale.receipt_no, total: moneyText(sale.total_minor) }))],
      foot: el("button.btn.btn-go.btn-lg", { onclick: () => sheet.close() }, say("close")),
      onEnter: () => sheet.close(),
    });
  }
}
