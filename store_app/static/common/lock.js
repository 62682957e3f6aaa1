// A page that nobody touches locks itself: the session ends at the server, and the number pad comes. Every window of
// this browser counts the same hands, and all lock together. Without an answer nothing is shown until there is one.

import { byId } from "./dom.js";
import { keep, recall } from "./storage.js";
import { csrfToken } from "./token.js";
import { TOUCHED, isLocked } from "./touched.js";

const LOCKED = "cornerstore.locked";
const LOOK_EVERY_MS = 1000, SEND_EVERY_MS = 20_000, AGAIN_MS = 2000;
const cover = byId("locked", HTMLDialogElement);
const { minutes, lock = "", pad } = cover.dataset;
const limitMs = Number(minutes) * 60_000;
let touchedAt = 0, toldAt = Date.now();

/**
 * Note hands; a key that lies under a bag is none.
 * @param {Event} [event]
 */
function touch(event) {
  const at = Date.now();
  if ((event instanceof KeyboardEvent && event.repeat) || isLocked() || at - touchedAt < LOOK_EVERY_MS) return;
  touchedAt = at;
  keep(TOUCHED, String(at));
}

/** What works on while nobody touches it, a payment on its way, says so by stopping the event. */
const worksOn = () => !dispatchEvent(new CustomEvent("cornerstore:idle", { cancelable: true }));

function look() {
  if (isLocked()) return;
  const last = Number(recall(TOUCHED)) || touchedAt; // where the browser keeps nothing each window counts its own
  if (Date.now() - last >= limitMs) {
    if (worksOn()) touch();
    else lockNow();
  } else if (last > toldAt && Date.now() - toldAt > SEND_EVERY_MS) tell(last);
}

/**
 * Tell the server of hands that asked it nothing.
 * @param {number} last
 */
function tell(last) {
  toldAt = Date.now();
  const touched = String(Math.floor((Date.now() - last) / 1000));
  fetch(lock, { headers: { "X-Touched": touched, Accept: "application/json" }, credentials: "same-origin" }).catch(() => {});
}

function hide() {
  document.documentElement.dataset.locked = "1";
  if (!cover.open) cover.showModal();
}

async function lockNow() {
  hide();
  keep(LOCKED, String(Date.now()));
  for (;;) {
    try {
      await fetch(lock, { method: "POST", redirect: "manual", headers: { "X-CSRF-Token": csrfToken() }, credentials: "same-origin" });
      return leave();
    } catch {
      byId("locked-silent").hidden = false;
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
}

function leave() {
  const here = location.pathname + location.search;
  location.replace(`${pad}?next=${encodeURIComponent(here)}`);
}

for (const kind of ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"]) addEventListener(kind, touch, { capture: true, passive: true });
addEventListener("storage", ({ key }) => {
  if (key !== LOCKED || isLocked()) return;
  hide();
  leave();
});
addEventListener("visibilitychange", look); // a computer that slept counts at once
addEventListener("pageshow", ({ persisted }) => { if (persisted) location.reload(); });
addEventListener("keydown", (event) => { if (isLocked() && event.key === "Escape") event.preventDefault(); }, { capture: true });
cover.addEventListener("cancel", (event) => event.preventDefault());
cover.addEventListener("close", () => cover.showModal());
document.getElementById("lock-now")?.addEventListener("click", lockNow);
touch(); // the server has just let this page through
setInterval(look, LOOK_EVERY_MS);
