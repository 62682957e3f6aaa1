// Everything this store sells, loaded once and kept as the text it came as: a scan asks nobody.
//
// The answer is one JSON object with a product to a line, so a code or a SKU is found in the text and only its line is
// read: the page takes scans as soon as the text is there. All lines are read when the page has a moment: a map of codes
// and the texts to search in are made of them.

import { askWithTag } from "./api.js";
import { readLabel } from "./labels.js";
import { say, settings } from "./settings.js";

const MOST_FOUND = 60;
const ROWS = '"rows":[\n'; // the last of the object's parts

/**
 * What many products share.
 * @typedef {Pick<Product, "brand" | "category" | "department" | "kind" | "stock_unit" | "price_quantity" | "inclusive" | "rate_bp"> & { sounds: string }} Sort
 *
 * A product as the answer tells it: its places are named by the answer's columns.
 * @typedef {unknown[]} Row
 */

export class Catalogue {
  /** @type {string[]} */
  categories = [];
  /** @type {{ name: string, keys: { place: number, sku: string, label?: string, colour?: string }[] }[]} */
  keys = [];
  /** @type {Scheme[]} */
  schemes = [];
  hasScale = false;
  /** @type {Record<string, number>} */
  tares = {};
  /** @type {string | null} */
  tag = null;
  /**
   * SKUs of products taken after the catalogue was loaded.
   * @type {string[]}
   */
  more = [];
  /**
   * What their codes stand for.
   * @type {Map<string, Hit>}
   */
  taken = new Map();
  /**
   * What many products share, by its place.
   * @type {Sort[]}
   */
  sorts = [];
  /**
   * By SKU, the product as the page's parts read it, made when it is first asked for.
   * @type {Map<string, Product>}
   */
  made = new Map();
  /**
   * In which place of a row something stands.
   * @type {Record<string, number>}
   */
  at = {};
  /** @type {Product[] | null} */
  empties = null;

  constructor() {
    this.#empty();
    this.bySku = {
      get: (/** @type {string} */ sku) => this.#bySku(sku),
      has: (/** @type {string} */ sku) => this.#bySku(sku) !== undefined,
    };
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
    this.sorts = head.sorts.map((/** @type {unknown[]} */ values) => Object.fromEntries(head.sort_columns.map((/** @type {string} */ name, /** @type {number} */ at) => [name, values[at]])));
    this.at = Object.fromEntries(head.columns.map((/** @type {string} */ name, /** @type {number} */ at) => [name, at]));
    this.categories = inOrder([...new Set(this.sorts.map(aisle))], (name) => name);
    globalThis.requestIdleCallback?.(() => this.texts, { timeout: 5000 });
    return true;
  }

  /**
   * Take one product more, as a scan's answer tells it: new since the catalogue was loaded.
   * @param {Product} product
   */
  take(product) {
    if (!this.bySku.has(product.sku)) this.more.push(product.sku);
    this.made.set(product.sku, product);
    for (const [code, qty] of product.codes ?? []) this.taken.set(code, { product, qty });
  }

  /**
   * Find a scanned or typed code: as it is, as the same GTIN with or without leading zeros, as a SKU, or as
   * a label of the store's own.
   * @param {string} code
   * @returns {Hit | null}
   */
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

  /**
   * Search by name, brand, pinyin or its initials, or part of a code; every word must occur; best first.
   * @param {string} text
   */
  search(text) {
    const wanted = text.toLowerCase().split(/\s+/).filter(Boolean);
    if (!wanted.length) return [];
    const count = this.texts.length;
    /** @type {number[][]} */
    const found = [];
    for (let place = 0; place < count; place++) {
      const rank = this.#rank(place, wanted);
      if (rank >= 0) (found[rank] ??= []).push(place);
    }
    /** @type {Product[]} */
    const best = [];
    for (const places of found) {
      if (!places || best.length >= MOST_FOUND) continue;
      best.push(...inOrder(places.slice(0, MOST_FOUND - best.length).flatMap((place) => this.#inPlace(place) ?? []), byName));
    }
    return best;
  }

  /** Name the pages of quick keys as the shopkeeper arranged them; one page without any. */
  keyPages() { return this.keys.length ? this.keys.map((page) => page.name || say("quick-keys")) : [say("quick-keys")]; }

  /**
   * List a page of quick keys, place by place as they were arranged; where none are, the products in their places.
   * @param {number} [page]
   * @returns {Spot[]}
   */
  quickKeys(page = 0) {
    if (this.keys.length) {
      /** @type {Spot[]} */
      const spots = [];
      for (const { place, sku, label, colour } of (this.keys[page] ?? this.keys[0])?.keys ?? []) {
        const product = this.bySku.get(sku);
        if (product) spots[place] = { product, label, colour };
      }
      return Array.from(spots, (spot) => spot ?? null);
    }
    const placed = this.#holding('"quick_key":').map((row) => this.#product(row)).sort((a, b) => (a.quick_key ?? 0) - (b.quick_key ?? 0));
    const shown = placed.length ? placed : this.#holding("\n[", MOST_FOUND).map((row) => this.#product(row));
    return shown.slice(0, MOST_FOUND).map((product) => ({ product }));
  }

  /**
   * Tell how a product is weighed here: {hasScale, tareGrams: what its box weighs}.
   * @param {Product} product
   */
  weighing({ sku }) { return { hasScale: this.hasScale, tareGrams: this.tares[sku] ?? 0 }; }

  /** Tell whether the store takes empties back. */
  get hasDeposits() { return this.sorts.some(({ kind }) => kind === "deposit"); }

  /** List the deposits: what empties are worth. */
  deposits() {
    this.empties ??= inOrder(this.#ofSorts((sort) => sort.kind === "deposit"), byName);
    return this.empties;
  }

  /** List the products that have a photo. */
  pictured() { return this.#holding('"photo":').map((row) => this.#product(row)); }

  /** List the products without a fixed price that custom items are sold as, by name. */
  openPriced() {
    const found = this.#holding('"price_typed":true').map((row) => this.#product(row)), more = this.more.flatMap((sku) => this.bySku.get(sku) ?? []);
    return inOrder([...found, ...more.filter((product) => product.price_typed)].filter(({ kind = "goods", stock_unit: unit }) => ["goods", "service"].includes(kind) && unit === "each"), byName);
  }

  /**
   * List a category by name.
   * @param {string} category
   */
  inCategory(category) {
    return inOrder(this.#ofSorts((sort) => aisle(sort) === category), byName).slice(0, MOST_FOUND);
  }

  /**
   * What the search looks in, per place; made when the page has a moment, at the latest with the first search.
   * @returns {string[]}
   */
  get texts() {
    if (!this.#texts) {
      const { sku = 0, name = 0, sort = 0, codes = 0, sounds = -1 } = this.at;
      const shared = this.sorts.map(({ brand, category, kind, sounds }) => [`${brand} ${category} ${sounds}`, kind === "deposit" ? say("empties") : ""]);
      /** @type {Map<string, Row>} */
      const byCode = this.#codes = new Map();
      this.#texts = this.rows.map((row) => {
        for (const [code] of codesOf(row[codes])) byCode.set(code, row);
        const [before, after] = shared[Number(row[sort])] ?? [];
        return `${row[name]} ${before} ${row[sounds] ?? ""} ${after} ${row[sku]}`.toLowerCase();
      });
    }
    for (const sku of this.more.slice(this.#texts.length - this.rows.length)) {
      const product = this.made.get(sku);
      if (product) this.#texts.push(`${product.name} ${product.brand} ${product.search_text ?? ""} ${product.sku}`.toLowerCase());
    }
    return this.#texts;
  }

  /**
   * All products' rows, read when somebody needs them all.
   * @returns {Row[]}
   */
  get rows() { return (this.#rows ??= JSON.parse(`{${this.#text.slice(this.#first - ROWS.length)}`).rows); }

  // --- inside ---

  #text = ""; // the answer
  #first = 0; // where its first row begins
  /** @type {Row[] | null} */
  #rows = null;
  /** @type {string[] | null} */
  #texts = null;
  /**
   * The row of a code, once all lines are read.
   * @type {Map<string, Row> | null}
   */
  #codes = null;

  #empty() {
    this.#text = `${ROWS}]}`;
    this.#first = ROWS.length;
    this.#rows = this.#texts = this.#codes = this.empties = null;
    this.more = [];
    this.taken = new Map();
    this.sorts = [];
    this.made = new Map();
  }

  /**
   * @param {Row} row
   * @param {string} column
   */
  #cell(row, column) { return row[this.at[column] ?? -1]; }

  /**
   * Give what few products have.
   * @param {Row} row
   */
  #rest(row) { return /** @type {Partial<Product> | undefined} */ (this.#cell(row, "rest")); }

  /**
   * @param {string} sku
   * @returns {Product | undefined}
   */
  #bySku(sku) {
    const made = this.made.get(sku);
    if (made) return made;
    const at = this.#text.indexOf(`\n[${quoted(sku)},`, this.#first - 1);
    return at < 0 ? undefined : this.#product(this.#rowAround(at + 1));
  }

  /**
   * @param {string} code
   * @returns {Hit | undefined}
   */
  #byCode(code) {
    const rows = this.#codes ? [this.#codes.get(code) ?? []].filter((row) => row.length) : this.#holding(quoted(code));
    for (const row of rows) {
      const found = this.#product(row).codes?.find(([one]) => one === code);
      if (found) return { product: this.#product(row), qty: found[1] };
    }
    return undefined;
  }

  /**
   * List the rows whose line holds these signs, `most` of them at most.
   * @param {string} signs
   * @param {number} [most]
   */
  #holding(signs, most = Infinity) {
    const text = this.#text;
    /** @type {Row[]} */
    const found = [];
    let at = text.indexOf(signs, this.#first - 1);
    while (at >= 0 && found.length < most) {
      const end = text.indexOf("\n", at + 1);
      found.push(this.#rowAround(at + 1));
      at = end < 0 ? -1 : text.indexOf(signs, end);
    }
    return found;
  }

  /**
   * Read the row whose line holds this place of the text.
   * @param {number} place
   * @returns {Row}
   */
  #rowAround(place) {
    const begin = this.#text.lastIndexOf("\n", place - 1) + 1;
    return JSON.parse(this.#text.slice(begin, this.#text.indexOf("\n", begin)).replace(/,$/, ""));
  }

  /**
   * List the products whose sort is wanted.
   * @param {(sort: Sort) => boolean} isWanted
   */
  #ofSorts(isWanted) {
    const wanted = this.sorts.map(isWanted);
    if (!wanted.some(Boolean)) return [];
    return this.rows.filter((row) => wanted[Number(this.#cell(row, "sort"))]).map((row) => this.#product(row));
  }

  /**
   * Give the product in this place of the texts.
   * @param {number} place
   */
  #inPlace(place) {
    const row = this.rows[place];
    return row ? this.#product(row) : this.made.get(this.more[place - this.rows.length] ?? "");
  }

  /**
   * @param {Row} row
   * @returns {Product}
   */
  #product(row) {
    const sku = String(this.#cell(row, "sku")), made = this.made.get(sku);
    if (made) return made;
    const sort = this.sorts[Number(this.#cell(row, "sort"))];
    if (!sort) throw new Error(`${sku} is of no known sort`);
    /** @type {Product} */
    const product = {
      deposit_sku: null, price_typed: false, minimum_age: null, maximum_qty: null, quick_key: null,
      sku, name: String(this.#cell(row, "name")), price_minor: Number(this.#cell(row, "price_minor")), ...sort, ...this.#rest(row),
      codes: codesOf(this.#cell(row, "codes")),
    };
    this.made.set(sku, product);
    return product;
  }

  /**
   * @param {number} place
   * @param {string} part
   */
  #hasCode(place, part) {
    const row = this.rows[place], codes = row ? codesOf(this.#cell(row, "codes")) : this.#inPlace(place)?.codes ?? [];
    return codes.some(([code]) => code.includes(part));
  }

  /**
   * Give how well a product fits every word, 0 best; -1: it does not. Products on a quick key come first.
   * @param {number} place
   * @param {string[]} wanted
   */
  #rank(place, wanted) {
    const text = this.#texts?.[place] ?? "", row = this.rows[place];
    let rank = 0;
    for (const word of wanted) {
      const at = text.indexOf(word);
      if (at >= 0) rank += at === 0 ? 0 : text[at - 1] === " " ? 1 : 3;
      else if (word.length >= 4 && this.#hasCode(place, word)) rank += 4;
      else return -1;
    }
    const onKey = (row ? this.#rest(row) : this.#inPlace(place))?.quick_key != null;
    return 2 * rank + (onKey ? 0 : 1);
  }
}

/**
 * Write a text as the answer writes it: JSON of plain signs.
 * @param {string} text
 */
function quoted(text) {
  return JSON.stringify(text).replace(/[\u007f-\uffff]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/**
 * List what a row says of codes as [code, qty]: one that stands for one unit is a plain text.
 * @param {unknown} codes
 * @returns {Code[]}
 */
function codesOf(codes) {
  const list = Array.isArray(codes) ? codes : [codes];
  return list.map((code) => (typeof code === "string" ? [code, 1] : code));
}

/**
 * Tell whether the cashier has to say how many grams or millilitres.
 * @param {Measured} product
 */
export const isWeighed = (product) => product.stock_unit !== "each";

/**
 * Give a product under the name a line has for it; '': its own.
 * @param {Product} product
 * @param {string} called
 */
export const named = (product, called) => (called ? { ...product, name: called, paper_name: called } : product);

/**
 * Name the category a sort of product stands in: its department, else its category.
 * @param {Sort} sort
 */
const aisle = ({ department, category }) => department || category || "";

/** @param {Product} product */
const byName = (product) => product.name;

const PLAIN = /^[ -~]*$/;
/** @type {Intl.Collator | undefined} */
let collator;

/**
 * Put a list in the order of the language. Its tables take a while to load: names of plain letters do without them.
 * @template T
 * @param {T[]} list
 * @param {(one: T) => string} nameOf
 */
function inOrder(list, nameOf) {
  if (!list.every((one) => PLAIN.test(nameOf(one)))) {
    const { compare } = collator ??= new Intl.Collator(settings.language);
    return list.sort((one, other) => compare(nameOf(one), nameOf(other)));
  }
  const keys = new Map(list.map((one) => [one, nameOf(one).toLowerCase()])), keyOf = (/** @type {T} */ one) => keys.get(one) ?? "";
  return list.sort((one, other) => (keyOf(one) < keyOf(other) ? -1 : keyOf(one) > keyOf(other) ? 1 : 0));
}
