// Everything this shop sells, loaded once and kept in maps: a scan asks nobody.

import { askWithTag } from "./api.js";
import { readLabel } from "./labels.js";
import { say, settings } from "./settings.js";

const MOST_FOUND = 60;

export class Catalogue {
  constructor() {
    this.#empty();
    this.categories = [];
    this.keys = [];
    this.schemes = [];
    this.bySku = { get: (sku) => this.#product(this.places.get(sku)), has: (sku) => this.places.has(sku) };
  }

  /** Load (or renew) the catalogue; gives false when it is the one we have: the browser sends the ETag. */
  async load() {
    const { content, tag } = await askWithTag("GET", settings.urls.catalogue, undefined, 20_000);
    if (tag && tag === this.tag) return false;
    this.tag = tag;
    this.keys = content.keys ?? [];
    this.schemes = content.schemes ?? [];
    this.hasScale = Boolean(content.scale);
    this.#empty();
    this.rows = content.rows;
    this.sorts = content.sorts.map((values) => Object.fromEntries(content.sort_columns.map((name, at) => [name, values[at]])));
    this.at = Object.fromEntries(content.columns.map((name, at) => [name, at]));
    this.rows.forEach((row, place) => {
      this.places.set(row[0], place);
      const codes = row[this.at.codes];
      if (typeof codes === "string") this.byCode.set(codes, place);
      else for (const code of codes) this.byCode.set(typeof code === "string" ? code : code[0], typeof code === "string" ? place : { place, qty: code[1] });
    });
    this.categories = inOrder([...new Set(this.sorts.map(aisle))], (name) => name);
    globalThis.requestIdleCallback?.(() => this.texts, { timeout: 5000 });
    return true;
  }

  /** Take one product more, as a scan's answer tells it: new since the catalogue was loaded. */
  take(product) {
    const place = this.places.get(product.sku) ?? this.rows.length + this.more.length;
    this.places.set(product.sku, place);
    this.made.set(place, product);
    if (place >= this.rows.length) this.more.push(place);
    for (const [code, qty] of product.codes ?? []) this.byCode.set(code, { place, qty });
  }

  /** Find a scanned or typed code: as it is, as the same GTIN with or without leading zeros, as a SKU, or as
   * a label of the shop's own. */
  find(code) {
    const spellings = [code];
    if (/^\d{8,14}$/.test(code)) {
      const bare = code.replace(/^0+/, "");
      spellings.push(...[8, 12, 13, 14].filter((n) => n >= bare.length).map((n) => bare.padStart(n, "0")));
    }
    for (const spelling of spellings) {
      const hit = this.byCode.get(spelling);
      if (hit !== undefined) return { product: this.#product(hit.place ?? hit), qty: hit.qty ?? 1 };
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
      best.push(...inOrder(places.slice(0, MOST_FOUND - best.length).map((place) => this.#product(place))));
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
    const placed = [];
    this.rows.forEach((row, place) => { if (row[this.at.rest]?.quick_key != null) placed.push(this.#product(place)); });
    placed.sort((a, b) => a.quick_key - b.quick_key);
    const shown = placed.length ? placed : this.rows.slice(0, MOST_FOUND).map((_, place) => this.#product(place));
    return shown.slice(0, MOST_FOUND).map((product) => ({ product }));
  }

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
      const { sku, name, sort, sounds } = this.at;
      const shared = this.sorts.map(({ brand, category, kind }) => [`${brand} ${category}`, kind === "deposit" ? say("empties") : ""]);
      this.#texts = this.rows.map((row) => {
        const [before, after] = shared[row[sort]];
        return `${row[name]} ${before} ${row[sounds] ?? ""} ${after} ${row[sku]}`.toLowerCase();
      });
    }
    for (const place of this.more.slice(this.#texts.length - this.rows.length)) {
      const product = this.#product(place);
      this.#texts.push(`${product.name} ${product.brand} ${product.search_text ?? ""} ${product.sku}`.toLowerCase());
    }
    return this.#texts;
  }

  // --- inside ---

  #texts = null;

  #empty() {
    this.rows = [];
    this.more = []; // places of products taken after the catalogue was loaded
    this.sorts = []; // what many products share, by its place
    this.made = new Map(); // place -> the product as the page's parts read it, made when it is first asked for
    this.places = new Map(); // SKU -> place
    this.byCode = new Map(); // code -> place, or { place, qty } of a pack
    this.#texts = null;
    this.empties = null;
  }

  /** List the products whose sort is wanted. */
  #ofSorts(isWanted) {
    const wanted = this.sorts.map(isWanted), found = [];
    if (wanted.some(Boolean)) this.rows.forEach((row, place) => { if (wanted[row[this.at.sort]]) found.push(this.#product(place)); });
    return found;
  }

  #product(place) {
    if (place === undefined) return undefined;
    let product = this.made.get(place);
    if (product) return product;
    const row = this.rows[place], { sku, name, price_minor, sort, codes, rest } = this.at;
    const listed = typeof row[codes] === "string" ? [row[codes]] : row[codes];
    product = {
      deposit_sku: null, price_typed: false, minimum_age: null, maximum_qty: null, quick_key: null,
      sku: row[sku], name: row[name], price_minor: row[price_minor], ...this.sorts[row[sort]], ...row[rest],
      codes: listed.map((code) => (typeof code === "string" ? [code, 1] : code)),
    };
    this.made.set(place, product);
    return product;
  }

  #hasCode(place, part) {
    const codes = place < this.rows.length ? this.rows[place][this.at.codes] : this.made.get(place).codes ?? [];
    if (typeof codes === "string") return codes.includes(part);
    return codes.some((code) => (typeof code === "string" ? code : code[0]).includes(part));
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
    const onKey = (this.made.get(place) ?? this.rows[place][this.at.rest])?.quick_key != null;
    return 2 * rank + (onKey ? 0 : 1);
  }
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
