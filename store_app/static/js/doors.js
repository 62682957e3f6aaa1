// At the doors: what was said is kept in the browser before it is sent, and sent until the shop has answered, so that a
// stairwell without a line loses nothing. Each form carries its command's id: sent twice it is done once.

const KEY = "cornerstore.doors";
const AGAIN_MS = 4000;
const place = document.querySelector("[data-doors]");
const doors = [...place.querySelectorAll("[data-door]")];
const kept = JSON.parse(localStorage.getItem(KEY) ?? "[]");
let sending = false;

for (const door of doors) {
  for (const form of door.querySelectorAll("form")) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
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

function show() {
  for (const door of doors) {
    const said = kept.findLast((one) => one.door === door.dataset.door);
    if (said) door.dataset.outcome = said.word;
    else delete door.dataset.outcome;
    door.querySelector("[data-said]").textContent = said?.word ?? "";
  }
  const ahead = doors.filter((door) => !door.dataset.outcome);
  for (const door of doors) door.classList.toggle("now", door === ahead[0]);
}

async function send() {
  if (sending || !kept.length) return;
  sending = true;
  let refused = "";
  try {
    while (kept.length && !refused) {
      const answer = await fetch(kept[0].to, { method: "POST", headers: { "Content-Type": "application/x-www-form-urlencoded" }, body: kept[0].body });
      if (answer.status >= 500) throw new Error("no answer");
      if (!answer.ok) refused = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[role=alert]:not([hidden])")?.textContent.trim() || answer.statusText;
      kept.shift();
      keep();
    }
    document.getElementById("offline").hidden = true;
    if (refused) refuse(refused);
    else location.reload();
  } catch {
    document.getElementById("offline").hidden = false;
    setTimeout(send, AGAIN_MS);
  } finally {
    sending = false;
  }
}

function refuse(words) {
  const note = document.getElementById("refused");
  note.hidden = false;
  note.textContent = words;
  note.scrollIntoView({ block: "center" });
  show();
}

addEventListener("online", send);
show();
send();
document.documentElement.dataset.ready = "1";
