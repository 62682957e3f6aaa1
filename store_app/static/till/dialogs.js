// Questions about a line: how many, how much off, which price, which words; and how old the customer is.

import { one, percent } from "../common/dom.js";
import { ask, sentence } from "./api.js";
import { isWeighed } from "./catalogue.js";
import { bornBy } from "./clock.js";
import { choices, el, field, keepFocus, quiet } from "./dom.js";
import { lineShown, moneyText, parseKeyed, showMoney } from "./money.js";
import { Pad, padButtons } from "./pad.js";
import { reasons, say, settings } from "./settings.js";
import { backButton, sheet } from "./sheet.js";
import { followScale } from "./weighing.js";
import { eachText } from "./words.js";

/**
 * Ask for how many, or how much it weighs less its box; `onNumber` is given it and may answer with a sentence of
 * refusal. `onLeave` is told when the question is over.
 * @param {Measured & Priced & { sku?: string, name: string }} product
 * @param {(number: number) => Said} onNumber
 * @param {{ hasScale?: boolean, tareGrams?: number, onLeave?: (() => unknown) | null }} [wishes]
 */
export function askNumber(product, onNumber, { hasScale = false, tareGrams = 0, onLeave = null } = {}) {
  const weighed = isWeighed(product), unit = product.stock_unit === "each" ? "" : ` ${settings.units[product.stock_unit][0]}`;
  const shown = el("output.number-shown.figures", { id: "number-shown" }), worth = el("output.number-worth.figures", { id: "number-worth" });
  const keys = padButtons(say("number"), "clear", "number-pad");
  const typed = () => (box ? box.gross : pad.text), net = () => Math.max(0, Number(typed()) - (box?.grams ?? 0));
  const show = (/** @type {string} */ number, /** @type {number} */ qty) => {
    shown.textContent = `${number || "0"}${unit}`;
    worth.textContent = weighed && qty ? moneyText(lineShown(product, qty)) : "";
  };
  const box = product.stock_unit === "gram" ? new Box(tareGrams, () => pad) : null;
  /** @type {Pad} */
  const pad = new Pad(keys, () => {
    show(typed(), net());
    box?.show();
    sheet.quieten();
  });
  const take = (/** @type {number} */ number) => {
    const fault = number > 0 ? onNumber(number) : say(box?.grams && number + box.grams > 0 ? "tare-heavier" : "number-needed");
    if (fault) sheet.complain(fault);
    else sheet.close();
  };
  const scale = (/** @type {Record<string, string>} */ wish = {}) => `${settings.urls.scale}?${new URLSearchParams({ till_id: settings.till_id, sku: product.sku ?? "", ...(box ? { tare_grams: String(box.grams) } : {}), ...wish })}`;
  const finish = () => (weighed && hasScale && !typed() ? weigh() : take(box ? Number(typed()) - box.grams : Number(typed())));
  const weigh = async () => {
    try {
      take((await ask("GET", scale())).qty);
    } catch (fault) {
      sheet.complain(sentence(fault));
    }
  };
  pad.clear();
  sheet.open({
    title: say(product.stock_unit === "gram" ? "grams-title" : product.stock_unit === "millilitre" ? "millilitres-title" : "quantity-title"),
    body: [el("p.muted", {}, say(weighed ? "grams-hint" : "quantity-hint", { name: product.name, price: eachText(product) })),
      shown, weighed && worth, box?.root, weighed && hasScale ? quiet(say("from-scale"), weigh, "scale") : null, keys],
    foot: [backButton(), el("button.btn.btn-go.btn-lg", { onclick: finish }, say("take-it"))],
    pad, onEnter: finish, onLeave: () => { stop?.(); onLeave?.(); }, focus: keys,
  });
  const stop = weighed && hasScale ? followScale(() => scale({ live: "1" }), (weighing) => {
    if (!typed()) show(weighing ? `${weighing.grams}${weighing.stable ? "" : " …"}` : "", weighing?.grams ?? 0);
  }) : null;
}

/** The box something is weighed in: the product's own, or one that is keyed into the same pad; what is left is shown. */
class Box {
  /**
   * @param {number} grams
   * @param {() => Pad} padOf
   */
  constructor(grams, padOf) {
    this.own = grams;
    this.padOf = padOf;
    this.keysBox = false;
    /** @type {Pad["typed"]} */
    this.other = [];
    this.sum = el("span.figures", { role: "status" });
    this.button = el("button.btn.btn-quiet", { "aria-pressed": "false", onmousedown: keepFocus, onclick: () => this.#turn() }, say("tare"));
    this.root = el("div.tare", {}, this.sum, this.button);
  }

  get gross() { return (this.keysBox ? this.other : this.padOf().typed).map((stroke) => stroke.key).join(""); }
  get grams() {
    const typed = (this.keysBox ? this.padOf().typed : this.other).map((stroke) => stroke.key).join("");
    return typed ? Number(typed) : this.own;
  }

  show() {
    const gross = Number(this.gross), [gram] = settings.units.gram;
    this.sum.textContent = this.grams || this.keysBox ? say("tare-sum", { gross: `${gross} ${gram}`, tare: `${this.grams} ${gram}`, net: `${Math.max(0, gross - this.grams)} ${gram}` }) : "";
  }

  #turn() {
    const pad = this.padOf();
    this.keysBox = !this.keysBox;
    [pad.typed, this.other] = [this.other, pad.typed];
    this.button.setAttribute("aria-pressed", String(this.keysBox));
    pad.onChange(pad.text);
  }
}

/**
 * Ask for an amount of money; `onAmount(minor)` may answer with a sentence of refusal.
 * @param {{ title: string, lead?: string, label: string, onAmount: (minor: number) => Said | Promise<Said>, extra?: import("./dom.js").Children, allowZero?: boolean, done?: string }} question
 */
export function askAmount({ title, lead, label, onAmount, extra = null, allowZero = false, done = say("take-it") }) {
  const shown = el("output.number-shown.figures");
  const keys = padButtons(label, "00", "amount-pad");
  const pad = new Pad(keys, (text) => {
    showMoney(shown, parseKeyed(text));
    sheet.quieten();
  });
  const finish = async () => {
    const minor = parseKeyed(pad.text);
    if (!pad.text || (!minor && !allowZero)) return sheet.complain(say("number-needed"));
    const fault = await onAmount(minor);
    if (fault) sheet.complain(fault);
    else if (fault !== null) sheet.close();
  };
  pad.clear();
  sheet.open({
    title, pad, onEnter: finish, focus: keys,
    body: [lead && el("p.muted", {}, lead), shown, keys, extra],
    foot: [backButton(), el("button.btn.btn-go.btn-lg", { onclick: finish }, done)],
  });
}

/**
 * Count empties in: a touch is one that came back, or as many as were keyed; `onEmpties(product, n)`.
 * @param {Product[]} deposits
 * @param {(product: Product, n: number) => unknown} onEmpties
 */
export function askEmpties(deposits, onEmpties) {
  /** @type {Map<Product, number>} */
  const counted = new Map();
  const shown = el("output.number-shown.figures"), told = el("p.figures", { role: "status" });
  const keys = padButtons(say("number"), "clear", "number-pad");
  const pad = new Pad(keys, (text) => {
    shown.textContent = text || "1";
    sheet.quieten();
  }, 4);
  const take = (/** @type {Product} */ product) => {
    const n = Number(pad.text || 1);
    if (!n) return sheet.complain(say("number-needed"));
    onEmpties(product, n);
    counted.set(product, (counted.get(product) ?? 0) + n);
    told.textContent = [...counted].map(([one, many]) => `${many} × ${one.name}`).join(" · ");
    pad.clear();
    keys.focus(); // Enter is for the sheet again, not again for this one
  };
  const only = deposits.length === 1 ? deposits[0] : undefined;
  pad.clear();
  sheet.open({
    title: say("empties"), pad, focus: keys, wide: true, onEnter: () => (only && pad.text ? take(only) : sheet.close()),
    body: [el("p.muted", {}, say("empties-lead")), el("div.two", {}, el("div.stack", {}, shown, keys),
      el("div.more-tiles", {}, deposits.map((product) => el("button.more-tile", { onclick: () => take(product) }, el("span", {}, product.name), el("b.figures", {}, moneyText(product.price_minor)))))), told],
    foot: el("button.btn.btn-go.btn-lg", { onclick: () => sheet.close() }, say("done")),
  });
}

/** @param {(reason: string) => unknown} onChoose */
function reasonTiles(onChoose) {
  return choices(say("why"), reasons("why-"), onChoose);
}

/**
 * Ask what comes off: a percentage or (of one line) an amount, and why. `taken`: something is off already.
 * `onDiscount({discount_bp, discount_minor, reason})`.
 * @param {{ title: string, reason?: string, taken?: unknown, percentOnly?: boolean }} question
 * @param {(change: Pick<Special, "discount_bp" | "discount_minor" | "reason">) => unknown} onDiscount
 */
export function askDiscount({ title, reason = "", taken = false, percentOnly = false }, onDiscount) {
  let by = "percent";
  const shown = el("output.number-shown.figures");
  const keys = padButtons(say("discount"), ".", "discount-pad");
  const pad = new Pad(keys, (text) => {
    if (by === "percent") shown.textContent = percent(Number(`0${text}`) * 100);
    else showMoney(shown, parseKeyed(text));
    sheet.quieten();
  });
  const finish = () => {
    const bp = by === "percent" ? Math.round(Number(pad.text || 0) * 100) : 0;
    const minor = by === "amount" ? parseKeyed(pad.text) : 0;
    if (!bp && !minor) return sheet.complain(say("number-needed"));
    if (bp > 10_000) return sheet.complain(say("percent-most"));
    if (!reason) return sheet.complain(say("reason-needed"));
    onDiscount({ discount_bp: bp, discount_minor: minor, reason });
  };
  const quick = el("div.notes", { role: "group", "aria-label": say("likely"), onmousedown: keepFocus }, [5, 10, 20, 50].map((off) => el("button", {
    onclick: () => { by = "percent"; pad.clear(); for (const digit of String(off)) pad.press(digit, 0); one(ways, "[data-value=percent]").click(); },
  }, percent(off * 100))));
  const ways = choices(say("how-much-off"), [["percent", say("by-percent")], ["amount", say("by-amount")]], (way) => {
    by = way;
    pad.onChange(pad.text);
  }, by);
  pad.clear();
  sheet.open({
    title, pad, onEnter: finish, focus: keys, wide: true,
    body: el("div.two", {}, el("div.stack", {}, percentOnly ? null : ways, quick, shown, keys), el("div.stack", {}, el("h3", {}, say("why")), reasonTiles((chosen) => { reason = chosen; sheet.quieten(); }))),
    foot: [backButton(), taken ? quiet(say("no-discount"), () => onDiscount({ discount_bp: 0, discount_minor: 0, reason: "" })) : null,
      el("button.btn.btn-go.btn-lg", { onclick: finish }, say("take-it"))],
  });
}

/**
 * Ask for another price of a line, and why. `onPrice({price_minor, reason})`.
 * @param {Line} line
 * @param {(change: Pick<Special, "price_minor" | "reason">) => unknown} onPrice
 */
export function askPrice(line, onPrice) {
  let reason = line.reason ?? "";
  const shown = el("output.number-shown.figures");
  const keys = padButtons(say("price"), "00", "price-pad");
  const pad = new Pad(keys, (text) => {
    showMoney(shown, parseKeyed(text));
    sheet.quieten();
  });
  const finish = () => {
    if (!pad.text) return sheet.complain(say("number-needed"));
    if (!reason) return sheet.complain(say("reason-needed"));
    onPrice({ price_minor: parseKeyed(pad.text), reason });
  };
  pad.clear();
  sheet.open({
    title: say("price-title", { name: line.product.name }), pad, onEnter: finish, focus: keys, wide: true,
    body: el("div.two", {}, el("div.stack", {}, el("p.muted", {}, say("price-now", { price: eachText(line.product) })), shown, keys),
      el("div.stack", {}, el("h3", {}, say("why")), reasonTiles((chosen) => { reason = chosen; sheet.quieten(); }))),
    foot: [backButton(), line.price_minor !== null && !line.product.price_typed ? quiet(say("shelf-price"), () => onPrice({ price_minor: null, reason: "" })) : null,
      el("button.btn.btn-go.btn-lg", { onclick: finish }, say("take-it"))],
  });
}

/**
 * Ask for a line of words: a note for the receipt, a label, a coupon.
 * @param {{ title: string, lead?: string, label: string, value?: string, longest?: number, type?: string, onWords: (words: string) => Said | Promise<Said>, done?: string, allowEmpty?: boolean, onScan?: ((code: string) => unknown) | null }} question
 */
export function askWords({ title, lead = "", label, value = "", longest = 200, type = "text", onWords, done = say("take-it"), allowEmpty = true, onScan = null }) {
  const asked = field("sheet-words", label, { value, maxlength: String(longest), type });
  const finish = async () => {
    const words = asked.input.value.trim();
    if (!words && !allowEmpty) return sheet.complain(say("words-needed"));
    const fault = await onWords(words);
    if (fault) sheet.complain(fault);
    else sheet.close();
  };
  sheet.open({
    title, focus: asked.input, onEnter: finish, onScan,
    body: [lead && el("p.muted", {}, lead), asked.root],
    foot: [backButton(), el("button.btn.btn-go.btn-lg", { onclick: finish }, done)],
  });
  return asked.input;
}

/**
 * Ask once whether the customer is old enough for the strictest product; `onAnswer('looked' | 'document' | null)`.
 * @param {number} age
 * @param {Product[]} products
 * @param {(answer: "looked" | "document" | null) => void} onAnswer
 */
export function askAge(age, products, onAnswer) {
  const day = bornBy(age).toLocaleDateString(settings.language, { year: "numeric", month: "long", day: "numeric", timeZone: "UTC" });
  /** @type {"looked" | "document" | null} */
  let answer = null;
  const give = (/** @type {typeof answer} */ how) => () => { answer = how; sheet.close(); };
  sheet.open({
    title: say("age-title", { age }),
    body: [el("p.muted", {}, say("age-words")), el("p.born", { id: "age-born" }, el("span", {}, say("born")), el("b.figures", {}, day)),
      el("ul.muted", { id: "age-products" }, [...new Set(products.map((product) => product.name))].map((name) => el("li", {}, name)))],
    foot: [quiet(say("age-no"), give(null)), el("button.btn.btn-go.btn-lg", { onclick: give("document") }, say("age-document", { age })),
      el("button.btn.btn-go.btn-lg", { onclick: give("looked") }, say("age-looked", { age }))],
    onLeave: () => onAnswer(answer),
  });
}

