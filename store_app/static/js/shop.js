// The customer's shop: steppers, forms sent once, an order's page that looks by itself. Every page works without it.

function wire(root) {
  for (const holder of root.querySelectorAll("[data-stepper]")) {
    const field = holder.querySelector("input");
    holder.addEventListener("click", (event) => {
      const step = Number(event.target.dataset?.step);
      if (!step) return;
      const least = Number(field.min || 0), most = Number(field.max || 999);
      field.value = String(Math.min(most, Math.max(least, Number(field.value || 0) + step)));
    });
  }
}

// The order's page asks again until the order is over; what somebody is typing is left alone.
function refreshLater() {
  const part = document.querySelector("[data-refresh]");
  if (!part) return;
  setTimeout(async () => {
    const open = part.querySelector("details[open], input:focus");
    if (!open && document.visibilityState === "visible") {
      try {
        const answer = await fetch(location.pathname, { headers: { "HX-Request": "true" } });
        if (answer.ok) {
          const shell = document.createElement("div");
          shell.innerHTML = await answer.text();
          part.replaceWith(shell.firstElementChild);
          wire(document);
        }
      } catch { /* the line is down: the next round asks again */ }
    }
    refreshLater();
  }, Number(part.dataset.refresh) * 1000);
}

wire(document);
refreshLater();
for (const here of document.querySelectorAll("nav [aria-current]")) here.scrollIntoView({ block: "nearest", inline: "center" });
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.getAttribute("aria-busy") === "true") { event.preventDefault(); return; }
  form.setAttribute("aria-busy", "true");
  setTimeout(() => form.removeAttribute("aria-busy"), 4000);
});
