"""The store's own account as a provider: the currency says which code, and nobody but a person knows more."""

import datetime as dt
from pathlib import Path

import pytest

from pos.payments.bank_codes import reference_of
from pos.payments.providers import BANK_CODE, Request
from store_app.payments.amount_qr import BY_HAND, OTHER_CURRENCY, AccountSettings, AmountQr
from tests.supply.money.bank.made import IBAN

AT = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)
EVERY = {"holder": "Corner", "account": IBAN, "upi_id": "corner@okbank", "pix_key": "corner@example.com"}


def asked(currency: str, reference: str = "") -> Request:
    return Request("payment-0001", "sale-0001", "1", BANK_CODE, 1250, currency, city="Recife", reference=reference)


def provider(**said: str) -> AmountQr:
    return AmountQr(AccountSettings.model_validate(said), Path())


@pytest.mark.parametrize(("currency", "start"), [("EUR", "BCD\n002"), ("INR", "upi://pay?"), ("BRL", "000201")])
def test_the_currency_says_which_code_and_the_same_payment_has_the_same(currency: str, start: str):
    one = provider(**EVERY)
    first = one.begin(asked(currency), at=AT)
    assert (first.state, first.reference) == ("requested", reference_of("payment-0001"))
    assert first.shown_code.startswith(start)
    assert one.begin(asked(currency), at=AT) == first
    assert one.query(asked(currency), at=AT) == first, "killed before its answer was written, it gets its code"
    assert one.query(asked(currency, first.reference), at=AT).state == "requested"
    assert one.cancel(asked(currency), at=AT).state == "cancelled"
    back = one.reverse(asked(currency), 1250, key="k", at=AT)
    assert (back.state, back.reason) == ("declined", BY_HAND)


@pytest.mark.parametrize(("missing", "left"), [
    ({"account": "123456"}, {"INR", "BRL"}), ({"upi_id": ""}, {"EUR", "BRL"}), ({"pix_key": ""}, {"EUR", "INR"}),
])  # fmt: skip
def test_what_is_not_entered_is_not_offered(missing: dict[str, str], left: set[str]):
    one = provider(**EVERY | missing)
    assert one.currencies == left
    (gone,) = {"EUR", "INR", "BRL"} - left
    assert one.begin(asked(gone), at=AT).reason == OTHER_CURRENCY
