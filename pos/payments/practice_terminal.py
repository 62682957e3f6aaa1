"""A card terminal and wallet service to practise with: it moves no money and can misbehave as real ones do.

Rules
-----
1. What it was asked lies in a small file of its own in the state folder, so that the till and the worker meet the
   same terminal, also after a restart.
2. The well-behaved one captures a scanned code at once, a card when it is asked again, a shown code at the second
   question.
3. The scripted one reads from the amount's last two digits how to misbehave (`SCRIPTS`); all else goes well. It is
   deterministic: the same questions get the same answers.
4. Money goes back once per key, and never more than was captured.
"""

import datetime as dt
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from config.errors import Unreachable
from pos.payments import merchant_qr
from pos.payments.merchant_qr import MerchantQr
from pos.payments.providers import FINAL, NEVER_SEEN, Outcome, Request

PRACTICE = "practice"
SCRIPTED = "practice-scripted"
FILE = "practice-terminal.db"
_WAIT_S = 5.0
_TABLES = """
CREATE TABLE IF NOT EXISTS asked (
  id TEXT PRIMARY KEY, way TEXT NOT NULL, amount_minor INTEGER NOT NULL, mark TEXT NOT NULL, state TEXT NOT NULL,
  questions INTEGER NOT NULL, reference TEXT NOT NULL, shown_code TEXT NOT NULL, at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS given_back (
  key TEXT PRIMARY KEY, id TEXT NOT NULL, amount_minor INTEGER NOT NULL, questions INTEGER NOT NULL);
"""


@dataclass(frozen=True)
class Script:
    """How the terminal answers. An answer `unknown` is a time-out. queries: in turn, the last one for ever.

    after_cancel: what questions after a cancelling are answered. back: what reversing is answered, in turn.
    """

    begin: str
    queries: tuple[str, ...]
    cancel: str = "cancelled"
    after_cancel: tuple[str, ...] = ("cancelled",)
    back: tuple[str, ...] = ("captured",)


WELL = {
    "terminal": Script("requested", ("captured",)),
    "customer_code": Script("captured", ("captured",)),
    "store_code": Script("requested", ("requested", "captured")),
}
SCRIPTS = {
    "01": Script("declined", ("declined",)),
    "02": Script("requested", ("requested", "requested", "captured")),
    "03": Script("unknown", ("unknown", "captured")),
    "04": Script("unknown", ("unknown", "declined")),
    "05": Script("captured", ("captured", "declined")),
    "06": Script("declined", ("captured",)),
    "07": Script("requested", ("requested",), after_cancel=("cancelled", "captured")),
    "08": Script("requested", ("requested",), cancel="captured"),
    "09": Script("captured", ("captured",), back=("unknown", "captured")),
    "10": Script("unknown", ("unknown",), cancel="unknown"),
    "11": Script("captured", ("captured",), back=("declined",)),
    "12": Script("unknown", ("captured",), cancel="unknown"),
}
"""Last two digits of the amount -> script: 01 declines; 02 captures at the third question; 03 times out but captures;
04 times out and declines; 05 captures, then says it declined; 06 declines, then says it captured; 07 is cancelled, yet
captures; 08 is too late to be cancelled; 09 times out when money should go back, then gives it back; 10 never answers;
11 refuses to give back; 12 times out, and again when cancelled, but has captured."""


class PracticeTerminal:
    """The practice provider. scripted: misbehave by the amount's last two digits (rule 3)."""

    def __init__(self, folder: Path, *, scripted: bool = False) -> None:
        self._file = folder / FILE
        self._scripted = scripted
        self.name = SCRIPTED if scripted else PRACTICE
        self.ways = frozenset(WELL)

    def begin(self, request: Request, *, at: dt.datetime) -> Outcome:
        """Ask for money; the same id again is answered as it stands."""
        with self._open() as book:
            if (known := _row(book, request.id)) is None:
                script = self._script(request.way, request.amount_minor)
                code = _code_of(request) if request.way == "store_code" else ""
                count = book.execute("SELECT count(*) FROM asked").fetchone()[0]
                reference = f"P{count + 1:06d}"
                book.execute(
                    "INSERT INTO asked VALUES (?, ?, ?, ?, ?, 0, ?, ?, ?)",
                    (request.id, request.way, request.amount_minor, "", script.begin, reference, code, at.isoformat()),
                )
                known = _row(book, request.id)
        assert known is not None
        return _reported(known)

    def query(self, request: Request, *, at: dt.datetime) -> Outcome:
        """Ask what became of it."""
        with self._open() as book:
            known = _row(book, request.id)
            if known is None:
                return Outcome("declined", reason=NEVER_SEEN)
            script = self._script(str(known["way"]), int(known["amount_minor"]))
            turns = script.after_cancel if known["mark"] == "cancelled" else script.queries
            state = turns[min(int(known["questions"]), len(turns) - 1)]
            book.execute("UPDATE asked SET state = ?, questions = questions + 1 WHERE id = ?", (state, request.id))
            known = _row(book, request.id)
        assert known is not None
        return _reported(known)

    def cancel(self, request: Request, *, at: dt.datetime) -> Outcome:
        """Ask to stop; what is captured or declined already stays so."""
        with self._open() as book:
            known = _row(book, request.id)
            if known is None:
                return Outcome("cancelled", reason=NEVER_SEEN)
            if known["state"] not in FINAL:
                script = self._script(str(known["way"]), int(known["amount_minor"]))
                mark = "cancelled" if script.cancel == "cancelled" else ""
                book.execute(
                    "UPDATE asked SET state = ?, mark = ?, questions = 0 WHERE id = ?",
                    (script.cancel, mark, request.id),
                )
                known = _row(book, request.id)
        assert known is not None
        return _reported(known)

    def reverse(self, request: Request, amount_minor: int, *, key: str, at: dt.datetime) -> Outcome:
        """Give money back, once per key (rule 4)."""
        with self._open() as book:
            known = _row(book, request.id)
            if known is None:
                return Outcome("declined", reason=NEVER_SEEN)
            book.execute("INSERT OR IGNORE INTO given_back VALUES (?, ?, ?, 0)", (key, request.id, amount_minor))
            turns = self._script(str(known["way"]), int(known["amount_minor"])).back
            asked = book.execute("SELECT questions FROM given_back WHERE key = ?", (key,)).fetchone()[0]
            state = turns[min(int(asked), len(turns) - 1)]
            back = book.execute("SELECT sum(amount_minor) FROM given_back WHERE id = ?", (request.id,)).fetchone()[0]
            if state == "captured" and back > known["amount_minor"]:
                state = "declined"
            book.execute("UPDATE given_back SET questions = questions + 1 WHERE key = ?", (key,))
            if state == "declined":
                book.execute("UPDATE given_back SET amount_minor = 0 WHERE key = ?", (key,))
        if state == "unknown":
            raise Unreachable("terminal-silent", "The practice terminal is not responding.")
        return Outcome(state, reference=f"{known['reference']}-R", reason="refused" if state == "declined" else "")

    def given_back_minor(self, id: str) -> int:
        """Return how much of a payment the practice terminal has given back."""
        with self._open() as book:
            found = book.execute("SELECT sum(amount_minor) FROM given_back WHERE id = ?", (id,)).fetchone()[0]
        return int(found or 0)

    def holds_minor(self, id: str) -> int:
        """Return how much of a payment the practice terminal holds for the store."""
        with self._open() as book:
            known = _row(book, id)
        taken_minor = int(known["amount_minor"]) if known is not None and known["state"] == "captured" else 0
        return taken_minor - self.given_back_minor(id)

    def _script(self, way: str, amount_minor: int) -> Script:
        scripted = SCRIPTS.get(f"{amount_minor % 100:02d}") if self._scripted else None
        return scripted or WELL[way]

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self._file, timeout=_WAIT_S, isolation_level=None)) as book:
            book.row_factory = sqlite3.Row
            book.executescript(_TABLES)
            book.execute("BEGIN IMMEDIATE")
            try:
                yield book
            except BaseException:
                book.execute("ROLLBACK")
                raise
            book.execute("COMMIT")


def _row(book: sqlite3.Connection, id: str) -> sqlite3.Row | None:
    found: sqlite3.Row | None = book.execute("SELECT * FROM asked WHERE id = ?", (id,)).fetchone()
    return found


def _reported(row: sqlite3.Row) -> Outcome:
    if row["state"] == "unknown":
        raise Unreachable("terminal-silent", "The practice terminal is not responding.")
    reason = "not enough money" if row["state"] == "declined" else ""
    return Outcome(str(row["state"]), str(row["reference"]), reason, str(row["shown_code"]))


def _code_of(request: Request) -> str:
    return merchant_qr.build(
        MerchantQr(
            name=merchant_qr.plain(request.merchant, 25),
            city=merchant_qr.plain(request.city, 15),
            country=request.country,
            currency=request.currency,
            accounts={"26": {"00": "practice.cornerstore", "01": merchant_qr.plain(request.till_id, 25)}},
            amount_minor=request.amount_minor,
            additional={"01": merchant_qr.plain(request.reference or request.id, 25), "07": request.till_id[:25]},
        )
    )
