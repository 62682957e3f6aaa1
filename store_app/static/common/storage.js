// What the browser keeps for the till. It may be full, switched off or damaged: then the till goes on, and says so.

/** Give what is kept under a name, or null; null too where the browser keeps nothing. */
export function recall(name, place = "localStorage") {
  try {
    return globalThis[place].getItem(name);
  } catch {
    return null;
  }
}

/** Keep a text; gives false when the browser did not. */
export function keep(name, text, place = "localStorage") {
  try {
    globalThis[place].setItem(name, text);
    return true;
  } catch {
    return false;
  }
}

/** Keep what nobody can read under another name, so that a person may look at it. */
export const putAside = (name, text) => keep(`${name}.unreadable.${Date.now()}`, text);
