// A draft of the shelf is arranged by hand: a product dragged to another place, its right edge dragged for facings, or
// both by keyboard from its grip. All of it fills in the page's own form, which works without any of this.

import { all, around, byId, maybe, one } from "../common/dom.js";

const FAR_ENOUGH_PX = 8, FACING_PX = 36;
const STEPS = new Map([["ArrowLeft", -1], ["ArrowUp", -1], ["ArrowRight", 1], ["ArrowDown", 1]]);
const MORE = new Map([["+", 1], ["=", 1], ["-", -1]]);
const form = maybe(document, "[data-arrange]");
if (form) wire(form);

/** @param {HTMLElement} form */
function wire(form) {
  const list = one(form, ".shelf"), live = byId("shelf-live");
  /** @type {{ slot: HTMLElement, edge: boolean, x: number, y: number, from: number, id: number, moved: boolean } | null} */
  let held = null;
  form.dataset.wired = "1";

  list.addEventListener("pointerdown", (event) => {
    const slot = around(event, ".slot"), front = around(event, ".slot-front");
    if (!slot || !front || event.button !== 0) return;
    event.preventDefault();
    const edge = around(event, ".facing-edge") !== null;
    held = { slot, edge, x: event.clientX, y: event.clientY, from: facingsOf(slot), id: event.pointerId, moved: false };
    front.setPointerCapture(event.pointerId);
  });
  list.addEventListener("pointermove", (event) => {
    if (!held || event.pointerId !== held.id) return;
    const far = Math.hypot(event.clientX - held.x, event.clientY - held.y);
    if (!held.moved && far < FAR_ENOUGH_PX) return;
    held.moved = true;
    if (held.edge) return setFacings(held.slot, held.from + Math.round((event.clientX - held.x) / FACING_PX));
    held.slot.classList.add("is-lifted");
    const over = document.elementFromPoint(event.clientX, event.clientY)?.closest(".slot");
    for (const one of list.children) one.classList.toggle("is-over", one === over && one !== held.slot);
  });
  list.addEventListener("pointerup", (event) => {
    if (!held || event.pointerId !== held.id) return;
    const { slot, edge, moved } = held;
    const over = document.elementFromPoint(event.clientX, event.clientY)?.closest(".slot");
    drop();
    if (moved && !edge && over && over !== slot && over.parentElement === list) place(slot, [...list.children].indexOf(over));
  });
  list.addEventListener("pointercancel", drop);

  list.addEventListener("keydown", (event) => {
    const grip = around(event, ".slot-grip"), slot = around(event, ".slot");
    if (!grip || !slot) return;
    const at = [...list.children].indexOf(slot), step = STEPS.get(event.key), more = MORE.get(event.key);
    if (step) place(slot, at + step);
    else if (more) setFacings(slot, facingsOf(slot) + more);
    else return;
    event.preventDefault();
    grip.focus();
  });
  list.addEventListener("change", (event) => {
    const { target } = event, slot = around(event, ".slot");
    if (slot && target instanceof HTMLInputElement && target.name === "facings") setFacings(slot, Number(target.value));
  });

  /**
   * @param {HTMLElement} slot
   * @param {number} to
   */
  function place(slot, to) {
    const at = [...list.children].indexOf(slot), there = list.children[to];
    if (!there || to === at) return;
    list.insertBefore(slot, to > at ? there.nextSibling : there);
    [...list.children].forEach((slotHere, n) => {
      one(slotHere, ".slot-no").textContent = String(n + 1);
      one(slotHere, '[name="place"]', HTMLInputElement).value = String(n + 1);
    });
    say("moved", slot, to + 1);
  }

  /**
   * @param {HTMLElement} slot
   * @param {number} wanted
   */
  function setFacings(slot, wanted) {
    const field = one(slot, '[name="facings"]', HTMLInputElement), front = one(slot, ".slot-front");
    const count = Math.min(Number(field.max), Math.max(1, wanted || 1));
    field.value = String(count);
    const faces = all(front, ".facing"), face = one(front, ".facing");
    for (let n = faces.length; n < count; n += 1) front.insertBefore(face.cloneNode(true), front.querySelector(".facing-edge"));
    for (const more of faces.slice(count)) more.remove();
    slot.dataset.facings = String(Math.min(4, count));
    say("facings", slot, count);
  }

  /**
   * @param {"moved" | "facings"} what
   * @param {HTMLElement} slot
   * @param {number} n
   */
  function say(what, slot, n) {
    form.dataset.changed = "1";
    live.textContent = (live.dataset[what] ?? "").replace("{name}", slot.dataset.name ?? "").replace("{n}", String(n));
  }

  function drop() {
    held?.slot.classList.remove("is-lifted");
    for (const one of list.children) one.classList.remove("is-over");
    held = null;
  }
}

/** @param {HTMLElement} slot */
function facingsOf(slot) {
  return Number(one(slot, '[name="facings"]', HTMLInputElement).value);
}
