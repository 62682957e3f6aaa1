// A store's own labels, read in the page so that they ring up while no server answers: a product's number and its weight,
// price or count in one EAN-13 or UPC-A. The rules are the server's (pos/catalogue/own_labels.py); whatever is doubtful is null here,
// and the server says what is wrong with it.

import { divideHalfUp } from "./money.js";

const TIMES_2 = [0, 2, 4, 6, 8, 9, 1, 3, 5, 7];
const TIMES_3 = [0, 3, 6, 9, 2, 5, 8, 1, 4, 7];
const TIMES_5_MINUS = [0, 5, 9, 4, 8, 3, 7, 2, 6, 1];
const TIMES_5_PLUS = [0, 5, 1, 6, 2, 7, 3, 8, 4, 9];

/**
 * Read a label by the first scheme that fits; `find(key)` knows the catalogue.
 * @param {string} code
 * @param {Scheme[]} schemes
 * @param {(key: string) => Hit | null | undefined} find
 * @returns {Hit | null}
 */
export function readLabel(code, schemes, find) {
  const digits = thirteen(code);
  const scheme = digits === null ? undefined : schemes.find(({ fixed }) => [...fixed].every((sign, at) => sign === "." || sign === digits[at]));
  if (digits === null || !scheme || checkDigit(digits.slice(0, 12)) !== digits[12]) return null;
  const texts = Object.fromEntries(scheme.fields.map(({ kind, start, width }) => [kind, digits.slice(start, start + width)]));
  const { check, price = "", item = "" } = texts;
  if (check !== undefined && priceCheckDigit(price) !== check) return null;
  const value = Number(texts[scheme.kind]) * scheme.step;
  const product = value > 0 ? keysOf(digits, scheme, item).map(find).find(Boolean)?.product : null;
  if (!product || (scheme.kind !== "price" && (scheme.kind === "weight") !== (product.stock_unit === "gram"))) return null;
  if (scheme.kind !== "price") return { product, qty: value, source: "embedded" };
  const qty = product.price_minor ? Math.max(1, divideHalfUp(value * product.price_quantity, product.price_minor)) : 1;
  return { product, qty, amount_minor: value, source: "embedded" };
}

/**
 * List the label with zeros for its value, its fixed digits and number, the number with and without leading zeros.
 * @param {string} digits
 * @param {Scheme} scheme
 * @param {string} item
 */
function keysOf(digits, scheme, item) {
  const body = [...digits.slice(0, 12)];
  for (const { kind, start, width } of scheme.fields) if (kind !== "item") body.fill("0", start, start + width);
  const zeros = body.join("") + checkDigit(body.join(""));
  const upc = zeros[0] === "0" ? [zeros.slice(1)] : [];
  const first = scheme.upc ? 1 : 0; // a UPC-A stands here with a zero before it
  const fixed = [...scheme.fixed.slice(first)].filter((sign) => sign !== ".").join("");
  return [zeros, ...upc, fixed + item, item, item.replace(/^0+/, "")].filter(Boolean);
}

/** @param {string} code */
function thirteen(code) {
  if (!/^\d{12,14}$/.test(code)) return null;
  if (code.length === 14) return code[0] === "0" ? code.slice(1) : null;
  return code.padStart(13, "0");
}

/** @param {string} body */
function checkDigit(body) {
  const total = [...body].reverse().reduce((sum, digit, at) => sum + Number(digit) * (at % 2 ? 1 : 3), 0);
  return String((10 - (total % 10)) % 10);
}

/** @param {string} price */
function priceCheckDigit(price) {
  const sum = (/** @type {number[][]} */ tables) => tables.reduce((total, table, at) => total + (table[Number(price[at])] ?? 0), 0);
  if (price.length === 4) return String((sum([TIMES_2, TIMES_2, TIMES_3, TIMES_5_MINUS]) * 3) % 10);
  const total = sum([TIMES_5_PLUS, TIMES_2, TIMES_5_MINUS, TIMES_5_PLUS, TIMES_2]);
  return String(TIMES_5_MINUS.indexOf((10 - (total % 10)) % 10));
}
