"""Facts: what one node tells another, each declared once.

Rules
-----
1. A fact is a subclass of `Fact`, which makes it a frozen dataclass. Its class line declares topic, version and who may
   say it. A store tells the network; the network tells the store the fact is about.
2. A store speaks of itself alone, and the network for no store: anything else is refused before its applier is called.
3. `@applies` names what a fact does where it arrives, `@recovers` what its own store does with it in books put back
   from a copy. Both take (ctx, fact). Of two appliers one says which goes before it. A fact that the network only keeps
   for its store has none, and says so (`kept`).
4. A body is read by its fields' types, and the refusal names the field that is missing or odd. What a body says beyond
   its fields is passed over; a version newer than this program waits for an upgrade.
5. A fact that is `named` bears its message's id and business day: books are compared by them.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, TypeVar, cast, dataclass_transform

from pydantic import AfterValidator, BeforeValidator, Field, TypeAdapter, ValidationError
from sqlalchemy.orm import Session

from config.clock import as_utc
from config.errors import Invalid, Refused, kept
from config.ids import NETWORK, new_id
from config.nodes import door, outbox
from config.nodes.journal import Actor, Context
from config.nodes.outbox import Message, Outgoing

STORE = "store"
Odd = dict[str, Any]
"""What of a recovered fact a person must look at."""


def _instant(value: Any) -> Any:
    at = as_utc(dt.datetime.fromisoformat(value)) if isinstance(value, str) else _refused(value, dt.datetime)
    door.day(at.date().isoformat(), "An instant")
    return at


def _day(value: Any) -> Any:
    if not isinstance(value, str):
        return _refused(value, dt.date)
    return door.day(dt.date.fromisoformat(value).isoformat(), "A day")


def _refused(value: Any, kind: type) -> Any:
    if not isinstance(value, kind):
        raise ValueError("not a text")  # noqa: TRY004 - pydantic takes no other for a refusal
    return value


def stamp(at: dt.datetime) -> str:
    """Return an instant as facts write it."""
    return as_utc(at).isoformat(timespec="microseconds")


def _checked(kind: type[dt.date]) -> Callable[[str], str]:
    def check(value: str) -> str:
        kind.fromisoformat(value)
        return value

    return check


Whole = Annotated[int, Field(strict=True, ge=-door.MOST, le=door.MOST)]
Count = Annotated[int, Field(strict=True, ge=0, le=door.MOST)]
Flag = Annotated[bool, Field(strict=True)]
Day = Annotated[dt.date, BeforeValidator(_day)]
Instant = Annotated[dt.datetime, BeforeValidator(_instant)]

DayText = Annotated[str, AfterValidator(_checked(dt.date))]
InstantText = Annotated[str, AfterValidator(_checked(dt.datetime))]
"""As they travel, for facts that are laid out as they are."""


@dataclass_transform(frozen_default=True)
class Fact:
    """What happened at one node, as it travels to the other."""

    TOPIC: ClassVar[str]
    VERSION: ClassVar[int]
    SAID_BY: ClassVar[str]
    KEPT: ClassVar[bool]
    NAMED: ClassVar[bool]
    if TYPE_CHECKING:
        __dataclass_fields__: ClassVar[dict[str, Any]]

    def __init_subclass__(
        cls, *, topic: str = "", said_by: str = "", version: int = 1, kept: bool = False, named: bool = False
    ) -> None:
        dataclass(frozen=True)(cls)
        if topic:
            if topic in FACTS or said_by not in (STORE, NETWORK):
                raise TypeError(f"{topic} is declared twice, or nobody may say it")
            cls.TOPIC, cls.VERSION, cls.SAID_BY, cls.KEPT, cls.NAMED = topic, version, said_by, kept, named
            FACTS[topic] = cls

    def of(self) -> str:
        """Return the store it is about."""
        return str(vars(self)["store_id"])

    @classmethod
    def of_row(cls, row: object, **more: Any) -> Self:
        """Return the fact of a row that calls its values by the same names; more: what it calls otherwise."""
        return cls(**{name: getattr(row, name) for name in cls.__dataclass_fields__ if name not in more}, **more)

    def to_body(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {name: _plain(value) for name, value in vars(self).items()}

    @classmethod
    def from_body(cls, body: dict[str, Any]) -> Self:
        """Read a body (rule 4)."""
        try:
            return cast("Self", _reader(cls).validate_python(body))
        except ValidationError as fault:
            odd = fault.errors(include_url=False, include_context=False, include_input=False)[0]
        field = next((str(step) for step in reversed(odd["loc"]) if isinstance(step, str)), "")
        topic = getattr(cls, "TOPIC", cls.__name__)
        if odd["type"] == "missing":
            raise Invalid("field-missing", "%(topic)s: the field “%(field)s” is missing.", topic=topic, field=field)
        raise Invalid("field-odd", "%(topic)s: the field “%(field)s” is not valid.", topic=topic, field=field)


F = TypeVar("F", bound=Fact)
R = TypeVar("R")
Applier = Callable[[Context, F], R]
FACTS: dict[str, type[Fact]] = {}
"""topic -> the fact"""
_APPLIERS: dict[type[Fact], list[Applier[Any, object]]] = {}
_RECOVERERS: dict[type[Fact], Applier[Any, Sequence[Odd] | None]] = {}


# --- declaring ---


def applies(*kinds: type[F], after: Applier[Any, object] | None = None) -> Callable[[Applier[F, R]], Applier[F, R]]:
    """Let a function apply facts where they arrive (rule 3). after: the applier that goes before it."""

    def register(applier: Applier[F, R]) -> Applier[F, R]:
        for kind in kinds:
            before = _APPLIERS.setdefault(kind, [])
            if before[-1:] != ([after] if after else []):
                raise TypeError(f"{kind.TOPIC} has appliers whose order nobody says")
            before.append(applier)
        return applier

    return register


def recovers(*kinds: type[F]) -> Callable[[Applier[F, R]], Applier[F, R]]:
    """Let a function write its store's own facts again (rule 3); it may return what a person must look at."""

    def register(applier: Applier[F, R]) -> Applier[F, R]:
        _RECOVERERS.update(dict.fromkeys(kinds, cast("Applier[Any, Sequence[Odd] | None]", applier)))
        return applier

    return register


# --- saying and hearing ---


def send(session: Session, fact: Fact, *, subject: str, day: dt.date, at: dt.datetime, id: str | None = None) -> None:
    """Put a fact on its way to whoever hears it (rule 1). day: its business day; id: its own and for ever."""
    outgoing = Outgoing(id or new_id(), fact.TOPIC, fact.VERSION, day, subject, fact.to_body())
    outbox.append(session, outgoing, to_node=NETWORK if fact.SAID_BY == STORE else fact.of(), at=at)


def read(message: Message) -> Fact:
    """Return the fact of a message (rules 4, 5)."""
    kind = FACTS.get(message.topic)
    if kind is None:
        raise Invalid("unknown-topic", "This node does not know the topic %(topic)s.", topic=message.topic)
    refuse_newer(message)
    fact = kind.from_body(message.body)
    if kind.NAMED and (message.id, message.business_day) != (mine := (vars(fact)["id"], vars(fact)["business_day"])):
        raise Invalid(
            "misnamed-fact", "%(topic)s %(id)s for %(day)s arrived as %(other_id)s for %(business_day)s.",
            topic=message.topic, id=mine[0], day=mine[1], other_id=message.id, business_day=message.business_day,
        )  # fmt: skip
    return fact


def apply(session: Session, message: Message, from_node: str, at: dt.datetime) -> None:
    """Apply an arrived fact, if its sender may say it (rule 2)."""
    fact = read(message)
    refuse_stranger(from_node, fact.of() if fact.SAID_BY == STORE else NETWORK)
    actor = Actor.system("sync", NETWORK if fact.SAID_BY == STORE else fact.of())
    for applier in _APPLIERS.get(type(fact), ()):
        applier(Context(session, actor, at), fact)


def recover(session: Session, message: Message, at: dt.datetime) -> Sequence[Odd]:
    """Write a fact of this store again, where that has a meaning; returns what a person must look at."""
    recoverer = _RECOVERERS.get(FACTS.get(message.topic, Fact))
    if recoverer is None:
        return ()
    fact = read(message)
    return recoverer(Context(session, Actor.system("recovered", fact.of()), at), fact) or ()


def not_recovered(topic: str, no: str, day: str, why: Exception) -> Odd:
    """Return what a person must look at where a fact, or a part of it, could not be written again."""
    return {"kind": "refused", "refusal": kept(why), "topic": topic, "no": no, "day": day}


def is_applied(kind: type[Fact]) -> bool:
    """Tell whether somebody applies a fact."""
    return kind in _APPLIERS


def refuse_stranger(sender: str, expected: str) -> None:
    """Refuse a message of a node that may not say it."""
    if sender != expected:
        raise Refused(
            "not-yours-to-say", "%(sender)s sent a message that only %(expected)s can send.", expected=expected,
            sender=sender,
        )  # fmt: skip


def refuse_newer(message: Message) -> None:
    """Refuse a message in a form this node's program does not know yet: it waits here until the upgrade."""
    if (kind := FACTS.get(message.topic)) is not None and message.version > kind.VERSION:
        raise Invalid(
            "newer-version", "This node does not support %(topic)s version %(version)s yet. Update the node.",
            version=message.version, topic=message.topic,
        )  # fmt: skip


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, dt.date):
        return stamp(value) if isinstance(value, dt.datetime) else value.isoformat()
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    named = value if isinstance(value, Mapping) else vars(value)  # a dataclass within a fact
    return {name: _plain(one) for name, one in named.items()}


def _reader(kind: type[Fact]) -> TypeAdapter[Any]:
    reader = _READERS.get(kind)
    if reader is None:
        reader = _READERS[kind] = TypeAdapter(kind)
    return reader


_READERS: dict[type[Fact], TypeAdapter[Any]] = {}
