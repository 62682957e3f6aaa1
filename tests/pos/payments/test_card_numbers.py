"""No card's number is kept (I39): one typed in place of a slip's is refused, and nothing else is."""

import pytest

from config.errors import Invalid
from pos.payments.payments import Tendered, is_card_number, settle

CARDS = ("4111 1111 1111 1111", "5555-5555-5555-4444", "378282246310005", "6011111111111117", "2223003122003222")
"""The schemes' published test numbers."""
SLIPS = ("", "000123", "4111111111111112", "411111111111", "4006381333931", "A4111111111111111", "0000000000000000")


@pytest.mark.parametrize("number", CARDS)
@pytest.mark.parametrize("tender", ["card", "wallet"])
def test_a_card_s_number_is_refused_wherever_a_slip_s_is_typed(number, tender):
    with pytest.raises(Invalid) as refused:
        settle([Tendered(tender, 500, number)], 500, smallest_coin_minor=1, currency="EUR", channel="till")
    assert refused.value.code == "card-number"
    assert number not in refused.value.message, "nor is it repeated, in a log say"


@pytest.mark.parametrize("number", SLIPS)
def test_a_slip_s_number_is_taken(number):
    assert not is_card_number(number)
    assert settle([Tendered("card", 500, number)], 500, smallest_coin_minor=1, currency="EUR", channel="till")
