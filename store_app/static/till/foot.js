// The foot of the till: quiet green dots that turn into sentences when something wants a person.

import { one } from "../common/dom.js";
import { ask } from "./api.js";
import { follow, now } from "./clock.js";
import { $, has, say, settings } from "./settings.js";

const EVERY_MS = 5000;

export class Foot {
  timer = 0;
  clock = 0;

  /** @param {(status: Status) => void} onStatus */
  constructor(onStatus) {
    this.onStatus = onStatus;
  }

  /** Ask how the till is doing, now and from now on every five seconds; the clock goes from now on too. */
  async watch() {
    this.clock ||= setInterval(() => this.#tick(), 1000);
    clearTimeout(this.timer);
    try {
      /** @type {Status} */
      const status = await ask("GET", settings.urls.status, undefined, 4000);
      follow(status.now);
      this.#tick();
      show("state-printer", ...printerState(status.printer));
      show("state-network", ...networkState(status.network));
      show("state-shift", ...shiftState(status.shift));
      this.onStatus(status);
    } catch {
      show("state-network", "bad", say("server-silent"));
    }
    this.timer = setTimeout(() => this.watch(), EVERY_MS);
  }

  #tick() {
    const at = now();
    const clock = $("clock", HTMLTimeElement);
    clock.dateTime = at.toISOString();
    clock.textContent = timeText(at);
  }
}

/**
 * A colour and a sentence.
 * @typedef {[kind: string, words: string]} State
 */

/**
 * @param {string} id
 * @param {string} kind
 * @param {string} words
 */
function show(id, kind, words) {
  const place = $(id), dot = one(place, ".dot"), text = one(place, "span");
  dot.className = kind === "good" ? "dot" : `dot dot-${kind}`;
  place.className = kind === "good" ? "state" : `state state-${kind}`;
  if (text.textContent !== words) text.textContent = words;
}

/**
 * @param {Status["printer"]} status
 * @returns {State}
 */
function printerState({ printer, ...state }) {
  const [kind, words] = printerLight(state);
  return [kind, printer ? say("printer-named", { name: printer, words }) : words];
}

/**
 * @param {Omit<Status["printer"], "printer">} status
 * @returns {State}
 */
function printerLight({ colour, code, waiting }) {
  settings.prints = colour !== "none";
  if (!settings.prints) return ["quiet", say("printer-none")];
  if (colour === "green") return ["good", say("printer-ok")];
  if (code === "slow") return ["warn", say("printer-waiting", { n: waiting })];
  const kind = colour === "red" ? "bad" : "warn";
  return [kind, has(code) ? say(code) : say("printer-off")];
}

/**
 * @param {Status["network"]} status
 * @returns {State}
 */
function networkState({ joined, light, pending, stuck }) {
  if (!joined) return ["quiet", say("network-none")];
  if (stuck) return ["bad", say("network-stuck", { n: stuck })];
  if (light !== "good") return [light, say("network-waiting", { n: pending })];
  return ["good", say("network-ok")];
}

/**
 * @param {Shift | null} shift
 * @returns {State}
 */
function shiftState(shift) {
  if (!shift) return ["warn", say("shift-none")];
  if (shift.state === "counting") return ["warn", say("shift-counting")];
  return ["good", say("shift-open", { time: timeText(new Date(shift.opened_at ?? 0)) })];
}

/** @param {Date} at */
function timeText(at) {
  return at.toLocaleTimeString(settings.language, { hour: "numeric", minute: "2-digit", timeZone: settings.tz });
}
