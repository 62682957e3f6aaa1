// The driver's phone. What was said is kept in the browser before it is sent, and sent until the network has answered: a
// cellar without a line loses nothing, and a captive portal's page is no answer. The same word twice is taken as once.

import { csrfToken } from "../common/token.js";

const page = document.querySelector("[data-drive]");
const KEY = `cornerstore.drive.${page.dataset.round}`;
const AGAIN_MS = 4000;
const kept = JSON.parse(localStorage.getItem(KEY) ?? "[]");
let sending = false;

const stops = [...document.querySelectorAll(".drive-stop")];
for (const stop of stops) {
  stop.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    say(stop, event.submitter);
  });
}

/** Keep the driver's word for a stop and show it as said. */
function say(stop, button) {
  const form = stop.querySelector("form"), fault = stop.querySelector("[data-fault]"), outcome = button.value;
  const receiver = form.receiver.value.trim(), note = form.note.value.trim();
  const missing = !["refused", "not_reached"].includes(outcome) && !receiver ? fault.dataset.who : outcome !== "delivered" && !note ? fault.dataset.why : "";
  fault.hidden = !missing;
  fault.textContent = missing;
  if (missing) return;
  put(stop, outcome, receiver, note, button.dataset.word);
  keep();
  show();
  send();
}

const giveUp = document.getElementById("give-up");
giveUp.querySelector("form").addEventListener("submit", (event) => {
  event.preventDefault();
  for (const stop of ahead()) put(stop, "not_reached", "", event.target.note.value.trim(), event.target.dataset.word);
  keep();
  show();
  send();
});

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
    const stop = stops.find((one) => one.dataset.store === store);
    if (!stop) continue;
    stop.dataset.outcome = outcome;
    stop.querySelector("[data-said]").textContent = receiver ? `${word}, ${receiver}` : note ? `${word}: ${note}` : word;
  }
  const left = ahead();
  for (const stop of stops) stop.classList.toggle("now", stop === left[0]);
  document.getElementById("left").textContent = left.length;
  document.getElementById("all-done").hidden = left.length > 0;
  giveUp.hidden = !left.length;
}

async function send() {
  if (sending) return;
  sending = true;
  try {
    while (kept.length) {
      const { word: _word, ...body } = kept[0];
      const answer = await fetch(page.dataset.drive, { method: "POST", redirect: "manual", headers: { "Content-Type": "application/json", "X-CSRF-Token": csrfToken() }, body: JSON.stringify(body) });
      const told = await answer.json().catch(() => null);
      if (told?.store_id !== body.store_id && !(answer.status === 409 && told?.error)) throw new Error("no answer");
      if (!answer.ok) refuse(told);
      kept.shift();
      keep();
    }
    document.getElementById("offline").hidden = true;
  } catch {
    document.getElementById("offline").hidden = false;
    setTimeout(send, AGAIN_MS);
  } finally {
    sending = false;
  }
}

function refuse(told) {
  const note = document.getElementById("refused");
  note.hidden = false;
  note.textContent = told?.error?.message ?? page.dataset.failed;
}

addEventListener("online", send);
show();
send();
document.documentElement.dataset.ready = "1";
