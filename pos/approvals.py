"""A supervisor's leave on the spot: what a cashier may not do alone, granted once, for one sale.

Rules
-----
1. What a role may do by itself is `store.PERMISSIONS`; how far it may go with discounts is its limit here.
2. An approval is granted by a person who may do the thing, for one permission and one sale, and serves that sale alone
   for a quarter of an hour. The same sale sent again may use it again.
3. Granting and using are journalled with both names.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config import journal
from config.database import Base
from config.errors import Invalid, Refused
from config.ids import new_id
from config.journal import Actor
from pos.store import PERMISSIONS, Staff, may

VALID_FOR = dt.timedelta(minutes=15)
DISCOUNT_BP = {"cashier": 500, "supervisor": 3000, "shopkeeper": 10_000, "system": 10_000}
"""How much of a line each role may take off by hand, unless the shop settles it otherwise."""


class Limit(Base):
    """How far a role may go in this shop."""

    __tablename__ = "role_limit"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    discount_bp: Mapped[int]


class Approval(Base):
    """One person's leave for one sale."""

    __tablename__ = "approval"
    __table_args__ = (sa.Index("ix_approval_sale", "store_id", "sale_id"),)

    store_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    permission: Mapped[str]
    sale_id: Mapped[str]
    """The sale, return, count or other subject it is for."""
    granted_by: Mapped[str]
    granted_by_name: Mapped[str]
    granted_by_role: Mapped[str]
    asked_by: Mapped[str]
    why: Mapped[str]
    granted_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]


class Wanted(Protocol):
    """What wants leave: a permission, why, and how much was taken off by hand."""

    @property
    def permission(self) -> str: ...
    @property
    def why(self) -> str: ...
    @property
    def discount_bp(self) -> int: ...


Need = TypeVar("Need", bound=Wanted)


class Asking(Protocol):
    """A command with the approvals it brings."""

    @property
    def id(self) -> str: ...
    @property
    def store_id(self) -> str: ...
    @property
    def approvals(self) -> Sequence[str]: ...


# --- verbs ---


def grant(
    session: Session,
    store_id: str,
    staff: Staff,
    *,
    permission: str,
    sale_id: str,
    why: str,
    asked_by: Actor,
    at: dt.datetime,
) -> Approval:
    """Grant leave for one sale (rule 2); the caller has checked the PIN. Refuses a person who may not do it alone."""
    if not any(permission in permissions for permissions in PERMISSIONS.values()):
        raise Invalid("unknown-permission", f"There is nothing called {permission} to allow.", permission=permission)
    if not may(staff.role, permission):
        raise Refused(
            "may-not-approve", f"{staff.name} may not allow this. Ask someone who may.", permission=permission
        )
    row = Approval(
        store_id=store_id,
        id=new_id(),
        permission=permission,
        sale_id=sale_id,
        granted_by=staff.id,
        granted_by_name=staff.name,
        granted_by_role=staff.role,
        asked_by=asked_by.id,
        why=why.strip(),
        granted_at=at,
        used_at=None,
    )
    session.add(row)
    granter = Actor(id=staff.id, name=staff.name, role=staff.role, node=store_id)
    facts = {"permission": permission, "asked_by": asked_by.name, "reason": row.why}
    journal.record(session, actor=granter, at=at, verb="approval.granted", subject=f"sale:{sale_id}", **facts)
    return row


def require(
    session: Session, asking: Asking, needs: Iterable[Wanted], *, actor: Actor, at: dt.datetime
) -> list[Approval]:
    """Use the approvals that cover what the actor may not do alone; Refused, naming all that is still wanted."""
    missing = wanted(session, asking.store_id, needs, actor)
    if not missing:
        return []
    granted = _valid(session, asking, at)
    used: dict[str, Approval] = {}
    open_needs = []
    for need in missing:
        fit = next((row for row in granted if _covers(session, row, need)), None)
        if fit is None:
            open_needs.append(need)
        else:
            used[fit.id] = fit
    if open_needs:
        told = "; ".join(dict.fromkeys(need.why for need in open_needs))
        raise Refused(
            "needs-approval",
            f"A supervisor has to allow this with a PIN: {told}.",
            permissions=sorted({need.permission for need in open_needs}),
            reasons=[need.why for need in open_needs],
        )
    for row in used.values():
        if row.used_at is None:
            row.used_at = at
        facts = {"permission": row.permission, "granted_by": row.granted_by_name, "reason": row.why}
        journal.record(session, actor=actor, at=at, verb="approval.used", subject=f"sale:{row.sale_id}", **facts)
    return list(used.values())


def set_limit(session: Session, store_id: str, role: str, discount_bp: int, *, actor: Actor, at: dt.datetime) -> Limit:
    """Settle how much of a line a role may take off by hand, in basis points."""
    if role not in ("cashier", "supervisor", "shopkeeper") or not 0 <= discount_bp <= 10_000:
        raise Invalid("bad-discount-limit", "A discount limit is between 0 and 100 percent.", role=role)
    limit = session.get(Limit, (store_id, role)) or Limit(store_id=store_id, role=role, discount_bp=0)
    before, limit.discount_bp = discount_bp_of(session, store_id, role), discount_bp
    session.add(limit)
    facts = {"before_bp": before, "discount_bp": discount_bp}
    journal.record(session, actor=actor, at=at, verb="limit.set", subject=f"role:{role}", **facts)
    return limit


# --- questions ---


def discount_bp_of(session: Session, store_id: str, role: str) -> int:
    """Return how much of a line a role may take off by hand, in basis points."""
    limit = session.get(Limit, (store_id, role))
    return limit.discount_bp if limit is not None else DISCOUNT_BP.get(role, 0)


def wanted(session: Session, store_id: str, needs: Iterable[Need], actor: Actor) -> list[Need]:
    """Return what this person may not do alone (rule 1)."""
    return [need for need in needs if not _may(session, store_id, actor.role, need)]


def approvers(session: Session, store_id: str, permission: str) -> list[Staff]:
    """Return the people of a shop who may allow something, by name."""
    roles = [role for role in PERMISSIONS if may(role, permission)]
    query = sa.select(Staff).where(Staff.node_id == store_id, Staff.active, Staff.role.in_(roles))
    return list(session.scalars(query.order_by(Staff.name)))


# --- inside ---


def _may(session: Session, store_id: str, role: str, need: Wanted) -> bool:
    if need.permission == "discount":
        return need.discount_bp <= discount_bp_of(session, store_id, role)
    return may(role, need.permission)


def _covers(session: Session, approval: Approval, need: Wanted) -> bool:
    if approval.permission != need.permission:
        return False
    return _may(session, approval.store_id, approval.granted_by_role, need)


def _valid(session: Session, asking: Asking, at: dt.datetime) -> list[Approval]:
    query = sa.select(Approval).where(
        Approval.store_id == asking.store_id,
        Approval.id.in_(list(asking.approvals)[:20]),
        Approval.sale_id == asking.id,
        Approval.granted_at >= at - VALID_FOR,
    )
    return list(session.scalars(query.order_by(Approval.granted_at, Approval.id)))
