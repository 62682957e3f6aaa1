// What leave is asked for, worded with its figures in the page's language, and what is still to be asked for. The rules
// are the server's (pos/store/approvals.py), which has the last word.

import { percent } from "../common/dom.js";
import { moneyText } from "./money.js";
import { has, say } from "./settings.js";
import { eachText, qtyText } from "./words.js";

const AT_MOST = ["qty", "list_price_minor", "discount_minor", "discount_bp", "amount_minor", "total_minor"];

/**
 * Say what a need wants: what of, how many, from which price to which, how much off; of an exchange what comes back.
 * @param {Need} need
 * @param {Back[]} back
 */
export function needText({ permission, covers, about }, back) {
  if (permission === "take_back") {
    const minor = back.reduce((sum, row) => sum - row.total, 0);
    return say("need-take_back", { names: back.map(({ name }) => name).join(", "), amount: moneyText(minor), n: back[0]?.receipt_no ?? "" });
  }
  if (permission !== "price.override" && permission !== "discount") return has(`need-${permission}`) ? say(`need-${permission}`, { qty: covers.qty }) : say("approve-title");
  const figure = (/** @type {string} */ name) => Number(covers[name]), many = figure("qty"), qty = about.stock_unit === "each" ? `${many} ×` : qtyText(about, many);
  if (permission === "discount") {
    return say("need-discount", { name: about.name, qty, amount: moneyText(figure("discount_minor")), from: moneyText(about.amount_minor), percent: percent(figure("discount_bp")) });
  }
  const now = eachText(about, figure(covers.raised_to_minor == null ? "price_minor" : "raised_to_minor"));
  return say("need-price", { name: about.name, qty, now, before: eachText(about, about.list_price_minor) });
}

/**
 * Give the needs that no approval covers yet.
 * @param {Need[]} needs
 * @param {Approval[]} approvals
 */
export const uncovered = (needs, approvals) => matched(needs, approvals).filter(([, by]) => !by).map(([need]) => need);

/**
 * Give the approvals that cover these needs.
 * @param {Need[]} needs
 * @param {Approval[]} approvals
 */
export const serving = (needs, approvals) => [...new Set(matched(needs, approvals).flatMap(([, by]) => by ?? []))];

/**
 * Give each need with the approval that covers it, or null; each thing granted serves one need.
 * @param {Need[]} needs
 * @param {Approval[]} approvals
 * @returns {[need: Need, by: Approval | null][]}
 */
function matched(needs, approvals) {
  const given = approvals.flatMap((by) => (by.covers ?? []).map((facts) => ({ by, facts })));
  return needs.map((need) => {
    const at = given.findIndex(({ by, facts }) => by.permission === need.permission && covered(need.covers, facts));
    return [need, at < 0 ? null : given.splice(at, 1)[0]?.by ?? null];
  });
}

/**
 * @param {Covers} need
 * @param {Covers} given
 */
function covered(need, given) {
  return Object.entries(need).every(([name, fact]) => (AT_MOST.includes(name) ? Number(fact) <= Number(given[name])
    : name === "price_minor" ? Number(fact) >= Number(given[name]) : JSON.stringify(fact) === JSON.stringify(given[name])));
}
