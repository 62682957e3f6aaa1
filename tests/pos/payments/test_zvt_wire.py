"""ZVT as bytes: what is written is read again, and no bytes do harm."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import Unreachable
from pos.payments import zvt_wire as wire
from pos.payments.zvt_wire import Apdu, Status

STATUS = "27 00 04 00 00 00 00 09 00 49 09 78 0b 12 34 56 87 00 42 0c 10 15 00 0d 12 02"
CARD = "22 f0 f8 ee ee ee ee ee ee 12 34 8b f0 f9 67 69 72 6f 63 61 72 64 00"


def raw(text):
    return bytes.fromhex(text)


@pytest.mark.parametrize(
    ("apdu", "written"),
    [
        (Apdu(wire.ACK), "80 00 00"),
        (Apdu(wire.AUTHORISE, raw("04 00 00 00 00 12 34 49 09 78")), "06 01 0a 04 00 00 00 00 12 34 49 09 78"),
        (Apdu(wire.PRINT_BLOCK, bytes(255)), "06 d3 ff ff 00" + "00" * 255),
        (Apdu(wire.PRINT_BLOCK, bytes(861)), "06 d3 ff 5d 03" + "00" * 861),
    ],
)
def test_a_message_is_written_as_the_protocol_has_it(apdu, written):
    assert apdu.encode() == raw(written)
    assert wire.decode(raw(written)) == apdu


def test_a_status_is_read():
    found = Status.decode(raw(f"{STATUS} {CARD} 06 06 45 04 00 00 00 00"))
    assert found == Status(0, 900, 978, 42, 123456, 1202, 101500, card="girocard 1234")
    assert Status.decode(raw(f"{STATUS} 37 00 00 07 fe 01 02")).original_trace == 7, "what it does not know is left out"


@pytest.mark.parametrize(
    "data",
    ["", "04 00 00 00 00 09 00", "27 00 04 00 00 00 00 09", "27 00 04 00 00 00 00 0a 00", "27 00 27 6c",
     "27 00 22 18 12", "27 00 22 f9 f9 12", "27 00 06 83 98 96 80", "27 00 06 7f 00"],
)  # fmt: skip
def test_a_status_without_a_result_with_two_cut_off_or_no_numbers_is_refused(data):
    with pytest.raises(Unreachable):
        Status.decode(raw(data))


def test_a_customers_receipt_is_read_and_the_stores_is_left_out():
    block = "06 {size:02x} 1f 07 01 {kind} 25 09 07 03 4b 94 4c 07 02 31 32"
    size = len(raw("1f 07 01 02 25 09 07 03 4b 94 4c 07 02 31 32"))
    assert wire.printed(Apdu(wire.PRINT_BLOCK, raw(block.format(size=size, kind="02")))) == ["KöL", "12"]
    assert wire.printed(Apdu(wire.PRINT_BLOCK, raw(block.format(size=size, kind="01")))) == []
    assert wire.printed(Apdu(wire.PRINT_LINE, b"\x00" + b"Beleg\x07 42")) == ["Beleg 42"]
    assert wire.printed(Apdu(wire.PRINT_LINE, b"\xff\x02")) == [""]


@pytest.mark.parametrize(
    ("words", "masked"),
    [
        ("Karte 4111 1111 1111 1111 12/28", "Karte **** **** **** 1111 12/28"),
        ("5555-5555-5555-4444", "****-****-****-4444"),
        ("9378282246310005", "9***********0005"),
        ("TID 12345678 Beleg 0042", "TID 12345678 Beleg 0042"),
    ],
)
def test_no_card_s_number_is_printed_but_for_its_last_four_digits(words, masked):
    assert wire.masked(words) == masked


def test_containers_without_end_are_refused():
    deep = b""
    for _ in range(3000):
        deep = wire.tag(0x25, deep)
    with pytest.raises(Unreachable):
        wire.tags(deep)


bitmaps = st.dictionaries(st.sampled_from([0x22, 0x24, 0x3C, 0x60, 0x8B, wire.TLV]), st.binary(max_size=99))


@given(bitmaps)
def test_bitmaps_are_read_as_they_were_written(given):
    assert wire.fields(b"".join(wire.field(*one) for one in given.items())) == given


@given(st.lists(st.tuples(st.sampled_from([0x07, 0x0A, 0x45, 0x1F07]), st.binary(max_size=400)), max_size=5))
def test_tags_are_read_as_they_were_written_also_in_a_container(given):
    inside = b"".join(wire.tag(*one) for one in given)
    assert wire.tags(inside) == given
    assert wire.tags(wire.tag(0x25, inside)) == [(0x25, inside), *given]


@given(st.integers(0, 10**12 - 1))
def test_an_amount_is_read_as_it_was_written(amount_minor):
    assert wire.from_bcd(wire.to_bcd(amount_minor, 6)) == amount_minor


@given(st.integers(0, 0xFFFF), st.binary(max_size=700))
def test_a_message_is_read_as_it_was_written_and_lacks_bytes_until_its_last(command, data):
    written = Apdu(command, data).encode()
    assert wire.decode(written) == Apdu(command, data)
    assert all(0 < wire.missing(written[:end]) <= len(written) - end for end in range(len(written)))


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_but_our_own_error(data):
    for read in (
        wire.decode, wire.from_bcd, wire.fields, wire.tags, Status.decode, wire.text,
        lambda raw: wire.printed(Apdu(wire.PRINT_LINE, raw)), lambda raw: wire.printed(Apdu(wire.PRINT_BLOCK, raw)),
        lambda raw: wire.tags(raw * 3), lambda raw: Status.decode(b"\x27\x00" + raw),
    ):  # fmt: skip
        with contextlib.suppress(Unreachable):
            read(data)
