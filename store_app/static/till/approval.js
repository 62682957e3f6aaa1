// A supervisor's leave on the spot: choose the name, key the PIN, once. Nobody signs out for it.

import { ask, sentence } from "./api.js";
import { choices, el, titled } from "./dom.js";
import { Pad, padButtons } from "./pad.js";
import { say, settings } from "./settings.js";
import { backButton, sheet } from "./sheet.js";

const LONGEST_PIN = 12;
const LONGEST_WHY = 200;

/**
 * Ask for the leave to do what `said` says and `covers` holds in figures; gives {id, permission, by, covers}, or null.
 * @param {{ saleId: string, permission: string, said: string[], covers: Covers[] }} what
 * @returns {Promise<Approval | null>}
 */
export async function approval({ saleId, permission, said, covers }) {
  /** @type {{ id: string, name: string }[]} */
  let people;
  try {
    people = (await ask("GET", `${settings.urls.approvers}?permission=${encodeURIComponent(permission)}`)).people;
  } catch (fault) {
    return complainOf(fault);
  }
  if (!people.length) return complainOf(new Error(say("no-approver")));
  return new Promise((resolve) => {
    let chosen = people.length === 1 ? people[0]?.id ?? null : null, busy = false;
    /** @type {Approval | null} */
    let given = null;
    const dots = el("output.number-shown.pin-dots", { "aria-label": say("pin") });
    const keys = padButtons(say("pin"), "clear", "pin-pad");
    const pad = new Pad(keys, (text) => {
      sheet.quieten();
      dots.textContent = "●".repeat(text.length);
    }, LONGEST_PIN);
    const allow = async () => {
      if (busy) return;
      if (!chosen) return sheet.complain(say("choose-approver"));
      busy = true;
      try {
        const answer = await sheet.hold(() => ask("POST", settings.urls.approvals, { staff_id: chosen, pin: pad.text, permission, sale_id: saleId, till_id: settings.till_id, why: said.join("; ").slice(0, LONGEST_WHY), covers }));
        given = { id: answer.id, permission, by: answer.by, covers };
        sheet.close();
      } catch (fault) {
        pad.clear();
        sheet.complain(sentence(fault));
      }
      busy = false;
    };
    sheet.open({
      title: say("approve-title"),
      body: [said.length === 1 ? el("p.sheet-lead", {}, said[0]) : el("ul.sheet-lead", {}, said.map((words) => el("li", {}, words))),
        titled(say("choose-approver"), choices(say("choose-approver"), people.map(({ id, name }) => /** @type {[string, string, string]} */ ([id, name, "user"])), (id) => { chosen = id; keys.focus(); }, chosen)), titled(say("pin"), dots), keys],
      foot: [backButton(), el("button.btn.btn-go.btn-lg", { onclick: allow }, say("allow"))],
      focus: chosen ? keys : null,
      pad,
      onEnter: allow,
      onLeave: () => resolve(given),
    });
  });
}

/**
 * @param {unknown} fault
 * @returns {Promise<null>}
 */
function complainOf(fault) {
  return new Promise((resolve) => {
    sheet.open({ title: say("approve-title"), foot: [backButton()], onLeave: () => resolve(null) });
    sheet.complain(sentence(fault));
  });
}
