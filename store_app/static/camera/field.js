// The camera beside a field that takes codes, in the back office: what it reads is sent as if it were scanned. Where
// scans are queued the camera stays; elsewhere the answer is a new page.

import { all, byId, fieldOf } from "../common/dom.js";
import { soundGood } from "../common/sound.js";

for (const button of all(document, "[data-camera]", HTMLButtonElement)) {
  button.hidden = false;
  button.addEventListener("click", () => toggle(button));
}

/** @type {import("./camera.js").Camera | null} */
let camera = null;

/** @param {HTMLButtonElement} button */
async function toggle(button) {
  const { form } = button, host = byId(button.getAttribute("aria-controls") ?? "");
  if (camera?.isOpen) return camera.close();
  if (!form) return;
  const isQueued = "scanQueue" in form.dataset;
  const { Camera } = await import("./camera.js");
  const opened = camera = new Camera(host, {
    counts: isQueued,
    onCode: (code) => {
      const times = (form.elements.namedItem("times") && fieldOf(form, "times").value) || "1";
      fieldOf(form, "code").value = code;
      soundGood();
      opened.tell(`+${times} ${code}`);
      if (!isQueued) opened.close();
      form.requestSubmit();
    },
    onClose: (hadFocus) => {
      button.setAttribute("aria-expanded", "false");
      if (hadFocus) button.focus();
    },
  });
  button.setAttribute("aria-expanded", "true");
  await opened.open();
  if (matchMedia("(max-width: 820px)").matches) host.scrollIntoView({ block: "start" }); // what was counted stands below
}
