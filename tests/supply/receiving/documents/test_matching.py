"""Made invoices with seeded faults: every fault is found, and nothing else."""

from dataclasses import dataclass, replace
from decimal import ROUND_HALF_UP, Decimal
from random import Random

from supply.receiving.documents import document, matching, reading
from supply.receiving.documents.matching import Ordered, Sold
from tests.supply.receiving.documents import made
from tests.supply.receiving.documents.made import Line, Paper

MADE = 1_000
RATES = (7, 20)
FAULTS = ("short", "over", "price", "pack_for_piece", "tax", "not_ordered", "not_received")


@dataclass
class Case:
    """One billed product, what was ordered and received of it, and the fault that was put in."""

    sold: Sold
    ordered: int | None
    received: int
    line: Line
    fault: str | None


def case(rng: Random, n: int) -> Case:
    """Make one line as suppliers write them, right or with one fault."""
    is_weighed = rng.random() < 0.15
    pack = 5000 if is_weighed else rng.choice((1, 6, 12, 24))
    cost, rate = rng.randint(150, 6_000), rng.choice(RATES)
    codes = {f"40063813{n:04}1": 1, f"140063813{n:04}8": pack}
    unit = "gram" if is_weighed else "each"
    sold = Sold(f"sku{n}", f"Product {n}", unit, pack, cost, f"A-{n}", codes, rate * 100)
    fault = rng.choice(FAULTS) if rng.random() < 0.4 else None
    if fault == "pack_for_piece" and (is_weighed or pack == 1):
        fault = None
    packs = rng.randint(1, 12)
    units = ordered = received = packs * pack
    if fault == "over":
        packs += rng.randint(1, 3)
        units = received = packs * pack
    elif fault == "not_received":
        received = 0
    elif fault == "short":
        received = rng.randint(1, units - 1) if units > 1 else 0
        fault = fault if received else "not_received"
    billed_at = (
        cost if fault != "price" else max(1, cost + rng.choice((-1, 1)) * max(2, cost * rng.randint(3, 25) // 100))
    )
    line = written(rng, sold, packs, units, Decimal(billed_at) / 100, Decimal(cost) / 100, fault)
    if fault == "tax":
        rate = RATES[1 - RATES.index(rate)]
    by_code = rng.random() < 0.3 and line.unit in ("C62", "H87")
    line = replace(
        line, rate=rate, article_no="" if by_code else sold.article_no, gtin=next(iter(codes)) if by_code else ""
    )
    return Case(sold, None if fault == "not_ordered" else ordered, received, line, fault)


def written(
    rng: Random, sold: Sold, packs: int, units: int, pack_cost: Decimal, right: Decimal, fault: str | None
) -> Line:
    """Write a quantity and its price: in packs, in pieces with a rounded price, by weight, or less a discount."""
    if sold.stock_unit == "gram":
        return Line("", Decimal(units) / 1000, (pack_cost / 5).quantize(Decimal("0.001")), "KGM")
    if fault == "pack_for_piece":
        return Line("", units, pack_cost, rng.choice(("C62", "XBX")))
    form = rng.choice(("packs", "pieces", "packs as pieces", "discount"))
    if form == "pieces":
        ulp = Decimal(10) ** -rng.randint(2, 4)
        price, fair = ((one / sold.pack_qty).quantize(ulp, ROUND_HALF_UP) for one in (pack_cost, right))
        if fault == "price" and abs(price - fair) < 2 * ulp:
            price = fair + 2 * ulp
        return Line("", units, price, rng.choice(("C62", "H87", "EA")))
    if form == "discount":
        return Line("", packs, pack_cost + 1, rng.choice(("XCT", "CS")), extra=Decimal(-packs))
    return Line("", packs, pack_cost, "H87" if form == "packs as pieces" and fault != "price" else "XBX")


def test_every_seeded_fault_is_found_and_no_other():
    seeded = dict.fromkeys(FAULTS, 0)
    for seed in range(MADE):
        rng = Random(seed)
        cases = [case(rng, n) for n in range(rng.randint(1, 8))]
        raw = made.ubl(Paper([one.line for one in cases]))
        (said,) = reading.read(raw)
        found = matching.compare(
            document.from_json(said), [one.sold for one in cases],
            {one.sold.sku: Ordered(one.ordered, one.sold.pack_qty, one.sold.pack_cost_minor) for one in cases
             if one.ordered is not None},
            {one.sold.sku: one.received for one in cases},
        )  # fmt: skip
        kinds = [[two.kind for two in one.differences] for one in found]
        assert kinds == [[one.fault] if one.fault else [] for one in cases], (seed, cases, kinds)
        for one in filter(None, (one.fault for one in cases)):
            seeded[one] += 1
    assert min(seeded.values()) > 50


MILK = Sold("milk", "Milk", "each", 12, 928, "M-1", {"4006381333931": 1, "14006381333938": 12}, 2000)


def compared(line: Line, ordered=120, received=120, before=0, kind="Invoice"):
    (said,) = reading.read(made.ubl(Paper([line]), kind))
    wanted = None if ordered is None else {"milk": Ordered(ordered, 12, 928)}
    came = None if received is None else {"milk": received}
    (found,) = matching.compare(document.from_json(said), [MILK], wanted, came, {"milk": before})
    return found.billed, [(one.kind, one.units, one.excess_minor) for one in found.differences]


def test_what_a_difference_costs_is_what_the_supplier_asks_too_much():
    assert compared(Line("M-1", 10, "9.28"), received=96) == (120, [("short", 24, 1856)])
    assert compared(Line("M-1", 10, "10.00")) == (120, [("price", 120, 720)])
    assert compared(Line("M-1", 120, "9.28", "C62")) == (120, [("pack_for_piece", 120, 111_360 - 9_280)])
    assert compared(Line("M-1", 10, "9.28", rate=7)) == (120, [("tax", 120, 650 - 1856)])
    assert compared(Line("M-1", 11, "10.00"), received=120) == (132, [("short", 12, 928), ("price", 132, 792)])


def test_what_was_billed_before_is_not_billed_again():
    assert compared(Line("M-1", 5, "9.28"), before=60) == (60, [])
    assert compared(Line("M-1", 10, "9.28"), before=120) == (120, [("not_received", 120, 9_280)])


def test_lines_of_one_product_share_what_came():
    lines = [Line("M-1", 6, "9.28"), Line("M-1", 6, "9.28")]
    (said,) = reading.read(made.ubl(Paper(lines)))
    found = matching.compare(document.from_json(said), [MILK], {"milk": Ordered(144, 12, 928)}, {"milk": 120})
    assert [[(two.kind, two.units) for two in one.differences] for one in found] == [[], [("short", 24)]]


def test_without_an_order_or_a_receipt_nothing_is_said_of_them_and_a_credit_note_owes_nothing():
    assert compared(Line("M-1", 99, "9.28"), ordered=None, received=None) == (1188, [])
    assert compared(Line("M-1", 99, "9.28"), received=None) == (1188, [("over", 1068, 0)])
    assert compared(Line("M-1", 99, "1.00", rate=7), kind="CreditNote")[1] == []


def test_a_product_is_known_by_their_number_or_its_barcode_however_many_zeros_lead():
    assert compared(Line("", 120, "0.7733", "C62", gtin="04006381333931")) == (120, [])
    assert compared(Line("m 1", 10, "9.28")) == (120, [])
    assert compared(Line("X", 10, "9.28")) == (None, [("unknown", 0, 0)])


def test_a_quantity_counts_what_its_price_is_of_else_what_unit_and_barcode_say():
    assert compared(Line("M-1", 120, "0.7733", "XBX")) == (120, [])
    dearer = (120, [("price", 120, 720)])
    assert compared(Line("M-1", 10, "10.00", "XBX")) == dearer
    assert compared(Line("M-1", 10, "10.00", "DZN")) == dearer
    assert compared(Line("", 10, "10.00", "C62", gtin="14006381333938")) == dearer


def test_a_product_without_a_known_cost_has_no_wrong_price():
    (said,) = reading.read(made.ubl(Paper([Line("M-1", 10, "9.28", "C62")])))
    (found,) = matching.compare(
        document.from_json(said), [replace(MILK, pack_qty=1, pack_cost_minor=0)], None, {"milk": 9}
    )
    assert [(one.kind, one.excess_minor) for one in found.differences] == [("short", 928)]
