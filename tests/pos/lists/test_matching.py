"""A shopping list's lines become products: sure, asked or not here, in four languages, and nothing of it is dropped."""

import re
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.errors import Invalid
from pos.catalogue.search_index import SearchIndex
from pos.lists import matching, message, vocabulary
from pos.lists.amounts import Ware
from pos.lists.matching import MOST_CHOICES, MOST_LETTERS, match
from pos.lists.message import Measure

SHELF = (
    Ware("atta-1", ("Aashirvaad Atta 1 kg",), "Aashirvaad", "Flour"),
    Ware("atta-5", ("Aashirvaad Atta 5 kg",), "Aashirvaad", "Flour"),
    Ware("rice", ("Basmati rice long grain",), "Tilda", "Rice", "500 g"),
    Ware("milk-1", ("Whole milk",), "Meadow", "Dairy", "1 l"),
    Ware("milk-2", ("Whole milk",), "Meadow", "Dairy", "2 l"),
    Ware("skimmed", ("Skimmed milk",), "Meadow", "Dairy", "1 l"),
    Ware("eggs", ("Eggs, 10",), "", "Eggs"),
    Ware("eggs-6", ("Eggs", "Huevos", "Eier", "鸡蛋"), "Coop", "Eggs", "6 pcs"),
    Ware("bread", ("White bread",), "", "Bakery", "500 g"),
    Ware("rye", ("Rye bread",), "", "Bakery", "500 g", left=0),
    Ware("butter", ("Butter",), "Kerry", "Dairy", "250 g"),
    Ware("peanut", ("Peanut butter",), "Skippy", "Spreads", "340 g"),
    Ware("crisps", ("Salt & vinegar crisps",), "Walkers", "Snacks", "150 g"),
    Ware("salt", ("Salt",), "", "Pantry", "500 g"),
    Ware("vinegar", ("White wine vinegar",), "", "Pantry", "500 ml"),
    Ware("cola", ("Coca-Cola",), "Coca-Cola", "Drinks", "1.5 l"),
    Ware("cola-zero", ("Coca-Cola Zero Sugar",), "Coca-Cola", "Drinks", "1.5 l"),
    Ware("cola-6", ("Coca-Cola",), "Coca-Cola", "Drinks", "6 x 330 ml"),
    Ware("sugar", ("Sugar",), "", "Pantry", "1 kg"),
    Ware("7up", ("7 Up",), "", "Drinks", "330 ml"),
    Ware("tea", ("Green tea",), "", "Tea", "20 bags", left=2),
    Ware("tomato", ("Tomatoes",), "", "Vegetables", "", "gram", 100),
    Ware("milch", ("Frische Vollmilch 3,5%",), "Weihen", "Molkerei", "1 l"),
    Ware("leche", ("Leche entera",), "Pascual", "Lácteos", "1 l"),
    Ware("niunai", ("纯牛奶",), "蒙牛", "奶制品", "250 ml"),
    Ware("mianbao", ("全麦面包",), "", "烘焙", "400 g"),
)
BY_SKU = {ware.sku: ware for ware in SHELF}
INDEX = SearchIndex((ware.sku, " ".join(ware.names), f"{ware.brand} {ware.category}") for ware in SHELF)


def lines(text, earlier=()):
    return match(text, INDEX, list(BY_SKU), lambda skus: {sku: BY_SKU[sku] for sku in skus}, earlier)


def said(text, earlier=()):
    """Each line as kind, first product and amount."""
    return [
        (line.kind, *((line.choices[0].sku, line.choices[0].qty) if line.choices else ()))
        for line in lines(text, earlier)
    ]


# --- golden lists ---


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2 kg atta, same milk as last time, eggs", [("sure", "atta-1", 2), ("sure", "milk-2", 3), ("ask", "eggs", 1)]),
        (
            """Hi, could you please send me:\n1. mlik 2 l\n2) whole milk 2l x3\n- peanut buter\n* salt & vinegar crisps
[ ] bread and butter
Thanks, Maria""",
            [
                ("note",), ("note",), ("ask", "milk-2", 1), ("sure", "milk-2", 3), ("sure", "peanut", 1),
                ("sure", "crisps", 1), ("ask", "bread", 1), ("sure", "butter", 1), ("note",), ("note",),
            ],
        ),
        ("half a kilo of tomatoes; 1/2 kg tomatos; a pound of tomatoes", [("sure", "tomato", 500)] * 3),
        ("3 bottles of coke 1.5 l no sugar", [("ask", "cola-zero", 3)]),
        ("coca cola 6 x 330 ml and 2 x 6 x 330 ml coca cola", [("sure", "cola-6", 1), ("sure", "cola-6", 2)]),
        ("7 up, 2 7up", [("sure", "7up", 1), ("sure", "7up", 2)]),
        ("two salt one sugar three butter", [("sure", "salt", 2), ("sure", "sugar", 1), ("sure", "butter", 3)]),
        ("sugar salt butter", [("sure", "sugar", 1), ("sure", "salt", 1), ("sure", "butter", 1)]),
        ("butter, a dozen", [("sure", "butter", 12)]),
        ("no onions please", [("note",)]),
        ("unicorn steaks", [("missing",)]),
        ("[12:30, 1/2/2026] Ana: sugar x2", [("sure", "sugar", 2)]),
    ],
)  # fmt: skip
def test_a_list_in_english(text, expected):
    assert said(text, [[("milk-2", 3), ("bread", 1)]]) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Hola, quiero: dos leches enteras y medio kilo de tomates",
            [("note",), ("sure", "leche", 2), ("sure", "tomato", 500)],
        ),
        ("una docena de huevos", [("sure", "eggs-6", 2)]),
        (
            "3 paquetes de azúcar, un kilo y medio de tomates por favor",
            [("sure", "sugar", 3), ("sure", "tomato", 1500)],
        ),
        ("la misma leche de siempre", [("sure", "leche", 2)]),
        ("lo de siempre", [("sure", "leche", 2), ("missing", "bread", 1)]),
        ("sin cebolla", [("note",)]),
        ("Muchas gracias, un saludo", [("note",), ("note",)]),
    ],
)
def test_a_list_in_spanish(text, expected):
    assert said(text, [[("leche", 2), ("rye", 1)]]) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Guten Tag!\n• 2 Päckchen Zucker\n• ein halbes Kilo Tomaten\n• 3x Butter\nViele Grüße", [
            ("note",), ("sure", "sugar", 2), ("sure", "tomato", 500), ("sure", "butter", 3), ("note",),
        ]),
        ("zwei Flaschen Vollmilch 3,5%", [("sure", "milch", 2)]),
        ("sechs Eier", [("sure", "eggs-6", 1)]),
        ("die gleiche Milch wie immer", [("sure", "milch", 1)]),
        ("Könnten Sie mir bitte Salz und Zucker bringen", [("sure", "salt", 1), ("sure", "sugar", 1)]),
        ("keine Milch", [("note",)]),
    ],
)  # fmt: skip
def test_a_list_in_german(text, expected):
    assert said(text, [[("milch", 1)]]) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "你好，我要纯牛奶两瓶、全麦面包3个。谢谢",
            [("note",), ("sure", "niunai", 2), ("sure", "mianbao", 3), ("note",)],
        ),
        ("蒙牛纯牛奶一盒", [("sure", "niunai", 1)]),
        (
            "两斤西红柿，半斤西红柿，一斤半西红柿",
            [("sure", "tomato", 1000), ("sure", "tomato", 300), ("sure", "tomato", 800)],
        ),
        ("十二个鸡蛋", [("sure", "eggs-6", 2)]),
        ("跟上次一样的牛奶", [("sure", "niunai", 4)]),
        ("老样子", [("sure", "niunai", 4)]),
    ],
)
def test_a_list_in_chinese(text, expected):
    assert said(text, [[("niunai", 4)]]) == expected


# --- rules ---


def test_two_that_fit_alike_are_asked_with_at_most_four_choices():
    (line,) = lines("milk")
    assert line.kind == "ask"
    assert [choice.sku for choice in line.choices][:3] == ["milk-1", "milk-2", "skimmed"]
    assert len(line.choices) <= MOST_CHOICES


def test_a_size_decides_between_packs():
    assert said("whole milk") == [("ask", "milk-1", 1)]
    assert said("whole milk 2 l") == [("sure", "milk-2", 1)]
    assert said("2 whole milk 1 litre") == [("sure", "milk-1", 2)]


def test_a_weight_becomes_packs_and_says_what_they_make():
    (line,) = lines("2 kg basmati rice long grain")
    assert line.kind == "sure"
    assert (line.choices[0].qty, line.choices[0].makes) == (4, Measure("g", Fraction(2000)))


def test_an_amount_that_makes_no_whole_packs_is_asked():
    assert said("3 kg sugar") == [("sure", "sugar", 3)]
    assert said("1.4 kg sugar") == [("ask", "sugar", 1)]
    assert said("250 g tomatoes") == [("sure", "tomato", 300)]
    assert said("5 tomatoes") == [("ask", "tomato", 500)]
    assert said("a case of sugar") == [("ask", "sugar", 1)]


def test_of_four_letters_none_may_differ_for_a_line_to_be_sure():
    assert said("slat") == [("ask", "salt", 1)]
    assert said("buttter") == [("sure", "butter", 1)]


def test_a_part_of_a_name_is_no_sure_line():
    assert said("grain") == [("ask", "rice", 1)]
    assert said("wine") == [("ask", "vinegar", 1)]


def test_the_same_as_last_time_needs_an_earlier_order():
    assert said("same milk as last time") == [("ask", "milk-1", 1)]
    (line,) = lines("same as last time")
    assert (line.kind, line.why) == ("missing", "no-earlier")
    assert said("same milk as last time", [[("sugar", 1)], [("skimmed", 2)], [("milk-1", 9)]]) == [
        ("sure", "skimmed", 2)
    ]


def test_what_is_out_of_stock_is_named_with_a_substitute_that_is_not_chosen():
    (line,) = lines("rye bread")
    assert (line.kind, line.why, line.sku, [choice.sku for choice in line.choices]) == (
        "missing",
        "gone",
        "rye",
        ["bread"],
    )


def test_more_than_is_left_is_asked():
    (line,) = lines("5 green tea")
    assert (line.kind, line.choices[0].qty, line.choices[0].is_less) == ("ask", 2, True)


def test_parts_are_one_product_where_its_name_joins_them_and_two_where_it_does_not():
    assert said("salt and vinegar crisps") == [("sure", "crisps", 1)]
    assert said("salt and sugar") == [("sure", "salt", 1), ("sure", "sugar", 1)]
    assert said("salt and 2 butter") == [("sure", "salt", 1), ("sure", "butter", 2)]


def test_a_product_unlike_what_is_not_wanted_goes_first():
    assert said("coca cola 1.5 l without sugar")[0][1] == "cola-zero"
    assert said("coca cola 1.5 l")[0][1] == "cola"


def test_a_list_too_long_or_empty_is_refused_with_what_to_do():
    with pytest.raises(Invalid, match="Split it in two"):
        lines("x" * (MOST_LETTERS + 1))
    with pytest.raises(Invalid, match="Split it in two"):
        lines("salt\n" * (matching.MOST_LINES + 1))
    with pytest.raises(Invalid, match="Write what you need first"):
        lines(" \n ,, ")
    assert len(lines("salt\n" * matching.MOST_LINES)) == matching.MOST_LINES


# --- nothing is dropped ---

SCRAPS = """
    milk mlik eggs bread butter and y und salt vinegar crisps 2 3x 1/2 kg kilo de of a dozen same as last time please no
    sugar unicorn Grüße 牛奶 两瓶 和 thanks hola , ; . - • ( ) & + 1. 7up the x
"""
WORDS = st.sampled_from(SCRAPS.split())
TEXTS = st.one_of(
    st.lists(WORDS, min_size=1, max_size=14).map(" ".join),
    st.lists(st.lists(WORDS, min_size=1, max_size=5).map(" ".join), min_size=1, max_size=5).map("\n".join),
    st.text(max_size=80),
)
BETWEEN = re.compile(rf"{vocabulary.JOINT.pattern}|\s+", re.IGNORECASE)


@settings(max_examples=300)
@given(TEXTS)
def test_every_word_of_a_message_is_in_one_line_s_text(text):
    """But for numbering and the words that part two lines, in their order."""
    try:
        found = lines(text)
    except Invalid:
        assert len(text) > MOST_LETTERS or not any(map(message.lines_of, [text]))
        return
    told, at = " ".join(line.text for line in found), 0
    for parts in message.lines_of(text):
        for part in parts:
            for word in re.findall(r"\w+", part.text):
                place = told.find(word, at)
                assert place >= 0, (word, [line.text for line in found])
                at = place


@given(TEXTS)
def test_a_message_s_parts_hold_all_of_it_but_bullets_and_joints(text):
    left = re.sub(r"\W|_", "", "".join(part.before + part.text for parts in message.lines_of(text) for part in parts))
    whole = re.sub(r"\W|_", "", text)
    if left != whole:  # bullets and numbering alone are gone
        gone = [line for line in re.split(message.HARD, text) if message.bare(line) != line.strip(" \t,，、")]
        assert gone, (left, whole)


@given(TEXTS)
def test_a_line_names_only_what_can_be_had_each_once_and_at_most_four(text):
    try:
        found = lines(text)
    except Invalid:
        return
    for line in found:
        skus = [choice.sku for choice in line.choices]
        assert len(set(skus)) == len(skus) <= MOST_CHOICES
        assert all(BY_SKU[sku].is_here and choice.qty > 0 for sku, choice in zip(skus, line.choices, strict=True))
        assert (line.kind == "sure") <= (len(skus) == 1)
