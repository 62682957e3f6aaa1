// Sell what is not in the catalogue: its name, its price, and the department it counts under. Loaded on first use; the
// till passes its sheet.

import { el, field, go } from "./dom.js";
import { parseKeyed, showMoney } from "./money.js";
import { Pad, padButtons } from "./pad.js";
import { say, settings } from "./settings.js";

/**
 * A department is a product without a fixed price; who may edit products adds one with its tax class.
 * @typedef {{ categories: string[], tax_class_id: string, tax_classes: { id: string, words: string }[] }} Choices
 */

/**
 * Ask for a custom item; `onItem` is given the department's product, and what makes the line its own.
 * @param {import("./catalogue.js").Catalogue} catalogue
 * @param {Pick<typeof import("./api.js"), "ask" | "sentence"> & Pick<typeof import("./sheet.js"), "sheet" | "backButton"> & { adds: boolean }} parts
 * @param {(product: Product, special: Partial<Special>) => unknown} onItem
 */
export async function askCustomItem(catalogue, { ask, sentence, sheet, backButton, adds }, onItem) {
  const open = catalogue.openPriced(), url = `${settings.urls.products}/open`;
  /** @type {Choices | null} */
  const choices = adds ? await sheet.hold(() => ask("GET", url)) : null;
  if (!open.length && !choices) throw new Error(say("no-open-department"));
  const name = field("item-name", say("name"), { maxlength: "120" });
  const department = el("select.form-select.form-select-lg", { id: "item-department", onchange: () => showNew() },
    open.map((product) => el("option", { value: product.sku }, product.name)), choices && el("option", { value: "" }, say("another-department")));
  const category = field("item-category", say("department"), { maxlength: "60", list: "item-categories" });
  const tax = el("select.form-select.form-select-lg", { id: "item-tax" }, choices?.tax_classes.map(({ id, words }) => el("option", { value: id }, words)));
  const added = el("div.stack", {}, category.root, el("div.field", {}, el("label.form-label", { for: "item-tax" }, say("tax-class")), tax));
  const showNew = () => { added.hidden = department.value !== ""; };
  if (choices) tax.value = choices.tax_class_id;
  showNew();
  const shown = el("output.number-shown.figures"), keys = padButtons(say("price"), "00", "price-pad");
  const pad = new Pad(keys, (text) => {
    showMoney(shown, parseKeyed(text));
    sheet.quieten();
  });
  /** @returns {Promise<Product | undefined>} */
  const product = async () => {
    if (department.value) return catalogue.bySku.get(department.value);
    const { product: made } = await sheet.hold(() => ask("POST", url, { category: category.input.value.trim(), tax_class_id: tax.value }));
    catalogue.take(made);
    return made;
  };
  const finish = async () => {
    const called = name.input.value.trim(), isNew = !department.value;
    if (!called || (isNew && !category.input.value.trim())) return sheet.complain(say(isNew ? "name-department-needed" : "words-needed"));
    if (!pad.text) return sheet.complain(say("number-needed"));
    try {
      const sold = await product();
      sheet.close();
      if (sold) onItem(sold, { price_minor: parseKeyed(pad.text), called });
    } catch (fault) { sheet.complain(sentence(fault)); }
  };
  pad.clear();
  sheet.open({
    title: say("custom-item"), pad, onEnter: finish, focus: name.input, wide: true,
    body: [el("div.two", {},
      el("div.stack", {}, name.root, el("div.field", {}, el("label.form-label", { for: "item-department" }, say("department")), department), choices && added),
      el("div.stack", {}, shown, keys)),
    choices && el("datalist", { id: "item-categories" }, choices.categories.map((one) => el("option", { value: one })))],
    foot: [backButton(), go(say("take-it"), finish)],
  });
}
