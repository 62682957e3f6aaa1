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

/**
 * Without locks (a plain http address) the windows settle it on a channel.
 *
 * Who has the till made the latest claim. A window asks first and claims only when nobody answers; of two that ask at
 * once the lower number goes first. Claims are told: a window that slept, and missed that another one claimed, hears of
 * it when it wakes and stands still, and who hears of an earlier claim tells its own again.
 */
const mine = { claim: null, number: Math.random(), asks: false, answered: false, latest: 0 };
let channel = null;

function byChannel(win, lose, takeOver) {
  if (!channel) {
    channel = new BroadcastChannel(NAME);
    channel.onmessage = ({ data }) => hear(data, lose);
  }
  const claim = () => {
    mine.claim = Math.max(Date.now(), mine.latest + 1);
    tell("mine");
    win();
  };
  if (takeOver) {
    claim();
    return Promise.resolve();
  }
  Object.assign(mine, { asks: true, answered: false });
  tell("who");
  return new Promise((ready) => setTimeout(() => {
    mine.asks = false;
    if (mine.answered) lose();
    else claim();
    ready();
  }, ASK_MS));
}

const tell = (what) => channel.postMessage({ what, claim: mine.claim, number: mine.number });

function hear({ what, claim, number }, lose) {
  mine.latest = Math.max(mine.latest, claim ?? 0);
  if (what === "who") {
    if (mine.claim !== null) tell("mine");
    else if (mine.asks && mine.number < number) tell("first");
    else mine.answered ||= mine.asks;
  } else if (mine.asks) mine.answered = true;
  else if (what === "mine" && mine.claim !== null) {
    if (claim < mine.claim || (claim === mine.claim && number > mine.number)) return tell("mine");
    mine.claim = null;
    lose();
  }
}
