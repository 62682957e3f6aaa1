"""Stock take: the whole shop, or a part of it, counted section by section while selling goes on.

Rules
-----
1. A take has sections (a shelf, the cold room); several people may count at once. Every scan is a row with its
   instant, written at once: whatever breaks, counting goes on where it stopped.
2. A product may lie in several sections; what was counted of it is the sum over them, as of the instant it was
   counted last.
3. A typed total of a section replaces what was scanned of the product there before it; a later scan adds to it.
4. Selling goes on: what is booked is what was counted, changed by what moved since that instant.
5. A large difference, a product that sold while it was being counted, and one of which more was sold since than was
   counted, is asked again: the take cannot be posted before somebody has counted it a second time, in every section
   where it lies. The second count replaces the first.
6. Posting runs product by product in short steps, so that the tills never wait for it, and goes on after a crash; a
   product is booked once. From the first step on nothing can be counted any more.
7. What nobody counted stays as it is, unless the poster says that it is not there.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.database import lock_rows
from config.errors import Conflict, Invalid, NotFound, Refused
from config.ids import new_id
from config.nodes import journal
from config.nodes.journal import Actor
from pos.catalogue.catalogue import Product
from pos.stock import stock
from pos.stock.ledger import MOST_QTY, Place, open_count_tasks
from pos.stock.take_book import (
    SECTION_STATES,
    STATES,
    Counted,
    CountEntry,
    CountResult,
    StockTake,
    StockTakeSection,
    counted,
    entries_of,
    of,
    sections_of,
    skus_counted,
    subject_of,
    total_of,
    uncounted,
)

__all__ = [
    "SECTION_STATES",
    "STATES",
    "CountEntry",
    "CountResult",
    "Counted",
    "StockTake",
    "StockTakeSection",
    "abandon",
    "add_section",
    "begin_posting",
    "counted",
    "enter",
    "finish_section",
    "latest",
    "open_again",
    "post_some",
    "sections_of",
    "start",
    "take_of",
    "takes",
    "uncounted",
]
STEP = 25
"""Products booked in one transaction: the tills wait no longer than that."""

# --- verbs ---


def start(
    session: Session,
    store_id: str,
    *,
    id: str | None = None,
    name: str,
    sections: Sequence[str],
    categories: Sequence[str] = (),
    actor: Actor,
    at: dt.datetime,
) -> StockTake:
    """Start a take with its sections; the same id again is the take that is there."""
    known = session.get(StockTake, (store_id, id)) if id else None
    if known is not None:
        return known
    names = [name for name in dict.fromkeys(" ".join(one.split())[:60] for one in sections) if name]
    if not names or len(names) > 200:
        raise Invalid("no-section", "Name at least one section, such as a shelf or the cold room.", field="sections")
    take = StockTake(
        store_id=store_id, id=id or new_id(), name=" ".join(name.split())[:60] or at.date().isoformat(),
        state=STATES.first, categories=sorted(set(categories)), started_at=at, started_by=actor.name,
        missing_is_gone=False, closed_by="",
    )  # fmt: skip
    session.add(take)
    session.flush()
    for section in names:
        _section(session, take, section)
    facts = {"name": take.name, "sections": len(names), "categories": take.categories}
    journal.record(session, actor=actor, at=at, verb="take.started", subject=subject_of(take), **facts)
    session.flush()
    return take


def add_section(session: Session, store_id: str, take_id: str, name: str) -> StockTakeSection:
    """Add a section to a take that is being counted; one of the same name is the one that is there."""
    take = _open_take(session, store_id, take_id)
    name = " ".join(name.split())[:60]
    if not name:
        raise Invalid("no-section", "Name the section, such as a shelf or the cold room.", field="section")
    known = [section for section in sections_of(session, take) if section.name == name]
    section = known[0] if known else _section(session, take, name)
    session.flush()
    return section


def enter(
    session: Session,
    store_id: str,
    take_id: str,
    section_n: int,
    sku: str,
    qty: int,
    *,
    is_total: bool = False,
    entry_id: str | None = None,
    actor: Actor,
    at: dt.datetime,
) -> CountEntry:
    """Keep one scan (qty to add, below zero takes one back) or a typed total, with its instant (rules 1, 3, 5).

    In a section that was counted it is the second count of that product; there only totals are taken.
    """
    take = _open_take(session, store_id, take_id)
    if entry_id and (known := _entry_of(session, take, entry_id)) is not None:
        return known
    section = section_of(session, take, section_n)
    if isinstance(qty, bool) or not isinstance(qty, int) or not (0 if is_total else -MOST_QTY) <= qty <= MOST_QTY:
        raise Invalid("bad-quantity", "Type how many there are: 0 or more.", sku=sku, qty=qty, field="qty")
    if session.get(Product, sku) is None:
        raise NotFound("unknown-product", f"There is no product {sku}. Search for it by name.", skus=[sku])
    again = section.state != "open"
    if again and not is_total:
        raise Conflict(
            "section-counted",
            f"{section.name} was counted already. Open it once more to go on scanning, or type the total you see now.",
            section=section.name,
        )
    if not is_total and qty < 0 and total_of(entries_of(session, take, [sku], section_n)) + qty < 0:
        raise Refused("nothing-counted", "That was not counted here.", sku=sku)
    entry = CountEntry(
        store_id=store_id, take_id=take_id, n=_last_n(session, take) + 1, id=entry_id or new_id(), section_n=section_n,
        sku=sku, qty=qty, is_total=is_total, again=again, at=at, actor_id=actor.id, actor_name=actor.name,
    )  # fmt: skip
    session.add(entry)
    session.flush()
    return entry


def finish_section(session: Session, store_id: str, take_id: str, n: int, *, actor: Actor, at: dt.datetime) -> None:
    """Say that a section is counted, or, when it was before, that what was asked again is counted too."""
    take = _open_take(session, store_id, take_id)
    section = section_of(session, take, n)
    target = "counted" if section.state == "open" else "recounted"
    journal.move(session, section, target, actor=actor, at=at, subject=subject_of(take), section=section.name)
    session.flush()


def open_again(session: Session, store_id: str, take_id: str, n: int, *, actor: Actor, at: dt.datetime) -> None:
    """Go on scanning in a section that was counted."""
    take = _open_take(session, store_id, take_id)
    section = section_of(session, take, n)
    journal.move(session, section, "open", actor=actor, at=at, subject=subject_of(take), section=section.name)
    session.flush()


def begin_posting(
    session: Session, store_id: str, take_id: str, *, missing_is_gone: bool = False, actor: Actor, at: dt.datetime
) -> StockTake:
    """Close the counting; from here on `post_some` books it. Refuses while something is asked again (rules 5, 6)."""
    take = take_of(session, store_id, take_id)
    if take.state == "posting":
        return take
    take = _open_take(session, store_id, take_id)
    if still := [section.name for section in sections_of(session, take) if section.state == "open"]:
        raise Refused("sections-open", f"Still being counted: {', '.join(still)}.", sections=still)
    rows = counted(session, take)
    if not rows:
        raise Invalid("nothing-counted", "Nothing was counted yet.")
    if doubtful := [row.sku for row in rows.values() if row.ask_again]:
        names = session.scalars(sa.select(Product.name).where(Product.sku.in_(doubtful[:100])).order_by(Product.name))
        told = list(names)
        raise Refused("count-again", f"Count once more: {', '.join(told[:10])}.", skus=doubtful, names=told)
    take.posting_at, take.missing_is_gone = at, missing_is_gone
    if missing_is_gone:
        _enter_as_gone(session, take, uncounted(session, take), actor=actor, at=at)
    journal.move(
        session, take, "posting", actor=actor, at=at, subject=subject_of(take), products=len(rows),
        missing_is_gone=missing_is_gone,
    )  # fmt: skip
    session.flush()
    return take


def post_some(session: Session, store_id: str, take_id: str, *, most: int = STEP, actor: Actor, at: dt.datetime) -> int:
    """Book the next products of a take that is being posted; returns how many are left, 0: it is posted (rule 6).

    Call it again, each time in a transaction of its own, until nothing is left.
    """
    take = take_of(session, store_id, take_id)
    if take.state == "posted":
        return 0
    STATES.require(take.state, "posted")
    done = set(session.scalars(sa.select(CountResult.sku).where(*of(CountResult, take))))
    todo = sorted(skus_counted(session, take) - done)
    for sku, row in sorted(counted(session, take, todo[:most]).items()):
        booked = max(0, row.target_qty)
        fact = stock.count(session, store_id, sku, booked, at=at, actor=actor)
        if row.target_qty < 0:  # sold on since the counting closed: somebody has to look
            open_count_tasks(session, store_id, {sku: {Place.FLOOR: row.target_qty}}, at)
        result = CountResult(
            store_id=store_id, take_id=take_id, sku=sku, counted_qty=row.counted_qty, counted_at=row.counted_at,
            expected_qty=fact.on_hand_before - row.moved_qty, booked_qty=booked, at=at,
        )  # fmt: skip
        session.add(result)
    session.flush()
    if len(todo) > most:
        return len(todo) - most
    take.closed_at, take.closed_by = at, actor.name
    journal.move(session, take, "posted", actor=actor, at=at, subject=subject_of(take), **_outcome(session, take))
    session.flush()
    return 0


def abandon(session: Session, store_id: str, take_id: str, *, why: str = "", actor: Actor, at: dt.datetime) -> None:
    """Give a take up; nothing of it is booked."""
    take = take_of(session, store_id, take_id)
    take.closed_at, take.closed_by = at, actor.name
    why = " ".join(why.split())[:200]
    journal.move(session, take, "abandoned", actor=actor, at=at, subject=subject_of(take), why=why)
    session.flush()


# --- questions ---


def take_of(session: Session, store_id: str, take_id: str) -> StockTake:
    """Return a take of this shop, locked; NotFound when there is none of that id."""
    query = sa.select(StockTake).where(StockTake.store_id == store_id, StockTake.id == take_id)
    take: StockTake | None = session.scalar(lock_rows(session, query))
    if take is None:
        raise NotFound("unknown-take", "There is no such stock take in this shop.", take_id=take_id)
    return take


def takes(session: Session, store_id: str, limit: int = 20) -> list[StockTake]:
    """Return a shop's takes, those at work first, then the newest."""
    query = sa.select(StockTake).where(StockTake.store_id == store_id)
    over = StockTake.state.in_(("posted", "abandoned"))
    return list(session.scalars(query.order_by(over, StockTake.started_at.desc(), StockTake.id.desc()).limit(limit)))


def section_of(session: Session, take: StockTake, n: int) -> StockTakeSection:
    """Return a section of a take; NotFound when it has none of that number."""
    section = session.get(StockTakeSection, (take.store_id, take.id, n))
    if section is None:
        raise NotFound("unknown-section", "This stock take has no such section.", n=n)
    return section


def latest(session: Session, take: StockTake, section_n: int, limit: int = 20) -> list[CountEntry]:
    """Return the latest scans of a section, the newest first."""
    query = sa.select(CountEntry).where(*of(CountEntry, take), CountEntry.section_n == section_n)
    return list(session.scalars(query.order_by(CountEntry.n.desc()).limit(limit)))


# --- inside ---


def _open_take(session: Session, store_id: str, take_id: str) -> StockTake:
    take = take_of(session, store_id, take_id)
    if take.state != "open":
        raise Conflict("take-closed", "The counting of this stock take is over. Start another one.", state=take.state)
    return take


def _section(session: Session, take: StockTake, name: str) -> StockTakeSection:
    last_n = session.scalar(sa.select(sa.func.max(StockTakeSection.n)).where(*of(StockTakeSection, take)))
    section = StockTakeSection(
        store_id=take.store_id, take_id=take.id, n=(last_n or 0) + 1, name=name, state=SECTION_STATES.first
    )
    session.add(section)
    session.flush()
    return section


def _entry_of(session: Session, take: StockTake, entry_id: str) -> CountEntry | None:
    found: CountEntry | None = session.scalar(
        sa.select(CountEntry).where(*of(CountEntry, take), CountEntry.id == entry_id)
    )
    return found


def _last_n(session: Session, take: StockTake) -> int:
    return session.scalar(sa.select(sa.func.max(CountEntry.n)).where(*of(CountEntry, take))) or 0


def _enter_as_gone(session: Session, take: StockTake, skus: list[str], *, actor: Actor, at: dt.datetime) -> None:
    """Write what nobody found down as counted with nothing there (rule 7)."""
    first_n, section_n = _last_n(session, take) + 1, sections_of(session, take)[0].n
    session.add_all(
        CountEntry(
            store_id=take.store_id, take_id=take.id, n=first_n + place, id=new_id(), section_n=section_n, sku=sku,
            qty=0, is_total=True, again=True, at=at, actor_id=actor.id, actor_name=actor.name,
        )
        for place, sku in enumerate(skus)
    )  # fmt: skip
    session.flush()


def _outcome(session: Session, take: StockTake) -> dict[str, Any]:
    """Return what a posted take found, for the journal."""
    off = CountResult.counted_qty - CountResult.expected_qty
    row = session.execute(
        sa.select(sa.func.count(), sa.func.sum(sa.case((off != 0, 1), else_=0))).where(*of(CountResult, take))
    ).one()
    return {"products": int(row[0]), "different": int(row[1] or 0)}
