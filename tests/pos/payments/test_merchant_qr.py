"""Payment codes: the store's own, by the published example of EMVCo, and the customer's, told from barcodes."""

import pytest

from config.errors import Invalid
from pos.payments import merchant_qr, wallet_codes
from pos.payments.merchant_qr import MerchantQr, build, checksum

PUBLISHED = (
    "00020101021229300012D156000000000510A93FO3230Q31280012D15600000001030812345678520441115802CN5914BEST TRANSPORT"
    "6007BEIJING64200002ZH0104最佳运输0202北京540523.7253031565502016233030412340603***0708A60086670902ME"
    "91320016A0112233449988770708123456786304A13A"
)
"""The sample of the specification, section 5: a code in Chinese and English with a tip prompt."""
STORE_QR = MerchantQr(
    name="Corner of Elm Street",
    city="Berlin",
    country="DE",
    currency="EUR",
    accounts={"26": {"00": "example.cornerstore", "01": "S01"}},
    amount_minor=1250,
    additional={"01": "S01-7", "07": "T1"},
)


def test_the_checksum_is_the_published_one():
    assert checksum("123456789") == "29B1"
    assert checksum(PUBLISHED[:-4]) == "A13A"


def test_our_own_code_is_written_to_the_letter():
    assert build(STORE_QR) == (
        "00020101021226300019example.cornerstore0103S01520454115303978540512.505802DE5920Corner of Elm Street"
        "6006Berlin62150105S01-70702T16304" + checksum(build(STORE_QR)[:-4])
    )


@pytest.mark.parametrize(("currency", "minor", "text"), [("JPY", 1250, "54041250"), ("EUR", 5, "54040.05")])
def test_amounts_have_the_decimals_of_their_currency(currency, minor, text):
    code = MerchantQr("Store", "Town", "DE", currency, {"02": "4000123456789012"}, minor)
    assert text in build(code)


@pytest.mark.parametrize(
    "wish",
    [{"amount_minor": 0}, {"amount_minor": -1}, {"name": ""}, {"name": "n" * 100}, {"currency": "XXX"},
     {"accounts": {}}, {"accounts": {"52": "x"}}],
)  # fmt: skip
def test_a_code_nobody_could_pay_is_not_built(wish):
    with pytest.raises(Invalid):
        build(MerchantQr(**vars(STORE_QR) | wish))


def test_a_drawing_holds_the_whole_payload_and_names_survive_as_plain_letters():
    assert merchant_qr.draw(build(STORE_QR)).startswith("<svg")
    assert merchant_qr.plain("Café  Ängström\n绿茶", 25) == "Cafe Angstrom"
    assert merchant_qr.plain("绿茶", 25) == "-"


# --- the customer's code ---


@pytest.mark.parametrize("first", range(10, 16))
def test_wechat_codes_are_known_by_their_first_digits(first):
    found = wallet_codes.read(f"{first}{'1234567890123456'}")
    assert (found.wallet, len(found.code)) == (wallet_codes.WECHAT, 18)


@pytest.mark.parametrize("first", range(25, 31))
@pytest.mark.parametrize("length", range(16, 25))
def test_alipay_codes_are_known_by_their_first_digits(first, length):
    assert wallet_codes.read(f"{first}".ljust(length, "7")).wallet == wallet_codes.ALIPAY


@pytest.mark.parametrize(
    "scanned",
    ["161234567890123456", "091234567890123456", "13123456789012345", "1312345678901234567", "24".ljust(18, "1"),
     "31".ljust(18, "1"), "25".ljust(15, "1"), "25".ljust(25, "1"), "13123456789012345x", "", "1" * 4000, "１３" * 9],
)  # fmt: skip
def test_other_codes_pay_for_nothing(scanned):
    assert wallet_codes.recognise(scanned) is None
    with pytest.raises(Invalid):
        wallet_codes.read(scanned)


@pytest.mark.parametrize("barcode", ["4006381333931", "96385074", "036000291452", "10012345678902"])
def test_a_products_barcode_is_named_as_one(barcode):
    assert wallet_codes.is_trade_number(barcode)
    with pytest.raises(Invalid) as refusal:
        wallet_codes.read(barcode)
    assert refusal.value.code == "wallet-code-is-product"


def test_a_code_is_never_shown_whole():
    found = wallet_codes.read("13 1234 5678 9012 3456")
    assert found.masked == "13…3456"
    assert "567890" not in repr(found)
