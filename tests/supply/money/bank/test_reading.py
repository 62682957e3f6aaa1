"""Bank files are read whole and as the bank meant them, or refused in a sentence."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.errors import Invalid
from supply.money.bank import reading, statement
from tests.supply.money.bank.made import DAY, IBAN, Booking, camt, mt940

CAMT = [f"{version:02}" for version in (2, 3, 4, 5, 6, 7, 8, 10, 12)]
TWO = (Booking(1250, "CSSJMKDRRKDX Danke", ref="A1"), Booking(-400, "Miete", name="Haus & Hof", ref="A2"))


def read(raw: bytes) -> list[statement.Statement]:
    return [statement.from_json(one) for one in reading.read(raw)]


@pytest.mark.parametrize("raw", [*(camt(TWO, version=version) for version in CAMT), mt940(TWO)], ids=[*CAMT, "mt940"])
def test_both_formats_say_account_number_balances_and_signed_entries(raw):
    (found,) = read(raw)
    assert statement.is_same_account(found.account, IBAN)
    assert (found.number.split("/")[0], found.currency, found.opening_minor, found.closing_minor) == (
        "7", "EUR", 50_000, 50_850,
    )  # fmt: skip
    assert [(one.booked_on, one.amount_minor, one.bank_ref, one.name) for one in found.entries] == [
        (DAY, 1250, "A1", "Eva Lang"), (DAY, -400, "A2", "Haus & Hof"),
    ]  # fmt: skip
    assert "CSSJMKDRRKDX" in found.entries[0].text


@pytest.mark.parametrize("make", [camt, mt940])
def test_a_credit_that_is_reversed_is_money_that_went_out(make):
    (found,) = read(make([Booking(1250), Booking(-1250, is_back=True)]))
    assert [one.amount_minor for one in found.entries] == [1250, -1250]


@pytest.mark.parametrize("make", [camt, mt940])
@pytest.mark.parametrize(("wrong", "code"), [
    ({"closing": 50_851}, "statement-sum"),
    ({"account": ""}, "no-account-number"),
])  # fmt: skip
def test_a_statement_that_does_not_add_up_or_names_no_account_is_refused(make, wrong, code):
    with pytest.raises(Invalid) as refused:
        read(make(TWO, **wrong))
    assert refused.value.code == code


@pytest.mark.parametrize(("old", "new"), [
    (b"12,50N", b"12.50N"), (b"12,50N", b"12,505N"), (b"12,50N", b"N"), (b":61:2603020302C", b":61:26030203"),
    (b":60F:C", b":60F:X"), (b":62F:", b":64:"), (b":61:260302", b":61:261302"),
])  # fmt: skip
def test_a_torn_mt940_is_refused_never_read_in_part(old, new):
    raw = mt940(TWO)
    assert old in raw
    with pytest.raises(Invalid):
        read(raw.replace(old, new, 1))


@pytest.mark.parametrize("raw", [
    camt(TWO).replace(b"?>", b"?><!DOCTYPE Document [<!ENTITY x 'y'>]>", 1), camt(TWO)[:-40],
    camt(TWO).replace(b"camt.053", b"camt.052"), camt(TWO).replace(b"'EUR'", b"'USD'", 1),
    camt(TWO).replace(b"12.50", b"-12.50"), b"", b"PK\x03\x04", b"date;amount\n2026-03-02;12.50\n", b"<a/>",
    b":61:2603020302C12,50NTRFNONREF", b"x" * (reading.MOST_BYTES + 1),
])  # fmt: skip
def test_what_is_no_statement_is_refused_in_a_sentence(raw):
    with pytest.raises(Invalid):
        read(raw)


def test_pending_entries_do_not_count_and_a_batch_is_its_transfers():
    pending = camt([*TWO, Booking(99)], closing=50_850).replace(b"<Sts><Cd>BOOK", b"<Sts><Cd>PDNG", 3)
    pending = pending.replace(b"PDNG", b"BOOK", 2)
    assert [one.amount_minor for one in read(pending)[0].entries] == [1250, -400]
    one = "<TxDtls><AmtDtls><TxAmt><Amt Ccy='EUR'>{}</Amt></TxAmt></AmtDtls><RmtInf><Ustrd>{}</Ustrd></RmtInf></TxDtls>"
    whole = camt([Booking(3000, "batch", ref="B9")])
    start, end = whole.index(b"<TxDtls>"), whole.index(b"</NtryDtls>")
    parts = (one.format("10.00", "first") + one.format("20.00", "second")).encode()
    (found,) = read(whole[:start] + parts + whole[end:])
    assert [(entry.amount_minor, entry.text, entry.bank_ref) for entry in found.entries] == [
        (1000, "first", "B9/1"), (2000, "second", "B9/2"),
    ]  # fmt: skip


def test_a_file_holds_several_statements_inside_envelopes_and_over_the_turn_of_the_year():
    old = Booking(500, day=dt.date(2025, 12, 31))
    first, second = mt940([old], number="250"), mt940([Booking(700, day=dt.date(2026, 1, 2))], opening=50_500)
    second = second.replace(b":61:2601020102", b":61:2601021231")
    raw = b"{1:F01BANKDEFF0000000000}{2:O940}{4:\r\n" + first + b"}\r\n" + second
    assert [(one.number, one.entries[0].booked_on) for one in read(raw)] == [
        ("250", dt.date(2025, 12, 31)), ("7/1", dt.date(2025, 12, 31)),
    ]  # fmt: skip


@given(st.binary(max_size=300), st.integers(0, 1200), st.sampled_from([camt(TWO), mt940(TWO)]))
def test_damaged_bytes_are_read_whole_or_refused(noise, at, raw):
    torn = raw[:at] + noise + raw[at + len(noise) :]
    try:
        found = read(torn)
    except Invalid:
        return
    for one in found:
        assert statement.check(one) == one


@pytest.mark.parametrize(("stated", "is_own"), [
    ("DE89 3704 0044 0532 0130 00", True), ("37040044/532013000EUR", True), ("COBADEFF/DE89370400440532013000", True),
    ("DE89370400440532013001", False), ("37040044/532013001", False), ("0532013000", False), ("", False),
])  # fmt: skip
def test_an_account_is_known_however_a_bank_writes_it_and_no_other_passes(stated, is_own):
    assert statement.is_same_account(stated, IBAN) is is_own
