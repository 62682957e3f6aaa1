"""The road of a payment somebody else moves: written and committed, then asked, then the answer written.

Rules
-----
1. No provider is ever asked inside a transaction. A program killed between any two steps leaves a row that `ask_due`
   finds again and carries on with, by the same keys.
2. A provider that does not answer is no answer: the payment is unknown, and is asked about again, ever more seldom.
3. What is unwanted is first cancelled, then asked about; if money was captured all the same, it goes back.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.database import Database
from config.errors import DomainError
from config.nodes.journal import Actor, Context
from pos.payments import requests, unclaimed
from pos.payments.payments import Payment
from pos.payments.providers import Outcome, Provider, Providers, Request
from pos.payments.requests import BACK, OPEN, Wanted
from pos.payments.tenders import POINTS
from pos.payments.wallet_codes import WalletCode
from pos.store.store import store_of

MOST_AT_ONCE = 50
_STEPS = 3  # cancel, ask, give back


@dataclass(frozen=True)
class Asker:
    """Whoever asks providers for a store: the till's door and the worker. country: ISO 3166, for QR codes."""

    database: Database
    providers: Providers
    store_id: str
    country: str
    now: Callable[[], dt.datetime]

    def pay(self, wanted: Wanted, *, actor: Actor) -> Payment:
        """Ask for money; the same request again asks what became of it."""
        with self.database.write() as session:
            payment = requests.request(Context(session, actor, self.now()), wanted)
            payer = wanted.code if wanted.way == POINTS else ""
            reported = to_request(session, payment, country=self.country, wallet=wanted.wallet, payer=payer)
        if payment.state != "requested" or payment.tries:
            return self.ask_again(payment.id, actor=actor)
        return self._answered(payment, lambda provider: provider.begin(reported, at=self.now()), actor)

    def ask_again(self, payment_id: str, *, actor: Actor) -> Payment:
        """Ask what became of a payment that is not final, and do what it calls for (rule 3)."""
        for _ in range(_STEPS):
            payment = self._asked_once(payment_id, actor)
            if not requests.goes_back(payment) or payment.ask_again_at is None or payment.ask_again_at > self.now():
                break
        return payment

    def cancel(self, payment_id: str, *, why: str, actor: Actor) -> Payment:
        """Stop a payment, or give it back if it was captured; unknown, the worker goes on with it (rule 3)."""
        with self.database.write() as session:
            requests.unwant(Context(session, actor, self.now()), self.store_id, payment_id, why=why)
        return self.ask_again(payment_id, actor=actor)

    def give_back(
        self,
        payment_id: str,
        amount_minor: int,
        *,
        id: str,
        return_id: str,
        till_id: str,
        actor: Actor,
        allow: Callable[[Session], None] = lambda _session: None,
    ) -> Payment:
        """Give all or part of a claimed payment back for a return that is about to be completed.

        allow: raises where it must not; in the transaction that writes the request, so of two one is refused.
        """
        with self.database.write() as session:
            allow(session)
            original = requests.payment_of(session, self.store_id, payment_id)
            back = requests.give_back(
                Context(session, actor, self.now()), original, amount_minor, id=id, return_id=return_id, till_id=till_id
            )
        return self.ask_again(back.id, actor=actor)

    def ask_due(self, *, actor: Actor) -> int:
        """Ask again about all that is due; return how many were asked. One fault does not stop the others."""
        with self.database.read() as session:
            left = unclaimed.left_behind(session, self.store_id)
        for payment_id in left:
            with self.database.write() as session:
                why = "the sale was finished without it"
                requests.unwant(Context(session, actor, self.now()), self.store_id, payment_id, why=why)
        with self.database.read() as session:
            waiting = due(session, self.store_id, self.now())
        faults: list[Exception] = []
        for payment_id in waiting:
            try:
                self.ask_again(payment_id, actor=actor)
            except Exception as fault:  # told below, once the others have been asked
                faults.append(fault)
        if faults:
            raise faults[0]
        return len(waiting)

    def _asked_once(self, payment_id: str, actor: Actor) -> Payment:
        with self.database.read() as session:
            payment = requests.payment_of(session, self.store_id, payment_id)
            asked_for = payment
            if payment.gives_back:
                asked_for = requests.payment_of(session, self.store_id, payment.gives_back)
            reported = to_request(session, asked_for, country=self.country)
        if requests.goes_back(payment):
            key = f"{payment.id}:{BACK}"
            return self._reversed(
                payment, lambda one: one.reverse(reported, reported.amount_minor, key=key, at=self.now()), actor
            )
        if payment.gives_back and payment.state in OPEN:
            amount_minor = -payment.amount_minor
            return self._answered(
                payment, lambda one: one.reverse(reported, amount_minor, key=payment.id, at=self.now()), actor
            )
        if payment.state in OPEN and payment.unwanted_since:
            payment = self._answered(payment, lambda one: one.cancel(reported, at=self.now()), actor)
            if payment.state != "unknown":
                return payment
        if payment.state in OPEN or payment.ask_again_at is not None:
            return self._answered(payment, lambda one: one.query(reported, at=self.now()), actor)
        return payment

    def _answered(self, payment: Payment, ask: Callable[[Provider], Outcome], actor: Actor) -> Payment:
        outcome = self._ask(payment, ask)
        at = self.now()
        if _says_nothing_new(payment, outcome, at):
            return payment
        with self.database.write() as session:
            return requests.settle_outcome(Context(session, actor, at), self.store_id, payment.id, outcome)

    def _reversed(self, payment: Payment, ask: Callable[[Provider], Outcome], actor: Actor) -> Payment:
        outcome = self._ask(payment, ask)
        with self.database.write() as session:
            return requests.settle_reversal(Context(session, actor, self.now()), self.store_id, payment.id, outcome)

    def _ask(self, payment: Payment, ask: Callable[[Provider], Outcome]) -> Outcome:
        try:
            return ask(self.providers.named(payment.provider or ""))
        except DomainError as fault:  # not reached, or not set up any more: rule 2
            return Outcome.unknown(fault.message)


# --- questions ---


def due(session: Session, store_id: str, at: dt.datetime, *, most: int = MOST_AT_ONCE) -> list[str]:
    """Return the ids of the payments whose provider is to be asked again now, longest due first."""
    query = (
        sa.select(Payment.id)
        .where(Payment.store_id == store_id, Payment.provider.is_not(None), Payment.ask_again_at <= at)
        .order_by(Payment.ask_again_at, Payment.id)
    )
    return list(session.scalars(query.limit(most)))


def to_request(
    session: Session, payment: Payment, *, country: str, wallet: WalletCode | None = None, payer: str = ""
) -> Request:
    """Return what the provider is told of a payment."""
    store = store_of(session, payment.store_id)
    return Request(
        id=payment.id,
        sale_id=payment.sale_id,
        till_id=payment.till_id or "",
        way=payment.way or "",
        amount_minor=payment.amount_minor,
        currency=store.currency,
        merchant=store.name,
        city=store.address.rsplit(",", 1)[-1].strip(),
        country=country,
        reference=payment.provider_ref or "",
        wallet=wallet,
        payer=payer,
    )


# --- inside ---


def _says_nothing_new(payment: Payment, outcome: Outcome, at: dt.datetime) -> bool:
    """Spare a commit for each second a customer looks for the card."""
    return (
        outcome.state == payment.state
        and payment.state in OPEN
        and bool(payment.tries)
        and payment.ask_again_at is not None
        and at < payment.ask_again_at
        and outcome.shown_code in ("", payment.shown_code)
        and (payment.state != "requested" or outcome.reason == (payment.reason or ""))
    )
