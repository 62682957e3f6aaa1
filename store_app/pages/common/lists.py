"""Lists that page, sort, filter, let columns be chosen, are saved as views and leave as files, declared once each.

Rules
-----
1. The address holds all that was chosen: `page`, `sort` (a column's key, falling with `-` before it), `columns`, and
   each filter under its key. What the table does not declare is passed over, and so is a value that a filter does not
   offer; a value that cannot be read is said in a sentence. Nothing of the address becomes SQL.
2. What has no value comes last, rising or falling. Equal rows stand in the table's own order, which ends with what is
   unique, so that a row is on exactly one page.
3. A file (`file=csv`, `xlsx` or a plug-in's) is another answer of the same page: the same permission, filters, order
   and columns, and all rows, MOST at most.
4. A query's first column is what a row is known by: `fill` makes rows of some of them, as many and in their order.
   Rows in memory are sorted by what their columns show.
"""

import datetime as dt
import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask import Response, flash, g, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel.speaklater import LazyString
from flask_sqlalchemy.pagination import Pagination

from config.errors import Invalid, Refused
from pos.store import saved_views
from store_app.files import exporting
from store_app.pages.common import form
from store_app.runtime.doors import acting, db, doors, write
from store_app.web import presenting
from store_app.web.days import day_of
from store_app.words.refusals import sentence_of

ROWS, MOST, AT_ONCE = 50, 50_000, 500
FIGURES, UNTOLD = ("number", "money", "share", "qty"), ("act", "picture")
Choices = Sequence[tuple[Any, ...]]
Fill = Callable[[list[Any]], Sequence[Any]]


@dataclass(frozen=True)
class Column:
    """A column.

    kind: text, plain (as it is), number, money, share, qty (of the row's `stock_unit`), date, time, picture or act. A
    picture is in no file, nor is an act: something to do with the row, which is always there.

    by: what a query is sorted by; without it a query's column cannot be. value: what a row shows, its attribute `key`
    otherwise. look: how it stands in a card (`list-lines`).
    """

    key: str
    label: Any
    kind: str = "text"
    by: Any = None
    value: Callable[[Any], Any] | None = None
    shown: bool = True
    look: str = ""

    @property
    def classes(self) -> str:
        """Its cells' classes."""
        return f"{'number ' if self.kind in FIGURES else ''}{self.look}".strip()

    def of(self, row: Any) -> Any:
        """Return what a row shows."""
        return self.value(row) if self.value else getattr(row, self.key)


@dataclass(frozen=True)
class Filter:
    """A filter. kind: text, choice, chips (each choice a link), date, number or money.

    where: of a value that was read, the condition of a query; of rows in memory, whether one stays. default: what the
    address leaves out. choices: (value, words) or (value, words, how many).
    """

    key: str
    label: Any
    kind: str
    where: Callable[[Any], Any]
    choices: Choices = ()
    default: str = ""
    hint: Any = ""


@dataclass(frozen=True)
class Table:
    """A list. order: by what a query's rows stand otherwise (rule 2). keeps: names of the address that stay.

    name: of its files. below: whether it stands below other things, so that each of its addresses leads down to it.
    """

    name: str
    columns: Sequence[Column]
    filters: Sequence[Filter] = ()
    order: Sequence[Any] = ()
    keeps: Sequence[str] = ()
    rows: int = ROWS
    below: bool = False


@dataclass(frozen=True)
class Shown:
    """What an address asks of a table. file: the answer where a file is asked for."""

    table: Table
    path: str
    asked: dict[str, str]
    """What each filter is set to, as the address says it."""
    sort: str
    columns: list[Column]
    currency: str
    faults: list[str]
    pages: Pagination
    rows: Sequence[Any]
    views: list[saved_views.SavedView] = field(default_factory=list)
    file: Response | None = None

    @property
    def total(self) -> int:
        """How many rows there are on all pages."""
        return self.pages.total or 0

    @property
    def narrowed(self) -> bool:
        """Whether a filter is set."""
        return any(self.asked[one.key] != one.default for one in self.table.filters)

    @property
    def chosen(self) -> list[tuple[str, str]]:
        """What the address says of what was chosen, without the page, as (name, value)."""
        said = [(one.key, self.asked[one.key]) for one in self.table.filters if self.asked[one.key] != one.default]
        kept = [(name, request.args[name]) for name in self.table.keeps if name in request.args]
        columns = [] if self.columns == _usual(self.table) else [("columns", one.key) for one in self.columns]
        return [*kept, *said, *([("sort", self.sort)] if self.sort else []), *columns]

    @property
    def form(self) -> str:
        """Where its forms lead."""
        return self._at([])

    @property
    def everything(self) -> str:
        """The address of this list without filters."""
        return self.address(**dict.fromkeys(self.asked))

    @property
    def here(self) -> str:
        """What an address says of this very page of the list: what its rows' forms carry along."""
        return urlencode([*self.chosen, *([("page", self.pages.page)] if self.pages.page > 1 else [])])

    @property
    def query(self) -> str:
        """What was chosen, as an address writes it."""
        return urlencode(self.chosen)

    def besides(self, *names: str) -> list[tuple[str, str]]:
        """Return what was chosen but for these names: what a form for them carries along."""
        return [one for one in self.chosen if one[0] not in names]

    def address(self, **change: Any) -> str:
        """Return the address of this list with something else in it; None or '' leaves a name out."""
        return self._at(self.besides(*change) + [(name, str(one)) for name, one in change.items() if one])

    def filtered(self, one: Filter, value: str) -> str:
        """Return the address with a filter set to a choice."""
        return self._at(self.besides(one.key) + ([] if value == one.default else [(one.key, value)]))

    def page_address(self, number: int) -> str:
        """Return the address of another page."""
        return self.address(page=number)

    def sorted_by(self, column: Column) -> str:
        """Return how the list is sorted by a column, in `aria-sort`'s words; '' where it is not."""
        return {column.key: "ascending", f"-{column.key}": "descending"}.get(self.sort, "")

    def turned(self, column: Column) -> str:
        """Return the address with the list sorted by a column: rising first, of figures and days the largest first."""
        first, second = (column.key, f"-{column.key}") if column.kind == "text" else (f"-{column.key}", column.key)
        return self.address(sort=second if self.sort == first else first)

    def sortable(self, column: Column) -> bool:
        """Tell whether the list can be sorted by a column."""
        return _sortable(self.table, column)

    @property
    def sorts(self) -> list[tuple[str, str]]:
        """Every order there is, as (value, words)."""
        both = (
            [
                (one.key, _("%(what)s, ascending", what=one.label)),
                (f"-{one.key}", _("%(what)s, descending", what=one.label)),
            ]
            for one in self.table.columns
            if self.sortable(one)
        )
        return [("", _("Usual order")), *itertools.chain.from_iterable(both)]

    def of_view(self, view: saved_views.SavedView) -> str:
        """Return the address of a saved view."""
        return f"{self.path}?{view.query}{self._there}"

    @property
    def forms(self) -> list[tuple[str, str]]:
        """The forms of file there are, as (name, words)."""
        return [("csv", "CSV"), ("xlsx", "XLSX"), *exporting.offered(doors().settings)]

    @property
    def _there(self) -> str:
        return "#list" if self.table.below else ""

    def _at(self, query: list[tuple[str, str]]) -> str:
        return (f"{self.path}?{urlencode(query)}" if query else self.path) + self._there


def show(
    table: Table,
    found: sa.Select[Any] | Sequence[Any],
    fill: Fill | None = None,
    *,
    currency: str | None = None,
    at: str = "",
) -> Shown:
    """Return the rows an address asks of a table, or their file; in an open look. found: its query, or all its rows.

    at: where the list is, if its page answers other addresses too.
    """
    asked, faults = {}, []
    for one in table.filters:
        asked[one.key], value, fault = _asked(one)
        faults += [fault] if fault else []
        if value is not None:
            fits = one.where(value)
            found = found.where(fits) if isinstance(found, sa.Select) else [row for row in found if fits(row)]
    sort = request.args.get("sort", "")
    by = next((one for one in table.columns if one.key == sort.removeprefix("-") and _sortable(table, one)), None)
    found = _sorted(table, found, by, falling=sort.startswith("-"))
    known = set(request.args.getlist("columns")) & {one.key for one in table.columns}
    columns = [one for one in table.columns if _stays(table, one) or one.key in known] if known else _usual(table)
    money = presenting.place().currency if currency is None else currency
    path = at or request.path
    shown = Shown(table, path, asked, sort if by else "", columns, money, faults, form.paged([], 1), [])
    if suffix := request.args.get("file", ""):
        rows = list(db.session.scalars(found.limit(MOST + 1))) if isinstance(found, sa.Select) else found
        return replace(shown, pages=form.paged(rows, 1), file=_file(shown, rows, fill, suffix))
    pages = form.paged(found, table.rows)
    if (actor := g.get("actor")) is not None:
        views = saved_views.of(db.session(), doors().settings.node_id, actor.id, path)
    return replace(shown, pages=pages, rows=fill(pages.items) if fill else pages.items, views=views if actor else [])


def categories(names: Iterable[str]) -> Choices:
    """Return the choices of categories, or of departments, in the reader's words."""
    return [("", _("All categories")), *((one, LazyString(presenting.category, one)) for one in names)]


def keep_view() -> ResponseReturnValue:
    """Save a view of a list under a name, or delete it: what the list's page asks for; the list is where it goes on."""
    there = form.inside(request.form.get("list", ""))
    path, _sign, query = there.partition("#")[0].partition("?")
    if not path:
        raise Invalid("no-list", "Open the list again, then save the view.", field="name")
    with write() as session:
        ctx = acting(session)
        view = saved_views.SavedView(
            node_id=doors().settings.node_id, staff_id=ctx.actor.id, path=path, name=form.text("name"), query=query
        )
        if is_gone := request.form.get("then") == "delete":
            saved_views.delete(session, view)
        else:
            saved_views.save(session, view)
    flash(_("View deleted.") if is_gone else _("View saved. Only you see it."), "good")
    return redirect(there, 303)


# --- inside ---


def _usual(table: Table) -> list[Column]:
    return [one for one in table.columns if one.shown]


def _stays(table: Table, column: Column) -> bool:
    return column is table.columns[0] or column.kind == "act"


def _sortable(table: Table, column: Column) -> bool:
    return column.kind not in UNTOLD and (column.by is not None or not table.order)


def _asked(one: Filter) -> tuple[str, Any, str]:
    """Return what the address says of a filter, the value to filter by, None for none, and what is wrong with it."""
    said = form.tidy(request.args.get(one.key, one.default))[: form.WORDS]
    if one.kind in ("choice", "chips"):
        said = said if any(said == choice[0] for choice in one.choices) else one.default
        return said, said or None, ""
    if not said or one.kind == "text":
        return said, said or None, ""
    try:
        return said, _read(one, said), ""
    except Invalid as fault:
        if "file" in request.args:  # of a file nobody would see what it leaves out
            raise
        return "", None, f"{one.label}: {sentence_of(fault)}"


def _read(one: Filter, said: str) -> Any:
    if one.kind == "number":
        return form.number(said, one.key, least=-form.MOST_QTY)
    if one.kind == "money":
        return form.amount_of(said, one.key, presenting.place().currency)
    if (day := day_of(said)) is None:
        raise Invalid("bad-date", "Enter a date such as 2026-12-31.", field=one.key)
    return day


def _sorted(table: Table, found: Any, by: Column | None, *, falling: bool) -> Any:
    if isinstance(found, sa.Select):
        first = []
        if by is not None:
            key = sa.func.lower(by.by) if by.kind == "text" else by.by
            first = [(key.desc() if falling else key.asc()).nulls_last()]
        return found.order_by(None).order_by(*first, *table.order)
    if by is None:
        return found
    values = [(by.of(row), row) for row in found]
    there = [(str(value).casefold() if by.kind == "text" else value, row) for value, row in values if value is not None]
    there.sort(key=lambda one: one[0], reverse=falling)
    return [row for _value, row in there] + [row for value, row in values if value is None]


def _file(shown: Shown, rows: Sequence[Any], fill: Fill | None, suffix: str) -> Response:
    if len(rows) > MOST:
        raise Refused(
            "too-many-rows-taken", "A file holds up to %(most)s rows. Narrow the list first.", most=f"{MOST:,}"
        )
    parts: Iterable[Sequence[Any]] = (rows[start : start + AT_ONCE] for start in range(0, len(rows), AT_ONCE))
    every = itertools.chain.from_iterable(map(fill, parts) if fill else parts)  # type: ignore[arg-type]
    zone = ZoneInfo(presenting.place().tz)
    columns = [one for one in shown.columns if one.kind not in UNTOLD]
    cells = [[_cell(one, row, shown.currency, zone) for one in columns] for row in every]
    head = [str(one.label) for one in columns]
    name = f"{shown.table.name}-{presenting.today().isoformat()}"
    return exporting.table_answer(doors().settings, suffix, name, head, cells)


def _cell(column: Column, row: Any, currency: str, zone: ZoneInfo) -> exporting.Cell:
    """Return what a row shows as it leaves: instants by this place's clock, weighed goods in kilograms and liters."""
    value = column.of(row)
    if isinstance(value, dt.datetime):
        return value.astimezone(zone).replace(tzinfo=None, microsecond=0)
    if column.kind == "qty" and value is not None and row.stock_unit != "each":
        return Decimal(value).scaleb(-3)
    if column.kind == "text" and value is not None:
        value = str(value)
    return exporting.cell(value, column.kind, currency)
