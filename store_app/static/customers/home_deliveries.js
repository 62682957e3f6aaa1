// At the doors: what was said is kept in the browser before it is sent, and sent until the shop has answered, so that a
// stairwell without a line loses nothing. Each form carries its command's id: sent twice it is done once, and only an
// answer that names it is the shop's; a sign-in page or a captive portal's page is none. What the shop refused is kept
// too, until the person has read why or said something else at that door.

import { csrfToken } from "../common/token.js";

const KEY = "cornerstore.doors";
const AGAIN_MS = 4000;
const place = document.querySelector("[data-doors]");
const doors = [...place.querySelectorAll("[data-door]")];
const kept = JSON.parse(localStorage.getItem(KEY) ?? "[]");
const offline = document.getElementById("offline"), unheard = document.getElementById("unheard"), refused = document.getElementById("refused");
let sending = false;

for (const door of doors) {
  for (const form of door.querySelectorAll("form")) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      drop((one) => one.refused && one.door === door.dataset.door);
      kept.push({ door: door.dataset.door, word: form.dataset.word, to: form.action, body: new URLSearchParams(new FormData(form)).toString() });
      keep();
      show();
      send();
    });
  }
}

function keep() {
  localStorage.setItem(KEY, JSON.stringify(kept));
}

function drop(isDone) {
  for (const one of kept.filter(isDone)) kept.splice(kept.indexOf(one), 1);
  keep();
}

function show() {
  const words = kept.filter((one) => one.refused).map((one) => one.refused);
  refused.hidden = !words.length;
  refused.querySelector("[data-words]").textContent = words.join(" ");
  for (const door of doors) {
    const said = kept.findLast((one) => one.door === door.dataset.door && !one.refused);
    if (said) door.dataset.outcome = said.word;
    else delete door.dataset.outcome;
    door.querySelector("[data-said]").textContent = said?.word ?? "";
  }
  const ahead = doors.filter((door) => !door.dataset.outcome);
  for (const door of doors) door.classList.toggle("now", door === ahead[0]);
}

async function send() {
  if (sending) return;
  sending = true;
  let taken = 0, unread = false, names = true;
  try {
    for (let one = next(); one; one = next()) {
      const body = new URLSearchParams(one.body);
      body.set("csrf_token", csrfToken());
      const answer = await fetch(one.to, { method: "POST", redirect: "manual", headers: { "X-Kept": "1" }, body });
      if (answer.status >= 500) throw new Error("no answer");
      names = answer.headers.get("X-Command-Id") === body.get("command_id");
      if (!names) break;
      if (answer.ok) drop((other) => other === one);
      else one.refused = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[role=alert]:not([hidden])")?.textContent.trim() || answer.statusText;
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
  return kept.find((one) => !one.refused);
}

refused.querySelector("[data-understood]").addEventListener("click", () => {
  drop((one) => one.refused);
  show();
});
addEventListener("online", send);
show();
send();
document.documentElement.dataset.ready = "1";
