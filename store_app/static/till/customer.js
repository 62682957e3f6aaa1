// The customer of a sale: found by name, number or card, put to the basket with points and tab; and coupons.

import { NoAnswer, ask } from "./api.js";
import { askWords } from "./dialogs.js";
import { el, field, icon, list, quiet } from "./dom.js";
import { standingText } from "./lines.js";
import { say, settings } from "./settings.js";
import { backButton, sheet } from "./sheet.js";

const SOON_MS = 120;

export class Customers {
  constructor(basket, view) {
    this.basket = basket;
    this.view = view;
  }

  open() {
    const asked = field("customer-search", say("customer-search"), { oninput: () => this.#soon(asked.input.value, rows) });
    const rows = list(say("customers"), say("customer-none"));
    const known = this.basket.customer;
    const online = known && settings.may.includes("customers") ? el("section.stack", { "aria-label": say("online-prices") }) : null;
    this.first = null;
    sheet.open({
      title: say("customer"), focus: asked.input, wide: true,
      body: [known && el("p.note.note-info", {}, icon("user"), el("span", {}, `${known.name} · ${standingText(known)}`)), online, asked.root, rows.root],
      foot: [backButton(), known ? quiet(say("customer-off"), () => { this.basket.attach(null); sheet.close(); }, "x-mark") : null,
        known ? el("a.btn.btn-quiet.btn-lg", { href: `${settings.urls.customers_all}${encodeURIComponent(known.id)}` }, icon("banknotes"), el("span", {}, say("pay-off-tab"))) : null,
        !known && settings.may.includes("customers") ? el("a.btn.btn-quiet.btn-lg", { href: settings.urls.customers_page }, icon("user-plus"), el("span", {}, say("customer-new"))) : null],
      onEnter: () => this.first && this.#attach(this.first),
      onScan: (code) => { asked.input.value = code; this.#find(code, rows, true); },
    });
    if (online) this.#online(online, () => ask("GET", this.#address(known.id)));
  }

  #address(id) { return `${settings.urls.customers}/${encodeURIComponent(id)}`; }

  /** Show whether the customer has the member prices online, in the words agreed to; or what to ask for it. */
  async #online(root, answer, done = null) {
    try {
      const { customer, online } = await answer();
      const phone = !online.since && !online.phone_end ? field("online-phone", say("online-phone"), { type: "tel", inputmode: "tel", maxlength: "30" }) : null;
      const put = (given) => this.#online(root, () => ask("POST", `${this.#address(customer.id)}/online`, { given, phone: phone?.input.value ?? "" }), say(given ? "online-noted" : "online-ended"));
      const day = online.since && new Date(`${online.since}T12:00`).toLocaleDateString(settings.language, { dateStyle: "long" });
      root.replaceChildren(el("b", {}, say("online-prices")), el("p.m-0", {}, say(online.since ? "online-since" : "online-ask", { day })),
        el("blockquote.asked", { lang: online.language }, online.asked), ...(phone ? [phone.root] : []),
        online.since ? quiet(say("online-take-back"), () => put(false), "x-mark") : quiet(say("online-agree"), () => put(true), "check-circle"));
      if (done) sheet.tell(done);
    } catch (fault) { sheet.complain(fault instanceof NoAnswer ? say("no-answer") : fault.message); }
  }

  #soon(text, rows) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#find(text, rows), SOON_MS);
  }

  async #find(text, rows, scanned = false) {
    if (!text.trim()) { this.first = null; return rows.fill([]); }
    const n = this.n = (this.n ?? 0) + 1;
    try {
      const { customers } = await ask("GET", `${settings.urls.customers}?q=${encodeURIComponent(text.trim())}`);
      if (n !== this.n) return;
      sheet.quieten();
      this.first = customers[0] ?? null;
      if (scanned && customers.length === 1) return this.#attach(customers[0]);
      rows.fill(customers.map((found) => el("li", {}, el("button.row-button", { onclick: () => this.#attach(found) }, icon("user"),
        el("span.row-main", {}, el("b", {}, found.name), el("span.muted", {}, [found.phone_end && say("phone-end", { end: found.phone_end }), found.member && say("member")].filter(Boolean).join(" · "))),
        el("span.muted.figures", {}, standingText(found))))));
    } catch (fault) {
      if (n === this.n) sheet.complain(fault instanceof NoAnswer ? say("no-answer") : fault.message);
    }
  }

  async #attach(found) {
    try {
      const standing = await ask("GET", this.#address(found.id));
      this.basket.attach({ ...found, ...(standing.customer ?? {}), ...(standing.standing ?? standing), id: found.id });
      sheet.close();
    } catch (fault) { sheet.complain(fault instanceof NoAnswer ? say("no-answer") : fault.message); }
  }

  /** Coupons: one code after another; what the basket has is listed and can be taken out. */
  coupons() {
    const chips = el("div.choices");
    const add = (code) => {
      this.basket.setCoupons([...this.basket.coupons, code.toUpperCase()]);
      sheet.close();
    };
    const fill = () => chips.replaceChildren(...this.basket.coupons.map((code) => el("button.attached", {
      "aria-label": say("coupon-off", { code }),
      onclick: () => { this.basket.setCoupons(this.basket.coupons.filter((other) => other !== code)); fill(); },
    }, icon("ticket"), el("b", {}, code), icon("x-mark"))));
    askWords({ title: say("coupon"), label: say("coupon-code"), longest: 40, allowEmpty: false, onWords: (code) => { add(code); }, onScan: add });
    fill();
    document.getElementById("sheet-body").append(chips);
  }

  saleNote() {
    askWords({ title: say("sale-note"), lead: say("sale-note-lead"), label: say("note-words"), value: this.basket.note, onWords: (words) => { this.basket.setNote(words); } });
  }
}
