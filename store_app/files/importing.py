"""Bring in a file (CSV, XLSX, Parquet, a plug-in's; a calendar); all or nothing.

Goods, stock, sales, people, prices or surroundings.

Rules
-----
1. Nothing is written while one row has a fault; every fault names row, column and what is expected (I32).
2. Cells are text until a column's own rule reads them, so that leading zeros stay and no fraction is rounded.
3. A table's row number is the spreadsheet's: the heading is row 1.
4. What is wrong is said in the reader's language, to a command in its node's (`common.speaking`).
5. Numbers with decimals are read by the mark that their column tells (`marks`), of products another one of the list;
   where none does, Invalid asks for it.
"""

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from config.errors import DomainError, Invalid, NotFound
from config.ids import new_id
from config.nodes.journal import Context
from config.nodes.publication import EVERYONE
from pos.store.store import Store
from store_app.files import (
    calendars,
    customers,
    encodings,
    members,
    network,
    past_sales,
    products,
    suppliers,
    surroundings,
    tables,
)
from store_app.files.cells import Cell, Figure, day, decimal, in_minor, price, text, whole
from store_app.files.sheet import MOST_FAULTS, Fault, Sheet
from store_app.files.tables import MOST_BYTES, Number
from store_app.web import marks
from store_app.words.refusals import sentence_of


def read(
    kind: str, source: Path | bytes, name: str = "", *, today: dt.date | None = None, mark: str = "",
    encoding: str = "", answers: Mapping[str, str] | None = None, **how: Any,
) -> Sheet:  # fmt: skip
    """Read a file of products, stock or sales and check every cell; nothing is written.

    today: from which a calendar of school holidays is looked ahead; without it none is read.
    mark: which of `marks.MARKS` somebody said it is, for columns that do not tell it (rule 5).
    encoding, how: as `files.tables.table` has them; a refusal of a text says how it was read (`encoding`).
    answers: what somebody said of a list of products (`sheet.Sheet.answers`); None: nobody is there to be asked.
    """
    raw = _content(source)
    name = source.name if isinstance(source, Path) else name
    if today is not None and calendars.is_calendar(raw, name.lower()):
        if kind != surroundings.SCHOOL:
            raise Invalid("wrong-columns", "A calendar can only contain school holidays.")
        described, table = calendars.table(raw, today, **{key: how[key] for key in how if key == "limit_s"})
        return _checked(Sheet(kind, described, [], [], is_calendar=True), table, mark)
    (form, read_as), table = tables.table(raw, name.lower(), encoding, **how)
    described = f"{form}, {encodings.ENCODINGS[read_as]}" if read_as else form
    try:
        return _checked(Sheet(kind, described, [], [], encoding=read_as), table, mark, answers)
    except DomainError as refusal:
        refusal.facts["encoding"] = read_as
        raise


def _checked(sheet: Sheet, table: Iterator[list[str]], mark: str, answers: Mapping[str, str] | None = None) -> Sheet:
    """Fill a sheet with a table's rows, and check every cell."""
    kind, is_own = sheet.kind, True
    lines: Iterator[tuple[int, list[str]]] = (
        (number, cells) for number, cells in enumerate(table, 1) if any(cell.strip() for cell in cells)
    )
    required, optional = COLUMNS[kind]
    titles = next(lines, (1, []))[1]
    if kind == "products":
        is_own, titles, lines = products.heading((1, titles), lines)
    if is_own:
        _rows_as_named(sheet, titles, lines)
    else:
        required, optional = products.understand(sheet, titles, lines, answers)
    if not sheet.texts and not sheet.asks:
        raise Invalid("no-rows", "The file has column names but no rows. Choose another file.")
    _write_plainly(sheet, [name for name in sheet.columns if isinstance((required | optional)[name], Figure)], mark)
    for number, row in zip(sheet.numbers, sheet.texts, strict=True):
        sheet.values.append(_values(sheet, number, row, required | optional, frozenset(required)))
    _refuse_twins(sheet)
    return sheet


def _rows_as_named(sheet: Sheet, titles: Sequence[str], lines: Iterator[tuple[int, list[str]]]) -> None:
    """Fill a sheet with the rows of a table that names its columns as we do."""
    kind, (required, optional) = sheet.kind, COLUMNS[sheet.kind]
    words = [re.sub(r"\W+", "_", title.strip().lower()).strip("_") for title in titles]
    heading = [ALSO_CALLED.get(kind, {}).get(word, word) for word in _without_end(words)]
    if missing := [column for column in required if column not in heading]:
        raise Invalid(
            "wrong-columns",
            "The file is missing %(missing)s. Required: %(required)s. Optional: %(optional)s.",
            required=", ".join(required), optional=", ".join(optional), missing=missing,
        )  # fmt: skip
    if twice := sorted({name for name in heading if heading.count(name) > 1 and name in required | optional}):
        raise Invalid("wrong-columns", "The file has the column %(twice)s twice. Keep one.", twice=twice)
    sheet.columns = [name for name in heading if name in required or name in optional]
    for number, cells in lines:
        padded = [*cells, *[""] * (len(heading) - len(cells))]
        sheet.faults += _beyond(number, padded, len(heading))
        sheet.add(number, {name: _tidy(padded[n]) for n, name in enumerate(heading) if name in sheet.columns})


def write(
    ctx: Context, sheet: Sheet, owner_id: str, *, supplier_id: str = "", warehouse_id: str = "", why: str = ""
) -> str:
    """Write a file without faults in the caller's transaction; returns what was done in a sentence.

    owner_id: the store, or '*' for the network's own (`files.network`). supplier_id: whose price list it is.
    warehouse_id, why: which warehouse of the network was counted, and why.
    """
    if sheet.faults:
        raise Invalid(
            "faults", "The file has %(count)s errors. Nothing was saved.", count=len(sheet.faults),
            faults=sheet.faults,
        )  # fmt: skip
    if sheet.kind not in OF_ALL and owner_id != EVERYONE and ctx.session.get(Store, owner_id) is None:
        raise NotFound(
            "unknown-store", "This node has no store %(owner_id)s. Add it first: cornerstore store add.",
            owner_id=owner_id,
        )  # fmt: skip
    from supply.shelf import external_rankings

    lists = {(row["source"], row["day"]) for row in sheet.values} if sheet.kind == "bestsellers" else set()
    for source, listed_on in lists:
        external_rankings.begin(ctx.session, source, listed_on)
    if sheet.kind in surroundings.CELLS:
        surroundings.write(ctx, sheet.kind, sheet.values, owner_id)
    if sheet.kind == "products":
        for place, refusal in products.write(ctx, sheet, owner_id):
            raise _of_row(sheet.numbers[place], refusal) from refusal
    for number, row in zip(sheet.numbers, sheet.values, strict=True) if sheet.kind in _WRITERS else ():
        try:
            if warehouse_id:
                network.count(ctx, row, warehouse_id, why)
            else:
                _WRITERS[sheet.kind](ctx, row, supplier_id or owner_id)
        except DomainError as refusal:
            raise _of_row(number, refusal) from refusal
    for source, listed_on in lists:
        external_rankings.end(ctx.session, source, listed_on)
    if sheet.kind == "sales":
        return _write_sales(ctx, sheet, owner_id)
    return ngettext("%(num)d row imported.", "%(num)d rows imported.", sheet.rows)


def _of_row(number: int, refusal: DomainError) -> DomainError:
    """Return a refusal as what is wrong with a row."""
    column, why = refusal.facts.get("field"), sentence_of(refusal)
    reported = (
        _("Row %(row)s, %(column)s: %(why)s Nothing was saved.", row=number, column=column, why=why)
        if column
        else _("Row %(row)s: %(why)s Nothing was saved.", row=number, why=why)
    )
    return type(refusal)(refusal.code, reported, row=number)


def rehearse(ctx: Context, sheet: Sheet, owner_id: str, *, supplier_id: str = "") -> None:
    """Add every fault that writing a file would meet, row by row, and leave nothing written."""
    trial = ctx.session.begin_nested()
    for number, refusal in _refused(ctx, sheet, supplier_id or owner_id):
        sheet.faults.append(Fault(number, str(refusal.facts.get("field") or "sku"), sentence_of(refusal)))
        if len(sheet.faults) >= MOST_FAULTS:
            break
    trial.rollback()


def _refused(ctx: Context, sheet: Sheet, owner_id: str) -> Iterator[tuple[int, DomainError]]:
    """Write row by row and yield what is refused, by its row."""
    if sheet.kind == "products":
        for place, refusal in products.write(ctx, sheet, owner_id):
            yield sheet.numbers[place], refusal
        return
    for number, row in zip(sheet.numbers, sheet.values, strict=True):
        try:
            with ctx.session.begin_nested():
                _WRITERS[sheet.kind](ctx, row, owner_id)
        except DomainError as refusal:
            yield number, refusal


def supplier_named(session: Session, owner_id: str, said: str) -> str:
    """Return the id of an owner's own supplier by its name or id, or raise NotFound naming those there are.

    The network's need not be named where there is one.
    """
    from supply.orders import supply_routes

    own = [one for one in supply_routes.suppliers_for(session, owner_id) if one.owner_id == owner_id]
    if owner_id == EVERYONE and not said and len(own) == 1:
        return own[0].id
    if owner_id == EVERYONE:
        own += supply_routes.upstream_suppliers(session)
    fitting = [one.id for one in own if said and said.casefold() in (one.id.casefold(), one.name.casefold())]
    if len(fitting) == 1:
        return fitting[0]
    names = [f"{one.name} ({one.id})" if len(fitting) > 1 else one.name for one in own]
    known = _(", ").join(names) or _("none yet")
    raise NotFound("unknown-supplier", _whose_list(owner_id) % {"known": known})


def _whose_list(owner_id: str) -> str:
    if owner_id == EVERYONE:
        return _("Specify the price list's supplier with --supplier. The network's suppliers: %(known)s.")
    return _("Specify the price list's supplier with --supplier. This store's suppliers: %(known)s.")


def look_around(session: Session, sheet: Sheet, owner_id: str = "", *, at: dt.datetime | None = None) -> list[str]:
    """Add the faults a file has beside what is already here, all to be said at once; return what will stay out."""
    if sheet.kind == "members":
        seen: set[str] = set()
        for number, row in zip(sheet.numbers, sheet.values, strict=True):
            sheet.faults += [Fault(number, *reported) for reported in members.beside(session, row, seen)]
    if sheet.kind in surroundings.CELLS and at is not None:
        wrong = surroundings.beside(session, sheet.kind, sheet.values, owner_id, at)
        sheet.faults += [Fault(sheet.numbers[n], *reported) for n, *reported in wrong]
    if sheet.kind == "products" and at is not None:
        return products.plan(session, sheet, owner_id, at).tell(sheet)
    if sheet.kind == "customers" and at is not None:
        for number, row in zip(sheet.numbers, sheet.values, strict=True):
            sheet.faults += [Fault(number, *reported) for reported in customers.beside(session, row, owner_id, at)]
    if sheet.kind == "sales" and at is not None and not sheet.faults:
        return past_sales.stays_out(past_sales.match(session, sheet, owner_id, at=at))
    return []


# --- columns ---


COLUMNS: dict[str, tuple[dict[str, Cell], dict[str, Cell]]] = {
    "products": products.CELLS,
    "bestsellers": (
        {"source": text(40), "day": day, "place": whole(1, 10_000), "name": text(160)},
        {"gtin": text(20)},
    ),
    "stock": ({"sku": text(64), "qty": whole(0, 10_000_000)}, {}),
    "members": members.CELLS,
    "customers": customers.CELLS,
    "suppliers": suppliers.CELLS,
    **surroundings.CELLS,
    "price-list": (
        {"sku": text(64), "pack_qty": whole(1, 1_000_000), "pack_cost": price},
        {"minimum_packs": whole(1, 999), "article_no": text(40), "from_day": day},
    ),
    "sales": (
        {"day": day},
        {
            "sku": text(64), "barcode": text(64), "sold": decimal(-1_000_000, 10_000_000),
            "sales_amount": decimal(-(10**9), 10**9),
            "sold_qty": whole(-1_000_000, 10_000_000), "store_id": text(40), "revenue_minor": whole(-(10**12), 10**12),
            "sales": whole(0, 10_000_000),
        },
    ),
}  # fmt: skip
"""kind -> (needed columns, possible columns), each with what reads its cells."""
ALSO_CALLED = {
    "sales": {
        "business_day": "day", "date": "day", "日期": "day", "product": "sku", "article": "sku", "商品编码": "sku",
        "ean": "barcode", "gtin": "barcode", "条码": "barcode", "quantity": "sold", "qty": "sold", "销量": "sold",
        "数量": "sold", "revenue": "sales_amount", "amount": "sales_amount", "销售额": "sales_amount",
    },
}  # fmt: skip
"""kind -> other programs' names of its columns."""
OF_ALL = ("members", "bestsellers", *surroundings.CELLS)
"""Kinds that need no store at this node."""
TWINS = {
    "products": ("sku",),
    "bestsellers": ("source", "day", "place"),
    "stock": ("sku",),
    "members": ("store_id",),
    "customers": ("name", "phone"),
    "suppliers": ("name",),
    "price-list": ("sku", "from_day"),
    **surroundings.TWINS,
}


def _content(source: Path | bytes) -> bytes:
    if isinstance(source, Path) and not source.is_file():
        raise NotFound("no-such-file", "File %(name)s not found.", name=source)
    size = source.stat().st_size if isinstance(source, Path) else len(source)
    if size > MOST_BYTES:
        raise Invalid("file-too-large", "A file can be up to 20 MB. Split it.")
    return source.read_bytes() if isinstance(source, Path) else source


def _without_end(words: list[str]) -> list[str]:
    """Return a heading without the empty cells at its end: a spreadsheet's rows are as wide as its widest."""
    return words[: max((n for n, word in enumerate(words, 1) if word), default=0)]


def _beyond(number: int, cells: list[str], columns: int) -> list[Fault]:
    """Return a fault for the first cell that stands behind the last column of the heading."""
    from openpyxl.utils import get_column_letter

    full = next((n for n, cell in enumerate(cells[columns:], columns + 1) if cell.strip()), None)
    if full is None:
        return []
    shown = repr(cells[full - 1][:40])
    words = _("%(cell)s has no column name. Add one in the first row, or clear the cell", cell=shown)
    return [Fault(number, get_column_letter(full), words)]


def _tidy(cell: str) -> str:
    return cell if isinstance(cell, Number) else cell.strip()


def _write_plainly(sheet: Sheet, columns: list[str], said: str) -> None:
    """Write the numbers of these columns with a point alone; Invalid where only a person can say how (rule 5)."""
    reported = {
        name: marks.reported(text for row in sheet.texts if not isinstance(text := row[name], Number))
        for name in columns
    }
    if sheet.kind == "products":  # one program wrote them all
        said = said or marks.told(row[name] for row in sheet.texts for name in columns)
    if not said and (unsaid := {name: cell for name, (mark, cell) in reported.items() if not mark}):
        cell = next(iter(unsaid.values()))
        by_point, by_comma = (marks.plain(cell, mark) for mark in marks.MARKS)
        words = _(
            "Column %(columns)s: %(cell)s can be %(point)s or %(comma)s. Choose the decimal mark.",
            columns=", ".join(sheet.titles.get(name, name) for name in unsaid), cell=cell, point=by_point,
            comma=by_comma,
        )  # fmt: skip
        raise Invalid("which-mark", words, columns=list(unsaid), cell=cell, point=by_point, comma=by_comma)
    for name, (mark, _cell) in reported.items():
        for number, row in zip(sheet.numbers, sheet.texts, strict=True):
            if not isinstance(text := row[name], Number) and text:
                plain = marks.plain(text, mark or said)
                if plain is None and (plain := marks.plain(text, marks.OTHER[mark or said])) is not None:
                    words = _("%(cell)s uses a different decimal mark from most of this column", cell=repr(text[:40]))
                    sheet.fault(number, name, words)
                row[name] = text if plain is None else plain


def _values(
    sheet: Sheet, number: int, row: dict[str, str], cells: dict[str, Cell], needed: frozenset[str]
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for column, cell in row.items():
        if not cell:
            if column in needed:
                sheet.fault(number, column, _("is empty"))
            continue
        try:
            values[column] = cells[column](cell)
        except ValueError as fault:
            words = _("%(cell)s is not %(expected)s", cell=repr(cell[:40]), expected=fault)
            sheet.fault(number, column, words)
        except Invalid as refusal:
            sheet.fault(number, column, sentence_of(refusal))
    return values


def _refuse_twins(sheet: Sheet) -> None:
    if sheet.kind not in TWINS or sheet.found is not None:
        return
    seen: dict[tuple[Any, ...], int] = {}
    for number, row in zip(sheet.numbers, sheet.values, strict=True):
        key = tuple(row.get(column) for column in TWINS[sheet.kind])
        if key in seen:
            words = _("is already in row %(row)s", row=seen[key])
            sheet.faults.append(Fault(number, TWINS[sheet.kind][0], words))
        seen.setdefault(key, number)


# --- rows ---


def amount(text: str) -> Decimal:
    """Return an amount as it is typed; Invalid where it is none."""
    try:
        found: Decimal = price(text.strip())
    except ValueError as fault:
        words = _("%(cell)s is not %(expected)s.", cell=repr(text[:40]), expected=fault)
        raise Invalid("bad-price", words) from None
    return found


def _require_product(session: Session, sku: str) -> None:
    from pos.catalogue.catalogue import Product

    if session.get(Product, sku) is None:
        words = _("Product %(sku)s not found. Import the products first.", sku=sku)
        raise NotFound("unknown-product", words, field="sku")


def _write_count(ctx: Context, row: dict[str, Any], store_id: str) -> None:
    from pos.stock import stock

    _require_product(ctx.session, row["sku"])
    stock.count(ctx, store_id, row["sku"], row["qty"], count_id=new_id())


def _write_sales(ctx: Context, sheet: Sheet, owner_id: str) -> str:
    past = past_sales.match(ctx.session, sheet, owner_id, at=ctx.at)
    past_sales.write(ctx, past, sheet)
    said: str = ngettext(
        "%(days)s days of %(num)d product imported.", "%(days)s days of %(num)d products imported.",
        len(past.goods), days=past.days,
    )  # fmt: skip
    return said


def _write_place(ctx: Context, row: dict[str, Any], _store_id: str) -> None:
    from supply.shelf import external_rankings

    external_rankings.add(ctx, row["source"], row["day"], row["place"], row["name"], row.get("gtin", ""))


def _write_pack(ctx: Context, row: dict[str, Any], supplier_id: str) -> None:
    from supply.orders import suppliers

    _require_product(ctx.session, row["sku"])
    owner_id = suppliers.supplier_of(ctx.session, supplier_id).owner_id
    currency, today = network.money_and_day(ctx.session, owner_id, ctx.at)
    cost = in_minor(row["pack_cost"], currency, row["sku"])
    before = ctx.session.get(suppliers.SupplierProduct, (supplier_id, row["sku"]))
    terms: dict[str, Any] = {
        name: row[name] if name in row else getattr(before, name)
        for name in ("minimum_packs", "article_no")
        if name in row or before is not None
    }
    known = suppliers.terms_of(ctx.session, supplier_id, row["sku"], today)
    begins = row.get("from_day") or today
    later = begins > today and known is not None
    if later and known and known.pack_qty != row["pack_qty"]:
        words = _("Another pack size can’t wait for a later day. Import this row on the day it begins.")
        raise Invalid("pack-begins-later", words, field="pack_qty")
    pack = suppliers.CasePack(
        pack_qty=row["pack_qty"], pack_cost_minor=known.pack_cost_minor if later and known else cost,
        valid_from=begins if begins > today and known is None else None, **terms,
    )  # fmt: skip
    suppliers.offer_from_today(ctx, supplier_id, row["sku"], pack, today)
    if later:
        suppliers.set_cost(ctx, supplier_id, row["sku"], cost, begins, today=today)


_WRITERS = {
    "bestsellers": _write_place,
    "stock": _write_count,
    "members": members.write,
    "customers": customers.write,
    "price-list": _write_pack,
    "suppliers": suppliers.write,
}
