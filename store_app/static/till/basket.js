// The basket and its sale's id, kept in the browser so that a reload, a crash or a power cut loses nothing.
//
// The id is made here, once per basket, and is the sale's for ever: however often it is sent, it is one sale. A line
// has an identity of its own, so the same product may stand twice at two prices; plain scans of it go together.
// Prices are the shelf's until the server has answered for exactly this basket.

import { named } from "./catalogue.js";
import { newId } from "../common/ids.js";
import { afterPaint } from "../common/later.js";
import { byShelf, gone, isPlain, plain, rung, specialOf } from "./entry.js";
import { serving, uncovered } from "./leave.js";
import { lineShown, lineTotal } from "./money.js";
import { settings } from "./settings.js";
import { keep, putAside, recall } from "../common/storage.js";

const KEY = `cornerstore.till.${settings.store_id}.${settings.till_id}`;
export const MOST_QTY = 999;
const SCANNED = ["added", "changed", "removed", "prices"]; // kept right after they are painted; money at once
const MOST_CORRECTIONS = 5000, MOST_APPROVALS = 500; // as the server takes them

export class Basket extends EventTarget {
  /**
   * @param {import("./catalogue.js").Catalogue} catalogue
   * @param {{ practice?: boolean }} [wishes]
   */
  constructor(catalogue, { practice = false } = {}) {
    super();
    this.catalogue = catalogue;
    this.practice = practice;
    this.key = practice ? `${KEY}.practice` : KEY;
    this.readOnly = false;
    this.revision = 0;
    this.isKept = true; // false: the browser did not keep the last change
    this.wasUnreadable = false; // what was kept was damaged, and a new basket begun
    /** @type {Line[] | null} */
    this.seen = null;
    /**
     * What the server says must not be sold.
     * @type {[sku: string, batch: string | null][]}
     */
    this.refused = [];
    this.kept = this.#read();
    this.active = this.#begun();
  }

  /**
   * Call `act` with what changed, and why.
   * @param {(changed: Changed) => void} act
   */
  onChange(act) {
    this.addEventListener("change", (event) => { if (event instanceof CustomEvent) act(event.detail); });
  }

  /** Take what the browser keeps: at the start, and when another window of this till wrote it. */
  reload() {
    this.seen = null;
    this.refused = [];
    this.kept = this.#read();
    this.active = this.#begun();
  }

  /** Keep a basket that was just read, as a new one's id is kept from the start; give its last line. */
  #begun() {
    this.#keep();
    return this.kept.lines.at(-1)?.id ?? null;
  }

  get id() { return this.kept.id; }
  get last() { return this.kept.last; }
  /** The payment that was sent and not answered yet. */
  get pending() { return this.kept.pending; }
  get customer() { return this.kept.customer; }
  get coupons() { return this.kept.coupons; }
  get parts() { return this.kept.parts; }
  get approvals() { return this.kept.approvals; }
  get broughtBack() { return this.kept.broughtBack; }
  /** Scans that came while a payment was on its way. */
  get waiting() { return this.kept.waiting; }
  get note() { return this.kept.note; }
  get ageConfirmed() { return this.kept.ageConfirmed; }
  get ageHow() { return this.kept.ageHow; }
  /** The server's prices for exactly this basket, or null while they are awaited. */
  get quote() { return this.kept.quote; }

  // --- what stands in it ---

  /**
   * Give the lines: total, shown (as the receipt: without tax that is added), quoted; why it may not be sold: gone | unsafe.
   * @returns {Line[]}
   */
  lines() {
    this.seen ??= this.kept.lines.map((entry) => {
      const product = this.#product(entry);
      const { total_minor: total = byShelf(lineTotal, product, entry), shown_minor: shown = byShelf(lineShown, product, entry) } = entry.quoted ?? {};
      /** @type {Line["stopped"]} */
      const stopped = product.isGone && !entry.quoted ? "gone" : this.refused.some(([sku, batch]) => sku === entry.sku && batch === entry.batch) ? "unsafe" : "";
      return { ...entry, product, total, shown, stopped };
    });
    return this.seen;
  }

  /** Give the lines that may not be sold: they stay until they are taken out, and nothing is paid. */
  stopped() { return this.lines().filter((line) => line.stopped); }

  /**
   * Give the deposits that come with the lines, as lines of their own: {of, name, qty, total}.
   * @returns {Deposit[]}
   */
  deposits() {
    return this.lines().flatMap((line) => {
      if (line.quoted) return line.quoted.deposits.map((deposit) => ({ of: line.id, ...deposit }));
      const deposit = line.product.deposit_sku && this.catalogue.bySku.get(line.product.deposit_sku);
      return deposit ? [{ of: line.id, name: deposit.name, qty: line.qty, total: lineTotal(deposit, line.qty) }] : [];
    });
  }

  isEmpty() { return this.kept.lines.length === 0 && this.kept.broughtBack.length === 0; }

  /** Sum the basket: as the server says, else by the shelf's prices. */
  total() {
    if (this.kept.quote) return this.kept.quote.lines_minor;
    const sum = (/** @type {{ total: number }[]} */ rows) => rows.reduce((all, row) => all + row.total, 0);
    return sum(this.lines()) + sum(this.deposits()) + sum(this.kept.broughtBack);
  }

  /** Give the tax that is added to what the lines show; 0 where prices include it. */
  tax() {
    const shown = (/** @type {{ total: number, shown?: number }[]} */ rows) => rows.reduce((all, row) => all + (row.shown ?? row.total), 0);
    return this.total() - shown(this.lines()) - shown(this.deposits()) - shown(this.kept.broughtBack);
  }

  /** Tell whether goods are brought back and none bought: that is a return. */
  buysNothing() { return this.kept.broughtBack.length > 0 && !this.kept.lines.some((line) => line.qty > 0); }

  /**
   * Give what of an amount owed goes back to an account: {tender: amount}.
   * @returns {Record<string, number>}
   */
  goesBack() { return this.kept.quote?.goes_back ?? {}; }

  saved() { return this.kept.quote?.saved_minor ?? 0; }
  hints() { return this.kept.quote?.hints ?? []; }

  /** Give what someone else must allow, and has not yet: [{permission, line, covers, about}]. */
  needs() {
    return uncovered(this.kept.quote?.needs ?? [], this.kept.approvals);
  }

  minimumAge() {
    return Math.max(this.kept.quote?.minimum_age ?? 0, ...this.lines().map((line) => line.product.minimum_age ?? 0));
  }

  /** @param {string | null} id */
  line(id) { return this.lines().find((line) => line.id === id); }
  /** @param {string} sku */
  qtyOf(sku) { return this.kept.lines.reduce((sum, line) => sum + (line.sku === sku ? line.qty : 0), 0); }

  // --- changing it ---

  /**
   * Put `qty` more of a product in; `special` makes it a line of its own, `labelled` one that stays as much as its
   * label says. False: more than one sale may have.
   * @param {Product} product
   * @param {number} qty
   * @param {Partial<Special>} [special]
   */
  add(product, qty, special = {}) {
    if (qty > 0 && this.qtyOf(product.sku) + qty > most(product)) return false;
    const own = { ...plain(), ...special };
    const same = (/** @type {Entry} */ line) => line.sku === product.sku && isPlain(line) && line.qty > 0 === qty > 0;
    let entry = isPlain(own) && product.stock_unit === "each" ? this.kept.lines.find(same) : null;
    if (entry) entry.qty += qty;
    else {
      entry = { id: `l${this.kept.lineNo++}`, sku: product.sku, name: product.name, stock_unit: product.stock_unit, qty, ...own };
      this.kept.lines.push(entry);
    }
    this.active = entry.id;
    this.#content("added", entry);
    return true;
  }

  /**
   * Set a line's quantity; 0 removes it.
   * @param {string} id
   * @param {number} qty
   */
  setQty(id, qty) {
    const entry = this.#entry(id);
    if (!entry) return true;
    if (qty === 0) {
      this.remove(id);
      return true;
    }
    if (qty > 0 && this.qtyOf(entry.sku) - entry.qty + qty > most(this.#product(entry))) return false;
    const less = entry.qty - qty;
    if (less * Math.sign(entry.qty) > 0) this.#takenOff(entry, less);
    entry.qty = qty;
    this.active = id;
    this.#content("changed", entry);
    return true;
  }

  /**
   * Change a line's price, discount, reason or note; gives a function that puts the old ones back.
   * @param {string} id
   * @param {Partial<Special>} change
   */
  amend(id, change) {
    const entry = this.#entry(id);
    if (!entry) return () => {};
    const before = specialOf(entry);
    if (change.price_minor != null && entry.amount_minor !== null) Object.assign(entry, { amount_minor: null, code: "", labelled: false });
    Object.assign(entry, change);
    this.active = id;
    this.#content("changed", entry);
    return () => { Object.assign(entry, before); this.#content("changed", entry); };
  }

  /**
   * Take a line out; it is kept as a correction until the sale is saved. Gives a function that puts it back.
   * @param {string} id
   */
  remove(id) {
    const at = this.kept.lines.findIndex((line) => line.id === id);
    const kept = this.kept, entry = kept.lines[at];
    if (!entry) return () => {};
    kept.lines.splice(at, 1);
    const correction = this.#corrected(entry, entry.qty);
    kept.corrections.push(correction);
    this.active = this.kept.lines[Math.min(at, this.kept.lines.length - 1)]?.id ?? null;
    this.#content("removed", entry);
    return () => {
      const note = this.kept === kept ? kept.corrections.indexOf(correction) : -1;
      if (note < 0) return; // the next customer's basket, or put back already
      kept.corrections.splice(note, 1);
      kept.lines.splice(at, 0, entry);
      this.active = entry.id;
      this.#content("changed", entry);
    };
  }

  /**
   * Put lines of an earlier receipt in, to be given back: [{sale_id, n, qty, restock, name, total}].
   * @param {Back[]} rows
   */
  bringBack(rows) {
    const kept = this.kept.broughtBack.filter((old) => !rows.some((row) => row.sale_id === old.sale_id && row.n === old.n));
    this.kept.broughtBack = [...kept, ...rows];
    this.#content("brought");
  }

  /**
   * @param {string} saleId
   * @param {number} n
   */
  keepBroughtBack(saleId, n) {
    this.kept.broughtBack = this.kept.broughtBack.filter((row) => row.sale_id !== saleId || row.n !== n);
    this.#content("brought");
  }

  /** Leave an empty basket to the next customer: whoever stood here was served elsewhere (a tab paid off), or left. */
  forgetCustomer() {
    const { customer, coupons, note, ageConfirmed, ageHow } = fresh(), anybody = { customer, coupons, note, ageConfirmed, ageHow };
    const now = new Map(Object.entries(this.kept));
    if (!this.isEmpty() || Object.entries(anybody).every(([name, value]) => String(now.get(name)) === String(value))) return;
    Object.assign(this.kept, anybody);
    this.#content("customer");
  }

  /** @param {Customer | null} customer */
  attach(customer) { this.kept.customer = customer; this.#content("customer"); }
  /** @param {string[]} coupons */
  setCoupons(coupons) { this.kept.coupons = [...new Set(coupons)]; this.#content("coupons"); }
  /** @param {string} note */
  setNote(note) { this.kept.note = note; this.#content("note"); }

  /**
   * Move the active line up (-1) or down (+1).
   * @param {1 | -1} by
   */
  step(by) {
    const lines = this.kept.lines;
    const at = lines.findIndex((line) => line.id === this.active);
    this.activate(lines[Math.max(0, Math.min(lines.length - 1, at < 0 ? lines.length - 1 : at + by))]?.id ?? null);
  }

  /** @param {string | null} id */
  activate(id) {
    this.active = id;
    this.#changed("active");
  }

  /**
   * @param {number | null} age
   * @param {string} [how]
   */
  confirmAge(age, how = "looked") {
    this.kept.ageConfirmed = age;
    this.kept.ageHow = how;
    this.#keep();
  }

  /** Give the ids of the leave this basket needs now; where the server has not said what it needs, the newest. */
  leaveGiven() {
    const { quote, approvals } = this.kept;
    return (quote ? serving(quote.needs, approvals) : approvals.slice(-MOST_APPROVALS)).map((approval) => approval.id);
  }

  /**
   * Forget the leave that would serve these needs: the server says that it holds no more.
   * @param {Need[]} needs
   */
  forgetLeave(needs) {
    const spent = serving(needs, this.kept.approvals);
    this.kept.approvals = this.kept.approvals.filter((approval) => !spent.includes(approval));
    this.#changed("approved");
  }

  /** @param {Approval} approval */
  approve(approval) {
    this.kept.approvals.push(approval);
    this.#changed("approved");
  }

  // --- the server's word, and paying ---

  /** Give the basket as the server is asked for it: what is plain is left out. */
  asked() {
    /** @type {Asked} */
    const body = { lines: this.lines().map(rung) };
    if (this.kept.customer) body.customer_id = this.kept.customer.id;
    if (this.kept.coupons.length) body.coupons = this.kept.coupons;
    if (this.kept.broughtBack.length) {
      body.brought_back = this.kept.broughtBack.map(({ sale_id, n, qty, restock }) => ({ sale_id, n, qty, restock }));
    }
    return body;
  }

  /**
   * Mark what the server says must not be sold, until it prices the basket: [[sku, batch]].
   * @param {[sku: string, batch: string | null][]} refused
   */
  stop(refused) {
    this.refused = refused;
    this.kept.quote = null;
    this.#changed("stopped");
  }

  /**
   * Take the server's prices, if they are for the basket as it is now.
   * @param {Quote} quote
   * @param {number} revision
   */
  priced(quote, revision) {
    if (revision !== this.revision) return false;
    this.refused = [];
    const shown = [...this.lines()], entries = new Map(this.kept.lines.map((entry) => [entry.id, entry]));
    for (const entry of this.kept.lines) entry.quoted = null;
    /** @type {Map<number, Entry>} */
    const byN = new Map();
    quote.lines.forEach((row, at) => {
      const asked = row.asked === undefined ? at : row.asked;
      const entry = asked === null || asked === undefined ? null : entries.get(shown[asked]?.id ?? "");
      if (!entry) return;
      byN.set(row.n ?? at + 1, entry);
      entry.quoted = {
        total_minor: row.total_minor, shown_minor: row.amount_minor - row.discount_minor, offers: row.offers ?? [], unmarked: row.unmarked ?? 0, manual_minor: row.manual_discount_minor ?? 0,
        list_price_minor: row.list_price_minor ?? row.unit_price_minor, unit_price_minor: row.unit_price_minor, deposits: [],
      };
    });
    for (const row of quote.lines) {
      const parent = row.deposit_of && row.asked === null ? byN.get(row.deposit_of) : null;
      parent?.quoted?.deposits.push({ name: row.name, qty: row.qty, total: row.total_minor });
    }
    for (const row of quote.lines) {
      const { back: of } = row, back = of && this.kept.broughtBack.find((one) => one.sale_id === of.sale_id && one.n === of.n);
      if (back) back.shown = back.total - (row.total_minor - row.amount_minor + row.discount_minor);
    }
    const { lines_minor, saved_minor = 0, hints = [], needs = [], minimum_age, customer = null, coupons_used = [], goes_back = {} } = quote;
    this.kept.quote = { lines_minor, saved_minor, hints, needs, minimum_age, coupons_used, goes_back };
    if (customer) this.kept.customer = { ...(this.kept.customer ?? { id: "", name: "" }), ...customer }; // an exchange is for the receipt's customer
    this.#changed("prices");
    return true;
  }

  /** Give what was taken off again after it was shown, for the store's journal: [sku, qty, amount_minor]. */
  corrections() {
    return this.kept.corrections.slice(-MOST_CORRECTIONS).map(({ sku, qty, amount_minor: amount }) => /** @type {[string, number, number]} */ ([sku, qty, amount]));
  }

  /**
   * Tell whether taking a line out, or something brought back, leaves nothing where more was rung than one wrong scan.
   * @param {{ id?: string, sale_id?: string }} row
   */
  endsWithout({ id = "", sale_id: back = "" }) {
    const { lines: [line, ...others], broughtBack, corrections } = this.kept;
    if (others.length + broughtBack.length + (line ? 1 : 0) !== 1 || (!back && line?.id !== id)) return false;
    return corrections.length > 0 || (!back && line?.stock_unit === "each" && Math.abs(line.qty) > 1);
  }

  /**
   * Keep a scan that cannot go in now; give the first of them back.
   * @param {string} code
   */
  wait(code) { this.kept.waiting.push(code); this.#waits(); }
  nextWaiting() {
    const code = this.kept.waiting.shift();
    this.#waits();
    return code;
  }

  /** @param {Part} part */
  addPart(part) { this.kept.parts.push(part); this.#changed("parts"); }
  /**
   * @param {number} at
   * @param {Partial<Part>} change
   */
  setPart(at, change) {
    const part = this.kept.parts[at];
    if (part) Object.assign(part, change);
    this.#changed("parts");
  }
  /** @param {number} at */
  dropPart(at) { this.kept.parts.splice(at, 1); this.#changed("parts"); }

  /**
   * Remember a payment before it is sent, so that even a reload knows what to ask about.
   * @param {Sent} body
   */
  sending(body) {
    this.kept.pending = body;
    this.#keep();
  }

  /** Forget the payment: the server said that nothing was written. */
  notSaved() {
    this.kept.pending = null;
    this.#keep();
  }

  /**
   * Begin the next basket under a new id; `last` is the sale just saved, if one was; `rest` what of this basket that
   * sale does not have (`beyond`): it is the same customer's.
   * @param {Last | null} [last]
   * @param {Beyond | null} [rest]
   */
  next(last = this.kept.last, rest = null) {
    const { waiting, customer, ageConfirmed, ageHow, lineNo } = this.kept;
    this.kept = { ...fresh(), last, waiting };
    this.refused = [];
    if (rest) Object.assign(this.kept, { customer, ageConfirmed, ageHow, lineNo, lines: rest.lines, broughtBack: rest.broughtBack });
    this.active = this.kept.lines.at(-1)?.id ?? null;
    this.#content("next");
  }

  /**
   * Give all of it for another till to go on with, and take such a one.
   * @returns {Packed}
   */
  packed() {
    const { id, lines, lineNo, customer, coupons, approvals, broughtBack, note, ageConfirmed, ageHow, corrections } = this.kept;
    const bare = lines.map(({ quoted, ...entry }) => entry);
    return { id, lines: bare, lineNo, customer, coupons, approvals, broughtBack, note, ageConfirmed, ageHow, corrections };
  }

  /** @param {Packed} packed */
  unpack(packed) {
    const before = this.kept.corrections;
    this.kept = { ...fresh(), ...packed, quote: null, pending: null, parts: [], last: this.kept.last, waiting: this.kept.waiting };
    this.kept.corrections = [...before, ...this.kept.corrections];
    this.active = this.kept.lines.at(-1)?.id ?? null;
    this.#content("resumed");
  }

  refresh() { this.#content("prices-renewed"); }

  /** @param {string} id */
  #entry(id) { return this.kept.lines.find((line) => line.id === id); }

  /** @param {Entry} entry */
  #product(entry) { return named(this.catalogue.bySku.get(entry.sku) ?? gone(entry), entry.called); }
  /** @param {Entry} entry */
  #totalOf(entry) { return entry.quoted?.total_minor ?? byShelf(lineTotal, this.#product(entry), entry); }

  /**
   * Write `qty` of a line as taken off, at its part of what the line is shown to cost.
   * @param {Entry} entry
   * @param {number} qty
   * @returns {Correction}
   */
  #corrected(entry, qty) {
    return { of: entry.id, sku: entry.sku, qty, amount_minor: Math.round(this.#totalOf(entry) * qty / entry.qty) };
  }

  /**
   * Keep that a line is less now; one step after another is one correction.
   * @param {Entry} entry
   * @param {number} qty
   */
  #takenOff(entry, qty) {
    /** @type {Correction} */
    const now = { ...this.#corrected(entry, qty), lowered: true }, last = this.kept.corrections.at(-1);
    if (!(last?.lowered && last.of === now.of)) {
      this.kept.corrections.push(now);
      return;
    }
    last.qty += now.qty;
    last.amount_minor += now.amount_minor;
  }

  /**
   * The content changed: what the server said is old. Other lines keep their last prices until it answers.
   * @param {string} why
   * @param {Entry | null} [entry]
   */
  #content(why, entry = null) {
    this.revision += 1;
    this.kept.quote = null;
    if (why === "prices-renewed") for (const line of this.kept.lines) line.quoted = null;
    if (entry) entry.quoted = null;
    this.#changed(why, entry);
  }

  /**
   * @param {string} why
   * @param {Entry | null} [entry]
   */
  #changed(why, entry = null) {
    this.seen = null;
    if (SCANNED.includes(why)) afterPaint("keep", () => this.#keep());
    else if (why !== "active") this.#keep();
    /** @type {Changed} */
    const detail = { why, line: entry && { ...entry, product: this.#product(entry) } };
    this.dispatchEvent(new CustomEvent("change", { detail }));
  }

  #waits() {
    this.#keep();
    this.dispatchEvent(new CustomEvent("waiting"));
  }

  #keep() {
    if (this.readOnly) return;
    const before = this.isKept;
    this.isKept = keep(this.key, JSON.stringify(this.kept));
    if (this.isKept !== before) this.dispatchEvent(new CustomEvent("keeping"));
  }

  /**
   * Read what is kept; what cannot be read is put aside and said, for a payment may stand in it.
   * @returns {Kept}
   */
  #read() {
    const text = recall(this.key);
    if (text === null) return fresh();
    const kept = parsed(text);
    if (kept) return kept;
    putAside(this.key, text);
    this.wasUnreadable = true;
    return fresh();
  }
}

/** @param {Product} product */
const most = (product) => product.maximum_qty ?? (product.stock_unit === "each" ? MOST_QTY : 100_000);

/**
 * Make an empty basket.
 * @returns {Kept}
 */
function fresh() {
  return {
    id: newId(), lines: [], lineNo: 1, quote: null, customer: null, coupons: [], parts: [], approvals: [], broughtBack: [],
    corrections: [], note: "", ageConfirmed: null, ageHow: null, pending: null, last: null, waiting: [],
  };
}

/**
 * Give a basket as it was kept, or null for what is none.
 * @param {string} text
 * @returns {Kept | null}
 */
function parsed(text) {
  try {
    const kept = JSON.parse(text);
    if (!kept?.id || !Array.isArray(kept.lines)) return null;
    const lines = kept.lines.map((/** @type {Partial<Entry>} */ line, /** @type {number} */ at) => ({ ...plain(), id: `l${at + 1}`, ...line }));
    return { ...fresh(), lineNo: lines.length + 1, ...kept, lines };
  } catch {
    return null;
  }
}
