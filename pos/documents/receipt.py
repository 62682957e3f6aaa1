"""The receipt, the pickup slips and the slips of the drawer: documents laid out as lines of paper.

Rules
-----
1. A layout reads its document alone: the frozen snapshot, never the database, so a reprint in ten years is the
   receipt of today with a copy mark.
2. Figures stand in one column at the right; the total is the biggest thing on the paper after the store's name.
3. Prices without tax (United States) are shown as on the shelf, then subtotal, tax and total; prices with tax
   are shown as paid. Which it is follows from the lines themselves.
4. A pickup slip shows what the store needs to find a bag, and a square code that opens the order at the counter; the
   collection code is the customer's and is never on it.
5. The address of the receipt on a phone (behind the code on the paper) stands on every receipt of a store whose network
   shows receipts (`Store.receipts_at`); it is made from the receipt's own facts, so store and network agree on it
   without a word, also while the store is cut off.
6. Whoever has the address has the receipt, and nobody finds it by counting: it ends with 100 bits of a hash over the
   sale's id and its till's epoch, both random, and over what was asked for.
7. Plain letters only, so that every phone reads the code.

Money comes in minor units of the store's currency; columns are 32, 42 or 48.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable
from typing import Any

from config.money import amount_for
from config.words import UNITS, Language
from pos.documents.paper import (
    BLANK,
    CUT,
    DOUBLE_RULE,
    RULE,
    PaperLine,
    centred,
    copy_mark,
    first_name,
    indented,
    pair,
    price,
    quantity,
    said_in,
    store_head,
    tax_letters,
    tax_table,
    tidy,
    unit_price,
    width,
    wrap,
)
from pos.documents.till_report import till_report
from pos.documents.words import tender_word
from pos.payments import vouchers
from pos.reasons import reason_word

LETTERS = 20


def layout(document: dict[str, Any], *, columns: int, language: str = "en", copy_no: int = 0) -> list[PaperLine]:
    """Lay out the receipt of a completed sale or return (the body of the fact sale.completed)."""
    say, currency = said_in(document, language), document["store"]["currency"]
    letters = tax_letters(document["taxes"])
    shown = [_shown_minor(line) for line in document["lines"]]
    untaxed = sum(shown) != sum(line["total_minor"] for line in document["lines"])
    lines = [*store_head(document["store"], columns), *copy_mark(copy_no, say, columns)]
    if document.get("kind") in ("return", "exchange"):
        title = say("REFUND") if document["kind"] == "return" else say("EXCHANGE")
        lines += centred(title, columns, bold=True, wide=2, tall=2)
        if document.get("returns_receipt_no"):
            lines += centred(say("for receipt") + f" {document['returns_receipt_no']:06d}", columns)
        lines.append(BLANK)
    lines += [*_about(document, say, columns), RULE]
    for line, shown_minor in zip(document["lines"], shown, strict=True):
        letter = letters.get((line["tax_class_id"], line["rate_bp"]), " ")
        lines += _bought(line, shown_minor, letter if letters else "", say, currency, columns)
    lines += _sums(document, sum(shown), untaxed, say, columns)
    if document["taxes"]:
        lines.append(RULE)
        lines += tax_table(document["taxes"], letters, say, currency, columns)
    lines += [
        *_issued(document, say, columns, bool(copy_no) and not document.get("whole")),
        *_card_slips(document, columns),
        *_farewell(document, say, columns),
    ]
    if online := e_receipt_address(document):
        lines += [
            BLANK,
            PaperLine(online, align="center", kind="qr"),
            *centred(say("Scan to see this receipt on your phone"), columns),
        ]
    if copy_no:
        lines += [BLANK, *copy_mark(copy_no, say, columns)]
    return [*lines, CUT]


def pickup_slip(document: dict[str, Any], *, columns: int, language: str = "en", copy_no: int = 0) -> list[PaperLine]:
    """Lay out the picking slip of an order (rule 4), or the slip its customer takes home.

    document: store, order_no, customer_name, lines[{name, qty, stock_unit, note?}], ready_by, hold_until, bin,
    total_minor, paid (bool); order_id; all but the first four may be missing. customer{code, url, from, until} makes it
    the customer's: with the code that hands it over, and when to come.
    """
    say = said_in(document, language)
    lines = [
        *centred(say("PICKUP ORDER"), columns, bold=True),
        *centred(str(document["order_no"]), columns, bold=True, wide=3, tall=3),
        *centred(first_name(document.get("customer_name", "")), columns, wide=2, tall=2),
        *copy_mark(copy_no, say, columns),
        RULE,
    ]
    labels = (("ready_by", say("Ready by")), ("hold_until", say("Keep until")), ("bin", say.pgettext("paper", "Bin")))
    for name, label in labels:
        if document.get(name):
            lines += pair(label, say.moment(str(document[name])), columns, bold=name == "bin")
    customer = document.get("customer") or {}
    if customer:
        window = " - ".join(say.moment(customer[name]) for name in ("from", "until") if customer[name])
        lines += pair(say("Collect"), window, columns, bold=True)
    lines.append(RULE if lines[-1] != RULE else BLANK)
    box = "" if customer else "[ ] "
    for line in document["lines"]:
        lines += pair(f"{box}{quantity(say, line['qty'], line['stock_unit'])} x {line['name']}", "", columns, bold=True)
        if line.get("note"):
            lines += indented(line["note"], "", columns)
    if "total_minor" in document:
        lines.append(RULE)
        label = say("Paid") if document.get("paid") else say("To pay")
        lines += pair(label, price(say, document["total_minor"], document["store"]["currency"]), columns, bold=True)
    if customer:
        lines += [
            BLANK,
            *centred(say("Show this code at the counter"), columns),
            *centred(customer["code"], columns, bold=True, wide=2, tall=2),
        ]
        return [*lines, PaperLine(customer["url"], align="center", kind="qr"), BLANK, CUT]
    return [*lines, *_order_code(document), BLANK, CUT]


def bin_label(document: dict[str, Any], *, columns: int, language: str = "en", copy_no: int = 0) -> list[PaperLine]:
    """Lay out the label of a bag that waits: the order number as large as it fits, and a first name (rule 4)."""
    say = said_in(document, language)
    number = tidy(str(document["order_no"]))
    big = max(1, min(8, columns // max(1, len(number))))
    lines = [
        *centred(say("PICKUP"), columns, bold=True),
        *centred(number, columns, bold=True, wide=big, tall=big),
        *centred(first_name(document.get("customer_name", "")), columns, bold=True, wide=2, tall=2),
    ]
    lines += copy_mark(copy_no, say, columns)
    if document.get("hold_until"):
        lines += centred(say("Keep until") + f" {say.moment(document['hold_until'])}", columns)
    if document.get("bin"):
        lines += centred(say.pgettext("paper", "Bin") + f" {document['bin']}", columns, wide=2, tall=2)
    return [*lines, *_order_code(document), CUT]


def gift_receipt(document: dict[str, Any], *, columns: int, language: str = "en", copy_no: int = 0) -> list[PaperLine]:
    """Lay out what goes with a present: no price; the id of the document (as `layout`) is the code to bring it back."""
    say = said_in(document, language)
    lines = [*store_head(document["store"], columns), *copy_mark(copy_no, say, columns)]
    lines += [*centred(say("GIFT RECEIPT"), columns, bold=True, wide=2, tall=2), BLANK]
    lines += [
        *pair(say("Receipt") + f" {document['receipt_no']:06d}", say.moment(document["local_time"]), columns),
        RULE,
    ]
    for line in document["lines"]:
        if line["qty"] > 0 and line.get("kind", "goods") != "deposit":
            lines += pair(f"{quantity(say, line['qty'], line['stock_unit'])} x {line['name']}", "", columns)
    lines += [RULE, *centred(say("To exchange or return it, show this code at the till."), columns)]
    lines.append(PaperLine(str(document["id"]), align="center", kind="qr"))
    return [*lines, *centred(say("Thank you!"), columns, bold=True), CUT]


def cash_slip(document: dict[str, Any], *, columns: int, language: str = "en", copy_no: int = 0) -> list[PaperLine]:
    """Lay out the slip of cash that was put into the drawer or left it, to be signed by who gave and who has it.

    document: store, till_name, cashier_name, local_time, kind (`drop`, `pay_in`, `pay_out`, or `safe` and `bank` for
    what a close puts away), amount_minor, why; of a close also z_no, counted_minor, kept_minor.
    """
    say = said_in(document, language)
    titles = {
        "drop": say("TO THE SAFE"), "safe": say("TO THE SAFE"), "bank": say("TO THE BANK"), "pay_in": say("PAID IN"),
        "pay_out": say("PAID OUT"),
    }  # fmt: skip
    title = titles[document["kind"]]
    lines = [*centred(document["store"]["name"], columns), *centred(title, columns, bold=True, wide=2, tall=2)]
    lines += [
        *copy_mark(copy_no, say, columns),
        *pair(say.moment(document["local_time"]), document["cashier_name"], columns),
    ]
    lines += [*pair(document["till_name"], "", columns), RULE]
    currency = document["store"]["currency"]
    if "z_no" in document:
        lines += pair(say("Z report"), str(document["z_no"]), columns)
        lines += pair(say("Cash counted"), say.amount(document["counted_minor"], currency), columns)
        lines += pair(say("Stays as float"), say.amount(document["kept_minor"], currency), columns)
    figures = price(say, document["amount_minor"], currency)
    lines += pair(say("Amount"), figures, columns, bold=True, wide=2, tall=2)
    if document["why"]:
        lines += pair(say("Reason"), document["why"], columns)
    for label in (say.pgettext("paper", "Handed over"), say.pgettext("paper", "Received")):
        lines += [BLANK, BLANK, PaperLine(f"{label} " + "." * (columns - width(label) - 1))]
    return [*lines, BLANK, CUT]


def drawer_slip(document: dict[str, Any], *, columns: int, language: str = "en", copy_no: int = 0) -> list[PaperLine]:
    """Lay out the slip that the drawer was opened without a sale: when, by whom and why."""
    say = said_in(document, language)
    lines = centred(say("DRAWER OPENED, NO SALE"), columns, bold=True)
    lines += [
        *copy_mark(copy_no, say, columns),
        *pair(say.moment(document["local_time"]), document["cashier_name"], columns),
    ]
    lines += [*pair(document["till_name"], "", columns), RULE]
    return [*lines, *indented(reason_word(document["why"], say), "", columns), CUT]


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


def e_receipt_address(document: dict[str, Any]) -> str:
    """Return where the receipt of a completed sale stands (rule 5); '' where its store shows none."""
    at = document["store"].get("receipts_at", "")
    return f"{at.rstrip('/')}/{document['till_id']}-{document['receipt_no']}/{e_receipt_token(document)}" if at else ""


def e_receipt_token(document: dict[str, Any]) -> str:
    """Return the secret end of the address (rule 6)."""
    said = f"e-receipt {document['store']['id']} {document['id']} {document['epoch']} {document['request_hash']}"
    return base64.b32encode(hashlib.sha256(said.encode()).digest()).decode().lower()[:LETTERS]


def is_right_token(document: dict[str, Any], given: str) -> bool:
    """Tell whether an address's end is this receipt's."""
    return hmac.compare_digest(e_receipt_token(document).encode(), given.lower().encode())


# --- inside ---


def _order_code(document: dict[str, Any]) -> list[PaperLine]:
    code = document.get("order_id")
    return [PaperLine(f"order:{code}", align="center", kind="qr")] if code else []


def _shown_minor(line: dict[str, Any]) -> int:
    gross = line.get("amount_minor")
    if gross is None:
        gross = amount_for(line["qty"], line["unit_price_minor"], line["price_quantity"])
    return int(gross - line["discount_minor"])


def _about(document: dict[str, Any], say: Language, columns: int) -> list[PaperLine]:
    lines = pair(say("Receipt") + f" {document['receipt_no']:06d}", document["till_name"], columns)
    lines += pair(say.moment(document["local_time"]), document["cashier_name"], columns)
    if document.get("order_no"):
        lines += pair(say.pgettext("paper", "Order"), str(document["order_no"]), columns, bold=True)
    return lines


def _bought(
    line: dict[str, Any], shown_minor: int, letter: str, say: Language, currency: str, columns: int
) -> list[PaperLine]:
    tail = f" {letter}" if letter else ""
    blank_tail = " " * len(tail)
    before_discount = say.amount(shown_minor + line["discount_minor"], currency)
    name = line["name"]
    each = unit_price(say, line["unit_price_minor"], line["price_quantity"], line["stock_unit"], currency)
    if line["qty"] == 1 and line["stock_unit"] not in UNITS and line["price_quantity"] == 1:
        lines = pair(name, before_discount + tail, columns)
    else:
        lines = [PaperLine(text) for text in wrap(name, columns)]
        lines += indented(f"{quantity(say, line['qty'], line['stock_unit'])} x {each}", before_discount + tail, columns)
    return lines + _why(line, blank_tail, say, currency, columns)


def _why(line: dict[str, Any], tail: str, say: Language, currency: str, columns: int) -> list[PaperLine]:
    """Say under a line what was taken off and why, each offer by its name, and what was noted of it."""
    lines: list[PaperLine] = []
    reason, listed = reason_word(line.get("reason"), say), line.get("list_price_minor")
    if line.get("price_type") == "override" and listed is not None:
        was = unit_price(say, listed, line["price_quantity"], line["stock_unit"], currency)
        lines += indented(" ".join(filter(None, (say("instead of"), was, reason))), "", columns)
    by_hand = line.get("manual_discount_minor", 0)
    if by_hand:
        word = " ".join(filter(None, (say("Discount"), reason)))
        lines += indented(word, say.amount(-by_hand, currency) + tail, columns)
    offers = [(name, minor) for _, name, minor in line.get("offers", ())]
    rest = line["discount_minor"] - by_hand - sum(minor for _, minor in offers)
    if rest:
        offers.append((line.get("offer") or say("Promotion"), rest))
    for name, minor in offers:
        lines += indented(name or say("Promotion"), say.amount(-minor, currency) + tail, columns)
    if line.get("expires_on"):
        lines += indented(say("best before") + f" {say.moment(line['expires_on'])}", "", columns)
    if line.get("note"):
        lines += indented(str(line["note"]), "", columns)
    return lines


def _sums(document: dict[str, Any], shown_minor: int, untaxed: bool, say: Language, columns: int) -> list[PaperLine]:
    currency = document["store"]["currency"]
    # the figures stand under those of the lines, whose tax letter is to their right
    tail = "  " if document["taxes"] else ""
    lines_minor = sum(line["total_minor"] for line in document["lines"])
    figures: list[tuple[str, int]] = []
    if untaxed:
        figures += [(say("Subtotal"), shown_minor), (say("Tax"), lines_minor - shown_minor)]
    if document["rounding_minor"]:
        figures += [] if untaxed else [(say("Subtotal"), lines_minor)]
        figures += [(say("Cash rounding"), document["rounding_minor"])]
    lines = [line for word, minor in figures for line in pair(word, say.amount(minor, currency) + tail, columns)]
    lines = [RULE, *lines, DOUBLE_RULE] if lines else [DOUBLE_RULE]
    total_minor = document["total_minor"]
    refund = document.get("kind") == "return" or total_minor < 0
    total = (
        price(say, abs(total_minor) if refund else total_minor, currency) + tail[:1]
    )  # a wide blank takes two columns
    lines += pair(say("REFUNDED") if refund else say("TOTAL"), total, columns, bold=True, wide=2, tall=2)
    lines.append(DOUBLE_RULE)
    for payment in document["payments"]:
        change = payment["is_change"]
        word = say("Change") if change else tender_word(payment["tender"], say)
        minor = -payment["amount_minor"] if change or refund else payment["amount_minor"]
        lines += pair(word, say.amount(minor, currency) + tail, columns, bold=change)
    return lines


def _card_slips(document: dict[str, Any], columns: int) -> list[PaperLine]:
    """Lay out what card terminals want under the receipt, line by line."""
    lines = list[PaperLine]()
    for slip in document.get("card_slips", ()):
        lines += [RULE, *(line for text in slip.split("\n") for line in pair(text, "", columns))]
    return lines


def _issued(document: dict[str, Any], say: Language, columns: int, masked: bool) -> list[PaperLine]:
    """Lay out the vouchers this sale issued (their codes are money: `masked` shows the end), and the customer's sum."""
    currency, lines = document["store"]["currency"], list[PaperLine]()
    for voucher in document.get("vouchers", ()):
        title = say("STORE CREDIT") if voucher["kind"] == "credit" else say("VOUCHER")
        lines += [RULE, *centred(title, columns, bold=True, wide=2, tall=2)]
        lines += centred(price(say, voucher["amount_minor"], currency), columns, bold=True)
        code = str(voucher["code"])
        hidden = masked or voucher.get("masked") or vouchers.is_mark(code)
        lines += centred(f"... {code[-4:]}" if hidden else code, columns, bold=True)
        lines += [] if hidden else [PaperLine(code, align="center", kind="qr")]
    customer = document.get("customer")
    if customer and (customer.get("points_earned") or customer.get("points_balance")):
        lines += [RULE, *(centred(str(name), columns) if (name := customer.get("points_name")) else [])]
        lines += [*pair(say("Points earned"), str(customer.get("points_earned", 0)), columns)]
        lines += pair(say("Your points"), str(customer.get("points_balance", 0)), columns)
    if customer and customer.get("tab_balance_minor"):
        lines += pair(say("Your tab"), price(say, customer["tab_balance_minor"], currency), columns)
    if document.get("note"):
        lines += [RULE, *indented(say.pgettext("paper", "Note") + f": {document['note']}", "", columns)]
    return lines


def _farewell(document: dict[str, Any], say: Language, columns: int) -> list[PaperLine]:
    if document.get("kind") == "return":
        return [BLANK, *centred(say("Thank you!"), columns, bold=True)]
    currency = document["store"]["currency"]
    bought = [line for line in document["lines"] if line["qty"] > 0 and line.get("kind", "goods") != "deposit"]
    count = sum(1 if line["stock_unit"] in UNITS else line["qty"] for line in bought)
    saved_minor = sum(line["discount_minor"] for line in bought)
    lines = [RULE, *pair(say.pgettext("paper", "Products"), str(count), columns)]
    if document.get("age_checked"):
        lines += pair(say("Age checked"), f"{document['age_checked']}+", columns)
    if saved_minor > 0:
        lines += pair(say("You saved today"), price(say, saved_minor, currency), columns, bold=True)
    return [
        *lines,
        BLANK,
        *centred(say("Thank you!"), columns, bold=True),
        *centred(say("See you soon!"), columns),
    ]
