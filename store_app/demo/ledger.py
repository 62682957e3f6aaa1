"""The weeks before the demonstration begins, in the shops' accounts: goods, payments, shelf money, by the real verbs.

Rules
-----
1. An account that begins at nothing shows nothing. So each live shop has PAST_WEEKS behind it: every week what it
   really sold comes as one invoice at the supplier's cost, is paid when due, and its shelf is paid for.
2. The last week's goods are open, half of them drawn on credit within the limit: something falls due soon.
3. They are made up and say so: the bank's reference reads "practice".
"""

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.ids import NETWORK
from config.money import amount_for
from config.nodes.journal import Actor
from pos.catalogue.catalogue import Product
from store_app.demo.member import Member
from supply.demand.history import DailyDemand
from supply.money import credit, ledger
from supply.money import terms as money_terms
from supply.money.ledger import Booking, Wanted
from supply.orders.suppliers import SupplierProduct

PAST_WEEKS = 6
MOST_LINES = 12
CREDIT_SHARE = 3
"""At most one in so many of the limit is drawn."""
_ACTOR = Actor.system("practice", NETWORK)


def lay_in_past(network: Member, store_id: str, begins: dt.date, opens: dt.datetime) -> int:
    """Write the weeks before a shop's first day into its account; returns how many entries there are then."""
    with network.doors.write() as session:
        terms = money_terms.in_force(session)[1]
        for back in range(PAST_WEEKS, 0, -1):
            gone = dt.timedelta(days=7 * back - 5)
            at, day = opens - gone, begins - gone
            lines = _lines(session, store_id, day)
            half = [lines[1::2], lines[::2]] if back == 1 else [[], lines]
            if sum(line[3] for line in half[0]) * CREDIT_SHARE > credit.available(session, store_id):
                half = [[], lines]
            book = Booking(session, store_id, actor=_ACTOR, at=at)
            for on_credit, some, days in ((True, half[0], terms.free_days), (False, half[1], terms.account_days)):
                if minor := sum(line[3] for line in some):
                    key, due = f"past-{store_id}-{back}{'c' if on_credit else ''}", day + dt.timedelta(days=days)
                    book.invoice(Wanted(key, minor, due, on_credit, None, None, some))
            book.close("invoiced")
            if back > 1 and lines:
                ledger.money_in(
                    session, store_id, sum(line[3] for line in lines), reference=f"practice {day:%Y-%m-%d}",
                    id=f"past-paid-{store_id}-{back}", actor=_ACTOR,
                    at=at + dt.timedelta(days=min(6, terms.account_days)),
                )  # fmt: skip
            if terms.shelf_week_minor:
                week = f"{day.isocalendar().year}-W{day.isocalendar().week:02d}"
                ledger.shelf_paid(session, store_id, terms.shelf_week_minor, week=week, actor=_ACTOR, at=at)
        return len(ledger.entries_of(session, store_id))


def _lines(session: Session, store_id: str, day: dt.date) -> list[list[Any]]:
    """Return what a week's delivery held: what the shop sold most of in the week before, at cost."""
    sold = sa.func.sum(DailyDemand.sold_qty)
    rows = session.execute(
        sa.select(DailyDemand.sku, Product.name, SupplierProduct.pack_cost_minor, SupplierProduct.pack_qty, sold)
        .join(Product, Product.sku == DailyDemand.sku)
        .join(SupplierProduct, SupplierProduct.sku == DailyDemand.sku)
        .where(
            DailyDemand.store_id == store_id,
            DailyDemand.business_day.between(day - dt.timedelta(days=7), day - dt.timedelta(days=1)),
        )
        .group_by(DailyDemand.sku, Product.name, SupplierProduct.pack_cost_minor, SupplierProduct.pack_qty)
        .order_by(sold.desc(), DailyDemand.sku)
        .limit(MOST_LINES)
    )
    return [[sku, name, int(qty), amount_for(int(qty), cost, pack)] for sku, name, cost, pack, qty in rows if qty > 0]
