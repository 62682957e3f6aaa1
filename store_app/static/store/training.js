// The lesson's card stays true while the page lives: what was done is ticked a moment later.

import { one } from "../common/dom.js";

const EVERY_MS = 1500;
let asking = false;

async function renew() {
  const card = document.getElementById("coach");
  if (!card || document.hidden || asking) return;
  asking = true;
  try {
    const answer = await fetch(card.dataset.coach ?? "", { headers: { Accept: "text/html" } });
    if (answer.status !== 200) return; // 204: the practice is over, and another page on its way
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("coach");
    if (fresh && one(fresh, ".coach-tasks").innerHTML !== one(card, ".coach-tasks").innerHTML) card.replaceWith(fresh);
    measure();
  } catch {
    // nobody answers just now: the next look will
  } finally {
    asking = false;
  }
}

/** The till makes room for the card, however many lines it has. */
function measure() {
  const card = document.getElementById("coach");
  if (card) document.body.style.setProperty("--coach-height", `${card.offsetHeight + 8}px`);
}

measure();
addEventListener("resize", measure);
setInterval(renew, EVERY_MS);
document.addEventListener("visibilitychange", renew);
