"""The receipt, the till report and the pickup slips: documents laid out as lines of paper.

Rules
-----
1. A layout reads its document alone: the frozen snapshot, never the database, so a reprint in ten years is the
   receipt of today with a copy mark.
2. Figures stand in one column at the right; the total is the biggest thing on the paper after the shop's name.
3. Prices without tax (United States) are shown as on the shelf, then subtotal, tax and total; prices with tax
   are shown as paid. Which it is follows from the lines themselves.
4. A pickup slip shows what the shop needs to find a bag, and a square code that opens the order at the counter; the
   collection code is the customer's and is never on it.

Money comes in minor units of the shop's currency; columns are 32, 42 or 48.
"""

from collections.abc import Callable, Sequence
from typing import Any, Literal

from config.money import BASIS, amount_for, exponent
from pos import e_receipt
from pos.paper import BLANK, CUT, DOUBLE_RULE, RULE, PaperLine, centred, indented, pair, table, tidy, width, wrap
from pos.paper_words import WORDS, reason_word

Language = Literal["en", "zh"]
SIGNS = {"USD": "$", "GBP": "£", "EUR": "€", "CNY": "¥", "JPY": "¥", "CAD": "$", "AUD": "$", "HKD": "HK$", "SGD": "S$"}
UNITS = {"gram": ("kg", 1000), "millilitre": ("l", 1000)}


def language_of(document: dict[str, Any]) -> str:
    """Return the language a document is printed in: its own, else its store's, else English."""
    wanted = document.get("language") or document.get("store", {}).get("language") or "en"
    return "zh" if str(wanted).lower().startswith("zh") else "en"


def amount(minor: int, currency: str) -> str:
    """Return an amount as figures alone, `-1,234.50`."""
    places = exponent(currency)
    whole, part = divmod(abs(minor), 10**places)
    return f"{'-' if minor < 0 else ''}{whole:,}" + (f".{part:0{places}d}" if places else "")


def _seen(minor: int | None, currency: str) -> str:
    return "" if minor is None else amount(minor, currency)  # None: it is kept from the reader


def price(minor: int, currency: str) -> str:
    """Return an amount with its sign, `£13.12`, or its code where no printer has the sign, `KRW 1,200`."""
    sign = SIGNS.get(currency, f"{currency} ")
    return f"{'-' if minor < 0 else ''}{sign}{amount(abs(minor), currency)}"


def quantity(qty: int, stock_unit: str) -> str:
    """Return a quantity as a customer reads it: `3`, `0.482 kg`, `1.5 l`."""
    if stock_unit not in UNITS:
        return f"{qty:,}"
    unit, per = UNITS[stock_unit]
    whole, part = divmod(abs(qty), per)
    figures = f"{whole:,}.{part:03d}".rstrip("0").rstrip(".")
    return f"{'-' if qty < 0 else ''}{figures} {unit}"


def unit_price(minor: int, price_quantity: int, stock_unit: str, currency: str) -> str:
    """Return the price of one of what it is sold by: `1.20`, `3.99/kg`, `0.45/100 g`."""
    figures = amount(minor, currency)
    if stock_unit in UNITS:
        unit, per = UNITS[stock_unit]
        return f"{figures}/{unit}" if price_quantity == per else f"{figures}/{price_quantity} {stock_unit}"
    return figures if price_quantity == 1 else f"{figures}/{price_quantity}"


def layout(document: dict[str, Any], *, columns: int, language: str = "en", copy_no: int = 0) -> list[PaperLine]:
    """Lay out the receipt of a completed sale or return (the body of the fact sale.completed)."""
    words, currency = WORDS[language], document["store"]["currency"]
    letters = _letters(document["taxes"])
    shown = [_shown_minor(line) for line in document["lines"]]
    untaxed = sum(shown) != sum(line["total_minor"] for line in document["lines"])
    lines = [*shop_head(document["store"], columns), *copy_mark(copy_no, words, columns)]
    if document.get("kind") in ("return", "exchange"):
        word = words["refund" if document["kind"] == "return" else "exchange"]
        lines += centred(word, columns, bold=True, wide=2, tall=2)
        if document.get("returns_receipt_no"):
            lines += centred(f"{words['of_receipt']} {document['returns_receipt_no']:06d}", columns)
        lines.append(BLANK)
    lines += [*_about(document, words, columns), RULE]
    for line, shown_minor in zip(document["lines"], shown, strict=True):
        letter = letters.get((line["tax_class_id"], line["rate_bp"]), " ")
        lines += _bought(line, shown_minor, letter if letters else "", words, currency, columns)
    lines += _sums(document, sum(shown), untaxed, words, columns)
    if document["taxes"]:
        lines.append(RULE)
        lines += _tax_table(document["taxes"], letters, words, currency, columns)
    lines += [
        *_issued(document, words, columns, bool(copy_no) and not document.get("whole")),
        *_farewell(document, words, columns),
    ]
    if online := e_receipt.address(document):
        lines += [BLANK, PaperLine(online, align="center", kind="qr"), *centred(words["online"], columns)]
    if copy_no:
        lines += [BLANK, *copy_mark(copy_no, words, columns)]
    return [*lines, CUT]


def pickup_slip(document: dict[str, Any], *, columns: int, language: str = "en", copy_no: int = 0) -> list[PaperLine]:
    """Lay out the picking slip of an order (rule 4).

    document: store, order_no, customer_name, lines[{name, qty, stock_unit, note?}], ready_by, hold_until, bin,
    total_minor, paid (bool); order_id; all but the first four may be missing.
    """
    words = WORDS[language]
    lines = [
        *centred(words["pickup"], columns, bold=True),
        *centred(str(document["order_no"]), columns, bold=True, wide=3, tall=3),
        *centred(first_name(document.get("customer_name", "")), columns, wide=2, tall=2),
        *copy_mark(copy_no, words, columns),
        RULE,
    ]
    for name in ("ready_by", "hold_until", "bin"):
        if document.get(name):
            lines += pair(words[name], str(document[name]), columns, bold=name == "bin")
    lines.append(RULE if lines[-1] != RULE else BLANK)
    for line in document["lines"]:
        lines += pair(f"[ ] {quantity(line['qty'], line['stock_unit'])} x {line['name']}", "", columns, bold=True)
        if line.get("note"):
            lines += indented(line["note"], "", columns)
    if "total_minor" in document:
        lines.append(RULE)
        word = words["paid" if document.get("paid") else "to_pay"]
        lines += pair(word, price(document["total_minor"], document["store"]["currency"]), columns, bold=True)
    return [*lines, *_order_code(document), BLANK, CUT]


def bin_label(document: dict[str, Any], *, columns: int, language: str = "en", copy_no: int = 0) -> list[PaperLine]:
    """Lay out the label of a bag that waits: the order number as large as it fits, and a first name (rule 4)."""
    words = WORDS[language]
    number = tidy(str(document["order_no"]))
    big = max(1, min(8, columns // max(1, len(number))))
    lines = [
        *centred(words["bag"], columns, bold=True),
        *centred(number, columns, bold=True, wide=big, tall=big),
        *centred(first_name(document.get("customer_name", "")), columns, bold=True, wide=2, tall=2),
    ]
    lines += copy_mark(copy_no, words, columns)
    if document.get("hold_until"):
        lines += centred(f"{words['hold_until']} {document['hold_until']}", columns)
    if document.get("bin"):
        lines += centred(f"{words['bin']} {document['bin']}", columns, wide=2, tall=2)
    return [*lines, *_order_code(document), CUT]


def till_report(document: dict[str, Any], *, columns: int, language: str = "en", copy_no: int = 0) -> list[PaperLine]:
    """Lay out an X report (z_no is None) or the Z report of a closed shift.

    document: store, till_name, z_no, business_day, opened_by, opened_at, closed_at (local texts), sales_count,
    sales_minor, returns_count, returns_minor, total_minor, tenders {tender: minor}, taxes [as on a receipt],
    cash {kind of movement: minor}, expected_minor, counted_minor, over_short_minor, late_count. Expected, counted
    and over/short are left out while they are None: counting is blind. What `totals.figures` and `shift_report` add
    is printed where it is there and not nought.
    """
    words, currency = WORDS[language], document["store"]["currency"]
    z_no = document.get("z_no")
    lines = shop_head(document["store"], columns, logo=False)
    lines += centred(words["x"] if z_no is None else f"{words['z']} {z_no}", columns, bold=True, wide=2, tall=2)
    lines += copy_mark(copy_no, words, columns)
    lines += pair(words["day"], str(document["business_day"]), columns)
    for word, name in (("by", "opened_by"), ("opened", "opened_at"), ("closed", "closed_at")):
        if document.get(name):
            lines += pair(words[word], str(document[name]), columns)
    if document.get("held_by", document["opened_by"]) != document["opened_by"]:
        lines += pair(words["held_by"], str(document["held_by"]), columns)
    lines += [*pair(document["till_name"], "", columns), RULE]
    lines += _takings(document, words, currency, columns)
    lines += [*_within(document, words, currency, columns), BLANK, PaperLine(words["tenders"], bold=True)]
    for tender, minor in document.get("tenders", {}).items():
        lines += indented(words.get(tender, tender), amount(minor, currency), columns)
    if taxes := document.get("taxes"):
        lines += [RULE, *_tax_table(taxes, _letters(taxes), words, currency, columns)]
    lines += [RULE, PaperLine(words["drawer"], bold=True), *_drawer(document, words, currency, columns)]
    if document.get("late_count"):
        late = f"{words['late']} ({document['late_count']})"
        lines += pair(late, amount(document.get("late_minor", 0), currency), columns)
    lines += [*_at_the_till(document, words, currency, columns), *_proof(document, words, currency, columns)]
    if z_no is not None:
        lines += [BLANK, BLANK, PaperLine(f"{words['signature']} " + "." * (columns - 12)), BLANK]
    return [*lines, CUT]


def gift_receipt(document: dict[str, Any], *, columns: int, language: str = "en", copy_no: int = 0) -> list[PaperLine]:
    """Lay out what goes with a present: no price; the id of the document (as `layout`) is the code to bring it back."""
    words = WORDS[language]
    lines = [*shop_head(document["store"], columns), *copy_mark(copy_no, words, columns)]
    lines += [*centred(words["gift"], columns, bold=True, wide=2, tall=2), BLANK]
    lines += [*pair(f"{words['receipt']} {document['receipt_no']:06d}", document["local_time"], columns), RULE]
    for line in document["lines"]:
        if line["qty"] > 0 and line.get("kind", "goods") != "deposit":
            lines += pair(f"{quantity(line['qty'], line['stock_unit'])} x {line['name']}", "", columns)
    lines += [RULE, *centred(words["bring_back"], columns)]
    lines.append(PaperLine(str(document["id"]), align="center", kind="qr"))
    return [*lines, *centred(words["thanks"], columns, bold=True), CUT]


def cash_slip(document: dict[str, Any], *, columns: int, language: str = "en", copy_no: int = 0) -> list[PaperLine]:
    """Lay out the slip of cash that left the drawer, to be signed by who has it now.

    document: store, till_name, cashier_name, local_time, kind (`drop` or `pay_out`), amount_minor, why.
    """
    words = WORDS[language]
    title = words["drop_slip" if document["kind"] == "drop" else "pay_out_slip"]
    lines = [*centred(document["store"]["name"], columns), *centred(title, columns, bold=True, wide=2, tall=2)]
    lines += [*copy_mark(copy_no, words, columns), *pair(document["local_time"], document["cashier_name"], columns)]
    lines += [*pair(document["till_name"], "", columns), RULE]
    figures = price(document["amount_minor"], document["store"]["currency"])
    lines += pair(words["amount"], figures, columns, bold=True, wide=2, tall=2)
    if document["why"]:
        lines += pair(words["why"], document["why"], columns)
    for word in ("handed_over", "received"):
        lines += [BLANK, BLANK, PaperLine(f"{words[word]} " + "." * (columns - width(words[word]) - 1))]
    return [*lines, BLANK, CUT]


def drawer_slip(document: dict[str, Any], *, columns: int, language: str = "en", copy_no: int = 0) -> list[PaperLine]:
    """Lay out the slip that the drawer was opened without a sale: when, by whom and why."""
    words = WORDS[language]
    lines = centred(words["no_sale"], columns, bold=True)
    lines += [*copy_mark(copy_no, words, columns), *pair(document["local_time"], document["cashier_name"], columns)]
    lines += [*pair(document["till_name"], "", columns), RULE]
    return [*lines, *indented(reason_word(document["why"], words), "", columns), CUT]


def shop_head(store: dict[str, Any], columns: int, *, logo: bool = True) -> list[PaperLine]:
    """Return the head of what customers take home: the logo, the shop's name large, where it is."""
    shown = logo and store.get("logo")
    lines = [PaperLine(store["logo"], align="center", kind="image"), BLANK] if shown else []
    lines += centred(store["name"], columns, bold=True, wide=2, tall=2)
    for text in (store.get("address"), store.get("phone"), store.get("tax_number")):
        if text:
            lines += [line for part in str(text).splitlines() for line in centred(part, columns)]
    return [*lines, BLANK]


def copy_mark(copy_no: int, words: dict[str, str], columns: int) -> list[PaperLine]:
    """Return the mark of a copy with its number; nothing for the first print."""
    if not copy_no:
        return []
    return [*centred(f"*** {words['copy']} {copy_no} ***", columns, bold=True, wide=2, tall=2), BLANK]


def first_name(name: str) -> str:
    """Return what a customer may be called by on paper: the first word of a name; a Chinese name whole."""
    words = tidy(name).split()
    return words[0] if words else ""


LAYOUTS: dict[str, Callable[..., list[PaperLine]]] = {
    "receipt": layout,
    "pickup": pickup_slip,
    "bin": bin_label,
    "x": till_report,
    "z": till_report,
    "drawer": drawer_slip,
    "gift": gift_receipt,
    "cash": cash_slip,
}
"""kind of print job -> its layout; shelf labels are in labels.py."""


# --- inside ---


def _order_code(document: dict[str, Any]) -> list[PaperLine]:
    code = document.get("order_id")
    return [PaperLine(f"order:{code}", align="center", kind="qr")] if code else []


def _letters(taxes: Sequence[dict[str, Any]]) -> dict[tuple[str, int], str]:
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    return {(tax["tax_class_id"], tax["rate_bp"]): tax.get("letter") or alphabet[n % 26] for n, tax in enumerate(taxes)}


def _shown_minor(line: dict[str, Any]) -> int:
    gross = line.get("amount_minor")
    if gross is None:
        gross = amount_for(line["qty"], line["unit_price_minor"], line["price_quantity"])
    return int(gross - line["discount_minor"])


def _about(document: dict[str, Any], words: dict[str, str], columns: int) -> list[PaperLine]:
    lines = pair(f"{words['receipt']} {document['receipt_no']:06d}", document["till_name"], columns)
    lines += pair(document["local_time"], document["cashier_name"], columns)
    if document.get("order_no"):
        lines += pair(words["order"], str(document["order_no"]), columns, bold=True)
    return lines


def _bought(
    line: dict[str, Any], shown_minor: int, letter: str, words: dict[str, str], currency: str, columns: int
) -> list[PaperLine]:
    tail = f" {letter}" if letter else ""
    blank_tail = " " * len(tail)
    before_discount = amount(shown_minor + line["discount_minor"], currency)
    name = line["name"]
    each = unit_price(line["unit_price_minor"], line["price_quantity"], line["stock_unit"], currency)
    if line["qty"] == 1 and line["stock_unit"] not in UNITS and line["price_quantity"] == 1:
        lines = pair(name, before_discount + tail, columns)
    else:
        lines = [PaperLine(text) for text in wrap(name, columns)]
        lines += indented(f"{quantity(line['qty'], line['stock_unit'])} x {each}", before_discount + tail, columns)
    return lines + _why(line, blank_tail, words, currency, columns)


def _why(line: dict[str, Any], tail: str, words: dict[str, str], currency: str, columns: int) -> list[PaperLine]:
    """Say under a line what was taken off and why, each offer by its name, and what was noted of it."""
    lines: list[PaperLine] = []
    reason, listed = reason_word(line.get("reason"), words), line.get("list_price_minor")
    if line.get("price_type") == "override" and listed is not None:
        was = unit_price(listed, line["price_quantity"], line["stock_unit"], currency)
        lines += indented(" ".join(filter(None, (words["instead_of"], was, reason))), "", columns)
    by_hand = line.get("manual_discount_minor", 0)
    if by_hand:
        word = " ".join(filter(None, (words["discount"], reason)))
        lines += indented(word, amount(-by_hand, currency) + tail, columns)
    offers = [(name, minor) for _, name, minor in line.get("offers", ())]
    rest = line["discount_minor"] - by_hand - sum(minor for _, minor in offers)
    if rest:
        offers.append((line.get("offer") or words["offer"], rest))
    for name, minor in offers:
        lines += indented(name or words["offer"], amount(-minor, currency) + tail, columns)
    if line.get("expires_on"):
        lines += indented(f"{words['best_before']} {line['expires_on']}", "", columns)
    if line.get("note"):
        lines += indented(str(line["note"]), "", columns)
    return lines


def _sums(
    document: dict[str, Any], shown_minor: int, untaxed: bool, words: dict[str, str], columns: int
) -> list[PaperLine]:
    currency = document["store"]["currency"]
    # the figures stand under those of the lines, whose tax letter is to their right
    tail = "  " if document["taxes"] else ""
    lines_minor = sum(line["total_minor"] for line in document["lines"])
    figures: list[tuple[str, int]] = []
    if untaxed:
        figures += [(words["subtotal"], shown_minor), (words["tax"], lines_minor - shown_minor)]
    if document["rounding_minor"]:
        figures += [] if untaxed else [(words["subtotal"], lines_minor)]
        figures += [(words["rounding"], document["rounding_minor"])]
    lines = [line for word, minor in figures for line in pair(word, amount(minor, currency) + tail, columns)]
    lines = [RULE, *lines, DOUBLE_RULE] if lines else [DOUBLE_RULE]
    total_minor = document["total_minor"]
    refund = document.get("kind") == "return" or total_minor < 0
    total = price(abs(total_minor) if refund else total_minor, currency) + tail[:1]  # a wide blank takes two columns
    lines += pair(words["refunded" if refund else "total"], total, columns, bold=True, wide=2, tall=2)
    lines.append(DOUBLE_RULE)
    for payment in document["payments"]:
        change = payment["is_change"]
        word = words["change"] if change else words.get(payment["tender"], payment["tender"])
        minor = -payment["amount_minor"] if change or refund else payment["amount_minor"]
        lines += pair(word, amount(minor, currency) + tail, columns, bold=change)
    return lines


def _tax_table(
    taxes: Sequence[dict[str, Any]],
    letters: dict[tuple[str, int], str],
    words: dict[str, str],
    currency: str,
    columns: int,
) -> list[PaperLine]:
    rows = [("%", words["net"], words["tax"], words["gross"])]
    for tax in taxes:
        letter = letters[(tax["tax_class_id"], tax["rate_bp"])]
        figures = (amount(tax[name], currency) for name in ("net_minor", "tax_minor", "gross_minor"))
        rows.append((f"{letter} {_percent(tax['rate_bp'])}", *figures))  # type: ignore[arg-type]
    return table(rows, columns)


def _percent(rate_bp: int) -> str:
    whole, part = divmod(rate_bp, BASIS // 100)
    return f"{whole}.{part:02d}".rstrip("0").rstrip(".") + "%"


def _issued(document: dict[str, Any], words: dict[str, str], columns: int, masked: bool) -> list[PaperLine]:
    """Lay out the vouchers this sale issued (their codes are money: `masked` shows the end), and the customer's sum."""
    currency, lines = document["store"]["currency"], list[PaperLine]()
    for voucher in document.get("vouchers", ()):
        word = words["credit_issued" if voucher["kind"] == "credit" else "voucher_issued"]
        lines += [RULE, *centred(word, columns, bold=True, wide=2, tall=2)]
        lines += centred(price(voucher["amount_minor"], currency), columns, bold=True)
        code, hidden = str(voucher["code"]), masked or voucher.get("masked")
        lines += centred(f"... {code[-4:]}" if hidden else code, columns, bold=True)
        lines += [] if hidden else [PaperLine(code, align="center", kind="qr")]
    customer = document.get("customer")
    if customer and (customer.get("points_earned") or customer.get("points_balance")):
        lines += [RULE, *pair(words["points_earned"], str(customer.get("points_earned", 0)), columns)]
        lines += pair(words["points_balance"], str(customer.get("points_balance", 0)), columns)
    if customer and customer.get("tab_balance_minor"):
        lines += pair(words["tab_balance"], price(customer["tab_balance_minor"], currency), columns)
    if document.get("note"):
        lines += [RULE, *indented(f"{words['note']}: {document['note']}", "", columns)]
    return lines


def _farewell(document: dict[str, Any], words: dict[str, str], columns: int) -> list[PaperLine]:
    if document.get("kind") == "return":
        return [BLANK, *centred(words["thanks"], columns, bold=True)]
    currency = document["store"]["currency"]
    bought = [line for line in document["lines"] if line["qty"] > 0 and line.get("kind", "goods") != "deposit"]
    count = sum(1 if line["stock_unit"] in UNITS else line["qty"] for line in bought)
    saved_minor = sum(line["discount_minor"] for line in bought)
    lines = [RULE, *pair(words["count"], str(count), columns)]
    if document.get("age_checked"):
        lines += pair(words["age"], f"{document['age_checked']}+", columns)
    if saved_minor > 0:
        lines += pair(words["saved"], price(saved_minor, currency), columns, bold=True)
    return [*lines, BLANK, *centred(words["thanks"], columns, bold=True), *centred(words["again"], columns)]


def _takings(document: dict[str, Any], words: dict[str, str], currency: str, columns: int) -> list[PaperLine]:
    lines: list[PaperLine] = []
    for kind in ("sales", "returns", *(["exchanges"] if document.get("exchanges_count") else [])):
        figures = _seen(document[f"{kind}_minor"], currency)
        lines += pair(f"{words[kind]} ({document[f'{kind}_count']})", figures, columns)
    if (taken := document["total_minor"]) is not None:
        lines += pair(words["takings"], price(taken, currency), columns, bold=True, wide=2, tall=2)
    return lines


def _drawer(document: dict[str, Any], words: dict[str, str], currency: str, columns: int) -> list[PaperLine]:
    """Return what moved in the drawer, how the count came out, and who answers for it."""
    lines = [PaperLine(text) for text in wrap(words["blind"], columns)] if document.get("blind") else []
    for kind, minor in document.get("cash", {}).items():
        lines += indented(
            words.get("cash_refund" if kind == "refund" else kind, kind), amount(minor, currency), columns
        )
    lines += _count(document, words, currency, columns)
    if document.get("why"):
        lines += [PaperLine(text) for text in wrap(f"{words['why']}: {document['why']}", columns)]
    for name in ("agreed_by", "parked_count"):
        if document.get(name):
            lines += pair(words[name], str(document[name]), columns)
    return lines


def _within(document: dict[str, Any], words: dict[str, str], currency: str, columns: int) -> list[PaperLine]:
    """Return what lies within the takings: rounding, offers, discounts, deposits; nothing that is nought."""
    lines: list[PaperLine] = []
    if document.get("first_receipt_no") is not None:
        numbers = f"{document['first_receipt_no']:06d} - {document['last_receipt_no']:06d}"
        lines += pair(words["receipts"], numbers, columns)
    for word in ("rounding", "offers", "by_hand", "overrides", "deposits", "empties", "vouchers_issued"):
        if minor := document.get(f"{word}_minor"):
            lines += pair(words[word], amount(minor, currency), columns)
    return lines


def _at_the_till(document: dict[str, Any], words: dict[str, str], currency: str, columns: int) -> list[PaperLine]:
    """Return who sold how much, where several did, and what was done beside selling."""
    lines: list[PaperLine] = []
    several = len(document.get("cashiers") or []) > 1
    for name in ("cashiers", "also_sold") if several else ("also_sold",):
        if rows := document.get(name):
            lines += [RULE, PaperLine(words[name], bold=True)]
            for who, count, minor in rows:
                lines += indented(f"{who} ({count})", _seen(minor, currency), columns)
    if events := document.get("events"):
        lines += [RULE, PaperLine(words["events"], bold=True)]
        for kind, (count, minor) in events.items():
            figures = f"{count} / {amount(minor, currency)}" if minor else str(count)
            lines += indented(words.get(f"event_{kind}") or words.get(kind, kind), figures, columns)
    return lines


def _proof(document: dict[str, Any], words: dict[str, str], currency: str, columns: int) -> list[PaperLine]:
    """Return what ties a Z to the books: the perpetual total, the end of the journal and the hash of this very Z."""
    if "hash" not in document:
        return []
    seen = document["journal"]
    return [
        RULE,
        *pair(words["perpetual"], amount(document["perpetual_minor"], currency), columns),
        *pair(words["journal"], f"{seen['n']} / {_short(seen['hash'])}", columns),
        *pair(words["check"], _short(document["hash"]), columns),
    ]


def _short(hashed: str) -> str:
    """Return a hash as paper shows it: '9F3A 22C1'."""
    return f"{hashed[:4]} {hashed[4:8]}".upper()


def _count(document: dict[str, Any], words: dict[str, str], currency: str, columns: int) -> list[PaperLine]:
    lines: list[PaperLine] = []
    for name in ("expected", "counted"):
        if document.get(f"{name}_minor") is not None:
            lines += pair(words[name], amount(document[f"{name}_minor"], currency), columns, bold=True)
    if (over_short := document.get("over_short_minor")) is not None:
        word = "exact" if over_short == 0 else "over" if over_short > 0 else "short"
        lines += pair(words[word], price(abs(over_short), currency), columns, bold=True, wide=2, tall=2)
    return lines
