// What the page was told when it was made: the till's settings and every sentence, in the page's language.

import { byId } from "../common/dom.js";

const read = (/** @type {string} */ id) => JSON.parse(byId(id, HTMLScriptElement).textContent);

/** @type {Settings} */
export const settings = read("till-settings");
/** @type {Record<string, string>} */
const words = read("till-words");

/**
 * Give the sentence of a key, its {names} filled from `facts`.
 * @param {string} key
 * @param {Record<string, unknown>} [facts]
 */
export function say(key, facts = {}) {
  const sentence = words[key];
  if (sentence === undefined) throw new Error(`There is no sentence ${key}`);
  return filled(sentence, facts);
}

/**
 * Fill a sentence's {names} from `facts`.
 * @param {string} sentence
 * @param {Record<string, unknown>} facts
 */
export function filled(sentence, facts) {
  return sentence.replace(/\{(\w+)\}/g, (whole, name) => String(facts[name] ?? whole));
}

/**
 * Give the reasons of the till that begin so, to choose from: code and words.
 * @param {string} start
 */
export const reasons = (start) => settings.reasons.filter(([code]) => code.startsWith(start));

/**
 * Tell whether there is a sentence of that key.
 * @param {string} key
 */
export const has = (key) => key in words;

/**
 * Give the row of a tender; of a name that has none, one that is called by its name.
 * @param {string} name
 * @returns {Tender}
 */
export const tenderOf = (name) => settings.tenders.find((row) => row.name === name)
  ?? { name, label: name, off: name, take: name, back: name, icon: "ticket", pane: "amount", at: [], ways: [], codes: [] };

export const $ = byId;
