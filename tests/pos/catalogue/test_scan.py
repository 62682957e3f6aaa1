"""What any scan becomes: maker's codes, the store's own labels, GS1 codes, and text nobody understands."""

import contextlib
import datetime as dt
import subprocess
import sys

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from config.errors import Conflict, DomainError, Invalid, NotFound, Refused
from config.nodes.journal import Context
from pos.catalogue import catalogue, gs1, own_labels, scan
from pos.catalogue.catalogue import Scanned
from tests.builders import NOON, STORE, OpenStore, open_store

DAY = NOON.date()
WEIGHT, PRICE, UPC = "21{item:5}{weight:5}", "22{item:5}{check}{price:4}", "2{item:5}{price:5}"
FNC1 = "\x1d"


def read(store: OpenStore, code: str) -> Scanned:
    return store.read(lambda session: scan.read(session, STORE, code, DAY))


def learn(store: OpenStore, *patterns: str, step: int = 1) -> None:
    with store.write() as session:
        for pattern in patterns:
            scan.add_scheme(Context(session, store.wei, NOON), STORE, "", pattern, step)


def give_code(store: OpenStore, sku: str, code: str, qty: int = 1) -> None:
    with store.write() as session:
        catalogue.add_code(session, sku, code, qty)


# --- plain codes ---


@pytest.mark.parametrize("code", ["4006381333931", " 4006381333931\n", "04006381333931", "]E04006381333931"])
def test_a_plain_code_is_found_whatever_the_scanner_puts_around_it(store: OpenStore, code: str) -> None:
    found = read(store, code)
    assert (found.product.sku, found.qty, found.source) == ("milk", 1, "gtin")


def test_a_plain_code_costs_one_question(store: OpenStore) -> None:
    learn(store, WEIGHT, PRICE)
    asked: list[str] = []
    sa.event.listen(store.database.engine, "checkout", lambda driver, *_: driver.set_trace_callback(asked.append))
    read(store, "4006381333931")
    assert len([text for text in asked if text.startswith("SELECT")]) == 1


def test_a_sku_is_found_as_one(store: OpenStore) -> None:
    assert read(store, "milk").source == "sku"


def test_a_case_is_sold_in_units_of_the_one_stock(store: OpenStore) -> None:
    give_code(store, "milk", "14006381333938", 12)
    case = read(store, "14006381333938")
    assert (case.product.sku, case.qty) == ("milk", 12)
    store.sell([(case.product.sku, case.qty)])
    store.sell([("milk", 1)])
    assert store.level("milk").on_hand == 20 - 12 - 1
    assert store.findings() == []


def test_a_case_nobody_registered_is_never_guessed_from_the_piece_inside(store: OpenStore) -> None:
    with pytest.raises(NotFound, match="case of Whole milk") as refused:
        read(store, "14006381333938")
    assert refused.value.code == "unknown-pack"


def test_a_registered_code_goes_before_any_scheme(store: OpenStore) -> None:
    learn(store, "20{item:5}{weight:5}")
    assert read(store, "2000000000015").source == "gtin"


def test_a_misread_code_says_so(store: OpenStore) -> None:
    with pytest.raises(Invalid, match="misread"):
        read(store, "4006381333932")


# --- the store's own labels ---


def test_a_weight_becomes_grams(store: OpenStore) -> None:
    learn(store, WEIGHT)
    give_code(store, "cheese", "2112345")
    found = read(store, "2112345003122")
    assert (found.product.sku, found.qty, found.amount_minor, found.source) == ("cheese", 312, None, "embedded")


def test_a_price_is_what_the_line_costs_and_gives_the_quantity(store: OpenStore) -> None:
    learn(store, PRICE)
    give_code(store, "cheese", "7")
    code = own_labels.build(own_labels.scheme(PRICE), 7, 592)
    found = read(store, code)
    assert (found.amount_minor, found.qty) == (592, 312)  # 5.92 at 18.99 a kilogram


def test_a_price_too_small_for_a_gram_still_sells_one_unit(store: OpenStore) -> None:
    learn(store, PRICE)
    give_code(store, "wine", "9")
    assert read(store, own_labels.build(own_labels.scheme(PRICE), 9, 100)).qty == 1


def test_the_first_scheme_that_fits_wins_and_no_later_one_touches_the_quantity(store: OpenStore) -> None:
    """A later format must not set the quantity back to one."""
    learn(store, WEIGHT, "2{any:1}{item:5}{weight:4}{any:1}", "21{item:5}{any:4}{count:1}")
    give_code(store, "cheese", "2112345")
    assert read(store, "2112345003122").qty == 312


def test_the_order_of_schemes_is_the_shopkeepers(store: OpenStore) -> None:
    learn(store, "2{any:1}{item:5}{weight:5}", "21{item:5}{any:1}{weight:4}")
    give_code(store, "cheese", "12345")
    code = own_labels.build(own_labels.scheme(WEIGHT), 12345, 10_312)
    assert read(store, code).qty == 10_312
    with store.write() as session:
        second = scan.scheme_rows(session, STORE)[1]
        scan.raise_scheme(Context(session, store.wei, NOON), STORE, second.id)
    assert read(store, code).qty == 312


@pytest.mark.parametrize("key", ["2112345000008", "2112345", "12345"])
def test_a_product_is_reached_by_its_number_however_it_was_registered(store: OpenStore, key: str) -> None:
    learn(store, WEIGHT)
    give_code(store, "cheese", key)
    assert read(store, "2112345003122").product.sku == "cheese"


def test_leading_zeros_of_a_number_may_be_left_out(store: OpenStore) -> None:
    learn(store, WEIGHT)
    give_code(store, "cheese", "42")
    assert read(store, own_labels.build(own_labels.scheme(WEIGHT), 42, 250)).qty == 250


@pytest.mark.parametrize("code", ["200042007999", "0200042007999"])
def test_a_upc_label_is_read_with_twelve_and_with_thirteen_digits(store: OpenStore, code: str) -> None:
    learn(store, UPC)
    give_code(store, "cheese", "42")
    made = own_labels.build(own_labels.scheme(UPC), 42, 799)
    assert len(made) == 12
    spelt = made if len(code) == 12 else "0" + made
    assert read(store, spelt).amount_minor == 799


def test_a_step_says_what_one_on_the_label_is_worth(store: OpenStore) -> None:
    learn(store, "23{item:6}{weight:4}", step=10)
    give_code(store, "cheese", "42")
    assert read(store, own_labels.build(own_labels.scheme("23{item:6}{weight:4}", 10), 42, 1250)).qty == 1250


def test_a_wrong_check_digit_of_the_price_is_a_misread_label(store: OpenStore) -> None:
    learn(store, PRICE)
    good = own_labels.build(own_labels.scheme(PRICE), 7, 592)
    body = good[:7] + str((int(good[7]) + 1) % 10) + good[8:12]
    with pytest.raises(Invalid) as refused:
        read(store, body + catalogue.check_digit(body))
    assert refused.value.code == "wrong-price-check"


def test_a_wrong_check_digit_of_a_label_is_a_misread_one(store: OpenStore) -> None:
    learn(store, WEIGHT)
    with pytest.raises(Invalid) as refused:
        read(store, "2112345003123")
    assert refused.value.code == "wrong-check-digit"


def test_a_label_of_nothing_is_refused(store: OpenStore) -> None:
    learn(store, WEIGHT)
    with pytest.raises(Invalid) as refused:
        read(store, "2112345000008")
    assert refused.value.code == "empty-label"


def test_a_weight_of_what_is_sold_by_the_piece_is_refused(store: OpenStore) -> None:
    learn(store, WEIGHT)
    give_code(store, "bread", "12345")
    with pytest.raises(Refused, match="not sold by weight") as refused:
        read(store, "2112345003122")
    assert refused.value.code == "label-unit"


def test_a_label_of_an_unknown_number_says_which_code_to_give_the_product(store: OpenStore) -> None:
    learn(store, WEIGHT)
    with pytest.raises(NotFound, match="2112345000008"):
        read(store, "2112345003122")


def test_a_label_no_scheme_reads_sends_to_weighed_goods(store: OpenStore) -> None:
    with pytest.raises(NotFound) as refused:
        read(store, "2112345003122")
    assert refused.value.code == "unknown-label"


def test_schemes_of_another_shop_read_nothing_here(store: OpenStore) -> None:
    learn(store, WEIGHT)
    assert store.read(lambda session: scan.schemes(session, "S99")) == []


def test_a_scheme_is_learnt_once_and_forgotten(store: OpenStore) -> None:
    learn(store, WEIGHT)
    with pytest.raises(Conflict):
        learn(store, WEIGHT)
    with store.write() as session:
        scan.remove_scheme(Context(session, store.wei, NOON), STORE, scan.scheme_rows(session, STORE)[0].id)
    assert store.read(lambda session: scan.schemes(session, STORE)) == []


@pytest.mark.parametrize(
    "pattern",
    [
        "", "40{item:5}{weight:5}", "21{item:5}{weight:3}", "21{item:5}{weigth:5}", "21{weight:10}", "21{item:10}",
        "21{item:5}{weight:2}{price:3}", "22{item:5}{check}{weight:4}", "22{item:3}{check}{price:6}", "21{item:5}{",
        "21{item:0}{weight:5}{any:5}", "1{item:5}{price:5}", "x" * 100,
    ],
)  # fmt: skip
def test_a_pattern_that_cannot_be_meant_is_refused_with_a_sentence(pattern: str) -> None:
    with pytest.raises(Invalid) as refused:
        own_labels.scheme(pattern)
    assert refused.value.code == "bad-pattern"


@pytest.mark.parametrize(("price", "digit"), [("2875", "9"), ("14685", "6")])
def test_price_check_digits_are_those_of_the_published_examples(price: str, digit: str) -> None:
    assert own_labels.price_check_digit(price) == digit


@given(st.sampled_from([WEIGHT, PRICE, UPC, "02{item:4}{check}{price:5}", "29{any:2}{item:4}{count:4}"]), st.data())
def test_what_was_built_is_read_back(pattern: str, drawn: st.DataObject) -> None:
    made = own_labels.scheme(pattern)
    number = drawn.draw(st.integers(0, 10**made.number.width - 1))
    value = drawn.draw(st.integers(1, 10**made.value.width - 1))
    label = own_labels.parse(own_labels.build(made, number, value), [made])
    assert label is not None
    assert (int(label.number), label.value, label.kind) == (number, value, made.kind)


@given(st.sampled_from([WEIGHT, PRICE, UPC]), st.integers(0, 12), st.integers(1, 9))
def test_one_misread_digit_never_becomes_another_weight_or_price(pattern: str, at: int, by: int) -> None:
    made = own_labels.scheme(pattern)
    code = own_labels.build(made, 12345, 1234)
    at = min(at, len(code) - 1)
    wrong = code[:at] + str((int(code[at]) + by) % 10) + code[at + 1 :]
    with contextlib.suppress(Invalid):
        assert own_labels.parse(wrong, [made]) is None


# --- GS1 ---


CHEESE = "]e00102000000000015"
MILK = "0104006381333931"


@pytest.mark.parametrize("start", ["]C1", "]d2", "]e0", "]Q3", "]d2" + FNC1, FNC1])
def test_batch_and_day_come_out_of_any_announced_code(store: OpenStore, start: str) -> None:
    found = read(store, f"{start}{MILK}17261200" + "10L7" + FNC1)
    assert (found.product.sku, found.qty, found.source) == ("milk", 1, "gs1")
    assert (found.batch, found.expires_on) == ("L7", dt.date(2026, 12, 31))  # day 00 is the month's last


@pytest.mark.parametrize(
    "code",
    [
        MILK + "10L7" + FNC1 + "15261224",
        MILK + "15261224" + "10L7",
        "(01)04006381333931(10)L7(15)261224",
        "https://id.gs1.org/01/04006381333931/10/L7?15=261224",
    ],
)
def test_a_code_nobody_announced_is_recognised_by_its_shape(store: OpenStore, code: str) -> None:
    found = read(store, code)
    assert (found.product.sku, found.batch, found.expires_on) == ("milk", "L7", dt.date(2026, 12, 24))


def test_a_use_by_day_goes_before_a_best_before_day(store: OpenStore) -> None:
    assert read(store, MILK + "15261231" + "17261224").expires_on == dt.date(2026, 12, 24)


@pytest.mark.parametrize(("weight", "grams"), [("3103000312", 312), ("3102000031", 310), ("3202000100", 454)])
def test_a_net_weight_becomes_grams(store: OpenStore, weight: str, grams: int) -> None:
    assert read(store, CHEESE + weight).qty == grams


def test_a_price_in_a_gs1_code_is_what_the_line_costs(store: OpenStore) -> None:
    found = read(store, CHEESE + "3103000312" + "3922592")
    assert (found.qty, found.amount_minor) == (312, 592)
    assert read(store, CHEESE + "3922592").qty == 312
    assert read(store, CHEESE + "3931978" + "59").amount_minor == 590


def test_a_price_in_another_currency_is_refused(store: OpenStore) -> None:
    with pytest.raises(Refused, match="EUR"):
        read(store, CHEESE + "3932840" + "592")


def test_a_count_multiplies_what_the_code_stands_for(store: OpenStore) -> None:
    give_code(store, "milk", "14006381333938", 12)
    assert read(store, "]C10204006381333931" + "376").qty == 6
    assert read(store, "]C10214006381333938" + "372").qty == 24
    assert read(store, "]C1" + MILK + "303").qty == 3


@pytest.mark.parametrize(
    ("code", "refusal"),
    [
        ("]d20104006381333932", "misread-code"),
        ("]d2" + MILK + "17261345", "misread-code"),
        ("]d2" + MILK + "17", "misread-code"),
        ("]d2", "no-product-in-code"),
        ("]C100340123450000000018", "no-product-in-code"),
        ("]d20104012345678949", "unknown-barcode"),
        ("]d20114006381333938", "unknown-pack"),
        (CHEESE + "3103000000", "empty-label"),
        ("]C10204006381333931" + "3799999999", "empty-label"),
        ("https://id.gs1.org/01/04006381333931/10", "misread-code"),
    ],
)
def test_a_gs1_code_that_cannot_be_sold_says_why(store: OpenStore, code: str, refusal: str) -> None:
    with pytest.raises(DomainError) as refused:
        read(store, code)
    assert refused.value.code == refusal
    assert refused.value.message.endswith(".")


HOSTILE = st.one_of(
    st.text(max_size=60),
    st.text(alphabet="0123456789()\x1d]Cde%/", max_size=60),
    st.from_regex(r"\](C1|d2|e0)(01[0-9]{14})?(10|17|3103|3922|3930|37|30|21)[0-9A-Z\x1d]{0,24}", fullmatch=True),
    st.from_regex(r"2[0-9]{11,12}", fullmatch=True),
    st.from_regex(r"https?://[a-z\[\]:]{1,9}/01/[0-9]{8,14}[/?=0-9a-z%]{0,20}", fullmatch=True),
)


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory) -> OpenStore:
    """Give a store that any number of scans can look into."""
    opened = open_store(tmp_path_factory.mktemp("scan"), till_open=False)
    learn(opened, WEIGHT, PRICE, UPC)
    return opened


@given(HOSTILE)
def test_any_text_at_all_gets_a_product_or_a_sentence(counter: OpenStore, text: str) -> None:
    fault: DomainError | None = None
    try:
        assert read(counter, text).qty > 0
    except DomainError as refused:
        fault = refused
    assert fault is None or fault.message.endswith(".")
    assert fault is None or all(len(str(fact)) < 200 for fact in fault.facts.values())


def test_gs1_tables_are_loaded_by_the_first_gs1_code_only() -> None:
    """They take 25 MB, and most tills never see such a code."""
    look = "import sys, pos.catalogue.scan; sys.exit('biip' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", look], check=False).returncode == 0
    assert gs1.looks_like_one("0104006381333931" + "17261224")
