"""Documents to print: a British sale, a Chinese one, one of a state that adds tax, and what else goes on paper."""

import copy
from typing import Any

STORE = {
    "id": "s1",
    "name": "Corner Store",
    "address": "12 High Street, London E1 6AN",
    "phone": "020 7946 0000",
    "currency": "GBP",
    "tz": "Europe/London",
    "language": "en",
}


def line(name: str, qty: int, price_minor: int, total_minor: int, **other: Any) -> dict[str, Any]:
    return {
        "name": name,
        "qty": qty,
        "stock_unit": "each",
        "unit_price_minor": price_minor,
        "price_quantity": 1,
        "discount_minor": 0,
        "offer": "",
        "total_minor": total_minor,
        "tax_class_id": "standard",
        "rate_bp": 2000,
        "tax_letter": "B",
        **other,
    }


ZERO = {"tax_class_id": "zero", "rate_bp": 0, "tax_letter": "A"}


def british_sale() -> dict[str, Any]:
    return {
        "store": dict(STORE),
        "till_name": "Till 1",
        "receipt_no": 123,
        "cashier_name": "Fang Wang",
        "local_time": "2026-11-24 14:32",
        "kind": "sale",
        "order_no": None,
        "age_checked": 18,
        "returns_receipt_no": None,
        "lines": [
            line("Whole milk 1 l", 2, 120, 200, discount_minor=40, offer="2 for 2.00", **ZERO),
            line("Bananas, loose", 482, 115, 55, stock_unit="gram", price_quantity=1000, **ZERO),
            line("李锦记 特级鲜味生抽酱油 (Lee Kum Kee premium light soy sauce) 500 ml", 1, 345, 345),
            line("Jalapeño crème fraîche Müller", 3, 99, 297),
        ],
        "taxes": [
            {"letter": "A", "tax_class_id": "zero", "rate_bp": 0, "net_minor": 255, "tax_minor": 0, "gross_minor": 255},
            {
                "letter": "B",
                "tax_class_id": "standard",
                "rate_bp": 2000,
                "net_minor": 535,
                "tax_minor": 107,
                "gross_minor": 642,
            },
        ],
        "payments": [
            {"tender": "cash", "amount_minor": 2000, "is_change": False},
            {"tender": "cash", "amount_minor": -1105, "is_change": True},
        ],
        "rounding_minor": -2,
        "total_minor": 895,
        "tax_minor": 107,
    }


def chinese_sale() -> dict[str, Any]:
    document = british_sale()
    document["store"] |= {
        "name": "角落便利店",
        "address": "上海市黄浦区南京东路 12 号",
        "phone": "021-5555 0000",
        "currency": "CNY",
        "language": "zh",
    }
    document |= {"till_name": "一号收银台", "cashier_name": "王芳", "age_checked": None, "order_no": "P-1042"}
    document["payments"] = [{"tender": "prepaid", "amount_minor": 895, "is_change": False}]
    return document


def american_sale() -> dict[str, Any]:
    document = british_sale()
    document["store"] |= {"currency": "USD", "address": "12 Main Street\nDayton, Ohio 45402"}
    document |= {"rounding_minor": 0, "age_checked": None, "total_minor": 746, "tax_minor": 33}
    document["lines"] = [
        line("Paper towels", 2, 219, 471, tax_class_id="general", rate_bp=750),
        line("Bread", 1, 275, 275, **ZERO),
    ]
    document["taxes"] = [
        {"letter": "A", "tax_class_id": "zero", "rate_bp": 0, "net_minor": 275, "tax_minor": 0, "gross_minor": 275},
        {
            "letter": "B",
            "tax_class_id": "general",
            "rate_bp": 750,
            "net_minor": 438,
            "tax_minor": 33,
            "gross_minor": 471,
        },
    ]
    document["payments"] = [{"tender": "card", "amount_minor": 746, "is_change": False}]
    document["card_slips"] = ["CARD PAYMENT\nReceipt 0042  Visa ************1111\n\nApproved"]
    return document


def british_return() -> dict[str, Any]:
    document = british_sale()
    sold = document["lines"][3]
    document["lines"] = [{**copy.deepcopy(sold), "qty": -1, "total_minor": -99}]
    document["taxes"] = [{**document["taxes"][1], "net_minor": -82, "tax_minor": -17, "gross_minor": -99}]
    document["payments"] = [{"tender": "cash", "amount_minor": -99, "is_change": False}]
    return document | {
        "kind": "return",
        "returns_receipt_no": 123,
        "receipt_no": 124,
        "rounding_minor": 0,
        "total_minor": -99,
        "tax_minor": -17,
    }


def till_report(z_no: int | None = 7) -> dict[str, Any]:
    counted = {"expected_minor": 15210, "counted_minor": 15190, "over_short_minor": -20} if z_no else {}
    return {
        "store": dict(STORE),
        "till_name": "Till 1",
        "z_no": z_no,
        "business_day": "2026-11-24",
        "opened_by": "Fang Wang",
        "opened_at": "2026-11-24 06:58",
        "closed_at": "2026-11-24 22:04" if z_no else None,
        "sales_count": 87,
        "sales_minor": 123456,
        "returns_count": 1,
        "returns_minor": -99,
        "total_minor": 123357,
        "tenders": {"cash": 30210, "card": 93147},
        "taxes": british_sale()["taxes"],
        "cash": {"float": 10000, "sale": 30309, "refund": -99, "drop": -25000},
        "late_count": 0,
        **counted,
    }


def full_z() -> dict[str, Any]:
    """Return a Z of a day on which everything happened."""
    return till_report() | {
        "held_by": "李雷",
        "kept_minor": 10000,
        "put_away_minor": till_report()["counted_minor"] - 10000,
        "put_away_to": "bank",
        "exchanges_count": 2,
        "exchanges_minor": 1200,
        "first_receipt_no": 4211,
        "last_receipt_no": 4300,
        "rounding_minor": -2,
        "offers_minor": 3310,
        "by_hand_minor": 450,
        "overrides_minor": 120,
        "deposits_minor": 1250,
        "empties_minor": -875,
        "vouchers_issued_minor": 5000,
        "late_count": 1,
        "late_minor": 1099,
        "why": "A 10 pound note was torn and taken to the bank.",
        "cashiers": [["Fang Wang", 60, 90000], ["李雷", 28, 33357]],
        "top_categories": [
            ["Dairy & eggs", 48200],
            ["饮料 Drinks", 41210],
            ["Household, pets and everything else", 33622],
            ["", 1200],
            ["Bottle deposits", -875],
        ],
        "events": {"no_sale": [2, 0], "reprint": [1, 0], "voided": [3, 2210], "x_report": [1, 0]},
        "apart": {"tabs": {"card": 1000, "cash": 500}, "orders": {"card": 2499}},
        "in_all": {"card": 96646, "cash": 30710},
        "typed_in_all": {"card": 3499},
        "drops": [["李雷", "2026-03-02 14:30", -25000]],
        "beyond": [["李雷", "2026-03-02 14:30", "drop", 25000]],
        "perpetual_minor": 98765432,
        "journal": {"n": 123456, "hash": "9f3a22c1" + "0" * 56},
        "hash": "04be77d0" + "f" * 56,
    }


def pickup_order() -> dict[str, Any]:
    return {
        "store": dict(STORE),
        "order_no": "P-1042",
        "order_id": "01KAVJ5XGZ8QF3T0M2N4P6R8S9",
        "customer_name": "Amelia Brown",
        "code": "7K2M9QXW",
        "ready_by": "17:30",
        "hold_until": "2026-11-26",
        "bin": "3",
        "lines": [line("Whole milk 1 l", 2, 120, 240), line("Bananas, loose", 500, 115, 58, stock_unit="gram")],
        "total_minor": 298,
        "paid": False,
    }


def goods_back() -> dict[str, Any]:
    return {
        "store": dict(STORE),
        "number": "8F3K2M",
        "supplier": "Green Farm Dairy & 阳光乳业 Wholesale Co-operative",
        "paper_no": "LS-20931",
        "reason": "damaged",
        "why": "Crates were wet when the driver came",
        "by": "Fang Wang",
        "local_time": "2026-11-24 14:32",
        "lines": [
            {"name": "Whole milk 1 l", "qty": 24, "stock_unit": "each", "batch": "L7", "expires_on": "2026-11-28",
             "cost_minor": 1800},
            {"name": "李锦记 特级鲜味生抽酱油 (Lee Kum Kee premium light soy sauce) 500 ml", "qty": 1,
             "stock_unit": "each", "batch": None, "expires_on": None, "cost_minor": None},
            {"name": "Mountain cheese", "qty": 2500, "stock_unit": "gram", "batch": None, "expires_on": "2026-12-01",
             "cost_minor": 2200},
        ],
        "total_minor": 4000,
        "unknown": 1,
    }  # fmt: skip


def badge() -> dict[str, Any]:
    return {"store": dict(STORE), "name": "Fang Wang 王芳", "code": "9870" + "1234567890" * 4}


def label() -> dict[str, Any]:
    return {
        "name": "Whole milk, fresh",
        "brand": "Green Farm",
        "pack_text": "1 l",
        "price_minor": 120,
        "currency": "GBP",
        "unit_price_minor": 120,
        "unit_price_text": "per l",
        "barcode": "5000128104449",
        "sku": "MILK-1L",
        "place": "A2-3",
        "url": "https://shop.example/shop/corner/p/MILK-1L",
    }


def gift() -> dict[str, Any]:
    return british_sale() | {"id": "01KAVJ5XGZ8QF3T0M2N4P6R8S9"}


SLIP_REASONS = {"pay_in": "Change from the bank", "pay_out": "Window cleaner, November"}


def cash(kind: str) -> dict[str, Any]:
    return {
        "store": dict(STORE), "till_name": "Till 1", "cashier_name": "Fang Wang", "local_time": "2026-11-24 14:32",
        "kind": kind, "amount_minor": 5000, "why": SLIP_REASONS.get(kind, ""),
    }  # fmt: skip


def put_away(to: str) -> dict[str, Any]:
    return cash(to) | {"amount_minor": 41235, "z_no": 42, "counted_minor": 51235, "kept_minor": 10000}


def statement() -> dict[str, Any]:
    return {
        "store": dict(STORE), "language": "en", "customer": {"id": "c1", "name": "李小龙 Bruce"},
        "first_day": "2026-11-01", "last_day": "2026-11-24", "opening_minor": 1250,
        "lines": [
            {"day": "2026-11-03", "kind": "charge", "receipt_no": 88, "amount_minor": 895, "balance_minor": 2145},
            {"day": "2026-11-10", "kind": "repayment", "receipt_no": None, "amount_minor": -2000, "balance_minor": 145},
        ],
        "closing_minor": 145, "ages_minor": [145, 0, 0, 0],
    }  # fmt: skip


def repayment() -> dict[str, Any]:
    return {
        "store": dict(STORE), "language": "en", "customer": {"id": "c1", "name": "李小龙 Bruce"},
        "local_time": "2026-11-24 14:32", "cashier_name": "Fang Wang", "tender": "cash", "reference": "",
        "amount_minor": 2000, "before_minor": 2145, "balance_minor": 145,
        "paid": [{"day": "2026-11-03", "kind": "charge", "receipt_no": 88, "amount_minor": 750, "left_minor": 145}],
    }  # fmt: skip


def voucher() -> dict[str, Any]:
    return {
        "store": dict(STORE), "code": "K7M2P9QXWZ34", "spoken": "K7M2 P9QX WZ34", "kind": "gift", "amount_minor": 5000,
        "expires_on": "2028-11-24", "local_time": "2026-11-24 14:32",
    }  # fmt: skip


def transfer() -> dict[str, Any]:
    return {
        "store": STORE | {"currency": "EUR"}, "reference": "CSSJMKDRRKDX", "amount_minor": 1234,
        "local_time": "2026-11-24 14:32",
        "code": "BCD\n002\n1\nSCT\n\nMüller Feinkost\nDE89370400440532013000\nEUR12.34\n\n\nCSSJMKDRRKDX",
    }  # fmt: skip


def pick_list() -> dict[str, Any]:
    milk = {"name": "Whole milk, fresh 1 l", "qty": 3, "stock_unit": "each", "orders": [["P-1042", 2], ["P-1043", 1]]}
    soy = {"name": "李锦记 特级鲜味生抽酱油 500 ml", "qty": 1, "stock_unit": "each", "orders": [["P-1043", 1]]}
    loose = {"name": "Bananas, loose", "qty": 500, "stock_unit": "gram", "orders": [["P-1042", 500]]}
    return {
        "store": dict(STORE), "local_time": "2026-11-24 14:32", "by": "Fang Wang",
        "orders": [
            {"order_no": "P-1042", "customer_name": "Amelia Brown"}, {"order_no": "P-1043", "customer_name": "王芳"},
        ],
        "places": [
            {"place": "shelf", "slot": 3, "lines": [milk]}, {"place": "backroom", "slot": 0, "lines": [soy, loose]},
        ],
    }  # fmt: skip


def delivery() -> dict[str, Any]:
    def came(name: str, advised: int, counted: int, why: str = "", unit: str = "each") -> dict[str, Any]:
        return {"name": name, "stock_unit": unit, "advised_qty": advised, "counted_qty": counted, "why": why,
                "expires_on": "2026-12-01" if unit == "each" else ""}  # fmt: skip

    return {
        "store": dict(STORE), "local_time": "2026-11-24 08:10", "by": "Fang Wang", "supplier_name": "Fresh & Co",
        "order_no": "1042", "state": "posted",
        "lines": [
            came("Whole milk, fresh 1 l", 24, 22, "Two were broken"), came("李锦记 特级鲜味生抽酱油 500 ml", 12, 12),
            came("Bananas, loose", 18000, 18250, "difference-too-many", "gram"),
            came("Rye bread, 500 g", 18, 18) | {"lots": [[12, "2026-11-29"], [4, "2026-12-01"], [2, ""]]},
        ],
    }  # fmt: skip


def count_sheet() -> dict[str, Any]:
    return {
        "store": dict(STORE),
        "local_time": "2026-11-24 21:00",
        "by": "Fang Wang",
        "take_name": "November",
        "section": "Cold room",
        "lines": [
            {"name": "Whole milk, fresh 1 l", "sku": "MILK-1L", "stock_unit": "each"},
            {"name": "李锦记 特级鲜味生抽酱油 (Lee Kum Kee soy sauce) 500 ml", "sku": "SOY", "stock_unit": "each"},
            {"name": "Bananas, loose", "sku": "BAN", "stock_unit": "gram"},
        ],
    }


def price_batch() -> dict[str, Any]:
    return {
        "store": dict(STORE), "local_time": "2026-11-24 21:00", "by": "Fang Wang", "from_day": "2026-12-01",
        "lines": [
            {"name": "Whole milk, fresh 1 l", "place": "3", "stock_unit": "each", "old_minor": 120, "new_minor": 135},
            {"name": "Bananas, loose", "place": "", "stock_unit": "gram", "old_minor": None, "new_minor": 115},
            {"name": "李锦记 特级鲜味生抽酱油 500 ml", "place": "17", "stock_unit": "each", "old_minor": 1345,
             "new_minor": 1299},
        ],
    }  # fmt: skip


def markdown() -> dict[str, Any]:
    return label() | {
        "pack_text": "Marked down · until 2026-11-25", "brand": "", "was_minor": 120, "price_minor": 60,
        "barcode": None,
        "unit_price_minor": None, "stock_unit": "each", "url": "(01)05000128104449(17)261125", "place": "",
    }  # fmt: skip


RECEIPTS = {
    "british": british_sale,
    "chinese": chinese_sale,
    "american": american_sale,
    "return": british_return,
}
