"""What a store sold before it sold here: a file's rows, matched with its products and laid in for its forecasts.

Rules
-----
1. A row names a product by its `sku` or a `barcode` (that of a case counts for what is in it), a day, and what it sold:
   `sold` in pieces, kilograms or litres, or `sold_qty` in stock units. Rows of one product and day are added up; what
   came back lessens a day to nothing, never below.
2. What is no product here is left out and named. Left out are days before those that forecasts look back on, and days
   from the first sale on that was rung up here, from today at the latest: those are told by its own books.
3. The same file again changes nothing; another one puts right what it says again.
"""

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from config import money
from config.errors import Invalid
from config.nodes import journal
from config.nodes.journal import Context
from pos.catalogue.catalogue import Barcode, Product
from pos.sold import Sale
from pos.store.store import Store
from store_app.files import network
from store_app.files.sheet import Fault, Sheet
from store_app.words import words
from supply.demand.history import HISTORY_DAYS, StoreDay

LARGE = 1_000
"""Stock units in what people count by: grams in a kilogram, millilitres in a litre."""
NAMED = 8
Row = tuple[str, str, dt.date, int, int, int]


@dataclass(frozen=True)
class SoldProduct:
    """A product as a file means it."""

    sku: str
    name: str
    stock_unit: str


@dataclass(frozen=True)
class Past:
    """What a file tells.

    rows: as `rollups.import_history` takes them    goods: of these rows, by SKU
    unknown: what is no product here, and in how many rows    own_rows: of days from own_from on, a store's first own
    old_rows: of days before old_until, the first that forecasts look back on
    """

    rows: tuple[Row, ...]
    goods: Mapping[str, SoldProduct]
    unknown: tuple[tuple[str, int], ...]
    own_rows: int
    own_from: dt.date | None
    old_rows: int
    old_until: dt.date

    @property
    def days(self) -> int:
        """Return on how many days something was sold."""
        return len({row[2] for row in self.rows})

    @property
    def first_day(self) -> dt.date:
        return min(row[2] for row in self.rows)

    @property
    def last_day(self) -> dt.date:
        return max(row[2] for row in self.rows)

    def most_sold(self, count: int) -> list[tuple[SoldProduct, float]]:
        """Return the products that sold on most days, and the stock units of such a day in the mean."""
        days, sold = Counter(row[1] for row in self.rows), Counter[str]()
        for row in self.rows:
            sold[row[1]] += row[3]
        ranked = sorted(days, key=lambda sku: (-days[sku], -sold[sku], sku))[:count]
        return [(self.goods[sku], sold[sku] / days[sku]) for sku in ranked]

    def weeks(self) -> list[tuple[dt.date, float]]:
        """Return each week's Monday and what it sold, in pieces, kilograms and litres, idle weeks between too."""
        sums: defaultdict[dt.date, float] = defaultdict(float)
        for _store, sku, day, sold, _revenue, _sales in self.rows:
            sums[day - dt.timedelta(days=day.weekday())] += (
                sold if self.goods[sku].stock_unit == "each" else sold / LARGE
            )
        first, last = min(sums), max(sums)
        mondays = [first + dt.timedelta(weeks=n) for n in range((last - first).days // 7 + 1)]
        return [(monday, sums[monday]) for monday in mondays]


def match(session: Session, sheet: Sheet, owner_id: str, *, at: dt.datetime) -> Past:
    """Find each row's product, day and units; what cannot be right becomes a fault of the sheet."""
    today = network.money_and_day(session, owner_id, at)[1]
    if not {"sku", "barcode"} & set(sheet.columns) or not {"sold", "sold_qty"} & set(sheet.columns):
        words = _("The file needs a column sku or barcode, and a column sold.")
        raise Invalid("wrong-columns", words, field="file")
    known = _Known.of(session, {row.get("store_id") or owner_id for row in sheet.values}, today)
    found: dict[tuple[str, str, dt.date], list[int]] = {}
    unknown: Counter[str] = Counter()
    used: dict[str, SoldProduct] = {}
    own_rows, own_from, old_rows, old_until = 0, None, 0, today - dt.timedelta(days=HISTORY_DAYS)
    for number, row in zip(sheet.numbers, sheet.values, strict=True):
        store_id, day = row.get("store_id") or owner_id, row.get("day")
        faults = _faults(row, store_id, known, today)
        goods, times = known.goods(row)
        if goods is not None and not faults:
            qty, fault = _qty(row, goods)
            faults += fault
        sheet.faults += [Fault(number, column, words) for column, words in faults]
        if faults or day is None:
            continue
        if goods is None:
            unknown[row.get("barcode") or row.get("sku", "")] += 1
            continue
        if day >= known.first_own_day[store_id]:
            own_rows, own_from = own_rows + 1, known.first_own_day[store_id]
            continue
        if day < old_until:
            old_rows += 1
            continue
        used[goods.sku] = goods
        sums = found.setdefault((store_id, goods.sku, day), [0, 0, 0])
        for n, value in enumerate((qty * times, _minor(row, known.currency[store_id]), row.get("sales", 0))):
            sums[n] += value
    rows = tuple(
        (*key, max(0, sold), max(0, minor), max(sales, int(sold > 0))) for key, (sold, minor, sales) in found.items()
    )
    return Past(rows, used, tuple(unknown.most_common()), own_rows, own_from, old_rows, old_until)


def stays_out(past: Past) -> list[str]:
    """Say what of a file stays out, and why (rule 2)."""
    said = []
    if past.unknown:
        listed = words.few([name for name, _rows in past.unknown], NAMED)
        said.append(
            ngettext(
                "%(num)d product in the file is not in your catalog; its rows will be skipped: %(names)s.",
                "%(num)d products in the file are not in your catalog; their rows will be skipped: %(names)s.",
                len(past.unknown), names=listed,
            )
        )  # fmt: skip
    if past.own_from is not None:
        said.append(
            ngettext(
                "%(num)d row skipped: from %(day)s on, the store’s own sales are used.",
                "%(num)d rows skipped: from %(day)s on, the store’s own sales are used.",
                past.own_rows, day=past.own_from.isoformat(),
            )
        )  # fmt: skip
    if past.old_rows:
        said.append(
            ngettext(
                "%(num)d row skipped: forecasts look back only to %(day)s.",
                "%(num)d rows skipped: forecasts look back only to %(day)s.",
                past.old_rows, day=past.old_until.isoformat(),
            )
        )  # fmt: skip
    return said


def write(ctx: Context, past: Past, sheet: Sheet) -> None:
    """Lay the past of a sheet in; Invalid where the sheet has faults, or nothing that could be taken."""
    from supply.demand import rollups

    if sheet.faults:
        count = len(sheet.faults)
        words = ngettext("%(num)d error. Nothing was saved.", "%(num)d errors. Nothing was saved.", count)
        raise Invalid("faults", words, faults=sheet.faults)
    if not past.rows:
        words = _(
            "Nothing in this file can be used: its products are not sold here, your own sales cover its days, or "
            "it is too old."
        )
        raise Invalid("nothing-past", words)
    rollups.import_history(ctx.session, past.rows)
    for store_id in sorted({row[0] for row in past.rows}):
        days = [row[2] for row in past.rows if row[0] == store_id]
        journal.record(
            ctx, verb="sales.brought_in", subject=f"store:{store_id}",
            first=min(days).isoformat(), last=max(days).isoformat(), rows=len(days))  # fmt: skip


# --- inside ---


@dataclass(frozen=True)
class _Known:
    """What this node knows: its products, the codes that lead to them as they are and bare, and its stores."""

    skus: Mapping[str, SoldProduct]
    codes: Mapping[str, tuple[str, int]]
    currency: Mapping[str, str]
    first_own_day: Mapping[str, dt.date]

    @classmethod
    def of(cls, session: Session, store_ids: Collection[str], today: dt.date) -> "_Known":
        columns = (Product.sku, Product.shown, Product.stock_unit)
        skus = {
            row.sku: SoldProduct(*row) for row in session.execute(sa.select(*columns).where(Product.kind == "goods"))
        }
        codes = {
            code: (sku, qty) for code, sku, qty in session.execute(sa.select(Barcode.code, Barcode.sku, Barcode.qty))
        }
        return cls(
            skus, {_bare(code): reported for code, reported in codes.items()} | codes,
            dict(session.execute(sa.select(Store.id, Store.currency)).all()),
            {store_id: _first_own_day(session, store_id, today) for store_id in store_ids},
        )  # fmt: skip

    def goods(self, row: Mapping[str, Any]) -> tuple[SoldProduct | None, int]:
        """Return a row's product, and the stock units its code stands for."""
        reported = row.get("barcode", "")
        code = self.codes.get(reported) or self.codes.get(_bare(reported))
        if code is not None and code[0] in self.skus:
            return self.skus[code[0]], code[1]
        return self.skus.get(row.get("sku", "")), 1


def _first_own_day(session: Session, store_id: str, today: dt.date) -> dt.date:
    """Return the day from which on a store's own books tell (rule 2): also where its first sales were put away."""
    rung = sa.select(Sale.business_day).where(Sale.store_id == store_id, Sale.state == "completed")
    rolled = sa.select(StoreDay.business_day).where(
        StoreDay.store_id == store_id, StoreDay.sales > 0, sa.not_(StoreDay.imported)
    )
    firsts = (session.scalar(query.order_by("business_day").limit(1)) for query in (rung, rolled))
    return min([today, *(day for day in firsts if day is not None)])


def _bare(code: str) -> str:
    """Return a barcode without the zeros before it, by which programs differ."""
    return code.lstrip("0") or code


def _faults(row: Mapping[str, Any], store_id: str, known: _Known, today: dt.date) -> list[tuple[str, str]]:
    faults = []
    if "store_id" not in row and store_id not in known.currency:
        faults.append(("store_id", _("is empty: enter the store in this column")))
    elif store_id not in known.currency:
        faults.append(("store_id", _("Store %(store)s not found.", store=store_id)))
    if not row.get("sku") and not row.get("barcode"):
        faults.append(("sku", _("is empty")))
    if "sold" not in row and "sold_qty" not in row:
        faults.append(("sold", _("is empty")))
    if (day := row.get("day")) is not None and day > today:
        faults.append(("day", _("%(day)s is in the future", day=day.isoformat())))
    return faults


def _qty(row: Mapping[str, Any], goods: SoldProduct) -> tuple[int, list[tuple[str, str]]]:
    """Return the stock units of a row, and what is wrong with them."""
    if "sold_qty" in row:
        return row["sold_qty"], []
    units: Decimal = row["sold"] * (1 if goods.stock_unit == "each" else LARGE)
    if goods.stock_unit == "each" and units != units.to_integral_value():
        return 0, [("sold", _("%(sold)s of %(product)s, which is sold by the unit", sold=units, product=goods.name))]
    return int(units.to_integral_value()), []


def _minor(row: Mapping[str, Any], currency: str) -> int:
    if "sales_amount" in row:
        return int(row["sales_amount"].scaleb(money.exponent(currency)).to_integral_value())
    return int(row.get("revenue_minor", 0))
