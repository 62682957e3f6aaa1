"""Sales of many stores as they travel, made from a seed: for the receiver's tests and for measuring it."""

import datetime as dt
import random
from collections.abc import Iterator, Sequence
from typing import Any

from config.nodes import outbox
from config.nodes.journal import GENESIS, canonical
from config.nodes.outbox import Message, hash_of
from config.nodes.signing import Signer
from pos.facts import Paid, SaleCompleted, SoldLine, TaxRow
from store_app.sync import wire

MORNING = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)
PRODUCTS = 1000


def sales(store_id: str, count: int, *, seed: int = 0, first: int = 1, day: dt.date | None = None) -> Iterator[Any]:
    """Yield completed sales of one store, four lines each, in the order of their receipts."""
    chance = random.Random(f"{store_id} {seed} {first}")
    start = MORNING if day is None else dt.datetime.combine(day, MORNING.timetz())
    for number in range(first, first + count):
        yield _sale(chance, store_id, number, start + dt.timedelta(seconds=140 * (number - first)))


def products() -> list[dict[str, Any]]:
    """Return the rows of the products these stores sell."""
    return [
        {"sku": f"P{n:05d}", "name": f"Product {n} of the shelf", "category": f"Category {n % 40}",
         "department": f"Category {n % 20}", "tax_class_id": "food", "search_text": f"product {n}"}
        for n in range(PRODUCTS)
    ]  # fmt: skip


def message(fact: SaleCompleted, n: int, **changed: Any) -> Message:
    """Return a sale as the outbox numbers it; changed: parts of its body that somebody spoilt."""
    body = fact.to_body() | changed
    bare = Message(fact.id, n, fact.TOPIC, fact.VERSION, fact.completed_at, fact.business_day, body, "")
    return Message(**vars(bare) | {"hash": hash_of(bare, canonical(body))})


def push(
    store_id: str, messages: Sequence[Message], *, epoch: str, signer: Signer | None = None, **reported: Any
) -> dict[str, Any]:
    """Return a push of these facts, whatever their numbers; signed where a signer is given."""
    head = GENESIS
    for one in messages:
        head = outbox.chain(head, one.hash)
    count = max((one.n for one in messages), default=0)
    body = {
        "protocol": wire.PROTOCOL, "speaking": epoch, "epoch": epoch, "from_n": 0, "count": count, "head": head,
        "rows": [vars(one) for one in messages], **reported,
    }  # fmt: skip
    return body if signer is None else body | {"seal": seal(store_id, body, signer)}


def seal(store_id: str, body: dict[str, Any], signer: Signer) -> dict[str, str]:
    """Return a store's signature over the facts of a push."""
    rows = ((row["n"], row["hash"]) for row in body["rows"])
    text = wire.signed_text(store_id, signer.public, body["epoch"], body["count"], body["head"], rows)
    return {"key": signer.public, "signature": signer.sign(text.encode())}


def _sale(chance: random.Random, store_id: str, number: int, at: dt.datetime) -> SaleCompleted:
    key = f"{store_id}-{at:%y%m%d}-{number:06d}-{chance.getrandbits(40):010x}"
    skus = chance.sample(range(PRODUCTS), 4)
    lines, net_minor = [], 0
    for n, product in enumerate(skus, 1):
        qty, price_minor = chance.choice((1, 1, 1, 2, 3)), 99 + product % 700
        total = qty * price_minor
        tax = round(total * 700 / 10_700)
        net_minor += total - tax
        lines.append(
            SoldLine(
                n=n, sku=f"P{product:05d}", name=f"Product {product} of the shelf", qty=qty, stock_unit="each",
                unit_price_minor=price_minor, price_quantity=1, discount_minor=0, offer="", total_minor=total,
                net_minor=total - tax, tax_minor=tax, tax_class_id="food", tax_letter="A", rate_bp=700,
                amount_minor=total, list_price_minor=price_minor, top_category=f"Category {product % 20}",
            )
        )  # fmt: skip
    total_minor = sum(line.total_minor for line in lines)
    tax_minor = total_minor - net_minor
    paid_minor = -(-total_minor // 500) * 500
    change_minor = paid_minor - total_minor
    payments = [Paid(f"{key}-p1", "cash", paid_minor, False, "")]
    if change_minor:
        payments.append(Paid(f"{key}-p2", "cash", -change_minor, True, ""))
    return SaleCompleted(
        id=key, kind="sale", channel="counter", order_id=None, order_no=None,
        store={
            "id": store_id, "name": f"Store {store_id}", "address": "1 Harbour Street", "phone": "+1 555 0100",
            "currency": "EUR", "tz": "UTC", "language": "en",
        },
        till_id="T1", till_name="Till 1", shift_id=f"{store_id}-{at:%y%m%d}", epoch=f"epoch-{store_id}",
        receipt_no=number, cashier_id="ana", cashier_name="Ana", completed_at=at.isoformat(timespec="microseconds"),
        local_time=f"{at:%Y-%m-%d %H:%M}", business_day=at.date().isoformat(), currency="EUR", lines=tuple(lines),
        taxes=(TaxRow("A", "food", 700, net_minor, tax_minor, total_minor),), payments=tuple(payments),
        lines_minor=total_minor, rounding_minor=0, total_minor=total_minor, tax_minor=tax_minor,
        paid_minor=paid_minor, change_minor=change_minor, age_checked=None, returns_receipt_no=None,
        request_hash=f"{chance.getrandbits(256):064x}",
        cash=((f"{key}-c", "sale", total_minor),),
        movements=tuple((f"{key}-{line.n}", line.sku, line.qty, "floor", "customer") for line in lines),
    )  # fmt: skip
