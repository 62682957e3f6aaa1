// The buttons beside a number that make it one less or one more.

/** Wire every stepper in `root` that is not wired yet. */
export function wireSteppers(root) {
  for (const holder of root.querySelectorAll("[data-stepper]")) {
    if (holder.dataset.wired) continue;
    holder.dataset.wired = "1";
    const field = holder.querySelector("input");
    holder.addEventListener("click", (event) => {
      const step = Number(event.target.dataset?.step);
      if (!step) return;
      const least = Number(field.min || 0), most = Number(field.max || 999);
      field.value = String(Math.min(most, Math.max(least, Number(field.value || 0) + step)));
      field.dispatchEvent(new Event("change", { bubbles: true }));
    });
  }
}
