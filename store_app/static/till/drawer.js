// Counting a drawer: the sum runs along, a number pad writes into the field that was touched last, Enter goes on.

const holder = document.querySelector("[data-counting]");
if (holder) wire(holder);

function wire(counting) {
  const fields = [...counting.querySelectorAll("[data-worth]")];
  const sum = counting.querySelector("[data-sum]"), pad = counting.querySelector("[data-count-pad]");
  const typed = counting.querySelector("#sum");
  const places = Number(counting.dataset.places || 2);
  const shown = new Intl.NumberFormat(document.documentElement.lang || "en", { minimumFractionDigits: places, maximumFractionDigits: places });
  const sign = sum.textContent.replace(/[\d.,\s]+/, "\u0000");
  let touched = fields[0], begun = true;

  const add = () => {
    const minor = fields.reduce((all, field) => all + Number(field.dataset.worth) * (Math.trunc(Number(field.value)) || 0), 0);
    sum.textContent = sign.replace("\u0000", shown.format(minor / 10 ** places));
    for (const field of fields) field.closest(".piece").classList.toggle("piece-there", Number(field.value) > 0);
  };
  const touch = (field) => {
    if (touched !== field) begun = true;
    touched = field;
    for (const other of fields) other.closest(".piece").classList.toggle("piece-now", other === field);
  };
  const onward = () => {
    const next = fields[fields.indexOf(touched) + 1];
    if (next) { next.focus(); next.select(); }
    return Boolean(next);
  };

  counting.querySelector("[data-sum-holder]").hidden = false;
  pad.hidden = false;
  counting.addEventListener("input", add);
  counting.addEventListener("change", add);
  counting.addEventListener("focusin", (event) => { if (event.target.dataset?.worth) { touch(event.target); event.target.select?.(); } });
  counting.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.dataset?.worth && onward()) event.preventDefault();
  });
  pad.addEventListener("mousedown", (event) => event.preventDefault()); // the field keeps the focus
  pad.addEventListener("click", (event) => {
    const digit = event.target.closest("[data-digit]")?.dataset.digit;
    if (!digit) return;
    if (digit === "next") { onward(); begun = true; return; }
    const before = begun ? "" : touched.value;
    touched.value = digit === "back" ? touched.value.slice(0, -1) : String(Number(before + digit)).slice(0, 4);
    begun = false;
    add();
  });
  typed?.addEventListener("input", () => { for (const field of fields) field.disabled = typed.value.trim() !== ""; });
  touch(fields[0]);
  add();
}
