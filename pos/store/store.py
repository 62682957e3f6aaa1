"""The store itself: regions, stores, tills and staff.

Rules
-----
1. A store is one member store. Its facts keep the currency, zone and language it had when it said them; what of these
   may change, and when, says `supply.online.storefront.particulars`.
2. A member of staff signs in by name and PIN; only the argon2 hash is kept.
3. A store speaks to the network with its own key, of which the network keeps only the SHA-256.
4. A book that is no store's, a warehouse's, keeps its days by a clock of its own, or by UTC where it has none.
"""

import datetime as dt
import hashlib
import re
import secrets
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, Session, mapped_column

from config.clock import business_day
from config.database import Base
from config.errors import Conflict, Invalid, NotFound
from config.ids import is_store_id
from config.nodes import facts
from config.nodes.facts import Fact
from config.nodes.journal import Context, canonical, record
from config.words import LANGUAGES, language
from pos.store import pins
from pos.store.opening_hours import Week, every_day, week
from pos.store.roles import STAFF_ROLES

LONGEST_NAME = 80
LOCK_MINUTES = (0, 1, 2, 3, 5, 10, 15, 30)
USUAL_HOURS = every_day("07:00", "22:00")
PARTICULARS = {"address": 160, "phone": 40, "tax_number": 40, "language": 2, "tz": 40, "opening_hours": 400}
"""What a store says of itself beside its name, with the most letters each may have."""


class Region(Base):
    """A set of stores whose demand is pooled."""

    __tablename__ = "region"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]

    def is_named(self, name: str) -> bool:
        """Tell whether a name means this region, by its id or its name (`region_key`)."""
        return region_key(name) in (region_key(self.id), region_key(self.name))


class Store(Base):
    """One member store."""

    __tablename__ = "store"

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    slug: Mapped[str] = mapped_column(unique=True)
    region_id: Mapped[str] = mapped_column(sa.ForeignKey("region.id"))
    address: Mapped[str] = mapped_column(default="")
    tax_number: Mapped[str] = mapped_column(default="", server_default="")
    """The number its tax office gave it, as receipts must show it; '' where there is none."""
    phone: Mapped[str] = mapped_column(default="")
    currency: Mapped[str]
    smallest_coin_minor: Mapped[int] = mapped_column(default=1)
    tz: Mapped[str]
    rollover_hour: Mapped[int] = mapped_column(default=4)
    language: Mapped[str] = mapped_column(default="en")
    opening_hours: Mapped[str] = mapped_column(default=USUAL_HOURS)
    pickup_hold_days: Mapped[int] = mapped_column(default=2)
    cash_tolerance_minor: Mapped[int | None]
    """By how much a drawer may be off before another person has to agree; None: see `shift.tolerance_minor`."""
    logo_id: Mapped[str | None]
    """The picture at the top of its paper; see `logo`."""
    has_node: Mapped[bool] = mapped_column(default=True)
    """False: the store's facts reach the network by import, and the network forecasts for it."""
    receipts_at: Mapped[str] = mapped_column(default="", server_default="")
    """Where customers find their receipts on the network; '': the paper is all there is."""
    sells_beyond: Mapped[bool] = mapped_column(default=True, server_default=sa.true())
    """Whether its tills sell what the books no longer have: the loaf is in the customer's hand."""
    lock_minutes: Mapped[int] = mapped_column(default=0, server_default="0")
    """After how many minutes in which nobody touches them its pages lock themselves; 0: never."""
    usual_sales_minor: Mapped[int] = mapped_column(default=0, server_default="0")
    """What it says it takes on a usual day, while its own sales cannot tell; 0: nothing said."""
    summary_email: Mapped[str] = mapped_column(default="", server_default="")
    """Who gets the summary; '': nobody wishes it."""
    summary_weekly: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    """Whether it comes on Sunday alone, with the week, instead of each night."""
    joined_at: Mapped[dt.datetime]
    left_on: Mapped[dt.date | None]
    """At the network: the day it left."""

    @property
    def week(self) -> Week:
        """When it is open."""
        return week(self.opening_hours)


class StoreKey(Base):
    """The key a store's node signs in with at the network; only its SHA-256 is kept."""

    __tablename__ = "store_key"

    sha256: Mapped[str] = mapped_column(primary_key=True)
    store_id: Mapped[str] = mapped_column(sa.ForeignKey("store.id"), index=True)
    made_at: Mapped[dt.datetime]
    revoked_at: Mapped[dt.datetime | None]

    @property
    def name(self) -> str:
        """What people call it by: the beginning of its hash, which opens nothing."""
        return self.sha256[:8]


class Till(Base):
    """One counter position with a drawer and a printer; it numbers its own receipts."""

    __tablename__ = "till"

    store_id: Mapped[str] = mapped_column(sa.ForeignKey("store.id"), primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]


class ReceiptCounter(Base):
    """The last receipt number of a till in an epoch; gapless because it rises in the sale's own transaction."""

    __tablename__ = "receipt_counter"

    store_id: Mapped[str] = mapped_column(primary_key=True)
    till_id: Mapped[str] = mapped_column(primary_key=True)
    epoch: Mapped[str] = mapped_column(primary_key=True)
    last_no: Mapped[int]


class Staff(Base):
    """A person who signs in at a node (node_id: a store's id or 'network')."""

    __tablename__ = "staff"

    node_id: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    role: Mapped[str]
    pin_hash: Mapped[str]
    active: Mapped[bool] = mapped_column(default=True)
    failed_tries: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[dt.datetime | None]
    badge_hash: Mapped[str | None] = mapped_column(unique=True)
    """SHA-256 of the person's badge; None: none (see `badges`)."""
    badge_given_at: Mapped[dt.datetime | None]
    totp_salt: Mapped[str | None]
    """What the secret of the person's authenticator app is derived from; None: none (see `second_factor`)."""
    code_step: Mapped[int | None] = mapped_column(sa.BigInteger())
    """The step of time whose code the person used last."""

    @property
    def seal(self) -> str:
        """A digest of what a person may do and proves it with; each journal entry about them carries it (`verify`)."""
        said = [self.node_id, self.id, self.name, self.role, self.pin_hash, self.badge_hash, self.active is not False]
        said += [self.totp_salt] if self.totp_salt else []
        return hashlib.sha256(canonical(said).encode()).hexdigest()


class PinTries(Base):
    """Wrong PINs of one person typed for that person's leave: apart from signing in, per person who asked."""

    __tablename__ = "pin_tries"

    node_id: Mapped[str] = mapped_column(primary_key=True)
    staff_id: Mapped[str] = mapped_column(primary_key=True)
    asked_by: Mapped[str] = mapped_column(primary_key=True)
    failed_tries: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[dt.datetime | None]


class BookClock(Base):
    """By whose clock a book that is no store's keeps its days (rule 4)."""

    __tablename__ = "book_clock"

    book_id: Mapped[str] = mapped_column(primary_key=True)
    tz: Mapped[str]


# --- verbs ---


def found_store(
    session: Session,
    store_id: str,
    name: str,
    *,
    region: str | tuple[str, str],
    currency: str,
    tz: str,
    tills: tuple[tuple[str, str], ...] | None = None,
    at: dt.datetime,
    **columns: Any,
) -> Store:
    """Found a store with its region and tills.

    region: as a person names it (`region_named`), or (id, name) as the network tells it, made when new; tills: (id,
    name), else one, named in the store's language. columns: further columns of Store (slug, address,
    smallest_coin_minor, language ...); the slug is made from the name unless given, and ends with the id where another
    store has it.
    """
    if not is_store_id(store_id):
        raise Invalid(
            "bad-store-id", "%(store_id)s is not a valid store ID. Use 1 to 20 letters and digits, such as S01.",
            store_id=store_id,
        )  # fmt: skip
    refuse_name(name)
    region_name = region if isinstance(region, str) else region[1]
    if not 1 <= len(region_name.strip()) <= LONGEST_NAME or not region_name.isprintable():
        raise Invalid("bad-name", "Enter a region name of 1 to %(most)s characters.", most=LONGEST_NAME, field="region")
    refuse_particular("tz", tz)
    if not re.fullmatch("[A-Z]{3}", currency):
        raise Invalid("bad-currency", "%(currency)s is not a currency code. Use one such as EUR.", currency=currency)
    if session.get(Store, store_id) is not None:
        raise Conflict("store-exists", "The store %(store_id)s already exists.", store_id=store_id)
    if isinstance(region, str):
        region_id = region_named(session, region).id
    else:
        region_id = region[0]
        if session.get(Region, region_id) is None:
            session.add(Region(id=region_id, name=region[1]))
            session.flush()
    slug = columns.pop("slug", None) or re.sub(r"\W+", "-", name.casefold()).strip("-") or store_id.casefold()
    if session.scalar(sa.select(Store.id).where(Store.slug == slug)) is not None:
        slug = f"{slug}-{store_id.casefold()}"
    store = Store(
        id=store_id, name=name, slug=slug, region_id=region_id, currency=currency, tz=tz, joined_at=at, **columns
    )
    session.add(store)
    session.flush()
    if tills is None:
        tills = (("T1", language(columns.get("language", "en"), tz)("Till 1")),)
    session.add_all(Till(store_id=store_id, id=till_id, name=till_name) for till_id, till_name in tills)
    return store


def refuse_name(name: str) -> None:
    """Refuse a name no store can have."""
    if not 1 <= len(name.strip()) <= LONGEST_NAME or not name.isprintable():
        raise Invalid("bad-name", "Enter a store name of 1 to %(most)s characters.", most=LONGEST_NAME, field="name")


def refuse_particular(name: str, value: str) -> None:
    """Refuse what none of PARTICULARS can be: a language of nobody's, no zone, no week."""
    if name == "language" and value not in LANGUAGES:
        raise Invalid("bad-choice", "Choose a language.", field="language")
    if name == "opening_hours":
        week(value)
    if name == "tz":
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError, OSError) as fault:
            raise Invalid(
                "bad-zone", "%(tz)s is not a time zone. Use one such as Europe/Berlin.", tz=value, field="tz"
            ) from fault


def region_named(session: Session, name: str) -> Region:
    """Return the region a person names, made when new under the name as first given (`region_key`)."""
    name, key = " ".join(name.split()), region_key(name)
    known = list(session.scalars(sa.select(Region).order_by(Region.id)))
    alike = [one for one in known if one.id == name] or [one for one in known if one.is_named(name)]
    if len(alike) > 1:
        ids = ", ".join(one.id for one in alike)
        raise Conflict("region-twice", "These regions have the same name: %(ids)s. Enter one exactly as shown.",
                       field="region", ids=ids)  # fmt: skip
    if alike:
        return alike[0]
    region = Region(id=key, name=name)
    session.add(region)
    session.flush()
    return region


def give_key(session: Session, store_id: str, at: dt.datetime) -> str:
    """Make a store's key for the network and return it, this once; only its hash is kept (rule 3)."""
    if session.get(Store, store_id) is None:
        raise NotFound("unknown-store", "Store %(store_id)s not found in this network.", store_id=store_id)
    key = secrets.token_urlsafe(32)
    session.add(StoreKey(sha256=_key_hash(key), store_id=store_id, made_at=at))
    return key


def withdraw_key(ctx: Context, store_id: str, name: str) -> StoreKey:
    """Make one key of a store useless from now on, by its name; one that is withdrawn stays so."""
    keys = keys_of(ctx.session, store_id)
    found = next((key for key in keys if key.name == name), None)
    if found is None:
        names = ", ".join(key.name for key in keys if key.revoked_at is None) or "none"
        raise NotFound(
            "unknown-key", "%(store_id)s has no key %(key)s. Its keys are: %(names)s.", store_id=store_id, names=names,
            key=name,
        )  # fmt: skip
    if found.revoked_at is None:
        found.revoked_at = ctx.at
        record(ctx, verb="store.key_withdrawn", subject=f"store:{store_id}", key=found.name)
    return found


def add_staff(session: Session, node_id: str, staff_id: str, name: str, role: str, pin: str) -> Staff:
    """Let a person sign in at a node; only the hash of the PIN or passphrase is kept (rule 2)."""
    if role not in STAFF_ROLES:
        named = ", ".join(STAFF_ROLES)
        raise Invalid("unknown-role", "Role %(role)s not found. Choose %(named)s.", named=named, role=role)
    pin_hash = pins.hashed(pin)
    if session.get(Staff, (node_id, staff_id)) is not None:
        raise Conflict("name-taken", "%(name)s already works here. Choose another name.", name=name, field="name")
    staff = Staff(node_id=node_id, id=staff_id, name=name, role=role, pin_hash=pin_hash, failed_tries=0)
    session.add(staff)
    return staff


def set_pin(staff: Staff, pin: str) -> None:
    """Give a person another PIN (rule 2); wrong tries with the old one count no more."""
    staff.pin_hash = pins.hashed(pin)
    staff.failed_tries, staff.locked_until = 0, None


def found_as_reported(session: Session, reported: dict[str, Any], *, at: dt.datetime) -> Store | None:
    """Found a store on its own node as its network told it; None where it is here already."""
    columns = dict(reported)
    store_id, name, region = columns.pop("id"), columns.pop("name"), columns.pop("region")
    if session.get(Store, store_id) is not None:
        return None
    tills = tuple((str(till[0]), str(till[1])) for till in columns.pop("tills"))
    return found_store(session, store_id, name, region=(region[0], region[1]), tills=tills, at=at, **columns)


# --- questions ---


def region_key(name: str) -> str:
    """Return what is the same in every way of writing a region's name: capitals, spaces and signs do not count."""
    return re.sub(r"\W+", "-", name.casefold()).strip("-") or name.casefold().strip()


def reported_of(session: Session, store_id: str) -> dict[str, Any]:
    """Return a store as its own node needs it to be founded there: particulars, region and tills."""
    store = store_of(session, store_id)
    region = session.get_one(Region, store.region_id)
    tills = session.execute(sa.select(Till.id, Till.name).where(Till.store_id == store_id).order_by(Till.id)).all()
    kept = ("id", "name", "slug", "address", "currency", "tz", "language", "opening_hours", "smallest_coin_minor",
            "rollover_hour")  # fmt: skip
    reported = {name: getattr(store, name) for name in kept}
    if store.usual_sales_minor:
        reported["usual_sales_minor"] = store.usual_sales_minor
    return reported | {"region": [region.id, region.name], "tills": [list(till) for till in tills]}


def keys_of(session: Session, store_id: str) -> list[StoreKey]:
    """Return the keys a store was given, the newest first."""
    query = sa.select(StoreKey).where(StoreKey.store_id == store_of(session, store_id).id)
    return list(session.scalars(query.order_by(StoreKey.made_at.desc(), StoreKey.sha256)))


def store_for_key(session: Session, key: str) -> str | None:
    """Return the id of the store whose key this is; None for an unknown or withdrawn one."""
    row = session.get(StoreKey, _key_hash(key))
    return row.store_id if row is not None and row.revoked_at is None else None


def staff_of(session: Session, node_id: str) -> list[Staff]:
    """Return the people who may sign in at a node, by name."""
    return list(session.scalars(sa.select(Staff).where(Staff.node_id == node_id, Staff.active).order_by(Staff.name)))


def store_of(session: Session, store_id: str) -> Store:
    """Return a store; NotFound when there is none of that id."""
    store = session.get(Store, store_id)
    if store is None:
        raise NotFound("unknown-store", "Store %(store_id)s not found. Check the settings.", store_id=store_id)
    return store


def day_of(session: Session, store_id: str, at: dt.datetime) -> dt.date:
    """Return the business day of an instant at a store; of a book that is no store's the day of its clock (rule 4)."""
    store = session.get(Store, store_id)
    if store is not None:
        return business_day(at, store.tz, store.rollover_hour)
    return at.astimezone(ZoneInfo(zone_of(session, store_id) or "UTC")).date()


def send_fact(session: Session, fact: Fact, *, subject: str, at: dt.datetime, id: str | None = None) -> None:
    """Put a fact on its way (`config/nodes/facts.py`), of the day it is now at the store it is about."""
    facts.send(session, fact, subject=subject, day=day_of(session, fact.of(), at), at=at, id=id)


def zone_of(session: Session, book_id: str) -> str | None:
    """Return by whose clock a book that is no store's keeps its days; None where it has none of its own."""
    clock = session.get(BookClock, book_id)
    return clock.tz if clock else None


def keep_clock(session: Session, book_id: str, tz: str) -> None:
    """Let a book that is no store's keep its days by the clock of a zone; '': by none of its own (rule 4)."""
    if tz:
        refuse_particular("tz", tz)
        session.merge(BookClock(book_id=book_id, tz=tz))
    elif (clock := session.get(BookClock, book_id)) is not None:
        session.delete(clock)
    session.flush()


def show_receipts(ctx: Context, store_id: str, address: str) -> None:
    """Print on every receipt a code that leads to it at `address`; '' prints none. Older receipts stay as they are."""
    store = store_of(ctx.session, store_id)
    if not address.isascii() or len(address) > 150:
        raise Invalid("bad-address", "The receipt address can have up to 150 plain characters.", address=address)
    if store.receipts_at != address:
        record(ctx, verb="store.receipts shown", subject=f"store:{store_id}", address=address)
        store.receipts_at = address


def change_particulars(ctx: Context, store_id: str, **said: str) -> None:
    """Change what paper says of the store: its name and PARTICULARS; older receipts stay as they are."""
    store = store_of(ctx.session, store_id)
    refuse_name(said.get("name", store.name))
    for name in PARTICULARS.keys() & said:
        refuse_particular(name, said[name])
    changed = {name: value for name, value in said.items() if getattr(store, name) != value}
    if changed:
        record(ctx, verb="store.particulars changed", subject=f"store:{store_id}", **changed)
        for name, value in changed.items():
            setattr(store, name, value)


def sell_beyond(ctx: Context, store_id: str, wanted: bool) -> None:
    """Let the store's tills sell what the books no longer have, or stop at what they have."""
    store = store_of(ctx.session, store_id)
    if store.sells_beyond != wanted:
        record(ctx, verb="store.sells beyond", subject=f"store:{store_id}", wanted=wanted)
        store.sells_beyond = wanted


def lock_after(ctx: Context, store_id: str, minutes: int) -> None:
    """Settle after how many minutes the store's pages lock themselves when nobody touches them; 0: never."""
    if minutes not in LOCK_MINUTES:
        raise Invalid("bad-lock-minutes", "Choose a time from the list.", field="minutes")
    store = store_of(ctx.session, store_id)
    if store.lock_minutes != minutes:
        facts = {"before": store.lock_minutes, "minutes": minutes}
        record(ctx, verb="store.lock after", subject=f"store:{store_id}", **facts)
        store.lock_minutes = minutes


def snapshot(store: Any, store_id: str = "") -> dict[str, Any]:
    """Return what a document prints about the store, frozen. store: its row, or what has the same columns."""
    known = {"id": store_id or store.id}
    known |= {name: getattr(store, name) for name in ("name", "address", "phone", "currency", "tz", "language")}
    known |= {name: getattr(store, name) for name in ("receipts_at", "tax_number") if getattr(store, name)}
    return known | ({"logo": store.logo_id} if store.logo_id else {})


def _key_hash(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def usual_currency(session: Session) -> str:
    """Return the currency most stores trade in."""
    query = sa.select(Store.currency).group_by(Store.currency).order_by(sa.func.count().desc()).limit(1)
    return session.scalar(query) or "USD"
