// A button that lets the device say where it is, into the latitude and longitude of its form. Without it they are typed.

for (const button of document.querySelectorAll("[data-position]")) {
  const form = button.closest("form");
  button.hidden = !("geolocation" in navigator);
  button.addEventListener("click", () => {
    button.disabled = true;
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        form.elements.lat.value = coords.latitude.toFixed(5);
        form.elements.lon.value = coords.longitude.toFixed(5);
        button.disabled = false;
        button.dataset.done = "1";
        const place = form.elements.place;
        if (place) place.value = "";
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
