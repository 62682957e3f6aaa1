"""A run of payouts as a bank takes it: ISO 20022 pain.001.001.09, or a table. Pure.

Rules
-----
1. One payment block per currency; control sums and counts are those of the transfers that follow.
2. What begins like an IBAN must be one: its country's length and form, and its check digits. Any other account number
   goes as it is.
3. Texts are cut to what the standard allows (names 140, references 35, remittance 140) and hold no control characters.
"""

import datetime as dt
import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass

from config.errors import Invalid
from config.money import exponent

SPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
HEAD = ("run", "payout", "store", "payee", "account", "bic", "amount", "currency", "reference")


@dataclass(frozen=True)
class Party:
    """Somebody with an account at a bank. bic: '' where it is not needed."""

    name: str
    account: str
    bic: str


@dataclass(frozen=True)
class Transfer:
    """One payment. id: ends up at the receiver's bank (35 letters)."""

    id: str
    store_id: str
    to: Party
    amount_minor: int
    currency: str
    words: str


def is_iban(account: str) -> bool:
    """Tell whether an account number, without blanks, is an IBAN (rule 2)."""
    from schwifty import IBAN  # it reads its tables of countries, which a till's process does without

    return IBAN(account, allow_invalid=True).is_valid


def tidy_account(account: str, bic: str) -> tuple[str, str]:
    """Return an account number and a BIC without blanks; Invalid for one that no bank has."""
    from schwifty import BIC

    account = re.sub(r"[\s-]", "", account).upper()
    code = BIC(bic, allow_invalid=True)
    if not re.fullmatch(r"[A-Z0-9]{4,34}", account):
        raise Invalid("bad-account", "An account number has 4 to 34 letters and digits.", field="account")
    if re.match(r"[A-Z]{2}\d{2}", account) and not is_iban(account):
        raise Invalid("bad-iban", "This IBAN has a typo. Check each letter and digit.", field="account")
    if code and not code.is_valid:
        raise Invalid(
            "bad-bic",
            "This BIC has a typo: a BIC has 8 or 11 letters and digits, such as COBADEFF. It is optional.",
            field="bic",
        )
    return account, str(code)


def as_xml(run_id: str, payer: Party, transfers: Sequence[Transfer], *, made_at: dt.datetime, pay_on: dt.date) -> bytes:
    """Return a run as pain.001.001.09 (rule 1)."""
    ET.register_namespace("", SPACE)
    document = ET.Element(f"{{{SPACE}}}Document")
    whole = _add(document, "CstmrCdtTrfInitn")
    header = _add(whole, "GrpHdr")
    _add(header, "MsgId", run_id[:35])
    _add(header, "CreDtTm", made_at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    _add(header, "NbOfTxs", str(len(transfers)))
    places = max((exponent(one.currency) for one in transfers), default=2)
    _add(header, "CtrlSum", _sum(transfers, places))
    _add(_add(header, "InitgPty"), "Nm", _text(payer.name, 140))
    for currency in sorted({one.currency for one in transfers}):
        _block(whole, run_id, payer, [one for one in transfers if one.currency == currency], pay_on)
    ET.indent(document)
    return bytes(ET.tostring(document, encoding="utf-8", xml_declaration=True))


def as_rows(run_id: str, transfers: Sequence[Transfer]) -> list[list[str]]:
    """Return a run as rows of text, the heads first."""
    rows = [list(HEAD)]
    for one in transfers:
        amount = plain(one.amount_minor, one.currency)
        rows.append(
            [run_id, one.id, one.store_id, one.to.name, one.to.account, one.to.bic, amount, one.currency, one.words]
        )
    return rows


def plain(amount_minor: int, currency: str) -> str:
    """Write an amount as banks do: 1234.50, without signs or groups."""
    places = exponent(currency)
    whole, part = divmod(abs(amount_minor), 10**places)
    sign = "-" if amount_minor < 0 else ""
    return f"{sign}{whole}.{part:0{places}d}" if places else f"{sign}{whole}"


# --- inside ---


def _block(whole: ET.Element, run_id: str, payer: Party, transfers: Sequence[Transfer], pay_on: dt.date) -> None:
    currency = transfers[0].currency
    block = _add(whole, "PmtInf")
    _add(block, "PmtInfId", f"{run_id[:31]}-{currency}")
    _add(block, "PmtMtd", "TRF")
    _add(block, "NbOfTxs", str(len(transfers)))
    _add(block, "CtrlSum", _sum(transfers, exponent(currency)))
    _add(_add(block, "ReqdExctnDt"), "Dt", pay_on.isoformat())
    _add(_add(block, "Dbtr"), "Nm", _text(payer.name, 140))
    _account(_add(block, "DbtrAcct"), payer.account)
    agent = _add(_add(block, "DbtrAgt"), "FinInstnId")
    if payer.bic:
        _add(agent, "BICFI", payer.bic)
    else:
        _add(_add(agent, "Othr"), "Id", "NOTPROVIDED")
    _add(block, "ChrgBr", "SLEV")
    for one in transfers:
        transfer = _add(block, "CdtTrfTxInf")
        _add(_add(transfer, "PmtId"), "EndToEndId", one.id[:35])
        amount = _add(_add(transfer, "Amt"), "InstdAmt", plain(one.amount_minor, currency))
        amount.set("Ccy", currency)
        if one.to.bic:
            _add(_add(_add(transfer, "CdtrAgt"), "FinInstnId"), "BICFI", one.to.bic)
        _add(_add(transfer, "Cdtr"), "Nm", _text(one.to.name, 140))
        _account(_add(transfer, "CdtrAcct"), one.to.account)
        _add(_add(transfer, "RmtInf"), "Ustrd", _text(one.words, 140))


def _account(parent: ET.Element, account: str) -> None:
    found = _add(parent, "Id")
    if is_iban(account):
        _add(found, "IBAN", account)
    else:
        _add(_add(found, "Othr"), "Id", account)


def _sum(transfers: Sequence[Transfer], places: int) -> str:
    """Return the plain sum of amounts, as the standard's control sum wants it, whatever their currencies."""
    whole = sum(one.amount_minor * 10 ** (places - exponent(one.currency)) for one in transfers)
    units, part = divmod(whole, 10**places)
    return f"{units}.{part:0{places}d}" if places else str(units)


def _text(words: str, most: int) -> str:
    return re.sub(r"[\x00-\x1f\x7f]+", " ", words).strip()[:most]


def _add(parent: ET.Element, name: str, text: str = "") -> ET.Element:
    child = ET.SubElement(parent, f"{{{SPACE}}}{name}")
    child.text = text or None
    return child
