"""How far a reader walks through the product to follow one story, from its door to its last row.

    PYTHONPATH=. .venv/bin/python -m tests.tools.road proposal | sale

Rules
-----
1. The story is told once, and each function is read where it is called first: the road is their files in that order.
2. A return is a file opened again after another was opened; to come back from a call is none.
3. A file whose functions call no other file of the product is asked, as a dictionary is, and stands beside the road;
   what a library calls in between does not count. The others are passed, and the road is theirs alone.
4. Left out are libraries, the ground (`config`), what every page passes (EVERYWHERE), and a function inside a function,
   a class body or a generated method, which are read with what they stand in.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

from sqlalchemy.orm import configure_mappers

from config.ids import new_id
from config.nodes.journal import Actor, Context
from pos.catalogue import catalogue, offers
from pos.catalogue.catalogue import TaxClass
from pos.pricing.promises import Choice, Offer, Part
from pos.stock import stock
from store_app.runtime import tables
from tests.empty import empty_database
from tests.store_app import office
from tests.store_app.conftest import NOON, STORE, furnish, token
from tests.store_app.house import House, open_house

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("forecasting", "pos", "supply", "store_app")
EVERYWHERE = (
    "store_app/runtime/",
    "store_app/web/",
    "store_app/pages/common/",
    "store_app/app.py",
    "store_app/roles.py",
)


@dataclass(frozen=True)
class Road:
    """The files of a story's functions, in the order they are read; passing: those that call another's."""

    steps: Sequence[str]
    passing: Set[str]

    def returns(self) -> dict[str, int]:
        """Return the files passed, in their order, with how often each is opened again."""
        road = [place for place, _ in groupby(one for one in self.steps if one in self.passing)]
        return {one: road.count(one) - 1 for one in road}

    def asked(self) -> list[str]:
        """Return the files asked, in their order."""
        return [one for one in dict.fromkeys(self.steps) if one not in self.passing]


def road(story: Callable[[], Any]) -> Road:
    """Tell a story twice, for what the first telling loads or remembers is no part of it, and note the second's road."""
    story()
    seen, steps, passing = set[CodeType](), list[str](), set[str]()

    def note(frame: FrameType, event: str, _: Any) -> None:
        if event != "call" or not (place := _place(frame.f_code)):
            return
        if frame.f_code not in seen:
            seen.add(frame.f_code)
            steps.append(place)
        caller = frame.f_back
        while caller is not None and Path(caller.f_code.co_filename).is_relative_to(ROOT / "config"):
            caller = caller.f_back
        if caller is not None and _file(caller.f_code) not in ("", place):
            passing.add(_file(caller.f_code))

    sys.setprofile(note)
    try:
        story()
    finally:
        sys.setprofile(None)
    return Road(steps, passing)


def proposal(house: House) -> Callable[[], None]:
    """Propose a store's orders as the shopkeeper's button does."""
    office.fill(house)
    client = house.signed_in()

    def story() -> None:
        assert office.send(client, "/orders/propose").status_code == 303

    return story


def sale(house: House) -> Callable[[], None]:
    """Sell a basket with a promotion, paid in cash."""
    actor, goods = Actor.system("road", STORE), [("MILK", 129), ("TEA", 450)]
    with house.doors.write() as session:
        session.add(TaxClass(id="food", name="Food", rate_bp=700, inclusive=True))
        session.flush()
        for sku, price_minor in goods:
            catalogue.add_product(Context(session, actor, NOON), sku, sku, category="x", tax_class_id="food")
            catalogue.set_price(Context(session, actor, NOON), sku, price_minor, NOON.date())
            catalogue.list_product(Context(session, actor, NOON), STORE, sku)
        stock.open_stock(Context(session, actor, NOON), STORE, [(sku, 9) for sku, _ in goods], source_id="opening")
        milk = (Part(Choice(skus=frozenset({"MILK"}))),)
        offers.make(
            Context(session, actor, NOON), STORE, Offer("two", "Two", "pack_price", milk, amount_minor=200, size=2)
        )
    client = house.signed_in("cashier")
    client.environ_base["HTTP_X_CSRF_TOKEN"] = token(client)
    assert client.post("/api/shifts", json={"till_id": "1", "float_minor": 5000}).status_code == 201
    body = {
        "till_id": "1", "lines": [{"sku": "MILK", "qty": 2}, {"sku": "TEA", "qty": 1}],
        "tenders": [{"tender": "cash", "amount_minor": 1000}], "shown_total_minor": 650,
    }  # fmt: skip

    def story() -> None:
        assert client.post("/api/sales", json=body | {"id": new_id()}).status_code == 201

    return story


STORIES = {"proposal": proposal, "sale": sale}


def main() -> None:
    """Print the road of a story: its files in order, with how often each is opened again."""
    tables.known()
    configure_mappers()
    with tempfile.TemporaryDirectory() as folder:
        house = open_house(Path(folder), NOON, role="store", node_id=STORE)
        house.file.parent.mkdir(parents=True, exist_ok=True)
        furnish(empty_database(house.file), "store", STORE)
        found = road(STORIES[sys.argv[1]](house))
        house.doors.database.engine.dispose()
    passed, asked = found.returns(), found.asked()
    print(*(f"{count:3}  {place}" for place, count in passed.items()), sep="\n")
    print(f"{len(passed)} files passed, {sum(passed.values())} returns, at most {max(passed.values())} to one")
    print(f"{len(asked)} asked:", *asked)


@cache
def _place(code: CodeType) -> str:
    """Return the file of a function that is read for itself, '' for any other (rule 4)."""
    return "" if "<locals>" in code.co_qualname or code.co_name.startswith("<") else _file(code)


@cache
def _file(code: CodeType) -> str:
    """Return the file of code of ours, '' for what is left out (rule 4)."""
    path = Path(code.co_filename)
    place = path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else ""
    return place if place.startswith(PACKAGES) and not place.startswith(EVERYWHERE) else ""


if __name__ == "__main__":
    main()
