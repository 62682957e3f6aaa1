"""The dashboard: the network's figures of a period beside those before, by region, store and department."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session

from config.money import BASIS
from pos.reports.figures import change_bp, share_bp
from pos.store.store import Region, usual_currency
from store_app.pages.common import charts, form
from store_app.runtime.doors import doors, read
from store_app.web.days import day_of
from store_app.web.presenting import day, money, page, percent, today
from store_app.web.security import requires
from store_app.words.reports import FIGURES, MEANINGS, NETWORK_FIGURES, PRODUCT_FIGURES
from supply.membership import dashboard, product_classes
from supply.membership.dashboard import Beside, Dashboard, Figures, Part, Period
from supply.replenishment import stockouts

bp = Blueprint("console_dashboard", __name__, url_prefix="/console/dashboard")
LENGTHS, MOST_DAYS = (7, 28, 91), 366
STORES, LACKS, LACK_DAYS, BEST = 20, 8, 3, 50
MONEY: dict[str, Callable[[Figures], int]] = {
    "total_minor": lambda one: one.money.sales_minor, "net_minor": lambda one: one.money.net_minor,
    "margin_minor": lambda one: one.money.margin_minor,
}  # fmt: skip
TO_SAY: dict[str, Callable[[Beside], str]] = {
    "silent": lambda _one: _("no contact"),
    "fell": lambda one: _("sales %(change)s", change=percent(one.change_bp, 0, plus=True)),
    "empty": lambda one: _("out of stock %(share)s", share=percent(one.now.out_of_stock_bp, 0)),
    "wasted": lambda one: _("waste %(share)s", share=percent(one.now.waste_bp, 1)),
    "unfilled": lambda one: _("fill rate %(share)s", share=percent(one.now.fill_bp, 0)),
}
"""Why a store needs somebody, in a word or two."""


@dataclass(frozen=True)
class Asked:
    """What the address asks for. own: the days were chosen one by one."""

    period: Period
    region_id: str | None
    is_year: bool
    own: bool

    def address(self, endpoint: str = ".overview", **more: Any) -> str:
        """Return the address of the same question with something else in it."""
        said: dict[str, Any] = {"days": self.days, "before": "year" if self.is_year else None, "region": self.region_id}
        if self.own:
            said |= {"days": None, "from": self.period.first_day, "to": self.period.last_day}
        return url_for(endpoint, **said | more)

    @property
    def days(self) -> int:
        """How many days the period has."""
        return (self.period.last_day - self.period.first_day).days + 1


@bp.get("/")
@requires("network.look")
def overview() -> Response:
    """Show the figures of a period."""
    with read() as session:
        asked = _asked(session)
        if asked is None:
            return page("console/dashboard.html", asked=None)
        found = dashboard.look(session, asked.period, asked.region_id, at=doors().now())
        departments = dashboard.departments(session, asked.period, asked.region_id)
        trend = dashboard.days(session, asked.period, asked.region_id)
        regions = [one.id for one in found.regions if asked.region_id in (None, one.id)]
        seen_at, lacks = stockouts.runs_out(
            session, regions, days=LACK_DAYS, today=doors().now().date(),
            warehouses=stockouts.warehouses(session, regions),
        )  # fmt: skip
        currency = usual_currency(session)
    return page(
        "console/dashboard.html",
        asked=asked, lengths=[(one, ngettext("%(num)d day", "%(num)d days", one)) for one in LENGTHS],
        cards=_cards(found.total, currency), meanings=_meanings(), found=found, departments=departments,
        stores=form.paged(found.stores, STORES), needing=sum(bool(one.needs) for one in found.stores), why=_why,
        names={one.id: one.name for one in found.regions}, ago=_ago(asked.period),
        drawing=_drawing(trend, asked.period, currency), currency=currency, coverage=_coverage(found),
        lacks=lacks[:LACKS], seen_at=seen_at, lack_days=LACK_DAYS,
        page_address=lambda number: asked.address(page=number, _anchor="stores-title"),
    )  # fmt: skip


@bp.get("/department")
@requires("network.look")
def department() -> Response:
    """Show a department's categories and best-selling products in a period."""
    name = form.tidy(request.args.get("name", ""))[: form.WORDS]
    with read() as session:
        asked = _asked(session)
        categories = dashboard.categories(session, asked.period, name, asked.region_id) if asked else []
        products = dashboard.products(session, asked.period, name, asked.region_id) if asked else []
        classes = product_classes.classes(session, asked.period, products, asked.region_id) if asked else {}
        region = session.get(Region, asked.region_id) if asked and asked.region_id else None
        currency = usual_currency(session)
    return page(
        "console/dashboard_department.html",
        name=name, asked=asked, categories=categories, products=products[:BEST], region=region, currency=currency,
        classes=classes, matrix=_matrix(products, classes),
        meanings=_meanings() | {key: (_(word), _(words)) for key, (word, words) in PRODUCT_FIGURES.items()},
        ago=_ago(asked.period) if asked else "",
    )  # fmt: skip


# --- inside ---


def _asked(session: Session) -> Asked | None:
    """Read the address; None while no sales have arrived. What it says that cannot be is passed over."""
    last = dashboard.last_day(session, today())
    if last is None:
        return None
    region_id = request.args.get("region", "")
    is_year = request.args.get("before") == "year"
    first_day, last_day = (day_of(request.args.get(name, "")) for name in ("from", "to"))
    kept = region_id if session.get(Region, region_id) is not None else None
    if first_day and last_day and first_day <= min(last_day, last) and (last_day - first_day).days < MOST_DAYS:
        return Asked(Period.between(first_day, min(last_day, last), year=is_year), kept, is_year, own=True)
    days = next((one for one in LENGTHS if str(one) == request.args.get("days")), 28)
    return Asked(Period.until(last, days, year=is_year), kept, is_year, own=False)


def _ago(period: Period) -> str:
    return ngettext("%(num)d day earlier", "%(num)d days earlier", period.ago_days)


def _meanings() -> dict[str, tuple[str, str]]:
    """Return what each figure is called and means."""
    shared = {name: (_(FIGURES[name]), _(MEANINGS[name])) for name in MONEY}
    return shared | {name: (_(word), _(words)) for name, (word, words) in NETWORK_FIGURES.items()}


def _cards(total: Beside, currency: str) -> list[tuple[str, str, str | None, str]]:
    """Return each figure: its name, itself, its change as a tag (money alone) and what it was before."""
    found: list[tuple[str, str, str | None, str]] = []
    for name, value in MONEY.items():
        now, before = value(total.now), value(total.before)
        change = change_bp(now, before)
        shown = money(now, currency)
        if name == "margin_minor" and total.now.money.margin_bp is not None:
            shown = f"{shown} · {percent(total.now.money.margin_bp, 1)}"
        tag = None if change is None else percent(change, 0, plus=True)
        found.append((name, shown, tag, money(before, currency) if before else ""))
    for name in NETWORK_FIGURES:
        now, before = (getattr(one, name) for one in (total.now, total.before))
        found.append((name, percent(now, 1), None, percent(before, 1) if before is not None else ""))
    return found


def _coverage(found: Dashboard) -> list[str]:
    """Say which stores and sales the figures leave out."""
    said, total = [], found.total.now
    reporting = sum(one.now.reported_days > 0 for one in found.stores)
    if reporting < len(found.stores):
        words = _("Stock, waste and forecast figures cover %(num)d of %(of)d stores: the others have not reported yet.",
                  num=reporting, of=len(found.stores))  # fmt: skip
        said.append(words)
    if total.file_minor and total.money.sales_minor > 0:
        share = percent(share_bp(total.file_minor, total.money.sales_minor), 0)
        said.append(_("%(share)s of sales come from imported history, which has no tax and no cost.", share=share))
    costed = share_bp(total.money.costed_minor, total.money.net_minor)
    if costed is not None and costed < BASIS:
        said.append(_("Margin covers %(share)s of net sales: the rest has no known cost.", share=percent(costed, 0)))
    return said


def _matrix(
    products: Sequence[Part], classes: Mapping[str, tuple[str, str]]
) -> list[tuple[str, int | None, list[int]]]:  # fmt: skip
    """Return of A, B and C the share of sales, and how many products are X, Y, Z and too new to tell."""
    count, sales = Counter(classes.values()), Counter[str]()
    for one in products:
        sales[classes[one.id][0]] += max(0, one.now.sales_minor)
    whole = sum(sales.values())
    return [
        (abc, share_bp(sales[abc], whole), [count[abc, xyz] for xyz in (*product_classes.XYZ, "")])
        for abc in product_classes.ABC
    ] if whole else []  # fmt: skip


def _why(one: Beside) -> list[str]:
    return [TO_SAY[name](one) for name in one.needs]


def _drawing(
    trend: list[tuple[dt.date, int | None, int | None]], period: Period, currency: str
) -> dict[str, Any]:  # fmt: skip
    sales = _meanings()["total_minor"][0]
    now = charts.amounts(sales, [minor for _day, minor, _before in trend], currency)
    before = charts.amounts(_ago(period), [minor for *_day, minor in trend], currency)
    lines = (now, before) if any(minor is not None for *_day, minor in trend) else (now,)
    return charts.drawing(_("Day"), [day(one) for one, *_rest in trend], *lines)
