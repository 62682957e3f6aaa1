// The camera beside a field that takes codes, in the back office: what it reads is sent as if it were scanned. Where
// scans are queued the camera stays; elsewhere the answer is a new page.

import { soundGood } from "../common/sound.js";

for (const button of document.querySelectorAll("[data-camera]")) {
  button.hidden = false;
  button.addEventListener("click", () => toggle(button));
}

let camera = null;

async function toggle(button) {
  const { form } = button, isQueued = "scanQueue" in form.dataset, host = document.getElementById(button.getAttribute("aria-controls"));
  if (camera?.isOpen) return camera.close();
  const { Camera } = await import("./camera.js");
  camera = new Camera(host, {
    counts: isQueued,
    onCode: (code) => {
      const times = form.elements.times?.value || "1";
      form.elements.code.value = code;
      soundGood();
      camera.tell(`+${times} ${code}`);
      if (!isQueued) camera.close();
      form.requestSubmit();
    },
    onClose: (hadFocus) => {
      button.setAttribute("aria-expanded", "false");
      if (hadFocus) button.focus();
    },
  });
  button.setAttribute("aria-expanded", "true");
  await camera.open();
  if (matchMedia("(max-width: 820px)").matches) host.scrollIntoView({ block: "start" }); // what was counted stands below
}
