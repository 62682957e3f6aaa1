"""Bank statements made from bookings, as camt.053 and MT940 write them."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape

IBAN = "DE89370400440532013000"
DAY = dt.date(2026, 3, 2)


@dataclass(frozen=True)
class Booking:
    """What a bank booked. minor: signed. is_back: a transfer that was sent back."""

    minor: int
    text: str = ""
    day: dt.date = DAY
    name: str = "Eva Lang"
    ref: str = ""
    is_back: bool = False


def decimal(minor: int, mark: str = ".") -> str:
    return f"{abs(minor) // 100}{mark}{abs(minor) % 100:02d}"


def camt(
    bookings: Sequence[Booking], *, version: str = "08", account: str = IBAN, number: str = "7", opening: int = 50_000,
    closing: int | None = None, currency: str = "EUR", first: dt.date | None = None,
) -> bytes:  # fmt: skip
    """Return a camt.053; closing: another balance than the entries add up to."""
    total = opening + sum(one.minor for one in bookings)
    days = [one.day for one in bookings] or [DAY]
    is_old = int(version) < 8
    entries = "".join(_camt_entry(one, currency, is_old=is_old) for one in bookings)
    balances = [("OPBD", opening, first or min(days)), ("CLBD", total if closing is None else closing, max(days))]
    shown = "".join(
        f"<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy='{currency}'>{decimal(minor)}</Amt>"
        f"<CdtDbtInd>{'CRDT' if minor >= 0 else 'DBIT'}</CdtDbtInd><Dt><Dt>{day}</Dt></Dt></Bal>"
        for code, minor, day in balances
    )
    return (
        f"<?xml version='1.0' encoding='UTF-8'?>"
        f"<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.{version}'>"
        f"<BkToCstmrStmt><GrpHdr><MsgId>M</MsgId></GrpHdr><Stmt><Id>S</Id><ElctrncSeqNb>{number}</ElctrncSeqNb>"
        f"<Acct><Id><IBAN>{account}</IBAN></Id><Ccy>{currency}</Ccy></Acct>{shown}{entries}</Stmt></BkToCstmrStmt></Document>"
    ).encode()


def _camt_entry(one: Booking, currency: str, *, is_old: bool) -> str:
    sign = "CRDT" if one.minor >= 0 else "DBIT"
    state = "<Sts>BOOK</Sts>" if is_old else "<Sts><Cd>BOOK</Cd></Sts>"
    name = f"<Nm>{escape(one.name)}</Nm>" if is_old else f"<Pty><Nm>{escape(one.name)}</Nm></Pty>"
    back = "<RvslInd>true</RvslInd>" if one.is_back else ""
    ref = f"<AcctSvcrRef>{one.ref}</AcctSvcrRef>" if one.ref else ""
    return (
        f"<Ntry><Amt Ccy='{currency}'>{decimal(one.minor)}</Amt><CdtDbtInd>{sign}</CdtDbtInd>{back}{state}"
        f"<BookgDt><Dt>{one.day}</Dt></BookgDt><ValDt><Dt>{one.day}</Dt></ValDt>{ref}<NtryDtls><TxDtls><Refs>"
        f"<EndToEndId>NOTPROVIDED</EndToEndId></Refs><RltdPties><Dbtr>{name}</Dbtr></RltdPties>"
        f"<RmtInf><Ustrd>{escape(one.text)}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
    )


def mt940(
    bookings: Sequence[Booking], *, account: str = "37040044/0532013000EUR", number: str = "7/1", opening: int = 50_000,
    closing: int | None = None, currency: str = "EUR", first: dt.date | None = None,
) -> bytes:  # fmt: skip
    """Return an MT940; closing: another balance than the entries add up to."""
    total = opening + sum(one.minor for one in bookings)
    days = [one.day for one in bookings] or [DAY]

    def balance(minor: int, day: dt.date) -> str:
        return f"{'C' if minor >= 0 else 'D'}{day:%y%m%d}{currency}{decimal(minor, ',')}"

    lines = [":20:STARTUMS", f":25:{account}", f":28C:{number}", f":60F:{balance(opening, first or min(days))}"]
    for one in bookings:
        mark = ("R" if one.is_back else "") + ("C" if (one.minor >= 0) != one.is_back else "D")
        bank = f"//{one.ref}" if one.ref else ""
        lines.append(f":61:{one.day:%y%m%d}{one.day:%m%d}{mark}{decimal(one.minor, ',')}NTRFNONREF{bank}")
        wrapped = "".join(f"?{20 + n}{one.text[at : at + 27]}" for n, at in enumerate(range(0, len(one.text), 27)))
        lines.append(f":86:166?00GUTSCHRIFT{wrapped}?32{one.name}")
    lines += [f":62F:{balance(total if closing is None else closing, max(days))}", "-"]
    return "\r\n".join(lines).encode("cp1252")
