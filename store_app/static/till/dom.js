// Making elements, icons, fields and lists: small shapes that every part of the till is built from.

import { all, one } from "../common/dom.js";
import { $ } from "./settings.js";

/**
 * What an element may hold: nothing, text, another element, or several of these.
 * @typedef {Node | string | number | false | null | undefined | Children[]} Children
 *
 * What is wished of it: a property, an attribute (true: without a value), or a listener under "on" and the event's name.
 * @typedef {{ [K in keyof HTMLElementEventMap as `on${K}`]?: (event: HTMLElementEventMap[K]) => unknown }} Listeners
 * @typedef {Listeners & { [name: string]: string | number | boolean | null | undefined | ((event: never) => unknown) }} Wishes
 */

/**
 * Make an element: el("button.btn.btn-go", {onclick, ...attributes}, ...children); text is set as text.
 * @template {string} N
 * @param {N} name
 * @param {Wishes} [wishes]
 * @param {...Children} children
 * @returns {Made<N>}
 */
export function el(name, wishes = {}, ...children) {
  const [tag = "", ...classes] = name.split(".");
  const made = document.createElement(tag);
  if (classes.length) made.className = classes.join(" ");
  if (made instanceof HTMLButtonElement) made.type = "button";
  for (const [wish, value] of Object.entries(wishes)) {
    if (value === false || value === null || value === undefined) continue;
    if (typeof value === "function") made.addEventListener(wish.slice(2), /** @type {EventListener} */ (value));
    else if (wish in made && typeof value !== "string") Reflect.set(made, wish, value);
    else made.setAttribute(wish, value === true ? "" : String(value));
  }
  made.append(...flat(children));
  return /** @type {Made<N>} */ (made);
}

/**
 * List what stands somewhere in `children`.
 * @param {Children} children
 * @returns {(Node | string)[]}
 */
export function flat(children) {
  if (Array.isArray(children)) return children.flatMap(flat);
  if (children === null || children === undefined || children === false || children === "") return [];
  return [typeof children === "number" ? String(children) : children];
}

/**
 * Give a copy of what a template of the page holds.
 * @param {string} id
 */
export const stencil = (id) => one(document.importNode($(id, HTMLTemplateElement).content, true), "*");

/**
 * Give a copy of an icon that the page carries.
 * @param {string} name
 */
export const icon = (name) => document.importNode($(`icon-${name}`, HTMLTemplateElement).content, true);

/**
 * Make a sentence that asks for attention.
 * @param {"good" | "warn" | "bad" | "info"} kind
 * @param {string} words
 */
export const note = (kind, words) => el(`p.note.note-${kind}`, {}, icon(kind === "good" ? "check-circle" : "exclamation-triangle"), el("span", {}, words));

/**
 * Make a field with its label above it.
 * @param {string} id
 * @param {string} label
 * @param {Wishes} [wishes]
 */
export function field(id, label, wishes = {}) {
  const input = el("input.form-control.form-control-lg", { id, autocomplete: "off", maxlength: "200", ...wishes });
  return { input, root: el("div.field", {}, el("label.form-label", { for: id }, label), input) };
}

/**
 * Make tiles of which one is chosen; `onChoose` is told its value.
 * @param {string} label
 * @param {[value: string, words: string, picture?: string][]} rows
 * @param {(value: string) => unknown} onChoose
 * @param {string | null} [chosen]
 */
export function choices(label, rows, onChoose, chosen = null) {
  const root = el("div.choices", { role: "group", "aria-label": label, onmousedown: keepFocus }); // the focus stays in the pad
  const mark = (/** @type {string | null} */ value) => {
    for (const button of all(root, "button")) button.setAttribute("aria-pressed", String(button.dataset.value === String(value)));
  };
  for (const [value, words, picture] of rows) {
    const button = el("button.choice", { onclick: () => { mark(value); onChoose(value); } }, picture ? icon(picture) : null, el("span", {}, words));
    button.dataset.value = value;
    root.append(button);
  }
  mark(chosen);
  return root;
}

/**
 * Show a group's title above it.
 * @param {string} words
 * @param {HTMLElement} group
 */
export const titled = (words, group) => el("div", {}, el("p.muted.m-0", { "aria-hidden": "true" }, words), group);

/**
 * Leave the focus where it is while something else is pressed.
 * @param {Event} event
 */
export const keepFocus = (event) => event.preventDefault();

/**
 * Make the one green button of a sheet; while its work runs it cannot be pressed again.
 * @param {string} words
 * @param {() => unknown} act
 * @param {Wishes} [wishes]
 */
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

/**
 * @param {string} words
 * @param {() => unknown} act
 * @param {string | null} [picture]
 */
export const quiet = (words, act, picture = null) => el("button.btn.btn-quiet.btn-lg", { onclick: act }, picture ? icon(picture) : null, el("span", {}, words));

/**
 * Make a list that is filled later: `fill(rows)` with elements, a sentence while it is empty.
 * @param {string} label
 * @param {string} empty
 */
export function list(label, empty) {
  const root = el("ul.rows", { "aria-label": label });
  const none = el("p.muted.rows-none", { role: "status", hidden: true }, empty);
  return {
    root: [root, none],
    none,
    /** @param {Node[]} rows */
    fill(rows) {
      root.replaceChildren(...rows);
      none.hidden = rows.length > 0;
    },
  };
}
