// The customer of a sale: found by name, number or card, put to the basket with points and tab; and coupons.

import { ask, sentence } from "./api.js";
import { askWords } from "./dialogs.js";
import { el, field, icon, list, quiet } from "./dom.js";
import { standingText } from "./lines.js";
import { $, say, settings } from "./settings.js";
import { backButton, sheet } from "./sheet.js";

const SOON_MS = 120;

export class Customers {
  timer = 0;
  n = 0;
  /** @type {Customer | null} */
  first = null;

  /** @param {import("./basket.js").Basket} basket */
  constructor(basket) {
    this.basket = basket;
  }

  open() {
    const asked = field("customer-search", say("customer-search"), { oninput: () => this.#soon(asked.input.value, rows) });
    const rows = list(say("customers"), say("customer-none"));
    const known = this.basket.customer;
    const confirm = known?.points_to_confirm ? el("section.stack", { "aria-label": known.points_name }) : null;
    const online = known && settings.may.includes("customers") ? el("section.stack", { "aria-label": say("online-prices") }) : null;
    this.first = null;
    sheet.open({
      title: say("customer"), focus: asked.input, wide: true,
      body: [known && el("p.note.note-info", {}, icon("user"), el("span", {}, `${known.name} · ${standingText(known)}`)), confirm, online, asked.root, rows.root],
      foot: [backButton(), known ? quiet(say("customer-off"), () => { this.basket.attach(null); sheet.close(); }, "x-mark") : null,
        known ? el("a.btn.btn-quiet.btn-lg", { href: `${settings.urls.customers_all}${encodeURIComponent(known.id)}` }, icon("banknotes"), el("span", {}, say("pay-off-tab"))) : null,
        !known && settings.may.includes("customers") ? el("a.btn.btn-quiet.btn-lg", { href: settings.urls.customers_page }, icon("user-plus"), el("span", {}, say("customer-new"))) : null],
      onEnter: () => this.first && this.#attach(this.first),
      onScan: (code) => { asked.input.value = code; this.#find(code, rows, true); },
    });
    this.#find("", rows);
    if (known && confirm) this.#confirm(confirm, known);
    if (known && online) this.#online(online, () => ask("GET", this.#address(known.id)));
  }

  /** @param {string} id */
  #address(id) { return `${settings.urls.customers}/${encodeURIComponent(id)}`; }

  /**
   * Show whether the customer has the member prices online, in the words agreed to; or what to ask for it.
   * @param {HTMLElement} root
   * @param {() => Promise<{ customer: Customer, online: { since?: string, phone_end?: string, language: string, asked: string } }>} answer
   * @param {string | null} [done]
   */
  async #online(root, answer, done = null) {
    try {
      const { customer, online } = await answer();
      const phone = !online.since && !online.phone_end ? field("online-phone", say("online-phone"), { type: "tel", inputmode: "tel", maxlength: "30" }) : null;
      const put = (/** @type {boolean} */ given) => this.#online(root, () => ask("POST", `${this.#address(customer.id)}/online`, { given, phone: phone?.input.value ?? "" }), say(given ? "online-noted" : "online-ended"));
      const day = online.since && new Date(`${online.since}T12:00`).toLocaleDateString(settings.language, { dateStyle: "long" });
      root.replaceChildren(el("b", {}, say("online-prices")), el("p.m-0", {}, say(online.since ? "online-since" : "online-ask", { day })),
        el("blockquote.asked", { lang: online.language }, online.asked), ...(phone ? [phone.root] : []),
        online.since ? quiet(say("online-take-back"), () => put(false), "x-mark") : quiet(say("online-agree"), () => put(true), "check-circle"));
      if (done) sheet.tell(done);
    } catch (fault) { sheet.complain(sentence(fault)); }
  }

  /**
   * Let a customer confirm the phone by a code, once here: before that the network's points cannot be redeemed.
   * @param {HTMLElement} root
   * @param {Customer} known
   */
  #confirm(root, known) {
    const address = `${this.#address(known.id)}/points`, name = known.points_name;
    const asked = async (/** @type {string} */ path, /** @type {object} */ body) => {
      sheet.quieten();
      try { return await ask("POST", `${address}/${path}`, body); }
      catch (fault) { sheet.complain(sentence(fault)); return null; }
    };
    const code = field("points-code", say("points-code"), { inputmode: "numeric", autocomplete: "off", maxlength: "12" });
    const finish = async () => {
      const standing = await asked("consent", { code: code.input.value });
      if (!standing) return code.input.select();
      this.basket.attach({ ...known, ...standing.customer, ...standing.standing, id: known.id });
      root.replaceChildren(el("p.note.note-good", { role: "status" }, icon("check-circle"), el("span", {}, say("points-confirmed", { n: standing.standing.points, name }))));
    };
    code.input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      event.stopPropagation();
      finish();
    });
    const send = async () => {
      const sent = await asked("code", {});
      if (!sent) return;
      lead.textContent = say("points-sent", { end: sent.phone_end }) + (sent.practised ? ` ${say("points-practised", { code: sent.practised })}` : "");
      acts.replaceChildren(code.root, el("button.btn.btn-go.btn-lg", { onclick: finish }, say("points-confirm")), quiet(say("points-send-again"), send, "arrow-path"));
      code.input.value = "";
      code.input.focus();
    };
    const lead = el("p.m-0", { role: "status" }, say("points-confirm-lead", { name })), acts = el("div.stack", {}, quiet(say("points-send"), send, "paper-airplane"));
    root.replaceChildren(el("b", {}, say("points-confirm-title", { name })), lead, acts);
  }

  /**
   * @param {string} text
   * @param {ReturnType<typeof list>} rows
   */
  #soon(text, rows) {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.#find(text, rows), SOON_MS);
  }

  /**
   * @param {string} text
   * @param {ReturnType<typeof list>} rows
   * @param {boolean} [scanned]
   */
  async #find(text, rows, scanned = false) {
    const n = this.n += 1;
    try {
      /** @type {{ customers: Customer[] }} */
      const { customers } = await ask("GET", `${settings.urls.customers}?q=${encodeURIComponent(text.trim())}`);
      if (n !== this.n) return;
      sheet.quieten();
      this.first = text.trim() ? customers[0] ?? null : null;
      if (scanned && this.first && customers.length === 1) return this.#attach(this.first);
      rows.fill(customers.map((found) => el("li", {}, el("button.row-button", { onclick: () => this.#attach(found) }, icon("user"),
        el("span.row-main", {}, el("b", {}, found.name), el("span.muted", {}, [found.phone_end && say("phone-end", { end: found.phone_end }), found.member && say("member")].filter(Boolean).join(" · "))),
        el("span.muted.figures", {}, standingText(found))))));
      if (!text.trim()) rows.none.hidden = true; // nothing was looked for yet
    } catch (fault) {
      if (n === this.n) sheet.complain(sentence(fault));
    }
  }

  /** @param {Customer} found */
  async #attach(found) {
    try {
      const standing = await ask("GET", this.#address(found.id));
      this.basket.attach({ ...found, ...(standing.customer ?? {}), ...(standing.standing ?? standing), id: found.id });
      sheet.close();
    } catch (fault) { sheet.complain(sentence(fault)); }
  }

  /** Coupons: one code after another; what the basket has is listed and can be taken out. */
  coupons() {
    const chips = el("div.choices");
    const add = (/** @type {string} */ code) => {
      this.basket.setCoupons([...this.basket.coupons, code.toUpperCase()]);
      sheet.close();
    };
    const fill = () => chips.replaceChildren(...this.basket.coupons.map((code) => el("button.attached", {
      "aria-label": say("coupon-off", { code }),
      onclick: () => { this.basket.setCoupons(this.basket.coupons.filter((other) => other !== code)); fill(); },
    }, icon("ticket"), el("b", {}, code), icon("x-mark"))));
    askWords({ title: say("coupon"), label: say("coupon-code"), longest: 40, allowEmpty: false, onWords: (code) => { add(code); }, onScan: add });
    fill();
    $("sheet-body").append(chips);
  }

  saleNote() {
    askWords({ title: say("sale-note"), lead: say("sale-note-lead"), label: say("note-words"), value: this.basket.note, onWords: (words) => { this.basket.setNote(words); } });
  }
}
