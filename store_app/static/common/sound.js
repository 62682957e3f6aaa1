// Two soft tones made by the browser itself: a short high one for a product, a low one for a refusal.

import { afterPaint } from "./later.js";

/** @type {AudioContext | null} */
let audio = null;

/**
 * @param {number} frequency
 * @param {number} seconds
 * @param {number} loudness
 */
function tone(frequency, seconds, loudness) {
  if (!navigator.userActivation?.hasBeenActive) return; // browsers stay silent until the first touch
  audio ??= new AudioContext();
  const source = audio.createOscillator(), level = audio.createGain();
  source.frequency.value = frequency;
  level.gain.setValueAtTime(loudness, audio.currentTime);
  level.gain.exponentialRampToValueAtTime(0.0001, audio.currentTime + seconds);
  source.connect(level).connect(audio.destination);
  source.start();
  source.stop(audio.currentTime + seconds);
}

export const soundGood = () => afterPaint("sound", () => tone(1320, 0.07, 0.05));
export const soundBad = () => afterPaint("sound", () => tone(196, 0.35, 0.12));
