"""What a store says of itself and may change: what paper shows, where it is, when it is open, its currency.

Rules
-----
1. The network hears of each change but the name's and the currency's by what the store publishes (`storefront`): the
   name stands there beside other stores', and its own books are in that currency.
2. Receipts and reports keep the language, zone and currency they were made with.
3. The time zone changes while every till is closed, and at an hour at which both clocks show the same business day: no
   day of the books is left out, and none that is over begins again.
4. The currency changes until the first amount is on record: a shift, a tab, a voucher, points, an order, a delivery,
   past sales. Prices and costs keep their figures, so the new currency has as many decimals as the old one, or nothing
   has a price yet.
"""

import datetime as dt
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.clock import business_day
from config.errors import Conflict
from config.money import exponent
from config.nodes.journal import Context, record
from pos.catalogue.catalogue import Price
from pos.customers.loyalty import PointsEntry
from pos.customers.tab import TabEntry
from pos.payments.vouchers import Voucher
from pos.stock.delivery_notes import DeliveryNote
from pos.store import countries
from pos.store import store as stores
from pos.store.store import PARTICULARS, Store, refuse_particular, store_of
from pos.till.shift_book import Shift
from supply.demand import forecast_state
from supply.demand.history import StoreDay
from supply.online.storefront import storefront
from supply.orders.orders import ReplenishmentOrder

AMOUNTS = (Shift, TabEntry, Voucher, PointsEntry, StoreDay, ReplenishmentOrder, DeliveryNote)
"""Whose rows hold amounts that stay on record (rule 4)."""
HOURS_TRIED = 24


def change(ctx: Context, store_id: str, **said: str) -> None:
    """Change the name and PARTICULARS, and tell the network (rules 1, 3)."""
    store = store_of(ctx.session, store_id)
    if (tz := said.get("tz", store.tz)) != store.tz:
        _refuse_clock(ctx, store, tz)
        if countries.country_of(tz) != countries.country_of(store.tz):
            forecast_state.forget(ctx.session, [store_id])  # it knows the holidays of another country
    stores.change_particulars(ctx, store_id, **said)
    storefront.send_particulars(ctx, store_id, {name: said[name] for name in PARTICULARS if name in said})


def change_currency(ctx: Context, store_id: str, currency: str) -> None:
    """Trade in another currency from now on, with its smallest coin (rule 4)."""
    store = store_of(ctx.session, store_id)
    if currency == store.currency:
        return
    if has_amounts(ctx.session, store_id):
        raise Conflict(
            "currency-in-use",
            "Amounts in %(currency)s are already on record, so the currency can’t change. To trade in %(wanted)s, set "
            "up a new store and import your products there.",
            field="currency", currency=store.currency, wanted=currency,
        )  # fmt: skip
    if exponent(currency) != exponent(store.currency) and ctx.session.scalar(sa.select(Price.sku).limit(1)):
        raise Conflict(
            "currency-other-decimals",
            "%(wanted)s has a different number of decimals than your %(currency)s. "
            "Set up a new store in %(wanted)s and import your products there.",
            field="currency", currency=store.currency, wanted=currency,
        )  # fmt: skip
    record(ctx, verb="store.currency changed", subject=f"store:{store_id}", before=store.currency, currency=currency)
    store.currency, store.smallest_coin_minor = currency, countries.COINS.get(currency, 1)


def has_amounts(session: Session, store_id: str) -> bool:
    """Tell whether an amount of the store is on record (rule 4)."""
    return any(
        session.scalar(sa.select(sa.literal(1)).select_from(book).where(book.store_id == store_id).limit(1))
        for book in AMOUNTS
    )


# --- inside ---


def _refuse_clock(ctx: Context, store: Store, tz: str) -> None:
    """Refuse another zone while a till is open or the two clocks show two days (rule 3)."""
    refuse_particular("tz", tz)
    open_till = sa.select(Shift.till_id).where(Shift.store_id == store.id, Shift.state != "closed").limit(1)
    if till_id := ctx.session.scalar(open_till):
        raise Conflict(
            "shift-open", "Till %(till)s is open. Close it, then change the time zone.", field="tz", till=till_id
        )
    hours = [ctx.at + dt.timedelta(hours=n) for n in range(HOURS_TRIED)]
    same = [at for at in hours if len({business_day(at, zone, store.rollover_hour) for zone in (store.tz, tz)}) == 1]
    if same[:1] == hours[:1]:
        return
    if not same:
        raise Conflict(
            "no-common-day", "The two time zones never have the same day. Change to one in between first.", field="tz"
        )
    raise Conflict(
        "two-days", "It is a different day there now. You can change the time zone from %(from_time)s.", field="tz",
        from_time=f"{same[0].astimezone(ZoneInfo(store.tz)):%H}:00",
    )  # fmt: skip
