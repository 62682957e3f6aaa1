// Keys are dragged by mouse or pen, by finger after a short hold (a quick stroke scrolls the page), and moved with Alt
// and an arrow. All of it fills in the page's own form, which works without any of this.

const FAR_ENOUGH_PX = 8;
const HOLD_MS = 250;
let lifted = null;
let refocus = "";

document.addEventListener("pointerdown", (event) => {
  const cell = keyCell(event.target);
  if (!cell || event.button !== 0) return;
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
  const to = target.dataset.spot ?? `${target.dataset.page}-free`;
  move(cell, to);
});

document.addEventListener("pointercancel", drop);

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && lifted) return drop();
  const cell = keyCell(event.target);
  if (!cell || !event.altKey || !event.key.startsWith("Arrow")) return;
  event.preventDefault();
  const cells = [...document.querySelectorAll(".key-grid > li")];
  const across = getComputedStyle(cell.parentElement).gridTemplateColumns.split(" ").length;
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -across, ArrowDown: across }[event.key];
  const target = cells[cells.indexOf(cell) + step];
  if (target) move(cell, target.dataset.spot);
});

document.addEventListener("htmx:after:swap", () => {
  if (refocus) document.querySelector(`[data-spot="${refocus}"] > .key-tile`)?.focus();
  refocus = "";
});

document.documentElement.dataset.dragging = "";

function move(cell, to) {
  if (to === cell.dataset.spot) return;
  const form = document.getElementById("move");
  const target = form.querySelector('input[name="to"]');
  form.querySelector('input[name="from"]').value = cell.dataset.spot;
  target.disabled = false;
  target.value = to;
  refocus = to;
  if (to.endsWith("free")) return form.requestSubmit();
  const live = document.getElementById("keys-live");
  live.textContent = live.dataset.moved.replace("{name}", cell.dataset.name).replace("{n}", Number(to.split("-")[1]) + 1);
  form.requestSubmit();
}

function carry(event) {
  lifted.ghost ??= lift(lifted.cell);
  lifted.ghost.style.left = `${event.clientX - lifted.ghost.offsetWidth / 2}px`;
  lifted.ghost.style.top = `${event.clientY - lifted.ghost.offsetHeight / 2}px`;
  mark(under(event));
}

function keyCell(element) {
  const cell = element.closest?.(".key-grid > li[data-name]");
  return cell && cell.querySelector("a.key-tile") ? cell : null;
}

function lift(cell) {
  const tile = cell.firstElementChild;
  const ghost = tile.cloneNode(true);
  ghost.className = tile.className.replace("in-hand", "");
  ghost.classList.add("key-ghost");
  ghost.setAttribute("aria-hidden", "true");
  ghost.style.width = `${tile.offsetWidth}px`;
  ghost.style.height = `${tile.offsetHeight}px`;
  document.body.append(ghost);
  cell.classList.add("is-lifted");
  return ghost;
}

function under(event) {
  const at = document.elementFromPoint(event.clientX, event.clientY);
  return at?.closest(".key-grid > li, .filter[data-page]") ?? null;
}

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
