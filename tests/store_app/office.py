"""A store's back office with something on every page: goods, an order, a delivery, pickup orders, an offer, a shelf."""

import datetime as dt
import hashlib
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from config.ids import new_id
from config.money import amount_for
from config.nodes.journal import Actor, Context
from pos.catalogue.catalogue import Barcode, Listing, Price, Product, TaxClass, search_text_for
from pos.stock import stock
from supply.demand.history import DailyDemand, RegionalDemand, StoreDay
from supply.online.checkout.order_keys import code_hash, code_of, token_hash
from supply.online.pickup import pickup
from supply.online_facts import OrderLine as PlacedLine
from supply.online_facts import PickupPlaced
from supply.orders.deliveries import Delivery, DeliveryLine
from supply.orders.network_offers import NetworkOffer
from supply.orders.orders import OrderLine, ReplenishmentOrder
from supply.orders.suppliers import Supplier, SupplierProduct
from tests.empty import lasting_folder
from tests.store_app.conftest import NOON, STORE, House, token

SYSTEM = Actor.system("test", STORE)
CUSTOMER_TOKEN = "0123456789abcdefABCDEF"
# sku: name, category, unit, price quantity, price, minimum age, opening stock, sold a day
GOODS: dict[str, tuple[str, str, str, int, int, int | None, int, int]] = {
    "milk": ("Whole milk", "Dairy", "each", 1, 129, None, 9, 6),
    "bread": ("Rye bread", "Bakery", "each", 1, 250, None, 3, 4),
    "apple": ("Apples, red", "Fruit", "gram", 1000, 499, None, 5000, 1800),
    "beer": ("Pale beer 0.5 l", "Drinks", "each", 1, 180, 21, 48, 3),
    "tea": ("绿茶 Green tea", "Drinks", "each", 1, 395, None, 6, 1),
    "soap": ('Soap <b>&amp; "care"</b>', "Household", "each", 1, 199, None, 20, 0),
}
EAN = {"milk": "4006381333931", "bread": "5901234123457"}


def fill(house: House, lay_in: Callable[[House], None] | None = None) -> None:
    """Lay in goods, eight weeks of sales, a supplier, and one of everything that waits for a person.

    A node that is as it was founded becomes a copy of the one that was filled first; lay_in fills it otherwise.
    """
    lay_in = lay_in or _lay_in
    house.doors.database.engine.dispose()  # the last line that closes writes everything into the one file
    before = hashlib.sha256(house.file.read_bytes()).digest(), lay_in
    if before not in _FILLED:
        lay_in(house)
        house.doors.database.engine.dispose()
        _FILLED[before] = lasting_folder() / house.file.name
        shutil.copy(house.file, _FILLED[before])
    shutil.copy(_FILLED[before], house.file)


_FILLED: dict[tuple[bytes, Callable[[House], None]], Path] = {}
"""Filled databases, by what they were before and who filled them."""


def _lay_in(house: House) -> None:
    with house.doors.write() as session:
        goods(session)
        history(session)
        session.add(offer("O1"))
        delivery(session, "D1", [("milk", 24, 12), ("bread", 10, 10), ("apple", 8000, 8000)])
        for number, lines in enumerate(([("milk", 2), ("tea", 1)], [("beer", 2)], [("apple", 500)]), 1):
            arrive(session, f"order-{number:04d}", number, lines)


def goods(session: Session) -> None:
    """Lay in the products, their prices and packs, and what is on hand."""
    session.add(TaxClass(id="food", name="Food", rate_bp=0, inclusive=True))
    session.add(
        Supplier(
            id="net",
            name="Cornerstore Supply",
            kind="network",
            minimum_minor=1000,
            warehouse_id="WH1",
        )
    )
    session.flush()
    for sku, (name, category, unit, quantity, price, age, _on_hand, _sold) in GOODS.items():
        session.add(
            Product(
                sku=sku,
                name=name,
                category=category,
                stock_unit=unit,
                price_quantity=quantity,
                tax_class_id="food",
                minimum_age=age,
                search_text=search_text_for(name, "", category),
            )
        )
        session.flush()
        session.add(Price(sku=sku, from_day=dt.date(2025, 1, 1), price_minor=price))
        session.add(Listing(store_id=STORE, sku=sku))
        pack = 12 if unit == "each" else 5000
        cost = price * pack * 6 // 10 // quantity
        session.add(SupplierProduct(supplier_id="net", sku=sku, pack_qty=pack, pack_cost_minor=cost))
        if sku in EAN:
            session.add(Barcode(code=EAN[sku], sku=sku))
    session.flush()
    opening = [(sku, row[6]) for sku, row in GOODS.items()]
    stock.open_stock(Context(session, SYSTEM, NOON), STORE, opening, source_id="opening")


def history(session: Session, days: int = 56) -> None:
    """Lay in what was sold a day until yesterday, in the store and in its region."""
    for back in range(1, days + 1):
        day = NOON.date() - dt.timedelta(days=back)
        session.add(StoreDay(store_id=STORE, business_day=day, open=True, sales=20, revenue_minor=9000))
        for sku, row in GOODS.items():
            sold, price = row[7] + (row[7] > 0) * (day.weekday() == 5), row[4]
            if not sold:
                continue
            session.add(
                DailyDemand(
                    store_id=STORE,
                    sku=sku,
                    business_day=day,
                    sold_qty=sold,
                    sales=sold,
                    revenue_minor=sold * price // row[3],
                )
            )
            session.add(
                RegionalDemand(
                    region_id="north",
                    sku=sku,
                    business_day=day,
                    sold_qty=4 * sold,
                    stores_open=4,
                    stores_selling=4,
                    revenue_minor=4 * sold * price // row[3],
                )
            )


def proposal(session: Session, order_id: str = "order-P1", order_no: int = 7) -> None:
    """Let a proposal of three lines wait: one urgent, one changed by no one yet, one weighed."""
    today = NOON.date()
    session.add(
        ReplenishmentOrder(
            store_id=STORE,
            id=order_id,
            order_no=order_no,
            supplier_id="net",
            state="proposed",
            order_day=today,
            delivery_day=today + dt.timedelta(days=1),
            next_delivery_day=today + dt.timedelta(days=2),
            cost_minor=0,
            proposed_at=NOON,
            forecast_age_days=0,
        )
    )
    session.flush()
    for sku, packs, why in (
        ("milk", 1, {"per_day": 6.1, "on_hand": 9, "reserved": 2, "on_the_way": 24, "expected": 13.4}),
        ("bread", 2, {"per_day": 4.1, "on_hand": 3, "reserved": 0, "on_the_way": 0, "runs_out_day": today.isoformat()}),
        ("apple", 1, {"per_day": 1830.0, "on_hand": 5000, "reserved": 500, "on_the_way": 0}),
    ):
        product = session.get_one(SupplierProduct, ("net", sku))
        session.add(
            OrderLine(
                store_id=STORE,
                order_id=order_id,
                sku=sku,
                name=GOODS[sku][0],
                pack_qty=product.pack_qty,
                pack_cost_minor=product.pack_cost_minor,
                packs_proposed=packs,
                packs=packs,
                why=why,
            )
        )


def offer(id: str) -> NetworkOffer:
    """Return an offer of the network that waits for an answer."""
    return NetworkOffer(
        store_id=STORE,
        id=id,
        supplier_id="net",
        sku="tea",
        name=GOODS["tea"][0],
        pack_qty=12,
        pack_cost_minor=2400,
        packs=2,
        why="It sells fast in the stores around you.",
        state="offered",
        offered_at=NOON,
        answer_by=NOON.date() + dt.timedelta(days=3),
        return_until=NOON.date() + dt.timedelta(days=30),
    )


def delivery(session: Session, id: str, lines: list[tuple[str, int, int]]) -> None:
    """Let a delivery of (sku, advised, pack) be expected today."""
    session.add(
        Delivery(store_id=STORE, id=id, supplier_id="net", state="expected", expected_day=NOON.date(), advised_at=NOON)
    )
    session.flush()
    for sku, advised, pack in lines:
        session.add(
            DeliveryLine(
                store_id=STORE, delivery_id=id, sku=sku, name=GOODS[sku][0], pack_qty=pack, advised_qty=advised
            )
        )


def arrive(session: Session, id: str, number: int, lines: list[tuple[str, int]], name: str = "Li Wei") -> str:
    """Let an online order arrive as the network sends it; returns the customer's code."""
    code, key = code_of(id, CUSTOMER_TOKEN + id), CUSTOMER_TOKEN + id
    placed = PickupPlaced(
        store_id=STORE,
        order_id=id,
        number=number,
        order_no=f"{STORE}-{number:04d}",
        customer_name=name,
        customer_phone="+1 555 0100",
        code_hash=code_hash(id, code),
        token_hash=token_hash(key),
        currency="USD",
        total_minor=sum(amount_for(qty, GOODS[sku][4], GOODS[sku][3]) for sku, qty in lines),
        placed_at=NOON.isoformat(),
        lines=tuple(PlacedLine(sku, GOODS[sku][0], qty, GOODS[sku][4], GOODS[sku][3]) for sku, qty in lines),
    )
    pickup.arrive(Context(session, SYSTEM, NOON), placed)
    return code


def code_for(id: str) -> str:
    """Return the code the customer of an order shows."""
    return code_of(id, CUSTOMER_TOKEN + id)


def send(client: FlaskClient, address: str, /, *, command_id: str = "", **fields: Any) -> Any:
    """Send a command as its page would, with a token and a command id."""
    return client.post(address, data={"csrf_token": token(client), "command_id": command_id or new_id(), **fields})


def send_seen(client: FlaskClient, address: str, /, *, command_id: str = "", **fields: Any) -> Any:
    """Send a form twice, as its page asks: first its figures are shown, then it is saved with their mark."""
    shown = send(client, address, command_id=command_id, **fields)
    mark = re.search(r'name="seen" value="(\w+)"', shown.text)
    return send(client, address, command_id=command_id, seen=mark[1], **fields) if mark else shown


def words(answer: Any) -> str:
    """Return the text of a page without its marks."""
    text = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", answer.text, flags=re.DOTALL)
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))


def picture_of(house: House) -> str:
    """Return a hash of every row the office may change, to prove that a refusal left nothing behind."""
    from config.database import Base

    digest = hashlib.sha256()
    with house.doors.read() as session:
        driver = session.connection().connection  # straight to it: nothing here is worth its types
        for name in sorted(Base.metadata.tables):
            for row in driver.cursor().execute(f"SELECT * FROM {name}"):
                digest.update(repr((name, row)).encode())
    return digest.hexdigest()
