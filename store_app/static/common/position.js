// A button that lets the device say where it is, into the latitude and longitude of its form. Without it they are typed.

import { all, fieldOf } from "./dom.js";

for (const button of all(document, "[data-position]", HTMLButtonElement)) {
  const { form } = button;
  if (!form) continue;
  button.hidden = !("geolocation" in navigator);
  button.addEventListener("click", () => {
    button.disabled = true;
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        fieldOf(form, "lat").value = coords.latitude.toFixed(5);
        fieldOf(form, "lon").value = coords.longitude.toFixed(5);
        button.disabled = false;
        button.dataset.done = "1";
        const place = form.elements.namedItem("place");
        if (place instanceof HTMLSelectElement || place instanceof HTMLInputElement) place.value = "";
        if (button.dataset.told) button.textContent = button.dataset.told;
      },
      () => {
        button.disabled = false;
        if (button.dataset.failed) button.textContent = button.dataset.failed;
      },
      { timeout: 15000, maximumAge: 60000, enableHighAccuracy: true },
    );
  });
}
