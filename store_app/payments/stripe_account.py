"""What both Stripe adapters share: the account, the line to it, its amounts, its refunds, and what it answers.

Rules
-----
1. The SDK speaks through `outgoing.client`: one address, TLS of today, no redirect, and no tries of its own.
2. Silence, a fault of the service, a wrong key and a key used twice are no answer (Unreachable). A clear no is Refused,
   with the service's code in `why`.
3. An answer about another payment, amount, currency or mode is no answer either.
4. Amounts are in the service's units. It has decimals of its own for some currencies and takes some only in steps.
5. A refund carries our key as its idempotency key and in its metadata. The service forgets keys after a day, so its
   refunds are looked through before one is asked for.
"""

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, Field, SecretStr, ValidationError, field_validator

from config import money
from config.errors import Refused, Unreachable
from config.settings import is_guarded
from config.words import N_
from pos.payments.providers import LONGEST_WORDS, Outcome, Request
from store_app.runtime import outgoing
from store_app.sync.wire import Shape

if TYPE_CHECKING:
    import stripe

ADDRESS = "https://api.stripe.com"
TIMEOUT_S = 8.0
KEY_PATTERN = r"(sk|rk)_(live|test)_\w+"
NO_DECIMALS = frozenset((
    "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF",
))  # fmt: skip
THREE_DECIMALS = frozenset(("BHD", "JOD", "KWD", "OMR", "TND"))
UNDER_WAY = ("processing", "requires_capture")
STEPS = {"ISK": 100, "UGX": 100} | dict.fromkeys(THREE_DECIMALS, 10)
"""Currencies that the service takes only in multiples of so many of its units."""
ODD_AMOUNT = N_("Stripe does not take this amount in this currency. Choose another payment method.")
REFUNDS = {"succeeded": "captured", "pending": "requested", "requires_action": "requested"}
"""A refund's status -> our answer; every other status is a no."""

Answer = TypeVar("Answer", bound=Shape)


class StripeSettings(BaseModel):
    """The account at Stripe."""

    secret_key: SecretStr = Field(
        title=N_("Secret key"),
        description=N_("From the Stripe Dashboard, under Developers. It begins with sk_ or rk_."),
    )
    address: str = Field(
        default=ADDRESS, title=N_("Service address"), description=N_("Leave it as it is unless Stripe tells you.")
    )

    @field_validator("secret_key")
    @classmethod
    def _is_secret(cls, key: SecretStr) -> SecretStr:
        if not re.fullmatch(KEY_PATTERN, key.get_secret_value()):
            raise ValueError(N_("This is not a secret key. Copy the key that begins with sk_live_, sk_test_ or rk_."))
        return key

    @field_validator("address")
    @classmethod
    def _is_guarded(cls, address: str) -> str:
        if not re.match(r"https?://[^/?#\s]+$", address) or not is_guarded(address):
            raise ValueError(N_("Enter an address that begins with https://, without a path."))
        return address

    @property
    def is_live(self) -> bool:
        """Whether the key moves real money."""
        return "_live_" in self.secret_key.get_secret_value()


class Failure(Shape):
    """Why a payment failed."""

    message: str | None = None


class Charge(Shape):
    """What became of an intent's money."""

    disputed: bool = False


class Intent(Shape):
    """A PaymentIntent."""

    id: str
    status: str
    amount: int
    amount_received: int = 0
    currency: str
    livemode: bool
    created: int
    metadata: dict[str, str]
    last_payment_error: Failure | None = None
    latest_charge: Charge | str | None = None

    @property
    def is_disputed(self) -> bool:
        """Whether the customer's bank takes the money back."""
        return isinstance(self.latest_charge, Charge) and self.latest_charge.disputed


class Intents(Shape):
    """PaymentIntents that were searched for."""

    data: list[Intent]


class Refunded(Shape):
    """A Refund."""

    id: str
    status: str | None
    amount: int
    metadata: dict[str, str]
    failure_reason: str | None = None


class Refunds(Shape):
    """The refunds of an intent."""

    data: list[Refunded]


class Account:
    """The line to an account: asks, checks what it is answered, and says it in our refusals (rules 1 to 3)."""

    def __init__(self, settings: StripeSettings) -> None:
        import stripe

        self.settings = settings
        self.client = stripe.StripeClient(
            settings.secret_key.get_secret_value(), base_addresses={"api": settings.address}, max_network_retries=0,
            http_client=_line(settings.address),
        )  # fmt: skip
        self.v1 = self.client.v1

    def ask(self, shape: type[Answer], question: Callable[[], "stripe.StripeObject"]) -> Answer:
        """Return the answer to a question in the shape it must have (rule 2)."""
        import stripe

        try:
            return shape.model_validate(question().to_dict())
        except (stripe.InvalidRequestError, stripe.CardError) as fault:
            words = (fault.user_message or "")[:LONGEST_WORDS]
            raise Refused("stripe-refused", "Stripe refused: %(words)s", words=words, why=fault.code or "") from fault
        except (stripe.StripeError, ValidationError) as fault:
            raise Unreachable("stripe-silent", "Stripe is not responding.") from fault

    def intent(self, id: str) -> Intent:
        """Return a PaymentIntent, with whether its charge is disputed."""
        return self.ask(Intent, lambda: self.v1.payment_intents.retrieve(id, {"expand": ["latest_charge"]}))

    def search(self, request: Request) -> Intent | None:
        """Return the intent of a payment whose number is not on record, the paid one first; None for none."""
        query = f"metadata['payment']:'{request.id}'"
        found = self.ask(Intents, lambda: self.v1.payment_intents.search({"query": query})).data
        mine = [one for one in found if one.metadata.get("payment") == request.id]
        return min(mine, key=lambda one: (one.status != "succeeded", -one.created), default=None)

    def checked(self, request: Request, intent: Intent) -> Intent:
        """Return an intent that is this payment's; Unreachable else (rule 3)."""
        wanted = (request.id, units(request.amount_minor, request.currency), request.currency.lower())
        is_mine = (intent.metadata.get("payment"), intent.amount, intent.currency) == wanted
        is_whole = intent.status != "succeeded" or intent.amount_received == intent.amount
        if not is_mine or not is_whole or intent.livemode != self.settings.is_live:
            raise another()
        return intent

    def give_back(self, request: Request, intent_id: str, amount_minor: int, key: str) -> Outcome:
        """Give back all or part of an intent's money, once per key (rule 5)."""
        amount = units(amount_minor, request.currency)
        if amount is None:
            return Outcome("declined", reason=ODD_AMOUNT)
        known = self.ask(Refunds, lambda: self.v1.refunds.list({"payment_intent": intent_id, "limit": 100})).data
        refund = next((one for one in known if one.metadata.get("key") == key), None)
        if refund is None:
            try:
                refund = self.ask(
                    Refunded,
                    lambda: self.v1.refunds.create(
                        {"payment_intent": intent_id, "amount": amount, "metadata": {"key": key}},
                        {"idempotency_key": key},
                    ),
                )
            except Refused as no:
                return Outcome("declined", reason=no.message[:LONGEST_WORDS])
        if (refund.amount, refund.metadata.get("key")) != (amount, key):
            raise another()
        return Outcome(REFUNDS.get(refund.status or "", "declined"), refund.id, refund.failure_reason or "")


def units(amount_minor: int, currency: str) -> int | None:
    """Return an amount in the service's units; None where it does not take it (rule 4)."""
    decimals = 0 if currency in NO_DECIMALS else 3 if currency in THREE_DECIMALS else 2
    scaled, rest = divmod(amount_minor * 10**decimals, 10 ** money.exponent(currency))
    return None if rest or scaled % STEPS.get(currency, 1) else scaled


def told(intent: Intent, reference: str) -> Outcome | None:
    """Return what an intent says of its payment, None while it waits for a card."""
    if intent.status == "succeeded":
        return Outcome("captured", reference, disputed=intent.is_disputed)
    if intent.status == "canceled":
        return Outcome("cancelled", reference)
    return Outcome("requested", reference) if intent.status in UNDER_WAY else None


def another() -> Unreachable:
    """Return what is said of an answer about something else (rule 3)."""
    return Unreachable("stripe-another", "Stripe’s response was for another payment. We will ask again.")


# --- inside ---


def _line(address: str) -> "stripe.HTTPClient":
    """Return what carries the SDK's requests (rule 1)."""
    import httpx2
    import stripe

    class Line(stripe.HTTPClient):
        name = "outgoing"

        def request(
            self, method: str, url: str, headers: Mapping[str, str] | None, post_data: Any = None, **_more: Any
        ) -> tuple[str, int, Mapping[str, str]]:
            try:
                with outgoing.client(address, verify=trusted, timeout=TIMEOUT_S) as client:
                    answer = client.request(method, url, headers=headers, content=post_data)
            except httpx2.HTTPError as fault:
                raise stripe.APIConnectionError(str(fault)) from fault  # type: ignore[no-untyped-call]
            return answer.text, answer.status_code, answer.headers

    trusted = outgoing.context()
    return Line()
