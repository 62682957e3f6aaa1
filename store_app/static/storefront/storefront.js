// The customer's shop: steppers, forms sent once, an order's page that looks by itself. Every page works without it.

import { wireSteppers } from "../common/stepper.js";
import { submitOnce } from "../common/submit_once.js";

function wire(root) {
  wireSteppers(root);
  for (const button of root.querySelectorAll("[data-by-itself]")) button.hidden = true;
}

// The basket: a changed quantity is kept by itself a moment later, and nothing is ordered before it is.
const MOMENT_MS = 500, LINE = ".cart-change form:has(input[type='number'])";
let moment = 0, keeping = null;

function changedLines() {
  return [...document.querySelectorAll(LINE)].filter(({ elements: { steps } }) => steps.value !== steps.defaultValue);
}

// Gives true once every changed line is kept and the page shows it.
function keepLines() {
  clearTimeout(moment);
  keeping ??= sendLines().finally(() => { keeping = null; });
  return keeping;
}

async function sendLines() {
  try {
    let answer = null;
    for (let lines = changedLines(); lines.length && (!answer || answer.ok); lines = changedLines()) {
      const { action, elements: { steps } } = lines[0], body = new URLSearchParams(new FormData(lines[0]));
      answer = await fetch(action, { method: "POST", body });
      steps.defaultValue = body.get("steps");
    }
    if (answer) showBasket(await answer.text());
    return !answer || answer.ok;
  } catch { // the line is down: the field stays as it is, and the page says that it is not kept
    document.getElementById("not-kept").hidden = false;
    return false;
  }
}

// What hangs on the total is new; the form with what was typed into it stays, and so does the place of the eye.
function showBasket(text) {
  const page = document.querySelector("main"), next = new DOMParser().parseFromString(text, "text/html").querySelector("main");
  const inUse = () => [...page.querySelectorAll("button, input, select")];
  const at = inUse().indexOf(document.activeElement);
  const form = page.querySelector("#order"), fresh = next.querySelector("#order");
  if (form && fresh) {
    for (const part of fresh.querySelectorAll("[data-fresh]")) {
      const old = form.querySelector(`[data-fresh="${part.dataset.fresh}"]`);
      if (part.tagName === "SELECT" && part.querySelector(`[value="${CSS.escape(old.value)}"]`)) part.value = old.value;
      if (part.type === "radio") { old.disabled = part.disabled; old.checked &&= !part.disabled; } else old.replaceWith(part);
    }
    fresh.replaceWith(form);
  }
  page.replaceChildren(...next.childNodes);
  wire(page);
  inUse()[at]?.focus({ preventScroll: true });
}

document.addEventListener("change", (event) => {
  if (!event.target.closest(LINE)) return;
  clearTimeout(moment);
  moment = setTimeout(keepLines, MOMENT_MS);
});
document.addEventListener("submit", (event) => {
  const form = event.target, orders = form.id === "order";
  if (!form.matches(LINE) && !(orders && (keeping || changedLines().length))) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const shown = orders && form.elements.shown_total.value;
  keepLines().then((kept) => {
    if (!orders || !kept || !form.isConnected) return;
    if (form.elements.shown_total.value === shown) form.requestSubmit();
    else document.getElementById("look-again").hidden = false; // another total than the one on the screen is said first
  });
});

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
          if (!part.isEqualNode(shell.firstElementChild)) {
            part.replaceWith(shell.firstElementChild);
            wire(document);
            keepPage();
          }
        }
      } catch { /* the line is down: the next round asks again */ }
    }
    refreshLater();
  }, Number(part.dataset.refresh) * 1000);
}

wire(document);
refreshLater();
for (const here of document.querySelectorAll("nav [aria-current]")) here.scrollIntoView({ block: "nearest", inline: "center" });
submitOnce();

// Without a line: the worker keeps the pages of open orders, and the page it shows instead of others leads to them.
async function outliveTheLine() {
  const scope = new URL(".", document.querySelector("link[rel='manifest']").href), { serviceWorker } = navigator;
  if (!serviceWorker) return; // a plain http address
  keepPage(); // the page a sent form led to has not passed the worker, nor has the first one
  await serviceWorker.register(`${scope}worker.js?lang=${document.documentElement.lang}`);
  const list = document.querySelector("[data-kept-orders]"), orders = list && await caches.open(`${scope} orders`);
  for (const order of orders ? await orders.keys() : []) {
    const text = await (await orders.match(order)).text(), link = document.createElement("a");
    link.href = order.url;
    link.textContent = new DOMParser().parseFromString(text, "text/html").title;
    list.appendChild(document.createElement("li")).append(link);
  }
}

// Let the worker keep this page as it is now, or drop it where the order is over.
function keepPage() {
  navigator.serviceWorker?.ready.then(({ active }) => active.postMessage(location.href));
}

outliveTheLine().catch(() => { /* a browser that keeps nothing for us */ });
