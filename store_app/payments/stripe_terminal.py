"""Stripe Terminal, driven from the store's node: the card is presented at a reader that the service tells what to do.

Rules
-----
1. A payment is one PaymentIntent, found by its number, else by our id in its metadata, else by making it again with the
   same idempotency key: it is the same one for a day. One that no reader was told of takes no money.
2. What a reader was not told, did not finish within SEEN_S, or failed at is canceled at the service before it counts as
   declined. The service lets a canceled intent capture nothing, however late the reader's answer comes.
3. A reader that is offline or busy has taken nothing. One that does not answer in time may have: that is no answer.
4. Canceling carries no idempotency key of ours: the service would repeat its first no for a day.

Tested against a simulator, never against the live service.
"""

import contextlib
import datetime as dt
import re
from pathlib import Path

from pydantic import Field, field_validator

from config.errors import DomainError, Refused
from config.plugins import Plugin
from config.words import N_
from pos.payments.providers import LONGEST_WORDS, NEVER_SEEN, Outcome, Request
from store_app.payments.stripe_account import ODD_AMOUNT, Account, Intent, StripeSettings, told, units
from store_app.sync.wire import Shape

NAME = "stripe-terminal"
SEEN_S = 60
"""So long a reader may take to learn of a payment."""
READER = r"tmr_\w+"
NO_READER = N_("No card reader is set up for this till. Add it to the payment settings.")
OFFLINE = N_("The card reader is offline. Check its power and network, or choose another payment method.")
BUSY = N_("The card reader is busy with another payment. Finish or cancel that first.")
NOT_TAKEN = N_("The card was not accepted.")
SAID = {"terminal_reader_offline": OFFLINE, "terminal_reader_busy": BUSY, "amount_too_small": ODD_AMOUNT}
NO_ANSWER = "terminal_reader_timeout"


class TerminalSettings(StripeSettings):
    """The account and its readers."""

    readers: str = Field(
        title=N_("Card readers"),
        description=N_("A reader's ID for all tills (tmr_…), or one per till: T1=tmr_…; T2=tmr_…"),
    )

    @field_validator("readers")
    @classmethod
    def _are_readers(cls, readers: str) -> str:
        if not all(re.fullmatch(rf"(\s*[\w-]+\s*=)?\s*{READER}\s*", one) for one in readers.split(";")):
            raise ValueError(N_("Write the reader's ID as tmr_…, or one per till: T1=tmr_…; T2=tmr_…"))
        return readers

    def reader_of(self, till_id: str) -> str | None:
        """Return the reader beside a till."""
        named = (one.rpartition("=") for one in self.readers.split(";"))
        by_till = {till.strip(): reader.strip() for till, _, reader in named}
        return by_till.get(till_id) or by_till.get("")


class Action(Shape):
    """What a reader does."""

    class Processing(Shape):
        """The intent it does that for."""

        payment_intent: str

    status: str
    failure_message: str | None = None
    process_payment_intent: Processing | None = None


class Reader(Shape):
    """A card reader, with what it was told last."""

    id: str
    action: Action | None = None


class StripeTerminal:
    """Stripe's card readers; see `pos.payments.providers.Provider`."""

    name = NAME
    ways = frozenset({"terminal"})

    def __init__(self, settings: TerminalSettings, folder: Path) -> None:
        del folder
        self._settings, self._account = settings, Account(settings)

    def begin(self, request: Request, *, at: dt.datetime) -> Outcome:
        """Have the reader beside the till ask for the card."""
        reader = self._settings.reader_of(request.till_id)
        if reader is None:
            return Outcome("declined", reason=NO_READER)
        try:
            intent = self._made(request)
        except Refused as no:
            return Outcome("declined", reason=_words(no))
        try:
            self._account.ask(
                Reader,
                lambda: self._account.v1.terminal.readers.process_payment_intent(
                    reader,
                    {"payment_intent": intent.id, "process_config": {"enable_customer_cancellation": True}},
                    {"idempotency_key": f"{request.id}:process"},
                ),
            )
        except DomainError as fault:
            if not isinstance(fault, Refused) or fault.facts["why"] == NO_ANSWER:
                return Outcome("unknown", intent.id, _words(fault))
            return self._stopped(request, intent, _words(fault))
        return Outcome("requested", intent.id)

    def query(self, request: Request, *, at: dt.datetime) -> Outcome:
        """Ask what became of it."""
        if (intent := self._found(request)) is None:
            return Outcome("declined", reason=NEVER_SEEN)
        if (known := told(intent, intent.id)) is not None:
            return known
        action = self._action(request, intent)
        if action is not None and action.status == "in_progress":
            return Outcome("requested", intent.id)
        failed = action.failure_message if action is not None and action.status == "failed" else None
        if intent.last_payment_error is not None:
            failed = failed or intent.last_payment_error.message or NOT_TAKEN
        if failed or at.timestamp() - intent.created >= SEEN_S:
            return self._stopped(request, intent, failed or NOT_TAKEN)
        return Outcome("requested", intent.id)

    def cancel(self, request: Request, *, at: dt.datetime) -> Outcome:
        """Stop the reader, then the payment; what is captured already stays so."""
        if (intent := self._found(request)) is None:
            return Outcome("cancelled", reason=NEVER_SEEN)
        if told(intent, intent.id) is None:
            action, reader = self._action(request, intent), self._settings.reader_of(request.till_id)
            if reader and action is not None and action.status == "in_progress":
                with contextlib.suppress(Refused):  # it reads the card, or is offline: the intent settles it
                    self._account.ask(Reader, lambda: self._account.v1.terminal.readers.cancel_action(reader))
        return self._canceled(request, intent)

    def reverse(self, request: Request, amount_minor: int, *, key: str, at: dt.datetime) -> Outcome:
        """Give money back to the card, once per key."""
        if (intent := self._found(request)) is None:
            return Outcome("declined", reason=NEVER_SEEN)
        return self._account.give_back(request, intent.id, amount_minor, key)

    # --- inside ---

    def _made(self, request: Request) -> Intent:
        amount = units(request.amount_minor, request.currency)
        if amount is None:
            raise Refused("odd-amount", ODD_AMOUNT, why="amount_too_small")
        return self._account.checked(
            request,
            self._account.ask(
                Intent,
                lambda: self._account.v1.payment_intents.create(
                    {
                        "amount": amount,
                        "currency": request.currency.lower(),
                        "allowed_payment_method_types": ["card_present"],
                        "capture_method": "automatic",
                        "metadata": {"payment": request.id, "sale": request.sale_id, "till": request.till_id},
                    },
                    {"idempotency_key": request.id},
                ),
            ),
        )

    def _found(self, request: Request) -> Intent | None:
        """Return the intent of a payment as it stands (rule 1); None where it never could be one."""
        if request.reference:
            return self._account.checked(request, self._account.intent(request.reference))
        if (intent := self._account.search(request)) is None:
            try:
                intent = self._made(request)
            except Refused:
                return None
        return self._account.checked(request, self._account.intent(intent.id))

    def _action(self, request: Request, intent: Intent) -> Action | None:
        """Return what the till's reader does with an intent, None where it does something else."""
        reader = self._settings.reader_of(request.till_id)
        if reader is None:
            return None
        action = self._account.ask(Reader, lambda: self._account.v1.terminal.readers.retrieve(reader)).action
        processing = action.process_payment_intent if action is not None else None
        return action if processing is not None and processing.payment_intent == intent.id else None

    def _canceled(self, request: Request, intent: Intent) -> Outcome:
        """Cancel an intent, and say how it ended (rules 2, 4)."""
        if intent.status not in ("succeeded", "canceled"):
            with contextlib.suppress(Refused):  # it is captured, or is just being
                self._account.ask(Intent, lambda: self._account.v1.payment_intents.cancel(intent.id))
            intent = self._account.checked(request, self._account.intent(intent.id))
        return told(intent, intent.id) or Outcome("requested", intent.id)

    def _stopped(self, request: Request, intent: Intent, why: str) -> Outcome:
        outcome = self._canceled(request, intent)
        return Outcome("declined", intent.id, why) if outcome.state == "cancelled" else outcome


def _words(fault: DomainError) -> str:
    """Return a refusal in words for the cashier."""
    return SAID.get(fault.facts.get("why", ""), fault.message)[:LONGEST_WORDS]


def make(settings: TerminalSettings, folder: Path) -> StripeTerminal:
    """Make the provider."""
    return StripeTerminal(settings, folder)


PLUGIN = Plugin(NAME, N_("Stripe card readers"), TerminalSettings, make, at=("store",))
