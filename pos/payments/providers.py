"""Card terminals and mobile wallets behind one protocol, and the registry of those this store knows.

Rules
-----
1. The payment's id is the idempotency key at the provider: `begin` twice with one id moves money once.
2. No method waits long: a provider has its own time limits and raises Unreachable, or answers `unknown`, when they
   pass. Neither means that no money moved.
3. A provider answers what it knows; what that means for the books is decided in `requests` alone.
4. `reverse` carries a key of its own: asked twice with one key it gives money back once.
5. `requested` from `query` says the customer is still at it; a request the provider never saw is answered with the
   reason `NEVER_SEEN`.

Ways: terminal (the customer presents a card), customer_code (the customer's phone shows a code, we scan it),
store_code (we show a QR code, the customer's phone scans it), bank_code (the same, but the customer's bank transfers
the money and nobody answers). Online alone there is ONLINE: we send the customer to the
service's own page, and the service sends them back.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from config.errors import Invalid, NotFound, Unreachable
from config.plugins import Door, Guard
from config.words import N_
from pos.payments.wallet_codes import WalletCode

BANK_CODE = "bank_code"
WAYS = ("terminal", "customer_code", "store_code", BANK_CODE)
"""Ways of asking for money at a till."""
ONLINE = "online"
ANSWERS = ("requested", "captured", "declined", "cancelled", "unknown")
FINAL = ("captured", "declined", "cancelled")
NEVER_SEEN = "never-seen"
LONGEST_WORDS = 120
LIMIT_S = 30.0
"""So long a plug-in may take for one answer; built-in services have shorter limits of their own."""
CLOSING_LIMIT_S = 100.0
"""So long a terminal may take to hand in its day."""


@dataclass(frozen=True)
class Request:
    """What a provider is asked. merchant, city, country, currency are what a QR code names.

    wallet: the code on the customer's phone; only `begin` carries it, for nothing keeps it. payer: whose points are
    asked for; only `begin` carries that, too. until, return_to: online, how long it may be paid and the page the
    customer comes back to.
    """

    id: str
    sale_id: str
    till_id: str
    way: str
    amount_minor: int
    currency: str
    merchant: str = ""
    city: str = ""
    country: str = "US"
    reference: str = ""
    wallet: WalletCode | None = None
    payer: str = ""
    until: dt.datetime | None = None
    return_to: str = ""


@dataclass(frozen=True)
class Outcome:
    """What a provider answered. state: one of ANSWERS; for `reverse` captured means: the money went back.

    reference: the provider's own number of it. reason: for a person; while it is requested, how far the customer is.
    shown_code: what the store shows as a QR code, or online the page the customer pays at. disputed: the customer's
    bank is taking captured money back. paper: what the terminal wants under the receipt.
    """

    state: str
    reference: str = ""
    reason: str = ""
    shown_code: str = ""
    disputed: bool = False
    paper: str = ""

    def __post_init__(self) -> None:
        if self.state not in ANSWERS:
            raise Invalid(
                "provider-answer", "The payment service returned “%(state)s”, which is not a known status.",
                state=f"{self.state!r}",
            )  # fmt: skip

    @classmethod
    def unknown(cls, reason: str) -> "Outcome":
        """Return the answer that there was none."""
        return cls("unknown", reason=reason[:LONGEST_WORDS])


class Provider(Protocol):
    """A card terminal or a wallet service. Each method may raise Unreachable (rule 2)."""

    @property
    def name(self) -> str:
        """Return the name by which payments remember it."""
        ...

    @property
    def ways(self) -> frozenset[str]:
        """Return the ways it can be asked in."""
        ...

    def begin(self, request: Request, *, at: dt.datetime) -> Outcome:
        """Ask for money (rule 1)."""
        ...

    def query(self, request: Request, *, at: dt.datetime) -> Outcome:
        """Ask what became of it (rule 5)."""
        ...

    def cancel(self, request: Request, *, at: dt.datetime) -> Outcome:
        """Ask to stop; `captured` says that it is too late."""
        ...

    def reverse(self, request: Request, amount_minor: int, *, key: str, at: dt.datetime) -> Outcome:
        """Give back all or part of captured money, once per key (rule 4)."""
        ...


@runtime_checkable
class Notifying(Protocol):
    """A provider whose service sends notices. A notice books nothing: whoever gets it asks what it is about."""

    def noticed(self, body: bytes, headers: Mapping[str, str]) -> str:
        """Return the id of the payment that a notice names, '' for none; refuse one that is forged or not for us."""
        ...


@runtime_checkable
class OneWallet(Protocol):
    """A provider that takes the codes of one wallet alone, of `wallet_codes`; another takes them all."""

    wallet: str


@runtime_checkable
class InCurrencies(Protocol):
    """A provider that takes money in some currencies alone."""

    currencies: frozenset[str]


@runtime_checkable
class BesideTills(Protocol):
    """A provider with a terminal beside each till. Both answer '' for done, else why not; Refused where it has none."""

    def check(self, till_id: str, currency: str) -> str:
        """Ask the terminal whether it is ready."""
        ...

    def close_day(self, till_id: str, currency: str) -> str:
        """Have the terminal hand in what it has taken."""
        ...


class Providers:
    """The providers a node knows, by name; each is made when it is first asked for."""

    def __init__(self) -> None:
        self._makers: dict[str, Callable[[], Provider]] = {}
        self._made: dict[str, Provider] = {}

    def add(self, name: str, maker: Callable[[], Provider]) -> None:
        """Make a provider known."""
        self._makers[name] = maker

    def names(self) -> tuple[str, ...]:
        """Return all names, in the order they were added."""
        return tuple(self._makers)

    def named(self, name: str) -> Provider:
        """Return a provider; NotFound when this node does not know it."""
        if name not in self._made:
            if name not in self._makers:
                raise NotFound(
                    "unknown-provider",
                    "The payment service %(provider)s is not set up here. Check the store's settings.", provider=name,
                )  # fmt: skip
            self._made[name] = self._makers[name]()
        return self._made[name]

    def for_way(self, way: str, wallet: str = "") -> Provider | None:
        """Return the first provider that can be asked in this way, for this wallet's codes, or None."""
        return next(iter(self.all_for(way, wallet)), None)

    def all_for(self, way: str, wallet: str = "") -> list[Provider]:
        """Return the providers that can be asked in this way, for this wallet's codes."""
        able = (one for one in map(self.named, self._makers) if way in one.ways)
        return [one for one in able if not wallet or not isinstance(one, OneWallet) or one.wallet == wallet]


# --- the door ---


def _fits(name: str, made: Any) -> Provider:
    """Let nothing out of a provider but answers and our own errors; what it raises is no answer (rule 2)."""
    if made.name != name or not set(made.ways) <= {*WAYS, ONLINE}:
        raise TypeError("another name, or ways that are none")
    guard = Guard(name)
    for step, kind in _ANSWERS.items():
        if step in _STEPS or hasattr(made, step):
            limit_s = CLOSING_LIMIT_S if step == "close_day" else LIMIT_S
            setattr(made, step, guard.wrap(getattr(made, step), kind, limit_s, _no_answer))
    provider: Provider = made
    return provider


def _no_answer() -> Unreachable:
    return Unreachable("provider-fault", "The payment service is not responding.")


_STEPS = ("begin", "query", "cancel", "reverse")
_ANSWERS: dict[str, type] = dict.fromkeys(_STEPS, Outcome) | dict.fromkeys(("noticed", "check", "close_day"), str)
"""What each method of a provider answers."""
PAYMENTS = Door("payments", N_("Payment services"), _fits)
