"""The messages between nodes as they travel: strict shapes, JSON, gzip."""

import gzip
import json
import zlib
from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from config.errors import Invalid
from config.nodes import signing, signing_keys
from config.nodes.outbox import MAX_ROWS, Message

MAX_UNPACKED = 8_000_000
PROTOCOL, OLDEST_PROTOCOL = 2, 1
"""What this node speaks, and the oldest it still answers: 2 compares the books of every epoch on each contact."""
MOST_EPOCHS, MOST_STUCK = 50, 50
Count = Field(ge=0, le=2**53)
TOO_OLD, NETWORK_TOO_OLD, ANOTHERS_KEY = "too-old", "network-too-old", "another-stores-key"
N_ = str  # what it marks is translated where it is shown
PAUSES = {
    "unauthorized": N_("The network rejects this store's key. Ask the operator for a new code."),
    ANOTHERS_KEY: N_(
        "The key in this store's settings belongs to another store. Enter this store's own. Nothing is lost; "
        "syncing is paused until then."
    ),
    TOO_OLD: N_("This store’s software is out of date for the network. Update it; waiting messages will then go out."),
    NETWORK_TOO_OLD: N_(
        "The network's software is too old for this store. Messages are on hold until the operator updates it."
    ),
    signing_keys.UNKNOWN: N_(
        "This computer has a new signing key. Call the operator and read out its fingerprint (More, Signing key). "
        "Messages are on hold until the operator approves it."
    ),
    signing_keys.WITHDRAWN: N_(
        "The operator revoked this computer's signing key. Create a new one (More, Signing key) and "
        "call the operator. Nothing is lost."
    ),
    signing_keys.UNSIGNED: N_(
        "The network accepts only signed messages from this store, but this computer sends none. Update its software."
    ),
    signing_keys.WRONG: N_(
        "The network received something different from what this computer signed. Something in "
        "between changes messages. Ask whoever runs your internet connection."
    ),
}
"""Why a store's contacts pause until somebody does something: the code of the refusal, and the fault as it is kept."""
TOO_LARGE = N_(
    "Something between this store and the network blocks messages of this size. Ask the operator "
    "to allow 2 MB, then send again."
)
"""Why a fact waits that nobody takes in one piece (413)."""
STORE_NAMED = "Cornerstore-Store"
"""The header in which a store names itself, so that another store's key in its settings is noticed."""
PLAIN = r"^[^\x00]*$"
"""A database's text cannot hold NUL."""


class Shape(BaseModel):
    """A strict shape: integers are integers; what is not named is not read."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)


class Row(Shape):
    """One fact on the wire."""

    id: str = Field(min_length=1, max_length=80, pattern=PLAIN)
    n: int = Field(ge=1, le=2**53)
    topic: str = Field(max_length=80, pattern=PLAIN)
    version: int = Field(ge=1, le=1000)
    made_at: str = Field(max_length=40, pattern=PLAIN)
    business_day: str = Field(max_length=10, pattern=PLAIN)
    body: dict[str, Any]
    hash: str = Field(min_length=64, max_length=64, pattern=PLAIN)

    def message(self) -> Message:
        """Return the row as the ground knows it."""
        # named one by one: a dump would copy the whole body, of which nothing is changed
        return Message(
            id=self.id, n=self.n, topic=self.topic, version=self.version, made_at=self.made_at,
            business_day=self.business_day, body=self.body, hash=self.hash,
        )  # fmt: skip


class Seal(Shape):
    """A store's signature over the facts of a push: who they are from, how its chain ends, and which they are."""

    key: str = Field(pattern=signing.KEY_PATTERN)
    signature: str = Field(pattern=signing.SIGNATURE_PATTERN)


class Have(Shape):
    """How far a store has the network's facts of one epoch, without gaps."""

    epoch: str = Field(max_length=64, pattern=PLAIN)
    n: int = Count
    head: str = Field(max_length=64, pattern=PLAIN)


class JournalEnd(Shape):
    """The end of a store's journal, and the hash its entry `proof_n` has now, which it named before."""

    n: int = Count
    hash: str = Field(max_length=64, pattern=PLAIN)
    proof_n: int | None = Field(default=None, ge=1, le=2**53)
    proof_hash: str = Field(default="", max_length=64, pattern=PLAIN)


class Health(Shape):
    """How a store's computer is, as it says itself; instants in ISO form, '' where there is none."""

    now: str = Field(max_length=40, pattern=PLAIN)
    oldest_at: str = Field(default="", max_length=40, pattern=PLAIN)
    catalogue_at: str = Field(default="", max_length=40, pattern=PLAIN)
    checked_at: str = Field(default="", max_length=40, pattern=PLAIN)
    free_bytes: int = Count


class Push(Shape):
    """What a store sends: rows of one epoch, and how its own books stand.

    count, head: of everything it wrote in the rows' epoch; speaking: the epoch it lives in now. epochs: those whose
    books it wants compared; stuck: ids the network refused before, in case it has taken them meanwhile.
    """

    protocol: int = Field(default=1, ge=1, le=1000)
    epochs: list[Annotated[str, Field(max_length=64, pattern=PLAIN)]] = Field(
        default_factory=list, max_length=MOST_EPOCHS
    )
    stuck: list[Annotated[str, Field(max_length=80, pattern=PLAIN)]] = Field(
        default_factory=list, max_length=MOST_STUCK
    )

    speaking: str = Field(min_length=8, max_length=64, pattern=PLAIN)
    epoch: str = Field(min_length=8, max_length=64, pattern=PLAIN)
    from_n: int = Count
    count: int = Count
    head: str = Field(max_length=64, pattern=PLAIN)
    nonce: str = Field(default="", max_length=64, pattern=PLAIN)
    token: str = Field(default="", max_length=64, pattern=PLAIN)
    have: list[Have] = Field(default_factory=list, max_length=50)
    parked: int = Field(default=0, ge=0, le=2**53)
    waiting: int = Field(default=0, ge=0, le=2**53)
    journal: JournalEnd | None = None
    """None: a store that does not tell it yet."""
    health: Health | None = None
    rows: list[Row] = Field(default_factory=list, max_length=MAX_ROWS)
    seal: Seal | None = None
    """None: a store that has no signing key yet."""


class Refusal(Shape):
    """What the network says when it takes nothing of what it was asked; facts["rows"]: the ids of what it is about."""

    code: str
    message: str
    facts: dict[str, Any] = Field(default_factory=dict)

    @property
    def rows(self) -> list[str]:
        """Return the ids it names."""
        named = self.facts.get("rows")
        return [one for one in named if isinstance(one, str)] if isinstance(named, list) else []


class Taken(Shape):
    """A confirmed row."""

    id: str
    hash: str


class Parked(Shape):
    """A row kept aside for a person."""

    id: str
    reason: str
    kind: str = ""
    """A stable word where there is one; see config/nodes/inbox.py."""


class Received(Shape):
    """How the network's books of one epoch of a store stand: count in all, n without gaps, head at n."""

    epoch: str
    count: int
    n: int
    head: str


class Answer(Received):
    """What the network says to a push."""

    taken: list[Taken]
    parked: list[Parked]
    nonce: str
    incarnation: str
    fork: bool
    protocol: int = 1
    books: list[Received] = Field(default_factory=list)
    """How the network's books of the epochs asked for stand; an older network tells of the rows' epoch alone."""
    journal_n: int | None = None
    """The end of the store's journal we know now; None: a network that does not keep it yet."""


class KnownEnd(Shape):
    """What the network remembers of a store's journal; n 0: nothing."""

    n: int
    hash: str
    heard_at: str


class Batch(Shape):
    """The network's rows of one epoch."""

    epoch: str
    rows: list[Row]


class Pull(Shape):
    """What the network says to a pull."""

    incarnation: str
    received: Received
    batches: list[Batch]


class OwnRow(Row):
    """A fact of the store's own. batch: the id of the signature it came under; '': it was not signed."""

    batch: str = ""


class OwnBatch(Shape):
    """The store's own rows of one epoch."""

    epoch: str
    rows: list[OwnRow]


class SignedFacts(Shape):
    """What a store signed when it sent facts; text as `signed_text` has it."""

    id: str
    key: str
    text: str
    signature: str


class OwnKey(Shape):
    """A key the network has of the store, and the key before it that vouches for it ('': none does)."""

    key: str
    by: str
    vouch: str


class Own(Shape):
    """What the network has of a store's own facts after what the store still has."""

    batches: list[OwnBatch]
    seals: list[SignedFacts] = Field(default_factory=list)
    keys: list[OwnKey] = Field(default_factory=list)


class KeySaid(Shape):
    """What became of a new signing key: good, asked, refused or withdrawn."""

    state: str


class Edition(Shape):
    """One publication: its version and, when asked for, its text."""

    kind: str
    version: int
    sha256: str
    made_at: str
    text: str = ""


class ForecastKnown(Shape):
    """Which forecast of a store the network has, by the last day it saw ('': none), and which it refused."""

    origin_day: str = ""
    run_id: str = ""
    refused_run_id: str = ""


class Editions(Shape):
    """What is published for a store."""

    incarnation: str
    editions: list[Edition]
    forecast: ForecastKnown | None = None
    """None: a network that does not want to be told a forecast yet."""


class Forecast(Shape):
    """What a store expects to sell of each product a day, as `supply.demand.reported_forecasts` says."""

    version: int = Field(ge=1, le=1000)
    run_id: str = Field(min_length=1, max_length=80, pattern=PLAIN)
    origin_day: str = Field(max_length=40, pattern=PLAIN)
    products: dict[Annotated[str, Field(max_length=64, pattern=PLAIN)], Any]
    effects: Any = None
    """What offers and prices made of its days (`supply.demand.promotion_days`); None: a store that tells nothing of
    it."""


class ForecastHeard(Shape):
    """What became of a forecast that was told. refused: why; '' where it stands."""

    refused: str = ""


def pack(body: dict[str, Any]) -> tuple[bytes, dict[str, str]]:
    """Return the bytes and headers of a body; gzip where it pays."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
    headers = {"Content-Type": "application/json"}
    if len(text) > 1024:
        return gzip.compress(text, 5), headers | {"Content-Encoding": "gzip"}
    return text, headers


def unpack(raw: bytes, encoding: str) -> bytes:
    """Return the bytes that were packed; refuses what unpacks to more than MAX_UNPACKED."""
    if encoding in ("", "identity"):
        return raw
    if encoding != "gzip":
        raise Invalid("unknown-encoding", "The body must be plain or gzip.")
    try:
        unzip = zlib.decompressobj(wbits=31)
        text = unzip.decompress(raw, MAX_UNPACKED)
    except zlib.error as fault:
        raise Invalid("broken-body", "The compressed body is damaged.") from fault
    if unzip.unconsumed_tail:
        raise Invalid("body-too-large", "The compressed body is too large.")
    if not unzip.eof:
        raise Invalid("broken-body", "The compressed body is cut off.")
    return text


def signed_text(store_id: str, key: str, epoch: str, count: int, head: str, rows: Iterable[tuple[int, str]]) -> str:
    """Return what a store signs when it sends facts. rows: number and hash of each."""
    return signing.statement("facts", store_id, key, epoch, count, head, [list(row) for row in rows]).decode()


def facts_of(text: str, store_id: str, key: str) -> set[str]:
    """Return the hash of each fact that a signed text is about; nothing where it is another store's or key's."""
    try:
        _, _, purpose, store, by, _epoch, _count, _head, rows = json.loads(text)
        return {hash_ for _n, hash_ in rows} if (purpose, store, by) == ("facts", store_id, key) else set()
    except (ValueError, TypeError):
        return set()


def read_push(raw: bytes) -> Push:
    """Return a push; one that cannot be read is refused with the ids of the rows it is about."""
    try:
        return Push.model_validate_json(raw)
    except ValidationError as fault:
        body = _loose(raw)
        refuse_too_old(body.get("protocol", 1))
        rows = body.get("rows")
        places = {e["loc"][1] for e in fault.errors() if e["loc"][:1] == ("rows",) and len(e["loc"]) > 1}
        named = [rows[place].get("id") for place in sorted(places) if isinstance(rows[place], dict)] if rows else []
        reported = {"faults": faults_of(fault), "rows": named}
        raise Invalid("bad-push", "The batch of messages is not in a valid format.", **reported) from fault


def read_forecast(raw: bytes) -> Forecast:
    """Return a told forecast; raises Invalid."""
    try:
        return Forecast.model_validate_json(raw)
    except ValidationError as fault:
        raise Invalid(
            "bad-forecast", "The forecast is not in a valid format. Send it again.", faults=faults_of(fault)
        ) from fault


def refuse_too_old(protocol: Any) -> None:
    """Refuse a program that speaks what is understood no more."""
    if isinstance(protocol, int) and protocol < OLDEST_PROTOCOL:
        raise Invalid(TOO_OLD, "This store’s software is out of date for the network. Update it.")


def refusal_of(answer: bytes) -> Refusal | None:
    """Return what the network refused; None where the answer is not the network's own."""
    try:
        return Refusal.model_validate(json.loads(answer)["error"])
    except (ValueError, KeyError, TypeError):  # a ValidationError is a ValueError
        return None


def faults_of(fault: ValidationError) -> list[str]:
    """Return what is wrong with a body, one sentence a fault: 'lines.0.qty: Input should be a valid integer'."""
    return [f"{'.'.join(map(str, e['loc'])) or 'body'}: {e['msg']}" for e in fault.errors()[:20]]


def _loose(raw: bytes) -> dict[str, Any]:
    """Return what can be read of a body that is not of its shape."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}
