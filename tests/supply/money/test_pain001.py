"""Payout files against the standard's own schema, pain.001.001.09."""

import datetime as dt
import functools
import xml.etree.ElementTree as ET
from importlib.resources import files

import pytest
import xmlschema
from hypothesis import given
from hypothesis import strategies as st

from config.errors import Invalid
from supply.money.pain001 import SPACE, Party, Transfer, as_xml, tidy_account

PAYER = Party("Cornerstore Network", "DE89370400440532013000", "")


@functools.cache
def schema() -> xmlschema.XMLSchema10:
    """Return the standard's own schema, as the sepaxml package brings it."""
    found = files("sepaxml") / "schemas" / "pain.001.001.09.xsd"
    return xmlschema.XMLSchema10(found.read_text(encoding="utf-8"))


def faults(content: bytes) -> list[str]:
    """Return where a file breaks the standard."""
    return [f"{one.path}: {one.reason}" for one in schema().iter_errors(ET.fromstring(content))]


ACCOUNTS = st.sampled_from(["DE89370400440532013000", "6222021234567890123", "GB82WEST12345698765432"])
NAMES = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "Zs")), min_size=1, max_size=200).filter(
    lambda text: text.strip()
)
TRANSFERS = st.lists(
    st.builds(
        Transfer, id=st.from_regex(r"[A-Z0-9-]{1,40}", fullmatch=True), store_id=st.just("S01"),
        to=st.builds(Party, NAMES, ACCOUNTS, st.sampled_from(["", "DEUTDEFF", "ICBKCNBJXXX"])),
        amount_minor=st.integers(1, 10**12), currency=st.sampled_from(["CNY", "JPY", "KWD", "EUR"]), words=NAMES,
    ),
    min_size=1, max_size=6,
)  # fmt: skip


@given(TRANSFERS)
def test_every_run_is_valid_by_the_standard_s_schema(transfers):
    made = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
    content = as_xml("run-0001", PAYER, transfers, made_at=made, pay_on=made.date())
    document = ET.fromstring(content)
    assert faults(content) == []
    amounts = document.findall(f".//{{{SPACE}}}InstdAmt")
    assert {one.get("Ccy") for one in amounts} == {one.currency for one in transfers}
    assert int(document.findtext(f".//{{{SPACE}}}GrpHdr/{{{SPACE}}}NbOfTxs")) == len(amounts) == len(transfers)
    accounts = document.findall(f".//{{{SPACE}}}CdtrAcct/{{{SPACE}}}Id/*")
    assert len(accounts) == len(transfers), "a bank cannot pay to a name alone"


@pytest.mark.parametrize("gone", ["MsgId", "EndToEndId", "DbtrAgt", "ReqdExctnDt", "InstdAmt"])
def test_the_schema_would_find_an_element_that_is_missing(gone):
    made = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
    transfer = Transfer("P1", "S01", Party("Store", "6222021234567890123", ""), 100, "CNY", "words")
    document = ET.fromstring(as_xml("run", PAYER, [transfer], made_at=made, pay_on=made.date()))
    parent = next(one for one in document.iter() if any(child.tag.endswith(f"}}{gone}") for child in one))
    parent.remove(next(child for child in parent if child.tag.endswith(f"}}{gone}")))
    assert any(gone in fault or "incomplete" in fault for fault in faults(ET.tostring(document)))


@pytest.mark.parametrize(
    ("account", "bic", "kept"),
    [
        ("de89 3704-0044 0532 0130 00", "cobadeff", ("DE89370400440532013000", "COBADEFF")),
        ("6222 0212 3456 7890", "", ("6222021234567890", "")),
        ("NL91ABNA0417164300", "1234NL2AXXX", ("NL91ABNA0417164300", "1234NL2AXXX")),
    ],
)
def test_an_account_is_kept_without_blanks_in_capitals(account, bic, kept):
    assert tidy_account(account, bic) == kept


@pytest.mark.parametrize(
    ("account", "bic", "code"),
    [
        ("DE89370400440532013001", "", "bad-iban"),
        # the remainder of each is right, and no bank has it: digits missing, no such country, letters for digits
        ("DE5137040044053201300", "", "bad-iban"),
        ("XX46370400440532013000", "", "bad-iban"),
        ("DE86ABCD00440532013000", "", "bad-iban"),
        ("622202", "COBADEF", "bad-bic"),
        ("622202", "COBAXXFF", "bad-bic"),
        ("6222/02", "", "bad-account"),
    ],
)
def test_an_iban_or_bic_no_bank_has_is_refused(account, bic, code):
    with pytest.raises(Invalid) as refused:
        tidy_account(account, bic)
    assert refused.value.code == code
