"""What each role of a store's people may do, and how far it goes: as it is at first, and as this store settled it.

Rules
-----
1. A route or a verb names the permission, never the role. What a role may do at first is one table here.
2. The store allows or denies its cashiers and its supervisors each permission. A shopkeeper keeps all, so that somebody
   can always put it right; selling stays with everybody, and the people of the store with the shopkeeper: who could
   give permissions would have them all.
3. How far a role goes by itself with discounts, pay-ins, pay-outs, drops and empties is a limit and no permission;
   beyond it, and for what is denied, somebody who may agrees where the till asks for a PIN (`approvals`).
4. Every change is journalled with what it was before.
5. The network's roles are one table, the same for every network: `NETWORK`. What moves its money takes two people who
   may (`supply.two_people`), and so does who has which role.
"""

from collections.abc import Collection
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.database import Base, table_of
from config.errors import Invalid, Refused
from config.money import BASIS, MAX_MINOR, exponent
from config.nodes import journal
from config.nodes.journal import Context
from config.prepared import Prepared
from pos.pricing.pricing import MOST_EMPTIES
from pos.store.store import Store

_CASHIER = frozenset({"sell", "shift", "pickup", "stock.look", "print", "tab", "practice"})
_SUPERVISOR = _CASHIER | {
    "price.override", "discount", "void", "no_sale", "take_back", "take_back.blind", "empties", "customers",
    "stock.count", "stock.waste", "stock.receive", "stock.send_back", "receive", "shelf",
    "over_short", "pay_in", "pay_out", "drop", "drawer.others", "baskets.others",
    "voucher.code",
}  # fmt: skip
_SHOPKEEPER = _SUPERVISOR | {
    "order",
    "network_offer",
    "catalogue",
    "import",
    "staff",
    "settings",
    "reports",
    "reports.money",
    "offers",
    "recall",
}

_GOODS = {"network.look", "network.demand", "network.buying", "network.supply", "network.recalls", "network.claims"}
_READER = _GOODS | {
    "network.push", "network.stores", "network.customers", "network.money", "network.facts", "network.audit",
}  # fmt: skip
NETWORK: dict[str, set[str]] = {
    "operator": _READER | {
        "network.buying.change", "network.supply.change", "network.recalls.change", "network.claims.change",
        "network.push.change", "network.stores.change", "network.customers.change", "network.money.change",
        "network.facts.change", "network.members", "network.support", "network.catalogue",
        "offers", "import", "settings", "staff",
    },
    "buyer": _GOODS | {
        "network.buying.change", "network.recalls.change", "network.push", "network.push.change",
        "network.catalogue", "offers", "network.stores",
    },
    "warehouse": _GOODS | {"network.supply.change", "network.recalls.change"},
    "finance": _GOODS | {
        "network.stores", "network.customers", "network.money", "network.money.change", "network.audit",
    },
    "support": _GOODS | {
        "network.claims.change", "network.stores", "network.stores.change", "network.customers",
        "network.customers.change", "network.facts", "network.support",
    },
    "reader": _READER,
}  # fmt: skip
"""Role at the network -> what it may do. `.change` is what changes something, the same without it what only looks."""
AT_FIRST: dict[str, frozenset[str]] = {
    "cashier": _CASHIER,
    "supervisor": _SUPERVISOR,
    "shopkeeper": _SHOPKEEPER,
    **{role: frozenset(may) for role, may in NETWORK.items()},
    "customer": frozenset({"store"}),
    "system": frozenset(),
}
"""Role -> what it may do where no store has settled otherwise."""
SETTLED = ("cashier", "supervisor")
"""The roles a store settles (rule 2)."""
FIXED = frozenset({"sell", "staff"})
BY_LIMIT = frozenset({"discount", "pay_in", "pay_out", "drop", "empties"})
"""What reaches as far as a limit (rule 3)."""
DISCOUNT_BP = {"cashier": 500, "supervisor": 3000, "shopkeeper": BASIS}
"""How much of a line's price on the books each role may take off by hand, by a discount and by another price together,
unless the store settles it otherwise."""
PAYS = {
    "pay_in": {"cashier": 20, "supervisor": 200},
    "pay_out": {"cashier": 20, "supervisor": 200},
    "drop": {"cashier": 500, "supervisor": 5000},
}
"""What each role may pay into one drawer, out of it, and put in the safe from it, in the currency's own units, unless
the store settles it otherwise."""

EMPTIES = {"cashier": 50}
"""How many empties a role takes back in one sale, and pays out for in one shift, unless the store settles it otherwise;
others as many as one can."""


class Limit(Base):
    """What a role may do in this store, and how far it may go."""

    __tablename__ = "role_limit"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    discount_bp: Mapped[int]
    pay_in_minor: Mapped[int | None]
    pay_out_minor: Mapped[int | None]
    drop_minor: Mapped[int | None]
    """None: as `PAYS` says."""
    empties: Mapped[int | None]
    """None: as `EMPTIES` says."""
    allowed: Mapped[list[str]] = mapped_column(sa.JSON(), default=list, server_default="[]")
    denied: Mapped[list[str]] = mapped_column(sa.JSON(), default=list, server_default="[]")
    """What the store settled otherwise than `AT_FIRST` says."""


class Rights(NamedTuple):
    """What a role may do here and how far it goes, as it was read: pure from then on. settled: the store's own row."""

    role: str
    currency: str = ""
    settled: tuple[int, int | None, int | None, int | None, int | None, list[str], list[str]] | None = None

    def may(self, permission: str) -> bool:
        """Tell whether the role has a permission."""
        return permission in self.permitted

    @property
    def permitted(self) -> frozenset[str]:
        """All the role may do (rules 1, 2); unknown roles nothing."""
        first = AT_FIRST.get(self.role, frozenset())
        if self.settled is None or self.role not in SETTLED:
            return first
        *_, allowed, denied = self.settled
        return (first | set(allowed)) - set(denied)

    @property
    def discount_bp(self) -> int:
        """How much of a line the role may take off by hand, in basis points."""
        if self.settled is not None:
            return self.settled[0]
        return BASIS if self.role == "system" else DISCOUNT_BP.get(self.role, 0)

    def pay_minor(self, kind: str) -> int:
        """Return how much the role may move by itself in one drawer. kind: one of PAYS."""
        settled = self.settled[1:4][list(PAYS).index(kind)] if self.settled else None
        if settled is not None:
            return settled
        if self.role == "shopkeeper":
            return MAX_MINOR
        return int(PAYS[kind].get(self.role, 0) * 10 ** max(2, exponent(self.currency)))

    @property
    def empties(self) -> int:
        """How many empties the role takes back in one sale, and pays out for in one shift, by itself."""
        settled = self.settled[4] if self.settled else None
        return EMPTIES.get(self.role, MOST_EMPTIES) if settled is None else settled


# --- verbs ---


def settle(ctx: Context, store_id: str, role: str, permissions: Collection[str]) -> frozenset[str]:
    """Settle what a role may do, whole (rule 2); returns what it may do now. What follows a limit is left as it is."""
    if role not in SETTLED:
        raise Refused(
            "role-keeps-all", "Shopkeepers can do everything. Set permissions for cashiers and supervisors.", role=role
        )
    if unknown := sorted(set(permissions) - AT_FIRST["shopkeeper"]):
        raise Invalid("unknown-permission", "There is no permission %(permission)s to approve.", permission=unknown[0])
    if "staff" in permissions:
        raise Refused(
            "shopkeepers-alone",
            "Only shopkeepers manage people and roles. Make the person a shopkeeper instead.",
            permission="staff",
        )
    first, kept = AT_FIRST[role], FIXED | BY_LIMIT
    asked = frozenset(permissions) - kept | first & kept
    before = permitted(ctx.session, store_id, role)
    if asked != before:
        row = _row(ctx.session, store_id, role)
        row.allowed, row.denied = sorted(asked - first), sorted(first - asked)
        facts = {"allowed": sorted(asked - before), "denied": sorted(before - asked)}
        journal.record(ctx, verb="role.settled", subject=f"role:{role}", **facts)
    return asked


def set_discount_limit(ctx: Context, store_id: str, role: str, discount_bp: int) -> None:
    """Settle how much of a line a role may take off by hand, in basis points."""
    if role not in DISCOUNT_BP or not 0 <= discount_bp <= BASIS:
        raise Invalid("bad-discount-limit", "Enter a discount limit from 0 to 100 percent.", role=role)
    before = rights_of(ctx.session, store_id, role).discount_bp
    _row(ctx.session, store_id, role).discount_bp = discount_bp
    _record(ctx, role, before_bp=before, discount_bp=discount_bp)


def set_pay_limit(ctx: Context, store_id: str, role: str, kind: str, minor: int) -> None:
    """Settle how much a role may move by itself in one drawer. kind: one of PAYS."""
    if role not in DISCOUNT_BP or not 0 <= minor <= MAX_MINOR:
        raise Invalid("bad-amount", "Enter an amount of zero or more.", role=role)
    before = rights_of(ctx.session, store_id, role).pay_minor(kind)
    setattr(_row(ctx.session, store_id, role), f"{kind}_minor", minor)
    _record(ctx, role, before_minor=before, **{f"{kind}_minor": minor})


def set_empties_limit(ctx: Context, store_id: str, role: str, qty: int) -> None:
    """Settle how many empties a role takes back in one sale, and pays out for in one shift, without asking anybody."""
    if role not in DISCOUNT_BP or not 0 <= qty <= MOST_EMPTIES:
        raise Invalid("bad-empties-limit", "Enter a whole number from 0 to %(most)s.", most=MOST_EMPTIES)
    before = rights_of(ctx.session, store_id, role).empties
    _row(ctx.session, store_id, role).empties = qty
    _record(ctx, role, before=before, empties=qty)


# --- questions ---


def rights_of(session: Session, store_id: str, role: str) -> Rights:
    """Return what a role may do in a store and how far it goes, in one statement."""
    currency, *settled = _RIGHTS.first(session, {"store": store_id, "role": role}) or ("", None)
    return Rights(role, currency, None if settled[0] is None else tuple(settled))


def may(session: Session, node_id: str, role: str, permission: str) -> bool:
    """Tell whether a role has a permission at a node; unknown roles have none."""
    return permission in permitted(session, node_id, role)


def permitted(session: Session, node_id: str, role: str) -> frozenset[str]:
    """Return all a role may do at a node (rules 1, 2)."""
    row = _ALLOWED.first(session, {"node": node_id, "role": role}) if role in SETTLED else None
    return Rights(role, settled=None if row is None else (0, None, None, None, None, *row)).permitted


# --- inside ---

_limits, _store = table_of(Limit).c, table_of(Store).c
SETTLED_SO = ("discount_bp", *(f"{kind}_minor" for kind in PAYS), "empties", "allowed", "denied")
"""The columns of `Rights.settled`."""
_RIGHTS = Prepared(
    sa.select(_store.currency, *(_limits[name] for name in SETTLED_SO))
    .select_from(
        table_of(Store).outerjoin(
            table_of(Limit), sa.and_(_limits.store_id == _store.id, _limits.role == sa.bindparam("role"))
        )
    )
    .where(_store.id == sa.bindparam("store"))
)
_ALLOWED = Prepared(
    sa.select(_limits.allowed, _limits.denied).where(
        _limits.store_id == sa.bindparam("node"), _limits.role == sa.bindparam("role")
    )
)


def _row(session: Session, store_id: str, role: str) -> Limit:
    row = session.get(Limit, (store_id, role))
    if row is None:
        row = Limit(store_id=store_id, role=role, discount_bp=DISCOUNT_BP[role], allowed=[], denied=[])
        session.add(row)
    return row


def _record(ctx: Context, role: str, **facts: int) -> None:
    journal.record(ctx, verb="limit.set", subject=f"role:{role}", **facts)
