"""The best result of 200 live offers for baskets of 60 lines, beside a plain look at every line with every offer.

"tangled" is the same with nothing but multi-buys and bundles, all on a few products, so that most want the same units.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import random
import statistics
import time
from typing import Any

from pos.pricing.promises import Choice, Offer, Part
from pos.pricing.promotions import OfferLine, Offers, best

PRODUCTS, LINES, OFFERS = 1_200, 60, 200
CATEGORIES, DEPARTMENTS, BRANDS = 60, 10, 90
AT = dt.datetime.fromisoformat("2026-03-06 18:30")
"""A Friday at half past six: the happy hours are on."""


def main() -> None:
    """Measure and print; with --json the last line is one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true")
    asked = parser.parse_args()
    result = measure(60 if asked.quick else 400)
    if asked.json:
        print(json.dumps(result))
        return
    ours = result["ours"]
    print(
        f"{LINES} lines x {OFFERS} offers: {ours['cpu_ms']:.2f} ms CPU, p95 {ours['p95_ms']:.2f} ms, "
        f"at most {ours['max_ms']:.2f} ms; {ours['saved_lines']:.0f} lines saved something"
    )


def measure(rounds: int) -> dict[str, Any]:
    """Price baskets no two of which are alike, a fifth of them with tangled offers; medians over them."""
    ours, plain_ms = _priced(rounds)
    tangled, _ = _priced(-(-rounds // 4), tangled=True)
    return {
        "bench": "promotions",
        "bar": {"cpu_ms": 2.0},
        "ours": ours | {"tangled": {name: tangled[name] for name in ("cpu_ms", "p95_ms", "max_ms")}},
        "reference": {"every_line_with_every_offer_ms": plain_ms},
        "ratio": {"cpu_every_line_with_every_offer": round(ours["cpu_ms"] / plain_ms, 3)},
        "settings": {"lines": LINES, "offers": OFFERS, "products": PRODUCTS, "baskets": rounds},
    }


def _priced(rounds: int, *, tangled: bool = False) -> tuple[dict[str, float], float]:
    """Return our figures, and the milliseconds of a look at every line with every offer."""
    dice = random.Random(5)
    shelf = [product(rank) for rank in range(PRODUCTS)]
    offers = [offer(dice, n, tangled=tangled) for n in range(OFFERS)]
    began = time.process_time()
    ready = Offers(offers, day=AT.date())
    prepared_ms = (time.process_time() - began) * 1000
    spent: list[float] = []
    plain: list[float] = []
    saved_lines: list[int] = []
    first: list[float] = []
    for n in range(rounds + 1):
        basket = [line(dice, k, shelf) for k in range(LINES)]
        began = time.process_time()
        applied = best(basket, ready, at=AT, member=n % 3 == 0, coupons=frozenset({"CODE199", "CODE198"}))
        (spent if n else first).append((time.process_time() - began) * 1000)
        saved_lines.append(sum(1 for savings in applied.lines.values() if savings))
        began = time.process_time()
        _look_at_all(basket, offers)
        plain.append((time.process_time() - began) * 1000)
    spent.sort()
    ours = {
        "cpu_ms": round(statistics.median(spent), 3),
        "p95_ms": round(spent[int(len(spent) * 0.95)], 3),
        "max_ms": round(spent[-1], 3),
        "first_ms": round(first[0], 3),
        "prepared_ms": round(prepared_ms, 3),
        "saved_lines": round(statistics.median(saved_lines), 1),
    }
    return ours, round(statistics.median(plain), 3)


def product(rank: int) -> tuple[str, str, str, str, int]:
    """Return (sku, category, department, brand, price) of a product."""
    dice = random.Random(rank)
    category = rank % CATEGORIES
    department = f"department{category % DEPARTMENTS}"
    return (
        f"sku{rank}",
        f"category{category}",
        department,
        f"brand{dice.randrange(BRANDS)}",
        dice.randrange(49, 1500, 10),
    )


def popular(dice: random.Random) -> int:
    """Return the rank of a product: a tenth of them make half of all sales."""
    return min(int(PRODUCTS * dice.random() ** 3.3), PRODUCTS - 1)


def line(dice: random.Random, n: int, shelf: list[tuple[str, str, str, str, int]]) -> OfferLine:
    """Return a line of one to four pieces, or of goods by weight; few products sell often."""
    sku, category, department, brand, price = shelf[popular(dice)]
    if sku.endswith("7"):
        grams = dice.randrange(80, 900)
        return OfferLine(n, sku, category, department, brand, grams, "gram", price, 1000, (grams * price + 500) // 1000)
    qty = dice.choice([1, 1, 1, 2, 2, 3, 4])
    return OfferLine(n, sku, category, department, brand, qty, "each", price, 1, qty * price)


def offer(dice: random.Random, n: int, *, tangled: bool = False) -> Offer:
    """Return an offer as stores make them: mostly on a product or two, some on a category or brand, a few on all."""
    ranks = [popular(dice) for _ in range(3)]
    few = Choice(skus=frozenset(f"sku{rank}" for rank in ranks))
    category = Choice(categories=frozenset({f"category{dice.randrange(CATEGORIES)}"}))
    brand = Choice(brands=frozenset({f"brand{dice.randrange(BRANDS)}"}))
    wide = dice.choice([few, few, few, category, brand])
    happy = {"from_minute": 17 * 60, "until_minute": 20 * 60, "weekdays": frozenset({3, 4})} if n % 10 == 0 else {}
    terms = {"id": f"offer{n:03}", "name": f"Offer {n}", **happy}
    if n >= OFFERS - 4:
        whole = (Part(Choice(everything=True)),)
        return Offer(kind="basket_percent", parts=whole, percent_bp=500, minimum_minor=2000 * (n % 4), **terms)  # type: ignore[arg-type]
    if n % 20 == 1:
        terms["codes"] = frozenset({f"CODE{n}"})
    if n % 9 == 2:
        terms["members_only"] = True
    match 4 + n % 4 if tangled else n % 8:
        case 0 | 1 | 2:
            return Offer(kind="percent", parts=(Part(wide),), percent_bp=dice.choice([1000, 2500]), **terms)  # type: ignore[arg-type]
        case 3:
            return Offer(kind="price", parts=(Part(few),), amount_minor=199, **terms)  # type: ignore[arg-type]
        case 4:
            return Offer(kind="nth", parts=(Part(wide),), size=3, percent_bp=10_000, **terms)  # type: ignore[arg-type]
        case 5:
            return Offer(kind="pack_price", parts=(Part(wide),), size=2, amount_minor=500, **terms)  # type: ignore[arg-type]
        case 6:
            return Offer(kind="nth", parts=(Part(wide),), size=2, percent_bp=5000, most_times=2, **terms)  # type: ignore[arg-type]
    others = Choice(skus=frozenset(f"sku{popular(dice)}" for _ in range(2)))
    return Offer(kind="bundle", parts=(Part(few), Part(others)), amount_minor=600, **terms)  # type: ignore[arg-type]


def _look_at_all(basket: list[OfferLine], offers: list[Offer]) -> int:
    return sum(
        part.choice.holds(one.sku, one.category, one.department, one.brand)
        for one in basket
        for offered in offers
        for part in offered.parts
    )


if __name__ == "__main__":
    main()
