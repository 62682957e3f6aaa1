"""What the simulated wallet services share: their books, the customers with their phones, what goes wrong, the server.

Rules
-----
1. A trade has one number, its merchant's. Asked for again with the same content it is the same trade; what is paid or
   closed stays so. Money goes back once per refund number, never more than was paid.
2. With `faults` a share of the requests goes wrong, by the seed: lost before or after it was carried out, carried out
   late or twice, answered by 500 or 429, by no JSON, without a right signature, or about something else.
3. Only a code whose answer arrived is scanned.
"""

import contextlib
import datetime as dt
import random
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

FAULTS = ("lost", "unanswered", "late", "twice", "broken", "busy", "garbage", "unsigned", "lie")
PLANS = ("paid", "paid", "paid", "waits", "waits", "poor", "paid in silence")
Answer = tuple[int, dict[str, str], bytes]


class No(Exception):
    """A refusal. code: the service's own."""

    def __init__(self, code: str, status: int = 400) -> None:
        super().__init__(code)
        self.code, self.status = code, status


@dataclass
class Trade:
    """A payment at the service. state: waits | paid | closed | revoked | failed."""

    number: str
    amount_minor: int
    content: object
    state: str = "waits"
    shown: bool = False
    scanned: bool = False
    refunds: dict[str, int] = field(default_factory=dict)

    @property
    def held_minor(self) -> int:
        """How much of it the merchant has."""
        return self.amount_minor - sum(self.refunds.values()) if self.state == "paid" else 0


@dataclass
class Service:
    """The books of a service, and what is going wrong. plan: what happens to the next scanned codes; '' by chance.

    lie_about: what a lie is about; '' by chance. cross: it refuses a refund that it made all the same.
    """

    now: Callable[[], dt.datetime]
    number_of: Callable[[str], str]
    seed: int = 1
    faults: float = 0.0
    only: tuple[str, ...] = FAULTS
    plan: str = "paid"
    lie_about: str = ""
    cross: bool = False
    trades: dict[str, Trade] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    address: str = ""

    def __post_init__(self) -> None:
        self._random, self._lock = random.Random(self.seed), threading.RLock()
        self._late: list[tuple[Any, ...]] = []
        self.lies = self.unsigned = False

    # --- the customers ---

    def act(self, chance: random.Random) -> None:
        """Let whoever has a phone out pay, refuse, or do nothing."""
        for trade in self.trades.values():
            if trade.state == "waits" and (trade.shown or trade.scanned):
                how = chance.choices(("paid", "scanned", "failed", ""), (6, 2, 1, 3))[0]
                if how == "scanned":
                    trade.scanned = True
                elif how == "paid" or (how and trade.scanned):
                    trade.state = how
                    trade.scanned = True

    def pay(self, payment_id: str) -> None:
        """Pay what waits."""
        trade = self.trade(payment_id)
        assert trade.state == "waits"
        trade.state, trade.scanned = "paid", True

    # --- what tests look at ---

    def trade(self, payment_id: str) -> Trade:
        """Return what the service knows of a payment."""
        return self.trades[self.number_of(payment_id)]

    def holds(self, payment_id: str) -> int:
        """Return how much of a payment is captured and not given back."""
        found = self.trades.get(self.number_of(payment_id))
        return found.held_minor if found is not None else 0

    # --- what the services do ---

    def charge(self, number: str, amount_minor: int, content: object) -> Trade:
        """Charge a scanned code; the same again is refused, for it is charged already."""
        if (known := self.trades.get(number)) is not None:
            raise No(f"known-{known.state}")
        plan = self.plan or self._random.choice(PLANS)
        trade = self.trades[number] = Trade(number, amount_minor, content, scanned=True)
        trade.state = {"waits": "waits", "poor": "failed"}.get(plan, "paid")
        if plan == "poor":
            raise No("poor")
        if plan == "paid in silence":
            raise No("broken", 500)
        return trade

    def order(self, number: str, amount_minor: int, content: object) -> Trade:
        """Make a code to show; the same again is the same one."""
        trade = self.trades.setdefault(number, Trade(number, amount_minor, content))
        if trade.state != "waits":
            raise No(f"known-{trade.state}")
        if trade.content != content:
            raise No("differs")
        return trade

    def refund(self, number: str, refund: str, amount_minor: int) -> Trade:
        """Give money back, once per number."""
        trade = self.trades.get(number)
        if trade is None:
            raise No("none", 404)
        if refund in trade.refunds and self.cross:
            raise No("too-much")
        if refund in trade.refunds:
            if trade.refunds[refund] != amount_minor:
                raise No("differs")
            return trade
        if trade.state != "paid" or amount_minor > trade.held_minor:
            raise No("too-much")
        trade.refunds[refund] = amount_minor
        return trade

    # --- the line ---

    def answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer | None:
        """Answer a request, or None for a line that breaks."""
        with self._lock:
            self.asked.append(f"{method} {path.partition('?')[0]}")
            late, self._late = self._late, []
            for one in late:
                self.once(*one)
            fault = self._random.choice(self.only) if self._random.random() < self.faults else ""
            if fault == "lost":
                return None
            if fault == "late":
                self._late.append((method, path, headers, body))
                return None
            if fault in ("broken", "busy"):
                return 500 if fault == "broken" else 429, {}, b"{}"
            self.lies, self.unsigned = fault == "lie", fault == "unsigned"
            made = self.once(method, path, headers, body)
            if fault == "twice":
                made = self.once(method, path, headers, body)
            self.lies = self.unsigned = False
            if fault == "unanswered":
                return None
            if fault == "garbage":
                return 200, {}, b"<html>"
            if not fault:
                self.arrived(made)
            return made

    def once(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Carry a request out."""
        raise NotImplementedError

    def arrived(self, answer: Answer) -> None:
        """Let customers scan the code of an answer that arrived (rule 3)."""
        for trade in self.trades.values():
            if f"code/{trade.number}".encode() in answer[2].replace(b"\\/", b"/"):
                trade.shown = True


def lying(said: Any, lies: Mapping[str, Any], about: str, chance: random.Random) -> Any:
    """Return an answer with one lie, where it says anything there is a lie about."""
    found = [name for name in lies if isinstance(said, dict) and name in said and about in ("", name)]
    return {**said, **{name: lies[name] for name in chance.sample(found, 1)}} if found else said


def key_pair() -> tuple[rsa.RSAPrivateKey, str, str]:
    """Make a key; returns it, and both its halves as PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    return key, private, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@contextlib.contextmanager
def serving(service: Any) -> Iterator[Any]:
    """Serve on a port of this computer."""

    class Answers(BaseHTTPRequestHandler):
        protocol_version, wbufsize = "HTTP/1.1", 1 << 16

        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            made = service.answer(self.command, self.path, dict(self.headers), body)
            if made is None:
                self.close_connection = True
                return
            self.send_response(made[0])
            for name, value in made[1].items():
                self.send_header(name, value)
            if made[0] != 204:
                self.send_header("Content-Length", str(len(made[2])))
            self.end_headers()
            self.wfile.write(made[2])

        do_POST = do_GET  # noqa: N815 - so the library asks for it

        def log_message(self, *_args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    server.daemon_threads = True
    service.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield service
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
