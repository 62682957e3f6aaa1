"""Which transfers the network proposes: neighbours with a place on the map, whose sheets fit together.

Rules
-----
1. Stores with a node of their own, in one currency, whose places are known (`vehicles`); one without a place is left
   out.
2. A product that is in an open transfer of either store waits for that one's end, and then for a sheet of a later day:
   one of the day it was handed over may still want what has come. What a store declined is not proposed to the two of
   them again for AGAIN_DAYS.
3. Stores have ANSWER_DAYS to answer, and FETCH_DAYS to fetch, but not beyond the day before the goods' last day.
4. A store whose credit is held may give and not take: what it takes is on account.
"""

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.ids import new_id
from config.money import exponent
from config.nodes.journal import Context
from pos.catalogue.catalogue import Product
from pos.store.store import Store, day_of
from supply import isolation
from supply.money import credit
from supply.network.routes import vehicles
from supply.network.transfers.sheets import OLDEST_DAYS, TransferSheet, carried, sheets
from supply.network.transfers.transfers import write_proposal
from supply.orders.transfers import OPEN, Transfer, TransferLine

if TYPE_CHECKING:  # numpy is large, and the console's pages do without
    from supply.network.transfers.arithmetic import Match, Sheet, TransferPolicy

ANSWER_DAYS, FETCH_DAYS, AGAIN_DAYS = 1, 3, 14


def propose(ctx: Context) -> list[Transfer]:
    """Propose what stores gain by today, and tell them; returns the proposals, the best first."""
    from supply.network.transfers.arithmetic import matches

    stores = {
        store.id: store for store in ctx.session.scalars(sa.select(Store).where(Store.has_node).order_by(Store.id))
    }
    taken, busy, declined = _before(ctx.session, ctx.at)
    held = credit.held_stores(ctx.session)
    found: list[Match] = []
    for currency in sorted({store.currency for store in stores.values()}):
        mine = [store_id for store_id, store in stores.items() if store.currency == currency]
        today = max(day_of(ctx.session, store_id, ctx.at) for store_id in mine)
        reported = {
            store_id: _may_take(sheet.without(busy.get(store_id, set())), store_id not in held)
            for store_id, sheet in sheets(ctx.session, today).items()
            if store_id in mine
        }
        policy = _policy(currency)
        costs = {sku: terms.pack_cost_minor / terms.pack_qty for sku, terms in carried(ctx.session, today).items()}
        near = _near(ctx.session, sorted(reported), policy.most_metres)
        found += matches(reported, near, costs, today, taken=taken, not_again=declined, policy=policy)
    made = []
    for match in found:
        with isolation.apart(ctx, "transfers", match.giver_id):
            made.append(_written(ctx, match, stores))
    return made


# --- inside ---


def _may_take(sheet: "Sheet", may: bool) -> "Sheet":
    """Leave a store's wants out that may not buy on account now (rule 4)."""
    return sheet if may else replace(sheet, wants={})


def _policy(currency: str) -> "TransferPolicy":
    """Return the policy in a currency's minor units; its own are hundredths."""
    from supply.network.transfers.arithmetic import TransferPolicy

    policy, scale = TransferPolicy(), 10 ** exponent(currency) / 100
    km, least = (max(1, round(minor * scale)) for minor in (policy.a_km_minor, policy.least_minor))
    return replace(policy, a_km_minor=km, least_minor=least)


def _before(
    session: Session, at: dt.datetime
) -> tuple[dict[str, int], dict[str, set[str]], frozenset[tuple[str, str, str]]]:
    """Return how many open transfers each store has, their products by store, and what was declined lately (rule 2)."""
    row, line = Transfer, TransferLine
    lately = sa.and_(row.state == "declined", row.proposed_at > at - dt.timedelta(days=AGAIN_DAYS))
    just_now = sa.and_(row.state == "received", row.received_at > at - dt.timedelta(days=OLDEST_DAYS + 1))
    query = sa.select(row.id, row.giver_id, row.taker_id, row.state, row.received_at, line.sku).join(
        line, line.transfer_id == row.id
    )
    reported_on = dict(session.execute(sa.select(TransferSheet.store_id, TransferSheet.day)).all())
    count: dict[str, set[str]] = {}
    busy: dict[str, set[str]] = {}
    declined = set()
    asked = query.where(sa.or_(row.state.in_(OPEN), lately, just_now))
    for transfer_id, giver, taker, state, received_at, sku in session.execute(asked):
        if state == "declined":
            declined.add((giver, taker, sku))
            continue
        for store in (giver, taker):
            if state == "received" and received_at is not None:
                if day_of(session, store, received_at) >= reported_on.get(store, dt.date.min):
                    busy.setdefault(store, set()).add(sku)
                continue
            busy.setdefault(store, set()).add(sku)
            count.setdefault(store, set()).add(transfer_id)
    return {store: len(ids) for store, ids in count.items()}, busy, frozenset(declined)


def _near(session: Session, ids: list[str], most_metres: int) -> list[tuple[str, str, int]]:
    """Return which stores are near each other, both ways (rule 1)."""
    import numpy as np

    from supply.routing.vehicle_routes import Distances, Spot

    places = vehicles.places_of(session, ids)
    there = [one for one in ids if one in places]
    if len(there) < 2:
        return []
    spots = [Spot(one, places[one].lat_e6 / 1e6, places[one].lon_e6 / 1e6) for one in there]
    metres = Distances(spots, vehicles.legs_between(session, there)).metres
    return [
        (there[giver], there[taker], int(metres[giver, taker]))
        for giver, taker in zip(*np.nonzero(metres <= most_metres), strict=True)
        if giver != taker
    ]


def _written(ctx: Context, match: "Match", stores: dict[str, Store]) -> Transfer:
    day = day_of(ctx.session, match.giver_id, ctx.at)
    terms = carried(ctx.session, day)
    products = {
        one.sku: one
        for one in ctx.session.scalars(sa.select(Product).where(Product.sku.in_([x.sku for x in match.lines])))
    }
    fetch_by = min([day + dt.timedelta(days=ANSWER_DAYS + FETCH_DAYS),
                    *(line.last_day - dt.timedelta(days=1) for line in match.lines if line.last_day)])  # fmt: skip
    found = Transfer(
        id=new_id(), giver_id=match.giver_id, taker_id=match.taker_id, giver_name=stores[match.giver_id].name,
        taker_name=stores[match.taker_id].name, metres=match.metres, state="proposed", proposed_at=ctx.at,
        answer_by=min(day + dt.timedelta(days=ANSWER_DAYS), fetch_by), fetch_by=fetch_by,
        giver_minor=match.giver_minor, taker_minor=match.taker_minor, giver_yes=False, taker_yes=False, why="",
        declined_by="", code_hash="", cost_minor=0,
    )  # fmt: skip
    lines = [
        TransferLine(
            transfer_id=found.id, sku=line.sku, name=products[line.sku].name,
            stock_unit=products[line.sku].stock_unit, price_quantity=products[line.sku].price_quantity, qty=line.qty,
            pack_qty=terms[line.sku].pack_qty, pack_cost_minor=terms[line.sku].pack_cost_minor, last_day=line.last_day,
        )
        for line in match.lines
    ]  # fmt: skip
    write_proposal(ctx, found, lines)
    return found
