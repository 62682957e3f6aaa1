// The buttons beside a number that make it one less or one more.

import { all, one } from "./dom.js";

/**
 * Wire every stepper in `root` that is not wired yet.
 * @param {ParentNode} root
 */
export function wireSteppers(root) {
  for (const holder of all(root, "[data-stepper]")) {
    if (holder.dataset.wired) continue;
    holder.dataset.wired = "1";
    const field = one(holder, "input", HTMLInputElement);
    holder.addEventListener("click", ({ target }) => {
      const step = target instanceof HTMLElement ? Number(target.dataset.step) : 0;
      if (!step) return;
      const least = Number(field.min || 0), most = Number(field.max || 999);
      field.value = String(Math.min(most, Math.max(least, Number(field.value || 0) + step)));
      field.dispatchEvent(new Event("change", { bubbles: true }));
    });
  }
}
