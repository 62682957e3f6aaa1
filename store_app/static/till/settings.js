// What the page was told when it was made: the till's settings and every sentence, in the page's language.

const read = (id) => JSON.parse(document.getElementById(id).textContent);

export const settings = read("till-settings");
const words = read("till-words");

/** Give the sentence of a key, its {names} filled from `facts`. */
export function say(key, facts = {}) {
  return words[key].replace(/\{(\w+)\}/g, (whole, name) => facts[name] ?? whole);
}

/** Tell whether there is a sentence of that key. */
export const has = (key) => key in words;

export const $ = (id) => document.getElementById(id);
