// The keyboard: everything a finger can do, a key can do.

import { maybe } from "../common/dom.js";
import { isWeighed } from "./catalogue.js";
import { $, settings } from "./settings.js";

/**
 * Listen for keys; `till` names what they do.
 * @param {{ till: import("./till.js").Till, basket: import("./basket.js").Basket, view: import("./lines.js").Lines, goods: import("./goods.js").Goods, pay: import("./pay.js").Pay, sheet: typeof import("./sheet.js").sheet }} parts
 */
export function listenForKeys({ till, basket, view, goods, pay, sheet }) {
  const withActive = (/** @type {(line: Line) => unknown} */ act) => {
    const line = basket.line(basket.active);
    if (line) act(line);
    else till.noLine();
  };
  /** @type {Record<string, () => unknown>} */
  const keys = {
    F2: () => till.search(),
    F3: () => till.lookUp(),
    F4: () => till.park(),
    F6: () => withActive(till.qty),
    F7: () => withActive(till.discount),
    F8: () => (pay.isOpen ? pay.take() : pay.open()),
    F9: () => till.reprint(),
    F10: () => till.more(),
  };
  const whilePaying = ["F8", "F9"], once = new Set([...Object.keys(keys), "Enter", "Delete"]);

  // A key that is held down, or lies under a bag, is one wish: it would open the payment, take it and wipe the change away.
  document.addEventListener("keydown", (event) => {
    if (!event.repeat || !once.has(event.key)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
  }, true);

  document.addEventListener("keydown", (event) => {
    const standing = sheet.isOpen || document.querySelector("dialog[open]") || till.stands();
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
      event.preventDefault();
      if (!standing && !pay.isOpen) location.assign(settings.urls.find);
    }
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    const act = keys[event.key];
    if (act) {
      event.preventDefault();
      if (!standing && (!pay.isOpen || whilePaying.includes(event.key))) act();
      return;
    }
    if (standing) return;
    if (pay.isOpen) {
      if (!$("pay").contains(document.activeElement)) $("pay").focus();
      return;
    }
    atBasket(event);
  });

  /** @param {KeyboardEvent} event */
  function atBasket(event) {
    const search = $("search", HTMLInputElement), empty = !search.value, elsewhere = document.activeElement !== search;
    const act = (/** @type {() => unknown} */ run) => { event.preventDefault(); run(); };
    if (event.key === "Escape") {
      goods.clearSearch();
      view.quieten();
      search.focus();
    } else if (event.key === "?" && empty) act(till.help);
    else if (event.key === "ArrowDown" && !empty && !elsewhere) act(() => maybe($("tiles"), ".tile")?.focus());
    else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (empty || elsewhere) act(() => basket.step(event.key === "ArrowUp" ? -1 : 1));
    } else if (!empty) return;
    else if (event.key === "Delete" && basket.active) act(() => withActive(till.remove));
    else if ((event.key === "+" || event.key === "-") && basket.active) {
      act(() => withActive((line) => (isWeighed(line.product) ? till.qty : event.key === "+" ? till.more1 : till.less)(line)));
    } else if (event.key.length === 1 && event.key !== " " && elsewhere) search.focus();
  }
}
