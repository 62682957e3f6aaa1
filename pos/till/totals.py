"""A shift's running totals: what X and Z are laid out from. Pure: no database, no clock, no web.

Rules
-----
1. The totals are one small plain JSON value in the shift's row; every sale adds to them in its own transaction, so
   closing reads no sale however many there were.
2. A function returns new totals and leaves those it was given as they are.
3. The drawer's kinds of movement come from the fact's own cash rows; `with_cash` adds those that belong to no sale.
4. An amount taken back counts negative, so every sum is what is left of the day. An exchange is a sale, as in the
   reports (`pos.reports`), and named within the sales.
5. A price typed over the list's and a label's below it on goods by the piece are counted together, as overrides.
6. What was taken for tabs and orders is no sales of this shift, but money all the same: with the tenders of its sales
   it is all that a tender brought, and a card terminal's own total agrees with that.

Shape (`opening()`): kinds, events: name -> [count, amount]; cashiers, and corrections from the first one:
id -> [name, count, amount]; beyond (from the first one): [who, when, kind, amount] each; tenders, typed (from the first
one), cash, categories, tabs, orders: name -> amount; taxes: 'class|rate_bp' -> [net, tax].
"""

from collections.abc import Sequence
from typing import Any, Protocol

from config.money import amount_for
from pos.facts import SaleCompleted
from pos.payments.tenders import CASH, TAB, TENDERS, VOUCHERS

Totals = dict[str, Any]
FORM = 1
MOST_BEYOND = 50
"""Rows that are named of cash that left the drawer beyond the books."""
APART = ("tabs", "orders")
"""What money is taken for apart from sales."""


class Priced(Protocol):
    """What a sold line tells about its price, in a fact as in the books."""

    @property
    def price_type(self) -> str: ...
    @property
    def stock_unit(self) -> str: ...
    @property
    def qty(self) -> int: ...
    @property
    def list_price_minor(self) -> int | None: ...
    @property
    def unit_price_minor(self) -> int: ...
    @property
    def price_quantity(self) -> int: ...
    @property
    def amount_minor(self) -> int | None: ...


class Taken(Protocol):
    """Money that was taken, or given back below zero."""

    @property
    def tender(self) -> str: ...
    @property
    def amount_minor(self) -> int: ...


def opening() -> Totals:
    """Return the totals of a shift in which nothing has happened."""
    return {
        "form": FORM,
        "kinds": {},
        "lines": 0,
        "tax_minor": 0,
        "rounding_minor": 0,
        "tenders": {},
        "taxes": {},
        "offers_minor": 0,
        "by_hand_minor": 0,
        "overrides": [0, 0],
        "deposits_minor": 0,
        "empties_minor": 0,
        "vouchers_minor": 0,
        "cashiers": {},
        "top_categories": {},
        "tabs": {},
        "orders": {},
        "cash": {},
        "events": {},
        "epoch": None,
        "first_receipt_no": None,
        "last_receipt_no": None,
    }


def with_sale(totals: Totals, fact: SaleCompleted, typed: Sequence[Taken] = ()) -> Totals:
    """Return the totals with one more completed sale, return or exchange.

    typed: what of its money a person says was taken, and no provider.
    """
    after = totals.copy()
    total_minor = fact.total_minor
    after["kinds"] = _counted(totals["kinds"], fact.kind, total_minor)
    _, count, sum_minor = totals["cashiers"].get(fact.cashier_id, ("", 0, 0))
    after["cashiers"] = totals["cashiers"] | {fact.cashier_id: [fact.cashier_name, count + 1, sum_minor + total_minor]}
    after["lines"] += len(fact.lines)
    after["tax_minor"] += fact.tax_minor
    after["rounding_minor"] += fact.rounding_minor
    after["tenders"] = tenders = totals["tenders"].copy()
    for paid in fact.payments:
        tenders[paid.tender] = tenders.get(paid.tender, 0) + paid.amount_minor
    after["taxes"] = taxes = totals["taxes"].copy()
    for row in fact.taxes:
        key = f"{row.tax_class_id}|{row.rate_bp}"
        net_minor, tax_minor = taxes.get(key, (0, 0))
        taxes[key] = [net_minor + row.net_minor, tax_minor + row.tax_minor]
    if fact.cash:
        after["cash"] = cash = totals["cash"].copy()
        for _, kind, amount_minor in fact.cash:
            cash[kind] = cash.get(kind, 0) + amount_minor
    for voucher in fact.vouchers:
        after["vouchers_minor"] += voucher["amount_minor"]
    _add_lines(after, fact)
    if typed:
        after["typed"] = kept = dict(totals.get("typed") or {})
        for taken in typed:
            kept[taken.tender] = kept.get(taken.tender, 0) + taken.amount_minor
    if after["first_receipt_no"] is None:
        after["first_receipt_no"] = fact.receipt_no
    after["last_receipt_no"], after["epoch"] = fact.receipt_no, fact.epoch
    return after


def with_cash(totals: Totals, kind: str, amount_minor: int) -> Totals:
    """Return the totals with a signed movement of the drawer that belongs to no sale: float, drop, pay-in, pay-out."""
    return totals | {"cash": totals["cash"] | {kind: totals["cash"].get(kind, 0) + amount_minor}}


def with_event(totals: Totals, kind: str, amount_minor: int = 0, *, count: int = 1) -> Totals:
    """Return the totals with what was done beside selling: voided, no_sale, reprint, correction, approval ..."""
    return totals | {"events": _counted(totals["events"], kind, amount_minor, count)}


def with_corrections(totals: Totals, staff_id: str, name: str, count: int, value_minor: int) -> Totals:
    """Return the totals with what somebody took off a basket again before it was paid or given up."""
    after = with_event(totals, "correction", value_minor, count=count)
    kept = after.get("corrections") or {}
    _, had, had_minor = kept.get(staff_id, (name, 0, 0))
    return after | {"corrections": kept | {staff_id: [name, had + count, had_minor + value_minor]}}


def with_apart(totals: Totals, kind: str, tender: str, amount_minor: int) -> Totals:
    """Return the totals with money taken apart from sales, or given back (rule 6). kind: one of APART."""
    kept = totals.get(kind)
    return totals if kept is None else totals | {kind: kept | {tender: kept.get(tender, 0) + amount_minor}}


def with_beyond(totals: Totals, row: list[Any]) -> Totals:
    """Return the totals with cash that left the drawer beyond the books: [who, when, kind, amount]."""
    return totals | {"beyond": [*totals.get("beyond", ()), row][:MOST_BEYOND]}


def with_holder(totals: Totals, staff_id: str) -> Totals:
    """Return the totals with one more person who held the drawer."""
    return totals | {"holders": [*totals.get("holders", ()), staff_id]}


def with_override(sums: Sequence[int], line: Priced) -> list[int]:
    """Return [count, amount] of the overrides with a line, where it is one (rule 5)."""
    count, off_minor = sums
    if line.list_price_minor is not None and line.price_type == "override":
        lower_minor = amount_for(line.qty, line.list_price_minor - line.unit_price_minor, line.price_quantity)
        return [count + 1, off_minor + lower_minor]
    labelled = line.price_type == "label" and line.stock_unit != "gram"
    if not labelled or line.list_price_minor is None or line.amount_minor is None:
        return [count, off_minor]
    lower_minor = amount_for(line.qty, line.list_price_minor, line.price_quantity) - line.amount_minor
    return [count + 1, off_minor + lower_minor] if lower_minor * line.qty > 0 else [count, off_minor]


# --- questions ---


def figures(totals: Totals) -> dict[str, Any]:
    """Return the totals as X and Z lay them out: named amounts, and every table in the order of its keys."""
    kinds, events = totals["kinds"], totals["events"]
    sold, back, swapped = (kinds.get(kind, (0, 0)) for kind in ("sale", "return", "exchange"))
    return {
        "sales_count": sold[0] + swapped[0],
        "sales_minor": sold[1] + swapped[1],
        "returns_count": back[0],
        "returns_minor": back[1],
        "exchanges_count": swapped[0],
        "exchanges_minor": swapped[1],
        "total_minor": sum(minor for _, minor in kinds.values()),
        "lines_count": totals["lines"],
        "rounding_minor": totals["rounding_minor"],
        "tax_minor": totals["tax_minor"],
        "first_receipt_no": totals["first_receipt_no"],
        "last_receipt_no": totals["last_receipt_no"],
        "tenders": dict(sorted(totals["tenders"].items())),
        "typed": dict(sorted((totals.get("typed") or {}).items())),
        "apart": {kind: dict(sorted(totals[kind].items())) for kind in APART if totals.get(kind)},
        "in_all": (in_all := _in_all(totals)),
        "typed_in_all": _typed_in_all(totals) if in_all else {},
        "taxes": [_tax(key, *sums) for key, sums in sorted(totals["taxes"].items(), key=_class_and_rate)],
        "cash": dict(totals["cash"]),
        "offers_minor": totals["offers_minor"],
        "by_hand_minor": totals["by_hand_minor"],
        "overrides_count": totals["overrides"][0],
        "overrides_minor": totals["overrides"][1],
        "deposits_minor": totals["deposits_minor"],
        "empties_minor": totals["empties_minor"],
        "vouchers_issued_minor": totals["vouchers_minor"],
        "vouchers_redeemed_minor": _paid_from(totals, VOUCHERS),
        "tab_minor": _paid_from(totals, TAB),
        "cashiers": [list(row) for row in sorted(totals["cashiers"].values())],
        "top_categories": sorted(map(list, (totals.get("top_categories") or {}).items()), key=_most_first),
        "events": {kind: list(row) for kind, row in sorted(events.items())},
        "corrections": [list(row) for row in sorted((totals.get("corrections") or {}).values())],
    }


def others(totals: Totals, opened_by: str) -> list[list[Any]]:
    """Return who sold here without ever holding the drawer: [name, count, amount], by name."""
    held = {opened_by, *totals.get("holders", ())}
    return sorted(list(row) for staff_id, row in totals["cashiers"].items() if staff_id not in held)


# --- inside ---


def _paid_from(totals: Totals, book: str) -> int:
    return sum(totals["tenders"].get(row.name, 0) for row in TENDERS.values() if row.book == book and row.pays)


def _counted(table: dict[str, list[int]], key: str, amount_minor: int, more: int = 1) -> dict[str, list[int]]:
    count, sum_minor = table.get(key, (0, 0))
    return table | {key: [count + more, sum_minor + amount_minor]}


def _add_lines(after: Totals, fact: SaleCompleted) -> None:
    top_categories = after["top_categories"] = after["top_categories"].copy() if "top_categories" in after else None
    for line in fact.lines:
        if top_categories is not None:
            top_categories[line.top_category] = top_categories.get(line.top_category, 0) + line.total_minor
        if line.discount_minor:
            by_hand_minor = line.manual_discount_minor
            after["by_hand_minor"] += by_hand_minor
            after["offers_minor"] += line.discount_minor - by_hand_minor
        if line.kind == "deposit":
            after["empties_minor" if line.price_type == "empties" else "deposits_minor"] += line.total_minor
        else:
            after["overrides"] = with_override(after["overrides"], line)


def _in_all(totals: Totals) -> dict[str, int]:
    """Return all that each tender brought; empty where nothing was taken apart from sales (rule 6)."""
    apart = [totals.get(kind) or {} for kind in APART]
    if not any(apart):
        return {}
    every = [totals["tenders"], *apart]
    return {
        tender: sum(one.get(tender, 0) for one in every) for tender in sorted({name for one in every for name in one})
    }


def _typed_in_all(totals: Totals) -> dict[str, int]:
    """Return what of it no provider took: what is taken apart from sales is typed by hand, or cash."""
    every = [totals.get("typed") or {}, *(totals.get(kind) or {} for kind in APART)]
    tenders = sorted({name for one in every for name in one} - {CASH})
    return {tender: sum(one.get(tender, 0) for one in every) for tender in tenders}


def _tax(key: str, net_minor: int, tax_minor: int) -> dict[str, Any]:
    tax_class_id, _, rate_bp = key.rpartition("|")
    return {
        "tax_class_id": tax_class_id,
        "rate_bp": int(rate_bp),
        "net_minor": net_minor,
        "tax_minor": tax_minor,
        "gross_minor": net_minor + tax_minor,
    }


def _most_first(row: list[Any]) -> tuple[int, str]:
    name, minor = row
    return -minor, name


def _class_and_rate(row: tuple[str, Any]) -> tuple[str, int]:
    tax_class_id, _, rate_bp = row[0].rpartition("|")
    return tax_class_id, int(rate_bp)
