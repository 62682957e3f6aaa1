// The device's camera as a scanner: a live picture with a frame; every code that comes into the frame is told once.
// All it needs (reader, looks) is fetched when it is opened, and the camera is let go when it is closed, when its place
// is no longer shown and when the page is hidden or left.

import { all, byId, one } from "../common/dom.js";
import { Sightings } from "./sightings.js";

const WIDEST = 1024; // a barcode across half the frame still has five points a bar
const PAUSE_MS = 50;
const WISHES = { audio: false, video: { facingMode: { ideal: "environment" }, width: { ideal: 1920 }, height: { ideal: 1080 } } };
/** @type {Record<string, string>} */
const FAULTS = { NotAllowedError: "denied", SecurityError: "denied", NotFoundError: "missing", OverconstrainedError: "missing" };

/** @type {Camera | null} */
let opened = null;

/**
 * What browsers tell of a camera beyond the standard's types: focus and torch.
 * @typedef {MediaTrackCapabilities & { focusMode?: string[], torch?: boolean }} Able
 */

export class Camera {
  /**
   * `onCode(text)` is told each code. `mood()` says whether to look for codes now: "look", "wait", or "leave" when
   * the camera has no business here any more. `counts`: it goes on, and the same code again is one more.
   * `onClose(hadFocus)` is told once.
   * @param {HTMLElement} host
   * @param {{ onCode: (text: string) => void, mood?: () => "look" | "wait" | "leave", counts?: boolean, onClose?: (hadFocus: boolean) => void }} wishes
   */
  constructor(host, { onCode, mood = () => "look", counts = false, onClose = () => {} }) {
    this.host = host;
    this.onCode = onCode;
    this.mood = mood;
    this.counts = counts;
    this.onClose = onClose;
    this.isOpen = false;
    /** @type {MediaStream | null} */
    this.stream = null;
    /** @type {Reader | null} */
    this.reader = null;
    this.sightings = new Sightings();
    this.canvas = document.createElement("canvas");
    this.root = document.createElement("section"); // the stencil's, once it is open
  }

  /** Show the picture in the host; what is in the way is said there, with what to do. */
  async open() {
    opened?.close();
    opened = this;
    this.isOpen = true;
    await dress();
    if (!this.isOpen) return;
    const stencil = byId("camera-stencil", HTMLTemplateElement);
    this.root = one(document.importNode(stencil.content, true), "section");
    this.#part("close").addEventListener("click", () => this.close());
    this.#part("again").addEventListener("click", () => this.#begin());
    this.#part("torch").addEventListener("click", () => this.#turnTorch());
    this.#part("counts").hidden = !this.counts;
    this.root.addEventListener("keydown", (event) => {
      if (event.key !== "Escape" || this.root.closest("dialog")) return;
      event.stopPropagation();
      this.close();
    });
    this.host.replaceChildren(this.root);
    this.host.hidden = false;
    this.#part("close").focus();
    await this.#begin();
  }

  close() {
    if (!this.isOpen) return;
    this.isOpen = false;
    if (opened === this) opened = null;
    this.#letGo();
    const hadFocus = this.host.contains(document.activeElement);
    this.host.hidden = true;
    this.host.replaceChildren();
    this.onClose(hadFocus);
  }

  /**
   * Say over the picture what became of a code.
   * @param {string} words
   */
  tell(words) {
    const line = this.#part("told");
    line.textContent = words;
    line.hidden = false;
    line.getAnimations().forEach((moving) => { moving.cancel(); moving.play(); });
  }

  /** @param {string} name */
  #part(name) { return one(this.root, `[data-${name}]`); }

  async #begin() {
    this.#say("starting");
    if (!isSecureContext) return this.#fail("insecure");
    if (!navigator.mediaDevices?.getUserMedia) return this.#fail("missing");
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia(WISHES);
    } catch (fault) {
      return this.#fail(FAULTS[fault instanceof DOMException ? fault.name : ""] ?? "busy");
    }
    this.stream = stream;
    if (!this.isOpen) return this.#letGo();
    const [track] = stream.getVideoTracks();
    if (!track) return this.#fail("missing");
    track.addEventListener("ended", () => { if (this.stream === stream) this.#fail("missing"); });
    await this.#suit(track);
    const video = one(this.root, "[data-picture]", HTMLVideoElement);
    video.srcObject = stream;
    await video.play().catch(() => {}); // stopped while it began: the loop below sees it
    this.#say("hold");
    this.#watch(stream, video);
  }

  /**
   * Let it focus by itself all the time, and show the torch's button where there is a torch.
   * @param {MediaStreamTrack} track
   */
  async #suit(track) {
    /** @type {Able} */
    const can = track.getCapabilities?.() ?? {};
    if (can.focusMode?.includes("continuous")) await track.applyConstraints(wish({ focusMode: "continuous" })).catch(() => {});
    this.#part("torch").hidden = !can.torch;
  }

  async #turnTorch() {
    const button = this.#part("torch"), on = button.getAttribute("aria-checked") !== "true";
    try {
      await this.stream?.getVideoTracks()[0]?.applyConstraints(wish({ torch: on }));
      button.setAttribute("aria-checked", String(on));
    } catch { button.hidden = true; }
  }

  /**
   * Look at one picture after the other: a slow device looks less often, it never falls behind.
   * @param {MediaStream} stream
   * @param {HTMLVideoElement} video
   */
  async #watch(stream, video) {
    const reader = this.reader = new Reader();
    while (this.stream === stream) {
      const mood = this.root.getClientRects().length ? this.mood() : "leave";
      if (mood === "leave") return this.close();
      if (mood === "look" && video.readyState >= video.HAVE_CURRENT_DATA) {
        try {
          const code = await reader.read(this.#frame(video));
          if (this.stream !== stream) return;
          if (this.mood() === "look") this.#see(code);
        } catch {
          if (this.stream === stream) this.#fail("reader");
          return;
        }
      }
      await new Promise((go) => setTimeout(go, PAUSE_MS));
    }
  }

  /** @param {import("./sightings.js").Sighting | null} code */
  #see(code) {
    const text = this.sightings.see(code, performance.now());
    if (text === null) return;
    this.root.classList.remove("camera-hit");
    requestAnimationFrame(() => this.root.classList.add("camera-hit"));
    if (navigator.userActivation?.hasBeenActive) navigator.vibrate?.(40);
    this.onCode(text);
  }

  /**
   * Give the points inside the frame as it is seen: the picture fills its box, so its edges are cut off.
   * @param {HTMLVideoElement} video
   */
  #frame(video) {
    const box = video.getBoundingClientRect(), frame = this.#part("frame").getBoundingClientRect();
    const { videoWidth: wide, videoHeight: high } = video, scale = Math.max(box.width / wide, box.height / high);
    const left = (wide - box.width / scale) / 2 + (frame.left - box.left) / scale, top = (high - box.height / scale) / 2 + (frame.top - box.top) / scale;
    const width = frame.width / scale, height = frame.height / scale, shrink = Math.min(1, WIDEST / width);
    const { canvas } = this;
    canvas.width = Math.max(1, Math.round(width * shrink));
    canvas.height = Math.max(1, Math.round(height * shrink));
    const context = canvas.getContext("2d", { willReadFrequently: true });
    if (!context) throw new Error("no picture can be drawn");
    context.drawImage(video, left, top, width, height, 0, 0, canvas.width, canvas.height);
    return context.getImageData(0, 0, canvas.width, canvas.height);
  }

  /** @param {string} why */
  #fail(why) {
    this.#letGo();
    if (this.isOpen) this.#say(why);
  }

  /** @param {string} what */
  #say(what) {
    this.root.dataset.state = what;
    for (const sentence of all(this.root, "[data-when]")) sentence.hidden = sentence.dataset.when !== what;
    this.#part("again").hidden = ["starting", "hold", "insecure"].includes(what);
  }

  #letGo() {
    this.reader?.end();
    for (const track of this.stream?.getTracks() ?? []) track.stop();
    this.reader = this.stream = null;
  }
}

/** The worker that reads pictures, one at a time. */
class Reader {
  constructor() { this.worker = new Worker(new URL("reader.js", import.meta.url)); }

  /**
   * Give the code nearest to the middle, or null.
   * @param {ImageData} picture
   * @returns {Promise<import("./sightings.js").Sighting | null>}
   */
  read({ data, width, height }) {
    return new Promise((resolve, reject) => {
      this.worker.onerror = (event) => { event.preventDefault(); reject(new Error(event.message)); };
      this.worker.onmessage = ({ data: { code, fault } }) => (fault ? reject(new Error(fault)) : resolve(code));
      this.worker.postMessage({ pixels: data.buffer, width, height }, [data.buffer]);
    });
  }

  end() { this.worker.terminate(); }
}

/**
 * Wish for what the standard's types do not name yet.
 * @param {Record<string, unknown>} one
 * @returns {MediaTrackConstraints}
 */
const wish = (one) => ({ advanced: [one] });

/** Bring the looks once. */
function dress() {
  const known = document.getElementById("camera-looks");
  if (known) return undefined;
  const link = Object.assign(document.createElement("link"), { id: "camera-looks", rel: "stylesheet", href: new URL("camera.css", import.meta.url).href });
  const there = new Promise((go) => { link.onload = link.onerror = go; });
  document.head.append(link);
  return there;
}

addEventListener("pagehide", () => opened?.close());
document.addEventListener("visibilitychange", () => { if (document.hidden) opened?.close(); });
