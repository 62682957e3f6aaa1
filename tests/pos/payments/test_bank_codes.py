"""The codes of a bank transfer: what each scheme reads, to the letter."""

import segno
from hypothesis import given
from hypothesis import strategies as st
from segno.helpers import make_epc_qr

from config.ids import new_id
from pos.payments import bank_codes, merchant_qr
from pos.payments.providers import BANK_CODE, Request

ID = "01JNP2Q3R4S5T6V7W8X9YZABCD"
IBAN = "DE89370400440532013000"


def asked(currency: str, minor: int = 1234, id: str = ID) -> Request:
    return Request(id, "sale-0001", "1", BANK_CODE, minor, currency, city="São Paulo")


def test_an_epc_code_says_what_its_standard_wants():
    text = bank_codes.epc(asked("EUR"), holder="Müller  Feinkost", iban=IBAN, bic="COBADEFFXXX")
    assert (
        text == f"BCD\n002\n1\nSCT\nCOBADEFFXXX\nMüller Feinkost\n{IBAN}\nEUR12.34\n\n\n{bank_codes.reference_of(ID)}"
    )
    theirs = make_epc_qr("Müller Feinkost", IBAN, "12.34", text=bank_codes.reference_of(ID), bic="COBADEFFXXX",
                         encoding="utf-8")  # fmt: skip
    assert segno.make_qr(text, error="m", boost_error=False, encoding="utf-8").matrix == theirs.matrix
    longest = bank_codes.epc(asked("EUR", 99_999_999_999), holder="Ä" * 90, iban=IBAN[:4] + "0" * 30, bic="COBADEFFXXX")
    assert segno.make_qr(longest, error="m", boost_error=False, encoding="utf-8").version <= 13


def test_a_upi_link_says_payee_amount_and_reference():
    reference = bank_codes.reference_of(ID)
    assert bank_codes.upi(asked("INR"), holder="Kirana & Co", upi_id="kirana@okbank") == (
        f"upi://pay?pa=kirana@okbank&pn=Kirana%20%26%20Co&tr={reference}&tn={reference}&am=12.34&cu=INR"
    )


def test_a_pix_code_carries_key_amount_and_reference():
    text = bank_codes.pix(asked("BRL"), holder="Mercadinho do João", key="+5511987654321")
    body = (
        "00020101021226360014br.gov.bcb.pix0114+5511987654321520454115303986540512.345802BR5918Mercadinho do Joao"
        f"6009Sao Paulo62160512{bank_codes.reference_of(ID)}6304"
    )
    assert text == body + merchant_qr.checksum(body)


@given(st.integers(0, 2**32))
def test_a_reference_is_each_payment_s_own_and_found_again(seed):
    one, two = bank_codes.reference_of(f"payment-{seed}"), bank_codes.reference_of(new_id())
    assert one == bank_codes.reference_of(f"payment-{seed}")
    assert one != two
    assert len(one) == 12
    assert bank_codes.references_in(f"RE {one[:4]} {one[4:]} X") >= {one}
