// What every page but the till shares. All of it is comfort: each page works without it.

import { all, around, one } from "./dom.js";
import { submitOnce } from "./submit_once.js";
import { wireFinder } from "./find.js";
import { wireSteppers } from "./stepper.js";
import { csrfToken } from "./token.js";

wireSteppers(document);
document.addEventListener("htmx:after:swap", () => wireSteppers(document));
submitOnce();
wireFinder();

// In a row that scrolls sideways the place one is at can be seen.
for (const here of document.querySelectorAll("nav [aria-current]")) here.scrollIntoView({ block: "nearest", inline: "center" });

// A refused form comes back where it is wrong, however long it is.
document.querySelector("main .field-error:not([hidden])")?.scrollIntoView({ block: "center" });

document.addEventListener("htmx:finally:request", (event) => around(event, "form")?.removeAttribute("aria-busy"));

// htmx sends our CSRF token with everything it posts.
document.addEventListener("htmx:config:request", (event) => {
  const headers = event instanceof CustomEvent && (event.detail?.ctx?.request?.headers ?? event.detail?.headers);
  if (headers) headers["X-CSRF-Token"] = csrfToken();
});

// A store's own network has no certificate mostly, and there a browser offers no clipboard: the old way copies, too.
for (const button of all(document, "[data-copy]")) {
  button.addEventListener("click", async () => {
    const words = button.dataset.copy ?? "";
    let isCopied = true;
    try {
      await navigator.clipboard.writeText(words);
    } catch {
      const text = document.createElement("textarea");
      text.value = words;
      document.body.append(text);
      text.select();
      isCopied = document.execCommand("copy");
      text.remove();
      button.focus();
    }
    if (isCopied) one(button, "span").textContent = button.dataset.done ?? "";
  });
}
