"""Documents nobody would dream of, from a seed: long names, emoji, Arabic, Hangul, huge and free prices, 200 lines."""

import random
from collections.abc import Callable
from typing import Any

from pos.documents import accounts, goods, labels, receipt, till_report
from tests.pos import paper_documents as documents

WORDS = (
    "milk", "Bananas", "crème fraîche", "Müller", "żółć gęś", "Хлеб ржаной", "Φέτα", "特级鲜味生抽酱油", "牛奶",
    "김치", "한국어", "حليب طازج", "לחם", "ขนมปัง", "🥛🍌", "👩\u200d👩\u200d👧", "½ l", "£5 off", "￥", "€", "!!",
    "«Œuvre»", "Pho bò", "ﬁne", "𠮷野家", "a" * 60, "长" * 40, "e\u0301", "x\u200by", "\u202ereversed", "tab\there",
)  # fmt: skip
CURRENCIES = ("GBP", "EUR", "CNY", "USD", "JPY", "KRW", "HKD", "PLN")
PRICES = (0, 1, 99, 12_345, 999_999_999_999)


def name(chance: random.Random, most: int = 6) -> str:
    return " ".join(chance.choice(WORDS) for _ in range(chance.randint(1, most)))


def sale(chance: random.Random) -> dict[str, Any]:
    document = chance.choice([documents.british_sale, documents.chinese_sale, documents.american_sale])()
    lines = []
    for _ in range(200 if chance.random() < 0.02 else chance.randint(1, 8)):
        qty, price_minor = chance.randint(1, 12), chance.choice(PRICES)
        unit = chance.choice(["each", "each", "gram", "millilitre"])
        saved = chance.choice([0, 0, min(price_minor, 40)])
        lines.append(
            documents.line(
                name(chance), qty, price_minor, qty * price_minor - saved, discount_minor=saved, stock_unit=unit,
                price_quantity=1 if unit == "each" else 1000, amount_minor=qty * price_minor,
                offer=name(chance, 2) if saved else "", note=name(chance, 3) if chance.random() < 0.1 else "",
            )
        )  # fmt: skip
    total_minor = sum(line["total_minor"] for line in lines)
    document["store"] |= {"currency": chance.choice(CURRENCIES), "name": name(chance, 3), "address": name(chance)}
    return document | {
        "id": "01KAVJ5XGZ8QF3T0M2N4P6R8S9",
        "lines": lines,
        "cashier_name": name(chance, 2),
        "total_minor": total_minor,
        "payments": [{"tender": "cash", "amount_minor": total_minor, "is_change": False}],
        "customer": {"points_earned": 3, "points_balance": 10**9, "tab_balance_minor": chance.choice(PRICES)},
        "vouchers": [{"kind": "gift", "amount_minor": chance.choice(PRICES), "code": "K7M2P9QXWZ34"}],
        "note": name(chance),
    }


def others(chance: random.Random) -> dict[str, tuple[Callable[..., Any], dict[str, Any]]]:
    """Return name -> (layout, document) of every other paper, with names and figures as odd."""
    store = documents.STORE | {"name": name(chance, 3), "currency": chance.choice(CURRENCIES)}
    price_minor = chance.choice(PRICES)
    head = {"store": store, "by": name(chance, 2), "why": name(chance), "cashier_name": name(chance, 2)}
    report = documents.full_z() | head | {"sales_minor": price_minor, "cashiers": [[name(chance), 9, price_minor]] * 2}
    delivery = documents.delivery() | head | {"supplier_name": name(chance)}
    delivery["lines"] = [
        line | {"name": name(chance), "why": name(chance), "counted_qty": chance.choice([0, 24, 10**9])}
        for line in delivery["lines"]
    ]
    pick, sheet, batch = documents.pick_list() | head, documents.count_sheet() | head, documents.price_batch() | head
    for group in pick["places"]:
        group["lines"] = [line | {"name": name(chance)} for line in group["lines"]]
    sheet["lines"] = [line | {"name": name(chance)} for line in sheet["lines"]]
    batch["lines"] = [line | {"name": name(chance), "new_minor": price_minor} for line in batch["lines"]]
    order = documents.pickup_order() | {"store": store, "customer_name": name(chance), "total_minor": price_minor}
    order["lines"] = [line | {"name": name(chance)} for line in order["lines"]]
    named = {"name": name(chance), "price_minor": price_minor, "currency": store["currency"]}
    statement = documents.statement() | {"store": store, "customer": {"id": "c", "name": name(chance)}}
    return {
        "z": (till_report.till_report, report),
        "x": (till_report.till_report, report | {"z_no": None}),
        "return": (receipt.layout, documents.british_return() | head),
        "drop": (receipt.cash_slip, documents.cash("drop") | head | {"amount_minor": price_minor}),
        "pay_in": (receipt.cash_slip, documents.cash("pay_in") | head | {"amount_minor": price_minor}),
        "pay_out": (receipt.cash_slip, documents.cash("pay_out") | head | {"amount_minor": price_minor}),
        "drawer": (receipt.drawer_slip, documents.cash("drop") | head),
        "pickup": (receipt.pickup_slip, order),
        "bin": (receipt.bin_label, order),
        "statement": (accounts.statement, statement),
        "tab_paid": (
            accounts.repayment_slip,
            documents.repayment() | {"store": store, "amount_minor": price_minor, "before_minor": price_minor},
        ),
        "voucher": (accounts.voucher_slip, documents.voucher() | {"store": store, "amount_minor": price_minor}),
        "label": (labels.layout, documents.label() | named),
        "markdown": (labels.layout, documents.markdown() | named),
        "delivery": (goods.delivery_slip, delivery),
        "claim": (goods.claim_slip, delivery),
        "pick_list": (goods.pick_list, pick),
        "count_sheet": (goods.count_sheet, sheet),
        "price_batch": (goods.price_batch, batch),
    }
