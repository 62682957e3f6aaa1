// What the cashier sees: tiles on the left, the basket on the right, sentences above it.

import { isWeighed } from "./catalogue.js";
import { moneyText, showMoney } from "./money.js";
import { $, say, settings } from "./settings.js";
import { soundBad } from "./sound.js";

const LOW_STOCK = 3;
const stencil = (id) => $(id).content.firstElementChild.cloneNode(true);

export class View {
  constructor(catalogue, basket, actions) {
    this.catalogue = catalogue;
    this.basket = basket;
    this.actions = actions;
    this.category = null;
    this.rows = new Map();
    $("lines").addEventListener("click", (event) => this.#lineClicked(event));
    $("tiles").addEventListener("click", (event) => {
      const tile = event.target.closest(".tile");
      if (tile) actions.take(catalogue.bySku.get(tile.dataset.sku), 1);
    });
    $("tiles").addEventListener("keydown", (event) => this.#moveAmongTiles(event));
    $("chips").addEventListener("click", (event) => {
      const chip = event.target.closest("button");
      if (!chip) return;
      this.category = chip.dataset.category ?? null;
      $("search").value = "";
      this.showGoods();
    });
  }

  // --- the left: categories and tiles ---

  showGoods() {
    const text = $("search").value.trim();
    const products = text ? this.catalogue.search(text)
      : this.category === null ? this.catalogue.quickKeys() : this.catalogue.inCategory(this.category);
    this.#showChips(text);
    $("tiles").replaceChildren(...products.map((product) => this.#tile(product)));
    $("goods-note").textContent = !text ? "" : products.length === 0 ? say("nothing-found", { text })
      : products.length >= 60 ? say("more-found", { n: products.length }) : say("everything-found", { n: products.length });
    this.found = text ? products : [];
  }

  #showChips(text) {
    const names = [null, ...this.catalogue.categories];
    if ($("chips").childElementCount !== names.length) {
      $("chips").replaceChildren(...names.map((category) => {
        const chip = document.createElement("button");
        chip.type = "button";
        chip.textContent = category ?? say("favourites");
        if (category !== null) chip.dataset.category = category;
        return chip;
      }));
    }
    [...$("chips").children].forEach((chip, at) => {
      chip.setAttribute("aria-pressed", String(!text && names[at] === this.category));
    });
  }

  #tile(product) {
    const tile = stencil("tile-stencil");
    tile.dataset.sku = product.sku;
    tile.querySelector(".tile-name").textContent = product.name;
    showMoney(tile.querySelector(".tile-price"), product.price_minor);
    if (isWeighed(product)) tile.querySelector(".tile-price").append(` / ${perText(product)}`);
    const [kind, words] = this.#stock(product);
    tile.querySelector(".tile-pack").textContent = [product.brand, product.pack_text].filter(Boolean).join(" · ");
    tile.querySelector(".tile-left").textContent = kind ? words : "";
    tile.querySelector(".tile-left").className = `tile-left tile-left-${kind}`;
    if (words) tile.querySelector(".tile-stock").className = `tile-stock dot ${kind && `dot-${kind}`}`;
    return tile;
  }

  /** Give [kind, words] of what is left: kind '' while there is plenty. */
  #stock(product) {
    const left = this.levels?.[product.sku];
    if (left == null) return ["", ""];
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

  // --- the right: the basket ---

  showBasket(changed) {
    const lines = this.basket.lines();
    const skus = new Set(lines.map((line) => line.product.sku));
    for (const [sku, row] of this.rows) {
      if (skus.has(sku)) continue;
      if (row.contains(document.activeElement)) this.actions.rest();
      row.remove();
      this.rows.delete(sku);
    }
    for (const line of lines) this.#showLine(line);
    const pieces = lines.reduce((sum, { product, qty }) => sum + (isWeighed(product) ? 1 : qty), 0);
    $("count").textContent = !lines.length ? "" : pieces === 1 ? say("one-line") : say("lines", { n: pieces });
    $("nothing").hidden = lines.length > 0;
    $("empty-basket").hidden = lines.length === 0;
    $("pay-button").disabled = lines.length === 0;
    showMoney($("total"), this.basket.total());
    $("pay-amount").textContent = lines.length ? moneyText(this.basket.total()) : "";
    this.#announce(changed);
  }

  #showLine({ product, qty, total }) {
    let row = this.rows.get(product.sku);
    if (!row) {
      row = stencil("line-stencil");
      row.dataset.sku = product.sku;
      row.querySelector(".line-name").textContent = product.name;
      row.querySelector(".less").setAttribute("aria-label", say("less", { name: product.name }));
      row.querySelector(".more").setAttribute("aria-label", say("more", { name: product.name }));
      row.querySelector(".remove").setAttribute("aria-label", say("remove", { name: product.name }));
      this.rows.set(product.sku, row);
      $("lines").append(row);
    }
    const active = product.sku === this.basket.active, weighed = isWeighed(product);
    row.classList.toggle("active", active);
    row.querySelector(".line-main").setAttribute("aria-expanded", String(active));
    row.querySelector(".line-qty").textContent = weighed ? qtyText(product, qty) : `${qty} ×`;
    row.querySelector(".line-each").textContent = weighed ? eachText(product) : [product.pack_text, eachText(product)].filter(Boolean).join(" · ");
    row.querySelector(".tool.qty").textContent = qtyText(product, qty);
    row.querySelector(".tool.qty").setAttribute("aria-label", say("quantity-of", { name: product.name, qty: qtyText(product, qty) }));
    row.querySelector(".less").hidden = row.querySelector(".more").hidden = weighed;
    showMoney(row.querySelector(".line-total"), total);
  }

  #announce({ why, product }) {
    const row = product && this.rows.get(product.sku);
    if (row && why !== "removed") {
      for (const other of this.rows.values()) other.classList.remove("fresh");
      void row.offsetWidth; // begin the highlight anew
      row.classList.add("fresh");
      const qty = this.basket.qtyOf(product.sku);
      const total = this.basket.lines().find((line) => line.product === product).total;
      $("announce").textContent = say("added", { name: product.name, qty: qtyText(product, qty), price: moneyText(total) });
    } else if (why === "removed") {
      $("announce").textContent = say("removed", { name: product.name });
    }
    this.rows.get(this.basket.active)?.scrollIntoView({ block: "nearest" });
  }

  #lineClicked(event) {
    const row = event.target.closest(".line");
    if (!row) return;
    const product = this.catalogue.bySku.get(row.dataset.sku);
    const act = event.target.closest("[data-act]")?.dataset.act;
    if (!act) this.basket.activate(product.sku);
    else this.actions[act](product);
  }

  // --- sentences ---

  /** Say what is wrong and what to do; stays until understood or until the next product is taken. */
  complain(words) {
    const note = stencil("say-stencil");
    note.querySelector("span").textContent = words;
    note.querySelector("button").addEventListener("click", () => {
      this.quieten();
      this.actions.rest();
    });
    $("says").replaceChildren(note);
    soundBad();
    $("checkout").classList.remove("flash");
    void $("checkout").offsetWidth;
    $("checkout").classList.add("flash");
  }

  /** Say something that went well; `offer` = [words, act] puts a button beside it. */
  tell(words, offer = null) {
    const note = document.createElement("div");
    note.className = "note note-good";
    const sentence = document.createElement("span");
    sentence.textContent = words;
    note.append(sentence);
    if (offer) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "btn btn-quiet";
      button.textContent = offer[0];
      button.addEventListener("click", offer[1]);
      note.append(button);
    }
    $("says").replaceChildren(note);
  }

  quieten() { $("says").replaceChildren(); }
}

/** Write a quantity with its unit: 3, 350 g, 1.2 kg. */
export function qtyText(product, qty) {
  if (product.stock_unit === "each") return String(qty);
  const large = { gram: "kilogram", millilitre: "litre" }[product.stock_unit];
  return qty < 1000 ? `${qty} ${say(product.stock_unit)}`
    : `${(qty / 1000).toLocaleString(settings.language, { maximumFractionDigits: 3 })} ${say(large)}`;
}

const perText = (product) => qtyText(product, product.price_quantity).replace(/^1 /, "");

/** Write the price of one, or of the price quantity. */
export function eachText(product) {
  const price = moneyText(product.price_minor);
  return product.stock_unit === "each" ? say("each", { price }) : say("per", { price, per: perText(product) });
}
