"""Goods of the network in a store, deliveries that were not as they should be, and what was claimed of them."""

import datetime as dt
import io
from typing import Any

from PIL import Image
from sqlalchemy.orm import Session

from config.nodes.journal import Context
from pos.store import pictures
from supply.facts import Advised
from supply.money import consignment, credit
from supply.network.claims import handling, photos
from supply.orders import network_offers, supplier_returns
from supply.receiving import receiving
from tests.arriving import expect
from tests.store_app.conftest import NOON, STORE
from tests.store_app.office import GOODS, SYSTEM

BY: dict[str, Any] = {"actor": SYSTEM, "at": NOON}
CLAIM, CONTESTED, DELIVERY, LOT = "0" * 25 + "A", "0" * 25 + "B", "D-claimed", "push-1-S01"


def photo(kind: str = "JPEG") -> bytes:
    """Return a picture of a broken something."""
    page = io.BytesIO()
    picture = Image.linear_gradient("L").resize((900, 700)).convert("RGB")
    picture.paste((180, 40, 30), (200, 200, 620, 420))
    picture.save(page, kind)
    return page.getvalue()


def furnish(session: Session, *, booked: bool = True) -> None:
    """Lay in a posted delivery with claims about it, and a lot on sale or return that may go back.

    booked: the goods and what was granted stand in the ledger, which is the network's to write.
    """
    taken_in(session, DELIVERY, {"milk": (24, 22), "tea": (12, 12)}, booked=booked)
    wrong = [("milk", "damaged", 3), ("milk", "short", 2), ("tea", "wrong", 4)]
    asked = handling.ClaimRequest(DELIVERY, wrong, wish="return", words="Three bottles leak.", photos=1)
    handling.file(Context(session, **BY), STORE, asked, id=CLAIM)
    photos.keep(session, STORE, CLAIM, [next(pictures.small(photo(), photos.SIDE))])
    taken_in(session, "D-contested", {"tea": (24, 24)}, booked=booked)
    asked = handling.ClaimRequest("D-contested", [("tea", "expired", 6)], wish="money")
    handling.file(Context(session, **BY), STORE, asked, id=CONTESTED)
    granted = {("tea", "expired"): 2 if booked else 0}
    handling.decide(Context(session, **BY), STORE, CONTESTED, granted, remedy="money", words="Two are over.")
    handling.contest(Context(session, **BY), STORE, CONTESTED, words="All six say May.")
    session.add(offered(LOT, NOON.date() + dt.timedelta(days=1)))
    session.flush()
    taken_in(session, "D-lot", {"tea": (24, 24)}, booked=booked, network_offer_id=LOT)
    consignment.propose_now(Context(session, **BY), STORE, LOT)


def sent_back(session: Session) -> None:
    """Let the store have handed the lot over."""
    found = supplier_returns.return_of(session, STORE, LOT)
    supplier_returns.note_sent(Context(session, **BY), found, {"tea": 24}, by="Ana", sent_at=NOON)


def offered(id: str, until: dt.date | None) -> network_offers.NetworkOffer:
    """Return an offer the store has accepted."""
    return network_offers.NetworkOffer(
        store_id=STORE, id=id, supplier_id="net", sku="tea", name=GOODS["tea"][0], pack_qty=12, pack_cost_minor=2400,
        packs=2, why="Surplus", state="accepted", offered_at=NOON, answer_by=NOON.date(), return_until=until,
        terms={"kind": "surplus", "slot_fee_minor": 500},
    )  # fmt: skip


def taken_in(
    session: Session,
    id: str,
    lines: dict[str, tuple[int, int]],
    supplier_id: str = "net",
    *,
    booked: bool = True,
    **source: str,
) -> None:
    """Let a delivery be posted. lines: sku -> (advised, counted); source: network_offer_id or order_id."""
    advised = [Advised(sku, GOODS[sku][0], 12, qty) for sku, (qty, _counted) in lines.items()]
    expect(session, STORE, id, supplier_id, advised, at=NOON, **source)
    receiving.begin_count(Context(session, **BY), STORE, id)
    for sku, (qty, counted) in lines.items():
        receiving.count_line(Context(session, **BY), STORE, id, sku, counted, why="" if qty == counted else "Missing")
    posted = receiving.post(Context(session, **BY), STORE, id)
    if booked:
        credit.charge_delivery(Context(session, **BY), posted)
