// The foot of the till: quiet green dots that turn into sentences when something wants a person.

import { ask } from "./api.js";
import { follow, now } from "./clock.js";
import { $, has, say, settings } from "./settings.js";

const EVERY_MS = 5000;

export class Foot {
  constructor(onStatus) {
    this.onStatus = onStatus;
  }

  /** Ask how the till is doing, now and from now on every five seconds; the clock goes from now on too. */
  async watch() {
    this.clock ??= setInterval(() => this.#tick(), 1000);
    clearTimeout(this.timer);
    try {
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
    $("clock").dateTime = at.toISOString();
    $("clock").textContent = timeText(at);
  }
}

function show(id, kind, words) {
  const place = $(id);
  const [dot, text] = place.children;
  dot.className = kind === "good" ? "dot" : `dot dot-${kind}`;
  place.className = kind === "good" ? "state" : `state state-${kind}`;
  if (text.textContent !== words) text.textContent = words;
}

function printerState({ printer, ...state }) {
  const [kind, words] = printerLight(state);
  return [kind, printer ? say("printer-named", { name: printer, words }) : words];
}

function printerLight({ colour, code, waiting }) {
  settings.prints = colour !== "none";
  if (!settings.prints) return ["quiet", say("printer-none")];
  if (colour === "green") return ["good", say("printer-ok")];
  if (code === "slow") return ["warn", say("printer-waiting", { n: waiting })];
  const kind = colour === "red" ? "bad" : "warn";
  return [kind, has(code) ? say(code) : say("printer-off")];
}

function networkState({ joined, light, pending, stuck }) {
  if (!joined) return ["quiet", say("network-none")];
  if (stuck) return ["bad", say("network-stuck", { n: stuck })];
  if (light !== "good") return [light, say("network-waiting", { n: pending })];
  return ["good", say("network-ok")];
}

function shiftState(shift) {
  if (!shift) return ["warn", say("shift-none")];
  if (shift.state === "counting") return ["warn", say("shift-counting")];
  return ["good", say("shift-open", { time: timeText(new Date(shift.opened_at)) })];
}

function timeText(at) {
  return at.toLocaleTimeString(settings.language, { hour: "numeric", minute: "2-digit", timeZone: settings.tz });
}
