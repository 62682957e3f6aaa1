// Everything this shop sells, loaded once and kept as the text it came as: a scan asks nobody.
//
// The answer is one JSON object with a product to a line, so a code or a SKU is found in the text and only its line is
// read: the page takes scans as soon as the text is there. All lines are read when the page has a moment: a map of codes
// and the texts to search in are made of them.

import { askWithTag } from "./api.js";
import { readLabel } from "./labels.js";
import { say, settings } from "./settings.js";

const MOST_FOUND = 60;
const ROWS = '"rows":[\n'; // the last of the object's parts

export class Catalogue {
  constructor() {
    this.#empty();
    this.categories = [];
    this.keys = [];
    this.schemes = [];
    this.bySku = { get: (sku) => this.#bySku(sku), has: (sku) => this.#bySku(sku) !== undefined };
  }

  /** Load (or renew) the catalogue; gives false when it is the one we have: the browser sends the ETag. */
  async load() {
    const { content: text, tag } = await askWithTag("GET", settings.urls.catalogue, undefined, 20_000, (answer) => answer.text());
    if (tag && tag === this.tag) return false;
    const rows = text.indexOf(ROWS) + ROWS.length;
    const head = JSON.parse(`${text.slice(0, rows)}]}`);
    this.tag = tag;
    this.keys = head.keys ?? [];
    this.schemes = head.schemes ?? [];
    this.hasScale = Boolean(head.scale);
    this.tares = head.tares ?? {};
    this.#empty();
    this.#text = text;
    this.#first = rows;
    this.sorts = head.sorts.map((values) => Object.fromEntries(head.sort_columns.map((name, at) => [name, values[at]])));
    this.at = Object.fromEntries(head.columns.map((name, at) => [name, at]));
    this.categories = inOrder([...new Set(this.sorts.map(aisle))], (name) => name);
    globalThis.requestIdleCallback?.(() => this.texts, { timeout: 5000 });
    return true;
  }

  /** Take one product more, as a scan's answer tells it: new since the catalogue was loaded. */
  take(product) {
    if (!this.bySku.has(product.sku)) this.more.push(product.sku);
    this.made.set(product.sku, product);
    for (const [code, qty] of product.codes ?? []) this.taken.set(code, { product, qty });
  }

  /** Find a scanned or typed code: as it is, as the same GTIN with or without leading zeros, as a SKU, or as
   * a label of the shop's own. */
  find(code) {
    const spellings = [code];
    if (/^\d{8,14}$/.test(code)) {
      const bare = code.replace(/^0+/, "");
      spellings.push(...[8, 12, 13, 14].filter((n) => n >= bare.length).map((n) => bare.padStart(n, "0")));
    }
    for (const spelling of new Set(spellings)) {
      const hit = this.taken.get(spelling) ?? this.#byCode(spelling);
      if (hit) return hit;
    }
    const product = this.bySku.get(code);
    if (product) return { product, qty: isWeighed(product) ? 0 : 1 };
    return this.schemes.length ? readLabel(code, this.schemes, (key) => this.find(key)) : null;
  }

  /** Search by name, brand, pinyin or its initials, or part of a code; every word must occur; best first. */
  search(text) {
    const wanted = text.toLowerCase().split(/\s+/).filter(Boolean);
    if (!wanted.length) return [];
    const found = [], count = this.texts.length;
    for (let place = 0; place < count; place++) {
      const rank = this.#rank(place, wanted);
      if (rank >= 0) (found[rank] ??= []).push(place);
    }
    const best = [];
    for (const places of found) {
      if (!places || best.length >= MOST_FOUND) continue;
      best.push(...inOrder(places.slice(0, MOST_FOUND - best.length).map((place) => this.#inPlace(place))));
    }
    return best;
  }

  /** Name the pages of quick keys as the shopkeeper arranged them; one page without any. */
  keyPages() { return this.keys.length ? this.keys.map((page) => page.name || say("favourites")) : [say("favourites")]; }

  /** List a page of quick keys: [{product, label, colour}]; where none are arranged, the products in their places. */
  quickKeys(page = 0) {
    if (this.keys.length) {
      return (this.keys[page] ?? this.keys[0]).keys.flatMap((key) => {
        const product = this.bySku.get(key.sku);
        return product ? [{ product, label: key.label, colour: key.colour }] : [];
      });
    }
    const placed = this.#holding('"quick_key":').map((row) => this.#product(row)).sort((a, b) => a.quick_key - b.quick_key);
    const shown = placed.length ? placed : this.#holding("\n[", MOST_FOUND).map((row) => this.#product(row));
    return shown.slice(0, MOST_FOUND).map((product) => ({ product }));
  }

  /** Tell how a product is weighed here: {hasScale, tareGrams: what its box weighs}. */
  weighing({ sku }) { return { hasScale: this.hasScale, tareGrams: this.tares[sku] ?? 0 }; }

  /** Tell whether the shop takes empties back. */
  get hasDeposits() { return this.sorts.some(({ kind }) => kind === "deposit"); }

  /** List the deposits: what empties are worth. */
  deposits() {
    this.empties ??= inOrder(this.#ofSorts((sort) => sort.kind === "deposit"));
    return this.empties;
  }

  /** List a category by name. */
  inCategory(category) {
    return inOrder(this.#ofSorts((sort) => aisle(sort) === category)).slice(0, MOST_FOUND);
  }

  /** What the search looks in, per place; made when the page has a moment, at the latest with the first search. */
  get texts() {
    if (!this.#texts) {
      const { sku, name, sort, codes, sounds } = this.at;
      const shared = this.sorts.map(({ brand, category, kind }) => [`${brand} ${category}`, kind === "deposit" ? say("empties") : ""]);
      this.#codes = new Map();
      this.#texts = this.rows.map((row) => {
        for (const [code] of codesOf(row[codes])) this.#codes.set(code, row);
        const [before, after] = shared[row[sort]];
        return `${row[name]} ${before} ${row[sounds] ?? ""} ${after} ${row[sku]}`.toLowerCase();
      });
    }
    for (const sku of this.more.slice(this.#texts.length - this.rows.length)) {
      const product = this.made.get(sku);
      this.#texts.push(`${product.name} ${product.brand} ${product.search_text ?? ""} ${product.sku}`.toLowerCase());
    }
    return this.#texts;
  }

  /** All products' rows, read when somebody needs them all. */
  get rows() { return (this.#rows ??= JSON.parse(`{${this.#text.slice(this.#first - ROWS.length)}`).rows); }

  // --- inside ---

  #text = ""; // the answer
  #first = 0; // where its first row begins
  #rows = null;
  #texts = null;
  #codes = null; // code -> row, once all lines are read

  #empty() {
    this.#text = `${ROWS}]}`;
    this.#first = ROWS.length;
    this.#rows = this.#texts = this.#codes = this.empties = null;
    this.more = []; // SKUs of products taken after the catalogue was loaded
    this.taken = new Map(); // their codes -> { product, qty }
    this.sorts = []; // what many products share, by its place
    this.made = new Map(); // SKU -> the product as the page's parts read it, made when it is first asked for
  }

  #bySku(sku) {
    const made = this.made.get(sku);
    if (made) return made;
    const at = this.#text.indexOf(`\n[${quoted(sku)},`, this.#first - 1);
    return at < 0 ? undefined : this.#product(this.#rowAround(at + 1));
  }

  #byCode(code) {
    const rows = this.#codes ? [this.#codes.get(code)].filter(Boolean) : this.#holding(quoted(code));
    for (const row of rows) {
      const codes = this.#product(row).codes, found = codes.find(([one]) => one === code);
      if (found) return { product: this.#product(row), qty: found[1] };
    }
    return null;
  }

  /** List the rows whose line holds these signs, `most` of them at most. */
  #holding(signs, most = Infinity) {
    const found = [], text = this.#text;
    let at = text.indexOf(signs, this.#first - 1);
    while (at >= 0 && found.length < most) {
      const end = text.indexOf("\n", at + 1);
      found.push(this.#rowAround(at + 1));
      at = end < 0 ? -1 : text.indexOf(signs, end);
    }
    return found;
  }

  /** Read the row whose line holds this place of the text. */
  #rowAround(place) {
    const begin = this.#text.lastIndexOf("\n", place - 1) + 1;
    return JSON.parse(this.#text.slice(begin, this.#text.indexOf("\n", begin)).replace(/,$/, ""));
  }

  /** List the products whose sort is wanted. */
  #ofSorts(isWanted) {
    const wanted = this.sorts.map(isWanted);
    if (!wanted.some(Boolean)) return [];
    return this.rows.filter((row) => wanted[row[this.at.sort]]).map((row) => this.#product(row));
  }

  /** Give the product in this place of the texts. */
  #inPlace(place) {
    return place < this.rows.length ? this.#product(this.rows[place]) : this.made.get(this.more[place - this.rows.length]);
  }

  #product(row) {
    const { sku, name, price_minor, sort, codes, rest } = this.at;
    let product = this.made.get(row[sku]);
    if (product) return product;
    product = {
      deposit_sku: null, price_typed: false, minimum_age: null, maximum_qty: null, quick_key: null,
      sku: row[sku], name: row[name], price_minor: row[price_minor], ...this.sorts[row[sort]], ...row[rest],
      codes: codesOf(row[codes]),
    };
    this.made.set(row[sku], product);
    return product;
  }

  #hasCode(place, part) {
    const codes = place < this.rows.length ? codesOf(this.rows[place][this.at.codes]) : this.#inPlace(place).codes ?? [];
    return codes.some(([code]) => code.includes(part));
  }

  /** Give how well a product fits every word, 0 best; -1: it does not. Products on a quick key come first. */
  #rank(place, wanted) {
    const text = this.#texts[place];
    let rank = 0;
    for (const word of wanted) {
      const at = text.indexOf(word);
      if (at >= 0) rank += at === 0 ? 0 : text[at - 1] === " " ? 1 : 3;
      else if (word.length >= 4 && this.#hasCode(place, word)) rank += 4;
      else return -1;
    }
    const onKey = (place < this.rows.length ? this.rows[place][this.at.rest] : this.#inPlace(place))?.quick_key != null;
    return 2 * rank + (onKey ? 0 : 1);
  }
}

/** Write a text as the answer writes it: JSON of plain signs. */
function quoted(text) {
  return JSON.stringify(text).replace(/[\u007f-\uffff]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** List what a row says of codes as [code, qty]: one that stands for one unit is a plain text. */
function codesOf(codes) {
  return (typeof codes === "string" ? [codes] : codes).map((code) => (typeof code === "string" ? [code, 1] : code));
}

/** Tell whether the cashier has to say how many grams or millilitres. */
export const isWeighed = (product) => product.stock_unit !== "each";

/** Name the aisle a sort of product stands in: its department, else its category. */
const aisle = ({ department, category }) => department || category;

const PLAIN = /^[ -~]*$/;
let collator;

/** Put a list in the order of the language. Its tables take a while to load: names of plain letters do without them. */
function inOrder(list, nameOf = (product) => product.name) {
  if (!list.every((one) => PLAIN.test(nameOf(one)))) {
    collator ??= new Intl.Collator(settings.language);
    return list.sort((one, other) => collator.compare(nameOf(one), nameOf(other)));
  }
  const keys = new Map(list.map((one) => [one, nameOf(one).toLowerCase()]));
  return list.sort((one, other) => (keys.get(one) < keys.get(other) ? -1 : keys.get(one) > keys.get(other) ? 1 : 0));
}
