"""PINs that are tried first are nobody's."""

import pytest
from argon2 import PasswordHasher

from config.errors import Invalid
from pos.store import pins
from tests.readable import readable

WEAK = ("0000", "111111", "1234", "9876", "7890", "123456", "1212", "123123", "1990", "2011", "010190", "19900101")


@pytest.mark.parametrize("pin", WEAK)
def test_a_pin_that_is_tried_first_is_nobody_s(pin):
    for role in ("cashier", "supervisor", "shopkeeper"):
        with pytest.raises(Invalid, match="easy to guess"):
            pins.refuse_weak(pin, role)


@pytest.mark.parametrize("pin", ["2468", "4711", "8642", "97531", "864209", "38271046"])
def test_any_other_pin_is_taken(pin):
    pins.refuse_weak(pin, "shopkeeper")


@pytest.mark.parametrize(
    ("typed", "reported"),
    [
        ("three heron", "12 to 128"),
        ("x" * 129, "12 to 128"),
        ("864209753186", "easy to guess"),
        ("Password12345!", "easy to guess"),
        ("iloveyousomuch", "easy to guess"),
        ("OliviaBrandt2026", "easy to guess"),
        ("cornerstore network", "easy to guess"),
    ],
)
def test_an_operator_s_passphrase_is_long_and_no_common_one_nor_one_of_names(typed, reported):
    with pytest.raises(Invalid, match=reported):
        pins.refuse_weak(typed, "operator", ("Olivia Brandt", "network"))


ANYTHING = ("three gray herons", "葡萄树下的三只小猫在晒太阳吧", "\t;<x9\u00df'\"% -kWq", "0n3 of many words " * 7)


@pytest.mark.parametrize("typed", ANYTHING)
def test_a_passphrase_has_any_characters_up_to_128_and_counts_whole(typed):
    pins.refuse_weak(typed, "operator", ("Olivia Brandt", "network"))
    kept = pins.hashed(typed)
    assert [pins.is_right(typed, kept), pins.is_right(typed[:-1], kept), pins.is_right(typed.upper(), kept)] == [
        True, False, typed.upper() == typed,
    ]  # fmt: skip
    with pytest.raises(Invalid, match="4 to 12 digits"):
        pins.refuse_weak(typed, "cashier")


def test_a_pin_is_kept_as_a_hash_that_tells_the_right_one_from_a_wrong_one_and_nobody_has_one():
    kept = pins.hashed("2580")
    assert "2580" not in readable(kept)
    assert [pins.is_right("2580", kept), pins.is_right("2581", kept), pins.is_right("2580", None)] == [
        True,
        False,
        False,
    ]
    with pytest.raises(Invalid, match="4 to 12 digits"):
        pins.hashed("12a4")


def test_pins_kept_in_an_older_way_are_right_and_dated_and_codes_are_found_whatever_pins_cost(monkeypatch):
    kept, code = pins.hashed("2580"), pins.slow_hash("ABCD", "week")
    assert not pins.is_dated(kept)
    monkeypatch.setattr(pins, "_hasher", PasswordHasher(time_cost=3, memory_cost=8_192, parallelism=1))
    assert (pins.is_dated(kept), pins.is_right("2580", kept), pins.is_right("2581", kept)) == (True, True, False)
    assert pins.slow_hash("ABCD", "week") == code
