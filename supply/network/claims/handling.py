"""A delivery that was not as it should be, from the store's complaint to its end.

Rules
-----
1. A claim is about a posted delivery and its lines: short (not counted in), over, damaged, wrong or expired units;
   never more than came, or was missing, less what was claimed before, and no unit for two reasons. What was not
   counted in was not charged: it is replaced or noted, not paid.
2. It is filed within the terms' days after the delivery was taken in; afterwards only as a request for goodwill.
3. Damaged and expired units leave the stock when the claim is filed. Wrong ones and those too many stay until the
   network says whether they go back.
4. The network decides line by line, with a reason where it gives less than was asked. `money` is credited at once;
   `replacement` credits what was charged and sends the goods again, invoiced as they come, once; `return` takes
   wrong and surplus goods back, credits them as the warehouse counts them, and pays the rest at once; what does not
   come back in time is forfeited (`warehouse.returns`).
5. A claim that got less than it asked for may be contested once. The second answer is the last, grants no less than
   the first, and pays in money. The network pays by its own books alone: what it sent, what was counted, what it cost,
   and together with what it paid before never more than that.
6. Units of goods on sale or return were never charged: what is granted of them is taken off the lot, and they are the
   network's loss.
7. A claim to a supplier of the store's own goes by e-mail or on paper (`supplier_messages`), and the shopkeeper writes
   down what the supplier answered; no ledger here moves.
8. What an invoice of such a supplier asks too much is claimed the same way, in money, whenever the invoice comes.
9. Such a supplier's credit memo pays a claim, never more than it asks or was granted (`credit_memos`). It ends the
   claim when nothing is left, or when the shopkeeper is content with less.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from config.errors import Conflict, Invalid, Refused, stated
from config.ids import NETWORK
from config.nodes import journal
from config.nodes.facts import STORE, applies
from config.nodes.journal import Context
from config.nodes.node import this_node
from pos.catalogue.catalogue import Product
from pos.stock import consignment_stock, waste
from pos.stock.consignment_stock import Consignment
from pos.stock.ledger import Place, Source
from pos.store.store import day_of, send_fact
from supply.money import consignment, ledger, terms
from supply.orders import deliveries, supplier_messages, supplier_returns
from supply.orders.claims import (
    BILLED,
    ENDS,
    KINDS,
    REMEDIES,
    SEND_BACK_DAYS,
    STATES,
    WAITING,
    Claim,
    ClaimAnswered,
    ClaimContested,
    ClaimCredit,
    ClaimEnded,
    ClaimFiled,
    ClaimLine,
    ClaimWord,
    ReportedLine,
    bounds,
    claim_of,
    credits_of,
    goes_back,
    going_of,
    left_to_credit,
    left_to_pay,
    lines_of,
    next_no,
    reckon,
    refuse_more,
    replaces,
    subject_of,
)
from supply.orders.deliveries import Delivery
from supply.orders.supplier_returns import ReturnRequest
from supply.orders.suppliers import supplier_of

Wrong = tuple[str, str, int]
"""(sku, kind, units)"""


@dataclass(frozen=True)
class ClaimRequest:
    """What a store complains of, and what it wishes. goodwill: the days are over, and it asks all the same."""

    delivery_id: str
    lines: Sequence[Wrong]
    wish: str
    words: str = ""
    photos: int = 0
    goodwill: bool = False
    billed: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """SKU -> (units, what an invoice asks too much for them): of a store's own supplier alone (rule 8)."""


# --- verbs, store ---


def file(ctx: Context, store_id: str, asked: ClaimRequest, *, id: str, claim_days: int | None = None) -> Claim:
    """File a claim about a delivery (rules 1 to 3); the same id again is the claim that is there.

    claim_days: the terms' days as the store knows them.
    """
    known = ctx.session.get(Claim, (store_id, id))
    if known is not None:
        return known
    delivery = deliveries.delivery_of(ctx.session, store_id, asked.delivery_id)
    if delivery.state != "posted" or delivery.posted_at is None:
        raise Refused("not-posted", "Count and post this delivery first.", state=delivery.state)
    if asked.wish not in REMEDIES:
        raise Invalid("bad-choice", "Choose money back, replacement or collection.", field="wish")
    late = not asked.billed and _is_late(ctx.session, delivery, claim_days, ctx.at)
    if late and not asked.goodwill:
        until = last_day(ctx.session, delivery, claim_days)
        raise Refused(
            "claim-too-late", "The claim period for this delivery ended on %(until)s. Ask for goodwill instead.",
            until=until.isoformat(),
        )  # fmt: skip
    supplier = supplier_of(ctx.session, delivery.supplier_id)
    if asked.billed and supplier.kind == NETWORK:
        raise Refused("network-bills", "The network bills what you counted. Claim what was wrong with the delivery.")
    rows = _rows(ctx.session, store_id, id, delivery, asked, charged_all=supplier.kind != NETWORK)
    made = Claim(
        store_id=store_id, id=id, claim_no=next_no(ctx.session, store_id), supplier_id=supplier.id,
        delivery_id=delivery.id, state=STATES.first, wish=asked.wish, words=" ".join(asked.words.split())[:500],
        late=late, filed_at=ctx.at, filed_by=ctx.actor.name, photos=asked.photos,
        claimed_minor=sum(row.worth(row.qty) for row in rows), granted_minor=0, round=1, remedy="", answer="",
        answered_by="", contest="",
    )  # fmt: skip
    ctx.session.add(made)
    ctx.session.flush()
    ctx.session.add_all(rows)
    ctx.session.flush()
    _set_aside(ctx, made, rows)
    units = sum(row.qty for row in rows)
    journal.record(ctx, verb="claim.filed", subject=subject_of(made), delivery=delivery.id,
                   units=units, claimed_minor=made.claimed_minor)  # fmt: skip
    if supplier.kind == NETWORK:
        _send(ctx.session, made, ClaimFiled, ctx.at)
    else:
        supplier_messages.complain(ctx, made, supplier, delivery, rows)
    return made


def contest(ctx: Context, store_id: str, claim_id: str, *, words: str) -> Claim:
    """Contest an answer that gave less than was asked, once (rule 5)."""
    claim = claim_of(ctx.session, store_id, claim_id)
    if claim.contested_at is not None:
        raise Conflict("contested-once", "This claim was already contested: the second response is final.")
    granted = sum(line.granted_qty or 0 for line in lines_of(ctx.session, claim))
    if not STATES.legal(claim.state, "contested") or granted >= sum(line.qty for line in lines_of(ctx.session, claim)):
        raise Refused("nothing-to-contest", "There is no response to contest.", state=claim.state)
    words = stated(words, Invalid("no-reason", "Explain why you contest the response."), 500)
    _contested(ctx, claim, words, ctx.at)
    if supplier_of(ctx.session, claim.supplier_id).kind == NETWORK:
        _send(ctx.session, claim, ClaimContested, ctx.at)
    return claim


def answered_by_supplier(
    ctx: Context, store_id: str, claim_id: str, granted: dict[tuple[str, str], int], *, remedy: str, words: str = ""
) -> Claim:
    """Write down what a supplier of the store's own answered (rule 7)."""
    claim = claim_of(ctx.session, store_id, claim_id)
    if supplier_of(ctx.session, claim.supplier_id).kind == NETWORK:
        raise Refused("network-answers", "The network handles this claim. Wait for its response.")
    _decide(ctx, claim, granted, remedy=remedy, words=words)
    worth = sum(line.worth(line.granted_qty or 0) for line in lines_of(ctx.session, claim))
    claim.granted_minor = max(worth, _credited(ctx.session, claim))
    if claim.state in ("accepted", "part_accepted"):
        journal.move(ctx, claim, REMEDIES[claim.remedy], subject=subject_of(claim))
    ctx.session.flush()
    return claim


def credited(ctx: Context, claim: Claim, paper_id: str, amount_minor: int, *, words: str, is_all: bool) -> None:
    """Book what a credit memo gives back of a claim (rule 9). words: the memo's number; is_all: no more is awaited."""
    left = left_to_credit(ctx.session, claim)
    if not 0 < amount_minor <= left:
        raise Refused("credit-exceeds-claim", "Claim %(no)s has only %(left_minor)s left to settle.", no=claim.claim_no,
                      left_minor=left)  # fmt: skip
    ctx.session.add(ClaimCredit(store_id=claim.store_id, claim_id=claim.id, paper_id=paper_id,
                                amount_minor=amount_minor, credited_at=ctx.at))  # fmt: skip
    journal.record(ctx, verb="claim.credited", subject=subject_of(claim), paper=paper_id, amount_minor=amount_minor)
    ctx.session.flush()
    if claim.state not in WAITING or (amount_minor < left and not is_all):
        return
    paid = _credited(ctx.session, claim)
    _decide(ctx, claim, _paid_for(lines_of(ctx.session, claim), paid), remedy="money", words=words)
    claim.granted_minor = paid
    journal.move(ctx, claim, REMEDIES["money"], subject=subject_of(claim), granted_minor=paid)
    ctx.session.flush()


def take_answered(ctx: Context, fact: ClaimWord) -> None:
    """Take over what the network answered: free the lot, propose what goes back; twice is once."""
    claim = ctx.session.get(Claim, (fact.store_id, fact.id))
    if claim is None or claim.state not in WAITING or fact.round < claim.round:
        return
    before = {(line.sku, line.kind): line.granted_qty or 0 for line in lines_of(ctx.session, claim)}
    reported = {(one.sku, one.kind): one for one in fact.lines}
    for line in lines_of(ctx.session, claim):
        if (one := reported.get((line.sku, line.kind))) is not None:
            line.granted_qty = one.granted_qty
    for name in ("remedy", "answer", "answered_by", "granted_minor", "round", "answered_at", "late"):
        setattr(claim, name, getattr(fact, name))
    _go(ctx, claim, fact.state)
    for line in lines_of(ctx.session, claim):
        new = (line.granted_qty or 0) - before[line.sku, line.kind]
        _free_lot(ctx.session, claim, line, new, at=ctx.at)
    going = going_of(ctx.session, claim)
    if claim.state in ("accepted", "part_accepted") and going:
        send_by = day_of(ctx.session, claim.store_id, ctx.at) + dt.timedelta(days=SEND_BACK_DAYS)
        wanted = ReturnRequest("claim", claim.supplier_id, going, send_by)
        supplier_returns.propose(ctx, claim.store_id, claim.id, wanted)


applies(ClaimAnswered)(take_answered)


@applies(ClaimEnded)
def take_ended(ctx: Context, fact: ClaimEnded) -> None:
    """Take over that a claim is at its end: its goods are back, or were replaced; also before its answer came."""
    claim = ctx.session.get(Claim, (fact.store_id, fact.id))
    if claim is None or fact.round < claim.round:
        return
    take_answered(ctx, fact)
    claim.granted_minor = fact.granted_minor
    if STATES.legal(claim.state, fact.state):
        journal.move(ctx, claim, fact.state, subject=subject_of(claim))
    if claim.state == "forfeited":
        supplier_returns.give_up(ctx, claim.store_id, claim.id)


# --- verbs, network ---


def take_filed(ctx: Context, fact: ClaimWord) -> Claim:
    """Write a store's claim down; a second copy changes nothing. Whether it is late is judged here again (rule 2)."""
    store_id = fact.store_id
    known = ctx.session.get(Claim, (store_id, fact.id))
    if known is not None:
        return known
    delivery = ctx.session.get(Delivery, (store_id, fact.delivery_id))
    if delivery is None:
        raise Refused(
            "not-sent-by-us", "The network has no delivery %(delivery_id)s to %(store_id)s.",
            delivery_id=fact.delivery_id, store_id=store_id,
        )  # fmt: skip
    late = fact.late or _is_late(ctx.session, delivery, None, fact.filed_at)
    names = (
        "store_id", "id", "claim_no", "supplier_id", "delivery_id", "wish", "words", "filed_by", "photos", "filed_at",
    )  # fmt: skip
    made = Claim(
        **{name: getattr(fact, name) for name in names}, state=STATES.first, late=late, granted_minor=0,
        claimed_minor=0, round=1, remedy="", answer="", answered_by="", contest="",
    )  # fmt: skip
    ctx.session.add(made)
    ctx.session.flush()
    for row in fact.lines:
        if row.kind not in KINDS or row.qty <= 0:
            raise Invalid("bad-claim", "You can't claim %(qty)s units.", qty=row.qty, kind=row.kind)
        reported = {name: getattr(row, name) for name in ("sku", "kind", "name", "qty")}
        ctx.session.add(
            ClaimLine(store_id=store_id, claim_id=made.id, **reported, pack_qty=1, pack_cost_minor=0, charged=False)
        )
    ctx.session.flush()
    reckon(ctx.session, made, delivery)
    journal.record(ctx, verb="claim.arrived", subject=subject_of(made), store=store_id)
    return made


applies(ClaimFiled)(take_filed)


@applies(ClaimContested)
def take_contested(ctx: Context, fact: ClaimContested) -> None:
    """Take over that a store contests the answer."""
    claim = take_filed(ctx, fact)
    if claim.contested_at is None and STATES.legal(claim.state, "contested"):
        _contested(ctx, claim, fact.contest, fact.contested_at or ctx.at)


def look_into(ctx: Context, store_id: str, claim_id: str) -> Claim:
    """Note that somebody looks into a claim, and tell the store."""
    claim = claim_of(ctx.session, store_id, claim_id)
    if claim.state == "filed":
        journal.move(ctx, claim, "under_review", subject=subject_of(claim))
        ctx.session.flush()
        _send(ctx.session, claim, ClaimAnswered, ctx.at)
    return claim


def decide(
    ctx: Context, store_id: str, claim_id: str, granted: dict[tuple[str, str], int], *, remedy: str, words: str = ""
) -> Claim:
    """Answer a claim line by line, and book what follows (rules 4 to 6). granted: units by (sku, kind)."""
    claim = claim_of(ctx.session, store_id, claim_id)
    _refuse_beyond_count(ctx.session, claim, granted)
    before = {(line.sku, line.kind): line.granted_qty or 0 for line in lines_of(ctx.session, claim)}
    _decide(ctx, claim, granted, remedy=remedy, words=words)
    new_minor = 0
    for line in lines_of(ctx.session, claim):
        if not goes_back(claim, line):
            new_minor += line.worth(line.granted_qty or 0) - line.worth(before[line.sku, line.kind])
    _pay(ctx, claim, new_minor)
    _send(ctx.session, claim, ClaimAnswered, ctx.at)
    awaits = claim.remedy == "replacement" or any(goes_back(claim, line) for line in lines_of(ctx.session, claim))
    if claim.state in ("accepted", "part_accepted") and not awaits:
        end(ctx, claim, REMEDIES[claim.remedy])
    return claim


def goods_returned(ctx: Context, store_id: str, claim_id: str, credit_minor: int) -> None:
    """End a claim whose goods the warehouse has counted (rule 4)."""
    claim = claim_of(ctx.session, store_id, claim_id)
    claim.granted_minor += credit_minor
    if STATES.legal(claim.state, "returned"):
        end(ctx, claim, "returned")


def replacement_came(ctx: Context, delivery: Delivery) -> None:
    """End a claim whose replacement the store has taken in, or sent back: then by what was credited (rule 4)."""
    claim = ctx.session.get(Claim, (delivery.store_id, replaces(delivery.id) or ""))
    state = {"posted": "replaced", "refused": "compensated"}.get(delivery.state, "")
    if claim is not None and STATES.legal(claim.state, state):
        end(ctx, claim, state)


def end(ctx: Context, claim: Claim, state: str) -> None:
    """Bring a claim to one of its ENDS and tell the store."""
    journal.move(ctx, claim, state, subject=subject_of(claim), granted_minor=claim.granted_minor)
    ctx.session.flush()
    _send(ctx.session, claim, ClaimEnded, ctx.at)


# --- questions ---


def last_day(session: Session, delivery: Delivery, claim_days: int | None = None) -> dt.date:
    """Return the last day on which a posted delivery may be complained of (rule 2)."""
    days = terms.in_force(session)[1].claim_days if claim_days is None else claim_days
    assert delivery.posted_at is not None
    return day_of(session, delivery.store_id, delivery.posted_at) + dt.timedelta(days=days)


# --- inside ---


def _is_late(session: Session, delivery: Delivery, claim_days: int | None, at: dt.datetime) -> bool:
    if delivery.posted_at is None:
        return False
    return day_of(session, delivery.store_id, at) > last_day(session, delivery, claim_days)


def _rows(
    session: Session, store_id: str, claim_id: str, delivery: Delivery, asked: ClaimRequest, *, charged_all: bool
) -> list[ClaimLine]:
    """Return the lines of a claim, each within what may be claimed (rules 1, 8)."""
    lines = asked.lines
    left = {bound.sku: bound for bound in bounds(session, delivery, deliveries.lines_of(session, delivery))}
    rows = []
    for sku, kind, qty in lines:
        if sku not in left or kind not in KINDS:
            raise Invalid("not-on-delivery", "%(sku)s is not on this delivery. Set it aside and ask the supplier.",
                          sku=sku)  # fmt: skip
        bound = left[sku]
        if isinstance(qty, bool) or qty <= 0:
            raise Invalid("bad-quantity", "%(name)s: enter how many, 1 or more.", name=bound.name, sku=sku, qty=qty)
        rows.append(
            ClaimLine(
                store_id=store_id, claim_id=claim_id, sku=sku, kind=kind, name=bound.name, qty=qty,
                pack_qty=bound.pack_qty, pack_cost_minor=bound.pack_cost_minor, granted_qty=None,
                charged=charged_all or (kind != "short" and not bound.consigned),
            )
        )  # fmt: skip
    rows += [
        ClaimLine(
            store_id=store_id, claim_id=claim_id, sku=sku, kind=BILLED, name=session.get_one(Product, sku).shown,
            qty=units, pack_qty=units, pack_cost_minor=excess_minor, granted_qty=None, charged=True,
        )
        for sku, (units, excess_minor) in asked.billed.items()
        if units > 0 and excess_minor > 0
    ]  # fmt: skip
    if not rows:
        raise Invalid("no-lines", "Describe the problem with at least one product.")
    refuse_more(left, lines)
    if len({(row.sku, row.kind) for row in rows}) < len(rows):
        raise Invalid("twice", "A product is listed twice with the same problem. Combine the lines.")
    return rows


def _set_aside(ctx: Context, claim: Claim, rows: Sequence[ClaimLine]) -> None:
    """Take what cannot be sold out of the stock (rule 3)."""
    gone = [(row.sku, row.qty) for row in rows if row.kind in ("damaged", "expired")]
    if gone:
        source = Source("claimed", "claim", claim.id)
        waste.take_out(ctx, claim.store_id, gone, Place.WASTE, source)


def _decide(ctx: Context, claim: Claim, granted: dict[tuple[str, str], int], *, remedy: str, words: str) -> None:
    """Keep an answer: what is granted of each line, how, and why not more (rules 4, 5)."""
    if claim.state not in WAITING:
        raise Conflict("claim-answered", "This claim has already been answered.", state=claim.state)
    lines = lines_of(ctx.session, claim)
    for line in lines:
        qty, least = granted.get((line.sku, line.kind), 0), line.granted_qty or 0
        if isinstance(qty, bool) or not least <= qty <= line.qty:
            raise Invalid("grant-out-of-bounds", "%(name)s: approve %(least)s to %(most)s units.", name=line.name,
                          least=least, most=line.qty, sku=line.sku)  # fmt: skip
        line.granted_qty = qty
    whole, given = sum(line.qty for line in lines), sum(line.granted_qty or 0 for line in lines)
    if remedy not in REMEDIES:
        raise Invalid("bad-choice", "Choose how to settle it.", field="remedy")
    if claim.round == 2 and remedy != "money":
        raise Invalid("second-in-money", "In a second response, you can only approve money back.", field="remedy")
    backs = [line for line in lines if line.granted_qty and line.kind in ("over", "wrong")]
    if remedy == "return" and given and not backs:
        raise Invalid(
            "nothing-goes-back", "Only wrong or surplus products can be returned. Choose money back.", field="remedy"
        )
    free = [line for line in lines if line.granted_qty and not line.charged and line.kind != "short"]
    if remedy == "replacement" and any(line.granted_qty and line.kind == "over" for line in lines):
        raise Invalid("surplus", "Surplus products can't be replaced. Choose money back or collection.", field="remedy")
    if remedy == "replacement" and free:
        raise Invalid("not-charged", "Consignment products were not charged. Choose money back.", field="remedy")
    if given < whole:
        words = stated(words, Invalid("no-reason", "Explain to the shopkeeper why you are approving less."), 500)
    claim.remedy = remedy
    claim.answer, claim.answered_by, claim.answered_at = " ".join(words.split())[:500], ctx.actor.name, ctx.at
    state = "accepted" if given == whole else "part_accepted" if given else "refused"
    journal.move(ctx, claim, state, subject=subject_of(claim), granted=given, why=claim.answer or None)
    ctx.session.flush()


def _credited(session: Session, claim: Claim) -> int:
    return sum(one.amount_minor for one in credits_of(session, claim))


def _paid_for(lines: Sequence[ClaimLine], paid_minor: int) -> dict[tuple[str, str], int]:
    """Return the units that an amount pays for, by (sku, kind): line after line, and at least one in all."""
    units: dict[tuple[str, str], int] = {}
    for line in lines:
        covers = line.worth(line.qty) <= paid_minor
        paid = line.qty if covers else paid_minor * line.pack_qty // line.pack_cost_minor
        units[line.sku, line.kind] = max(paid, line.granted_qty or 0)
        paid_minor -= line.worth(paid)
    if not any(units.values()):
        units[lines[0].sku, lines[0].kind] = 1
    return units


def _refuse_beyond_count(session: Session, claim: Claim, granted: dict[tuple[str, str], int]) -> None:
    """Price a claim by the network's books, and refuse to grant more than was counted there (rule 5)."""
    delivery = session.get(Delivery, (claim.store_id, claim.delivery_id))
    if delivery is not None and claim.round == 1:
        reckon(session, claim, delivery)
    wanted = [(sku, kind, qty) for (sku, kind), qty in granted.items() if qty]
    if not wanted:
        return
    if delivery is None or delivery.state != "posted":
        raise Refused("count-not-here", "The store's count of this delivery has not arrived. Respond once it has.")
    found = bounds(session, delivery, deliveries.lines_of(session, delivery), without=claim.id)
    refuse_more({bound.sku: bound for bound in found}, wanted)


def _pay(ctx: Context, claim: Claim, amount_minor: int) -> None:
    amount_minor = min(amount_minor, left_to_pay(ctx.session, claim)) if amount_minor > 0 else 0
    if amount_minor <= 0:
        return
    claim.granted_minor += amount_minor
    booked, why = f"claim-{claim.id}-{claim.round}", f"credit-claim: {claim.claim_no}"
    if claim.late:
        ledger.given(ctx, claim.store_id, "goodwill", amount_minor, why=why, id=booked)
    else:
        ledger.credit_note(ctx, claim.store_id, amount_minor, why=why, id=booked)


def _free_lot(session: Session, claim: Claim, line: ClaimLine, units: int, *, at: dt.datetime) -> None:
    """Take granted units off the network's lot (rule 6)."""
    delivery = session.get(Delivery, (claim.store_id, claim.delivery_id))
    lot = session.get(Consignment, (claim.store_id, (delivery.network_offer_id if delivery else None) or ""))
    if lot is None or lot.sku != line.sku or line.kind == "short":
        return
    part = min(units, lot.left_qty)
    if part > 0:
        day = day_of(session, claim.store_id, at)
        consignment_stock.take(session, lot, "back", part, source_id=claim.id, day=day, at=at)
        consignment.send(session, lot, at=at)


def _contested(ctx: Context, claim: Claim, words: str, contested_at: dt.datetime) -> None:
    claim.contest, claim.contested_at, claim.round = words, contested_at, 2
    journal.move(ctx, claim, "contested", subject=subject_of(claim), why=words)
    ctx.session.flush()


def _go(ctx: Context, claim: Claim, target: str) -> None:
    """Move a store's claim to where the network has it, by way of the answer where that was overtaken."""
    if not STATES.legal(claim.state, target) and target in ENDS:
        whole = sum(line.qty for line in lines_of(ctx.session, claim))
        given = sum(line.granted_qty or 0 for line in lines_of(ctx.session, claim))
        step = "accepted" if given == whole else "part_accepted"
        journal.move(ctx, claim, step, subject=subject_of(claim), why=claim.answer or None)
    elif STATES.legal(claim.state, target):
        journal.move(ctx, claim, target, subject=subject_of(claim), why=claim.answer or None)
    ctx.session.flush()


def _send(session: Session, claim: Claim, kind: type[ClaimWord], at: dt.datetime) -> None:
    if kind.SAID_BY == STORE and this_node(session).id != claim.store_id:
        return
    of_line = ReportedLine.__dataclass_fields__
    lines = tuple(ReportedLine(*(getattr(line, name) for name in of_line)) for line in lines_of(session, claim))
    send_fact(session, kind.of_row(claim, lines=lines), subject=subject_of(claim), at=at)
