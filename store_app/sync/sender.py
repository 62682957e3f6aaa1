"""The store's side: push facts, pull messages and editions, and never lose what is not confirmed.

Rules (with those of the package)
-----
1. Nothing that sells waits for this: it runs in the worker, with its own connection, in short transactions.
2. Confirmed is only a JSON answer that names the id and echoes the content hash; a captive portal's page is a fault.
3. What the network refuses in JSON of its own: a key (401, 403) or a program (`too-old`) pauses with a banner, keeps
   the queue, and goes on by itself once that is mended; rows it names are left out and, refused at several contacts,
   parked. A page of something in between, whatever its status, is a fault of the line; redirects are never followed.
   A batch too large (413) goes in halves. A fact that is too large alone is parked by itself once a smaller one got
   through: until then nobody knows that it is the fact and not the line, and it waits.
4. After a fault the next try waits, full jitter from 1 s up: to 5 min where the network answered and is in trouble, to
   1 min where it was not reached, because such a try costs it nothing. A contact that got something through before it
   failed is followed by another soon, unless the network asked for a pause (429).
5. A contact brings what was written before it began, by its number: a clock may have been set back. What is written
   meanwhile waits for the next, which it has rung for: tills that sell without a pause would else be settled with sale
   by sale, and the network never heard.
"""

import datetime as dt
import importlib
import random
import secrets
import shutil
import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import httpx2
import sqlalchemy as sa
import structlog
from pydantic import ValidationError
from sqlalchemy.orm import Session

from config.clock import Clock
from config.database import Database
from config.errors import Invalid, Unreachable
from config.ids import NETWORK
from config.nodes import inbox, outbox, signing_keys
from config.nodes.inbox import NUMBER_USED, InboxAlarm, InboxHead, InboxMessage
from config.nodes.journal import Actor, Context, record_many
from config.nodes.node import this_node
from config.nodes.outbox import MAX_BYTES, OutboxMessage
from config.nodes.publication import Pulled, note_refused, take_over
from config.nodes.signing import Signer
from config.settings import Settings
from store_app.runtime import job_runs, outgoing
from store_app.runtime.doors import Doors
from store_app.sync import edition_check, homecoming, receiver, restored, signed, signing_key, wire
from supply.demand import reported_forecasts

log = structlog.get_logger()
FIRST_WAIT_S, LONGEST_WAIT_S, LONGEST_CUT_OFF_S = 1.0, 300.0, 60.0
ROWS_AT_ONCE = 20
"""Pulled rows per transaction: the till's own transactions go in between."""
TIMEOUT = httpx2.Timeout(30.0, connect=5.0)
EDITIONS = {
    "catalogue": "pos.catalogue.edition",
    "offers": "pos.catalogue.offers",
    "suppliers": "supply.orders.supply_routes",
    "demand": "supply.demand.history",
    "forecast": "supply.demand.forecasts",
    "lessons": "supply.membership.training",
    "compare": "supply.membership.benchmarks",
    "points": "pos.customers.points_terms",
    "surroundings": "supply.demand.surroundings",
}
"""Kind of publication -> the module whose take_edition(session, body) takes it over."""
Model = TypeVar("Model", bound=wire.Shape)


@dataclass
class Contact:
    """What one contact did."""

    delivered: int = 0
    parked: int = 0
    pulled: int = 0
    editions: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    """Editions that could not be taken over, with why: the old ones stay in use, and the line is as good as ever."""
    rewound: int = 0
    recovered: int = 0
    """Facts of our own that came back from the network into books that were put back from a copy."""
    fault: str | None = None
    paused: bool = False
    cut_off: bool = False
    """The network was not reached at all: our line, not its trouble."""
    pause_s: int = 0
    """For how long the network asked not to be called."""


@dataclass
class Line:
    """The line to the network as the worker keeps it: when to try again after a fault."""

    failures: int = 0
    not_before: dt.datetime | None = None

    def may_try(self, now: dt.datetime) -> bool:
        """Tell whether the wait after the last fault is over, or was begun on a clock that has been set back since."""
        if self.not_before is None or now >= self.not_before:
            return True
        return self.not_before - now > dt.timedelta(seconds=LONGEST_WAIT_S)

    def note(self, contact: Contact, now: dt.datetime) -> None:
        """Reset after success; after a fault wait longer, with full jitter; a refused key waits longest.

        What got something through before it failed waits as after the first fault: the line is bad, not gone.
        """
        if contact.fault is None:
            self.failures, self.not_before = 0, None
            return
        got_through = contact.delivered or contact.pulled or contact.recovered
        self.failures = 1 if got_through else self.failures + 1
        most_s = min(
            LONGEST_CUT_OFF_S if contact.cut_off else LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** min(self.failures, 10)
        )
        wait_s = LONGEST_WAIT_S if contact.paused else random.uniform(FIRST_WAIT_S, max(FIRST_WAIT_S, most_s))
        wait_s = min(LONGEST_WAIT_S, wait_s + contact.pause_s)
        self.not_before = now + dt.timedelta(seconds=wait_s)


class _Refusal(Exception):
    """The network's own word that it takes nothing of what it was asked."""

    def __init__(self, status: int, reported: wire.Refusal) -> None:
        super().__init__(wire.PAUSES.get(reported.code, reported.message[:300]))
        self.status, self.code, self.rows = status, reported.code, reported.rows
        self.is_of_the_store = status in (401, 403) or reported.code in wire.PAUSES


class _TooLarge(Unreachable):
    """The network, or something before it, lets through no batch of this size."""

    def __init__(self) -> None:
        super().__init__("too-large", wire.TOO_LARGE)


def request_contact(session: Session) -> None:
    """Let the next look of the worker try at once, whatever it was waiting for: somebody pressed *Send now*."""
    this_node(session).last_fault = None


def is_requested(doors: Doors) -> bool:
    """Tell whether somebody asked for a contact since the last fault."""
    with doors.read() as session:
        return this_node(session).last_fault is None


def client_for(settings: Settings) -> httpx2.Client:
    """Return the connection to the network: the store's key, no redirects, bounded waits, its certificate checked."""
    return outgoing.client(
        settings.network_url,
        headers={"Authorization": f"Bearer {settings.network_key}", "Accept": "application/json", **named(settings)},
        timeout=TIMEOUT,
        verify=trusted(settings.network_ca),
        auth=signed.Signing(settings.signing_key),
    )


def named(settings: Settings) -> dict[str, str]:
    """Return the header in which this store names itself, whatever key goes with it."""
    return {wire.STORE_NAMED: quote(settings.node_id)}


def trusted(ca: Path | None) -> ssl.SSLContext:
    """Return what a certificate is checked against: one authority of the operator's own alone, or the system's."""
    try:
        return outgoing.context(ca)
    except (OSError, ssl.SSLError) as fault:
        raise Invalid(
            "bad-ca",
            "The certificate %(path)s cannot be read. Download the network's ca.pem again and enter its path in "
            "network_ca.",
            path=str(ca),
        ) from fault


def contact(database: Database, settings: Settings, client: httpx2.Client, clock: Clock) -> Contact:
    """Push what waits (rule 5), compare, pull messages and editions, tell the forecast; note the outcome."""
    client.headers.update(named(settings))  # whoever made it
    client.auth = signed.Signing(settings.signing_key)
    return _Talk(Doors(database, clock, settings), client).run()


class _Talk:
    def __init__(self, doors: Doors, client: httpx2.Client) -> None:
        self.doors, self.client, self.done = doors, client, Contact()
        self.reported: str | None = None
        self.signer: Signer
        self.lets_facts_through = self.holds_one_back = False

    def run(self) -> Contact:
        try:
            try:
                self._talk()
            except _Refusal as refusal:
                if refusal.code != signing_keys.UNKNOWN or not self._introduce():
                    raise
                self._talk()
        except (Unreachable, httpx2.HTTPError) as fault:
            self.done.fault = str(fault) or type(fault).__name__
            self.done.cut_off = isinstance(fault, httpx2.TransportError)
        except _Refusal as fault:
            self.done.fault, self.done.paused = str(fault), fault.is_of_the_store
        with self.doors.write() as session:
            this = this_node(session)
            this.last_fault = self.done.fault
            if self.done.fault is None:
                this.last_contact_at = min(self.doors.now(), moment_reported(self.reported) or self.doors.now())
        restored.keep_sidecar(self.doors)
        return self.done

    def _talk(self) -> None:
        self.signer = signing_key.present(self.doors)
        self.done.recovered = homecoming.fetch(self.doors, self._own)
        self._push_all()
        self._pull_messages()
        known = self._pull_editions().forecast
        if "catalogue" in self.done.editions:  # what was told of a product before it was known here
            receiver.try_parked(self.doors, [NETWORK], why="unknown-product")
        if known is not None:
            self._send_forecast(known)
        if self.holds_one_back:
            raise _TooLarge

    def _introduce(self) -> bool:
        """Tell the network of a key it does not know, with those that vouch for it; returns whether it is good now."""
        with self.doors.read() as session:
            chain = signing_keys.vouches(session, self.doors.settings.node_id)[-wire.MOST_EPOCHS :]
        body = {"chain": [{"key": key, "by": by, "vouch": vouch} for key, by, vouch in chain]}
        said = self._read(self.client.post("/api/sync/key", json=body), wire.KeySaid)
        if said.state in ("withdrawn", "refused"):
            raise _Refusal(403, wire.Refusal(code=signing_keys.WITHDRAWN, message=""))
        return said.state == "good"

    def _own(self, have: dict[str, int]) -> wire.Own:
        """Ask for facts of our own that the network has after what is here; an older network has no answer to that."""
        answer = self.client.get("/api/sync/own", params=_had(have))
        return wire.Own(batches=[]) if answer.status_code == 404 else self._read(answer, wire.Own)

    # --- push ---

    def _push_all(self) -> None:
        most_bytes, checked, left_out = MAX_BYTES, False, set[str]()
        ends: dict[str, int] = {}  # epoch -> the last number that was written when it was first looked at
        while True:
            with self.doors.read() as session:
                rows = outbox.due(session, NETWORK, left_out, most_bytes)
                epoch = rows[0].epoch if rows else ""
                end = ends.setdefault(epoch, outbox.sent_head(session, NETWORK, epoch)[0])
            if checked and (not rows or rows[0].n > end):
                return
            try:
                checked = self._push(rows, left_out)
            except _TooLarge:
                if not rows:
                    raise
                if len(rows) > 1:
                    most_bytes = sum(len(row.body) for row in rows) // 2
                else:
                    self._set_aside(rows[0], left_out)

    def _push(self, rows: list[OutboxMessage], left_out: set[str]) -> bool:
        """Push a batch and settle it; False where something must go again. Rows refused by name join those left out."""
        with self.doors.read() as session:
            body = self._body(session, rows[0].epoch if rows else this_node(session).epoch, rows)
        try:
            answer = self._post(body)
        except _Refusal as refusal:
            named = {row.id for row in rows} & set(refusal.rows)
            if not named:
                raise
            self.lets_facts_through = True
            with self.doors.write() as session:
                self.done.parked += outbox.refused(session, list(named), str(refusal))
            left_out |= named
            return False
        self.lets_facts_through |= bool(rows)
        return self._settle(rows, answer) == 0

    def _set_aside(self, row: OutboxMessage, left_out: set[str]) -> None:
        """Park a fact that is too large alone, or hold it back while no smaller one shows that the line is sound."""
        left_out.add(row.id)
        if not self.lets_facts_through:
            with self.doors.read() as session:
                smallest = outbox.smallest(session, NETWORK)
            if smallest is None or smallest.id == row.id:
                self.holds_one_back = True
                return
            self._push([smallest], left_out)
        with self.doors.write() as session:
            outbox.mark_stuck(session, row.id, wire.TOO_LARGE)
        self.done.parked += 1

    def _body(self, session: Session, epoch: str, rows: list[OutboxMessage]) -> dict[str, Any]:
        this = this_node(session)
        count, head = outbox.sent_head(session, NETWORK, epoch)
        nonce, _, token = (this.peer_nonce or " ").partition(" ")
        heads = session.scalars(sa.select(InboxHead).where(InboxHead.from_node == NETWORK))
        parked = sa.select(sa.func.count()).where(InboxMessage.state == "parked", InboxMessage.from_node == NETWORK)
        queue = outbox.waiting(session, NETWORK)
        contrary = sa.select(sa.func.count()).where(InboxAlarm.from_node == NETWORK, ~inbox.is_repeated())
        reported = ((row.n, row.hash) for row in rows)
        text = wire.signed_text(this.id, self.signer.public, epoch, count, head, reported)
        return {
            "seal": {"key": self.signer.public, "signature": self.signer.sign(text.encode())},
            "protocol": wire.PROTOCOL,
            "epochs": outbox.epochs_of(session, NETWORK)[-wire.MOST_EPOCHS :],
            "stuck": [row.id for row in outbox.stuck(session, NETWORK, wire.MOST_STUCK)],
            "speaking": this.epoch,
            "epoch": epoch,
            "from_n": rows[0].n if rows else count,
            "count": count,
            "head": head,
            "nonce": nonce,
            "token": token,
            "have": [{"epoch": row.epoch, "n": row.n, "head": row.head} for row in heads],
            "parked": (session.scalar(parked) or 0) + (session.scalar(contrary) or 0),
            "waiting": queue["pending"],
            "health": self._health(session, queue["oldest"]),
            "journal": restored.journal_end(session, this),
            "rows": [outbox.to_wire(row) for row in rows],
        }

    def _health(self, session: Session, oldest: dt.datetime | None) -> dict[str, Any]:
        """Return how this computer is (`wire.Health`)."""
        settings = self.doors.settings
        catalogue, checked = session.get(Pulled, "catalogue"), job_runs.ended_at(session, settings.node_id, "check")
        instants = {"oldest_at": oldest, "checked_at": checked}
        instants["catalogue_at"] = catalogue.made_at if catalogue else None
        reported = {name: at.isoformat() for name, at in instants.items() if at is not None}
        free = shutil.disk_usage(settings.state_folder).free
        return {"now": self.doors.now().isoformat(), "free_bytes": free, **reported}

    def _post(self, body: dict[str, Any]) -> wire.Answer:
        content, headers = wire.pack(body)
        answer = self._read(self.client.post("/api/sync/messages", content=content, headers=headers), wire.Answer)
        if answer.protocol < wire.OLDEST_PROTOCOL:
            raise _Refusal(426, wire.Refusal(code=wire.NETWORK_TOO_OLD, message=""))
        return answer

    def _settle(self, rows: list[OutboxMessage], answer: wire.Answer) -> int:
        """Write down what was confirmed and compare the books; returns how many rows must go again."""
        with self.doors.write() as session:
            this = this_node(session)
            ours = {row.id: row.hash for row in (*rows, *outbox.stuck(session, NETWORK, wire.MOST_STUCK))}
            confirmed = [one.id for one in answer.taken if ours.get(one.id) == one.hash]
            kept_aside = [one for one in answer.parked if one.id in ours]
            outbox.acknowledge(session, confirmed, at=self.doors.now())
            for one in kept_aside:
                outbox.mark_stuck(session, one.id, one.reason)
            is_restored = this.peer_incarnation not in (None, answer.incarnation)
            this.peer_incarnation = answer.incarnation
            this.peer_nonce = f"{answer.nonce} {secrets.token_hex(8)}"
            this.peer_journal_n = answer.journal_n
            shared = this.epoch if answer.fork else ""
            again = self._part(session, rows, kept_aside, forked=answer.fork and not is_restored)
            books = {theirs.epoch: theirs for theirs in (answer, *answer.books)}.values()
            rewound = sum(
                self._compare(session, theirs, is_doubtful=is_restored or theirs.epoch == shared) for theirs in books
            )
        self.done.delivered += len(confirmed)
        sent = {row.id for row in rows}
        self.done.parked += sum(one.id in sent for one in kept_aside) - again
        self.done.rewound += rewound
        if rows and not confirmed and not sent & {one.id for one in kept_aside}:
            raise Unreachable("not-confirmed", "The network's response lists none of the rows sent.")
        return again + rewound

    def _part(self, session: Session, rows: list[OutboxMessage], kept_aside: list[wire.Parked], *, forked: bool) -> int:
        """Part ways with a copy of this database: a new epoch, and new numbers for what it used up; returns how many.

        Without a word from the nonce a number that was used tells the same.
        """
        collided = [one.id for one in kept_aside if one.kind == NUMBER_USED]
        this = this_node(session)
        if forked or (collided and rows[0].epoch == this.epoch):
            heard = "the network had already heard further from this store"
            restored.new_epoch(session, this.id, heard, self.doors, is_put_back=False)
        return outbox.renumber(session, collided)

    def _compare(self, session: Session, theirs: wire.Received, *, is_doubtful: bool) -> int:
        """Put back what the network lost of an epoch (rule 4 of the package).

        is_doubtful: its books were restored, or just now a copy of ours was found to have gone on in this epoch: what
        was confirmed there may be gone, and the copy's rows stand in its place.
        """
        this = this_node(session)
        if outbox.head_at(session, NETWORK, theirs.epoch, theirs.n) == theirs.head:
            is_short = theirs.count < outbox.confirmed(session, NETWORK, theirs.epoch)
            return outbox.rewind(session, NETWORK, theirs.epoch, theirs.n) if is_short else 0
        if theirs.epoch == this.epoch:
            foreign = "the network's books of this epoch are not ours"
            restored.new_epoch(session, this.id, foreign, self.doors, is_put_back=False)
        elif not is_doubtful:
            return 0  # shared with a copy once: each row of it was confirmed by its own hash
        return outbox.rewind(session, NETWORK, theirs.epoch, 0)

    # --- pull ---

    def _pull_messages(self) -> None:
        while True:
            with self.doors.read() as session:
                heads = session.scalars(sa.select(InboxHead).where(InboxHead.from_node == NETWORK)).all()
                mine = this_node(session).epoch
            parameters = (*_had({head.epoch: head.n for head in heads}), ("mine", mine))
            answer = self._read(self.client.get("/api/sync/messages", params=parameters), wire.Pull)
            for batch in answer.batches:
                self._take(batch)
            with self.doors.read() as session:
                after = session.scalars(sa.select(InboxHead).where(InboxHead.from_node == NETWORK)).all()
            if sum(head.count + head.n for head in after) == sum(head.count + head.n for head in heads):
                return

    def _take(self, batch: wire.Batch) -> None:
        at = self.doors.now()
        effect = receiver.effect_of(NETWORK, at)
        for start in range(0, len(batch.rows), ROWS_AT_ONCE):
            with self.doors.write() as session:
                some = [row.message() for row in batch.rows[start : start + ROWS_AT_ONCE]]
                outcomes = inbox.take(session, inbox.Arrival(NETWORK, batch.epoch, some), effect, at=at)
            self.done.pulled += sum(outcome.state != "already" for outcome in outcomes)

    def _pull_editions(self) -> wire.Editions:
        listed = self._read(self.client.get("/api/sync/publications"), wire.Editions)
        with self.doors.read() as session:
            have = {row.kind: row.sha256 for row in session.scalars(sa.select(Pulled))}
        for edition in listed.editions:
            if have.get(edition.kind) == edition.sha256 or edition.kind not in EDITIONS:
                continue
            whole = self._read(self.client.get(f"/api/sync/publications/{edition.kind}"), wire.Edition)
            try:
                with self.doors.write() as session:
                    take_over(
                        session,
                        whole.kind,
                        whole.version,
                        whole.sha256,
                        dt.datetime.fromisoformat(whole.made_at),
                        whole.text,
                        effect_of_edition(whole.kind, whole.sha256, self.doors.now()),
                        at=self.doors.now(),
                    )
            except (OSError, sa.exc.OperationalError):
                raise
            except Exception as fault:  # the network says what it likes; undone, and the old edition stays in use
                with self.doors.write() as session:
                    note_refused(session, whole.kind, whole.version, whole.sha256, fault, at=self.doors.now())
                self.done.refused.append(f"The {whole.kind} could not be taken over: {fault}")
                log.warning("edition refused", kind=whole.kind, version=whole.version, why=str(fault))
                continue
            self.done.editions.append(whole.kind)
        return listed

    # --- tell ---

    def _send_forecast(self, known: wire.ForecastKnown) -> None:
        """Tell what this store expects to sell, where the network has no run as new and did not refuse this one."""
        after = known.origin_day, known.run_id
        with self.doors.read() as session:
            reported = reported_forecasts.to_send(
                session, self.doors.settings.node_id, after=after, but=known.refused_run_id
            )
        if reported is None:
            return
        content, headers = wire.pack(reported)
        try:
            answer = self.client.post("/api/sync/forecast", content=content, headers=headers)
            refused = self._read(answer, wire.ForecastHeard).refused
        except (_Refusal, _TooLarge) as refusal:
            if isinstance(refusal, _Refusal) and refusal.is_of_the_store:
                raise
            refused = f"{refusal.code}: {refusal}"
        with self.doors.write() as session:
            reported_forecasts.note_answer(session, self.doors.settings.node_id, reported["run_id"], refused)
        if refused:
            self.done.refused.append(f"The network did not take the forecast: {refused}")
            log.warning("forecast refused", run=reported["run_id"], why=refused)

    def _read(self, answer: httpx2.Response, shape: type[Model]) -> Model:
        """Return a checked answer; anything but 200 and JSON of the right shape is a fault (rules 2 and 3)."""
        self.reported = answer.headers.get("Date")
        if answer.status_code == 413:
            raise _TooLarge
        if answer.status_code in (401, 403, 422, 426) and (reported := wire.refusal_of(answer.content)) is not None:
            raise _Refusal(answer.status_code, reported)
        if answer.status_code == 429:
            self.done.pause_s = _seconds(answer.headers.get("Retry-After"))
            raise Unreachable("too-much", "The network is busy; the rest will be sent shortly.")
        if answer.status_code != 200:
            raise Unreachable(
                "network-fault", "The network returned status %(status_code)s.", status_code=answer.status_code
            )
        if "json" not in answer.headers.get("Content-Type", ""):
            raise Unreachable("captive-portal", "Something between this store and the network responded instead.")
        try:
            return shape.model_validate_json(answer.content)
        except ValidationError as fault:
            raise Unreachable("network-fault", "The network's response cannot be read.") from fault


def _had(have: dict[str, int]) -> tuple[tuple[str, str], ...]:
    return tuple(pair for epoch, n in have.items() for pair in (("epoch", epoch), ("after_n", str(n))))


def moment_reported(date: str | None) -> dt.datetime | None:
    """Return the moment an answer's `Date` names (RFC 9110); None where it names none."""
    try:
        return dt.datetime.strptime(date or "", "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=dt.UTC)
    except ValueError:
        return None


def ask_end(settings: Settings) -> wire.KnownEnd:
    """Ask the network what it remembers of the end of this store's journal."""
    try:
        with client_for(settings) as client:
            answer = client.get("/api/sync/journal")
            answer.raise_for_status()
            return wire.KnownEnd.model_validate_json(answer.content)
    except (httpx2.HTTPError, ValidationError) as fault:
        raise Unreachable("network-fault", "The network could not be asked for its records.") from fault


def effect_of_edition(kind: str, sha256: str, at: dt.datetime) -> Callable[[Session, dict[str, Any]], None]:
    """Return what checks an edition and takes it over; the journal names the products that it changes."""
    effect: Callable[[Session, dict[str, Any]], Iterable[str] | None]
    effect = importlib.import_module(EDITIONS[kind]).take_edition

    def taken(session: Session, body: dict[str, Any]) -> None:
        edition_check.check(session, kind, body, sha256)
        if changed := effect(session, body):
            ctx = Context(session, Actor.system("sync", this_node(session).id), at)
            record_many(ctx, [("product.published", f"product:{sku}", {}) for sku in changed])

    return taken


def _seconds(reported: str | None) -> int:
    return int(reported) if reported and reported.isascii() and reported.isdigit() and len(reported) < 6 else 0
