// Add an unknown product: what is known is filled in, a price is entered, it is sold. Loaded on first use; the till
// passes its sheet.

import { newId } from "../common/ids.js";
import { el, field, go, note } from "./dom.js";
import { parseKeyed, showMoney } from "./money.js";
import { Pad, padButtons } from "./pad.js";
import { say, settings } from "./settings.js";

/**
 * What is known of a barcode, and what a new product can be.
 * @typedef {{ name: string, brand: string, pack_text: string, category: string, tax_class_id: string }} Details
 * @typedef {{ products: Details[], credit: string, silent: string, categories: string[], tax_class_id: string, tax_classes: { id: string, words: string }[] }} Known
 */

/**
 * Ask for the price of a new product, and for what is not known of it; `onAdded` is given the product, `onOther` a code
 * that is scanned meanwhile.
 * @param {string} code
 * @param {Pick<typeof import("./api.js"), "ask" | "sentence"> & Pick<typeof import("./sheet.js"), "sheet" | "backButton">} parts
 * @param {(product: Product) => unknown} onAdded
 * @param {(code: string) => unknown} onOther
 */
export async function askNewProduct(code, { ask, sentence, sheet, backButton }, onAdded, onOther) {
  /** @type {Known} */
  const known = await sheet.hold(() => ask("GET", `${settings.urls.products}/known/${encodeURIComponent(code)}`, undefined, 12_000));
  const only = known.products.length === 1 ? known.products[0] : undefined;
  let brand = "";
  const name = field("new-name", say("name"), { maxlength: "120" }), size = field("new-size", say("size"), { maxlength: "40" });
  const category = field("new-category", say("category"), { maxlength: "60", list: "new-categories" });
  const tax = el("select.form-select.form-select-lg", { id: "new-tax" }, known.tax_classes.map(({ id, words }) => el("option", { value: id }, words)));
  const fill = (/** @type {Details} */ one) => {
    ({ brand, name: name.input.value, pack_text: size.input.value, category: category.input.value } = one);
    tax.value = one.tax_class_id || known.tax_class_id;
  };
  fill(only ?? { brand, name: "", pack_text: "", category: "", tax_class_id: "" });
  const several = known.products.length > 1 && el("div.choices", { role: "group", "aria-label": say("which-product") }, el("p.muted", {}, say("which-product")),
    known.products.map((one) => el("button.choice", { onclick: () => { fill(one); keys.focus(); } }, el("span", {}, [one.brand, one.name, one.pack_text].filter(Boolean).join(" · ")))));
  const shown = el("output.number-shown.figures"), keys = padButtons(say("price"), "00", "price-pad");
  const pad = new Pad(keys, (text) => {
    showMoney(shown, parseKeyed(text));
    sheet.quieten();
  });
  const id = newId();
  const finish = async () => {
    const said = { name: name.input.value.trim(), category: category.input.value.trim() };
    if (!said.name || !said.category) return sheet.complain(say("name-category-needed"));
    if (!pad.text) return sheet.complain(say("number-needed"));
    try {
      const { product } = await sheet.hold(() => ask("POST", settings.urls.products, {
        id, code, brand, ...said, pack_text: size.input.value.trim(), tax_class_id: tax.value, price_minor: parseKeyed(pad.text),
      }));
      sheet.close();
      onAdded(product);
    } catch (fault) { sheet.complain(sentence(fault)); }
  };
  pad.clear();
  sheet.open({
    title: `${say("add-product")} · ${code}`, pad, onEnter: finish, onScan: (other) => { if (other !== code) onOther(other); }, focus: only ? keys : name.input, wide: true,
    body: [el("div.two", {},
      el("div.stack", {}, several, name.root, category.root, size.root,
        el("div.field", {}, el("label.form-label", { for: "new-tax" }, say("tax-class")), tax)),
      el("div.stack", {}, shown, keys)),
    el("datalist", { id: "new-categories" }, known.categories.map((one) => el("option", { value: one }))),
    known.silent ? note("warn", known.silent) : null, known.credit ? el("p.muted.small", {}, known.credit) : null],
    foot: [backButton(), go(say("add-and-sell"), finish)],
  });
}
