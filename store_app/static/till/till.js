// The till: brings scanner, search, basket and payment together, and says when it is ready.

import { all } from "../common/dom.js";
import { Refusal, ask, sentence } from "./api.js";
import { approval } from "./approval.js";
import { Basket } from "./basket.js";
import { Catalogue } from "./catalogue.js";
import { Customers } from "./customer.js";
import { askAge, askDiscount, askEmpties, askNumber, askPrice, askWords } from "./dialogs.js";
import { Foot } from "./foot.js";
import { Goods } from "./goods.js";
import { listenForKeys } from "./keys.js";
import { afterPaint } from "../common/later.js";
import { Lines } from "./lines.js";
import { needText } from "./leave.js";
import { lookUp, openMore } from "./more.js";
import { oneWindow } from "./onetab.js";
import { OpenTill } from "./opening.js";
import { Parking } from "./parking.js";
import { Pay } from "./pay.js";
import { keepPhotos } from "./photos.js";
import { Quoting } from "./quoting.js";
import { Receipts } from "./receipts.js";
import { $, say, settings } from "./settings.js";
import { takeScans } from "../common/scans.js";
import { sheet } from "./sheet.js";
import { keep, recall } from "../common/storage.js";
import { Showing } from "./showing.js";
import { Taking, tooMany } from "./taking.js";
import { isLocked } from "../common/touched.js";
import { listenForScans } from "../common/wedge.js";

const RENEW_MS = 60_000;
const SCANS = `cornerstore.scans.${settings.store_id}.${settings.till_id}`;
const PRACTICE = `cornerstore.practice.${settings.store_id}.${settings.till_id}`;

const catalogue = new Catalogue();
const basket = new Basket(catalogue, { practice: settings.lesson || recall(PRACTICE, "sessionStorage") === "1" });
let renewedAt = Date.now();
let recallsSeen = ""; // as the status says it: what is in the basket may be called back while it stands there
/** @type {import("../camera/counter.js").CounterCamera | null} */
let counterCamera = null;

// --- what everybody may ask the till to do ---

/** @typedef {typeof till} Till */

const till = {
  catalogue,
  get parking() { return parking; },
  get receipts() { return receipts; },
  /**
   * @param {Product} product
   * @param {number} qty
   */
  take: (product, qty) => taking.take(product, qty),
  rest() { if (matchMedia("(pointer: fine)").matches && !sheet.isOpen) $("search").focus(); },
  search() { $("search").focus(); $("search", HTMLInputElement).select(); },
  stands: () => isLocked() || opening.isOpen || basket.readOnly || sheet.isHeld,
  noLine: () => view.complain(say("no-line")),
  quieten: () => view.quieten(),
  /** @param {string} words */
  tell: (words) => view.tell(words),
  /** @param {string} words */
  complain: (words) => view.complain(words),
  takeWaiting: () => taking.takeWaiting(),

  // lines
  /** @param {Line} line */
  less: (line) => (Math.abs(line.qty) === 1 ? till.remove(line) : complainIf(resize(line, line.qty - Math.sign(line.qty)))),
  /** @param {Line} line */
  more1: (line) => complainIf(resize(line, line.qty + Math.sign(line.qty))),
  /** @param {Line} line */
  remove(line) {
    if (basket.endsWithout(line)) return parking.giveUp();
    const putBack = basket.remove(line.id);
    view.tell(say("removed", { name: line.product.name }), [say("put-back"), () => { view.quieten(); putBack(); till.rest(); }]);
  },
  /** @param {{ sale_id: string, n: number }} row */
  keepBack: (row) => (basket.endsWithout(row) ? parking.giveUp() : basket.keepBroughtBack(row.sale_id, row.n)),
  /** @param {Line} line */
  qty: (line) => askNumber({ ...line.product, price_minor: line.price_minor ?? line.product.price_minor }, (qty) => resize(line, qty * Math.sign(line.qty)), catalogue.weighing(line.product)),
  /** @param {Line} line */
  discount(line) {
    if (line.product.kind === "deposit") return view.complain(say("empties-fixed"));
    askDiscount(
      { title: say("discount-title", { name: line.product.name }), reason: line.reason, taken: line.discount_bp || line.discount_minor },
      (change) => amend([line], change),
    );
  },
  discountAll() {
    const lines = basket.lines().filter(({ qty, product }) => qty > 0 && ["goods", "service"].includes(product.kind ?? ""));
    if (!lines.length) return till.noLine();
    askDiscount({ title: say("discount-all"), taken: lines.some((line) => line.discount_bp || line.discount_minor), percentOnly: true }, (change) => amend(lines, change));
  },
  /** @param {Line} line */
  price: (line) => askPrice(line, (change) => amend([line], change)),
  /** @param {Line} line */
  note: (line) => askWords({
    title: say("note-title", { name: line.product.name }), label: say("note-words"), value: line.note,
    onWords: (note) => { basket.amend(line.id, { note }); },
  }),

  // around the basket
  customer: () => customers.open(),
  coupons: () => customers.coupons(),
  favorites: () => goods.favorites.open(),
  customItem: () => taking.customItem(),
  empties: () => askEmpties(catalogue.deposits(), till.take),
  saleNote: () => customers.saleNote(),
  park: () => parking.toggle(),
  lookUp: () => lookUp(till),
  more: () => openMore(till, basket),
  help: () => $("help", HTMLDialogElement).showModal(),
  camera,
  askShift: () => foot.watch(),
  parkedChanged,
  /** @param {boolean} on */
  practice(on) {
    if (settings.lesson) { location.assign(settings.urls.training); return; } // practice ends where the lesson does
    keep(PRACTICE, on ? "1" : "0", "sessionStorage");
    location.reload();
  },

  // someone else's leave
  /** Ask for every leave the basket still needs; gives false when one was not given. */
  leave: () => askLeave(basket.needs()),
  /**
   * After a refusal that names what needs leave: ask for it.
   * @param {Refusal} refusal
   */
  allow: async ({ facts: { needs = [] } }) => needs.length > 0 && askLeave(needs),
  /**
   * Do what may need leave, worded by `why`, its figures in `covers`; gives the answer, or null with the sentence said.
   * @template T
   * @param {string} permission
   * @param {string} why
   * @param {Covers} covers
   * @param {(approvals: string[]) => Promise<T>} send
   * @param {string} [subject]
   * @returns {Promise<T | null>}
   */
  async withLeave(permission, why, covers, send, subject = basket.id) {
    /** @type {string[]} */
    const approvals = [];
    const grant = async (wanted = [covers]) => {
      const given = await approval({ saleId: subject, permission, said: [why], covers: wanted });
      if (given) approvals.push(given.id);
      return given;
    };
    if (!settings.may.includes(permission) && !(await grant())) return null;
    try {
      try {
        return await send(approvals);
      } catch (fault) {
        if (!(fault instanceof Refusal) || fault.code !== "needs-approval") throw fault;
        if (!(await grant(fault.facts.needs?.map((/** @type {Need} */ need) => need.covers)))) throw fault;
        return await send(approvals);
      }
    } catch (fault) {
      (sheet.isOpen ? sheet : view).complain(sentence(fault));
      return null;
    }
  },
  /** Before money is taken: leave for what needs it, and the age, once. */
  async askFirst() {
    const stopped = basket.stopped().map((line) => line.product.name);
    if (stopped.length) {
      view.complain(say("stopped-first", { names: stopped.join(", ") }));
      return false;
    }
    if (quoting.refusal && !(await quoting.settle())) {
      complainIf(refusalWords());
      return false;
    }
    if (basket.buysNothing()) {
      view.complain(say("nothing-bought"));
      return false;
    }
    if (!(await till.leave())) return false;
    const age = basket.minimumAge();
    if (age <= (basket.ageConfirmed ?? 0)) return true;
    const strict = basket.lines().map((line) => line.product).filter((product) => product.minimum_age);
    /** @type {"looked" | "document" | null} */
    const how = await new Promise((resolve) => askAge(age, strict, resolve));
    if (!how) {
      view.complain(say("age-refused"));
      return false;
    }
    basket.confirmAge(age, how);
    return true;
  },

  // paying
  /** @param {{ due: number, given: number | null, tender: string } | null} state */
  paying: (state) => showing.tell(state ? { kind: "pay", ...state } : { kind: "basket" }),
  /** @param {string | null} qr */
  showCode: (qr) => showing.tell(qr ? { kind: "code", qr } : { kind: "basket" }),
  async renewPrices() {
    try {
      if (!(await catalogue.load())) return;
      keepPhotos(catalogue.pictured());
      goods.show();
      basket.refresh();
    } catch { /* the server's total stands all the same */ }
  },
  /** @param {{ total: number, change: number, saved: number, receipt: number }} thanks */
  sold(thanks) {
    showing.tell({ kind: "thanks", ...thanks });
    foot.watch();
    goods.renewLevels();
    taking.takeWaiting();
  },
  returned() {
    foot.watch();
    goods.renewLevels();
  },
  async reprint() {
    const { last } = basket, { isOpen } = pay;
    const tell = (/** @type {string} */ words) => (isOpen ? pay.sending.paperNote(words, "good") : view.tell(words));
    const complain = (/** @type {string} */ words) => (isOpen ? pay.sending.paperNote(words) : view.complain(words));
    if (!last || !settings.prints) return complain(say(last ? "printer-none-words" : "no-last"));
    try {
      const { copy_no: copy } = await ask("POST", `${settings.urls.receipts}/${last.id}/reprint`, {});
      tell(say("reprinted", { n: last.receipt_no, copy }));
    } catch (fault) { complain(sentence(fault)); }
  },
};

/**
 * Ask for leave, once for all needs of a kind; gives false when one was not given.
 * @param {Need[]} needs
 */
async function askLeave(needs) {
  for (const permission of new Set(needs.map((need) => need.permission))) {
    const some = needs.filter((need) => need.permission === permission);
    const given = await approval({ saleId: basket.id, permission, said: some.map((need) => needText(need, basket.broughtBack)), covers: some.map((need) => need.covers) });
    if (!given) return false;
    basket.approve(given);
  }
  return true;
}

/**
 * Set how many a line has; gives the sentence of refusal. A line off a label stays as much as the label says.
 * @param {Line} line
 * @param {number} qty
 */
function resize(line, qty) {
  if (line.labelled && qty) return say("label-fixed", { name: line.product.name });
  return basket.setQty(line.id, qty) ? "" : tooMany(line.product);
}

/** Give the server's refusal as it stands now. */
const refusalWords = () => quoting.refusal?.message ?? "";

/** @param {string} words */
const complainIf = (words) => { if (words) view.complain(words); };

/**
 * Change lines; where that needs leave it is asked for once, and without it they are as they were.
 * @param {Line[]} lines
 * @param {Partial<Special>} change
 */
async function amend(lines, change) {
  const undo = lines.map((line) => basket.amend(line.id, change));
  sheet.close();
  await quoting.settle();
  if (await till.leave()) return;
  for (const putBack of undo) putBack();
}

async function parkedChanged() {
  try {
    const { waiting } = await parking.kept();
    $("parked-count").textContent = String(waiting.length || "");
    $("parked-button").hidden = !waiting.length;
  } catch { /* comfort: asked again later */ }
}

/**
 * Open or close the camera in the place a button names. All it needs comes when somebody first asks for it.
 * @param {HTMLElement} button
 */
async function camera(button) {
  try {
    const { CounterCamera } = await import("../camera/counter.js");
    counterCamera ??= new CounterCamera({ taking, basket, pay, opening });
    counterCamera.toggle($(button.getAttribute("aria-controls") ?? ""), button);
  } catch { (sheet.isOpen ? sheet : view).complain(say("no-answer")); }
}

/**
 * Follow what others do: the shift at once, prices, products and parked baskets once a minute.
 * @param {Status} status
 */
function follow(status) {
  if (basket.practice) return;
  opening.follow(status.shift, status.float_left_minor);
  if (!status.shift) basket.forgetCustomer();
  if (status.recalls !== recallsSeen && !pay.isBusy) {
    recallsSeen = status.recalls;
    quoting.settle(true);
  }
  if (Date.now() - renewedAt < RENEW_MS || pay.isOpen) return;
  renewedAt = Date.now();
  till.renewPrices();
  goods.renewLevels();
  parkedChanged();
}

/** Say what the browser does not keep, or could not give back. */
function showKeeping() {
  $("keeping").hidden = basket.isKept && !basket.wasUnreadable;
  $("keeping-words").textContent = say(basket.isKept ? "was-unreadable" : "not-kept");
  $("keeping-seen").hidden = !basket.isKept;
}

const { less, more1: more, qty, discount, price, note, remove, rest, customer, coupons, saleNote, keepBack } = till;
const view = new Lines(basket, { less, more, qty, discount, price, note, remove, rest, customer, coupons, saleNote, keepBack });
const goods = new Goods(catalogue, till);
const quoting = new Quoting(basket, (state, words) => view.quoting(state, words));
const opening = new OpenTill(till);
const pay = new Pay(basket, quoting, till);
const taking = new Taking({ catalogue, basket, goods, view, pay, opening, scans: SCANS });
const parking = new Parking(basket, view, till);
const receipts = new Receipts(basket, view, till);
const customers = new Customers(basket);
const showing = new Showing(basket);
const foot = new Foot(follow);

// --- opening the page ---

function wire() {
  $("search-form").addEventListener("submit", (event) => {
    event.preventDefault();
    taking.typed();
  });
  for (const kind of ["input", "keydown"]) $("search").addEventListener(kind, () => goods.soon()); // a scanner's keys write nothing
  const clicks = {
    "pay-button": () => pay.open(), "last-receipt": till.reprint, "help-button": till.help, "help-close": () => $("help", HTMLDialogElement).close(),
    "void-button": () => parking.giveUp(), "park-button": till.park, "parked-button": () => parking.list(), "more-button": till.more, "refund-button": () => receipts.find("back"),
    "keeping-seen": () => { basket.wasUnreadable = false; showKeeping(); till.rest(); }, "lookup-button": till.lookUp, "customer-button": till.customer, "leave-practice": () => till.practice(false),
  };
  for (const [id, act] of Object.entries(clicks)) $(id).addEventListener("click", act);
  for (const button of all(document, ".camera-button")) button.addEventListener("click", () => camera(button));
  for (const dialog of document.querySelectorAll("dialog")) {
    dialog.addEventListener("close", () => { if (pay.isOpen) $("pay").focus(); else till.rest(); taking.takeWaiting(); });
  }
  basket.onChange((changed) => {
    const { why } = changed;
    view.show(changed);
    if (why !== "active") showing.tell(why === "next" || why === "parts" || why === "prices" ? showing.step : { kind: "basket" });
  });
  basket.addEventListener("keeping", showKeeping);
  addEventListener("storage", ({ key }) => { if (key === SCANS && !basket.readOnly) takeKept(); });
  addEventListener("cornerstore:idle", (event) => { // a payment on its way is waited for
    if (pay.step === "sending" || pay.step === "asking") event.preventDefault();
    else showing.tell({ kind: "basket" });
  });
  listenForKeys({ till, basket, view, goods, pay, sheet });
  listenForScans((code, startedAt) => {
    if (opening.isOpen) opening.pad.forgetSince(startedAt);
    taking.scanned(code, startedAt);
  });
}

async function load() {
  for (;;) {
    try {
      return await catalogue.load();
    } catch (fault) {
      $("goods-note").textContent = fault instanceof Refusal ? fault.message : say("catalogue-failed");
      await new Promise((resolve) => setTimeout(resolve, 2000));
    }
  }
}

/** This window has the till: what is kept is read again, and a payment that was on its way is asked after. */
function own() {
  basket.readOnly = false;
  document.body.classList.remove("read-only");
  basket.reload();
  if (basket.lines().some((line) => line.product.isGone)) basket.refresh(); // what it cost says nothing now
  showKeeping();
  view.show();
  pay.recover();
  takeKept();
  basket.forgetCustomer();
  if (!basket.isEmpty() && !basket.pending && (basket.customer || !basket.quote)) quoting.soon(); // what they owe may have changed
  if (!basket.practice) opening.follow(opening.shift);
  if (!opening.isOpen && !pay.isOpen) till.rest();
}

/** Take the scans that are kept for whichever window has the till. */
function takeKept() {
  for (const code of takeScans(SCANS)) basket.wait(code);
  taking.takeWaiting();
}

function stand() {
  basket.readOnly = true;
  document.body.classList.add("read-only");
  sheet.close();
  $("take-over").focus();
}

async function start() {
  $("practice-banner").hidden = !basket.practice || settings.lesson;
  document.body.classList.toggle("practice", basket.practice);
  const loaded = load().then(() => { wire(); goods.show(); });
  await oneWindow(() => loaded.then(own), () => loaded.then(stand)); // asked while the catalogue comes
  await loaded;
  document.documentElement.dataset.ready = "1"; // from here on it takes scans
  afterPaint("others", () => { foot.watch(); goods.renewLevels(); parkedChanged(); keepPhotos(catalogue.pictured()); });
}

start();
