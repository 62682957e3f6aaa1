// What the browser keeps for the till. It may be full, switched off or damaged: then the till goes on, and says so.

/** @typedef {"localStorage" | "sessionStorage"} Place */

/**
 * Give what is kept under a name, or null; null too where the browser keeps nothing.
 * @param {string} name
 * @param {Place} [place]
 */
export function recall(name, place = "localStorage") {
  try {
    return globalThis[place].getItem(name);
  } catch {
    return null;
  }
}

/**
 * Keep a text; gives false when the browser did not.
 * @param {string} name
 * @param {string} text
 * @param {Place} [place]
 */
export function keep(name, text, place = "localStorage") {
  try {
    globalThis[place].setItem(name, text);
    return true;
  } catch {
    return false;
  }
}

/**
 * Keep what nobody can read under another name, so that a person may look at it.
 * @param {string} name
 * @param {string} text
 */
export const putAside = (name, text) => keep(`${name}.unreadable.${Date.now()}`, text);
