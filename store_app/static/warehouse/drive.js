// The driver's phone. What was said is kept in the browser before it is sent, and sent until the network has answered: a
// cellar without a line loses nothing, and a captive portal's page is no answer. The same word twice is taken as once.

import { all, byId, fieldOf, one } from "../common/dom.js";
import { csrfToken } from "../common/token.js";

const page = one(document, "[data-drive]");
const KEY = `cornerstore.drive.${page.dataset.round}`;
const AGAIN_MS = 4000;
/**
 * The driver's words that wait to be sent.
 * @type {{ store_id?: string, outcome: string, receiver: string, note: string, done_at: string, word: string }[]}
 */
const kept = JSON.parse(localStorage.getItem(KEY) ?? "[]");
let sending = false;

const stops = all(document, ".drive-stop");
for (const stop of stops) {
  one(stop, "form").addEventListener("submit", (event) => {
    event.preventDefault();
    if (event.submitter instanceof HTMLButtonElement) say(stop, event.submitter);
  });
}

/**
 * Keep the driver's word for a stop and show it as said.
 * @param {HTMLElement} stop
 * @param {HTMLButtonElement} button
 */
function say(stop, button) {
  const form = one(stop, "form", HTMLFormElement), fault = one(stop, "[data-fault]"), outcome = button.value;
  const receiver = fieldOf(form, "receiver").value.trim(), note = fieldOf(form, "note").value.trim();
  const missing = !["refused", "not_reached"].includes(outcome) && !receiver ? fault.dataset.who : outcome !== "delivered" && !note ? fault.dataset.why : "";
  fault.hidden = !missing;
  fault.textContent = missing ?? "";
  if (missing) return;
  put(stop, outcome, receiver, note, button.dataset.word ?? "");
  keep();
  show();
  send();
}

const giveUp = byId("give-up"), givingUp = one(giveUp, "form", HTMLFormElement);
givingUp.addEventListener("submit", (event) => {
  event.preventDefault();
  for (const stop of ahead()) put(stop, "not_reached", "", fieldOf(givingUp, "note").value.trim(), givingUp.dataset.word ?? "");
  keep();
  show();
  send();
});

/**
 * @param {HTMLElement} stop
 * @param {string} outcome
 * @param {string} receiver
 * @param {string} note
 * @param {string} word
 */
function put(stop, outcome, receiver, note, word) {
  kept.push({ store_id: stop.dataset.store, outcome, receiver, note, done_at: new Date().toISOString(), word });
}

function ahead() {
  return stops.filter((stop) => !stop.dataset.outcome);
}

function keep() {
  localStorage.setItem(KEY, JSON.stringify(kept));
}

function show() {
  for (const { store_id: store, outcome, receiver, note, word } of kept) {
    const stop = stops.find((each) => each.dataset.store === store);
    if (!stop) continue;
    stop.dataset.outcome = outcome;
    one(stop, "[data-said]").textContent = receiver ? `${word}, ${receiver}` : note ? `${word}: ${note}` : word;
  }
  const left = ahead();
  for (const stop of stops) stop.classList.toggle("now", stop === left[0]);
  byId("left").textContent = String(left.length);
  byId("all-done").hidden = left.length > 0;
  giveUp.hidden = !left.length;
}

async function send() {
  if (sending) return;
  sending = true;
  try {
    for (let [next] = kept; next; [next] = kept) {
      const { word: _word, ...body } = next;
      const answer = await fetch(page.dataset.drive ?? "", { method: "POST", redirect: "manual", headers: { "Content-Type": "application/json", "X-CSRF-Token": csrfToken() }, body: JSON.stringify(body) });
      const told = await answer.json().catch(() => null);
      if (told?.store_id !== body.store_id && !(answer.status === 409 && told?.error)) throw new Error("no response");
      if (!answer.ok) refuse(told);
      kept.shift();
      keep();
    }
    byId("offline").hidden = true;
  } catch {
    byId("offline").hidden = false;
    setTimeout(send, AGAIN_MS);
  } finally {
    sending = false;
  }
}

/** @param {{ error?: { message: string } } | null} told */
function refuse(told) {
  const note = byId("refused");
  note.hidden = false;
  note.textContent = told?.error?.message ?? page.dataset.failed ?? "";
}

addEventListener("online", send);
show();
send();
document.documentElement.dataset.ready = "1";
