// Keys are dragged by mouse or pen, by finger after a short hold (a quick stroke scrolls the page), and moved with Alt
// and an arrow. All of it fills in the page's own form, which works without any of this.

import { all, around, byId, maybe, one } from "../common/dom.js";

const FAR_ENOUGH_PX = 8;
const HOLD_MS = 250;
/**
 * A key that is pressed, and from FAR_ENOUGH_PX on carried as `ghost`.
 * @typedef {{ cell: HTMLElement, x: number, y: number, ghost: HTMLElement | null, id: number, finger: boolean }} Lifted
 */
/** @type {Lifted | null} */
let lifted = null;
let refocus = "";

document.addEventListener("pointerdown", (event) => {
  const cell = keyCell(event);
  if (!cell || event.button !== 0) return;
  /** @type {Lifted} */
  const started = { cell, x: event.clientX, y: event.clientY, ghost: null, id: event.pointerId, finger: event.pointerType === "touch" };
  lifted = started;
  if (started.finger) setTimeout(() => { if (lifted === started) carry(event); }, HOLD_MS);
});

document.addEventListener("pointermove", (event) => {
  if (!lifted || event.pointerId !== lifted.id) return;
  if (!lifted.ghost) {
    if (Math.hypot(event.clientX - lifted.x, event.clientY - lifted.y) < FAR_ENOUGH_PX) return;
    if (lifted.finger) return drop();
  }
  event.preventDefault();
  carry(event);
});

document.addEventListener("touchmove", (event) => { if (lifted?.ghost) event.preventDefault(); }, { passive: false });
document.addEventListener("contextmenu", (event) => { if (lifted?.finger) event.preventDefault(); });

document.addEventListener("pointerup", (event) => {
  if (!lifted || event.pointerId !== lifted.id) return;
  const { cell, ghost } = lifted;
  const target = ghost ? under(event) : null;
  drop();
  if (!ghost) return; // a press, not a drag: the link takes the key up
  const still = new AbortController(); // the click that ends a drag opens no link
  document.addEventListener("click", (click) => click.preventDefault(), { capture: true, signal: still.signal });
  setTimeout(() => still.abort(), 0);
  if (!target) return;
  move(cell, target.dataset.spot ?? `${target.dataset.page}-free`);
});

document.addEventListener("pointercancel", drop);

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && lifted) return drop();
  const cell = keyCell(event);
  if (!cell || !event.altKey || !event.key.startsWith("Arrow")) return;
  event.preventDefault();
  const cells = all(document, ".key-grid > li");
  const across = getComputedStyle(cell.parentElement ?? cell).gridTemplateColumns.split(" ").length;
  const steps = new Map([["ArrowLeft", -1], ["ArrowRight", 1], ["ArrowUp", -across], ["ArrowDown", across]]);
  const target = cells[cells.indexOf(cell) + (steps.get(event.key) ?? 0)];
  if (target?.dataset.spot) move(cell, target.dataset.spot);
});

document.addEventListener("htmx:after:swap", () => {
  if (refocus) maybe(document, `[data-spot="${refocus}"] > .key-tile`)?.focus();
  refocus = "";
});

document.documentElement.dataset.dragging = "";

/**
 * @param {HTMLElement} cell
 * @param {string} to
 */
function move(cell, to) {
  const { spot = "", name = "" } = cell.dataset;
  if (to === spot) return;
  const form = byId("move", HTMLFormElement);
  const target = one(form, 'input[name="to"]', HTMLInputElement);
  one(form, 'input[name="from"]', HTMLInputElement).value = spot;
  target.disabled = false;
  target.value = to;
  refocus = to;
  if (to.endsWith("free")) return form.requestSubmit();
  const live = byId("keys-live");
  live.textContent = (live.dataset.moved ?? "").replace("{name}", name).replace("{n}", String(Number(to.split("-")[1]) + 1));
  form.requestSubmit();
}

/** @param {PointerEvent} event */
function carry(event) {
  if (!lifted) return;
  const ghost = lifted.ghost ??= lift(lifted.cell);
  ghost.style.left = `${event.clientX - ghost.offsetWidth / 2}px`;
  ghost.style.top = `${event.clientY - ghost.offsetHeight / 2}px`;
  mark(under(event));
}

/** @param {Event} event */
function keyCell(event) {
  const cell = around(event, ".key-grid > li[data-name]");
  return cell?.querySelector("a.key-tile") ? cell : null;
}

/** @param {HTMLElement} cell */
function lift(cell) {
  const tile = one(cell, ".key-tile"), ghost = /** @type {HTMLElement} */ (tile.cloneNode(true));
  ghost.className = tile.className.replace("in-hand", "");
  ghost.classList.add("key-ghost");
  ghost.setAttribute("aria-hidden", "true");
  ghost.style.width = `${tile.offsetWidth}px`;
  ghost.style.height = `${tile.offsetHeight}px`;
  document.body.append(ghost);
  cell.classList.add("is-lifted");
  return ghost;
}

/**
 * @param {PointerEvent} event
 * @returns {HTMLElement | null}
 */
function under(event) {
  const at = document.elementFromPoint(event.clientX, event.clientY);
  return at?.closest(".key-grid > li, .filter[data-page]") ?? null;
}

/** @param {HTMLElement | null} target */
function mark(target) {
  for (const one of document.querySelectorAll(".is-over")) if (one !== target) one.classList.remove("is-over");
  target?.classList.add("is-over");
}

function drop() {
  lifted?.ghost?.remove();
  lifted?.cell.classList.remove("is-lifted");
  mark(null);
  lifted = null;
}
