// One window per till: a second one says so and changes nothing until it takes over; then the first stands still.
//
// Who takes over asks first: the window that has the till keeps what it has not kept yet, stands still, and lets go.
// One that does not answer, as it sleeps or is gone, loses the till all the same.

import { flush } from "../common/later.js";
import { $, settings } from "./settings.js";

const NAME = `cornerstore.till.${settings.store_id}.${settings.till_id}.window`;
const ASK_MS = 120;
const GIVE_MS = 500;

/**
 * Call `onOwner()` when this window may write, `onOther()` when another has the till; it gives when this one stands still.
 * @param {() => void} onOwner
 * @param {() => Promise<unknown>} onOther
 */
export async function oneWindow(onOwner, onOther) {
  const lose = () => { $("other-window").hidden = false; return onOther(); };
  const win = () => { $("other-window").hidden = true; onOwner(); };
  const claim = navigator.locks ? byLocks : byChannel;
  const button = $("take-over", HTMLButtonElement);
  button.addEventListener("click", async () => {
    button.disabled = true; // asked twice, a window would steal the till of itself, and stand still while it has it
    await claim(win, lose, true);
    button.disabled = false;
  });
  await claim(win, lose, false);
}

/** @typedef {() => Promise<unknown>} Lose stand still */
/** @typedef {{ what: string, claim: number | null, number: number }} Told */

/** @type {BroadcastChannel | null} */
let channel = null;
/**
 * Frees the lock that this window holds.
 * @type {((value?: unknown) => void) | null}
 */
let letGo = null;

/**
 * Hold a lock as long as the window lives, or until another one asks for it; one that is not let go is stolen.
 * @param {() => void} win
 * @param {Lose} lose
 * @param {boolean} takeOver
 */
function byLocks(win, lose, takeOver) {
  listen(async ({ what }) => {
    if (what !== "give" || !letGo) return;
    const free = letGo;
    letGo = null;
    await stand(lose);
    free();
  });
  return new Promise((/** @type {(value?: unknown) => void} */ ready) => {
    const ask = (/** @type {LockOptions} */ options, /** @type {(() => void) | undefined} */ orElse = undefined) => {
      let isHeld = false;
      navigator.locks.request(NAME, options, async (lock) => {
        isHeld = Boolean(lock);
        (isHeld ? win : lose)();
        ready();
        if (isHeld) await new Promise((free) => { letGo = free; });
      }).catch(() => {
        if (orElse && !isHeld) return orElse();
        letGo = null;
        lose();
        ready();
      });
    };
    if (!takeOver) return ask({ ifAvailable: true });
    tell("give");
    ask({ signal: AbortSignal.timeout(GIVE_MS) }, () => ask({ steal: true }));
  });
}

/**
 * Without locks (a plain http address) the windows settle it on a channel.
 *
 * Who has the till made the latest claim. A window asks first and claims only when nobody answers; of two that ask at
 * once the lower number goes first. Claims are told: a window that slept, and missed that another one claimed, hears of
 * it when it wakes and stands still, and who hears of an earlier claim tells its own again.
 */
/**
 * @type {{ claim: number | null, number: number, asks: boolean, answered: boolean, latest: number, given: ((value?: unknown) => void) | null }}
 */
const mine = { claim: null, number: Math.random(), asks: false, answered: false, latest: 0, given: null };

/**
 * @param {() => void} win
 * @param {Lose} lose
 * @param {boolean} takeOver
 */
function byChannel(win, lose, takeOver) {
  listen((told) => hear(told, lose));
  const claim = () => {
    mine.claim = Math.max(Date.now(), mine.latest + 1);
    tell("mine");
    win();
  };
  if (takeOver) {
    tell("give");
    return new Promise((given) => {
      mine.given = given;
      setTimeout(given, GIVE_MS);
    }).then(claim);
  }
  Object.assign(mine, { asks: true, answered: false });
  tell("who");
  return new Promise((/** @type {(value?: unknown) => void} */ ready) => setTimeout(() => {
    mine.asks = false;
    if (mine.answered) lose();
    else claim();
    ready();
  }, ASK_MS));
}

/**
 * Keep what waits to be kept, then stand still: who has the till next reads it.
 * @param {Lose} lose
 */
function stand(lose) {
  flush();
  return lose();
}

/** @param {(told: Told) => unknown} hears */
function listen(hears) {
  if (channel) return;
  channel = new BroadcastChannel(NAME);
  channel.onmessage = ({ data }) => hears(data);
}

/** @param {string} what */
const tell = (what) => channel?.postMessage({ what, claim: mine.claim, number: mine.number });

/**
 * @param {Told} told
 * @param {Lose} lose
 */
function hear({ what, claim, number }, lose) {
  mine.latest = Math.max(mine.latest, claim ?? 0);
  if (what === "given") mine.given?.();
  else if (what === "give") {
    if (mine.claim === null) return;
    mine.claim = null;
    stand(lose).then(() => tell("given"));
  } else if (what === "who") {
    if (mine.claim !== null) tell("mine");
    else if (mine.asks && mine.number < number) tell("first");
    else mine.answered ||= mine.asks;
  } else if (mine.asks) mine.answered = true;
  else if (what === "mine" && mine.claim !== null) {
    const theirs = claim ?? 0;
    if (theirs < mine.claim || (theirs === mine.claim && number > mine.number)) return tell("mine");
    mine.claim = null;
    lose();
  }
}
