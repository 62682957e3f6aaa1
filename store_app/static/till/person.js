// Who stands at the till, changed by a badge: the basket stays here, and the sale is booked under who takes the money.

import { ask, sentence } from "./api.js";
import { say, settings } from "./settings.js";
import { sheet } from "./sheet.js";

/**
 * Change to the badge's owner, by way of the PIN where the store wants it; not in the middle of a question or a payment.
 * @param {string} code
 * @param {{ pay: import("./pay.js").Pay, view: import("./lines.js").Lines }} till
 */
export async function changePerson(code, { pay, view }) {
  if (sheet.isOpen) {
    const field = document.activeElement;
    if (field instanceof HTMLInputElement && field.type === "password") field.value = "";
    return sheet.complain(say("badge-question"));
  }
  if (pay.isBusy) return view.complain(say("badge-paying"));
  try {
    const { to } = await ask("POST", settings.urls.badge, { badge: code });
    location.assign(to);
  } catch (fault) {
    view.complain(sentence(fault));
  }
}
