// One window per till: a second one says so and changes nothing until it takes over; then the first stands still.

import { $, settings } from "./settings.js";

const NAME = `cornerstore.till.${settings.store_id}.${settings.till_id}.window`;
const ASK_MS = 120;

/** Call `onOwner()` when this window may write, `onOther()` when another has the till. */
export async function oneWindow(onOwner, onOther) {
  const own = { isOwner: false };
  const lose = () => { own.isOwner = false; $("other-window").hidden = false; onOther(); };
  const win = () => { own.isOwner = true; $("other-window").hidden = true; onOwner(); };
  const claim = navigator.locks ? byLocks : byChannel;
  $("take-over").addEventListener("click", () => claim(win, lose, true));
  await claim(win, lose, false);
  return own;
}

/** Hold a lock as long as the window lives; taking over steals it, which tells the window that had it. */
function byLocks(win, lose, takeOver) {
  return new Promise((ready) => {
    navigator.locks.request(NAME, takeOver ? { steal: true } : { ifAvailable: true }, (lock) => {
      if (!lock) { lose(); ready(); return undefined; }
      win();
      ready();
      return new Promise(() => {});
    }).catch(() => { lose(); ready(); });
  });
}

/** Without locks (a plain http address): ask on a channel whether anyone has the till. */
let channel = null;
function byChannel(win, lose, takeOver) {
  let owns = takeOver, answered = false;
  channel ??= new BroadcastChannel(NAME);
  channel.onmessage = ({ data }) => {
    if (data === "who" && owns) channel.postMessage("me");
    else if (data === "me") answered = true;
    else if (data === "mine" && owns) { owns = false; lose(); }
  };
  channel.postMessage(takeOver ? "mine" : "who");
  return new Promise((ready) => setTimeout(() => {
    owns = takeOver || !answered;
    if (owns) win();
    else lose();
    ready();
  }, takeOver ? 0 : ASK_MS));
}
