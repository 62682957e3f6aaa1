"""Card terminals in German-speaking countries: ZVT over TCP, spoken by the store's node itself.

ZVT has no idempotency key: asked twice, a terminal takes money twice. What it can be asked is what it did last.

Rules
-----
1. One conversation at a time with one terminal, under a lock that the system lifts when the process ends. So a payment
   that is open here while the lock is free was cut off.
2. Before a terminal is told to move money, its last transaction is asked for and kept here with the intent (`Asked`).
   Once told, it is never told the same again.
3. Cut off, a payment is looked for before the terminal is told anything else. Its last transaction is still the one
   from before: no money moved. It is the very next one, with our amount and currency: it is ours. Anything else cannot
   be known: the payment stays unknown, and words say what to look at on the terminal.
4. Money counts as moved when the terminal has reported it once, with our amount and currency, and has completed.
   Another amount or currency is not taken over, so that the terminal reverses it, and a person looks.
5. Money goes back by reversing the whole payment, which needs no card. A part, or a payment that can no longer be
   reversed, is paid out to a card that is presented, and only for a return: somebody stands there.
6. No card's number is kept, only the last four digits.

Tested against a simulator, never against a real terminal.
"""

import dataclasses
import datetime as dt
import json
import re
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import BaseModel, Field, SecretStr, field_validator

from config.errors import DomainError, Refused, Unreachable
from config.plugins import Plugin
from config.words import N_
from pos.payments.merchant_qr import CURRENCY_NUMBERS
from pos.payments.payments import LONGEST_REFERENCE
from pos.payments.providers import NEVER_SEEN, Outcome, Request
from pos.payments.requests import BACK
from pos.payments.zvt_wire import Status, masked
from store_app.payments.zvt_talk import Dial, Ended, Limits, Line, Listener, Talk, dial, fits, reached
from store_app.payments.zvt_words import (
    CONNECTING,
    NOT_REVERSIBLE,
    STOPPED,
    STOPPING,
    fault_word,
    result_word,
    step_word,
)

NAME = "zvt"
FILE = "zvt.db"
PORT = 20007
NO_TERMINAL = N_("No card terminal is set up for this till. Add it to the payment settings.")
NO_CURRENCY = N_("Card terminals cannot take this store's currency.")
BUSY = N_("The card terminal is busy with another payment. Finish or cancel that first.")
REFUSED = N_("The card terminal is not ready. Finish what it shows, then try again.")
NOT_KNOWN_HERE = N_("This payment's receipt is not on record here. Refund it at the terminal.")
MORE_THAN_TAKEN = N_("That is more than is left of this payment.")
CUT = N_("The connection to the card terminal broke. Its last payment is being looked up.")
NOTHING_MOVED = N_("The connection to the card terminal broke. No money moved.")
LOOK = N_("Check the terminal's last receipts for this amount and time, then settle it under “Cards and wallets.”")
OTHER_AMOUNT = N_("The terminal reported another amount or currency. Check its last receipt.")
_LOCK_S, _STOP_S = 2.0, 3.0
_ALREADY_REVERSED, _NOT_REVERSIBLE, _STOPPED = 0xB4, 0xB5, 0x6C
_LAST_RECEIPT, _LAST_TRACE = 9999, 999_999
PAY, REVERSE, REFUND = "pay", "reverse", "refund"
OPEN, LOST, AGAIN = "open", "lost", "again"
_PLACE = re.compile(r"(?:\s*([\w-]+)\s*=)?\s*([\w.-]+|\[[0-9A-Fa-f:]+\])(?::(\d{1,5}))?\s*")
_TABLES = """
CREATE TABLE IF NOT EXISTS asked (
  key TEXT PRIMARY KEY, kind TEXT NOT NULL, payment_id TEXT NOT NULL, terminal TEXT NOT NULL,
  amount_minor INTEGER NOT NULL, currency INTEGER NOT NULL, state TEXT NOT NULL, words TEXT NOT NULL, before TEXT,
  stop INTEGER NOT NULL, receipt INTEGER, trace INTEGER, card TEXT NOT NULL, paper TEXT NOT NULL, at TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS ix_asked_payment ON asked (payment_id);
CREATE INDEX IF NOT EXISTS ix_asked_open ON asked (terminal) WHERE state = 'open';
"""


class ZvtSettings(BaseModel):
    """The terminals and how they are spoken to."""

    terminals: str = Field(
        title=N_("Card terminals"),
        description=N_("A terminal's address for all tills (192.168.1.60:20007), or one per till: T1=…; T2=…"),
    )
    password: SecretStr = Field(
        default=SecretStr("000000"), title=N_("Till password"), description=N_("Six digits, set at the terminal.")
    )
    prints: bool = Field(
        default=True, title=N_("Print card receipts at the till"),
        description=N_("The customer's card receipt goes under the store's own. Otherwise the terminal prints it."),
    )  # fmt: skip
    only_till: bool = Field(
        default=True, title=N_("Only the till starts payments"),
        description=N_("Amounts can't be entered at the terminal itself, and the till resolves interrupted payments."),
    )  # fmt: skip

    @field_validator("terminals")
    @classmethod
    def _are_places(cls, terminals: str) -> str:
        found = [_PLACE.fullmatch(one) for one in terminals.split(";")]
        if not all(one and 0 < int(one[3] or PORT) < 65536 for one in found):
            raise ValueError(
                N_("Write the terminal's address as host:port, or one per till: T1=host:port; T2=host:port")
            )
        return terminals

    @field_validator("password")
    @classmethod
    def _is_number(cls, password: SecretStr) -> SecretStr:
        if not re.fullmatch(r"[0-9]{6}", password.get_secret_value()):
            raise ValueError(N_("The password has six digits."))
        return password

    def terminal_of(self, till_id: str) -> str | None:
        """Return host:port of the terminal beside a till."""
        found = [one for one in map(_PLACE.fullmatch, self.terminals.split(";")) if one]
        by_till = {one[1] or "": f"{one[2]}:{one[3] or PORT}" for one in found}
        return by_till.get(till_id) or by_till.get("")


@dataclass
class Asked:
    """What a terminal was told to do, and what came of it. key: the payment's id, or the key of what goes back.

    state: open, lost (cannot be known), again (nothing moved, may be told again), or as an outcome's. before: the
    terminal's last transaction, kept before it was told, as JSON; '' where it has none or cannot tell; None: it was
    not told yet.
    """

    key: str
    kind: str
    payment_id: str
    terminal: str
    amount_minor: int
    currency: int
    at: str
    state: str = OPEN
    words: str = CONNECTING
    before: str | None = None
    stop: int = 0
    receipt: int | None = None
    trace: int | None = None
    card: str = ""
    paper: str = ""

    @property
    def is_for_return(self) -> bool:
        """Tell whether it goes back with a return, not by itself."""
        return self.key != f"{self.payment_id}:{BACK}"

    @property
    def outcome(self) -> Outcome:
        """As the books are told."""
        if self.state == OPEN:
            return Outcome("requested", reason=self.words)
        if self.state in (LOST, AGAIN):
            return Outcome.unknown(self.words)
        number = f"{self.receipt:04d}" if self.receipt is not None else ""
        reference = " ".join(filter(None, (number, self.card)))[:LONGEST_REFERENCE]
        return Outcome(self.state, reference, "" if self.state == "captured" else self.words, paper=self.paper)


class ZvtTerminals:
    """The terminals beside the tills; see `pos.payments.providers.Provider`.

    start: runs a conversation, which may take minutes; connect: opens a connection.
    """

    name = NAME
    ways = frozenset({"terminal"})

    def __init__(
        self,
        settings: ZvtSettings,
        folder: Path,
        *,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        start: Callable[[Callable[[], None]], None] = lambda work: threading.Thread(target=work, daemon=True).start(),
        connect: Dial = dial,
    ) -> None:
        self._settings, self._folder, self._limits = settings, folder, limits
        self._start, self._connect = start, connect
        self._book = _Book(folder / FILE)

    def begin(self, request: Request, *, at: dt.datetime) -> Outcome:
        """Have the terminal beside the till ask for the card; the same id again is answered as it stands."""
        if self._book.find(request.id) is not None:
            return self.query(request, at=at)
        terminal = self._settings.terminal_of(request.till_id)
        number = CURRENCY_NUMBERS.get(request.currency)
        if terminal is None or number is None:
            return Outcome("declined", reason=NO_CURRENCY if terminal else NO_TERMINAL)
        return self._begun(
            Asked(request.id, PAY, request.id, terminal, request.amount_minor, int(number), at.isoformat())
        )

    def query(self, request: Request, *, at: dt.datetime) -> Outcome:
        """Ask what became of it; what was cut off is looked for at the terminal (rule 3)."""
        asked = self._book.find(request.id)
        return self._cleared(asked).outcome if asked else Outcome("declined", reason=NEVER_SEEN)

    def cancel(self, request: Request, *, at: dt.datetime) -> Outcome:
        """Stop it; what was not asked yet never will be."""
        never = Asked(request.id, PAY, request.id, "", request.amount_minor, 0, at.isoformat(), "cancelled", NEVER_SEEN)
        if self._book.add(never):
            return never.outcome
        self._book.change(request.id, stop=1)
        asked = self._book.find(request.id)
        assert asked is not None
        return self._cleared(asked, wait_s=_STOP_S).outcome

    def reverse(self, request: Request, amount_minor: int, *, key: str, at: dt.datetime) -> Outcome:
        """Give money back, once per key, and in all never more than was taken (rule 5)."""
        paid, back = self._book.find(request.id), self._book.find(key)
        if back is not None:
            back = self._cleared(back)
            return self._begun(back) if back.state == AGAIN else back.outcome
        if paid is None or paid.state != "captured":
            return Outcome("declined", reason=NOT_KNOWN_HERE)
        left_minor = paid.amount_minor - self._book.back_minor(request.id)
        if amount_minor > left_minor:
            return Outcome("declined", reason=MORE_THAN_TAKEN)
        kind = REVERSE if amount_minor == paid.amount_minor and paid.receipt is not None else REFUND
        asked = Asked(key, kind, request.id, paid.terminal, amount_minor, paid.currency, at.isoformat())
        if kind == REFUND and not asked.is_for_return:
            return Outcome("declined", reason=NOT_REVERSIBLE)
        return self._begun(asked)

    def check(self, till_id: str, currency: str) -> str:
        """Return '' where the terminal beside a till is ready, else why not."""
        return self._alone(till_id, currency, Talk.enquire)

    def close_day(self, till_id: str, currency: str) -> str:
        """Have the terminal beside a till hand in what it has taken; returns '', else why it did not."""
        return self._alone(till_id, currency, Talk.close_day)

    # --- conversations ---

    def _begun(self, asked: Asked) -> Outcome:
        lock = self._lock(asked.terminal)
        try:
            lock.acquire(timeout=_LOCK_S)
        except Timeout as fault:
            if asked.kind != PAY:
                raise Unreachable("terminal-busy", BUSY) from fault
            return Outcome("declined", reason=BUSY)
        try:
            if self._book.open(asked):
                self._start(lambda: self._talked(asked, lock))
            else:
                lock.release()
        except BaseException:
            lock.release()
            raise
        found = self._book.find(asked.key)
        assert found is not None
        return found.outcome

    def _talked(self, asked: Asked, lock: FileLock) -> None:
        """Hold a conversation, under its lock; left open where it is cut off after the terminal was told."""
        try:
            with self._talk(asked.terminal) as talk:
                self._register(talk, asked.currency)
                for other in self._book.cut(asked.terminal, but=asked.key):
                    self._look_for(talk, other)
                self._do(talk, asked)
        except DomainError as fault:
            found = self._book.find(asked.key)
            if found is not None and found.state == OPEN:
                if found.before is None:
                    self._nothing_moved(found, fault.sentence)
                else:
                    self._book.change(asked.key, words=CUT)
        finally:
            lock.release()

    def _do(self, talk: Talk, asked: Asked) -> None:
        """Tell the terminal what to do, once (rules 2, 4)."""
        if self._book.is_stopped(asked.key):
            self._book.change(asked.key, state="cancelled", words=STOPPED)
            return
        listener = Listener(
            asked.amount_minor,
            asked.currency,
            step=lambda step: self._step(asked.key, step),
            wrong=lambda: self._book.change(asked.key, state=LOST, words=OTHER_AMOUNT),
        )
        paid = self._book.find(asked.payment_id)
        assert paid is not None
        before = self._before(talk)
        self._book.change(asked.key, kind=asked.kind, before=before)
        if asked.kind == PAY:
            ended = talk.pay(
                asked.amount_minor, asked.currency, listener.hear, lambda: self._book.is_stopped(asked.key)
            )
        elif asked.kind == REVERSE:
            ended = talk.reverse(paid.receipt or 0, listener.hear)
        else:
            ended = talk.refund(asked.amount_minor, asked.currency, listener.hear)
        results: set[int | None] = {one.result for one in listener.statuses} or {ended.result}
        if asked.kind == REVERSE and asked.is_for_return and results == {_NOT_REVERSIBLE}:
            self._do(talk, dataclasses.replace(asked, kind=REFUND))
        else:
            self._settle(asked, before, listener, ended)

    def _settle(self, asked: Asked, before: str, listener: Listener, ended: Ended) -> None:
        """Write what the terminal said in a whole conversation; what contradicts itself stays open (rules 3, 4)."""
        taken = [one for one in listener.statuses if one.result == 0]
        is_old = any(_kept(one) == before for one in taken)
        paper = masked("\n".join(listener.lines))
        found = self._book.find(asked.key)
        if found is None or found.state == LOST:
            return
        if ended.done and taken and len(listener.statuses) == 1 and not is_old:
            self._capture(asked, taken[0], paper)
        elif taken or (ended.done and not listener.statuses):
            raise Unreachable("terminal-contradicts", CUT)
        elif ended.result is None:
            self._nothing_moved(asked, REFUSED)
        else:
            self._decline(asked, listener.statuses[-1].result if listener.statuses else ended.result)

    def _decline(self, asked: Asked, result: int) -> None:
        if asked.kind == REVERSE and result == _ALREADY_REVERSED:
            self._book.change(asked.key, state="captured")
            return
        stopped = result == _STOPPED and self._book.is_stopped(asked.key)
        words = NOT_REVERSIBLE if result == _NOT_REVERSIBLE else result_word(result)
        self._book.change(asked.key, state="cancelled" if stopped else "declined", words=words)

    def _capture(self, asked: Asked, status: Status, paper: str = "") -> None:
        self._book.change(
            asked.key,
            state="captured",
            receipt=status.receipt,
            trace=status.trace,
            card=masked(status.card),
            paper=paper,
        )

    def _before(self, talk: Talk) -> str:
        """Return the terminal's last transaction, to be kept (rule 2)."""
        try:
            last = talk.last()
        except Refused:
            return ""
        return _kept(last) if last else ""

    def _cleared(self, asked: Asked, wait_s: float = 0) -> Asked:
        """Return what was asked as it stands; cut off, it is looked for first (rules 1, 3)."""
        if asked.state != OPEN:
            return asked
        lock = self._lock(asked.terminal)
        try:
            lock.acquire(timeout=wait_s)
        except Timeout:
            return asked
        try:
            asked = self._book.find(asked.key) or asked
            if asked.state == OPEN and not asked.before:
                self._unseen(asked)
            elif asked.state == OPEN:
                with self._talk(asked.terminal) as talk:
                    self._register(talk, asked.currency)
                    self._look_for(talk, asked)
        finally:
            lock.release()
        return self._book.find(asked.key) or asked

    def _look_for(self, talk: Talk, asked: Asked) -> None:
        """Settle what was cut off by the terminal's last transaction (rule 3)."""
        if not asked.before:
            self._unseen(asked)
            return
        try:
            last = talk.last()
        except Refused as fault:
            raise Unreachable(fault.code, fault.sentence) from fault
        paid = self._book.find(asked.payment_id)
        state = judged(asked, last, paid.trace if paid else None)
        if state == "captured" and last is not None:
            self._capture(asked, last)
        elif state == LOST:
            self._book.change(asked.key, state=LOST, words=LOOK)
        else:
            self._nothing_moved(asked, NOTHING_MOVED)

    def _unseen(self, asked: Asked) -> None:
        """Settle what was cut off before the terminal was told, or with no last transaction kept."""
        if asked.before is None:
            self._nothing_moved(asked, NOTHING_MOVED)
        else:
            self._book.change(asked.key, state=LOST, words=LOOK)

    def _nothing_moved(self, asked: Asked, words: str) -> None:
        """Let a reversal, which needs nobody, be told again; all else ends."""
        self._book.change(asked.key, state=AGAIN if asked.kind == REVERSE else "declined", words=words)

    def _alone(self, till_id: str, currency: str, do: Callable[[Talk], Ended]) -> str:
        terminal = self._settings.terminal_of(till_id)
        if terminal is None:
            raise Refused("no-terminal", NO_TERMINAL)
        lock = self._lock(terminal)
        try:
            lock.acquire(timeout=_LOCK_S)
        except Timeout as fault:
            raise Refused("terminal-busy", BUSY) from fault
        try:
            with self._talk(terminal) as talk:
                self._register(talk, int(CURRENCY_NUMBERS[currency]))
                for other in self._book.cut(terminal):
                    self._look_for(talk, other)
                ended = do(talk)
        finally:
            lock.release()
        return "" if ended.done else fault_word(ended.result, REFUSED)

    def _step(self, key: str, step: int) -> None:
        self._book.change(key, words=STOPPING if self._book.is_stopped(key) else step_word(step))

    def _register(self, talk: Talk, currency: int) -> None:
        talk.register(currency, prints=self._settings.prints, only_till=self._settings.only_till)

    @contextmanager
    def _talk(self, terminal: str) -> Iterator[Talk]:
        host, _, port = terminal.rpartition(":")
        with reached(), closing(self._connect((host.strip("[]"), int(port)), self._limits.connect)) as wire:
            yield Talk(Line(wire, self._limits), self._settings.password.get_secret_value())

    def _lock(self, terminal: str) -> FileLock:
        return FileLock(self._folder / f"zvt-{re.sub(r'[^0-9A-Za-z.-]', '-', terminal)}.lock", thread_local=False)


def judged(asked: Asked, last: Status | None, paid_trace: int | None) -> str:
    """Say by the terminal's last transaction what became of one that was cut off: captured, lost, or nothing ('').

    paid_trace: the trace number of the payment that goes back.
    """
    before = Status(**json.loads(asked.before or "{}"))
    if last is None:
        return LOST
    if _kept(last) == asked.before:
        return ""
    undone = before.trace is not None and last.original_trace == before.trace % _LAST_TRACE + 1
    if asked.kind != REVERSE and undone:  # done, and at once reversed by the terminal
        return ""
    follows = _follows(before.receipt, last.receipt, _LAST_RECEIPT) and _follows(before.trace, last.trace, _LAST_TRACE)
    named = (None, paid_trace) if asked.kind == REVERSE else (None,)
    if not follows or last.original_trace not in named:
        return LOST
    if last.result != 0:
        return ""
    return "captured" if fits(last, asked.amount_minor, asked.currency) else LOST


def _follows(before: int | None, last: int | None, most: int) -> bool:
    return before is not None and last == before % most + 1


def _kept(status: Status) -> str:
    return json.dumps(dataclasses.asdict(dataclasses.replace(status, card="")), sort_keys=True)


class _Book:
    """What terminals were told, in a file that the till and the worker share."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def find(self, key: str) -> Asked | None:
        """Return what was asked by a key."""
        with self._open() as book:
            return next(map(_asked, book.execute("SELECT * FROM asked WHERE key = ?", (key,))), None)

    def add(self, asked: Asked) -> bool:
        """Write what was not there yet; tells whether it was not."""
        row = dataclasses.asdict(asked)
        marks = ", ".join(f":{name}" for name in row)
        with self._open() as book:
            query = f"INSERT OR IGNORE INTO asked ({', '.join(row)}) VALUES ({marks})"  # noqa: S608 - own names
            return book.execute(query, row).rowcount > 0

    def open(self, asked: Asked) -> bool:
        """Write what is asked, or is asked again; tells whether it may be."""
        if self.add(dataclasses.replace(asked, state=OPEN, words=CONNECTING, before=None)):
            return True
        again = "UPDATE asked SET state = ?, words = ?, before = NULL WHERE key = ? AND state = ?"
        with self._open() as book:
            return book.execute(again, (OPEN, CONNECTING, asked.key, AGAIN)).rowcount > 0

    def change(self, key: str, **facts: str | int | None) -> None:
        """Write what became of it."""
        changes = ", ".join(f"{name} = ?" for name in facts)
        with self._open() as book:
            book.execute(f"UPDATE asked SET {changes} WHERE key = ?", (*facts.values(), key))  # noqa: S608 - own names

    def is_stopped(self, key: str) -> bool:
        """Tell whether somebody wants it stopped."""
        asked = self.find(key)
        return asked is not None and bool(asked.stop)

    def cut(self, terminal: str, *, but: str = "") -> list[Asked]:
        """Return what is still open at a terminal, under its lock: what was cut off."""
        with self._open() as book:
            query = "SELECT * FROM asked WHERE terminal = ? AND state = 'open' AND key <> ? ORDER BY at"
            return list(map(_asked, book.execute(query, (terminal, but))))

    def back_minor(self, payment_id: str) -> int:
        """Return how much of a payment went back, or may have."""
        counted = "payment_id = ? AND kind <> 'pay' AND state IN (?, ?, ?, 'captured')"
        query = f"SELECT sum(amount_minor) FROM asked WHERE {counted}"  # noqa: S608 - own words
        with self._open() as book:
            return int(book.execute(query, (payment_id, OPEN, LOST, AGAIN)).fetchone()[0] or 0)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(self._file, timeout=5, isolation_level=None)) as book:
            book.row_factory = sqlite3.Row
            book.executescript(_TABLES)
            yield book


def _asked(row: sqlite3.Row) -> Asked:
    return Asked(**dict(row))


PLUGIN = Plugin(NAME, N_("Card terminal (ZVT)"), ZvtSettings, ZvtTerminals, at=("store",))
