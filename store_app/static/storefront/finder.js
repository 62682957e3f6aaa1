// Stores by distance: asked for by a tap, reckoned here, and sent nowhere.

import { all, maybe, one } from "../common/dom.js";

const EARTH_KM = 6371, KM_A_MILE = 1.609344;

/** @param {number} degrees */
const rad = (degrees) => degrees * Math.PI / 180;

/**
 * @param {GeolocationCoordinates} here
 * @param {HTMLElement} place
 */
function kmTo(here, place) {
  const lat = rad(Number(place.dataset.lat) / 1e6), from = rad(here.latitude);
  const east = rad(Number(place.dataset.lon) / 1e6 - here.longitude);
  const arc = Math.sin((lat - from) / 2) ** 2 + Math.cos(from) * Math.cos(lat) * Math.sin(east / 2) ** 2;
  return 2 * EARTH_KM * Math.asin(Math.min(1, Math.sqrt(arc)));
}

/** @param {number} km */
function written(km) {
  const { lang } = document.documentElement, inMiles = lang === "en-US";
  const unit = inMiles ? "mile" : "kilometer";
  return new Intl.NumberFormat(lang, { style: "unit", unit, maximumFractionDigits: 1 }).format(inMiles ? km / KM_A_MILE : km);
}

/** @param {GeolocationPosition} position */
function sort({ coords }) {
  const list = one(document, ".found-stores"), places = all(list, "[data-lat]");
  const away = new Map(places.map((place) => [place, kmTo(coords, place)]));
  for (const [place, km] of away) one(place, "[data-away]").textContent = written(km);
  list.prepend(...places.sort((a, b) => (away.get(a) ?? 0) - (away.get(b) ?? 0)));
}

const nearest = maybe(document, "[data-nearest]");
if (nearest && "geolocation" in navigator && document.querySelector("[data-lat]")) {
  nearest.hidden = false;
  nearest.addEventListener("click", () => {
    const failed = () => { one(document, "[data-no-place]").hidden = false; };
    navigator.geolocation.getCurrentPosition(sort, failed, { maximumAge: 60_000, timeout: 15_000 });
  });
}
