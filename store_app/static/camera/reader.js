// A worker that finds the code nearest to the middle of a picture: with the browser's own detector where it knows every
// kind we need, else with ZXing. It gives the text as a scanner would type it; a GS1 code is announced as one.

const NATIVE = ["ean_13", "ean_8", "upc_a", "upc_e", "code_128", "itf", "qr_code", "data_matrix"];
/** @type {import("zxing-wasm/reader").ReadInputBarcodeFormat[]} */
const KINDS = ["EAN13", "EAN8", "UPCA", "UPCE", "Code128", "ITF", "DataBar", "DataBarExp", "QRCode", "DataMatrix"];
const MATRIX = ["qr_code", "data_matrix", "QRCode", "DataMatrix"];
const GS1 = /^\](?:C1|e\d|d2|Q3)$/;
const UPC = ["upc_a", "upc_e", "ean_13", "UPCA", "UPCE", "EAN13"]; // an EAN-13 that begins with 0 is a UPC-A
const NUMBERED = /^https?:\/\/\S+\/(?:01|gtin)\/\d{8,14}/i;

/**
 * A code somewhere in a picture.
 * @typedef {{ text: string, sure: boolean, x: number, y: number }} Sighting
 *
 * @typedef {(picture: ImageData) => Promise<Sighting[]>} Look
 */

/** @type {Look | null} */
let look = null;

self.onmessage = async ({ data: { pixels, width, height } }) => {
  try {
    look ??= await ready();
    const found = await look(new ImageData(new Uint8ClampedArray(pixels), width, height));
    postMessage({ code: nearest(found.filter(({ text }) => text && !isAdvertisement(text)), width / 2, height / 2) });
  } catch (fault) {
    look = null;
    postMessage({ fault: String(fault) });
  }
};

/** @returns {Promise<Look>} */
async function ready() {
  /** @type {string[]} */
  const known = "BarcodeDetector" in self ? await BarcodeDetector.getSupportedFormats().catch(() => []) : [];
  if (!NATIVE.every((kind) => known.includes(kind))) return withZXing();
  const detector = new BarcodeDetector({ formats: NATIVE });
  return async (picture) => {
    try {
      return (await detector.detect(picture)).map(({ rawValue, format, cornerPoints }) => sighting(rawValue, format, cornerPoints));
    } catch { // a phone whose detector is not installed says so only now
      look = withZXing();
      return look(picture);
    }
  };
}

/** @returns {Look} */
function withZXing() {
  importScripts("../vendor/zxing_reader.js");
  const { prepareZXingModule, readBarcodes } = ZXingWASM;
  prepareZXingModule({ overrides: { locateFile: (/** @type {string} */ name) => new URL(`../vendor/${name}`, location.href).href } });
  /** @type {import("zxing-wasm/reader").ReaderOptions} */
  const wishes = { formats: KINDS, textMode: "Plain", tryHarder: true, tryInvert: false, maxNumberOfSymbols: 8 };
  return async (picture) => (await readBarcodes(picture, wishes)).map(({ text, format, position, symbologyIdentifier: told }) =>
    sighting(GS1.test(told) ? told + text : text, format, Object.values(position)));
}

/**
 * @param {string} text
 * @param {string} kind
 * @param {Corner[]} corners
 * @returns {Sighting}
 */
function sighting(text, kind, corners) {
  const middle = (/** @type {"x" | "y"} */ axis) => corners.reduce((sum, corner) => sum + corner[axis], 0) / (corners.length || 1);
  return { text: UPC.includes(kind) ? twelve(text) : text, sure: MATRIX.includes(kind), x: middle("x"), y: middle("y") };
}

/**
 * @param {Sighting[]} found
 * @param {number} x
 * @param {number} y
 */
function nearest(found, x, y) {
  const [best] = found.sort((one, other) => Math.hypot(one.x - x, one.y - y) - Math.hypot(other.x - x, other.y - y));
  return best ? { text: best.text, sure: best.sure } : null;
}

/**
 * Packs carry addresses of web pages beside their barcode; only one that names a product (GS1 Digital Link) is a code.
 * @param {string} text
 */
function isAdvertisement(text) { return /^https?:\/\//i.test(text) && !NUMBERED.test(text); }

/**
 * Write a UPC with its twelve digits: without the zero that makes an EAN of it, a UPC-E as the UPC-A it stands for.
 * @param {string} text
 */
function twelve(text) {
  if (/^0\d{12}$/.test(text)) return text.slice(1);
  const [, system, body, check] = /^([01])(\d{6})(\d)$/.exec(text) ?? [];
  if (!body) return text;
  const last = Number(body[5]);
  if (last <= 2) return `${system}${body.slice(0, 2)}${last}0000${body.slice(2, 5)}${check}`;
  if (last === 3) return `${system}${body.slice(0, 3)}00000${body.slice(3, 5)}${check}`;
  if (last === 4) return `${system}${body.slice(0, 4)}00000${body[4]}${check}`;
  return `${system}${body.slice(0, 5)}0000${last}${check}`;
}
