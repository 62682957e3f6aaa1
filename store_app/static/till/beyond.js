// What a basket holds beyond the sale that was saved under its id: an earlier state of it was saved after all.

/**
 * Compare a basket as it is kept with a saved sale's lines.
 *
 * Gives null when they are the same goods, else {lines, broughtBack, fewer}: what the sale does not have, the last in
 * the basket first among equals; fewer: the sale has what the basket has no more.
 * @param {Pick<Kept, "lines" | "broughtBack">} basket
 * @param {SoldLine[]} sold
 * @returns {Beyond | null}
 */
export function beyond({ lines, broughtBack }, sold) {
  /** @type {Map<string, number>} */
  const left = new Map();
  const add = (/** @type {string} */ key, /** @type {number} */ qty) => left.set(key, (left.get(key) ?? 0) + qty);
  const key = (/** @type {string} */ sku, /** @type {number} */ qty) => `${qty < 0 ? "-" : "+"}${sku}`;
  const backKey = (/** @type {string} */ saleId, /** @type {number | null | undefined} */ n) => `${saleId} ${n}`;
  for (const line of sold) {
    if (line.returns_sale_id && line.kind === "deposit") continue; // it came back with its goods
    if (line.returns_sale_id) add(backKey(line.returns_sale_id, line.returns_n), 1);
    else if (!line.deposit_of) add(key(line.sku, line.qty), line.qty);
  }
  const more = [];
  for (const entry of lines) {
    const place = key(entry.sku, entry.qty), has = left.get(place) ?? 0;
    const same = Math.sign(entry.qty) * Math.min(Math.abs(entry.qty), Math.abs(has));
    left.set(place, has - same);
    if (same !== entry.qty) more.push({ ...entry, qty: entry.qty - same, quoted: null });
  }
  const back = broughtBack.filter((row) => {
    const place = backKey(row.sale_id, row.n), has = left.get(place) ?? 0;
    left.set(place, Math.max(0, has - 1));
    return has === 0;
  });
  const fewer = [...left.values()].some((qty) => qty !== 0);
  return more.length || back.length || fewer ? { lines: more, broughtBack: back, fewer } : null;
}
