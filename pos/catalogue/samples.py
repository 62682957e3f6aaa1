"""A sample assortment: a dozen products that a new store can ring up before it has a list of its own.

They are the store's own, with a touch key each, at prices of the right size for its currency; it changes or withdraws
them like any other product.
"""

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa

from config.errors import Refused
from config.money import exponent
from config.nodes.journal import Context
from pos.catalogue import catalogue, new_products
from pos.catalogue.catalogue import Product, TaxClass
from pos.catalogue.new_products import NewProduct
from pos.store.store import store_of


@dataclass(frozen=True)
class Sample:
    """A product with its category, named in each language; cents: its price where a unit of money buys most."""

    names: dict[str, str]
    categories: dict[str, str]
    cents: int


def _row(cents: int, **words: str) -> Sample:
    pairs = {code: text.split("|") for code, text in words.items()}
    return Sample(
        {code: name for code, (name, _) in pairs.items()}, {code: of for code, (_, of) in pairs.items()}, cents
    )


SAMPLES = (
    _row(139, en="Milk|Dairy", zh="牛奶|奶制品", es="Leche|Lácteos", de="Milch|Molkerei"),
    _row(229, en="Butter|Dairy", zh="黄油|奶制品", es="Mantequilla|Lácteos", de="Butter|Molkerei"),
    _row(289, en="Eggs, 10|Eggs", zh="鸡蛋 10 个|蛋类", es="Huevos, 10|Huevos", de="Eier, 10 Stück|Eier"),
    _row(259, en="Bread|Bakery", zh="面包|烘焙", es="Pan|Panadería", de="Brot|Backwaren"),
    _row(45, en="Roll|Bakery", zh="小面包|烘焙", es="Panecillo|Panadería", de="Brötchen|Backwaren"),
    _row(99, en="Water|Drinks", zh="矿泉水|饮料", es="Agua|Bebidas", de="Wasser|Getränke"),
    _row(189, en="Orange juice|Drinks", zh="橙汁|饮料", es="Zumo de naranja|Bebidas", de="Orangensaft|Getränke"),
    _row(499, en="Coffee|Coffee and tea", zh="咖啡|咖啡和茶", es="Café|Café y té", de="Kaffee|Kaffee und Tee"),
    _row(129, en="Chocolate|Sweets", zh="巧克力|零食", es="Chocolate|Dulces", de="Schokolade|Süßwaren"),
    _row(149, en="Pasta|Pantry", zh="意面|粮油", es="Pasta|Despensa", de="Nudeln|Vorrat"),
    _row(199, en="Newspaper|Newspapers", zh="报纸|报刊", es="Periódico|Prensa", de="Zeitung|Zeitungen"),
    _row(179, en="Soap|Household", zh="香皂|日用", es="Jabón|Hogar", de="Seife|Haushalt"),
)
WORTH = {
    "CLP": 900, "CNY": 7, "COP": 4000, "CZK": 23, "DKK": 7, "HUF": 360, "IDR": 16000, "INR": 80, "ISK": 140, "JPY": 150,
    "KRW": 1300, "MXN": 18, "NOK": 11, "PHP": 55, "PLN": 4, "RON": 5, "SEK": 11, "THB": 35, "TRY": 40, "TWD": 31,
    "UAH": 40, "VND": 25000, "ZAR": 18,
}  # fmt: skip
"""Currency -> how many units buy what one of the others does, roughly."""


def take_in(ctx: Context, store_id: str, day: dt.date) -> int:
    """Take the samples into a store, as far as they are not there; returns how many came in."""
    store, session = store_of(ctx.session, store_id), ctx.session
    classes = list(session.scalars(sa.select(TaxClass.id).order_by(TaxClass.rate_bp.desc(), TaxClass.id)))
    if not classes:
        raise Refused("no-tax-class", "Add a tax class first.")
    reduced = f"{store_id}-reduced"
    tax_class_id = reduced if reduced in classes else classes[0]
    skus = [f"{store_id}-sample-{n}" for n in range(1, len(SAMPLES) + 1)]
    here = set(session.scalars(sa.select(Product.sku).where(Product.sku.in_(skus))))
    places = [place for place, sku in enumerate(skus) if sku not in here]
    new = []
    for place in places:
        one, names = SAMPLES[place], dict(SAMPLES[place].names)
        name, category = names.pop(store.language), one.categories[store.language]
        price = price_minor(one.cents, store.currency)
        new.append(NewProduct(skus[place], name, category, tax_class_id, price, columns={"names": names}))
    new_products.add(ctx, new, day, owner_id=store_id)
    for place in places:
        catalogue.list_product(ctx, store_id, skus[place], quick_key=place)
    return len(new)


def price_minor(cents: int, currency: str) -> int:
    """Return a price of the right size in a currency, in steps that its shops have."""
    places, worth = exponent(currency), WORTH.get(currency, 1)
    minor: float = cents * worth * 10**places / 100
    step: int = 1 if worth == 1 else max(1, 10 ** (len(str(int(minor))) - 2))
    return max(1, round(minor / step) * step)
