// What every page but the till shares. All of it is comfort: each page works without it.

for (const holder of document.querySelectorAll("[data-stepper]")) wireStepper(holder);
document.addEventListener("htmx:after:swap", () => {
  for (const holder of document.querySelectorAll("[data-stepper]")) wireStepper(holder);
});

function wireStepper(holder) {
  if (holder.dataset.wired) return;
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

// In a row that scrolls sideways the place one is at can be seen.
for (const here of document.querySelectorAll("nav [aria-current]")) here.scrollIntoView({ block: "nearest", inline: "center" });

// A refused form comes back where it is wrong, however long it is.
document.querySelector("main .field-error:not([hidden])")?.scrollIntoView({ block: "center" });

// A form is sent once: the second click of a double click finds it busy. Its command id guards the server anyway.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.getAttribute("aria-busy") === "true") { event.preventDefault(); return; }
  form.setAttribute("aria-busy", "true");
  setTimeout(() => form.removeAttribute("aria-busy"), 4000);
});
document.addEventListener("htmx:finally:request", (event) => event.target.closest?.("form")?.removeAttribute("aria-busy"));

// htmx sends our CSRF token with everything it posts.
document.addEventListener("htmx:config:request", (event) => {
  const token = document.querySelector('meta[name="csrf-token"]')?.content;
  const headers = event.detail?.ctx?.request?.headers ?? event.detail?.headers;
  if (token && headers) headers["X-CSRF-Token"] = token;
});

// A shop's own network has no certificate mostly, and there a browser offers no clipboard: the old way copies, too.
for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", async () => {
    let isCopied = true;
    try {
      await navigator.clipboard.writeText(button.dataset.copy);
    } catch {
      const text = document.createElement("textarea");
      text.value = button.dataset.copy;
      document.body.append(text);
      text.select();
      isCopied = document.execCommand("copy");
      text.remove();
      button.focus();
    }
    if (isCopied) button.querySelector("span").textContent = button.dataset.done;
  });
}
