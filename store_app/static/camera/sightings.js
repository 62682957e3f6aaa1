// Which of the codes a camera sees counts. A camera looks at the same tin many times a second; a store sells it once.

const GONE_MS = 1500; // a hand that shakes hides a code for a moment; a code that went away stays away longer
const AGAIN_MS = 1000;

/** @typedef {{ text: string, sure: boolean }} Sighting what a camera read, and whether it cannot be misread */

/**
 * Tells when a sighting counts: a code that may be misread the second time it is seen, any other the first; and again
 * once a look without it came long enough after the last one with it.
 */
export class Sightings {
  /**
   * By its text, when a code was last seen, and whether that counted.
   * @type {Map<string, { last: number, counted: boolean }>}
   */
  seen = new Map();

  /**
   * Take what was seen at `now` (milliseconds). Gives the text if it counts, else null.
   * @param {Sighting | null} code
   * @param {number} now
   */
  see(code, now) {
    for (const [text, { last, counted }] of this.seen) {
      if (counted && text === code?.text) continue; // a device that looks once in seconds never saw it gone
      if (now - last >= (counted ? GONE_MS : AGAIN_MS)) this.seen.delete(text);
    }
    if (!code) return null;
    const known = this.seen.get(code.text), counts = !known?.counted && (code.sure || Boolean(known));
    this.seen.set(code.text, { last: now, counted: Boolean(known?.counted) || counts });
    return counts ? code.text : null;
  }
}
