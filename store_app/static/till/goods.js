// The left of the till: search results, categories, and the quick keys as the shopkeeper arranged them.

import { ask } from "./api.js";
import { isWeighed } from "./catalogue.js";
import { showMoney } from "./money.js";
import { $, say, settings } from "./settings.js";
import { perText, qtyText } from "./words.js";

const LOW_STOCK = 3;
const MOST_SHOWN = 60;
const PAUSE_MS = 60; // longer than between two keys of a scanner, shorter than anybody notices
const stencil = (id) => $(id).content.firstElementChild.cloneNode(true);

export class Goods {
  constructor(catalogue, actions) {
    this.catalogue = catalogue;
    this.page = "keys:0"; // keys:<page>, empties: or aisle:<name>
    this.found = [];
    this.shown = ""; // the text whose results are on the screen
    this.levels = new Map(); // SKU -> stock units last heard of
    this.asked = new Set(); // SKUs asked for since levels were last renewed
    $("tiles").addEventListener("click", (event) => {
      const tile = event.target.closest(".tile");
      if (tile) actions.take(catalogue.bySku.get(tile.dataset.sku), 1);
    });
    $("tiles").addEventListener("keydown", (event) => this.#moveAmongTiles(event));
    $("chips").addEventListener("click", (event) => {
      const chip = event.target.closest("button");
      if (!chip) return;
      this.page = chip.dataset.page;
      $("search").value = "";
      this.show();
    });
  }

  /** Show what is typed once the hand pauses: what a scanner wrote is taken out of the field before that. */
  soon() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => { if ($("search").value.trim() !== this.shown) this.show(); }, PAUSE_MS);
  }

  /** Show what the search field asks for, or the page that is chosen. */
  show() {
    clearTimeout(this.timer);
    const text = this.shown = $("search").value.trim();
    const keys = text ? this.catalogue.search(text).map((product) => ({ product })) : this.#chosen();
    this.#showChips(text);
    $("tiles").replaceChildren(...keys.map((key) => this.#tile(key)));
    $("goods-note").textContent = !text ? "" : keys.length === 0 ? say("nothing-found", { text })
      : say(keys.length >= MOST_SHOWN ? "more-found" : "everything-found", { n: keys.length });
    this.found = text ? keys.map((key) => key.product) : [];
    if (this.asked.size) this.#askLevels();
  }

  /** Ask anew what is left of the products on the screen; others are asked for when they are shown. */
  renewLevels() {
    this.asked.clear();
    return this.#askLevels();
  }

  /** Empty the search field; the tiles are drawn anew only when it held something. */
  clearSearch() {
    if (!$("search").value && !this.shown) return;
    $("search").value = "";
    this.show();
  }

  #chosen() {
    const [kind, name] = this.page.split(/:(.*)/);
    if (kind === "empties") return this.catalogue.deposits().map((product) => ({ product }));
    return kind === "keys" ? this.catalogue.quickKeys(Number(name)) : this.catalogue.inCategory(name).map((product) => ({ product }));
  }

  #showChips(text) {
    const wanted = [...this.catalogue.keyPages().map((words, at) => [`keys:${at}`, words]),
      ...(this.catalogue.hasDeposits ? [["empties:", say("empties")]] : []),
      ...this.catalogue.categories.map((name) => [`aisle:${name}`, name])];
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
    for (const chip of $("chips").children) chip.setAttribute("aria-pressed", String(!text && chip.dataset.page === this.page));
  }

  #tile({ product, label, colour }) {
    const tile = stencil("tile-stencil");
    tile.dataset.sku = product.sku;
    if (colour) tile.dataset.colour = colour;
    tile.querySelector(".tile-name").textContent = label || product.name;
    const price = tile.querySelector(".tile-price");
    if (product.price_typed) price.textContent = say("price-typed");
    else {
      showMoney(price, product.price_minor);
      if (isWeighed(product)) price.append(` / ${perText(product)}`);
    }
    tile.querySelector(".tile-pack").textContent = [product.brand, product.pack_text].filter(Boolean).join(" · ");
    this.#sayStock(tile, product);
    return tile;
  }

  async #askLevels() {
    const skus = [...$("tiles").children].map((tile) => tile.dataset.sku).filter((sku) => !this.asked.has(sku));
    if (!skus.length) return;
    for (const sku of skus) this.asked.add(sku);
    let levels;
    try {
      levels = await ask("GET", `${settings.urls.levels}?${new URLSearchParams(skus.map((sku) => ["sku", sku]))}`);
    } catch {
      return; // asked again after the next sale
    }
    for (const sku of skus) this.levels.set(sku, levels[sku]);
    for (const tile of $("tiles").children) {
      if (tile.dataset.sku in levels) this.#sayStock(tile, this.catalogue.bySku.get(tile.dataset.sku));
    }
  }

  #sayStock(tile, product) {
    const [kind, words] = this.#stock(product);
    tile.querySelector(".tile-left").textContent = kind ? words : "";
    tile.querySelector(".tile-left").className = `tile-left tile-left-${kind}`;
    tile.querySelector(".tile-stock").className = words ? `tile-stock dot ${kind && `dot-${kind}`}` : "tile-stock";
  }

  /** Give [kind, words] of what is left: kind '' while there is plenty. */
  #stock(product) {
    const left = this.levels.get(product.sku);
    if (left == null || product.kind !== "goods" && product.kind) return ["", ""];
    if (left <= 0) return ["bad", say("stock-none")];
    const low = isWeighed(product) ? left < product.price_quantity : left <= LOW_STOCK;
    return low ? ["warn", say("stock-left", { n: qtyText(product, left) })] : ["", say("stock-fine")];
  }

  #moveAmongTiles(event) {
    const tiles = [...$("tiles").children], at = tiles.indexOf(document.activeElement);
    if (at < 0) return;
    const across = tiles.findIndex((tile) => tile.offsetTop !== tiles[0].offsetTop);
    const columns = across < 0 ? tiles.length : across;
    const by = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    if (at + by < 0) $("search").focus();
    else tiles[Math.min(tiles.length - 1, at + by)].focus();
  }
}
