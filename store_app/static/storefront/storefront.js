// The customer's store: steppers, forms sent once, an order's page that looks by itself. Every page works without it.

import { all, around, byId, fieldOf, maybe, one } from "../common/dom.js";
import { wireSteppers } from "../common/stepper.js";
import { submitOnce } from "../common/submit_once.js";

/** @param {ParentNode} root */
function wire(root) {
  wireSteppers(root);
  for (const button of all(root, "[data-by-itself]")) button.hidden = true;
}

// The basket: a changed quantity is kept by itself a moment later, and nothing is ordered before it is.
const MOMENT_MS = 500, LINE = ".cart-change form:has(input[type='number'])";
let moment = 0;
/** @type {Promise<boolean> | null} */
let keeping = null;

function changedLines() {
  return all(document, LINE, HTMLFormElement).filter((form) => {
    const steps = fieldOf(form, "steps");
    return steps.value !== steps.defaultValue;
  });
}

// Gives true once every changed line is kept and the page shows it.
function keepLines() {
  clearTimeout(moment);
  keeping ??= sendLines().finally(() => { keeping = null; });
  return keeping;
}

async function sendLines() {
  try {
    /** @type {Response | null} */
    let answer = null;
    for (let [line] = changedLines(); line && (!answer || answer.ok); [line] = changedLines()) {
      const body = new URLSearchParams();
      for (const [name, value] of new FormData(line)) body.append(name, String(value));
      answer = await fetch(line.action, { method: "POST", body });
      fieldOf(line, "steps").defaultValue = body.get("steps") ?? "";
    }
    if (answer) showBasket(await answer.text());
    return !answer || answer.ok;
  } catch { // the line is down: the field stays as it is, and the page says that it is not kept
    byId("not-kept").hidden = false;
    return false;
  }
}

/**
 * Show a basket's page again: what hangs on the total; the form with what was typed into it stays, and so does the place
 * of the eye.
 * @param {string} text
 */
function showBasket(text) {
  const page = one(document, "main"), next = one(new DOMParser().parseFromString(text, "text/html"), "main");
  const inUse = () => all(page, "button, input, select");
  const at = inUse().findIndex((part) => part === document.activeElement);
  const form = maybe(page, "#order"), fresh = maybe(next, "#order");
  if (form && fresh) {
    for (const part of all(fresh, "[data-fresh]")) {
      const old = one(form, `[data-fresh="${part.dataset.fresh}"]`);
      if (part instanceof HTMLSelectElement && old instanceof HTMLSelectElement && part.querySelector(`[value="${CSS.escape(old.value)}"]`)) part.value = old.value;
      if (part instanceof HTMLInputElement && old instanceof HTMLInputElement && part.type === "radio") {
        old.disabled = part.disabled;
        old.checked &&= !part.disabled;
      } else old.replaceWith(part);
    }
    fresh.replaceWith(form);
  }
  page.replaceChildren(...next.childNodes);
  wire(page);
  inUse()[at]?.focus({ preventScroll: true });
}

document.addEventListener("change", (event) => {
  if (!around(event, LINE)) return;
  clearTimeout(moment);
  moment = setTimeout(keepLines, MOMENT_MS);
});
document.addEventListener("submit", (event) => {
  const form = around(event, "form", HTMLFormElement), orders = form?.id === "order";
  if (!form || !form.matches(LINE) && !(orders && (keeping || changedLines().length))) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const total = () => fieldOf(form, "shown_total").value, shown = orders && total();
  keepLines().then((kept) => {
    if (!orders || !kept || !form.isConnected) return;
    if (total() === shown) form.requestSubmit();
    else byId("look-again").hidden = false; // another total than the one on the screen is said first
  });
});

// The order's page asks again until the order is over; what somebody is typing is left alone.
function refreshLater() {
  const part = maybe(document, "[data-refresh]");
  if (!part) return;
  setTimeout(async () => {
    const open = part.querySelector("details[open], input:focus");
    if (!open && document.visibilityState === "visible") {
      try {
        const answer = await fetch(location.pathname, { headers: { "HX-Request": "true" } });
        if (answer.ok) {
          const shell = document.createElement("div");
          shell.innerHTML = await answer.text();
          const fresh = shell.firstElementChild;
          if (fresh && !part.isEqualNode(fresh)) {
            part.replaceWith(fresh);
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
  const scope = new URL(".", one(document, "link[rel='manifest']", HTMLLinkElement).href), { serviceWorker } = navigator;
  if (!serviceWorker) return; // a plain http address
  keepPage(); // the page a sent form led to has not passed the worker, nor has the first one
  await serviceWorker.register(`${scope}worker.js?lang=${document.documentElement.lang}`);
  const list = maybe(document, "[data-kept-orders]");
  if (!list) return;
  const orders = await caches.open(`${scope} orders`);
  for (const order of await orders.keys()) {
    const text = await (await orders.match(order))?.text() ?? "", link = document.createElement("a");
    link.href = order.url;
    link.textContent = new DOMParser().parseFromString(text, "text/html").title;
    list.appendChild(document.createElement("li")).append(link);
  }
}

// Let the worker keep this page as it is now, or drop it where the order is over.
function keepPage() {
  navigator.serviceWorker?.ready.then(({ active }) => active?.postMessage(location.href));
}

outliveTheLine().catch(() => { /* a browser that keeps nothing for us */ });
