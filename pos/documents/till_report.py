"""X and Z on paper. Pure: laid out from the report alone, so that a copy is the report of its day."""

from typing import Any

from pos.documents.paper import (
    BLANK,
    CUT,
    RULE,
    PaperLine,
    amount,
    centred,
    copy_mark,
    indented,
    pair,
    price,
    store_head,
    tax_letters,
    tax_table,
    wrap,
)
from pos.documents.words import WORDS


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
    lines = store_head(document["store"], columns, logo=False)
    lines += centred(words["x"] if z_no is None else f"{words['z']} {z_no}", columns, bold=True, wide=2, tall=2)
    lines += copy_mark(copy_no, words, columns)
    lines += pair(words["day"], str(document["business_day"]), columns)
    for word, name in (("by", "opened_by"), ("opened", "opened_at"), ("closed", "closed_at")):
        if document.get(name):
            lines += pair(words[word], str(document[name]), columns)
    if document.get("held_by", document["opened_by"]) != document["opened_by"]:
        lines += pair(words["held_by"], str(document["held_by"]), columns)
    lines += [*pair(document["till_name"], "", columns), RULE]
    lines += _sales(document, words, currency, columns)
    lines += [*_within(document, words, currency, columns), BLANK, PaperLine(words["tenders"], bold=True)]
    for tender, minor in document.get("tenders", {}).items():
        lines += indented(words.get(tender, tender), amount(minor, currency), columns)
        if by_hand := document.get("typed", {}).get(tender):
            lines += indented(f"  {words['typed']}", amount(by_hand, currency), columns)
    lines += _apart(document, words, currency, columns)
    if taxes := document.get("taxes"):
        lines += [RULE, *tax_table(taxes, tax_letters(taxes), words, currency, columns)]
    lines += _top_categories(document, words, currency, columns)
    lines += [RULE, PaperLine(words["drawer"], bold=True), *_drawer(document, words, currency, columns)]
    if document.get("late_count"):
        late = f"{words['late']} ({document['late_count']})"
        lines += pair(late, amount(document.get("late_minor", 0), currency), columns)
    lines += [*_at_the_till(document, words, currency, columns), *_proof(document, words, currency, columns)]
    if z_no is not None:
        lines += [BLANK, BLANK, PaperLine(f"{words['signature']} " + "." * (columns - 12)), BLANK]
    return [*lines, CUT]


# --- inside ---


def _seen(minor: int | None, currency: str) -> str:
    return "" if minor is None else amount(minor, currency)  # None: it is kept from the reader


def _sales(document: dict[str, Any], words: dict[str, str], currency: str, columns: int) -> list[PaperLine]:
    lines: list[PaperLine] = []
    for kind in ("sales", "returns", *(["exchanges"] if document.get("exchanges_count") else [])):
        figures = _seen(document[f"{kind}_minor"], currency)
        lines += pair(f"{words[kind]} ({document[f'{kind}_count']})", figures, columns)
    if (taken := document["total_minor"]) is not None:
        lines += pair(words["sales_amount"], price(taken, currency), columns, bold=True, wide=2, tall=2)
    return lines


def _within(document: dict[str, Any], words: dict[str, str], currency: str, columns: int) -> list[PaperLine]:
    """Return what lies within the sales: rounding, offers, discounts, deposits; nothing that is nought."""
    lines: list[PaperLine] = []
    if document.get("first_receipt_no") is not None:
        numbers = f"{document['first_receipt_no']:06d} - {document['last_receipt_no']:06d}"
        lines += pair(words["receipts"], numbers, columns)
    for word in ("rounding", "offers", "by_hand", "overrides", "deposits", "empties", "vouchers_issued"):
        if minor := document.get(f"{word}_minor"):
            lines += pair(words[word], amount(minor, currency), columns)
    return lines


def _apart(document: dict[str, Any], words: dict[str, str], currency: str, columns: int) -> list[PaperLine]:
    """Return what was taken for tabs and orders by tender, and with the sales all that each tender brought."""
    if not (in_all := document.get("in_all")):
        return []
    lines: list[PaperLine] = []
    for kind, sums in document["apart"].items():
        lines += [PaperLine(words[kind], bold=True)] if sums else []
        for tender, minor in sums.items():
            lines += indented(words.get(tender, tender), amount(minor, currency), columns)
    lines.append(PaperLine(words["in_all"], bold=True))
    for tender, minor in in_all.items():
        lines += indented(words.get(tender, tender), amount(minor, currency), columns)
        if by_hand := document.get("typed_in_all", {}).get(tender):
            lines += indented(f"  {words['typed']}", amount(by_hand, currency), columns)
    return lines


def _top_categories(document: dict[str, Any], words: dict[str, str], currency: str, columns: int) -> list[PaperLine]:
    """Return the sales of each category, the largest first; nothing where there are not several."""
    rows = document.get("top_categories") or []
    if len(rows) < 2:
        return []
    lines = [RULE, PaperLine(words["top_categories"], bold=True)]
    for name, minor in rows:
        lines += indented(name or words["no_top_category"], amount(minor, currency), columns)
    return lines


def _drawer(document: dict[str, Any], words: dict[str, str], currency: str, columns: int) -> list[PaperLine]:
    """Return what moved in the drawer, how the count came out, and who answers for it."""
    lines = [PaperLine(text) for text in wrap(words["blind"], columns)] if document.get("blind") else []
    for kind, minor in document.get("cash", {}).items():
        lines += indented(_cash_word(kind, words), amount(minor, currency), columns)
        for who, at, dropped_minor in document.get("drops", ()) if kind == "drop" else ():
            lines += indented(f"  {at[-5:]} {who}", amount(dropped_minor, currency), columns)
    lines += [PaperLine(words["beyond"], bold=True)] if document.get("beyond") else []
    for who, at, kind, minor in document.get("beyond", ()):
        lines += indented(f"{at[-5:]} {who}, {_cash_word(kind, words)}", amount(-minor, currency), columns)
    lines += _count(document, words, currency, columns)
    if document.get("why"):
        lines += [PaperLine(text) for text in wrap(f"{words['why']}: {document['why']}", columns)]
    for name in ("agreed_by", "parked_count"):
        if document.get(name):
            lines += pair(words[name], str(document[name]), columns)
    return lines


def _cash_word(kind: str, words: dict[str, str]) -> str:
    return words.get("cash_refund" if kind == "refund" else kind, kind)


def _count(document: dict[str, Any], words: dict[str, str], currency: str, columns: int) -> list[PaperLine]:
    lines: list[PaperLine] = []
    for name in ("expected", "counted"):
        if document.get(f"{name}_minor") is not None:
            lines += pair(words[name], amount(document[f"{name}_minor"], currency), columns, bold=True)
    if (over_short := document.get("over_short_minor")) is not None:
        word = "exact" if over_short == 0 else "over" if over_short > 0 else "short"
        lines += pair(words[word], price(abs(over_short), currency), columns, bold=True, wide=2, tall=2)
    return lines


def _at_the_till(document: dict[str, Any], words: dict[str, str], currency: str, columns: int) -> list[PaperLine]:
    """Return who sold how much, where several did, who took off how much, and what was done beside selling."""
    lines: list[PaperLine] = []
    several = len(document.get("cashiers") or []) > 1
    for name in (*(["cashiers"] if several else []), "also_sold", "corrections"):
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
