// A shopping list answered in place: without a script the page comes anew.

import { around, fieldOf, maybe, one } from "./dom.js";

document.addEventListener("submit", async (event) => {
  const form = around(event, "form[data-list]", HTMLFormElement);
  if (!form) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const list = one(form, "textarea", HTMLTextAreaElement), isTooLong = list.value.length > Number(form.dataset.most);
  one(form, "[data-too-long]").hidden = !isTooLong;
  if (isTooLong || form.getAttribute("aria-busy") === "true") return;
  form.setAttribute("aria-busy", "true");
  const body = new URLSearchParams({ csrf_token: fieldOf(form, "csrf_token").value, list: list.value });
  try {
    const answer = await fetch(form.action, { method: "POST", body });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of ["[data-fault]", "[data-answer]"]) one(document, part).replaceChildren(...one(page, part).childNodes);
    maybe(document, "#found-title")?.focus();
  } catch { // another page came, or none: it is sent as without a script
    form.submit();
  } finally {
    form.removeAttribute("aria-busy");
  }
}, true);
