"""Sales at a till whose payment service misbehaves, by a seed, and what must hold once it behaves again.

A simulator is driven through the books alone (`pos.payments.asking`): paid, canceled, paid in cash after all, refunded
in part or in full, the worker asking in between.
"""

import random
from dataclasses import dataclass
from typing import Protocol

import sqlalchemy as sa

from config.ids import new_id
from config.nodes.journal import Actor
from pos.payments import unclaimed
from pos.payments.asking import Asker
from pos.payments.payments import Payment
from pos.payments.providers import FINAL, Provider, Providers
from pos.payments.requests import OPEN, Wanted
from tests.builders import STORE, TILL, OpenStore

JOB = Actor.system("payments", STORE)
PRICE = 450
"""What one tea costs; a sale has two."""


class Service(Protocol):
    """The other side of a provider. faults: the share of steps that go wrong."""

    faults: float

    def act(self, chance: random.Random) -> None:
        """Let a customer do something, or nothing."""

    def holds(self, payment_id: str) -> int:
        """Return how much of a payment is captured and not given back."""


@dataclass
class Driver:
    """A till, the provider beside it, and the service behind that."""

    store: OpenStore
    provider: Provider
    service: Service
    tender: str = "card"
    way: str = "terminal"
    seed: int = 1
    code: str = ""

    def __post_init__(self) -> None:
        known = Providers()
        known.add(self.provider.name, lambda: self.provider)
        self.asker = Asker(self.store.database, known, STORE, "DE", lambda: self.store.now)
        self.chance = random.Random(self.seed)

    def trade(self, sales: int) -> None:
        """Sell; then let the service behave, and the worker ask until all is over."""
        for _ in range(sales):
            self._sell()
            if self.chance.random() < 0.5:
                self.asker.ask_due(actor=JOB)
        self.service.faults = 0
        for _ in range(200):
            self.service.act(self.chance)
            self.store.clock.advance(31 * 60)
            if not self.asker.ask_due(actor=JOB) and not self.payments(Payment.state.in_(OPEN)):
                break
        self.record_returns()

    def record_returns(self) -> None:
        """Record the returns whose refund came after the customer had left, as their page asks for."""
        for back in self.payments(Payment.gives_back.is_not(None), Payment.state == "captured"):
            if not back.claimed_by:
                [sold] = {row.sale_id for row in self.payments(Payment.id == back.gives_back)}
                self.store.take_back(sold, [(1, -back.amount_minor // PRICE)], id=back.sale_id, tender=self.tender)

    def payments(self, *which: sa.ColumnElement[bool]) -> list[Payment]:
        """Return what the provider was asked."""
        query = sa.select(Payment).where(Payment.provider.is_not(None), *which)
        return list(self.store.read(lambda session: session.scalars(query).all()))

    def faults(self) -> list[str]:
        """Return whatever does not hold: an open state, other money here than there, a sale paid twice."""
        rows = self.payments()
        left = self.store.read(lambda session: unclaimed.unresolved(session, STORE))
        found = [f"{row.id} is {row.state}, and somebody has to look at it" for row in left]
        for row in rows:
            if row.gives_back:
                continue
            parts = [one.amount_minor for one in rows if one.gives_back == row.id and one.state == "captured"]
            booked = (row.amount_minor if row.state == "captured" else 0) + sum(parts)
            if booked != self.service.holds(row.id):
                found.append(f"{row.id}: {booked} in the books, {self.service.holds(row.id)} at the service")
        return found + [str(one) for one in self.store.findings()]

    def _sell(self) -> None:
        story = self.chance.choice(("paid", "paid", "canceled", "cash", "part", "whole"))
        sale_id = new_id()
        wanted = Wanted(new_id(), STORE, sale_id, TILL, self.tender, self.way, 2 * PRICE, self.provider.name, self.code)
        payment = self.asker.pay(wanted, actor=self.store.ana)
        for _ in range(self.chance.randint(0, 5)):
            if payment.state in FINAL:
                break
            self.service.act(self.chance)
            self.store.clock.advance(self.chance.choice((1, 3, 20)))
            payment = self.asker.ask_again(payment.id, actor=self.store.ana)
        if story == "canceled" or (payment.state != "captured" and self.chance.random() < 0.5):
            payment = self.asker.cancel(payment.id, why="the customer left", actor=self.store.ana)
        if story == "canceled":
            return
        is_paid = payment.state == "captured" and payment.unwanted_since is None and story != "cash"
        tenders = [(self.tender, 2 * PRICE, payment.reference, payment.id)] if is_paid else [("cash", 2 * PRICE)]
        self.store.complete(self.store.request([("tea", 2)], id=sale_id, tenders=tenders))
        if is_paid and story in ("part", "whole"):
            self._take_back(payment, 1 if story == "part" else 2)

    def _take_back(self, payment: Payment, teas: int) -> None:
        return_id = new_id()
        back = self.asker.give_back(
            payment.id, teas * PRICE, id=new_id(), return_id=return_id, till_id=TILL, actor=self.store.wei
        )
        if back.state == "captured":
            self.store.take_back(payment.sale_id, [(1, teas)], id=return_id, tender=self.tender)
