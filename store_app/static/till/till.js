// The till: brings scanner, search, basket and payment together, and says when it is ready.

import { NoAnswer, Refusal, ask } from "./api.js";
import { Basket } from "./basket.js";
import { Catalogue, isWeighed } from "./catalogue.js";
import { NumberQuestion } from "./dialogs.js";
import { Foot } from "./foot.js";
import { OpenTill } from "./opening.js";
import { Pay } from "./pay.js";
import { $, say, settings } from "./settings.js";
import { soundGood } from "./sound.js";
import { View } from "./view.js";
import { listenForScans } from "./wedge.js";

const catalogue = new Catalogue();
let basket, view, pay, foot, opening, number;
let renewedAt = Date.now();
const RENEW_MS = 60_000;
const waiting = []; // scans that came while a payment was on its way

// --- taking products ---

/** Put `qty` of a product into the basket; a weighed one asks for its weight first. */
function take(product, qty) {
  if (opening.isOpen) return;
  if (isWeighed(product) && qty <= 1) {
    number.ask(product, (amount) => put(product, amount));
    return;
  }
  const refusal = put(product, qty);
  if (refusal) view.complain(refusal);
}

function put(product, qty) {
  if (!basket.add(product, qty)) return tooMany(product);
  view.quieten();
  soundGood();
  if ($("search").value) {
    $("search").value = "";
    view.showGoods();
  }
  return "";
}

const tooMany = (product) => say("too-many", { n: product.maximum_qty ?? 999, name: product.name });

/** Take a scanned or typed code; whatever is wrong with it is one sentence and never stops the next scan. */
async function takeCode(code, times = 1) {
  let hit = catalogue.find(code);
  if (!hit) {
    try {
      hit = await ask("GET", `${settings.urls.scan}/${encodeURIComponent(code)}`);
      catalogue.take(hit.product);
    } catch (fault) {
      if (fault instanceof Refusal) view.complain(fault.status === 401 ? say("signed-out") : fault.message);
      else view.complain(say("unknown-no-server", { code }));
      return;
    }
  }
  take(catalogue.bySku.get(hit.product.sku), hit.qty * times || 1);
}

function scanned(code, startedAt) {
  if (number.isOpen) $("number").close();
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
  if (!pay.interrupt(startedAt)) {
    waiting.push(code);
    return;
  }
  const times = /^(\d{1,3})\*$/.exec($("search").value.trim());
  if ($("search").value) {
    $("search").value = "";
    view.showGoods();
  }
  takeCode(code, times ? Number(times[1]) : 1);
}

/** Enter in the search field: a code, a quantity and a code, or the first product found. */
function typed() {
  const text = $("search").value.trim();
  const [, times = "1", rest] = /^(?:(\d{1,3})\s*[*×x]\s*)?(.*)$/i.exec(text);
  if (!rest) return;
  const code = rest.replaceAll(" ", "");
  if (/^\d{6,14}$/.test(code) || catalogue.find(code)) {
    $("search").value = "";
    view.showGoods();
    takeCode(code, Math.max(1, Number(times)));
    return;
  }
  const [first] = catalogue.search(rest);
  if (first) take(first, Math.max(1, Number(times)));
  else view.complain(say("nothing-found", { text: rest }));
}

// --- acting on lines ---

const actions = {
  take,
  rest() { if (matchMedia("(pointer: fine)").matches) $("search").focus(); },
  less: (product) => basket.setQty(product, basket.qtyOf(product.sku) - 1),
  more: (product) => { if (!basket.add(product, 1)) view.complain(tooMany(product)); },
  remove: (product) => basket.setQty(product, 0),
  qty: (product) => number.ask(product, (qty) => (basket.setQty(product, qty) ? "" : tooMany(product))),
  openTill: () => opening.show(),
  opened: () => foot.watch(),
  async renewPrices() {
    try {
      if (!(await catalogue.load())) return;
      view.showGoods();
      basket.refresh();
    } catch { /* the server's total stands all the same */ }
  },
  sold() {
    foot.watch();
    renewLevels();
    for (const code of waiting.splice(0)) takeCode(code);
  },
  async reprint() {
    const last = basket.last;
    const speak = pay.isOpen ? (words) => pay.paperNote(words) : null;
    if (!last) return (speak ?? ((words) => view.complain(words)))(say("no-last"));
    try {
      await ask("POST", `${settings.urls.receipts}/${last.id}/reprint`, {});
      (speak ?? ((words) => view.tell(words)))(say("reprinted", { n: last.receipt_no }));
    } catch (fault) {
      (speak ?? ((words) => view.complain(words)))(fault instanceof NoAnswer ? say("no-answer") : fault.message);
    }
  },
};

function withActive(act) {
  const product = catalogue.bySku.get(basket.active);
  if (product) act(product);
  else view.complain(say("no-line"));
}

// --- keys ---

const KEYS = {
  F2: () => { pay.close(); $("search").focus(); $("search").select(); },
  F6: () => { if (!pay.isOpen) withActive(actions.qty); },
  F8: () => (pay.isOpen ? pay.take() : pay.open()),
  F9: () => actions.reprint(),
};

function keyed(event) {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing || event.repeat && event.key.startsWith("F")) return;
  if (document.querySelector("dialog[open]") || opening.isOpen) {
    if (event.key in KEYS) event.preventDefault();
    return;
  }
  if (event.key in KEYS) {
    event.preventDefault();
    KEYS[event.key]();
    return;
  }
  if (pay.isOpen) {
    if (!$("pay").contains(document.activeElement)) $("pay").focus();
    return;
  }
  const search = $("search"), empty = !search.value, elsewhere = document.activeElement !== search;
  if (event.key === "Escape") {
    search.value = "";
    view.showGoods();
    view.quieten();
    search.focus();
  } else if (event.key === "?" && empty) open(event, () => $("help").showModal());
  else if (event.key === "ArrowDown" && !empty && !elsewhere) open(event, () => $("tiles").firstElementChild?.focus());
  else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    if (empty || elsewhere) open(event, () => basket.step(event.key === "ArrowUp" ? -1 : 1));
  } else if (!empty) return;
  else if (event.key === "Delete" && basket.active) open(event, () => withActive(actions.remove));
  else if ((event.key === "+" || event.key === "-") && basket.active) {
    open(event, () => withActive((product) => (isWeighed(product) ? actions.qty : event.key === "+" ? actions.more : actions.less)(product)));
  } else if (event.key.length === 1 && event.key !== " " && elsewhere) search.focus();
}

function open(event, act) {
  event.preventDefault();
  act();
}

// --- opening the page ---

function wire() {
  $("search-form").addEventListener("submit", (event) => open(event, typed));
  $("search").addEventListener("input", () => view.showGoods());
  $("pay-button").addEventListener("click", () => pay.open());
  $("last-receipt").addEventListener("click", () => actions.reprint());
  $("help-button").addEventListener("click", () => $("help").showModal());
  $("help-close").addEventListener("click", () => $("help").close());
  $("empty-basket").addEventListener("click", () => {
    const bringBack = basket.empty();
    view.tell(say("emptied"), [say("bring-back"), () => { bringBack(); view.quieten(); actions.rest(); }]);
    actions.rest();
  });
  for (const dialog of document.querySelectorAll("dialog")) dialog.addEventListener("close", () => { if (!pay.isOpen) actions.rest(); });
  basket.addEventListener("change", (event) => view.showBasket(event.detail));
  document.addEventListener("keydown", keyed);
  listenForScans(scanned);
}

/** Renew the dots that say what is left; they are comfort, so a missing answer leaves them as they are. */
async function renewLevels() {
  try {
    view.levels = await ask("GET", settings.urls.levels);
    if (!$("tiles").contains(document.activeElement)) view.showGoods();
  } catch { /* asked again after the next sale */ }
}

/** Follow what others do: the shift at once, prices and products once a minute. */
function follow(status) {
  opening.follow(status.shift);
  if (Date.now() - renewedAt < RENEW_MS || pay.isOpen) return;
  renewedAt = Date.now();
  actions.renewPrices();
  renewLevels();
}

async function start() {
  for (;;) {
    try {
      await catalogue.load();
      break;
    } catch (fault) {
      $("goods-note").textContent = fault instanceof Refusal ? fault.message : say("catalogue-failed");
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
  }
  basket = new Basket(catalogue);
  number = new NumberQuestion();
  view = new View(catalogue, basket, actions);
  pay = new Pay(basket, view, actions);
  opening = new OpenTill(actions);
  foot = new Foot(follow);
  wire();
  view.showGoods();
  view.showBasket({ why: "start" });
  pay.recover();
  if (!settings.shift_open) opening.show();
  else if (!pay.isOpen) actions.rest();
  foot.watch();
  document.documentElement.dataset.ready = "1";
  renewLevels();
}

start();
