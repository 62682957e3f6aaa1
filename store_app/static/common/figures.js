// Draws the charts of a page, again when a part of it was swapped.

import { drawAll } from "./charts.js";

drawAll();
document.addEventListener("htmx:after:swap", drawAll);
