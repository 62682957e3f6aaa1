// Three questions that stand before everything else: how many, how old, and which keys there are.

import { eachText } from "./view.js";
import { Pad } from "./pad.js";
import { $, say, settings } from "./settings.js";

/** Ask for a number with its own pad; `onNumber` is given it and may answer with a sentence of refusal. */
export class NumberQuestion {
  constructor() {
    this.pad = new Pad($("number-pad"), (text) => {
      $("number-shown").textContent = `${text || "0"}${this.unit}`;
      $("number-fault").textContent = "";
    });
    this.unit = "";
    $("number-ok").addEventListener("click", () => this.#finish());
    $("number-cancel").addEventListener("click", () => $("number").close());
    $("number").addEventListener("keydown", (event) => {
      if (event.key === "Enter" && event.target !== $("number-cancel")) {
        event.preventDefault();
        this.#finish();
      } else if (this.pad.keyed(event)) event.stopPropagation();
    });
  }

  ask(product, onNumber) {
    const weighed = product.stock_unit !== "each";
    this.unit = weighed ? ` ${say(product.stock_unit)}` : "";
    this.onNumber = onNumber;
    $("number-title").textContent = say({ gram: "grams-title", millilitre: "millilitres-title" }[product.stock_unit] ?? "quantity-title");
    $("number-hint").textContent = say(weighed ? "grams-hint" : "quantity-hint", { name: product.name, price: eachText(product) });
    this.pad.clear();
    $("number").showModal();
  }

  get isOpen() { return $("number").open; }

  #finish() {
    const number = Number(this.pad.text);
    const fault = number > 0 ? this.onNumber(number) : say("number-needed");
    if (fault) $("number-fault").textContent = fault;
    else $("number").close();
  }
}

/** Ask once whether the customer is old enough for the strictest product of the basket. */
export function askAge(age, products, onAnswer) {
  const born = new Date();
  born.setFullYear(born.getFullYear() - age);
  const day = born.toLocaleDateString(settings.language, { year: "numeric", month: "long", day: "numeric" });
  $("age-title").textContent = say("age-title", { age });
  $("age-words").textContent = say("age-words", { day });
  $("age-yes").textContent = say("age-yes", { age });
  $("age-products").replaceChildren(...products.map((product) => {
    const line = document.createElement("li");
    line.textContent = product.name;
    return line;
  }));
  $("age-yes").onclick = () => { $("age").close(); onAnswer(true); };
  $("age-no").onclick = () => { $("age").close(); onAnswer(false); };
  $("age").showModal();
}
