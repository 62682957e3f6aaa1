"""Reads a bank's file: camt.053 (ISO 20022, versions 02 to 13) and MT940. PURE.

Rules
-----
1. What a file is, its content says, not its name. All its statements are read, or none.
2. Only what is booked counts: pending entries and other reports (camt.052, camt.054, MT942) are refused or left out.
3. The direction comes from the bank's mark of credit or debit. MT940 marks a reversed credit `RC`: money that went out
   again; camt marks the direction of the reversal itself.
4. An entry that sums up several transfers becomes one for each, where their amounts add up to it.
5. It runs in a child process (`store_app.runtime.child_process`), as every file from outside.

Sources: ISO 20022 camt.053.001; SWIFT User Handbook, Category 9, MT940 customer statement message.
"""

import datetime as dt
import re
from collections.abc import Iterator
from typing import Any
from xml.etree.ElementTree import Element

from config.errors import Invalid
from config.xml_tree import parsed
from supply.money.bank import statement
from supply.money.bank.statement import (
    LONGEST_NAME,
    LONGEST_REFERENCE,
    LONGEST_TEXT,
    Entry,
    Statement,
    minor_of,
    tidy,
)

MOST_BYTES, MOST_ENTRIES = 5_000_000, 20_000
_CAMT = re.compile(r"urn:iso:std:iso:20022:tech:xsd:camt\.053\.001\.\d\d\}Document")
_NO_REF = ("", "NONREF", "NOTPROVIDED")


def read(raw: bytes) -> Iterator[dict[str, Any]]:
    """Yield the statements of a file as JSON."""
    if len(raw) > MOST_BYTES:
        raise Invalid("file-too-large", "This file is too large for a bank statement. Download fewer days.")
    head = raw[:2000].lstrip(b"\xef\xbb\xbf \t\r\n")
    found = _camt(raw) if head.startswith((b"<", b"\xff\xfe", b"\xfe\xff")) else _mt940(_decoded(raw))
    if not found:
        raise Invalid("no-statement", "There is no bank statement in this file. Download it as camt.053 or MT940.")
    if sum(len(one.entries) for one in found) > MOST_ENTRIES:
        raise Invalid("file-too-large", "This file is too large for a bank statement. Download fewer days.")
    for one in found:
        yield statement.as_json(statement.check(one))


# --- inside: camt.053 ---


def _camt(raw: bytes) -> list[Statement]:
    name, root = parsed(raw)
    if not _CAMT.fullmatch(name):
        return []
    return [_camt_statement(one) for one in root.findall("BkToCstmrStmt/Stmt")]


def _camt_statement(found: Element) -> Statement:
    account = _text(found, "Acct/Id/IBAN", "Acct/Id/Othr/Id")
    amounts = found.findall("Bal/Amt") + found.findall("Ntry/Amt")
    currencies = {one.get("Ccy", "") for one in amounts} | ({_text(found, "Acct/Ccy")} - {""})
    if len(currencies) != 1:
        raise _torn()
    (currency,) = currencies
    balances = {_text(one, "Tp/CdOrPrtry/Cd"): one for one in found.findall("Bal")}
    opening, closing = balances.get("OPBD", balances.get("PRCD")), balances.get("CLBD")
    entries = tuple(
        part for one in found.findall("Ntry") if _text(one, "Sts/Cd", "Sts") == "BOOK"
        for part in _camt_entries(one, currency)
    )  # fmt: skip
    days = [entry.booked_on for entry in entries]
    days += [_day(_text(one, "Dt/Dt", "Dt/DtTm")) for one in (closing,) if one is not None]
    if not days:
        raise _torn()
    begun = _text(found, "FrToDt/FrDtTm", "FrToDt/FrDt")
    return Statement(
        account, tidy(_text(found, "ElctrncSeqNb", "LglSeqNb", "Id"), 35), currency,
        None if opening is None else _signed(opening, currency),
        None if closing is None else _signed(closing, currency),
        min([*days, *([_day(begun)] if begun else [])]), max(days), entries,
    )  # fmt: skip


def _camt_entries(found: Element, currency: str) -> list[Entry]:
    """Return an entry, or those it sums up (rule 4)."""
    booked_on = _day(_text(found, "BookgDt/Dt", "BookgDt/DtTm", "ValDt/Dt", "ValDt/DtTm"))
    whole, details = _signed(found, currency), found.findall("NtryDtls/TxDtls")
    own = _text(found, "AcctSvcrRef", "NtryRef")
    parts = [_camt_part(one, currency, 1 if whole >= 0 else -1) for one in details]
    if len(parts) > 1 and None not in parts and sum(part or 0 for part in parts) == whole:
        return [
            Entry(booked_on, part or 0, _ref(_text(one, "Refs/AcctSvcrRef") or f"{own}/{n}"), *_said(one))
            for n, (one, part) in enumerate(zip(details, parts, strict=True), 1)
        ]
    names, texts = zip(*map(_said, details), strict=True) if details else ((), ())
    text = " ".join([*texts, _text(found, "AddtlNtryInf")])
    ref = own or (_text(details[0], "Refs/AcctSvcrRef") if len(details) == 1 else "")
    return [Entry(booked_on, whole, _ref(ref), tidy(next(iter(names), ""), LONGEST_NAME), tidy(text, LONGEST_TEXT))]


def _camt_part(found: Element, currency: str, sign: int) -> int | None:
    amount = next((one for path in ("Amt", "AmtDtls/TxAmt/Amt") if (one := found.find(path)) is not None), None)
    if amount is None or amount.get("Ccy") != currency:
        return None
    direction = _text(found, "CdtDbtInd")
    sign = {"CRDT": 1, "DBIT": -1}.get(direction, sign)
    return sign * minor_of(amount.text or "", currency)


def _said(found: Element) -> tuple[str, str]:
    """Return who stands on the other side of a transfer, and all it says."""
    is_out = _text(found, "CdtDbtInd") == "DBIT"
    sides = ("Cdtr", "Dbtr") if is_out else ("Dbtr", "Cdtr")
    name = _text(found, *(f"RltdPties/{side}/{path}" for side in sides for path in ("Pty/Nm", "Nm")))
    said = [*found.findall("RmtInf/Ustrd"), *found.findall("RmtInf/Strd/CdtrRefInf/Ref"),
            *found.findall("RmtInf/Strd/AddtlRmtInf"), *found.findall("Refs/EndToEndId")]  # fmt: skip
    texts = [one.text or "" for one in said if (one.text or "").strip() not in _NO_REF]
    return tidy(name, LONGEST_NAME), tidy(" ".join([*texts, _text(found, "AddtlTxInf")]), LONGEST_TEXT)


def _signed(found: Element, currency: str) -> int:
    amount, sign = found.find("Amt"), {"CRDT": 1, "DBIT": -1}.get(_text(found, "CdtDbtInd"))
    if amount is None or amount.get("Ccy") != currency or sign is None:
        raise _torn()
    return sign * minor_of(amount.text or "", currency)


def _text(found: Element, *paths: str) -> str:
    """Return the first text that is there and not blank, '' for none."""
    return next((text for path in paths if (text := (found.findtext(path) or "").strip())), "")


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text[:10])
    except ValueError:
        raise _torn() from None


# --- inside: MT940 ---

_TAG = re.compile(r":(\d{2}[A-Z]?):(.*)", re.ASCII | re.DOTALL)
_BALANCE = re.compile(r"([CD])(\d{6})([A-Z]{3})([\d,]{2,18})", re.ASCII)
_LINE = re.compile(
    r"(?P<value>\d{6})(?P<booked>\d{4})?(?P<mark>R?[CD])(?P<funds>[A-Z])?(?P<amount>\d[\d,]{1,17})"
    r"(?P<kind>[A-Z][A-Z0-9]{3})(?P<ref>.*?)(?://(?P<bank>.*))?",
    re.ASCII,
)
_PURPOSE, _NAME = re.compile(r"\?(2\d|6[0-3])([^?]*)"), re.compile(r"\?3[23]([^?]*)")


def _decoded(raw: bytes) -> str:
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1")


def _mt940(text: str) -> list[Statement]:
    """Split a file at each `:20:` and read its statements."""
    statements: list[list[tuple[str, str]]] = []
    for tag, value in _fields(text):
        if tag == "20":
            statements.append([])
        if statements:
            statements[-1].append((tag, value))
        elif tag in ("25", "60F", "61", "62F"):
            raise _torn()
    return [_mt940_statement(fields) for fields in statements]


def _fields(text: str) -> list[tuple[str, str]]:
    """Return (tag, value) of a file's fields, their further lines joined; envelopes and ends of messages left out."""
    fields: list[tuple[str, str]] = []
    is_within = False
    for line in re.sub(r"\{[1235]:[^{}]*(\{[^{}]*\}[^{}]*)*\}|\{4:", "\n", text).splitlines():
        line = line.rstrip()
        if found := _TAG.fullmatch(line):
            fields.append((found[1], found[2]))
            is_within = True
        elif line in ("-", "-}", "}"):
            is_within = False
        elif line and is_within:
            fields[-1] = fields[-1][0], f"{fields[-1][1]}\n{line}"
    return fields


def _mt940_statement(fields: list[tuple[str, str]]) -> Statement:
    said = dict(fields)
    opening, closing = said.get("60F", said.get("60M")), said.get("62F", said.get("62M"))
    if opening is None or closing is None or "25" not in said:
        raise _torn()
    opened_on, opening_minor, currency = _balance(opening)
    closed_on, closing_minor, closing_currency = _balance(closing)
    if currency != closing_currency:
        raise _torn()
    entries: list[Entry] = []
    for n, (tag, value) in enumerate(fields):
        if tag == "61":
            about = fields[n + 1][1] if n + 1 < len(fields) and fields[n + 1][0] == "86" else ""
            entries.append(_mt940_entry(value, about, currency))
    days = [entry.booked_on for entry in entries]
    # a statement opens with the balance of the day before
    number = said.get("28C", said.get("28", ""))
    first, last = min([*days, closed_on]), max([*days, closed_on, opened_on])
    return Statement(said["25"].strip(), tidy(number, 35), currency, opening_minor, closing_minor, first, last,
                     tuple(entries))  # fmt: skip


def _mt940_entry(line: str, about: str, currency: str) -> Entry:
    first, _, more = line.partition("\n")
    found = _LINE.fullmatch(first)
    if found is None:
        raise Invalid(
            "statement-line", "“%(text)s” is not a booking line. Download the statement again.", text=first[:40]
        )
    valued_on = _short_day(found["value"])
    booked_on = valued_on
    if found["booked"]:
        years = (valued_on.year - 1, valued_on.year, valued_on.year + 1)
        days = [day for year in years if (day := _maybe_day(year, found["booked"]))]
        if not days:
            raise _torn()
        booked_on = min(days, key=lambda day: abs(day - valued_on))
    sign = 1 if found["mark"] in ("C", "RD") else -1
    purpose = " ".join(part for _, part in _PURPOSE.findall(about)) or ("" if _NAME.search(about) else about)
    name = " ".join(_NAME.findall(about))
    ref = "" if found["ref"].strip() in _NO_REF else found["ref"]
    return Entry(booked_on, sign * _comma_amount(found["amount"], currency), _ref(found["bank"] or ""),
                 tidy(name, LONGEST_NAME), tidy(f"{purpose} {ref} {more}", LONGEST_TEXT))  # fmt: skip


def _balance(text: str) -> tuple[dt.date, int, str]:
    found = _BALANCE.fullmatch(text.strip())
    if found is None:
        raise _torn()
    sign = 1 if found[1] == "C" else -1
    return _short_day(found[2]), sign * _comma_amount(found[4], found[3]), found[3]


def _comma_amount(text: str, currency: str) -> int:
    """Return an amount as SWIFT writes it: a comma always stands in it."""
    if text.count(",") != 1:
        raise Invalid("statement-amount", "“%(text)s” is not an amount. Download the statement again.", text=text[:30])
    return minor_of(text, currency)


def _short_day(text: str) -> dt.date:
    try:
        return dt.date(2000 + int(text[:2]), int(text[2:4]), int(text[4:6]))
    except ValueError:
        raise _torn() from None


def _maybe_day(year: int, month_day: str) -> dt.date | None:
    try:
        return dt.date(year, int(month_day[:2]), int(month_day[2:]))
    except ValueError:
        return None


def _ref(text: str) -> str:
    found = tidy(text, LONGEST_REFERENCE)
    return "" if found in _NO_REF else found


def _torn() -> Invalid:
    return Invalid("statement-torn", "This bank statement is damaged or incomplete. Download it again.")
