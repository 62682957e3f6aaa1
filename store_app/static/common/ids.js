// Ids made in the browser.

/** Make an id that nobody else makes. */
export function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  // a page on a plain http address of the store's own network has no randomUUID
  const bytes = crypto.getRandomValues(new Uint8Array(16)), [version = 0] = bytes.slice(6), [variant = 0] = bytes.slice(8);
  bytes[6] = (version & 0x0f) | 0x40;
  bytes[8] = (variant & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
