// A draft of the shelf is arranged by hand: a product dragged to another place, its right edge dragged for facings, or
// both by keyboard from its grip. All of it fills in the page's own form, which works without any of this.

const FAR_ENOUGH_PX = 8, FACING_PX = 36;
const form = document.querySelector("[data-arrange]");
if (form) wire(form);

function wire(form) {
  const list = form.querySelector(".shelf"), live = document.getElementById("shelf-live");
  let held = null;
  form.dataset.wired = "1";

  list.addEventListener("pointerdown", (event) => {
    const slot = event.target.closest(".slot"), front = event.target.closest(".slot-front");
    if (!slot || !front || event.button !== 0) return;
    event.preventDefault();
    const edge = event.target.closest(".facing-edge") !== null;
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
    const grip = event.target.closest(".slot-grip");
    if (!grip) return;
    const slot = grip.closest(".slot"), at = [...list.children].indexOf(slot);
    const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    const more = { "+": 1, "=": 1, "-": -1 }[event.key];
    if (!step && !more) return;
    event.preventDefault();
    if (step) place(slot, at + step); else setFacings(slot, facingsOf(slot) + more);
    grip.focus();
  });
  list.addEventListener("change", (event) => {
    if (event.target.name === "facings") setFacings(event.target.closest(".slot"), Number(event.target.value));
  });

  function place(slot, to) {
    const at = [...list.children].indexOf(slot);
    if (to < 0 || to >= list.children.length || to === at) return;
    list.insertBefore(slot, to > at ? list.children[to].nextSibling : list.children[to]);
    [...list.children].forEach((one, n) => {
      one.querySelector(".slot-no").textContent = String(n + 1);
      one.querySelector('[name="place"]').value = String(n + 1);
    });
    say("moved", slot, to + 1);
  }

  function setFacings(slot, wanted) {
    const field = slot.querySelector('[name="facings"]'), front = slot.querySelector(".slot-front");
    const count = Math.min(Number(field.max), Math.max(1, wanted || 1));
    field.value = String(count);
    const faces = front.querySelectorAll(".facing");
    for (let n = faces.length; n < count; n += 1) front.insertBefore(faces[0].cloneNode(true), front.querySelector(".facing-edge"));
    for (let n = faces.length; n > count; n -= 1) faces[n - 1].remove();
    slot.dataset.facings = String(Math.min(4, count));
    say("facings", slot, count);
  }

  function say(what, slot, n) {
    form.dataset.changed = "1";
    live.textContent = live.dataset[what].replace("{name}", slot.dataset.name).replace("{n}", String(n));
  }

  function drop() {
    held?.slot.classList.remove("is-lifted");
    for (const one of list.children) one.classList.remove("is-over");
    held = null;
  }
}

function facingsOf(slot) {
  return Number(slot.querySelector('[name="facings"]').value);
}
