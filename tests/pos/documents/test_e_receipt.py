"""The address of a receipt on the phone: made from the receipt alone, right for it alone."""

from pos.documents import e_receipt, receipt
from pos.printing.escpos import encode
from pos.printing.models import PrinterModel
from pos.store.store import show_receipts
from tests.builders import NOON, STORE

AT = "https://shops.example/shop/corner/receipts"


def sold(shop, address=AT):
    with shop.write() as session:
        show_receipts(session, STORE, address, actor=shop.wei, at=NOON)
    return shop.sell([("milk", 1)]).document


def test_a_receipt_carries_its_address_once_the_shop_wants_it(shop):
    assert e_receipt.address(sold(shop, "")) == ""
    document = sold(shop)
    address = e_receipt.address(document)
    assert address.startswith(f"{AT}/T1-2/")
    codes = [line.text for line in receipt.layout(document, columns=32) if line.kind == "qr"]
    assert codes == [address]
    assert b"\x1d(k" in encode(receipt.layout(document, columns=32), PrinterModel(32))


def test_the_end_of_an_address_is_right_for_its_receipt_alone(shop):
    first, second = sold(shop), sold(shop)
    end = e_receipt.token(first)
    assert len(end) == e_receipt.LETTERS
    assert e_receipt.is_right(first, end)
    assert e_receipt.is_right(first, end.upper())
    assert not e_receipt.is_right(second, end)
    assert not e_receipt.is_right(first, "")
    assert not e_receipt.is_right(first, "é" * 20)
