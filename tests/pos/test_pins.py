"""PINs that are tried first are nobody's who may do more than sell."""

import pytest
from argon2 import PasswordHasher

from config.errors import Invalid
from pos import pins
from tests.readable import readable

WEAK = ("0000", "111111", "1234", "9876", "7890", "123456", "1212", "123123", "1990", "2011", "010190", "19900101")


@pytest.mark.parametrize("pin", WEAK)
def test_a_pin_that_is_tried_first_is_for_cashiers_alone(pin):
    for role in ("supervisor", "shopkeeper", "operator"):
        with pytest.raises(Invalid):
            pins.refuse_weak(pin, role)
    pins.refuse_weak(pin, "cashier")


@pytest.mark.parametrize("pin", ["2468", "4711", "8642", "97531", "864209", "38271046"])
def test_any_other_pin_is_taken(pin):
    pins.refuse_weak(pin, "shopkeeper")


def test_an_operator_has_six_digits():
    with pytest.raises(Invalid, match="6 digits"):
        pins.refuse_weak("86420", "operator")
    pins.refuse_weak("864209", "operator")


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
