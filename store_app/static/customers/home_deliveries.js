// At the doors: what was said is kept in the browser before it is sent, and sent until the store has answered, so that a
// stairwell without a line loses nothing. Each form carries its command's id: sent twice it is done once, and only an
// answer that names it is the store's; a sign-in page or a captive portal's page is none. What the store refused is kept
// too, until the person has read why or said something else at that door.

import { all, byId, one } from "../common/dom.js";
import { csrfToken } from "../common/token.js";

const KEY = "cornerstore.doors";
const AGAIN_MS = 4000;
const doors = all(one(document, "[data-doors]"), "[data-door]");
/**
 * What was said at a door: the command's body, and why the store refused it, if it did.
 * @typedef {{ door?: string, word?: string, to: string, body: string, refused?: string }} Said
 * @type {Said[]}
 */
const kept = JSON.parse(localStorage.getItem(KEY) ?? "[]");
const offline = byId("offline"), unheard = byId("unheard"), refused = byId("refused");
let sending = false;

for (const door of doors) {
  for (const form of all(door, "form", HTMLFormElement)) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      drop((said) => Boolean(said.refused) && said.door === door.dataset.door);
      kept.push({ door: door.dataset.door, word: form.dataset.word, to: form.action, body: bodyOf(form) });
      keep();
      show();
      send();
    });
  }
}

/**
 * Write a form's fields as they are sent.
 * @param {HTMLFormElement} form
 */
function bodyOf(form) {
  return new URLSearchParams([...new FormData(form)].map(([name, value]) => [name, String(value)])).toString();
}

function keep() {
  localStorage.setItem(KEY, JSON.stringify(kept));
}

/** @param {(said: Said) => boolean} isDone */
function drop(isDone) {
  for (const said of kept.filter(isDone)) kept.splice(kept.indexOf(said), 1);
  keep();
}

function show() {
  const words = kept.flatMap((said) => said.refused || []);
  refused.hidden = !words.length;
  one(refused, "[data-words]").textContent = words.join(" ");
  for (const door of doors) {
    const said = kept.findLast((each) => each.door === door.dataset.door && !each.refused);
    if (said) door.dataset.outcome = said.word ?? "";
    else delete door.dataset.outcome;
    one(door, "[data-said]").textContent = said?.word ?? "";
  }
  const ahead = doors.filter((door) => !door.dataset.outcome);
  for (const door of doors) door.classList.toggle("now", door === ahead[0]);
}

async function send() {
  if (sending) return;
  sending = true;
  let taken = 0, unread = false, names = true;
  try {
    for (let said = next(); said; said = next()) {
      const body = new URLSearchParams(said.body);
      body.set("csrf_token", csrfToken());
      const answer = await fetch(said.to, { method: "POST", redirect: "manual", headers: { "X-Kept": "1" }, body });
      if (answer.status >= 500) throw new Error("no response");
      names = answer.headers.get("X-Command-Id") === body.get("command_id");
      if (!names) break;
      if (answer.ok) drop((other) => other === said);
      else said.refused = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[role=alert]:not([hidden])")?.textContent.trim() || answer.statusText;
      if (answer.ok) taken += 1;
      else unread = true;
      keep();
    }
    offline.hidden = true;
    unheard.hidden = names;
    if (!names) setTimeout(send, AGAIN_MS);
    if (names && taken) location.reload();
    else show();
    if (unread) refused.scrollIntoView({ block: "center" });
  } catch {
    offline.hidden = false;
    setTimeout(send, AGAIN_MS);
  } finally {
    sending = false;
  }
}

function next() {
  return kept.find((said) => !said.refused);
}

one(refused, "[data-understood]").addEventListener("click", () => {
  drop((said) => Boolean(said.refused));
  show();
});
addEventListener("online", send);
show();
send();
document.documentElement.dataset.ready = "1";
