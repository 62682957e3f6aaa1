// Making elements, icons, fields and lists: small shapes that every part of the till is built from.

import { $ } from "./settings.js";

/** Make an element: el("button.btn.btn-go", {onclick, ...attributes}, ...children); text is set as text. */
export function el(name, wishes = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const made = document.createElement(tag);
  if (classes.length) made.className = classes.join(" ");
  if (tag === "button") made.type = "button";
  for (const [wish, value] of Object.entries(wishes)) {
    if (value === false || value === null || value === undefined) continue;
    if (wish.startsWith("on")) made.addEventListener(wish.slice(2), value);
    else if (wish in made && typeof value !== "string") made[wish] = value;
    else made.setAttribute(wish, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** Give a copy of an icon that the page carries. */
export const icon = (name) => $(`icon-${name}`).content.firstElementChild.cloneNode(true);

/** Make a sentence that asks for attention: kind good, warn, bad or info. */
export const note = (kind, words) => el(`p.note.note-${kind}`, {}, icon(kind === "good" ? "check-circle" : "exclamation-triangle"), el("span", {}, words));

/** Make a field with its label above it. */
export function field(id, label, wishes = {}, name = "input") {
  const input = el(`${name}.form-control.form-control-lg`, { id, autocomplete: "off", maxlength: "200", ...wishes });
  return { input, root: el("div.field", {}, el("label.form-label", { for: id }, label), input) };
}

/** Make tiles of which one is chosen: [[value, words, icon?]]; `onChoose(value)` is told. */
export function choices(label, rows, onChoose, chosen = null) {
  const root = el("div.choices", { role: "group", "aria-label": label, onmousedown: (event) => event.preventDefault() }); // the focus stays in the pad
  const mark = (value) => {
    for (const button of root.children) button.setAttribute("aria-pressed", String(button.dataset.value === String(value)));
  };
  for (const [value, words, picture] of rows) {
    const button = el("button.choice", { onclick: () => { mark(value); onChoose(value); } }, picture ? icon(picture) : null, el("span", {}, words));
    button.dataset.value = value;
    root.append(button);
  }
  mark(chosen);
  return root;
}

/** Make the one green button of a sheet; while its work runs it cannot be pressed again. */
export function go(words, act, wishes = {}) {
  const button = el("button.btn.btn-go.btn-lg", {
    ...wishes,
    onclick: async () => {
      if (button.getAttribute("aria-busy") === "true") return;
      button.setAttribute("aria-busy", "true");
      try { await act(); } finally { button.removeAttribute("aria-busy"); }
    },
  }, words);
  return button;
}

export const quiet = (words, act, picture = null) => el("button.btn.btn-quiet.btn-lg", { onclick: act }, picture ? icon(picture) : null, el("span", {}, words));

/** Make a list that is filled later: `fill(rows)` with elements, a sentence while it is empty. */
export function list(label, empty) {
  const root = el("ul.rows", { "aria-label": label });
  const none = el("p.muted.rows-none", { role: "status", hidden: true }, empty);
  return {
    root: [root, none],
    fill(rows) {
      root.replaceChildren(...rows);
      none.hidden = rows.length > 0;
    },
  };
}
