// The photos of products: each under an address that never changes, kept by the browser for when nobody answers.

import { settings } from "./settings.js";

/** @param {Product} product */
export const photoAddress = ({ sku, photo }) => `${settings.urls.product_pages}${encodeURIComponent(sku)}/photo/${photo}.webp`;

/**
 * Let the browser fetch the photos it does not have yet, one after the other; what fails is fetched when it is shown.
 * @param {Product[]} products
 */
export async function keepPhotos(products) {
  try {
    for (const product of products) await (await fetch(photoAddress(product), { priority: "low" })).blob();
  } catch { /* nobody answers: the next loading tries again */ }
}
