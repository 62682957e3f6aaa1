"""Stripe Checkout, from the network's node: the customer of an online store pays at a page of the service.

Rules
-----
1. A payment is one Checkout Session. Its page is shown only once its number is on record (`Outcome.reference`): that of
   a session whose answer was lost nobody knows, and asking again by the same key brings the same one.
2. The address by which a customer comes back says nothing: what was paid is asked from the service.
3. What may be paid no more is expired at the service; what was paid before that counts as captured. A session ends
   LIFE after its time in any case, which is the shortest the service allows.
4. A notice is signed with our secret, at most TOLERANCE_S old, of our account and mode, and known by its id. It books
   nothing; it names the payment to ask about.
5. Cards alone, with the wallets that hold cards: an order does not wait days for its money.

Tested against a simulator, never against the live service.
"""

import contextlib
import datetime as dt
import threading
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path

from pydantic import Field, SecretStr, field_validator

from config.errors import Invalid, Refused
from config.plugins import Plugin
from config.settings import is_guarded
from config.words import N_
from pos.payments.providers import LONGEST_WORDS, NEVER_SEEN, ONLINE, Outcome, Request
from store_app.payments.stripe_account import ODD_AMOUNT, Account, Intent, StripeSettings, another, told, units
from store_app.sync.wire import Shape

NAME = "stripe-checkout"
LIFE = dt.timedelta(minutes=31)
TOLERANCE_S = 300
MOST_KEPT = 10_000
SIGNATURE = "Stripe-Signature"
ABOUT = ("checkout.session.", "charge.dispute.")


class CheckoutSettings(StripeSettings):
    """The account, and the secret of its notices."""

    notice_secret: SecretStr = Field(
        title=N_("Webhook signing secret"),
        description=N_(
            "From the webhook in the Stripe Dashboard; it begins with whsec_. Have it call this network's address with "
            "/api/notices/stripe-checkout for the events checkout.session.* and charge.dispute.*"
        ),
    )

    @field_validator("notice_secret")
    @classmethod
    def _is_secret_of_notices(cls, secret: SecretStr) -> SecretStr:
        if not secret.get_secret_value().startswith("whsec_"):
            raise ValueError(N_("This is not a webhook signing secret. Copy the one that begins with whsec_."))
        return secret


class Session(Shape):
    """A Checkout Session, with its intent once somebody began to pay."""

    id: str
    status: str
    payment_status: str
    client_reference_id: str | None
    amount_total: int
    currency: str
    livemode: bool
    url: str | None = None
    payment_intent: Intent | str | None = None

    @property
    def intent(self) -> Intent | None:
        """The intent, where it was asked for with the session."""
        return self.payment_intent if isinstance(self.payment_intent, Intent) else None


class Notice(Shape):
    """What a notice says of itself."""

    class About(Shape):
        """What happened to which object."""

        class Thing(Shape):
            """A session's or a dispute's fields that name a payment."""

            client_reference_id: str | None = None
            payment_intent: str | None = None

        object: Thing

    id: str
    type: str
    livemode: bool
    account: str | None = None
    data: About


class StripeCheckout:
    """Stripe's payment page; see `pos.payments.providers.Provider`."""

    name = NAME
    ways = frozenset({ONLINE})

    def __init__(self, settings: CheckoutSettings, folder: Path) -> None:
        del folder
        self._settings, self._account = settings, Account(settings)
        self._known: OrderedDict[str, None] = OrderedDict()
        self._lock = threading.Lock()

    def begin(self, request: Request, *, at: dt.datetime) -> Outcome:
        """Make the session and say where its page is (rule 1)."""
        amount = units(request.amount_minor, request.currency)
        if amount is None:
            return Outcome("declined", reason=ODD_AMOUNT)
        try:
            session = self._account.ask(
                Session,
                lambda: self._account.v1.checkout.sessions.create(
                    {
                        "mode": "payment",
                        "client_reference_id": request.id,
                        "line_items": [
                            {
                                "price_data": {
                                    "currency": request.currency.lower(),
                                    "unit_amount": amount,
                                    "product_data": {"name": request.merchant},
                                },
                                "quantity": 1,
                            }
                        ],
                        "allowed_payment_method_types": ["card"],
                        "payment_intent_data": {"metadata": {"payment": request.id}},
                        "success_url": request.return_to,
                        "cancel_url": request.return_to,
                        "expires_at": int(((request.until or at) + LIFE).timestamp()),
                    },
                    {"idempotency_key": request.id},
                ),
            )
        except Refused as no:
            return Outcome("declined", reason=no.message[:LONGEST_WORDS])
        return self._outcome(request, session)

    def query(self, request: Request, *, at: dt.datetime) -> Outcome:
        """Ask what became of it (rule 2)."""
        if request.reference.startswith("cs_"):
            return self._outcome(request, self._session(request.reference))
        intent = self._intent(request)
        return Outcome("declined", reason=NEVER_SEEN) if intent is None else _told(intent, intent.id)

    def cancel(self, request: Request, *, at: dt.datetime) -> Outcome:
        """Expire the session (rule 3); `captured` says that it was paid before."""
        if request.reference.startswith("cs_"):
            with contextlib.suppress(Refused):  # it is paid, or expired already
                self._account.ask(Session, lambda: self._account.v1.checkout.sessions.expire(request.reference))
        outcome = self.query(request, at=at)
        return Outcome("cancelled", reason=NEVER_SEEN) if outcome.reason == NEVER_SEEN else outcome

    def reverse(self, request: Request, amount_minor: int, *, key: str, at: dt.datetime) -> Outcome:
        """Give money back to the card, once per key."""
        intent = self._intent(request)
        if intent is None:
            return Outcome("declined", reason=NEVER_SEEN)
        return self._account.give_back(request, intent.id, amount_minor, key)

    def noticed(self, body: bytes, headers: Mapping[str, str]) -> str:
        """Return the id of the payment a notice is about, '' for one known already; refuse a foreign one (rule 4)."""
        import stripe

        secret = self._settings.notice_secret.get_secret_value()
        try:
            event = self._account.client.construct_event(body, headers.get(SIGNATURE), secret, TOLERANCE_S)
            notice = Notice.model_validate(event.to_dict())
        except (stripe.SignatureVerificationError, ValueError) as fault:
            raise Invalid(
                "notice-forged", "This notice is not signed by the payment service, or is too old. Nothing was changed."
            ) from fault
        if notice.account or notice.livemode != self._settings.is_live:
            raise Refused("notice-elsewhere", "This notice is for another account. Nothing was changed.")
        with self._lock:
            if notice.id in self._known or not notice.type.startswith(ABOUT):
                return ""
        thing = notice.data.object
        found = thing.client_reference_id or ""
        if not found and thing.payment_intent:
            found = self._account.intent(thing.payment_intent).metadata.get("payment", "")
        with self._lock:
            self._known[notice.id] = None
            while len(self._known) > MOST_KEPT:
                self._known.popitem(last=False)
        return found

    # --- inside ---

    def _session(self, id: str) -> Session:
        expand = ["payment_intent", "payment_intent.latest_charge"]
        return self._account.ask(Session, lambda: self._account.v1.checkout.sessions.retrieve(id, {"expand": expand}))

    def _intent(self, request: Request) -> Intent | None:
        """Return the intent of a payment, None where nobody ever began to pay."""
        if request.reference.startswith("cs_"):
            session = self._session(request.reference)
            self._outcome(request, session)
            found = session.intent
        elif request.reference:
            found = self._account.intent(request.reference)
        else:
            found = self._account.search(request)
        return found and self._account.checked(request, found)

    def _outcome(self, request: Request, session: Session) -> Outcome:
        wanted = (request.id, units(request.amount_minor, request.currency), request.currency.lower())
        is_mine = (session.client_reference_id, session.amount_total, session.currency) == wanted
        if not is_mine or session.livemode != self._settings.is_live:
            raise another()
        intent = session.intent and self._account.checked(request, session.intent)
        if intent is not None and intent.status == "succeeded":
            return _told(intent, session.id)
        if session.status == "open" and session.url is not None and is_guarded(session.url):
            return Outcome("requested", session.id, shown_code=session.url)
        if session.status == "expired":
            return Outcome("cancelled", session.id)
        if session.status == "complete" and intent is not None:
            return _told(intent, session.id)
        raise another()


def _told(intent: Intent, reference: str) -> Outcome:
    """Return what an intent says of a payment whose session is over."""
    why = intent.last_payment_error.message if intent.last_payment_error else None
    return told(intent, reference) or Outcome("declined", reference, why or "")


def make(settings: CheckoutSettings, folder: Path) -> StripeCheckout:
    """Make the provider."""
    return StripeCheckout(settings, folder)


PLUGIN = Plugin(NAME, N_("Stripe for the online store"), CheckoutSettings, make, at=("network",))
