"""What a practice store is laid out with for a lesson: made with the same verbs as in earnest.

`lay_out` returns the note of the lesson's card: a code, a sum; '' where there is nothing to say. Sums in minor units.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.ids import new_id
from config.money import exponent
from config.nodes.journal import Actor, Context
from pos.catalogue import catalogue
from pos.catalogue.catalogue import Listing, Product, TaxClass
from pos.sale import sale
from pos.sale.sale_request import SaleRequest
from pos.stock import stock
from pos.stock.ledger import CountTask
from pos.store.store import Till, day_of, store_of
from pos.till import shift
from supply.demand.history import DailyDemand, StoreDay
from supply.facts import Advised
from supply.online.checkout.order_keys import code_hash, code_of, new_token, salt_for, token_hash
from supply.online.pickup import pickup
from supply.online_facts import OrderLine, PickupPlaced
from supply.orders.deliveries import Advice, expect
from supply.orders.suppliers import Supplier, SupplierProduct
from supply.replenishment import proposals

SUPPLIER = "practice"
ON_HAND, LOW = 24, 2
PACK = 6
DAYS = 28
OWN_GOODS = (
    ("Whole milk 1 l", "全脂牛奶 1 升", 149), ("Rye bread", "黑麦面包", 299), ("Green tea", "绿茶", 349),
    ("Noodles", "挂面", 229), ("Soap", "香皂", 179), ("Orange juice", "橙汁", 259),
)  # fmt: skip
"""What a store practises with that has no goods yet."""


@dataclass(frozen=True)
class Scene:
    """Where a lesson is laid out. goods: simple goods of the store with their prices, six at most."""

    session: Session
    store_id: str
    learner: Actor
    by: Actor
    at: dt.datetime
    day: dt.date
    goods: tuple[tuple[Product, int], ...]
    language: str

    @property
    def till_id(self) -> str:
        """Return the store's first till."""
        return (
            self.session.scalars(sa.select(Till.id).where(Till.store_id == self.store_id).order_by(Till.id)).first()
            or ""
        )


def lay_out(session: Session, scene: str, store_id: str, learner: Actor, language: str, *, at: dt.datetime) -> str:
    """Lay a practice store out for a scene of `supply.membership.training.SCENES`; returns the card's note."""
    by = Actor.system("practice", store_id)
    day = day_of(session, store_id, at)
    goods = _goods(session, store_id, language, by, day, at)
    on_hand = [(product.sku, LOW if scene == "order" else ON_HAND) for product, _ in goods]
    stock.open_stock(Context(session, by, at), store_id, on_hand, source_id="practice")
    return SCENES[scene](Scene(session, store_id, learner, by, at, day, goods, language))


# --- scenes ---


def _till(scene: Scene) -> str:
    shift.open_shift(Context(scene.session, scene.learner, scene.at), scene.store_id, scene.till_id, _unit(scene) * 100)
    return ""


def _drawer(scene: Scene) -> str:
    """Open the till and sell three times, so that there is something to count."""
    _till(scene)
    for product, _price in scene.goods[:3]:
        lines = [(product.sku, 2)]
        priced = sale.quote(scene.session, scene.store_id, lines, at=scene.at, cash=True).basket
        request = SaleRequest(
            id=new_id(), store_id=scene.store_id, till_id=scene.till_id, lines=lines,
            tenders=[("cash", priced.total_minor)], shown_total_minor=priced.total_minor, age_confirmed=None,
        )  # fmt: skip
        sale.complete(Context(scene.session, scene.learner, scene.at), request)
    found = shift.current(scene.session, scene.store_id, scene.till_id)
    return f"money:{found.expected_minor if found else 0}"


def _delivery(scene: Scene) -> str:
    _supplier(scene)
    lines = [Advised(product.sku, product.name, PACK, PACK * 2) for product, _ in scene.goods[:3]]
    advice = Advice(SUPPLIER, lines, scene.day)
    expect(Context(scene.session, scene.by, scene.at), scene.store_id, new_id(), advice)
    return ""


def _order(scene: Scene) -> str:
    """Let four weeks of sales have been, and propose from them."""
    _supplier(scene)
    for back in range(1, DAYS + 1):
        day = scene.day - dt.timedelta(days=back)
        scene.session.add(
            StoreDay(store_id=scene.store_id, business_day=day, open=True, sales=20, revenue_minor=_unit(scene) * 100)
        )
        for n, (product, price) in enumerate(scene.goods):
            sold = 2 + (n + back) % 3
            scene.session.add(
                DailyDemand(
                    store_id=scene.store_id, sku=product.sku, business_day=day, sold_qty=sold, sales=sold,
                    revenue_minor=sold * price,
                )
            )  # fmt: skip
    scene.session.flush()
    proposals.propose(Context(scene.session, scene.by, scene.at), scene.store_id)
    return ""


def _pickup(scene: Scene) -> str:
    """Let an online order arrive that is paid at the counter, and open the till for it."""
    _till(scene)
    order_id, key = new_id(), new_token()
    lines = tuple(
        OrderLine(product.sku, product.name, 1 + n, price, product.price_quantity)
        for n, (product, price) in enumerate(scene.goods[:2])
    )
    priced = sale.quote(
        scene.session, scene.store_id, [(line.sku, line.qty) for line in lines], at=scene.at, cash=False
    ).basket
    placed = PickupPlaced(
        store_id=scene.store_id, order_id=order_id, number=1, order_no=f"{scene.store_id}-0001",
        customer_name="王芳" if scene.language == "zh" else "Fay Wang", customer_phone="555 0100",
        code_hash=code_hash(salt_for(scene.store_id, scene.at), code_of(order_id, key)), token_hash=token_hash(key),
        currency=store_of(scene.session, scene.store_id).currency, total_minor=priced.total_minor,
        placed_at=scene.at.isoformat(), lines=lines,
    )  # fmt: skip
    pickup.arrive(Context(scene.session, scene.by, scene.at), placed)
    return f"code:{code_of(order_id, key)}"


def _shelf(scene: Scene) -> str:
    for product, _ in scene.goods[:3]:
        scene.session.add(
            CountTask(store_id=scene.store_id, sku=product.sku, reason="below-zero", opened_at=scene.at, done_at=None)
        )
    return ""


SCENES: dict[str, Callable[[Scene], str]] = {
    "till": _till, "drawer": _drawer, "delivery": _delivery, "order": _order, "pickup": _pickup, "shelf": _shelf,
}  # fmt: skip


# --- inside ---


def _goods(
    session: Session, store_id: str, language: str, by: Actor, day: dt.date, at: dt.datetime
) -> tuple[tuple[Product, int], ...]:
    """Return six simple goods of the store with their prices; our own where it has too few."""
    prices = catalogue.prices_on(session, store_id, day)
    query = (
        sa.select(Product)
        .join(Listing, sa.and_(Listing.sku == Product.sku, Listing.store_id == store_id))
        .where(Product.stock_unit == "each", Product.minimum_age.is_(None), Product.sku.in_(list(prices)[:5000]))
        .order_by(Product.sku)
        .limit(len(OWN_GOODS))
    )
    found = [(product, prices[product.sku]) for product in session.scalars(query) if prices[product.sku] > 0]
    if len(found) == len(OWN_GOODS):
        return tuple(found)
    if session.scalar(sa.select(TaxClass.id).limit(1)) is None:
        session.add(TaxClass(id="practice", name="Practice", rate_bp=0, inclusive=True))
        session.flush()
    tax_class_id = session.scalars(sa.select(TaxClass.id).order_by(TaxClass.id)).first() or ""
    top_category = "练习" if language == "zh" else "Practice"
    made = []
    for n, (name, in_chinese, cents) in enumerate(OWN_GOODS, 1):
        sku = f"practice-{n}"
        words = in_chinese if language == "zh" else name
        price = cents * _unit_of(session, store_id) // 100
        ctx = Context(session, by, at)
        product = catalogue.add_product(ctx, sku, words, category=top_category, tax_class_id=tax_class_id)
        catalogue.set_price(ctx, sku, price, day)
        catalogue.list_product(ctx, store_id, sku, quick_key=n)
        made.append((product, price))
    return tuple(made)


def _supplier(scene: Scene) -> None:
    name = "练习供货商" if scene.language == "zh" else "Practice supplier"
    scene.session.add(Supplier(id=SUPPLIER, name=name, kind="own", minimum_minor=0))
    scene.session.flush()
    for product, price in scene.goods:
        scene.session.add(
            SupplierProduct(
                supplier_id=SUPPLIER, sku=product.sku, pack_qty=PACK, pack_cost_minor=price * PACK * 7 // 10
            )
        )
    scene.session.flush()


def _unit(scene: Scene) -> int:
    return _unit_of(scene.session, scene.store_id)


def _unit_of(session: Session, store_id: str) -> int:
    return int(10 ** exponent(store_of(session, store_id).currency))
