"""X and Z on paper. Pure: laid out from the report alone, so that a copy is the report of its day."""

import datetime as dt
from typing import Any

from config.words import Language
from pos.documents.paper import (
    BLANK,
    CUT,
    RULE,
    PaperLine,
    centred,
    copy_mark,
    indented,
    pair,
    price,
    said_in,
    store_head,
    tax_letters,
    tax_table,
    wrap,
)
from pos.documents.words import CASH, EVENTS, code_word, tender_word


def till_report(document: dict[str, Any], *, columns: int, language: str = "en", copy_no: int = 0) -> list[PaperLine]:
    """Lay out an X report (z_no is None) or the Z report of a closed shift.

    document: store, till_name, z_no, business_day, opened_by, opened_at, closed_at (local texts), sales_count,
    sales_minor, returns_count, returns_minor, total_minor, tenders {tender: minor}, taxes [as on a receipt],
    cash {kind of movement: minor}, expected_minor, counted_minor, over_short_minor, late_count. Expected, counted
    and over/short are left out while they are None: counting is blind. What `totals.figures` and `shift_report` add
    is printed where it is there and not nought.
    """
    say, currency = said_in(document, language), document["store"]["currency"]
    z_no = document.get("z_no")
    lines = store_head(document["store"], columns, logo=False)
    lines += centred(
        say("X REPORT") if z_no is None else say("Z REPORT") + f" {z_no}", columns, bold=True, wide=2, tall=2
    )
    lines += copy_mark(copy_no, say, columns)
    lines += pair(say("Business day"), say.moment(str(document["business_day"])), columns)
    people = ((say.pgettext("paper", "By"), "opened_by"), (say("Opened"), "opened_at"), (say("Closed"), "closed_at"))
    for label, name in people:
        if document.get(name):
            lines += pair(label, say.moment(str(document[name])), columns)
    if document.get("held_by", document["opened_by"]) != document["opened_by"]:
        lines += pair(say("Drawer assigned to"), str(document["held_by"]), columns)
    lines += [*pair(document["till_name"], "", columns), RULE]
    lines += _sales(document, say, currency, columns)
    lines += [*_within(document, say, currency, columns), BLANK, PaperLine(say("Tenders"), bold=True)]
    for tender, minor in document.get("tenders", {}).items():
        lines += indented(tender_word(tender, say), say.amount(minor, currency), columns)
        if by_hand := document.get("typed", {}).get(tender):
            lines += indented("  " + say("including typed slips"), say.amount(by_hand, currency), columns)
    lines += _apart(document, say, currency, columns)
    if taxes := document.get("taxes"):
        lines += [RULE, *tax_table(taxes, tax_letters(taxes), say, currency, columns)]
    lines += _top_categories(document, say, currency, columns)
    lines += [RULE, PaperLine(say("Drawer"), bold=True), *_drawer(document, say, currency, columns)]
    if document.get("late_count"):
        late = say("Late entries") + f" ({document['late_count']})"
        lines += pair(late, say.amount(document.get("late_minor", 0), currency), columns)
    lines += [*_at_the_till(document, say, currency, columns), *_proof(document, say, currency, columns)]
    if z_no is not None:
        lines += [BLANK, BLANK, PaperLine(say("Signature") + " " + "." * (columns - 12)), BLANK]
    return [*lines, CUT]


# --- inside ---


def _seen(minor: int | None, currency: str, say: Language) -> str:
    return "" if minor is None else say.amount(minor, currency)  # None: it is kept from the reader


def _sales(document: dict[str, Any], say: Language, currency: str, columns: int) -> list[PaperLine]:
    lines: list[PaperLine] = []
    kinds = (("sales", say("Sales")), ("exchanges", say("Including exchanges")), ("returns", say("Returns")))
    for kind, label in kinds:
        if kind != "exchanges" or document.get("exchanges_count"):
            figures = _seen(document[f"{kind}_minor"], currency, say)
            lines += pair(label + f" ({document[f'{kind}_count']})", figures, columns)
    if (taken := document["total_minor"]) is not None:
        lines += pair(say("Total sales"), price(say, taken, currency), columns, bold=True, wide=2, tall=2)
    return lines


def _within(document: dict[str, Any], say: Language, currency: str, columns: int) -> list[PaperLine]:
    """Return what lies within the sales: rounding, offers, discounts, deposits; nothing that is nought."""
    lines: list[PaperLine] = []
    if document.get("first_receipt_no") is not None:
        numbers = f"{document['first_receipt_no']:06d} - {document['last_receipt_no']:06d}"
        lines += pair(say.pgettext("paper", "Receipts"), numbers, columns)
    labels = {
        "rounding": say("Cash rounding"), "offers": say.pgettext("paper", "Promotions"),
        "by_hand": say("Manual discounts"), "overrides": say("Changed prices"),
        "deposits": say("Deposits"), "empties": say("Empties"),
        "vouchers_issued": say("Vouchers issued"),
    }  # fmt: skip
    for name, label in labels.items():
        if minor := document.get(f"{name}_minor"):
            lines += pair(label, say.amount(minor, currency), columns)
    return lines


def _apart(document: dict[str, Any], say: Language, currency: str, columns: int) -> list[PaperLine]:
    """Return what was taken for tabs and orders by tender, and with the sales all that each tender brought."""
    if not (in_all := document.get("in_all")):
        return []
    lines: list[PaperLine] = []
    labels = {"tabs": say("Tabs repaid"), "orders": say("Prepaid orders")}
    for kind, sums in document["apart"].items():
        lines += [PaperLine(labels[kind], bold=True)] if sums else []
        for tender, minor in sums.items():
            lines += indented(tender_word(tender, say), say.amount(minor, currency), columns)
    lines.append(PaperLine(say("All payments by tender"), bold=True))
    for tender, minor in in_all.items():
        lines += indented(tender_word(tender, say), say.amount(minor, currency), columns)
        if by_hand := document.get("typed_in_all", {}).get(tender):
            lines += indented("  " + say("including typed slips"), say.amount(by_hand, currency), columns)
    return lines


def _top_categories(document: dict[str, Any], say: Language, currency: str, columns: int) -> list[PaperLine]:
    """Return the sales of each category, the largest first; nothing where there are not several."""
    rows = document.get("top_categories") or []
    if len(rows) < 2:
        return []
    lines = [RULE, PaperLine(say("Sales by category"), bold=True)]
    for name, minor in rows:
        lines += indented(name or say("Other"), say.amount(minor, currency), columns)
    return lines


def _drawer(document: dict[str, Any], say: Language, currency: str, columns: int) -> list[PaperLine]:
    """Return what moved in the drawer, how the count came out, and who answers for it."""
    lines = (
        [PaperLine(text) for text in wrap(say("Cash is shown after the count."), columns)]
        if document.get("blind")
        else []
    )
    for kind, minor in document.get("cash", {}).items():
        lines += indented(code_word(CASH, kind, say), say.amount(minor, currency), columns)
        for who, at, dropped_minor in document.get("drops", ()) if kind == "drop" else ():
            lines += indented(
                f"  {say.time(dt.time.fromisoformat(at[-5:]))} {who}", say.amount(dropped_minor, currency), columns
            )
    lines += [PaperLine(say("Cash out above drawer total"), bold=True)] if document.get("beyond") else []
    for who, at, kind, minor in document.get("beyond", ()):
        lines += indented(
            f"{say.time(dt.time.fromisoformat(at[-5:]))} {who}, {code_word(CASH, kind, say)}",
            say.amount(-minor, currency),
            columns,
        )
    lines += _count(document, say, currency, columns)
    if document.get("why"):
        lines += [PaperLine(text) for text in wrap(say("Reason") + f": {document['why']}", columns)]
    for name, label in (("agreed_by", say("Approved by")), ("parked_count", say("Still on hold"))):
        if document.get(name):
            lines += pair(label, str(document[name]), columns)
    return lines


def _count(document: dict[str, Any], say: Language, currency: str, columns: int) -> list[PaperLine]:
    lines: list[PaperLine] = []
    for name, label in (("expected", say("Cash expected")), ("counted", say("Cash counted"))):
        if document.get(f"{name}_minor") is not None:
            lines += pair(label, say.amount(document[f"{name}_minor"], currency), columns, bold=True)
    if (over_short := document.get("over_short_minor")) is not None:
        over = say.pgettext("paper", "Over") if over_short > 0 else say.pgettext("paper", "Short")
        label = over if over_short else say.pgettext("paper", "Exact")
        lines += pair(label, price(say, abs(over_short), currency), columns, bold=True, wide=2, tall=2)
    if (kept := document.get("kept_minor")) is not None:
        places = {"safe": say("To the safe"), "bank": say("To the bank")}
        lines += pair(say("Stays as float"), say.amount(kept, currency), columns)
        lines += pair(places[document["put_away_to"]], say.amount(document["put_away_minor"], currency), columns)
    return lines


def _at_the_till(document: dict[str, Any], say: Language, currency: str, columns: int) -> list[PaperLine]:
    """Return who sold how much, where several did, who took off how much, and what was done beside selling."""
    lines: list[PaperLine] = []
    several = len(document.get("cashiers") or []) > 1
    labels = {"also_sold": say("Other sales"), "corrections": say("Removed lines")}
    for name, label in ({"cashiers": say("Cashiers")} | labels if several else labels).items():
        if rows := document.get(name):
            lines += [RULE, PaperLine(label, bold=True)]
            for who, count, minor in rows:
                lines += indented(f"{who} ({count})", _seen(minor, currency, say), columns)
    if events := document.get("events"):
        lines += [RULE, PaperLine(say("At the till"), bold=True)]
        for kind, (count, minor) in events.items():
            figures = f"{count} / {say.amount(minor, currency)}" if minor else str(count)
            lines += indented(code_word(EVENTS, kind, say), figures, columns)
    return lines


def _proof(document: dict[str, Any], say: Language, currency: str, columns: int) -> list[PaperLine]:
    """Return what ties a Z to the books: the perpetual total, the end of the journal and the hash of this very Z."""
    if "hash" not in document:
        return []
    seen = document["journal"]
    return [
        RULE,
        *pair(say("Perpetual total"), say.amount(document["perpetual_minor"], currency), columns),
        *pair(say("Journal"), f"{seen['n']} / {_short(seen['hash'])}", columns),
        *pair(say("Z report check code"), _short(document["hash"]), columns),
    ]


def _short(hashed: str) -> str:
    """Return a hash as paper shows it: '9F3A 22C1'."""
    return f"{hashed[:4]} {hashed[4:8]}".upper()
