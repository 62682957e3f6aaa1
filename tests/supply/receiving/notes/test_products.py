"""What makes a line sure, and what only a question."""

from decimal import Decimal

from supply.receiving.notes.columns import NoteLine
from supply.receiving.notes.products import ASK, PACK, PIECE, SURE, UNKNOWN, Known, Lesson, propose

MILK = Known("milk", "Alpine whole milk 1 l", 12, 1188, "4711", {"4006381333931": 1})
SMALL = Known("small", "Alpine whole milk 0,5 l", 12, 700, "4712")
BREAD = Known("bread", "Country rye bread 500 g", 1, 210, "8801")


def line(name, *codes, qty=2, price="11.88", unit="", checked=True):
    cost = Decimal(price)
    return NoteLine(name, codes, Decimal(qty), unit, None, cost, cost * qty, checked)


def proposed(one, *known, lessons=()):
    return propose([one], known or (MILK, SMALL, BREAD), lessons)[0]


def test_name_and_price_make_a_line_sure_with_its_pack():
    found = proposed(line("ALPINE WHOLE MILK 1 L"))
    assert (found.kind, found.sku, found.unit) == (SURE, "milk", PACK)


def test_the_price_tells_pieces_from_packs():
    assert proposed(line("Alpine whole milk 1 l", price="0.99")).unit == PIECE


def test_a_name_with_a_typo_is_still_found():
    assert proposed(line("Alpine whoIe rnilk 1 l")).choices[0] == "milk"


def test_another_size_is_never_sure():
    assert proposed(line("Alpine whole milk 2 l"), MILK, BREAD).kind == ASK


def test_a_name_that_fits_two_products_is_asked():
    found = proposed(line("Alpine whole milk", price="9.99"))
    assert found.kind == ASK
    assert set(found.choices[:2]) == {"milk", "small"}


def test_a_number_alone_makes_nothing_sure():
    found = proposed(line("Garden hose 20 m", "4711", price="39.00"))
    assert found.kind == ASK
    assert "milk" in found.choices


def test_a_number_of_another_product_makes_a_good_name_a_question():
    assert proposed(line("Alpine whole milk 1 l", "8801")).kind == ASK


def test_figures_that_do_not_multiply_are_asked():
    assert proposed(line("Alpine whole milk 1 l", checked=False)).kind == ASK


def test_what_fits_nothing_is_unknown_and_kept():
    found = proposed(line("Garden hose", price="39.00"))
    assert (found.kind, found.choices, found.line.name) == (UNKNOWN, (), "Garden hose")


def test_a_lesson_makes_a_wording_sure():
    strange = line("AWM 1/1 tetra", price="5.00")
    assert proposed(strange).kind != SURE
    found = proposed(strange, lessons=[Lesson("AWM 1/1 TETRA", "milk", PIECE)])
    assert (found.kind, found.sku, found.unit) == (SURE, "milk", PIECE)


def test_two_lessons_that_contradict_make_nothing_sure():
    lessons = [Lesson("AWM tetra", "milk", PIECE), Lesson("AWM tetra", "bread", PIECE)]
    assert proposed(line("AWM tetra", price="5.00"), lessons=lessons).kind == ASK


def test_the_order_tells_packs_where_price_and_unit_do_not():
    ordered = Known("milk", "Alpine whole milk 1 l", 12, 0, "4711", ordered=24)
    assert proposed(line("Alpine whole milk 1 l"), ordered, BREAD).unit == PACK
