"""Paper of the customers' books: a repayment's slip, a statement, a voucher; and the same in words to send.

Rules
-----
1. As with the receipt: a layout reads its frozen document alone and is printed in the customer's own language.
2. A slip says what was paid, which purchases that paid, oldest first, and what is still owed.
3. A statement begins with what was owed before its first day and ends with what is owed after its last one; its lines
   lead from one to the other.
4. A voucher shows its code in groups of four and as a QR code to scan.

Everything here is pure. Money comes in minor units of the store's currency; columns are 32, 42 or 48.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any

from config import words
from config.words import N_, Language
from pos.documents.paper import BLANK, CUT, RULE, PaperLine, centred, indented, pair, price, said_in, store_head
from pos.documents.words import code_word, tender_word
from pos.payments import vouchers

MOVED = {
    "charge": N_("Purchase"), "carried_over": N_("Old tab book"), "repayment": N_("Repaid"),
    "refund": N_("Products returned"), "written_off": N_("Written off"), "owed_again": N_("Write-off undone"),
}  # fmt: skip
"""What moved on a tab."""
AGES = (N_("0 to 30 days"), N_("31 to 60 days"), N_("61 to 90 days"), N_("more than 90 days"))


def repayment_slip(
    document: dict[str, Any], *, columns: int, language: str = "en", copy_no: int = 0
) -> list[PaperLine]:
    """Lay out what a customer takes home after paying off the tab (rule 2).

    document: store, customer {name}, local_time, cashier_name, tender, reference, amount_minor, before_minor,
    balance_minor, paid [{day, kind, receipt_no, amount_minor, left_minor}].
    """
    say, currency = said_in(document, language), document["store"]["currency"]
    lines = _head(document, say("TAB PAYMENT"), say, columns, copy_no)
    lines += [*pair(say.moment(document["local_time"]), document["cashier_name"], columns), RULE]
    lines += pair(say("Owed before"), say.amount(document["before_minor"], currency), columns)
    tender = tender_word(document["tender"], say)
    reference = f" {document['reference']}" if document.get("reference") else ""
    figures = price(say, document["amount_minor"], currency)
    lines += pair(say.pgettext("paper", "Paid") + f", {tender}{reference}", figures, columns, bold=True, wide=2, tall=2)
    lines += [RULE, PaperLine(say("Paid now"), bold=True)]
    for row in document["paid"]:
        what = say("Old tab book,") if row["kind"] == "carried_over" else say("Purchase of")
        lines += indented(
            f"{what} {say.moment(row['day'])}{_receipt(row, say)}", say.amount(row["amount_minor"], currency), columns
        )
        if row["left_minor"]:
            lines += indented("  " + say("left to pay"), say.amount(row["left_minor"], currency), columns)
    lines.append(RULE)
    if document["balance_minor"]:
        lines += pair(
            say("STILL OWED"), price(say, document["balance_minor"], currency), columns, bold=True, wide=2, tall=2
        )
        lines += [BLANK, *centred(say("Thank you!"), columns, bold=True)]
    else:
        lines += centred(say("Paid in full. Thank you!"), columns, bold=True)
    return [*lines, CUT]


def statement(document: dict[str, Any], *, columns: int, language: str = "en", copy_no: int = 0) -> list[PaperLine]:
    """Lay out what a customer owes and how it came to that (rule 3).

    document: store, customer {name}, first_day, last_day, opening_minor, closing_minor, ages_minor (four figures, of
    the last day), lines [{day, kind, receipt_no, amount_minor, balance_minor}].
    """
    say, currency = said_in(document, language), document["store"]["currency"]
    lines = _head(document, say("STATEMENT"), say, columns, copy_no)
    lines += pair(
        say.pgettext("paper", "From") + f" {say.moment(document['first_day'])}",
        say.pgettext("paper", "Until") + f" {say.moment(document['last_day'])}",
        columns,
    )
    lines += [RULE, *pair(say("Owed before"), say.amount(document["opening_minor"], currency), columns, bold=True)]
    for row in document["lines"]:
        lines += pair(
            f"{say.moment(row['day'])} {code_word(MOVED, row['kind'], say)}",
            say.amount(row["amount_minor"], currency),
            columns,
        )
        if row.get("receipt_no"):
            lines += indented(_receipt(row, say).strip(" ,"), "", columns)
    if not document["lines"]:
        lines += centred(say("Nothing in this period."), columns)
    figures = price(say, document["closing_minor"], currency)
    lines += [RULE, *pair(say("OWED"), figures, columns, bold=True, wide=2, tall=2)]
    if any(document["ages_minor"]):
        lines += [BLANK, PaperLine(say("Unpaid for"), bold=True)]
        for n, minor in enumerate(document["ages_minor"]):
            if minor:
                lines += indented(say(AGES[n]), say.amount(minor, currency), columns)
    return [*lines, BLANK, *centred(say("Thank you!"), columns, bold=True), CUT]


def voucher_slip(document: dict[str, Any], *, columns: int, language: str = "en", copy_no: int = 0) -> list[PaperLine]:
    """Lay out a voucher to be handed over (rule 4).

    document: store, code, spoken (in groups of four), kind, amount_minor, expires_on (ISO day or None), local_time.
    Of a code that is not revealed its end alone stands on the paper.
    """
    document = vouchers.masked(document) if vouchers.is_mark(document["code"]) else document
    say, currency = said_in(document, language), document["store"]["currency"]
    lines = _head(
        document, say("STORE CREDIT") if document["kind"] == "credit" else say("GIFT VOUCHER"), say, columns, copy_no
    )
    lines += centred(price(say, document["amount_minor"], currency), columns, bold=True, wide=3, tall=3)
    wide = 2 if len(document["spoken"]) * 2 <= columns else 1
    lines += [BLANK, *centred(document["spoken"], columns, bold=True, wide=wide, tall=2), BLANK]
    if not document.get("masked"):
        lines += [PaperLine(document["code"], align="center", kind="qr"), BLANK]
    until = (
        say("Valid until") + f" {say.moment(document['expires_on'])}"
        if document.get("expires_on")
        else say("No expiry date")
    )
    lines += [
        *centred(until, columns, bold=True),
        *centred(say("Anyone with this code can spend it. Keep it like cash."), columns),
        RULE,
    ]
    return [*lines, *centred(say.moment(document["local_time"]), columns), CUT]


def transfer_slip(document: dict[str, Any], *, columns: int, language: str = "en", copy_no: int = 0) -> list[PaperLine]:
    """Lay out the code of a bank transfer, for a customer to scan. Nothing is paid by it.

    document: store, code, reference, amount_minor, local_time.
    """
    say, currency = said_in(document, language), document["store"]["currency"]
    lines = _head(document, say("BANK TRANSFER"), say, columns, copy_no)
    lines += centred(price(say, document["amount_minor"], currency), columns, bold=True, wide=2, tall=2)
    lines += [BLANK, PaperLine(document["code"], align="center", kind="qr"), BLANK]
    lines += centred(say("Scan this code with your banking app. This is not a receipt."), columns)
    lines += [*pair(say("Reference"), document["reference"], columns), RULE]
    return [*lines, *centred(say.moment(document["local_time"]), columns), CUT]


LAYOUTS: dict[str, Callable[..., list[PaperLine]]] = {
    "tab_paid": repayment_slip,
    "statement": statement,
    "voucher": voucher_slip,
    "transfer": transfer_slip,
}
"""kind of print job -> its layout."""


def statement_rows(document: dict[str, Any], language: str) -> list[list[str]]:
    """Return a statement as rows of a table, its head first; figures with a point and no thousands mark."""
    say, currency = said_in(document, language), document["store"]["currency"]

    def figures(minor: int) -> str:
        return words.language("en").amount(minor, currency).replace(",", "")

    rows = [[say("Day"), say("Description"), say("receipt"), say("Amount") + f" {currency}", say("Balance owed")]]
    rows.append([document["first_day"], say("Owed before"), "", "", figures(document["opening_minor"])])
    for row in document["lines"]:
        receipt_no = f"{row['receipt_no']:06d}" if row.get("receipt_no") else ""
        moved = [figures(row["amount_minor"]), figures(row["balance_minor"])]
        rows.append([row["day"], code_word(MOVED, row["kind"], say), receipt_no, *moved])
    rows.append([document["last_day"], say("OWED").capitalize(), "", "", figures(document["closing_minor"])])
    return rows


def reminder(
    *, name: str, store: str, owed_minor: int, since: dt.date | None, currency: str, tz: str, language: str
) -> str:
    """Return a friendly text that reminds a customer of the tab, to be copied and sent.

    since: the day of the oldest purchase that is owed; None where nothing is.
    """
    say = words.language(language, tz)
    if owed_minor <= 0 or since is None:
        return say("Dear {name}, your tab at {store} is paid off. Thank you!").format(name=name, store=store)
    return say(
        "Dear {name}, your tab at {store} is {owed}; the oldest purchase is from {since}. Please pay "
        "on your next visit. Thank you!"
    ).format(name=name, store=store, owed=say.money(owed_minor, currency), since=say.long_day(since))


# --- inside ---


def _head(document: dict[str, Any], title: str, say: Language, columns: int, copy_no: int) -> list[PaperLine]:
    lines = store_head(document["store"], columns)
    lines += centred(title, columns, bold=True, wide=2, tall=2)
    if copy_no:
        lines += centred("*** " + say("COPY") + f" {copy_no} ***", columns, bold=True, wide=2, tall=2)
    if document.get("customer", {}).get("name"):
        lines += pair(say.pgettext("paper", "For"), document["customer"]["name"], columns, bold=True)
    return lines


def _receipt(row: dict[str, Any], say: Language) -> str:
    return ", " + say("receipt") + f" {row['receipt_no']:06d}" if row.get("receipt_no") else ""
