// The row of whoever is signed in: their own products above the quick keys, kept at the server.

import { around } from "../common/dom.js";
import { ask, sentence } from "./api.js";
import { isWeighed } from "./catalogue.js";
import { el, field, icon, list } from "./dom.js";
import { moneyText } from "./money.js";
import { $, say, settings } from "./settings.js";
import { backButton, sheet } from "./sheet.js";
import { perText } from "./words.js";

const MOST_SHOWN = 12;

export class Favorites {
  /**
   * @param {import("./catalogue.js").Catalogue} catalogue
   * @param {(product: Product, qty: number) => unknown} take
   */
  constructor(catalogue, take) {
    this.catalogue = catalogue;
    this.skus = settings.favorites;
    $("favorites").addEventListener("click", (event) => {
      const product = catalogue.bySku.get(around(event, "button")?.dataset.sku ?? "");
      if (product) take(product, 1);
    });
  }

  get products() { return this.skus.flatMap((sku) => this.catalogue.bySku.get(sku) ?? []); }

  show() {
    const { products } = this;
    $("favorites").hidden = !products.length;
    $("favorites").replaceChildren(...products.map((product) => {
      const button = el("button.favorite", {}, el("span", {}, product.name), el("b.figures", {}, priceText(product)));
      button.dataset.sku = product.sku;
      return button;
    }));
  }

  /** Choose them: those there are, and what is searched for; a touch puts a product in or takes it out. */
  open() {
    const asked = field("favorite-search", say("lookup-search"), { oninput: () => fill() });
    const rows = list(say("products"), say("lookup-none"));
    const fill = () => {
      const text = asked.input.value.trim(), hit = text ? this.catalogue.find(text) : null;
      const found = hit ? [hit.product] : text ? this.catalogue.search(text).slice(0, MOST_SHOWN) : this.products;
      rows.fill(found.map((product) => {
        const isOn = this.skus.includes(product.sku);
        return el("li", {}, el("button.row-button", { "aria-pressed": String(isOn), onclick: async () => { if (await this.#toggle(product.sku)) fill(); } },
          icon(isOn ? "check-circle" : "plus"), el("span.row-main", {}, el("b", {}, product.name), el("span.muted", {}, product.pack_text ?? "")), el("b.figures", {}, priceText(product))));
      }));
      rows.none.hidden = !text || found.length > 0;
    };
    sheet.open({
      title: say("favorites"), focus: asked.input, wide: true, foot: backButton(), onScan: (code) => { asked.input.value = code; fill(); },
      body: [el("p.muted", {}, say("favorites-lead")), asked.root, rows.root],
    });
    fill();
  }

  /** @param {string} sku */
  async #toggle(sku) {
    const skus = this.skus.includes(sku) ? this.skus.filter((one) => one !== sku) : [...this.skus, sku];
    try {
      ({ skus: this.skus } = await ask("POST", settings.urls.favorites, { skus }));
      sheet.quieten();
      this.show();
      return true;
    } catch (fault) {
      sheet.complain(sentence(fault));
      return false;
    }
  }
}

/** @param {Product} product */
const priceText = (product) => (product.price_typed ? "" : moneyText(product.price_minor) + (isWeighed(product) ? ` / ${perText(product)}` : ""));
