// A badge is told from a product's code by its beginning and its length, and never leaves for anywhere but the sign-in.

const BADGE = /^9870\d{40}$/;

/**
 * Tell whether a scanned or typed text is somebody's badge.
 * @param {string} text
 */
export const isBadge = (text) => BADGE.test(text.trim());
