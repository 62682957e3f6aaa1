// Everything this shop sells, loaded once and kept in maps: a scan asks nobody.

import { askWithTag } from "./api.js";
import { say, settings } from "./settings.js";

const MOST_FOUND = 60;

export class Catalogue {
  constructor() {
    this.bySku = new Map();
    this.byCode = new Map();
    this.categories = [];
    this.keys = [];
    this.schemes = [];
  }

  /** Load (or renew) the catalogue; gives false when it is the one we have: the browser sends the ETag. */
  async load() {
    const { content, tag } = await askWithTag("GET", settings.urls.catalogue, undefined, 20_000);
    if (tag && tag === this.tag) return false;
    this.tag = tag;
    this.keys = content.keys ?? [];
    this.schemes = content.schemes ?? [];
    this.hasScale = Boolean(content.scale);
    this.bySku.clear();
    this.byCode.clear();
    for (const product of content.products) this.take(product);
    const count = new Map();
    for (const product of this.bySku.values()) count.set(aisle(product), (count.get(aisle(product)) ?? 0) + 1);
    this.categories = [...count.keys()].sort((a, b) => a.localeCompare(b, settings.language));
    return true;
  }

  take(product) {
    product.text = `${product.name} ${product.brand ?? ""} ${product.search_text ?? ""} ${product.sku}`.toLowerCase();
    this.bySku.set(product.sku, product);
    for (const [code, qty] of product.codes ?? []) this.byCode.set(code, { sku: product.sku, qty });
  }

  /** Find a scanned or typed code: as it is, as the same GTIN with or without leading zeros, or as a SKU. */
  find(code) {
    const spellings = [code];
    if (/^\d{8,14}$/.test(code)) {
      const bare = code.replace(/^0+/, "");
      spellings.push(...[8, 12, 13, 14].filter((n) => n >= bare.length).map((n) => bare.padStart(n, "0")));
    }
    for (const spelling of spellings) {
      const hit = this.byCode.get(spelling);
      if (hit) return { product: this.bySku.get(hit.sku), qty: hit.qty };
    }
    const product = this.bySku.get(code);
    return product ? { product, qty: isWeighed(product) ? 0 : 1 } : null;
  }

  /** Search by name, brand, pinyin or its initials, or part of a code; every word must occur; best first. */
  search(text) {
    const wanted = text.toLowerCase().split(/\s+/).filter(Boolean);
    if (!wanted.length) return [];
    const found = [];
    for (const product of this.bySku.values()) {
      let rank = 0;
      for (const word of wanted) {
        const at = product.text.indexOf(word);
        if (at >= 0) rank += at === 0 ? 0 : product.text[at - 1] === " " ? 1 : 3;
        else if (word.length >= 4 && (product.codes ?? []).some(([code]) => code.includes(word))) rank += 4;
        else { rank = -1; break; }
      }
      if (rank >= 0) found.push({ product, rank: rank + (product.quick_key == null ? 0.5 : 0) });
    }
    found.sort((a, b) => a.rank - b.rank || a.product.name.localeCompare(b.product.name, settings.language));
    return found.slice(0, MOST_FOUND).map((hit) => hit.product);
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
    const all = [...this.bySku.values()];
    const placed = all.filter((product) => product.quick_key != null).sort((a, b) => a.quick_key - b.quick_key);
    return (placed.length ? placed : all).slice(0, MOST_FOUND).map((product) => ({ product }));
  }

  /** List a category by name. */
  inCategory(category) {
    return [...this.bySku.values()].filter((product) => aisle(product) === category)
      .sort((a, b) => a.name.localeCompare(b.name, settings.language)).slice(0, MOST_FOUND);
  }
}

/** Tell whether the cashier has to say how many grams or millilitres. */
export const isWeighed = (product) => product.stock_unit !== "each";

const aisle = (product) => product.department || product.category;
