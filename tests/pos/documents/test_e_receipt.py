"""The address of a receipt on the phone: made from the receipt alone, right for it alone."""

from pos.documents import receipt
from pos.printing.escpos import encode
from pos.printing.models import PrinterModel
from pos.store.store import show_receipts
from tests.builders import NOON, STORE

AT = "https://shops.example/shop/corner/receipts"


def sold(store, address=AT):
    with store.write() as session:
        show_receipts(session, STORE, address, actor=store.wei, at=NOON)
    return store.sell([("milk", 1)]).document


def test_a_receipt_carries_its_address_once_the_shop_wants_it(store):
    assert receipt.e_receipt_address(sold(store, "")) == ""
    document = sold(store)
    address = receipt.e_receipt_address(document)
    assert address.startswith(f"{AT}/T1-2/")
    codes = [line.text for line in receipt.layout(document, columns=32) if line.kind == "qr"]
    assert codes == [address]
    assert b"\x1d(k" in encode(receipt.layout(document, columns=32), PrinterModel(32))


def test_the_end_of_an_address_is_right_for_its_receipt_alone(store):
    first, second = sold(store), sold(store)
    end = receipt.e_receipt_token(first)
    assert len(end) == receipt.LETTERS
    assert receipt.is_right_token(first, end)
    assert receipt.is_right_token(first, end.upper())
    assert not receipt.is_right_token(second, end)
    assert not receipt.is_right_token(first, "")
    assert not receipt.is_right_token(first, "é" * 20)
