"""What WeChat Pay and Alipay share: keys as they are pasted, the order of the questions, codes that end, known notices.

Rules
-----
1. Requests leave by `outgoing.client`: one address, TLS of today, no redirect, TIMEOUT_S each. Silence, a fault of the
   service, a wrong key and an answer that is not signed are no answer (Unreachable).
2. An answer about another payment, merchant, amount or currency is no answer either.
3. A clear no to a scanned code declines it. Any other no counts for nothing: the service is asked what it knows.
4. A code the store shows ends SHOWN_FOR after it was asked for. The end is the payment's reference until it is paid;
   what is not paid by then is closed at the service. A code whose answer was lost is asked for again.
5. Canceled is what the service says is closed. Money that came before counts as captured, and goes back as a refund.
6. A notice books nothing: it names the payment to ask about, once.
"""

import base64
import datetime as dt
import re
import threading
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_der_public_key,
)
from pydantic import BaseModel, Field, SecretStr, field_validator

from config.errors import Invalid, Refused
from config.settings import is_guarded
from config.words import N_
from pos.payments.providers import NEVER_SEEN, Outcome, Request

TIMEOUT_S = 5.0
SHOWN_FOR = dt.timedelta(minutes=10)
CURRENCY = "CNY"
MOST_KEPT = 10_000
ONLY_YUAN = N_("This service takes only Chinese yuan. Choose another payment method.")
CODE_OVER = N_("The customer's code has expired or was used. Scan a new one.")
TOO_LITTLE = N_("The customer's account has too little money. Choose another payment method.")
NOT_ALLOWED = N_("The customer's account cannot make this payment. Choose another payment method.")
NOT_SET_UP = N_("The service does not allow this store to charge. Check the payment settings.")
_ENDS = re.compile(r"until-([0-9]{1,12})")


class WalletSettings(BaseModel):
    """What both services need."""

    private_key: SecretStr = Field(
        title=N_("Private key"), description=N_("The key that signs this store's requests, as text. It stays secret.")
    )

    @field_validator("private_key")
    @classmethod
    def _is_private_key(cls, key: SecretStr) -> SecretStr:
        read = _key(lambda der: load_der_private_key(der, None), key.get_secret_value())
        if not isinstance(read, RSAPrivateKey):
            raise ValueError(N_("This is not a private key. Copy the whole key."))  # noqa: TRY004 - the form says it
        return SecretStr(read.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode())

    @field_validator("notice_address", check_fields=False)
    @classmethod
    def _is_public(cls, address: str) -> str:
        if address and not re.match(r"https://[^/?#\s]+(/[^?#\s]*)?$", address):
            raise ValueError(N_("Enter an address that begins with https://."))
        return address


class Wallet(ABC):
    """A wallet's service; see `pos.payments.providers.Provider`. wallet: whose codes it takes, of `wallet_codes`."""

    name: str
    wallet: str
    ways = frozenset({"customer_code", "store_code"})

    def __init__(self) -> None:
        self._notices: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.RLock()

    def begin(self, request: Request, *, at: dt.datetime) -> Outcome:
        """Charge the scanned code, or ask for one to show."""
        if request.currency != CURRENCY:
            return Outcome("declined", reason=ONLY_YUAN)
        if request.way == "store_code":
            return self._show(request, at)
        return self._charge(request, at) if request.wallet is not None else Outcome("declined", reason=CODE_OVER)

    def query(self, request: Request, *, at: dt.datetime) -> Outcome:
        """Ask what became of it (rule 4)."""
        outcome = self._state(request, at)
        if outcome.state != "requested" or request.way != "store_code":
            return outcome
        end = _ENDS.fullmatch(request.reference)
        if end is None:
            return self._show(request, at)
        return self.cancel(request, at=at) if at.timestamp() >= int(end[1]) else outcome

    def cancel(self, request: Request, *, at: dt.datetime) -> Outcome:
        """Close it at the service (rule 5); `captured` says that it was paid before."""
        outcome = self._state(request, at)
        if outcome.reason == NEVER_SEEN:
            return Outcome("cancelled", reason=NEVER_SEEN)
        return self._stop(request, at) if outcome.state == "requested" else outcome

    @abstractmethod
    def reverse(self, request: Request, amount_minor: int, *, key: str, at: dt.datetime) -> Outcome:
        """Give money back, once per key."""

    @abstractmethod
    def _charge(self, request: Request, at: dt.datetime) -> Outcome:
        """Charge the customer's code (rule 3)."""

    @abstractmethod
    def _show(self, request: Request, at: dt.datetime) -> Outcome:
        """Ask for a code to show; the same request again gets it again."""

    @abstractmethod
    def _state(self, request: Request, at: dt.datetime) -> Outcome:
        """Ask for the state alone."""

    @abstractmethod
    def _stop(self, request: Request, at: dt.datetime) -> Outcome:
        """Close what waits for the customer, and say how it ended."""

    def _once(self, notice: str) -> bool:
        """Tell whether a notice comes for the first time (rule 6)."""
        with self._lock:
            is_new = notice not in self._notices
            self._notices[notice] = None
            while len(self._notices) > MOST_KEPT:
                self._notices.popitem(last=False)
        return is_new


def shown(code: str, end: dt.datetime) -> Outcome:
    """Return the answer that a code is to be shown."""
    return Outcome("requested", f"until-{int(end.timestamp())}", shown_code=code)


def public_key(text: str) -> str:
    """Return a public key as PEM however it was pasted; ValueError for anything else."""
    read = _key(load_der_public_key, text)
    if not isinstance(read, RSAPublicKey):
        raise ValueError(N_("This is not a public key. Copy the whole key."))  # noqa: TRY004 - the form says it
    return read.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def service_address(address: str) -> str:
    """Return the address of a service; ValueError where somebody could listen."""
    if not re.match(r"https?://[^/?#\s]+$", address) or not is_guarded(address):
        raise ValueError(N_("Enter an address that begins with https://, without a path."))
    return address


def forged() -> Invalid:
    """Return the refusal of a notice that is not the service's own."""
    return Invalid(
        "notice-forged", "This notice is not signed by the payment service, or is too old. Nothing was changed."
    )


def elsewhere() -> Refused:
    """Return the refusal of a notice about somebody else's money."""
    return Refused("notice-elsewhere", "This notice is for another account. Nothing was changed.")


# --- inside ---


def _key(load: Callable[[bytes], object], text: str) -> object:
    """Read a key with or without its first and last line, whatever became of its line ends; None for no key."""
    try:
        return load(base64.b64decode(re.sub(r"-----[A-Z ]+-----|\s", "", text), validate=True))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
