"""What X and Z say: a shift's totals with its names and times, and the seal on Z.

Rules
-----
1. A report is laid out from the running totals alone.
2. Expected, counted and over/short are None until the shift is closed: counting is blind.
3. Z carries the end of the journal as it was just before, the hash of the till's Z before it, the perpetual total, and
   the hash of all of this: whoever keeps the paper can tell later whether the books are still the same.
4. Z names each drop to the safe, with who and when: the safe is counted against it.
5. Cash that left the drawer beyond its books is named with who and when (`drawer_cash`).
6. A blind report keeps counts, events and what was not paid in cash; every sum that cash can be worked out from is None
   or left out.
"""

import datetime as dt
import hashlib
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.nodes.journal import GENESIS, JournalHead, canonical
from pos.facts import ShiftClosed
from pos.payments.tenders import CASH
from pos.store.store import Staff, Till, snapshot, store_of
from pos.till import totals
from pos.till.parked import count_parked
from pos.till.shift_book import CashMovement, LateSale, Shift

MOST_LATE = 50


def x_report(session: Session, shift: Shift) -> dict[str, Any]:
    """Return the shift's totals so far, as the report is laid out and the Z is kept (rules 1, 2)."""
    store, summed = store_of(session, shift.store_id), shift.totals
    return {
        "store": snapshot(store),
        "till_id": shift.till_id,
        "till_name": session.get_one(Till, (shift.store_id, shift.till_id)).name,
        "shift_id": shift.id,
        "z_no": shift.z_no,
        "business_day": shift.business_day.isoformat(),
        "opened_by": shift.opened_by_name,
        "held_by": shift.holder,
        "opened_at": _local(shift.opened_at, store.tz),
        "closed_at": _local(shift.closed_at, store.tz),
        **totals.figures(summed),
        "also_sold": totals.others(summed, shift.opened_by),
        "beyond": [
            [who, _local(dt.datetime.fromisoformat(when), store.tz), kind, minor]
            for who, when, kind, minor in summed.get("beyond", ())
        ],
        "expected_minor": None if shift.closed_at is None else shift.expected_minor,
        "counted_minor": None if shift.closed_at is None else shift.counted_minor,
        "over_short_minor": None if shift.closed_at is None else shift.over_short_minor,
    }


def blinded(report: dict[str, Any]) -> dict[str, Any]:
    """Return a report without what the drawer's cash can be worked out from (rule 6)."""
    sums = {name: None for name in report if name.endswith("_minor")}
    return (
        report
        | sums
        | {
            "blind": True,
            "beyond": [],
            "tenders": _no_cash(report["tenders"]),
            "apart": {kind: _no_cash(sums) for kind, sums in report["apart"].items()},
            "in_all": _no_cash(report["in_all"]),
            "cash": {},
            "taxes": [],
            "top_categories": [],
            "cashiers": [[name, count, None] for name, count, _ in report["cashiers"]],
            "also_sold": [[name, count, None] for name, count, _ in report["also_sold"]],
        }
    )


def z_report(
    session: Session,
    shift: Shift,
    before: dict[str, Any] | None,
    late: Sequence[LateSale],
    money: dict[str, Any],
    *,
    closed_by: str,
    why: str,
    agreed_by: str,
) -> dict[str, Any]:
    """Return the Z report of a shift that is being closed (rule 3).

    before: the till's last Z; late: sales to list; money: the pieces as counted, and where they went; agreed_by: who
    answers for an uneven drawer.
    """
    report = x_report(session, shift)
    head = session.execute(
        sa.select(JournalHead.n, JournalHead.hash).where(JournalHead.node_id == shift.store_id)
    ).first()
    report |= {
        "closed_by": closed_by,
        "why": why.strip(),
        "agreed_by": agreed_by,
        **money,
        "drops": _drops(session, shift, report["store"]["tz"]),
        "parked_count": count_parked(session, shift.store_id),
        "late_count": len(late),
        "late_minor": sum(row.total_minor for row in late),
        "late": [[row.receipt_no, row.total_minor] for row in late[:MOST_LATE]],
        "perpetual_minor": ((before or {}).get("perpetual_minor") or 0) + report["total_minor"],
        "z_before": (before or {}).get("hash"),
        "journal": {"n": head.n if head else 0, "hash": head.hash if head else GENESIS},
    }
    return report | {"hash": z_hash(report)}


def fact_of(session: Session, shift: Shift, *, closed_by: str, at: dt.datetime) -> ShiftClosed:
    """Return what the network is told of a closed shift: Z, totals, and the cash that moved apart from sales."""
    apart = sa.select(CashMovement).where(
        CashMovement.store_id == shift.store_id,
        CashMovement.shift_id == shift.id,
        sa.text("kind NOT IN ('sale', 'change', 'refund')"),
    )
    return ShiftClosed(
        id=shift.id,
        store_id=shift.store_id,
        till_id=shift.till_id,
        opened_by=shift.opened_by,
        opened_by_name=shift.opened_by_name,
        opened_at=_stamp(shift.opened_at),
        closed_by=closed_by,
        closed_at=_stamp(at),
        business_day=shift.business_day.isoformat(),
        z_no=shift.z_no or 0,
        expected_minor=shift.expected_minor,
        counted_minor=shift.counted_minor or 0,
        over_short_minor=shift.over_short_minor or 0,
        z_report=shift.z_report or {},
        totals=shift.totals,
        held_by=shift.held_by,
        held_by_name=shift.held_by_name,
        counted_times=shift.counted_times,
        cash=tuple(
            (row.id, row.kind, row.amount_minor, row.source_id, row.why, _stamp(row.at), row.actor_id)
            for row in session.scalars(apart.order_by(CashMovement.id))
        ),
    )


def z_hash(report: dict[str, Any]) -> str:
    """Return the hash of a Z report: of everything in it but its own hash."""
    return hashlib.sha256(canonical({key: report[key] for key in report if key != "hash"}).encode()).hexdigest()


def _no_cash(by_tender: dict[str, int]) -> dict[str, int]:
    return {tender: minor for tender, minor in by_tender.items() if tender != CASH}


def _drops(session: Session, shift: Shift, tz: str) -> list[list[Any]]:
    """Return [who, when, signed amount] of each drop, in the order they were made (rule 4)."""
    query = (
        sa.select(Staff.name, CashMovement.actor_id, CashMovement.at, CashMovement.amount_minor)
        .outerjoin(Staff, sa.and_(Staff.node_id == CashMovement.store_id, Staff.id == CashMovement.actor_id))
        .where(
            CashMovement.store_id == shift.store_id,
            CashMovement.shift_id == shift.id,
            CashMovement.kind == "drop",
            sa.text("kind NOT IN ('sale', 'change', 'refund')"),
        )
    )
    rows = session.execute(query.order_by(CashMovement.at, CashMovement.id))
    return [[row.name or row.actor_id, _local(row.at, tz), row.amount_minor] for row in rows]


def _local(at: dt.datetime | None, tz: str) -> str | None:
    return None if at is None else f"{at.astimezone(ZoneInfo(tz)):%Y-%m-%d %H:%M}"


def _stamp(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).isoformat(timespec="microseconds")
