// The left of the till: search results, categories, and the quick keys as the shopkeeper arranged them.

import { all, around, one } from "../common/dom.js";
import { ask } from "./api.js";
import { isWeighed } from "./catalogue.js";
import { el, stencil } from "./dom.js";
import { Favorites } from "./favorites.js";
import { showMoney } from "./money.js";
import { photoAddress } from "./photos.js";
import { $, say, settings } from "./settings.js";
import { perText, qtyText } from "./words.js";

const LOW_STOCK = 3;
const MOST_SHOWN = 60;
const PAUSE_MS = 60; // longer than between two keys of a scanner, shorter than anybody notices

export class Goods {
  timer = 0;
  chips = "";
  /**
   * SKU -> stock units last heard of.
   * @type {Map<string, number | null | undefined>}
   */
  levels = new Map();
  /**
   * SKUs asked for since levels were last renewed.
   * @type {Set<string>}
   */
  asked = new Set();
  /** @type {Product[]} */
  found = [];

  /**
   * @param {import("./catalogue.js").Catalogue} catalogue
   * @param {Pick<import("./till.js").Till, "take">} actions
   */
  constructor(catalogue, actions) {
    this.catalogue = catalogue;
    this.favorites = new Favorites(catalogue, actions.take);
    this.page = "keys:0"; // keys:<page>, empties: or category:<name>
    this.search = $("search", HTMLInputElement);
    this.shown = ""; // the text whose results are on the screen
    $("tiles").addEventListener("click", (event) => {
      const product = catalogue.bySku.get(around(event, ".tile")?.dataset.sku ?? "");
      if (product) actions.take(product, 1);
    });
    $("tiles").addEventListener("keydown", (event) => this.#moveAmongTiles(event));
    $("chips").addEventListener("click", (event) => {
      const page = around(event, "button")?.dataset.page;
      if (!page) return;
      this.page = page;
      this.search.value = "";
      this.show();
    });
  }

  /** Show what is typed once the hand pauses: what a scanner wrote is taken out of the field before that. */
  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => { if (this.search.value.trim() !== this.shown) this.show(); }, PAUSE_MS);
  }

  /** Show what the search field asks for, or the page that is chosen. */
  show() {
    clearTimeout(this.timer);
    const text = this.shown = this.search.value.trim();
    const keys = text ? this.catalogue.search(text).map((product) => ({ product })) : this.#chosen();
    this.#showChips(text);
    this.favorites.show();
    $("tiles").classList.toggle("as-arranged", !text && this.page.startsWith("keys:") && this.catalogue.keys.length > 0);
    $("tiles").replaceChildren(...keys.map((key) => (key ? this.#tile(key) : el("i.tile-gap"))));
    $("goods-note").textContent = !text ? "" : keys.length === 0 ? say("nothing-found", { text })
      : say(keys.length >= MOST_SHOWN ? "more-found" : "everything-found", { n: keys.length });
    this.found = text ? keys.flatMap((key) => key?.product ?? []) : [];
    if (this.asked.size) this.#askLevels();
  }

  /** Ask again what is left of the products on the screen; others are asked for when they are shown. */
  renewLevels() {
    this.asked.clear();
    return this.#askLevels();
  }

  /** Empty the search field; the tiles are drawn again only when it held something. */
  clearSearch() {
    if (!this.search.value && !this.shown) return;
    this.search.value = "";
    this.show();
  }

  /** @returns {Spot[]} */
  #chosen() {
    const [kind, name = ""] = this.page.split(/:(.*)/);
    if (kind === "empties") return this.catalogue.deposits().map((product) => ({ product }));
    return kind === "keys" ? this.catalogue.quickKeys(Number(name)) : this.catalogue.inCategory(name).map((product) => ({ product }));
  }

  /** @param {string} text */
  #showChips(text) {
    /** @type {[page: string, words: string][]} */
    const wanted = [...this.catalogue.keyPages().map((words, at) => /** @type {[string, string]} */ ([`keys:${at}`, words])),
      ...(this.catalogue.hasDeposits ? [/** @type {[string, string]} */ (["empties:", say("empties")])] : []),
      ...this.catalogue.categories.map((name) => /** @type {[string, string]} */ ([`aisle:${name}`, name]))];
    const state = JSON.stringify(wanted);
    if (state !== this.chips) {
      this.chips = state;
      $("chips").replaceChildren(...wanted.map(([page, words]) => {
        const chip = document.createElement("button");
        chip.type = "button";
        chip.textContent = words;
        chip.dataset.page = page;
        return chip;
      }));
    }
    for (const chip of all($("chips"), "button")) chip.setAttribute("aria-pressed", String(!text && chip.dataset.page === this.page));
  }

  /** @param {Key} key */
  #tile({ product, label, colour }) {
    const tile = stencil("tile-stencil");
    tile.dataset.sku = product.sku;
    if (colour) tile.dataset.colour = colour;
    if (product.photo) {
      tile.querySelector("svg")?.remove();
      tile.append(el("img.tile-photo", { src: photoAddress(product), alt: "" }));
    } else tile.querySelector("use")?.setAttribute("href", `${settings.urls.symbols}#${product.symbol}`);
    one(tile, ".tile-name").textContent = label || product.name;
    const price = one(tile, ".tile-price");
    if (product.price_typed) price.textContent = say("price-typed");
    else {
      showMoney(price, product.price_minor);
      if (isWeighed(product)) price.append(` / ${perText(product)}`);
    }
    one(tile, ".tile-pack").textContent = [product.brand, product.pack_text].filter(Boolean).join(" · ");
    if (product.badge) price.after(el("span.tile-badge", {}, product.badge));
    this.#sayStock(tile, product);
    return tile;
  }

  async #askLevels() {
    const skus = all($("tiles"), ".tile").map((tile) => tile.dataset.sku ?? "").filter((sku) => !this.asked.has(sku));
    if (!skus.length) return;
    for (const sku of skus) this.asked.add(sku);
    /** @type {Record<string, number | null>} */
    let levels;
    try {
      levels = await ask("GET", `${settings.urls.levels}?${new URLSearchParams(skus.map((sku) => ["sku", sku]))}`);
    } catch {
      return; // asked again after the next sale
    }
    for (const sku of skus) this.levels.set(sku, levels[sku]);
    for (const tile of all($("tiles"), ".tile")) {
      const { sku = "" } = tile.dataset, product = sku in levels ? this.catalogue.bySku.get(sku) : undefined;
      if (product) this.#sayStock(tile, product);
    }
  }

  /**
   * @param {HTMLElement} tile
   * @param {Product} product
   */
  #sayStock(tile, product) {
    const [kind, words] = this.#stock(product);
    const left = one(tile, ".tile-left");
    left.textContent = kind ? words : "";
    left.className = `tile-left tile-left-${kind}`;
    one(tile, ".tile-stock").className = words ? `tile-stock dot ${kind && `dot-${kind}`}` : "tile-stock";
  }

  /**
   * Give [kind, words] of what is left: kind '' while there is plenty.
   * @param {Product} product
   * @returns {[kind: string, words: string]}
   */
  #stock(product) {
    const left = this.levels.get(product.sku);
    if (left == null || product.kind !== "goods" && product.kind) return ["", ""];
    if (left <= 0) return ["bad", say("stock-none")];
    const low = isWeighed(product) ? left < product.price_quantity : left <= LOW_STOCK;
    return low ? ["warn", say("stock-left", { n: qtyText(product, left) })] : ["", say("stock-fine")];
  }

  /** @param {KeyboardEvent} event */
  #moveAmongTiles(event) {
    const tiles = all($("tiles"), ".tile, .tile-gap"), at = tiles.findIndex((tile) => tile === document.activeElement);
    if (at < 0) return;
    const across = tiles.findIndex((tile) => tile.offsetTop !== tiles[0]?.offsetTop);
    const columns = across < 0 ? tiles.length : across;
    const by = new Map([["ArrowRight", 1], ["ArrowLeft", -1], ["ArrowDown", columns], ["ArrowUp", -columns]]).get(event.key);
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    let to = at + by;
    while (tiles[to]?.matches(".tile-gap")) to += by;
    if (to < 0) this.search.focus();
    else (tiles[to] ?? all($("tiles"), ".tile").at(-1))?.focus();
  }
}
