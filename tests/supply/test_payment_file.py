"""Payout files against the rules of pain.001.001.09: which elements, in which order, how often, of which form."""

import datetime as dt
import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supply.payment_file import SPACE, Party, Transfer, as_xml

MAX35, MAX140 = r"[\s\S]{1,35}", r"[\s\S]{1,140}"
AMOUNT, COUNT = r"\d{1,13}(\.\d{1,5})?", r"\d{1,15}"
IBAN, BIC = r"[A-Z]{2}\d{2}[a-zA-Z0-9]{1,30}", r"[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?"
ACCOUNT = [("Id", 1, 1, ("one of", {"IBAN": IBAN, "Othr": [("Id", 1, 1, r"[\s\S]{1,34}")]}))]
AGENT = [("FinInstnId", 1, 1, [("BICFI", 0, 1, BIC), ("Othr", 0, 1, [("Id", 1, 1, MAX35)])])]
TRANSFER = [
    ("PmtId", 1, 1, [("EndToEndId", 1, 1, MAX35)]),
    ("Amt", 1, 1, [("InstdAmt", 1, 1, AMOUNT)]),
    ("CdtrAgt", 0, 1, AGENT),
    ("Cdtr", 1, 1, [("Nm", 1, 1, MAX140)]),
    ("CdtrAcct", 1, 1, ACCOUNT),
    ("RmtInf", 0, 1, [("Ustrd", 0, 9, MAX140)]),
]
BLOCK = [
    ("PmtInfId", 1, 1, MAX35),
    ("PmtMtd", 1, 1, "CHK|TRF|TRA"),
    ("NbOfTxs", 0, 1, COUNT),
    ("CtrlSum", 0, 1, r"\d{1,17}(\.\d{1,17})?"),
    ("ReqdExctnDt", 1, 1, ("one of", {"Dt": r"\d{4}-\d\d-\d\d"})),
    ("Dbtr", 1, 1, [("Nm", 1, 1, MAX140)]),
    ("DbtrAcct", 1, 1, ACCOUNT),
    ("DbtrAgt", 1, 1, AGENT),
    ("ChrgBr", 0, 1, "DEBT|CRED|SHAR|SLEV"),
    ("CdtTrfTxInf", 1, 10**6, TRANSFER),
]
HEADER = [
    ("MsgId", 1, 1, MAX35),
    ("CreDtTm", 1, 1, r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?"),
    ("NbOfTxs", 1, 1, COUNT),
    ("CtrlSum", 0, 1, r"\d{1,17}(\.\d{1,17})?"),
    ("InitgPty", 1, 1, [("Nm", 1, 1, MAX140)]),
]
DOCUMENT = [("CstmrCdtTrfInitn", 1, 1, [("GrpHdr", 1, 1, HEADER), ("PmtInf", 1, 10**6, BLOCK)])]
"""(element, least, most, what is in it), in the standard's order; a text stands for the form of the content."""
PAYER = Party("Cornerstore Network", "DE89370400440532013000", "")


def faults(element: ET.Element, rule, path: str) -> list[str]:
    """Return where an element breaks its rule."""
    if isinstance(rule, str):
        return [] if re.fullmatch(rule, element.text or "") and not len(element) else [f"{path}: {element.text!r}"]
    names = [child.tag.removeprefix(f"{{{SPACE}}}") for child in element]
    if isinstance(rule, tuple):
        if len(names) != 1 or names[0] not in rule[1]:
            return [f"{path}: one of {list(rule[1])}, not {names}"]
        return faults(element[0], rule[1][names[0]], f"{path}/{names[0]}")
    known = [name for name, *_ in rule]
    found = [f"{path}: {name} is unknown" for name in names if name not in known]
    if [known.index(name) for name in names if name in known] != sorted(known.index(n) for n in names if n in known):
        found.append(f"{path}: the order {names}")
    for name, least, most, inner in rule:
        if not least <= names.count(name) <= most:
            found.append(f"{path}: {names.count(name)} of {name}")
        for child in element:
            if child.tag == f"{{{SPACE}}}{name}":
                found += faults(child, inner, f"{path}/{name}")
    return found


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
def test_a_run_keeps_the_order_number_and_form_of_the_standard_s_elements(transfers):
    made = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
    document = ET.fromstring(as_xml("run-0001", PAYER, transfers, made_at=made, pay_on=made.date()))
    assert document.tag == f"{{{SPACE}}}Document"
    assert faults(document, DOCUMENT, "Document") == []
    amounts = document.findall(f".//{{{SPACE}}}InstdAmt")
    assert {one.get("Ccy") for one in amounts} == {one.currency for one in transfers}
    assert int(document.findtext(f".//{{{SPACE}}}GrpHdr/{{{SPACE}}}NbOfTxs")) == len(amounts) == len(transfers)


@pytest.mark.parametrize("gone", ["MsgId", "EndToEndId", "DbtrAgt", "ReqdExctnDt", "CdtrAcct"])
def test_the_rules_would_find_an_element_that_is_missing(gone):
    made = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
    transfer = Transfer("P1", "S01", Party("Shop", "6222021234567890123", ""), 100, "CNY", "words")
    document = ET.fromstring(as_xml("run", PAYER, [transfer], made_at=made, pay_on=made.date()))
    parent = next(one for one in document.iter() if any(child.tag.endswith(f"}}{gone}") for child in one))
    parent.remove(next(child for child in parent if child.tag.endswith(f"}}{gone}")))
    assert any(gone in fault for fault in faults(document, DOCUMENT, "Document"))
