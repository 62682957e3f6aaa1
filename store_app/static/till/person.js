// Who stands at the till, changed by a badge: the basket stays here, and the sale is booked under who takes the money.

import { NoAnswer, ask } from "./api.js";
import { say, settings } from "./settings.js";
import { sheet } from "./sheet.js";

/** Change to the badge's owner, by way of the PIN where the shop wants it; not in the middle of a question or a payment. */
export async function changePerson(code, { pay, view }) {
  if (sheet.isOpen) {
    const field = document.activeElement;
    if (field?.type === "password") field.value = "";
    return sheet.complain(say("badge-question"));
  }
  if (pay.isBusy) return view.complain(say("badge-paying"));
  try {
    const { to } = await ask("POST", settings.urls.badge, { badge: code });
    location.assign(to);
  } catch (fault) {
    view.complain(fault instanceof NoAnswer ? say("no-answer") : fault.message);
  }
}
