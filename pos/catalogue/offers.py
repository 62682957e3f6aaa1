"""The store's offers: what was promised to customers, from when to when, and the coupons that open some.

Rules
-----
1. An offer belongs to a store or, published by the network, to all ('*'). A store ends its own offers, never the
   network's.
2. What an offer promises is checked when it is made: it names products, saves something, and can apply.
3. An offer ended early stays in the books and is never live again; its days are dates of the business day.
4. A coupon code opens one offer, as often as its limit says and until its own last day, if it has one. A sale, or an
   online order when it arrives (its day is the one it was placed on), uses a code up in its own transaction; of two
   that want the last use, one is refused. An order that ends without goods gives its codes back.
5. A markdown is an offer bound to the pieces of a product that expire on a day. A new one for the same pieces ends
   the one before, so that the label printed last is true.
6. `live` reads the offers again only when one has changed: every verb writes a fresh token.
"""

import datetime as dt
import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import asdict, fields, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import CursorResult
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.clock import business_day
from config.database import Base, lock_rows, table_of
from config.errors import Conflict, Invalid, NotFound, Refused
from config.ids import new_id
from config.nodes import journal
from config.nodes.append_only import append_only
from config.nodes.journal import Actor, Context
from config.nodes.publication import EVERYONE
from config.prepared import Prepared
from config.words import language
from pos.catalogue.catalogue import Product
from pos.pricing import promises
from pos.pricing.promises import BASKET_KINDS, Choice, Offer, Part, clean_code
from pos.pricing.promotions import Offers, holds_at
from pos.store.store import Store

MOST_CODES = 5_000
CODE_LETTERS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Without those that are read as another: 0 O, 1 I L, U V."""
CODE_LENGTH = 8
LONGEST_CODE = 24
KEPT_READY = 8


class StandingOffer(Base):
    """An offer as it stands in the books. terms: all of `promises.Offer` but its id, name and days."""

    __tablename__ = "offer"

    id: Mapped[str] = mapped_column(primary_key=True)
    owner_id: Mapped[str] = mapped_column(index=True)
    """The store's id, or '*': the network's."""
    name: Mapped[str]
    kind: Mapped[str]
    from_day: Mapped[dt.date | None]
    until_day: Mapped[dt.date | None]
    needs_coupon: Mapped[bool]
    terms: Mapped[dict[str, Any]]
    made_at: Mapped[dt.datetime]
    made_by: Mapped[str]
    ended_at: Mapped[dt.datetime | None]
    """When somebody ended it early."""
    goal: Mapped[str] = mapped_column(default="", server_default="")
    """What it is for, a code; '' where nobody said."""


class Coupon(Base):
    """A code that opens an offer. most_uses None: as often as one likes."""

    __tablename__ = "coupon"
    __table_args__ = (
        sa.CheckConstraint("uses >= 0 and (most_uses is null or uses <= most_uses)", name="uses_within_limit"),
    )

    owner_id: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    offer_id: Mapped[str] = mapped_column(sa.ForeignKey("offer.id"), index=True)
    most_uses: Mapped[int | None]
    uses: Mapped[int] = mapped_column(default=0)
    made_at: Mapped[dt.datetime]
    until_day: Mapped[dt.date | None]
    """The last business day it may be used on; None: as long as its offer holds."""


@append_only("given_back_at")
class CouponUse(Base):
    """A sale or an online order in which a code was used. owner_id: whose code; '' of sales before it was noted."""

    __tablename__ = "coupon_use"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    sale_id: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[dt.datetime]
    owner_id: Mapped[str] = mapped_column(default="", server_default="")
    given_back_at: Mapped[dt.datetime | None]
    """When its order ended without goods."""


class OfferEdition(Base):
    """The token of an owner's present offers (rule 6)."""

    __tablename__ = "offer_edition"

    owner_id: Mapped[str] = mapped_column(primary_key=True)
    token: Mapped[str]


# --- verbs ---


def make(ctx: Context, owner_id: str, offer: Offer, *, goal: str = "") -> StandingOffer:
    """Promise an offer (rules 1, 2); `offer.codes` not None says that it needs a coupon.

    The offer's id is the command's: the same one again changes nothing, with other terms it is a Conflict.
    """
    check(ctx.session, offer)
    row = _row(owner_id, offer, actor=ctx.actor, at=ctx.at)
    known = ctx.session.get(StandingOffer, offer.id)
    if known is not None:
        if (known.owner_id, known.name, known.terms) != (owner_id, row.name, row.terms):
            raise Conflict(
                "offer-exists", "This promotion already exists as %(name)s. Open it to change it.", name=known.name
            )
        return known
    row.goal = goal
    ctx.session.add(row)
    _note(ctx, row, "offer.made", terms=row.terms)
    return row


def change(ctx: Context, owner_id: str, offer: Offer) -> StandingOffer:
    """Promise other terms under the same offer; sales made before keep what they gave."""
    row = _running(ctx.session, owner_id, offer.id)
    check(ctx.session, offer)
    after = _row(owner_id, offer, actor=ctx.actor, at=row.made_at)
    before = {"name": row.name, "from_day": row.from_day, "until_day": row.until_day, "terms": row.terms}
    for name in ("name", "kind", "from_day", "until_day", "needs_coupon", "terms"):
        setattr(row, name, getattr(after, name))
    _note(ctx, row, "offer.changed", before=before, terms=row.terms)
    return row


def end(ctx: Context, owner_id: str, offer_id: str, *, why: str = "") -> StandingOffer:
    """End an offer now (rule 3); ending an ended one changes nothing."""
    row = _own(ctx.session, owner_id, offer_id)
    if row.ended_at is None:
        row.ended_at = ctx.at
        _note(ctx, row, "offer.ended", why=why)
    return row


def make_coupons(
    ctx: Context,
    owner_id: str,
    offer_id: str,
    *,
    count: int = 1,
    most_uses: int | None = 1,
    codes: Iterable[str] = (),
    until_day: dt.date | None = None,
) -> list[str]:
    """Make codes for an offer that needs one: one's own, or `count` random ones (rule 4).

    most_uses: how often each code may be used, until_day: until when; None without end. Returns the codes as printed.
    """
    row = _running(ctx.session, owner_id, offer_id)
    if not row.needs_coupon:
        raise Refused("needs-no-coupon", "This promotion is open to everyone and needs no coupon.", offer=row.name)
    own = list(dict.fromkeys(filter(None, map(clean_code, codes))))
    have = ctx.session.scalar(sa.select(sa.func.count()).select_from(Coupon).where(Coupon.offer_id == offer_id)) or 0
    wanted = len(own) or count
    if not 1 <= wanted <= MOST_CODES - have:
        raise Invalid("bad-code-count", "Enter 1 to %(most)s codes.", most=MOST_CODES, have=have)
    if most_uses is not None and most_uses < 1:
        raise Invalid("bad-limit", "Enter how many times a code can be used, 1 or more.", most_uses=most_uses)
    if until_day is not None and row.until_day is not None and row.until_day < until_day:
        raise Refused(
            "beyond-offer", "The promotion ends on %(until_day)s, before the codes expire. Choose fewer days.",
            until_day=row.until_day.isoformat(), field="until_day",
        )  # fmt: skip
    if long := [code for code in own if not (3 <= len(code) <= LONGEST_CODE and code.isascii())]:
        raise Invalid("bad-coupon", "Enter a code of 3 to 24 letters (A to Z) and digits.", codes=long)
    fresh = own or _random_codes(count)
    taken = ctx.session.scalars(sa.select(Coupon.code).where(Coupon.owner_id == owner_id, Coupon.code.in_(fresh))).all()
    if taken:
        raise Conflict(
            "coupon-taken", "The code %(taken)s is already taken. Choose another.", taken=taken[0], codes=list(taken)
        )
    ctx.session.add_all(
        Coupon(
            owner_id=owner_id,
            code=code,
            offer_id=offer_id,
            most_uses=most_uses,
            uses=0,
            made_at=ctx.at,
            until_day=until_day,
        )
        for code in fresh
    )
    _note(ctx, row, "coupon.made", count=len(fresh), most_uses=most_uses)
    return fresh


def use_coupons(
    session: Session, store: Store, codes: Iterable[str], sale_id: str, at: dt.datetime, *, day: dt.date | None = None
) -> None:
    """Use codes up for a sale or an order, in its transaction; refused when one is used up or over by now (rule 4).

    day: the business day it was rung up or ordered on; None: that of `at`.
    """
    day = day or business_day(at, store.tz, store.rollover_hour)
    for typed in sorted(codes):
        code = clean_code(typed)
        for owner_id in (store.id, EVERYONE):
            used = sa.update(Coupon).where(
                Coupon.owner_id == owner_id,
                Coupon.code == code,
                sa.or_(Coupon.most_uses.is_(None), Coupon.uses < Coupon.most_uses),
                sa.or_(Coupon.until_day.is_(None), Coupon.until_day >= day),
            )
            result = session.execute(used.values(uses=Coupon.uses + 1).execution_options(synchronize_session=False))
            assert isinstance(result, CursorResult)
            if result.rowcount:
                session.add(CouponUse(store_id=store.id, sale_id=sale_id, code=code, at=at, owner_id=owner_id))
                break
        else:
            raise Refused(
                "coupon-used-up",
                "The coupon %(coupon)s is no longer valid. Remove it and check the new total.", coupon=typed,
            )  # fmt: skip


def give_back_coupons(session: Session, store_id: str, order_id: str, *, at: dt.datetime) -> list[CouponUse]:
    """Give back what an order that ended without goods had used up, once (rule 4)."""
    query = sa.select(CouponUse).where(
        CouponUse.store_id == store_id, CouponUse.sale_id == order_id, CouponUse.given_back_at.is_(None)
    )
    rows = list(session.scalars(lock_rows(session, query)))
    for row in rows:
        row.given_back_at = at
        less = sa.update(Coupon).where(Coupon.owner_id == row.owner_id, Coupon.code == row.code, Coupon.uses > 0)
        session.execute(less.values(uses=Coupon.uses - 1).execution_options(synchronize_session=False))
    return rows


def mark_down(
    ctx: Context,
    store_id: str,
    sku: str,
    *,
    expires_on: dt.date,
    percent_bp: int = 0,
    price_minor: int | None = None,
    name: str = "",
) -> StandingOffer:
    """Reduce the pieces of a product that expire on a day, until that day (rule 5).

    percent_bp off, or each (per price quantity) at price_minor.
    """
    for one in markdowns(ctx.session, store_id, sku, expires_on):
        end(ctx, store_id, one.id, why="marked down again")
    store = ctx.session.get(Store, store_id)
    say = language(store.language if store else "en")
    words = name or say("Marked down")
    parts = (Part(Choice(skus=frozenset([sku]))),)
    offer = Offer(new_id(), words, "percent", parts, percent_bp=percent_bp, expires_on=expires_on, until_day=expires_on)
    if price_minor is not None:
        offer = replace(offer, kind="price", percent_bp=0, amount_minor=price_minor)
    return make(ctx, store_id, offer)


def renew(session: Session, owner_id: str) -> None:
    """Write a token nobody has seen: unlike a number, it is never met again after a rollback (rule 6)."""
    session.merge(OfferEdition(owner_id=owner_id, token=new_id()))
    session.flush()


# --- questions ---


_edition = table_of(OfferEdition).c
_EDITIONS = Prepared(
    sa.select(_edition.owner_id, _edition.token).where(
        sa.or_(_edition.owner_id == sa.bindparam("store"), _edition.owner_id == EVERYONE)
    )
)


def live(session: Session, store_id: str, day: dt.date) -> Offers:
    """Return the offers of a business day, ready for `promotions.best`; one tiny query while none changed (rule 6)."""
    tokens = tuple(sorted(map(tuple, _EDITIONS.all(session, {"store": store_id}))))
    if not tokens:
        return Offers((), day)
    key = (store_id, day, tokens)
    with _ready_lock:
        if key in _ready:
            _ready.move_to_end(key)
            return _ready[key]
    found = Offers(_of_day(session, store_id, day), day)
    with _ready_lock:
        _ready[key] = found
        while len(_ready) > KEPT_READY:
            _ready.popitem(last=False)
    return found


def on_tiles(session: Session, store_id: str, day: dt.date, wall: dt.datetime) -> Offers:
    """Return the offers that hold at a local time and that everybody gets with a product alone: what a tile may say."""
    found = live(session, store_id, day)
    return Offers(
        [
            offer
            for offer in found
            if offer.codes is None and offer.kind not in BASKET_KINDS and not (offer.members_only or offer.is_bound)
            and holds_at(offer, wall, day)
        ],
        day,
    )  # fmt: skip


def all_of(session: Session, store_id: str) -> list[tuple[StandingOffer, Offer]]:
    """Return every offer a store has or had, its own and the network's, the newest first."""
    query = sa.select(StandingOffer).where(StandingOffer.owner_id.in_((store_id, EVERYONE)))
    return [(row, as_offer(row)) for row in session.scalars(query.order_by(StandingOffer.made_at.desc()))]


def offer_of(session: Session, store_id: str, offer_id: str) -> StandingOffer:
    """Return an offer this store has; NotFound when there is none of that id."""
    row = session.get(StandingOffer, offer_id)
    if row is None or row.owner_id not in (store_id, EVERYONE):
        raise NotFound("unknown-offer", "Promotion not found. Check the list of promotions.", offer_id=offer_id)
    return row


def standing(row: StandingOffer, day: dt.date) -> str:
    """Tell whether an offer is 'live', 'coming' or 'ended' on a business day."""
    if row.ended_at is not None or (row.until_day is not None and row.until_day < day):
        return "ended"
    return "coming" if row.from_day is not None and row.from_day > day else "live"


def last_days(session: Session, store_id: str, codes: Iterable[str]) -> dict[str, dt.date]:
    """Return the last day of each code that has one: its own, else its offer's; by the clean code."""
    last = sa.func.coalesce(Coupon.until_day, StandingOffer.until_day)
    query = sa.select(Coupon.code, last).join(StandingOffer, StandingOffer.id == Coupon.offer_id)
    mine = query.where(Coupon.owner_id.in_((store_id, EVERYONE)), Coupon.code.in_([clean_code(one) for one in codes]))
    return dict(session.execute(mine.where(last.is_not(None)).order_by(Coupon.owner_id)).all())


def coupons_of(session: Session, offer_id: str) -> list[Coupon]:
    """Return the codes of an offer, the newest first."""
    query = sa.select(Coupon).where(Coupon.offer_id == offer_id)
    return list(session.scalars(query.order_by(Coupon.made_at.desc(), Coupon.code)))


def usable(session: Session, store_id: str, codes: Iterable[str], day: dt.date) -> dict[str, str]:
    """Return what is wrong with each typed code on a day: '' nothing, 'unknown', 'used-up' or 'ended'."""
    typed = {code: clean_code(code) for code in codes}
    query = (
        sa.select(Coupon.code, Coupon.most_uses, Coupon.uses, Coupon.until_day, StandingOffer.ended_at)
        .join(StandingOffer, StandingOffer.id == Coupon.offer_id)
        .where(Coupon.owner_id.in_((store_id, EVERYONE)), Coupon.code.in_(list(typed.values())))
    )
    known = {}
    for code, most_uses, uses, until_day, ended_at in session.execute(query):
        used_up = most_uses is not None and uses >= most_uses
        is_over = ended_at is not None or (until_day is not None and until_day < day)
        known[code] = "ended" if is_over else "used-up" if used_up else ""
    return {code: known.get(clean, "unknown") for code, clean in typed.items()}


def check(session: Session, offer: Offer) -> None:
    """Refuse an offer that could never apply, or names a product there is not (rule 2)."""
    promises.check(offer)
    named = sorted({sku for part in offer.parts for sku in part.choice.skus})
    known = set(session.scalars(sa.select(Product.sku).where(Product.sku.in_(named)))) if named else set()
    if missing := [sku for sku in named if sku not in known]:
        raise NotFound("unknown-product", "Product not found: %(skus)s.", skus=missing)


def markdowns(session: Session, store_id: str, sku: str, expires_on: dt.date) -> list[Offer]:
    """Return the markdowns of what expires on a day that are not ended: one, or none (rule 5)."""
    query = sa.select(StandingOffer).where(
        StandingOffer.owner_id == store_id,
        StandingOffer.ended_at.is_(None),
        StandingOffer.until_day == expires_on,
    )
    bound = [as_offer(row) for row in session.scalars(query)]
    return [
        offer
        for offer in bound
        if offer.expires_on == expires_on and offer.parts[0].choice.skus == {sku} and len(offer.parts) == 1
    ]


def as_offer(row: StandingOffer, codes: frozenset[str] = frozenset()) -> Offer:
    """Return what an offer in the books promises."""
    terms = dict(row.terms)
    parts = tuple(Part(_choice(choice), qty, off_bp) for choice, qty, off_bp in terms.pop("parts"))
    terms["weekdays"] = frozenset(terms["weekdays"])
    terms["expires_on"] = _day(terms["expires_on"])
    needs = codes if row.needs_coupon else None
    return Offer(
        row.id, row.name, row.kind, parts, codes=needs, from_day=row.from_day, until_day=row.until_day, **terms
    )


def take_edition(session: Session, body: dict[str, Any], owner_id: str = EVERYONE) -> None:
    """Take over an owner's offers as `edition` wrote them, with their codes; uses are counted store by store."""
    for wire in body["offers"]:
        row = session.get(StandingOffer, wire["id"]) or StandingOffer(id=wire["id"], owner_id=owner_id)
        if row.owner_id != owner_id:
            raise Refused("not-our-offer", "This promotion belongs to someone else.", offer_id=wire["id"])
        for name in ("name", "kind", "needs_coupon", "terms", "made_by"):
            setattr(row, name, wire[name])
        row.from_day, row.until_day = _day(wire["from_day"]), _day(wire["until_day"])
        row.made_at, row.ended_at = _instant(wire["made_at"]), _instant(wire["ended_at"])
        session.add(row)
        session.flush()
        for code, most_uses, made_at, *rest in wire["codes"]:  # a network of before says no last day
            if session.get(Coupon, (owner_id, code)) is None:
                session.add(
                    Coupon(
                        owner_id=owner_id, code=code, offer_id=row.id, most_uses=most_uses, uses=0,
                        made_at=_instant(made_at), until_day=_day(rest[0]) if rest else None,
                    )
                )  # fmt: skip
    renew(session, owner_id)


def edition(session: Session, owner_id: str = EVERYONE) -> dict[str, Any]:
    """Return an owner's offers, ended ones too, as other nodes take them over; nothing before there is any."""
    codes: dict[str, list[list[Any]]] = {}
    for coupon in session.scalars(sa.select(Coupon).where(Coupon.owner_id == owner_id).order_by(Coupon.code)):
        made_at = coupon.made_at.isoformat()
        until = [coupon.until_day.isoformat()] if coupon.until_day else []
        codes.setdefault(coupon.offer_id, []).append([coupon.code, coupon.most_uses, made_at, *until])
    query = sa.select(StandingOffer).where(StandingOffer.owner_id == owner_id).order_by(StandingOffer.id)
    rows = [
        {
            "id": row.id,
            "name": row.name,
            "kind": row.kind,
            "from_day": row.from_day.isoformat() if row.from_day else None,
            "until_day": row.until_day.isoformat() if row.until_day else None,
            "needs_coupon": row.needs_coupon,
            "terms": row.terms,
            "made_by": row.made_by,
            "made_at": row.made_at.isoformat(),
            "ended_at": row.ended_at.isoformat() if row.ended_at else None,
            "codes": codes.get(row.id, []),
        }
        for row in session.scalars(query)
    ]
    return {"offers": rows} if rows else {}


def token_of(session: Session, owner_id: str) -> str:
    """Return the token of an owner's present offers; '' before there is any (rule 6)."""
    row = session.get(OfferEdition, owner_id)
    return row.token if row is not None else ""


# --- inside ---


_ready: OrderedDict[tuple[Any, ...], Offers] = OrderedDict()
_ready_lock = threading.Lock()
_TERMS = [
    one.name
    for one in fields(Offer)
    if one.name not in ("id", "name", "kind", "parts", "codes", "from_day", "until_day", "weekdays", "expires_on")
]


def _row(owner_id: str, offer: Offer, *, actor: Actor, at: dt.datetime) -> StandingOffer:
    terms: dict[str, Any] = {name: getattr(offer, name) for name in _TERMS}
    terms["weekdays"] = sorted(offer.weekdays)
    terms["expires_on"] = offer.expires_on.isoformat() if offer.expires_on else None
    terms["parts"] = [
        [
            {
                name: sorted(value) if isinstance(value, frozenset) else value
                for name, value in asdict(part.choice).items()
            },
            part.qty,
            part.off_bp,
        ]
        for part in offer.parts
    ]
    return StandingOffer(
        id=offer.id,
        owner_id=owner_id,
        name=offer.name.strip(),
        kind=offer.kind,
        from_day=offer.from_day,
        until_day=offer.until_day,
        needs_coupon=offer.codes is not None,
        terms=terms,
        made_at=at,
        made_by=actor.name,
        ended_at=None,
    )


def _choice(wire: dict[str, Any]) -> Choice:
    named: dict[str, Any] = {
        name: frozenset(value) if isinstance(value, list) else value for name, value in wire.items()
    }
    return Choice(**named)


def _note(ctx: Context, row: StandingOffer, verb: str, **facts: Any) -> None:
    ctx.session.flush()
    renew(ctx.session, row.owner_id)
    journal.record(ctx, verb=verb, subject=f"offer:{row.id}", name=row.name, **facts)


def _own(session: Session, owner_id: str, offer_id: str) -> StandingOffer:
    row = session.get(StandingOffer, offer_id)
    if row is None:
        raise NotFound("unknown-offer", "Promotion not found. Check the list of promotions.", offer_id=offer_id)
    if row.owner_id != owner_id:
        raise Refused("not-our-offer", "This is the network's promotion; only the network can change or end it.")
    return row


def _running(session: Session, owner_id: str, offer_id: str) -> StandingOffer:
    row = _own(session, owner_id, offer_id)
    if row.ended_at is not None:
        raise Refused("offer-ended", "%(name)s has ended. Create a new promotion.", name=row.name, offer_id=offer_id)
    return row


def _of_day(session: Session, store_id: str, day: dt.date) -> list[Offer]:
    """Read the offers of a day; a window over midnight may still belong to the day before."""
    query = sa.select(StandingOffer).where(
        StandingOffer.owner_id.in_((store_id, EVERYONE)),
        StandingOffer.ended_at.is_(None),
        sa.or_(StandingOffer.from_day.is_(None), StandingOffer.from_day <= day),
        sa.or_(StandingOffer.until_day.is_(None), StandingOffer.until_day >= day - dt.timedelta(days=1)),
    )
    rows = list(session.scalars(query))
    codes: dict[str, set[str]] = {}
    if opened := [row.id for row in rows if row.needs_coupon]:
        query_codes = sa.select(Coupon.offer_id, Coupon.code).where(
            Coupon.offer_id.in_(opened), sa.or_(Coupon.until_day.is_(None), Coupon.until_day >= day)
        )
        for offer_id, code in session.execute(query_codes):
            codes.setdefault(offer_id, set()).add(code)
    return [as_offer(row, frozenset(codes.get(row.id, ()))) for row in rows]


def _random_codes(count: int) -> list[str]:
    codes: set[str] = set()
    while len(codes) < count:
        codes.add("".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH)))
    return sorted(codes)


def _day(text: str | None) -> dt.date | None:
    return dt.date.fromisoformat(text) if text else None


def _instant(text: str | None) -> Any:
    return dt.datetime.fromisoformat(text) if text else None
