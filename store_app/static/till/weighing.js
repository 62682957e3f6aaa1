// What lies on the scale while a question stands open: read again and again, until it is answered.

import { Refusal, ask } from "./api.js";

const PAUSE_MS = 250;
/** @typedef {{ grams: number, stable: boolean }} Weighing */

/**
 * Follow the scale: `onWeight` is told each reading, null while nothing can be weighed. Gives what ends it.
 * @param {() => string} address
 * @param {(weighing: Weighing | null) => unknown} onWeight
 */
export function followScale(address, onWeight) {
  let isOn = true;
  const follow = async () => {
    while (isOn) {
      /** @type {Weighing | null} */
      let weighing = null;
      try {
        weighing = await ask("GET", address());
      } catch (fault) {
        if (!(fault instanceof Refusal && /^(scale|tare)-/.test(fault.code))) return; // asked once more by the button
      }
      if (isOn) onWeight(weighing);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  };
  follow();
  return () => { isOn = false; };
}
