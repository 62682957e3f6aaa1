// F10: everything a counter needs now and then. And F3: what does it cost, without selling it.

import { ask, sentence } from "./api.js";
import { newId } from "../common/ids.js";
import { csrfToken } from "../common/token.js";
import { choices, el, field, go, icon, list } from "./dom.js";
import { moneyText, showMoney } from "./money.js";
import { reasons, say, settings } from "./settings.js";
import { backButton, sheet } from "./sheet.js";
import { eachText, qtyText, reasonText } from "./words.js";


/**
 * Show the menu.
 * @param {import("./till.js").Till} actions
 * @param {import("./basket.js").Basket} basket
 */
export function openMore(actions, basket) {
  /** @type {(picture: string, words: string, run: () => unknown, key?: string) => HTMLElement} */
  const act = (picture, words, run, key = "") => el("button.more-tile", { onclick: () => { sheet.close(); run(); } }, icon(picture), el("span", {}, words), key && el("kbd", { "aria-hidden": "true" }, key));
  /** @type {(picture: string, words: string, href: string) => HTMLElement | ""} */
  const link = (picture, words, href) => href && el("a.more-tile", { href }, icon(picture), el("span", {}, words));
  const { urls } = settings;
  sheet.open({
    title: say("more-title"), wide: true, foot: backButton(),
    body: el("div.more-tiles", {},
      act("arrow-uturn-left", say("return-title"), () => actions.receipts.find("back")),
      basket.practice ? null : act("receipt-percent", say("receipts"), () => actions.receipts.find("print")),
      act("magnifying-glass", say("lookup-title"), () => lookUp(actions), "F3"),
      basket.practice ? null : act("pause-circle", say("parked-list"), () => actions.parking.list(), "F4"),
      actions.catalogue.deposits().length ? act("arrow-path", say("empties"), () => actions.empties()) : null,
      basket.practice ? null : act("star", say("favorites"), () => actions.favorites()),
      act("plus", say("custom-item"), () => actions.customItem()),
      act("user", say("customer"), () => actions.customer()),
      act("ticket", say("coupon"), () => actions.coupons()),
      act("pencil-square", say("sale-note"), () => actions.saleNote()),
      basket.isEmpty() ? null : act("tag", say("discount-all"), () => actions.discountAll()),
      basket.isEmpty() ? null : act("trash", say("void"), () => actions.parking.giveUp()),
      basket.practice ? null : act("inbox", say("drawer-title"), () => openDrawer(actions)),
      settings.may.includes("over_short") && link("chart-bar", say("x-report"), urls.x_report),
      settings.may.includes("shift") && link("banknotes", say("cash-in-out"), urls.money),
      link("arrows-right-left", say("hand-over"), urls.hand_over),
      act("tv", say("customer-display"), () => window.open(urls.display, "cornerstore-display", "popup,width=1024,height=768")),
      settings.may.includes("practice") && act("academic-cap", say(basket.practice ? "practice-leave" : "practice-begin"), () => actions.practice(!basket.practice)),
      act("sun", say("look"), chooseLook),
      act("question-mark-circle", say("keys"), () => actions.help(), "?"),
      link("magnifying-glass", say("find"), urls.find),
      link("squares-2x2", say("all-places"), urls.more)),
  });
}

/**
 * Show price, what is left and the codes of a product; nothing is sold.
 * @param {Pick<import("./till.js").Till, "catalogue">} actions
 */
export function lookUp(actions) {
  const { catalogue } = actions;
  const asked = field("lookup-text", say("lookup-search"), { oninput: () => show(asked.input.value) });
  const answer = el("div.lookup", { role: "status" });
  let asking = 0;
  const rows = list(say("products"), say("lookup-none"));
  const card = (/** @type {Product} */ product, label = "") => {
    asking += 1;
    const price = el("p.done-change.figures");
    if (product.price_typed) price.textContent = say("price-typed");
    else showMoney(price, product.price_minor);
    answer.replaceChildren(el("h3", {}, product.name), el("p.muted", {}, [product.brand, product.pack_text, product.department || product.category].filter(Boolean).join(" · ")),
      price, el("p.muted", {}, [product.stock_unit === "each" ? "" : eachText(product), product.minimum_age && say("age-from", { age: product.minimum_age }), (product.codes ?? []).map(([code]) => code).slice(0, 2).join(", ")].filter(Boolean).join(" · ")));
    if (settings.may.includes("stock.look")) answer.append(el("a.btn.btn-quiet", { href: `${settings.urls.product_pages}${encodeURIComponent(product.sku)}#price` }, icon("tag"), el("span", {}, say("product-page"))));
    rows.fill([]);
    rows.none.hidden = true;
    if (!label) askMore(product.sku);
  };
  /** What only the server knows: today's offers, how much is left, and where it lies. */
  const askMore = async (/** @type {string} */ code) => {
    const n = asking = asking + 1;
    try {
      /** @type {Hit & { offers: string[], available: number, places: { words: string, qty: number }[] }} */
      const told = await ask("GET", `${settings.urls.look_up}/${encodeURIComponent(code)}`);
      if (n !== asking) return;
      if (told.amount_minor) answer.append(el("p", {}, say("label-says", { amount: moneyText(told.amount_minor), qty: qtyText(told.product, told.qty) })));
      if (told.offers.length) answer.append(el("p.saving", {}, icon("tag"), el("span", {}, told.offers.join(" · "))));
      answer.append(el("p.muted", {}, say("stock-left", { n: qtyText(told.product, told.available) })));
      if (told.places.length) answer.append(el("ul.places", {}, told.places.map((place) => el("li", {}, el("span", {}, place.words), el("b.figures", {}, qtyText(told.product, place.qty))))));
    } catch { /* the price stands without it */ }
  };
  const show = (/** @type {string} */ text) => {
    const hit = text && catalogue.find(text.trim());
    if (hit) return card(hit.product);
    answer.replaceChildren();
    const found = catalogue.search(text).slice(0, 8);
    rows.fill(found.map((product) => el("li", {}, el("button.row-button", { onclick: () => card(product) }, el("span.row-main", {}, el("b", {}, product.name), el("span.muted", {}, product.pack_text ?? "")), el("b.figures", {}, moneyText(product.price_minor))))));
    rows.none.hidden = !text.trim() || found.length > 0;
  };
  const scanned = async (/** @type {string} */ code) => {
    asked.input.value = code;
    if (catalogue.find(code)) return show(code);
    try {
      /** @type {Hit} */
      const hit = await ask("GET", `${settings.urls.scan}/${encodeURIComponent(code)}`);
      card(hit.product, code);
      askMore(code);
    } catch (fault) { sheet.complain(sentence(fault)); }
  };
  sheet.open({
    title: say("lookup-title"), wide: true, focus: asked.input, body: [asked.root, answer, rows.root],
    foot: backButton(), onScan: scanned,
    onEnter: () => { const [first] = catalogue.search(asked.input.value); if (first) card(first); else scanned(asked.input.value.trim()); },
  });
}

/** Light, dark, or as the device: kept for this browser, and put on at once. */
function chooseLook() {
  const root = document.documentElement;
  const wear = async (/** @type {string} */ look) => {
    root.dataset.look = look;
    await fetch(settings.urls.look, { method: "POST", redirect: "manual", headers: { "X-CSRF-Token": csrfToken() }, body: new URLSearchParams({ look }) })
      .catch(() => sheet.complain(say("no-answer")));
  };
  /** @type {[value: string, words: string, picture: string][]} */
  const rows = [["light", say("look-light"), "sun"], ["dark", say("look-dark"), "moon"], ["auto", say("look-auto"), "computer-desktop"]];
  sheet.open({ title: say("look"), body: choices(say("look"), rows, wear, root.dataset.look), foot: backButton() });
}

/**
 * Open the drawer without a sale: why is asked, and it is written down.
 * @param {import("./till.js").Till} actions
 */
function openDrawer(actions) {
  const id = newId();
  let why = "";
  const open = async () => {
    if (!why) return sheet.complain(say("reason-needed"));
    const send = (/** @type {string[]} */ approvals) => ask("POST", settings.urls.drawer, { id, till_id: settings.till_id, why, approvals });
    if (!(await actions.withLeave("no_sale", say("drawer-leave", { why: reasonText(why) }), {}, send, id))) return;
    sheet.close();
    actions.tell(say("drawer-open"));
  };
  sheet.open({
    title: say("drawer-title"), body: [el("p.muted", {}, say("drawer-lead")), choices(say("why"), reasons("drawer-"), (value) => { why = value; sheet.quieten(); })],
    foot: [backButton(), go(say("drawer-go"), open)], onEnter: open,
  });
}

