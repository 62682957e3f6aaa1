"""Members brought in as a file: one row a store, founded at the network with its tills and, where known, its place.

Rules
-----
1. A row is a store that is not here yet: a number or an address in use is a fault of its row.
2. A store is founded as `cornerstore store add` does it; it joins by a code of its own (`cornerstore store invite`).
3. A place has both coordinates or none; it is marked as imported.
4. sales_amount: what the store says it takes on a usual day (`supply.demand.stated_sales`), in the store's currency.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.ids import is_store_id
from config.money import exponent
from config.nodes.journal import Context, record
from pos.store.store import LONGEST_NAME, Store, found_store
from store_app.files.cells import in_minor, price, spoken
from supply.orders import suppliers

MOST_TILLS = 20


def _id(cell: str) -> str:
    if not is_store_id(cell):
        raise ValueError("a store's number: up to 20 letters and digits, such as S042")
    return cell


def _name(cell: str) -> str:
    if len(cell) > LONGEST_NAME or not cell.isprintable():
        raise ValueError(f"a name of at most {LONGEST_NAME} letters")
    return cell


def _currency(cell: str) -> str:
    if not re.fullmatch(r"[A-Z]{3}", cell):
        raise ValueError("a currency code such as CNY")
    return cell


def _zone(cell: str) -> str:
    try:
        ZoneInfo(cell)
    except (KeyError, ValueError, OSError):
        raise ValueError("a time zone such as Asia/Shanghai") from None
    return cell


def _slug(cell: str) -> str:
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", cell, re.ASCII) or len(cell) > 60:
        raise ValueError("an address of small letters, digits and hyphens, such as harbour-7")
    return cell


def _tills(cell: str) -> int:
    if not re.fullmatch(r"\d{1,2}(\.0)?", cell, re.ASCII) or not 1 <= float(cell) <= MOST_TILLS:
        raise ValueError(f"a whole number from 1 to {MOST_TILLS}")
    return int(float(cell))


def _degrees(most: int) -> Callable[[str], int]:
    def read_degrees(cell: str) -> int:
        if not re.fullmatch(r"-?\d{1,3}(\.\d{1,15})?", cell, re.ASCII) or abs(float(cell)) > most:
            raise ValueError(f"degrees from -{most} to {most}, such as 31.2304")
        return round(float(cell) * 1e6)

    return read_degrees


CELLS: tuple[dict[str, Callable[[str], Any]], dict[str, Callable[[str], Any]]] = (
    {"store_id": _id, "name": _name, "region": _name, "currency": _currency, "tz": _zone},
    {
        "language": spoken, "address": _name, "slug": _slug, "tills": _tills, "lat": _degrees(90),
        "lon": _degrees(180), "sales_amount": price,
    },
)  # fmt: skip
"""Needed columns, possible columns, each with what reads its cells."""


def beside(session: Session, row: dict[str, Any], seen: set[str]) -> Iterator[tuple[str, str]]:
    """Yield (column, what is wrong) of a row beside what is already here and the addresses seen (rules 1, 3)."""
    if (known := session.get(Store, row.get("store_id", ""))) is not None:
        yield "store_id", f"{known.id} is here already: {known.name}"
    if suppliers.is_warehouse(session, row.get("store_id", "")):
        yield "store_id", "is a warehouse's number"
    taken = session.scalar(sa.select(Store.id).where(Store.slug == row.get("slug", "")))
    if taken is not None:
        yield "slug", f"is the address of {taken} already"
    elif "slug" in row and row["slug"] in seen:
        yield "slug", "is the address of another row"
    seen.add(row.get("slug", ""))
    if ("lat" in row) != ("lon" in row):
        yield ("lon" if "lat" in row else "lat"), "is empty: a place has both coordinates or none"
    if "sales_amount" in row and row["sales_amount"].scaleb(places := exponent(row.get("currency", ""))) % 1:
        yield "sales_amount", f"has more than {places} decimals"


def write(ctx: Context, row: dict[str, Any], _node: str) -> None:
    """Found one member (rule 2)."""
    from supply.network.routes import vehicles

    columns: dict[str, Any] = {name: row[name] for name in ("language", "address", "slug") if name in row}
    if "sales_amount" in row:
        columns["usual_sales_minor"] = in_minor(row["sales_amount"], row["currency"])
    tills = tuple((f"T{n}", f"Till {n}") for n in range(1, row.get("tills", 1) + 1))
    columns.setdefault("slug", _free_slug(ctx.session, row["name"], row["store_id"]))
    store = found_store(
        ctx.session, row["store_id"], row["name"], region=row["region"], currency=row["currency"], tz=row["tz"],
        tills=tills, at=ctx.at, **columns,
    )  # fmt: skip
    record(ctx, verb="store.founded", subject=f"store:{store.id}", name=store.name)
    if "lat" in row and "lon" in row:
        vehicles.place(ctx, store.id, row["lat"], row["lon"], source="imported")


def _free_slug(session: Session, name: str, store_id: str) -> str:
    """Return an address made of the name, with the number where another store has it."""
    slug = re.sub(r"\W+", "-", name.casefold()).strip("-") or store_id.casefold()
    used = session.scalar(sa.select(Store.id).where(Store.slug == slug))
    return slug if used is None else f"{slug}-{store_id.casefold()}"
