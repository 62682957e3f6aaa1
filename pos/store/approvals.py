"""A supervisor's leave on the spot: what a cashier may not do alone, granted once, for one sale.

Rules
-----
1. What a role may do by itself, and how far it may go, is told by `permissions`.
2. An approval is granted by a person who may do the thing, for one permission, one sale and the person who asked, and
   covers what was shown to the granter: exactly that or less harm (rule 5). It holds for a quarter of an hour and is
   used once; the granter's own discount limit holds for each need.
3. Granting and using are journalled with both names and what was covered.
4. A need says what would be done: whose line, how many, from which price to which, how much off, what comes back. Words
   for it are the reader's affair; the facts are all there.
5. What was granted covers exactly that or less harm: as few or fewer, as dear or dearer, as little or less off, of the
   same product or receipt. A fact that was not granted is not covered. A price above the shelf's is covered as it is.
6. Each thing granted serves one need.
7. A price typed below the one on the books takes off what lies between them, like a discount; a higher one takes off
   nothing.
"""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base
from config.errors import Invalid, Refused
from config.ids import new_id
from config.money import BASIS
from config.nodes import journal
from config.nodes.append_only import append_only
from config.nodes.journal import Actor, Context
from pos.pricing.pricing import MOST_LINES
from pos.store import permissions
from pos.store.permissions import Rights
from pos.store.store import Staff

VALID_FOR = dt.timedelta(minutes=15)
MOST_BROUGHT = MOST_LINES
TAKE_OFF = ("discount", "price.override")
"""Permissions that reach as far as the role's discount limit."""


@append_only("used_at")
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
    covers: Mapped[list[dict[str, Any]]] = mapped_column(sa.JSON(), server_default="[]")
    """What may be done: the facts of each need."""
    granted_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]


class Asking(Protocol):
    """A command with the approvals it brings."""

    @property
    def id(self) -> str: ...
    @property
    def store_id(self) -> str: ...
    @property
    def approvals(self) -> Sequence[str]: ...


Facts = Mapping[str, Any]
Used = tuple[Approval, list[dict[str, Any]]]
"""An approval that is used, and what it allows."""
AT_MOST = frozenset({"qty", "list_price_minor", "discount_minor", "discount_bp", "amount_minor", "total_minor"}) | {
    "over_minor",
    "short_minor",
}
AT_LEAST = frozenset({"price_minor"})


@dataclass(frozen=True)
class Leave:
    """What a person may do alone, and what others allowed on the spot, who may so much themselves: as it was read."""

    rights: Rights
    given: Sequence[Approval] = ()
    granters: Mapping[str, Rights] = field(default_factory=dict)
    """By role."""


@dataclass(frozen=True)
class Need:
    """A permission that is wanted. covers: what is compared (rule 5); about: what words need beside it."""

    permission: str
    line: int = 0
    covers: Facts = field(default_factory=dict)
    about: Facts = field(default_factory=dict)

    @property
    def discount_bp(self) -> int:
        """How much of what its line costs on the books is taken off by hand (rule 7)."""
        return taken_off_bp(self.covers)

    def facts(self) -> dict[str, Any]:
        """Return the need as the page words it."""
        return {
            "permission": self.permission, "line": self.line, "covers": dict(self.covers), "about": dict(self.about),
        }  # fmt: skip


# --- verbs ---


def grant(
    session: Session,
    staff: Staff,
    *,
    permission: str,
    sale_id: str,
    why: str,
    covers: Sequence[Facts],
    asked_by: Actor,
    at: dt.datetime,
) -> Approval:
    """Grant leave for one sale (rule 2); the caller has checked the PIN. Refuses a person who may not do it alone."""
    store_id = staff.node_id
    if not any(permission in table for table in permissions.AT_FIRST.values()):
        raise Invalid("unknown-permission", "There is no permission %(permission)s to approve.", permission=permission)
    if not permissions.may(session, store_id, staff.role, permission):
        raise Refused(
            "may-not-approve", "%(name)s can’t approve this. Ask someone who can.", name=staff.name,
            permission=permission,
        )  # fmt: skip
    _refuse_beyond(session, store_id, staff, permission, covers)
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
        covers=[dict(facts) for facts in covers],
        granted_at=at,
        used_at=None,
    )
    session.add(row)
    granter = Actor(id=staff.id, name=staff.name, role=staff.role, node=store_id)
    facts = {"permission": permission, "asked_by": asked_by.name, "reason": row.why, "covers": row.covers}
    journal.record(Context(session, granter, at), verb="approval.granted", subject=f"sale:{sale_id}", **facts)
    return row


def require(ctx: Context, asking: Asking, needs: Iterable[Need], *, spend: bool = True) -> list[Approval]:
    """Use the approvals that cover what the actor may not do alone; Refused, naming all that is still wanted.

    spend False: the same leave is wanted again for the same thing, and is used up then.
    """
    used = allow(look(ctx, asking), needs)
    spend_all(ctx, used, spend=spend)
    return [row for row, _ in used]


def spend_all(ctx: Context, used: Sequence[Used], *, spend: bool = True) -> None:
    """Use approvals up, and journal what each allowed (rules 2, 3)."""
    for row, did in used:
        if spend:
            row.used_at = ctx.at
        facts = {"permission": row.permission, "granted_by": row.granted_by_name, "reason": row.why, "covers": did}
        journal.record(ctx, verb="approval.used", subject=f"sale:{row.sale_id}", **facts)


# --- questions ---


def look(ctx: Context, asking: Asking, *, rights: Rights | None = None) -> Leave:
    """Return what this person may do alone, and the approvals the command brings. rights: where they are known.

    Of the approvals the first `MOST_BROUGHT` are looked at: one for each line of the largest sale.
    """
    given = _valid(ctx, asking) if asking.approvals else []
    roles = {row.granted_by_role for row in given}
    granters = {role: permissions.rights_of(ctx.session, asking.store_id, role) for role in sorted(roles)}
    return Leave(rights or permissions.rights_of(ctx.session, asking.store_id, ctx.actor.role), given, granters)


def allow(leave: Leave, needs: Iterable[Need]) -> list[Used]:
    """Return the approvals that cover what the person may not do alone, or refuse, naming all that is still wanted."""
    missing = [need for need in needs if not _may(leave.rights, need)]
    given = [(row, facts) for row in leave.given for facts in row.covers]
    found = matched(missing, [(row.permission, facts) for row, facts in given])
    fit = {
        n: given[place]
        for n, place in found.items()
        if _may(leave.granters[given[place][0].granted_by_role], missing[n])
    }
    if open_needs := [need for n, need in enumerate(missing) if n not in fit]:
        raise Refused(
            "needs-approval", "Supervisor PIN needed: %(permissions)s.",
            permissions=sorted({need.permission for need in open_needs}), needs=[need.facts() for need in open_needs],
        )  # fmt: skip
    used = {row.id: row for row, _ in fit.values()}
    return [(row, [dict(missing[n].covers) for n, (by, _) in fit.items() if by is row]) for row in used.values()]


def wanted(session: Session, store_id: str, needs: Sequence[Need], actor: Actor) -> list[Need]:
    """Return what this person may not do alone (rule 1)."""
    rights = permissions.rights_of(session, store_id, actor.role) if needs else Rights(actor.role)
    return [need for need in needs if not _may(rights, need)]


def has_leave(ctx: Context, store_id: str, subject_id: str, permission: str) -> bool:
    """Tell whether a person has leave for a thing without figures that lasts a while: a drawer, say."""
    query = sa.select(Approval.id).where(
        Approval.store_id == store_id,
        Approval.sale_id == subject_id,
        Approval.permission == permission,
        Approval.asked_by == ctx.actor.id,
        Approval.granted_at >= ctx.at - VALID_FOR,
    )
    return ctx.session.scalar(query.limit(1)) is not None


def approvers(session: Session, store_id: str, permission: str) -> list[Staff]:
    """Return the people of a store who may allow something, by name."""
    roles = [role for role in permissions.AT_FIRST if permissions.may(session, store_id, role, permission)]
    query = sa.select(Staff).where(Staff.node_id == store_id, Staff.active, Staff.role.in_(roles))
    return list(session.scalars(query.order_by(Staff.name)))


def takes_back(sale_id: str, lines: Iterable[tuple[int, int]]) -> Need:
    """Return the need of taking goods of a receipt back. lines: (line number, qty)."""
    covers = {"sale_id": sale_id, "lines": [[str(n), qty, 0] for n, qty in lines]}
    return Need("take_back", covers=covers)


def taken_off_bp(facts: Facts) -> int:
    """Return how much of a line's price on the books a need takes off, in basis points, rounded up (rule 7)."""
    if "discount_bp" in facts:
        return int(facts["discount_bp"])
    list_minor, price_minor = facts.get("list_price_minor", 0), facts.get("price_minor")
    if price_minor is None or price_minor >= list_minor:
        return 0
    return int(-(-(list_minor - price_minor) * BASIS // list_minor))


def covered(need: Facts, given: Facts) -> bool:
    """Tell whether what was granted allows this or worse (rule 5)."""
    return all(name in given and _no_worse(name, fact, given[name]) for name, fact in need.items())


def matched(needs: Sequence[Need], given: Iterable[tuple[str, Facts]]) -> dict[int, int]:
    """Return for each need that is covered which of (permission, facts) covers it, by place; the exact one first."""
    open_ = dict(enumerate(given))
    found: dict[int, int] = {}
    for exactly in (True, False):
        for at, need in enumerate(needs):
            if at in found:
                continue
            for place, (permission, facts) in open_.items():
                fits = covered(need.covers, facts) and (not exactly or covered(facts, need.covers))
                if permission == need.permission and fits:
                    found[at] = place
                    del open_[place]
                    break
    return found


# --- inside ---


def _may(rights: Rights, need: Need) -> bool:
    if need.permission in TAKE_OFF and need.discount_bp > rights.discount_bp:
        return False
    if need.permission == "discount":
        return True
    if need.permission in permissions.PAYS:
        return int(need.covers["amount_minor"]) <= rights.pay_minor(need.permission)
    if need.permission == "empties":
        return int(need.covers["qty"]) <= rights.empties
    return rights.may(need.permission)


def _refuse_beyond(session: Session, store_id: str, staff: Staff, permission: str, covers: Sequence[Facts]) -> None:
    """Refuse leave for more off than the granter may take off (rule 2)."""
    most_bp = permissions.rights_of(session, store_id, staff.role).discount_bp
    if permission in TAKE_OFF and any(taken_off_bp(facts) > most_bp for facts in covers):
        raise Refused(
            "beyond-limit", "%(name)s can discount up to %(most_bp)s. Ask someone with a higher limit.",
            most_bp=most_bp, name=staff.name,
        )  # fmt: skip


def _valid(ctx: Context, asking: Asking) -> list[Approval]:
    query = sa.select(Approval).where(
        Approval.store_id == asking.store_id,
        Approval.id.in_(list(asking.approvals)[:MOST_BROUGHT]),
        Approval.sale_id == asking.id,
        Approval.asked_by == ctx.actor.id,
        Approval.used_at.is_(None),
        Approval.granted_at >= ctx.at - VALID_FOR,
    )
    return list(ctx.session.scalars(query.order_by(Approval.granted_at, Approval.id)))


def _no_worse(name: str, fact: Any, given: Any) -> bool:
    if name in AT_MOST:
        return bool(fact <= given)
    if name in AT_LEAST:
        return bool(fact >= given)
    if name == "lines":
        return _sums(fact) <= _sums(given)
    return bool(fact == given)


def _sums(lines: Iterable[Sequence[Any]]) -> Counter[tuple[str, int]]:
    """Sum (key, qty, price_minor) by key and price."""
    sums: Counter[tuple[str, int]] = Counter()
    for key, qty, price_minor in lines:
        sums[str(key), price_minor] += qty
    return sums
