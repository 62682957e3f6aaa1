"""Products brought in as a file: of a store, from us or any other program, or at the network's node of everybody.

Rules
-----
1. Our own list has the columns CELLS and counts as it stands; any other is read as `product_columns` and
   `product_rows` say. There a product with a known barcode is the known one, and what has no number gets one.
2. A product that is here already gets the price, and in a store the cost; the network's takes over the whole row. A row
   that changes nothing in a store writes nothing. A new product's price is per piece, kilogram or litre, unless its
   row says otherwise. Columns such as `name_es` add names in other languages.
3. A tax is a class by its id or name, or by its rate. A store makes the class of a rate it has none for; the rate
   behind a word that tells none is asked for (`TAX`; answers: 'tax.GST' -> '15', 'tax.' for products without a tax).
4. A store makes suppliers that it does not know, with the pack and its cost. Stock is laid in of products that never
   moved (`stock.open_stock`), in pieces, kilograms or litres; that of others stays as it was counted.
5. What a row cannot be beside what is here (a code that is none, another product's or another row's, an amount
   finer than the currency, a known product's price for another unit) is told of every row before anything is written:
   `plan` reads, `write` writes.
"""

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import chain, islice
from typing import Any

import sqlalchemy as sa
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from config.errors import Conflict, DomainError, Invalid
from config.ids import new_id
from config.money import BASIS
from config.nodes.journal import Context
from config.nodes.publication import EVERYONE
from config.words import LANGUAGES
from pos.catalogue import assortment, catalogue, new_products
from pos.catalogue.assortment import LONGEST
from pos.catalogue.catalogue import LONGEST_CODE, Barcode, Listing, Price, Product, TaxClass
from pos.catalogue.gs1 import has_digits, is_gtin, spellings
from pos.catalogue.new_products import COLUMNS, NewProduct
from pos.stock import stock
from pos.stock.ledger import StockLevel, StockMovement
from pos.store import countries
from store_app.files import network, product_columns, product_imports, product_rows
from store_app.files.cells import Cell, decimal, in_minor, percents, price, text, unit, whole
from store_app.files.sheet import MOST_FAULTS, TAX, Sheet
from store_app.files.tables import MOST_COLUMNS, MOST_ROWS
from store_app.words import words
from store_app.words.refusals import sentence_of
from supply.orders import suppliers
from supply.orders.suppliers import CasePack, Contact, Supplier, SupplierProduct

MOST_NAMED, MOST_ASKED, MOST_ABOVE = 12, 20, 10
UNTAXED = ("none", "no tax", "tax free", "tax exempt", "exempt", "zero rated", "steuerfrei", "exento", "免税")
"""Where prices usually come without their tax."""
NAMED = ("name", "category", "department")
"""What may have a column for each language (`name_es`)."""
_TEXTS = {column: text(most) for column, most in LONGEST.items()}
CELLS: tuple[dict[str, Cell], dict[str, Cell]] = (
    {"sku": text(64), "name": _TEXTS["name"], "category": _TEXTS["category"], "tax_class": text(60), "price": price},
    {
        "barcode": text(LONGEST_CODE), "brand": _TEXTS["brand"], "department": _TEXTS["department"],
        "pack_text": _TEXTS["pack_text"],
        "stock_unit": unit, "price_quantity": whole(1, 1_000_000), "minimum_age": whole(0, 150),
        "maximum_qty": whole(1, 1_000_000), "shelf_life_days": whole(0, 10_000), "cost": price,
        "stock": decimal(0, 1_000_000), "supplier": text(suppliers.LONGEST["name"]),
        "article_no": text(suppliers.LONGEST["article_no"]), "pack_qty": whole(1, 100_000), "pack_cost": price,
        **{f"{of}_{code}": _TEXTS[of] for of in NAMED for code in LANGUAGES},
    },
)  # fmt: skip


@dataclass
class Plan:
    """What a file would do, row by row (by its place), and what keeps it from that."""

    faults: list[tuple[int, str, str]] = field(default_factory=list)
    """(row number, column, what is wrong)"""
    new: list[tuple[int, NewProduct]] = field(default_factory=list)
    known: list[tuple[int, dict[str, Any], int | None, int | None]] = field(default_factory=list)
    """Rows of products that are here, with price and cost in minor units."""
    called: dict[str, dict[str, str]] = field(default_factory=dict)
    classes: dict[str, tuple[str, int, bool]] = field(default_factory=dict)
    """Tax classes to be made: id -> name, basis points, whether prices include it."""
    untold: list[str] = field(default_factory=list)
    """Taxes whose rate nobody told."""
    offers: dict[str, dict[str, CasePack]] = field(default_factory=dict)
    """Supplier -> what it sells, by SKU."""
    stock: list[tuple[str, int]] = field(default_factory=list)
    new_suppliers: dict[str, str] = field(default_factory=dict)
    """Supplier to be made -> its name."""
    counts: Counter[str] = field(default_factory=Counter)

    def tell(self, sheet: Sheet) -> list[str]:
        """Add faults and questions to a sheet; returns what somebody should know before."""
        for reported in self.faults:
            sheet.fault(*reported)
        sheet.faults.sort(key=lambda fault: fault.row)
        if self.untold:
            sheet.asks[TAX] = self.untold
        return [*sheet.notes, *self._notes()]

    def _notes(self) -> list[str]:
        classes = [
            _("%(name)s (included in prices)", name=name) if inclusive else _("%(name)s (added to prices)", name=name)
            for name, _rate, inclusive in self.classes.values()
        ]
        made = [one for _place, one in self.new]
        said = [
            (len(made), ngettext("%(num)d new product", "%(num)d new products", len(made))),
            (len(self.known), ngettext("%(num)d price or cost will change", "%(num)d prices or costs will change",
                                       len(self.known))),
            (len(classes), _("New tax classes: %(names)s", names=words.few(classes, MOST_NAMED))),
            (len(self.new_suppliers), _("New suppliers: %(names)s",
                                        names=words.few(list(self.new_suppliers.values()), MOST_NAMED))),
            (len(self.stock), ngettext("Opening stock for %(num)d product", "Opening stock for %(num)d products",
                                       len(self.stock))),
            (self.counts["stock-stays"], ngettext(
                "%(num)d product keeps the stock it has here", "%(num)d products keep the stock they have here",
                self.counts["stock-stays"])),
            (self.counts["no-cost"], ngettext(
                "%(num)d product has a supplier but no cost: add it under Suppliers",
                "%(num)d products have a supplier but no cost: add it under Suppliers", self.counts["no-cost"])),
        ]  # fmt: skip
        return [f"{sentence}." for count, sentence in said if count]


# --- reading ---


def heading(
    first: tuple[int, list[str]], lines: Iterator[tuple[int, list[str]]]
) -> tuple[bool, list[str], Iterator[tuple[int, list[str]]]]:
    """Return whether a table is our own list, the names of its columns, and its rows; lines above them are none."""
    head = [first, *islice(lines, MOST_ABOVE)]
    for n, (_number, cells) in enumerate(head):
        is_own = {cell.strip().casefold() for cell in cells} >= set(product_columns.OWN)
        if is_own or product_columns.is_heading(cells):
            return is_own, cells, chain(head[n + 1 :], lines)
    if any(is_gtin(cell.strip()) for cell in first[1]):
        raise Invalid("wrong-columns", "The first row must name the columns. Add one, and choose the file again.")
    return False, first[1], chain(head[1:], lines)


def understand(
    sheet: Sheet, titles: Sequence[str], lines: Iterator[tuple[int, list[str]]], answers: Mapping[str, str] | None
) -> tuple[dict[str, Cell], dict[str, Cell]]:
    """Fill a sheet with the rows of somebody else's list (rule 1); returns what reads its needed and other cells."""
    named = [" ".join(title.split()) for title in titles]
    rows = list(islice(lines, MOST_ROWS + 1))
    if sum(map(bool, named)) < 2:
        raise Invalid(
            "wrong-columns", "This isn't a product list. It needs one column for the name and one for the price."
        )
    if len(named) > MOST_COLUMNS:
        raise Invalid(
            "wrong-columns", "A file can have up to %(most)s rows and %(most_columns)s columns.",
            most=f"{MOST_ROWS:,}", most_columns=MOST_COLUMNS,
        )  # fmt: skip
    if any(len(title) > product_columns.LONGEST_TITLE for title in named):
        raise Invalid(
            "wrong-columns", "A column name can have up to %(most)s characters.", most=product_columns.LONGEST_TITLE
        )
    sample = [cells for _number, cells in rows[: product_columns.LOOKED_AT]]
    found = product_columns.understand(named, sample, answers or {})
    if answers is None and found.asks:
        required, optional = CELLS
        raise Invalid(
            "wrong-columns",
            "The file is missing %(missing)s. Required: %(required)s. Optional: %(optional)s.",
            required=", ".join(required), optional=", ".join(optional),
            missing=[of for of in ("name", "price") if of not in found.of] or found.asks,
        )  # fmt: skip
    sheet.found, sheet.answers, sheet.titles = found, answers or {}, found.named
    sheet.asks = dict.fromkeys(found.asks, found.outlets) if rows else {}
    reading = product_rows.Rows(sheet, found)
    for number, texts in reading.read(rows[: product_columns.LOOKED_AT] if sheet.asks else rows):
        sheet.add(number, texts)
    sheet.notes = reading.notes()
    sheet.columns = [of for of in product_columns.FIELDS if any(row.get(of) for row in sheet.texts)] or ["name"]
    sheet.texts = [{of: row.get(of, "") for of in sheet.columns} for row in sheet.texts]
    required, optional = CELLS
    return {"name": required["name"]}, {of: cell for of, cell in (required | optional).items() if of != "name"}


# --- deciding ---


def plan(session: Session, sheet: Sheet, owner_id: str, at: dt.datetime) -> Plan:
    """Return what a file would do beside what is here and what keeps it from that (rule 5); nothing is written."""
    currency, day = network.money_and_day(session, owner_id, at)
    made, beside = Plan(), _Beside(session, sheet, owner_id, currency, day)
    faulty = {fault.row for fault in sheet.faults}
    for place, (number, said) in enumerate(zip(sheet.numbers, sheet.values, strict=True)):
        row, is_new = beside.identify(said)
        faults = list(beside.faults(number, row, said, is_new=is_new))
        made.faults += faults
        if len(made.faults) >= MOST_FAULTS:
            break
        if not faults and number not in faulty:
            beside.decide(made, place, row, is_new=is_new)
    made.untold = list(beside.taxes.untold)[:MOST_ASKED] if beside.in_store else []
    made.classes = beside.taxes.new
    return made


class _Beside:
    """What is here, and what a row would be beside it."""

    def __init__(self, session: Session, sheet: Sheet, owner_id: str, currency: str, day: dt.date) -> None:
        self.owner_id, self.currency, self.is_own = owner_id, currency, sheet.found is None
        self.in_store, self.answers = owner_id != EVERYONE, sheet.answers
        units = sa.select(Product.sku, Product.stock_unit, Product.price_quantity)
        self.units = {sku: (unit, quantity) for sku, unit, quantity in session.execute(units)}
        for sku in new_products.withdrawn(session, owner_id):
            del self.units[sku]
        self.codes = dict(session.execute(sa.select(Barcode.code, Barcode.sku)).all())
        self.stands = _stands(session, owner_id, day)
        self.taxes = _Taxes(session, owner_id, currency, sheet)
        self.of_skus: dict[str, int] = {}
        self.of_codes: dict[str, int] = {}
        self.moved = _moved(session, owner_id) if "stock" in sheet.columns else set()
        self.suppliers = {
            one.name.casefold(): one for one in session.scalars(sa.select(Supplier).order_by(Supplier.id.desc()))
            if one.owner_id in (EVERYONE, owner_id)
        }  # fmt: skip
        terms = sa.select(SupplierProduct).join(Supplier).where(Supplier.owner_id == owner_id)
        self.terms = {(one.supplier_id, one.sku): one for one in session.scalars(terms)}

    def identify(self, said: dict[str, Any]) -> tuple[dict[str, Any], bool]:
        """Return a row with its product's number, and whether it is a new one (rule 1)."""
        sku, code = said.get("sku", ""), said.get("barcode", "")
        if not self.is_own and sku not in self.units:
            sku = next((self.codes[one] for one in spellings(code) if one in self.codes), "") or sku or code
            if not sku and self.in_store and said.get("name"):
                sku = assortment.sku_for(self.owner_id, f"import:{said['name']}")
        row = said | {"sku": sku}
        if not self.is_own:
            row.setdefault("category", _("Other"))
        return row, sku not in self.units

    def faults(
        self, number: int, row: dict[str, Any], said: dict[str, Any], *, is_new: bool
    ) -> Iterator[tuple[int, str, str]]:
        """Yield (row number, column, what is wrong) of a row (rule 5)."""
        sku, code = row["sku"], row.get("barcode", "")
        is_read = is_new or not self.in_store  # of the others price and cost alone count (rule 2)
        if not sku and not self.in_store:
            yield number, "sku", _("is empty")
        elif sku and not self.is_own and sku in self.of_skus:
            yield number, "sku" if said.get("sku") else "name", _("is already in row %(row)s", row=self.of_skus[sku])
        self.of_skus.setdefault(sku, number)
        if is_read:
            named = row.get("tax_class", "")
            if self.taxes.of(named) is None and not self.in_store:
                yield number, "tax_class", _no_class(named, [one.id for one in self.taxes.classes])
        if is_read and code and (wrong := self._wrong_code(sku, code)):
            yield number, "barcode", wrong
        if is_read:
            self.of_codes.setdefault(code, number)
        for column in ("price", "cost", "pack_cost"):
            try:
                if not self.in_store and column == "cost":
                    network.refuse_cost(row)
                in_minor(row.get(column, Decimal(0)), self.currency, sku)
            except Invalid as refusal:
                yield number, column, sentence_of(refusal)
        yield from ((number, column, words) for column, words in self._other_unit(row))
        if "stock" in row and self._units(row, row["stock"]) is None:
            yield number, "stock", _("%(stock)s is not a whole number of units", stock=row["stock"])

    def _other_unit(self, row: dict[str, Any]) -> Iterator[tuple[str, str]]:
        """Yield what a row would change of a known product's unit, and why it stays (rule 5)."""
        unit, quantity = self.units.get(row["sku"], (None, None))
        if unit and row.get("stock_unit", unit) != unit:
            yield "stock_unit", _("A product's unit cannot be changed. Add a new product instead.")
        elif quantity and row.get("price_quantity", quantity) != quantity:
            yield "price_quantity", _("The quantity a price is for cannot be changed. Add a new product instead.")

    def _wrong_code(self, sku: str, code: str) -> str:
        """Return what is wrong with a product's barcode, '' for nothing."""
        if has_digits(code) and not is_gtin(code):
            return _("%(code)s is not a barcode: its last digit does not match.", code=code)
        if self.codes.get(code, sku) != sku:
            return _("%(code)s is already the barcode of %(sku)s.", code=code, sku=self.codes[code])
        if code in self.of_codes:
            return _("%(code)s is also the barcode in row %(row)s.", code=code, row=self.of_codes[code])
        return ""

    def decide(self, made: Plan, place: int, row: dict[str, Any], *, is_new: bool) -> None:
        """Add to a plan what a row without a fault does."""
        price_minor, cost_minor = (
            in_minor(row[of], self.currency, row["sku"]) if of in row else None for of in ("price", "cost")
        )
        if is_new or not self.in_store:
            row |= _names(row, made.called)
        if is_new:
            per = {"price_quantity": assortment.UNITS[row.get("stock_unit", "each")]}
            columns = per | {name: row[name] for name in COLUMNS if name in row}
            named = row["sku"], row["name"], row["category"], self.taxes.of(row.get("tax_class", "")) or ""
            made.new.append((place, NewProduct(*named, price_minor, row.get("barcode", ""), cost_minor, columns)))
        elif not self._stands(row["sku"], price_minor, cost_minor):
            if not self.in_store:
                row["tax_class"] = self.taxes.of(row.get("tax_class", ""))
            made.known.append((place, row, price_minor, cost_minor))
        if self.in_store:
            self._lay_in(made, row)
            self._offer(made, row, cost_minor)

    def _stands(self, sku: str, price_minor: int | None, cost_minor: int | None) -> bool:
        """Tell whether a product has this price and cost already; None: the row says none."""
        if sku not in self.stands:
            return price_minor is None and cost_minor is None
        was_minor, cost_was = self.stands[sku]
        return price_minor in (None, was_minor) and cost_minor in (None, cost_was)

    def _factor(self, row: dict[str, Any]) -> int:
        """Return how many stock units a person counts as one: of a kilogram or litre a thousand."""
        unit, _quantity = self.units.get(row["sku"], (row.get("stock_unit", "each"), 1))
        return 1 if unit == "each" else 1000

    def _units(self, row: dict[str, Any], count: Decimal) -> int | None:
        units = count * self._factor(row)
        return int(units) if units == units.to_integral_value() else None

    def _lay_in(self, made: Plan, row: dict[str, Any]) -> None:
        if units := self._units(row, row.get("stock", Decimal(0))):
            if row["sku"] in self.moved:
                made.counts["stock-stays"] += 1
            else:
                made.stock.append((row["sku"], units))

    def _offer(self, made: Plan, row: dict[str, Any], cost_minor: int | None) -> None:
        """Note how the supplier of a row sells it (rule 4); the network's suppliers set their own terms."""
        name = row.get("supplier") or " ".join(self.answers.get("supplier", "").split())
        known = self.suppliers.get(name.casefold())
        if not name or (known is not None and known.owner_id == EVERYONE):
            return
        supplier_id = known.id if known else name.casefold()
        if known is None:
            made.new_suppliers.setdefault(supplier_id, name)
        packed = row.get("pack_qty", 1)
        if "pack_cost" in row:
            cost_minor = in_minor(row["pack_cost"], self.currency, row["sku"])
        elif cost_minor is not None:
            cost_minor *= packed
        if cost_minor is None:
            made.counts["no-cost"] += 1
            return
        pack = CasePack(packed * self._factor(row), cost_minor, article_no=row.get("article_no", ""))
        terms = self.terms.get((supplier_id, row["sku"]))
        if terms is None or (terms.pack_qty, terms.pack_cost_minor) != (pack.pack_qty, pack.pack_cost_minor):
            made.offers.setdefault(supplier_id, {})[row["sku"]] = pack


class _Taxes:
    """Which tax class a word of a file means, those that have to be made, and the words nobody told (rule 3)."""

    def __init__(self, session: Session, owner_id: str, currency: str, sheet: Sheet) -> None:
        query = sa.select(TaxClass).where(TaxClass.owner_id.in_((EVERYONE, owner_id))).order_by(TaxClass.id)
        self.owner_id, self.answers, self.classes = owner_id, sheet.answers, session.scalars(query).all()
        self.free = () if sheet.found is None else UNTAXED
        included = [one.inclusive for one in self.classes]
        self.inclusive = 2 * sum(included) > len(included) if included else not countries.tax_on_top(currency)
        self.new: dict[str, tuple[str, int, bool]] = {}
        self.untold: dict[str, None] = {}
        self._known: dict[str, str | None] = {}

    def of(self, named: str) -> str | None:
        """Return the id of the class a word means; None where nobody told."""
        if named not in self._known:
            self._known[named] = self._find(named)
        return self._known[named]

    def _find(self, named: str) -> str | None:
        for one in self.classes:
            if named and named.casefold() in (one.id.casefold(), one.name.casefold()):
                return one.id
        rate_bp = self._rate(named)
        if rate_bp is None and not named and len(self.classes) == 1:
            return self.classes[0].id
        if rate_bp is None:
            self.untold[named] = None
            return None
        fitting = [one for one in self.classes if one.rate_bp == rate_bp]
        fitting.sort(key=lambda one: one.inclusive != self.inclusive)
        return fitting[0].id if fitting else self._make(named, rate_bp)

    def _rate(self, named: str) -> int | None:
        rates = percents(f"{self.answers.get(f'tax.{named}', '').strip().rstrip('%')}%") or percents(named)
        if not rates and re.fullmatch(r"\d{1,2}(?:\.\d{1,4})?", named, re.ASCII):
            share = Decimal(named)
            rates = [int(share * (BASIS if 0 < share < 1 else 100))]  # a spreadsheet keeps 19 % as 0.19
        if not rates and product_columns.plain(named) in self.free:
            return 0
        return sum(rates) if rates and sum(rates) <= BASIS else None

    def _make(self, named: str, rate_bp: int) -> str | None:
        if self.owner_id == EVERYONE:
            return None
        rate = f"{rate_bp / 100:.2f}".rstrip("0").rstrip(".") + "%"
        label = re.sub(r"\d+(?:[.,]\d+)?\s*[%％]?|[()]", "", named).strip(" +-,;:")
        name = f"{label[:40]} {rate}" if label else _("Tax %(rate)s", rate=rate)
        for class_id, (_name, known_bp, _inclusive) in self.new.items():
            if known_bp == rate_bp:
                return class_id
        taken = {one.id for one in self.classes} | set(self.new)
        class_id = assortment.own_class_id(self.owner_id, name, taken)
        self.new[class_id] = (name, rate_bp, self.inclusive)
        return class_id


def _moved(session: Session, store_id: str) -> set[str]:
    """Return the products whose stock is known here: they moved, or there are some (rule 4)."""
    levels = sa.select(StockLevel.sku).where(StockLevel.store_id == store_id, StockLevel.qty != 0)
    moves = sa.select(StockMovement.sku).where(
        StockMovement.store_id == store_id, StockMovement.source_kind != "opening"
    )
    return set(session.scalars(levels)) | set(session.scalars(moves.distinct()))


def _stands(session: Session, owner_id: str, day: dt.date) -> dict[str, tuple[int | None, int | None]]:
    """Return the own price and the cost of what a store sells; of everybody's products nothing."""
    own = sa.and_(Price.sku == Listing.sku, Price.scope_id == Listing.store_id, Price.from_day <= day)
    query = (
        sa.select(Listing.sku, Price.price_minor, Listing.cost_minor)
        .outerjoin(Price, own)
        .where(Listing.store_id == owner_id, Listing.active)
        .order_by(Price.from_day)
    )
    return {sku: (price_minor, cost_minor) for sku, price_minor, cost_minor in session.execute(query)}


def _names(row: dict[str, Any], called: dict[str, dict[str, str]]) -> dict[str, Any]:
    """Return what a row's product is called in other languages; add to called what its category and department are."""
    said = {of: {code: row[f"{of}_{code}"] for code in LANGUAGES if row.get(f"{of}_{code}")} for of in NAMED}
    for of in ("category", "department"):
        if said[of] and row.get(of):
            called.setdefault(row[of], {}).update(said[of])
    return {"names": said["name"]} if said["name"] else {}


def _no_class(named: str, known: Sequence[str]) -> str:
    if not known:
        return _("There is no tax class yet. Add one first: Products, Taxes.")
    there = words.few(known, MOST_NAMED)
    return _("Tax class %(named)s not found. Available: %(known)s.", named=named, known=there)


# --- writing ---


def write(ctx: Context, sheet: Sheet, owner_id: str) -> Iterator[tuple[int, DomainError]]:
    """Write a file's products and all that comes with them; new ones all at once.

    Yields the place of each row that is refused, and why; nothing of this transaction may then be kept.
    """
    made = plan(ctx.session, sheet, owner_id, ctx.at)
    if made.untold or sheet.asks:
        raise Invalid("unanswered", "Answer the question about the file first. Nothing was saved.")
    for number, column, why in made.faults:
        yield sheet.numbers.index(number), Conflict("row-fault", why, field=sheet.titles.get(column, column))
    if made.faults:
        return
    _currency, day = network.money_and_day(ctx.session, owner_id, ctx.at)
    undoing = product_imports.Before(new_id(), sheet.described)
    for class_id, (name, rate_bp, inclusive) in made.classes.items():
        assortment.set_tax_class(ctx, class_id, name, rate_bp, inclusive=inclusive, owner_id=owner_id)
    ctx.session.flush()
    for place, row, price_minor, cost_minor in made.known:
        try:
            undoing.keep_price(ctx.session, owner_id, row["sku"], day)
            _renew(ctx, row, owner_id, price_minor, cost_minor, day)
        except DomainError as refusal:
            yield place, refusal
    for name, names in made.called.items():
        catalogue.name_category(ctx, name, names, owner_id=owner_id)
    fresh = [one for _place, one in made.new]
    refused = list(new_products.refusals(ctx.session, fresh, owner_id=owner_id))
    yield from ((made.new[place][0], why) for place, why in refused)
    if refused:
        return
    new_products.add(ctx, fresh, day, owner_id=owner_id)
    undoing.new = [one.sku for one in fresh]
    if owner_id != EVERYONE:
        _supply(ctx, made, owner_id, undoing)
        product_imports.record_import(ctx, undoing)


def _supply(ctx: Context, made: Plan, store_id: str, undoing: product_imports.Before) -> None:
    """Make the suppliers, note what they sell, and lay in the stock (rule 4)."""
    ids = {key: suppliers.add_supplier(ctx, store_id, Contact(name)).id for key, name in made.new_suppliers.items()}
    undoing.suppliers = list(ids.values())
    for key, packs in made.offers.items():
        suppliers.take_up(ctx, ids.get(key, key))
        undoing.keep_terms(ctx.session, ids.get(key, key), list(packs))
        suppliers.offer_products(ctx, ids.get(key, key), packs)
    if made.stock:
        stock.open_stock(ctx, store_id, made.stock, source_id=undoing.id)


def _renew(
    ctx: Context, row: dict[str, Any], owner_id: str, price_minor: int | None, cost_minor: int | None, day: dt.date
) -> None:
    sku = row["sku"]
    if owner_id == EVERYONE:
        network.renew_product(ctx, ctx.session.get_one(Product, sku), row)
    if price_minor is not None:
        catalogue.set_price(ctx, sku, price_minor, day, scope_id=owner_id)
    if owner_id != EVERYONE:
        costs = {} if cost_minor is None else {"cost_minor": cost_minor}
        catalogue.list_product(ctx, owner_id, sku, **costs)
