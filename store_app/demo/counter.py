"""What each live store of the demonstration has beside the network's catalogue: its own goods, offers and customers.

Rules
-----
1. All of it is made up, and made by the same verbs a shopkeeper's pages call.
2. Deposits are on the store's own bottles alone: the network's products stay as the panel's stores sold them.
3. The two stores differ: neighbours sell other bottles, run other offers and know other people.
4. A weighed product's label is '28', its number, its grams: scanned or typed at the till.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.clock import business_day
from config.nodes.journal import Actor, Context
from pos.catalogue import assortment, catalogue, offers, own_labels, scan
from pos.catalogue.assortment import ProductDetails
from pos.catalogue.catalogue import Listing
from pos.catalogue.gs1 import check_digit
from pos.customers import customers, loyalty, points_terms, tab
from pos.customers.customers import Particulars
from pos.pricing.promises import Choice, Offer, Part
from pos.stock import stock
from pos.store.store import Store

if TYPE_CHECKING:
    from store_app.demo.panel import DemoPanel
    from store_app.demo.products import DemoProduct

DEPOSIT_MINOR = 10
LABEL = "28{item:5}{weight:5}"
LABELLED = 12
SCARCE = 12


@dataclass(frozen=True)
class Own:
    """What is a store's own.

    bottles: name, size, price, cost. people: name, phone, limit of the tab, owed, since how many days, spent so far
    (for points).
    """

    bottles: tuple[tuple[str, str, int, int], ...]
    typed: str
    people: tuple[tuple[str, str, int, int, int, int], ...]


OWN = (
    Own(
        (
            ("House lemonade", "0.5 l", 249, 110),
            ("House iced tea", "0.5 l", 229, 95),
            ("Apple juice", "1 l", 399, 210),
        ),
        "Garden flowers",
        (
            ("Rosa Lind", "555 0123", 20_000, 4_250, 40, 6_800),
            ("王小明", "555 0177", 10_000, 1_880, 3, 12_400),
            ("Sam Okoro", "555 0142", 0, 0, 0, 3_100),
        ),
    ),
    Own(
        (
            ("Elderflower fizz", "0.33 l", 219, 90),
            ("Pear cider, alcohol-free", "0.5 l", 289, 140),
            ("Tomato juice", "1 l", 349, 180),
        ),
        "Bread from next door",
        (
            ("Ida Brandt", "555 0161", 15_000, 2_975, 12, 9_200),
            ("李秀英", "555 0188", 8_000, 640, 1, 4_700),
            ("Tomás Rey", "555 0135", 0, 0, 0, 15_300),
            ("Noor Haddad", "555 0119", 5_000, 0, 0, 1_900),
        ),
    ),
)


NAMES = {
    "House lemonade": {"zh": "自制柠檬水", "es": "Limonada de la casa", "de": "Hauslimonade"},
    "House iced tea": {"zh": "自制冰茶", "es": "Té helado de la casa", "de": "Hauseistee"},
    "Apple juice": {"zh": "苹果汁", "es": "Zumo de manzana", "de": "Apfelsaft"},
    "Elderflower fizz": {"zh": "接骨木花汽水", "es": "Refresco de flor de saúco", "de": "Holunderblütenschorle"},
    "Pear cider, alcohol-free": {
        "zh": "无酒精梨酒",
        "es": "Sidra de pera sin alcohol",
        "de": "Birnencidre, alkoholfrei",
    },
    "Tomato juice": {"zh": "番茄汁", "es": "Zumo de tomate", "de": "Tomatensaft"},
    "Garden flowers": {"zh": "花园鲜花", "es": "Flores de jardín", "de": "Gartenblumen"},
    "Bread from next door": {"zh": "隔壁面包房的面包", "es": "Pan del vecino", "de": "Brot vom Nachbarn"},
    "Bottle deposit": {"zh": "瓶子押金", "es": "Depósito de botella", "de": "Flaschenpfand"},
    "Gift voucher": {"zh": "礼品券", "es": "Vale regalo", "de": "Geschenkgutschein"},
}
"""What a store's own goods are called in our other languages."""


WELCOME = Offer(
    "demo-offer-welcome", "Welcome", "basket_percent", (Part(Choice(everything=True)),), 1_000, minimum_minor=500,
    codes=frozenset(),
)  # fmt: skip


def know_costs(session: Session, panel: DemoPanel, store_id: str) -> None:
    """Note what each product costs the store: its supplier's pack, per price quantity."""
    costs = [
        {
            "store_id": store_id,
            "sku": product.sku,
            "cost_minor": round(product.pack_cost_minor * product.price_quantity / product.pack_qty),
        }
        for product in panel.products
    ]
    session.execute(sa.update(Listing), costs)


def set_up(session: Session, panel: DemoPanel, store_id: str, *, at: dt.datetime) -> None:
    """Give a store its own goods, labels, offers, points and customers."""
    which = [live.id for live in panel.live_stores()].index(store_id)
    own = OWN[which % len(OWN)]
    ctx = Context(session, Actor.system("demo", store_id), at)
    store = session.get_one(Store, store_id)
    day = business_day(at, store.tz, store.rollover_hour)
    _own_goods(ctx, store_id, own, day)
    scan.add_scheme(ctx, store_id, "Weighed on our scale", LABEL)
    weighed = [product for product in panel.products if product.stock_unit == "gram"][:LABELLED]
    for n, product in enumerate(weighed, 1):
        catalogue.add_code(session, product.sku, _label_key(n))
    for offer in _offers(panel.products, which):
        offers.make(ctx, store_id, replace(offer, id=f"{offer.id}-{store_id}"))
    offers.make(ctx, store_id, replace(WELCOME, id=f"{WELCOME.id}-{store_id}"))
    offers.make_coupons(ctx, store_id, f"{WELCOME.id}-{store_id}", most_uses=200, codes=["WELCOME"])
    points_terms.set_terms(ctx, points_terms.terms_of(store_id, True, 1, 100, 2, 50))
    for n, (name, phone, limit_minor, owed_minor, days, spent_minor) in enumerate(own.people, 1):
        agreed = frozenset({"phone", "points", "online"} | ({"tab", "messages"} if limit_minor else set()))
        wished = Particulars(name, phone, "zh" if name >= "\u3400" else "en", agreed, limit_minor)
        known = customers.add(ctx, store, f"demo-customer-{n:04d}", wished)
        loyalty.earn(ctx, store, known.id, spent_minor, sale_id=f"demo-past-{n:04d}")
        if owed_minor:
            since = day - dt.timedelta(days=days)
            tab.carry_over(ctx, store, known.id, owed_minor, since, id=f"demo-debt-{store.id}-{n:04d}")


def scarce(panel: DemoPanel) -> list[str]:
    """Return what the first live store has too much of and the second nothing: middling sellers, by the piece."""
    pieces = [one.sku for one in panel.products if one.stock_unit == "each" and one.minimum_age is None]
    return pieces[len(pieces) // 8 :][:SCARCE]


def sold_out(panel: DemoPanel, store_id: str) -> frozenset[str]:
    """Return what a store has run out of when the demonstration begins."""
    live = [live.id for live in panel.live_stores()]
    return frozenset(scarce(panel)) if len(live) > 1 and store_id == live[1] else frozenset()


# --- inside ---


def _own_goods(ctx: Context, store_id: str, own: Own, day: dt.date) -> None:
    def sell(name: str, price_minor: int | None, cost_minor: int | None, **wishes: Any) -> str:
        body = f"29{store_id[1:]:0>3}{len(made):07d}"
        codes = () if wishes.get("price_typed") or wishes.get("kind") else ((body + check_digit(body), 1),)
        details = ProductDetails(name=name, **({"tax_class_id": "food"} | wishes))
        sku = assortment.add(ctx, store_id, details, codes=codes, command=f"demo-{name}").sku
        ctx.session.flush()
        assortment.name_product(ctx, store_id, sku, NAMES[name])
        if price_minor is not None:
            assortment.set_price(ctx, store_id, sku, price_minor, day, today=day)
        if cost_minor is not None:
            assortment.settle(ctx, store_id, sku, active=True, cost_minor=cost_minor)
        made.append(sku)
        return sku

    made: list[str] = []
    deposit = sell("Bottle deposit", DEPOSIT_MINOR, None, category="Deposits", kind="deposit")
    bottled = [
        sell(name, price_minor, cost_minor, category="Our own drinks", department="Drinks", pack_text=pack,
             tax_class_id="general", deposit_sku=deposit)
        for name, pack, price_minor, cost_minor in own.bottles
    ]  # fmt: skip
    sell(own.typed, None, None, category="At the counter", department="At the counter", price_typed=True)
    sell("Gift voucher", None, None, category="Vouchers", kind="voucher", price_typed=True)
    stock.open_stock(ctx, store_id, [(sku, 36) for sku in bottled], source_id="own-goods")


def _label_key(number: int) -> str:
    """Return the code under which the catalogue knows a label's product: the label with no grams on it."""
    made = own_labels.scheme(LABEL)
    body = f"{made.fixed[:2]}{number:05d}00000"
    return body + check_digit(body)


def _offers(products: Sequence[DemoProduct], which: int) -> list[Offer]:
    def best_of(department: str) -> frozenset[str]:
        pieces = [one for one in products if one.stock_unit == "each"]
        found = [one.sku for one in pieces if one.department == department] or [pieces[0].sku]
        return frozenset(found[:1])

    sweets, milk = best_of("Snacks & sweets"), best_of("Dairy & eggs")
    bakery = frozenset({"Bakery"})
    if which:
        drinks, frozen = best_of("Drinks"), best_of("Frozen")
        return [
            Offer("demo-offer-second-half", "Second at half price", "nth", (Part(Choice(skus=drinks)),), 5_000, size=2,
                  reduced=1),
            Offer("demo-offer-morning", "Early birds’ dairy", "percent",
                  (Part(Choice(departments=frozenset({"Dairy & eggs"}))),), 1_500, from_minute=6 * 60,
                  until_minute=9 * 60),
            Offer("demo-offer-members-freezer", "Members’ freezer", "percent", (Part(Choice(skus=frozen)),), 1_200,
                  members_only=True),
        ]  # fmt: skip
    return [
        Offer("demo-offer-3-for-2", "3 for 2", "nth", (Part(Choice(skus=sweets)),), 10_000, size=3, reduced=1),
        Offer("demo-offer-evening", "Evening bread", "percent", (Part(Choice(departments=bakery)),), 3_000,
              from_minute=19 * 60, until_minute=23 * 60 + 30),
        Offer("demo-offer-members-milk", "Members’ milk", "percent", (Part(Choice(skus=milk)),), 1_000,
              members_only=True),
    ]  # fmt: skip
