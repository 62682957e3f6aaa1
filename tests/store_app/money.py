"""A network and a store with money between them: a line, an invoice on credit that is late, one on account, funds."""

import datetime as dt
import json
from dataclasses import asdict

import sqlalchemy as sa

from config.ids import NETWORK
from config.nodes import facts
from config.nodes.journal import Actor, Context
from config.nodes.outbox import Message, OutboxMessage
from supply.membership import benchmarks, credit_review, level, objections, suggestions
from supply.membership.level import LevelReview
from supply.money import escrow_ledger
from supply.money import terms as money_terms
from supply.money.credit_limit import LimitFacts, LimitTerms, limit_of
from supply.money.ledger import Booking, Wanted
from supply.money.terms import Terms
from tests.arriving import hear
from tests.store_app import office
from tests.store_app.conftest import NOON, STORE, House

OPERATOR = Actor("operator", "operator", "operator", NETWORK)
DAY = NOON.date()
LINES = [["milk", "Whole milk", 24, 9_000], ["bread", "Rye bread", 12, 3_000]]


def lend(network: House, **terms: int) -> None:
    """Lay in eight weeks of sales at the network, and work the lines out."""
    with network.doors.write() as session:
        office.goods(session)
        office.history(session)
        session.flush()
        money_terms.set_terms(Context(session, OPERATOR, NOON), Terms(**terms))
        work_out(session)


def work_out(session) -> None:
    night = Actor.system("credit", NETWORK)
    credit_review.close_day(Context(session, night, NOON), DAY - dt.timedelta(days=1))


def owe(network: House) -> None:
    """Let the store owe one late invoice on credit and one on account, and have money from online orders."""
    with network.doors.write() as session:
        book = Booking(Context(session, OPERATOR, NOON), STORE)
        for n, (minor, days, on_credit) in enumerate([(12_000, -9, True), (4_500, 6, False)]):
            due = DAY + dt.timedelta(days=days)
            book.invoice(Wanted(f"invoice-{n}", minor, due, on_credit, f"D{n}", None, LINES[: 2 - n]))
        book.close("invoiced")
        escrow_ledger.passed_on(session, STORE, "escrow-1", 30_000, 300, at=NOON)
        work_out(session)


def at_store(session) -> None:
    """Let a store know a line, a late invoice on credit, and an objection it raised, without a network."""
    facts, terms = (
        LimitFacts((90_000, 100_000, 100_000, 120_000), 0, 0, 10_000),
        LimitTerms(10_000, 5_000, 10**6, 100, 10**6),
    )
    limit_minor, steps = limit_of(facts, terms)
    reported = {"least_days": 7, "most_days": 14, "account_days": 7, "late_ppm": 300}
    body = {
        "store_id": STORE,
        "state": "open",
        "limit_minor": limit_minor,
        "level": 0,
        "held_by": "",
        "held_why": "",
        "facts": asdict(facts),
        "terms": asdict(terms) | reported,
        "terms_n": 1,
        "steps": [asdict(step) for step in steps],
        "worked_out_on": DAY.isoformat(),
        "advance_most_minor": 2_000,
        "step": 1,
    }
    hear(session, "credit.reported", body, at=NOON)
    invoice = {
        "id": "invoice-0", "no": 1, "on_credit": True, "amount_minor": 12_000, "delivery_id": "D0", "order_id": None,
        "lines": LINES, "changed_n": 1, "made_day": "2026-02-10", "due_day": "2026-02-24",
    }  # fmt: skip
    entry = {
        "id": "entry-0", "n": 1, "kind": "goods", "from_account": "goods", "to_account": "credit",
        "amount_minor": 12_000, "invoice_id": "invoice-0", "source_id": "D0", "words": "", "at": NOON.isoformat(),
        "business_day": "2026-02-10",
    }  # fmt: skip
    hear(session, "account.booked", {"store_id": STORE, "invoices": [invoice], "entries": [entry]}, at=NOON)
    day = DAY.isoformat()
    figures = [["price", "milk", 160, day], ["price", "soap", 199, day], ["rate", "soap", 900, day],
               ["waste", "", 240, day], ["cover", "", 6, day]]  # fmt: skip
    benchmarks.take_edition(session, {"scope": "north", "figures": figures})
    suggestions.renew(Context(session, office.SYSTEM, NOON), STORE, DAY)
    evidence = {
        "counts": {"sold_products": 60, "counted_products": 41}, "pickups": [], "collected": [],
        "shelf": [["milk", 3], ["bread", 0], ["tea", 2], ["beer", 4]],
        "repayment": {"due_minor": 12_000, "on_time_minor": 11_500},
    }  # fmt: skip
    measures = {name: [one.good, one.cases] for name, one in level.count(evidence).items()}
    session.add(LevelReview(store_id=STORE, day=DAY, level=2, level_before=1, measures=measures, evidence=evidence))
    objections.raise_objection(
        Context(session, office.SYSTEM, NOON), STORE, id="objection-0", about="limit", words="We were closed a week"
    )


MONEY = ("account.", "advance.", "claim.", "consigned.", "credit.", "objection.", "return.", "standing.")


def carry(source: House, target: House, from_node: str) -> int:
    """Carry the messages about money from one node to the other, once each."""
    with source.doors.write() as session:
        rows = session.scalars(
            sa.select(OutboxMessage).where(OutboxMessage.state == "pending").order_by(OutboxMessage.n)
        ).all()
        found = [(row.topic, row.version, json.loads(row.body)) for row in rows if row.topic.startswith(MONEY)]
        found = [one for one in found if one[2]["store_id"] == STORE]
        session.execute(sa.update(OutboxMessage).values(state="delivered"))
    for topic, version, body in found:
        with target.doors.write() as session:
            message = Message("m", 1, topic, version, NOON.isoformat(), DAY.isoformat(), body, "")
            facts.apply(session, message, from_node, NOON)
    return len(found)
