"""Copies of a node's books, each proved by a restore drill before it counts.

Rules
-----
1. A copy is made while the store sells, by SQLite's own backup, never by copying a live file. It is written beside its
   name, synchronised, and gets the name only when it is proved.
2. Proved means: opened from its own file, whole (`integrity_check`), and the journal's chain and the seals of the sales
   hold; how many invariants of the books do not is noted.
3. Beside each copy lies a note (JSON): node, epoch, revision, journal's end, size and SHA-256. A copy without its note,
   or with another content, is not put back.
4. Kept are the copies of the last seven days, one a week for five weeks, and one a month for a year.
5. Putting back needs the node to stand still; the present file is moved aside, never deleted. The node begins a new
   epoch at once, so that no number is used twice (I18), and the journal says so. What the present books know of the
   node's own signing keys goes along.
6. On PostgreSQL `pg_dump` makes the copy and the drill restores it into a database of its own. What happened since the
   last copy is the archive's business (`docs/manual/en/system/backup.md`).
7. What the network is not told (people, settings, products of the store's own, customers) lies in the copies alone: a
   store that changed any of it is copied when it has let it rest for a while, at most once an hour.
"""

import datetime as dt
import hashlib
import json
import os
import shutil
import socket
import sqlite3
import subprocess
from collections.abc import Iterable
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
import structlog
from filelock import FileLock, Timeout
from sqlalchemy.engine import URL
from sqlalchemy.orm import Session

from config import migrate
from config.clock import FrozenClock
from config.database import Database, make_engine
from config.errors import Conflict, DomainError, Invalid, NotFound, Refused, Unreachable
from config.nodes import journal, node, signing_keys
from config.nodes.journal import Actor, Context, JournalEntry, JournalHead
from config.settings import Settings
from pos.sold import Sale
from store_app.runtime.doors import Doors, open_doors

if TYPE_CHECKING:
    from store_app.node.verifying import Anchor

log = structlog.get_logger()

DAYS, WEEKS, MONTHS = 7, 5, 12
RESTS, BETWEEN = dt.timedelta(minutes=10), dt.timedelta(hours=1)
"""Changes that belong together are copied together; a store that is set up all day is not copied all day (rule 7)."""
NOT_REPORTED = (
    "badge", "barcode", "customer", "logo", "place", "price", "prices", "printer", "product", "scheme", "selling_hours",
    "staff", "supplier", "tare",
)  # fmt: skip
"""Of what the journal's entries tell that the network hears nothing of; so it does of whatever was set."""
SPARE = 1.2
"""So many times the books' size must be free before a copy is begun."""


@dataclass(frozen=True)
class Note:
    """What is known of a copy. faults: invariants of the books that did not hold when it was made."""

    file: str
    node_id: str
    epoch: str
    revision: str
    journal_n: int
    journal_hash: str
    made_at: str
    size: int
    sha256: str
    faults: int = 0
    sales: int | None = None
    last_sale_at: str = ""
    """The store's sales in it, and when the last one was completed; None and '' in a copy of an older program."""

    @property
    def at(self) -> dt.datetime:
        """Return when it was made."""
        return dt.datetime.fromisoformat(self.made_at)


@dataclass(frozen=True)
class Proof:
    """What a copy that was looked through holds; see `Note`."""

    faults: int
    journal_n: int
    journal_hash: str
    sales: int
    last_sale_at: str


# --- verbs ---


def make(doors: Doors) -> Note:
    """Copy the books and prove the copy (rules 1, 2); returns its note."""
    folder, at = folder_of(doors), doors.now()
    folder.mkdir(parents=True, exist_ok=True)
    is_sqlite = doors.database.engine.dialect.name == "sqlite"
    name = f"{doors.settings.node_id}-{at.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}.{'db' if is_sqlite else 'dump'}"
    file, partly = folder / name, folder / f"{name}.part"
    try:
        proof = (_copy_file if is_sqlite else _dump)(doors, partly)
        with doors.read() as session:
            this = node.this_node(session)
        note = Note(
            file=name, node_id=this.id, epoch=this.epoch, revision=migrate.current(doors.database.engine) or "",
            made_at=at.isoformat(), size=partly.stat().st_size, sha256=_sha256(partly), **asdict(proof),
        )  # fmt: skip
        _write_synced(folder / f"{name}.json", json.dumps(asdict(note), indent=1))
        partly.replace(file)
    finally:
        for left in (partly, *(partly.with_name(partly.name + end) for end in ("-wal", "-shm"))):
            left.unlink(missing_ok=True)
    _thin(folder, doors.settings.node_id)
    return note


def make_for(node_at: tuple[Settings, dt.datetime]) -> str:
    """Copy the books of a node in a process of its own: (its settings, now); returns the copy's name."""
    settings, at = node_at
    doors = open_doors(settings, FrozenClock(at))
    try:
        return make(doors).file
    finally:
        doors.database.engine.dispose()


def put_back(doors: Doors, file: Path) -> Path | None:
    """Put a copy back in the place of the books (rules 3, 5); returns where the present ones were moved to."""
    note = checked(file)
    if note.node_id != doors.settings.node_id:
        raise Refused(
            "another-node", "This is a backup of %(node_id)s, not of %(ours)s.", node_id=note.node_id,
            ours=doors.settings.node_id,
        )  # fmt: skip
    url = doors.database.engine.url
    keys = _keys_here(doors)
    if url.get_backend_name() != "sqlite":
        _restore_dump(url, file)
        aside = None
    else:
        with _standing_still(doors):
            doors.database.engine.dispose()
            aside = _exchange(Path(str(url.database)), file, doors.now())
    engine = make_engine(url.render_as_string(hide_password=False))
    try:
        migrate.upgrade(engine)
    finally:
        engine.dispose()
    _restart(doors, note, keys)
    return aside


def prove(file: Path, node_id: str, known: "Iterable[Anchor]" = ()) -> Proof:
    """Open a copy from its own file and look through it (rule 2). known: what others remember of its journal."""
    engine = make_engine(f"sqlite:///{file}")
    try:
        with engine.connect() as connection:
            said = connection.exec_driver_sql("PRAGMA integrity_check").scalar()
            if said != "ok":
                raise Invalid("broken-copy", "The backup is damaged: %(said)s. The disk may be failing.", said=said)
        return _look_through(Database(engine), node_id, known)
    finally:
        engine.dispose()


# --- questions ---


def wants_copy(doors: Doors) -> bool:
    """Tell whether somebody changed what no copy of this epoch has yet, and let it rest (rule 7)."""
    at = doors.now()
    with doors.read() as session:
        this = node.this_node(session)
        ours = [note for note in copies(doors) if note.epoch == this.epoch]
        if ours and at - ours[0].at < BETWEEN:
            return False
        changed = sa.select(sa.func.max(JournalEntry.at)).where(
            JournalEntry.node_id == this.id,
            JournalEntry.n > (ours[0].journal_n if ours else 0),
            JournalEntry.actor_id.not_like("job:%"),
            sa.or_(*(JournalEntry.verb.like(f"{noun}.%") for noun in NOT_REPORTED), JournalEntry.verb.like("%.%set")),
        )
        last = session.scalar(changed)
    return last is not None and at - last >= RESTS


def folder_of(doors: Doors) -> Path:
    """Return where the copies lie."""
    return doors.settings.backup_folder or doors.settings.state_folder / "backups"


def copies(doors: Doors) -> list[Note]:
    """Return the notes of all copies that are there, the newest first."""
    folder = folder_of(doors)
    return [note for note in _notes(folder, doors.settings.node_id) if (folder / note.file).exists()]


def checked(file: Path) -> Note:
    """Return the note of a copy that can be put back (rule 3)."""
    note = read_note(file)
    if _sha256(file) != note.sha256:
        raise Invalid("broken-copy", "%(name)s has changed since it was made. Use another backup.", name=file.name)
    if not migrate.knows(note.revision):
        raise Refused("newer-copy", "A newer version made this backup. Update the software first.")
    return note


def read_note(file: Path) -> Note:
    """Return the note beside a copy; refuses a file that has none."""
    try:
        return Note(**json.loads(file.with_name(f"{file.name}.json").read_text("utf-8")))
    except FileNotFoundError as fault:
        raise NotFound(
            "no-such-copy",
            "The file %(name)s.json is missing next to %(name)s. Choose a file made by `cornerstore backup`.",
            name=file.name,
        ) from fault
    except (OSError, ValueError, TypeError) as fault:
        raise Invalid(
            "broken-copy", "The file that goes with %(name)s cannot be read. Use another backup.", name=file.name
        ) from fault


def refuse_no_room(folder: Path, size: int) -> None:
    """Refuse to put so many bytes of a copy into a folder whose disk has no room for them."""
    free = shutil.disk_usage(folder).free
    if free < size * SPARE:
        raise Refused(
            "no-room", "Only %(free)s MB are free for a backup. Free some space, or choose another folder.",
            free=free // 10**6,
        )  # fmt: skip


def is_running(doors: Doors) -> bool:
    """Tell whether this node serves or works on this machine now."""
    with socket.socket() as probe:
        probe.settimeout(1)
        if doors.settings.port and probe.connect_ex((doors.settings.host, doors.settings.port)) == 0:
            return True
    serves = doors.server_lock is not None and _is_held(doors.server_lock)
    return serves or worker_runs(doors)


def worker_runs(doors: Doors) -> bool:
    """Tell whether a worker leads on these books (of an SQLite database)."""
    return _is_held(doors.settings.state_folder / f"{doors.settings.node_id}.work.lock")


def _is_held(path: Path) -> bool:
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return True
    lock.release()
    return False


# --- inside ---


def _copy_file(doors: Doors, partly: Path) -> Proof:
    source_file = Path(str(doors.database.engine.url.database))
    refuse_no_room(partly.parent, source_file.stat().st_size)
    with closing(sqlite3.connect(source_file)) as source, closing(sqlite3.connect(partly)) as target:
        source.backup(target, pages=2000, sleep=0.005)  # a little at a time: the till goes in between
        target.execute("PRAGMA journal_mode=DELETE")  # one file, nothing beside it
    with partly.open("rb+") as file:
        os.fsync(file.fileno())
    drilled = partly.with_name(f"{partly.name}.drill")
    shutil.copyfile(partly, drilled)  # looking through it leaves traces
    try:
        return prove(drilled, doors.settings.node_id)
    finally:
        for end in ("", "-wal", "-shm", ".turn"):
            drilled.with_name(drilled.name + end).unlink(missing_ok=True)


def _look_through(database: Database, node_id: str, known: "Iterable[Anchor]") -> Proof:
    import pos.sync.checks
    import supply.sync.checks
    from store_app.node import verifying

    with database.read() as session:
        report = verifying.verify_in(session, node_id, known)
        if report.faults:
            raise Invalid("books-broken", "The journal in the backup is broken: %(faults)s", faults=report.faults[0])
        faults = len(list(pos.sync.checks.findings(session))) + len(supply.sync.checks.findings(session))
        return _proof(session, node_id, faults)


def _proof(session: Session, node_id: str, faults: int) -> Proof:
    head = session.get(JournalHead, node_id)
    of_sales = sa.select(sa.func.count(), sa.func.max(Sale.completed_at)).where(Sale.store_id == node_id)
    sales, last_at = session.execute(of_sales).one()
    n, end = (head.n, head.hash) if head else (0, journal.GENESIS)
    return Proof(faults, n, end, sales, last_at.isoformat() if last_at else "")


def _exchange(present: Path, file: Path, at: dt.datetime) -> Path | None:
    """Put a copy in a file's place, so that a crash leaves the one or the other whole."""
    aside = present.with_name(f"{present.name}.before-{at.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}")
    coming = present.with_name(f"{present.name}.coming")
    shutil.copyfile(file, coming)
    with coming.open("rb+") as written:
        os.fsync(written.fileno())
    is_there = present.exists()
    if is_there:
        with closing(sqlite3.connect(present)) as last:
            last.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        os.link(present, aside)
    for end in ("-wal", "-shm"):
        present.with_name(present.name + end).unlink(missing_ok=True)
    coming.replace(present)
    return aside if is_there else None


def _keys_here(doors: Doors) -> list[dict[str, Any]]:
    """Return the public signing keys the present books know of this node; none where they cannot be read."""
    try:
        with doors.read() as session:
            rows = signing_keys.of(session, doors.settings.node_id)
            return [{column.name: getattr(row, column.name) for column in row.__table__.columns} for row in rows]
    except sa.exc.DBAPIError:
        return []


def _restart(doors: Doors, note: Note, keys: list[dict[str, Any]]) -> None:
    """Begin a new epoch in books that were put back, and say so in the journal (rule 5)."""
    from store_app.sync import restored

    again = open_doors(doors.settings, doors.clock)
    try:
        with again.write() as session:
            actor = Actor.system("restore", note.node_id)
            journal.record(
                Context(session, actor, again.now()), verb="database.restored", subject=f"node:{note.node_id}",
                copy=note.file, made_at=note.made_at, journal_n=note.journal_n)  # fmt: skip
            signing_keys.carry(session, note.node_id, keys)
            restored.new_epoch(session, note.node_id, "the database was put back from a copy", again)
        restored.keep_sidecar(again)
    finally:
        again.database.engine.dispose()


class _standing_still:  # noqa: N801 - reads as words: with _standing_still(doors)
    """Hold the worker's place while the books are exchanged; refuses a node that runs."""

    def __init__(self, doors: Doors) -> None:
        if is_running(doors):
            raise Conflict("still-running", "This node is still running. Stop it before you restore the backup.")
        self._lock = FileLock(doors.settings.state_folder / f"{doors.settings.node_id}.work.lock")

    def __enter__(self) -> None:
        self._lock.acquire(timeout=5)

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def _thin(folder: Path, node_id: str) -> None:
    """Delete the copies nobody needs any more (rule 4)."""
    notes = _notes(folder, node_id)
    kept: set[str] = {note.file for note in notes[:2]}
    for most, period in ((DAYS, "%Y-%m-%d"), (WEEKS, "%G-%V"), (MONTHS, "%Y-%m")):
        newest: dict[str, str] = {}
        for note in notes:
            newest.setdefault(note.at.strftime(period), note.file)
        kept |= set(list(newest.values())[:most])
    for note in notes:
        if note.file not in kept:
            (folder / note.file).unlink(missing_ok=True)
            (folder / f"{note.file}.json").unlink(missing_ok=True)


def _sha256(file: Path) -> str:
    try:
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except FileNotFoundError as fault:
        raise NotFound("no-such-copy", "File %(file)s not found.", file=file) from fault


def _write_synced(path: Path, text: str) -> None:
    """Write a note whole or not at all, whenever the power goes."""
    beside = path.with_name(f"{path.name}.part")
    with beside.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def _notes(folder: Path, node_id: str) -> list[Note]:
    """Return the notes that can be read, the newest first; one that a power cut left empty hides no other copy."""
    found = []
    for path in folder.glob(f"{node_id}-*.json"):
        try:
            found.append(read_note(path.with_suffix("")))
        except DomainError as fault:
            log.warning("copy without a note that can be read", note=path.name, why=fault.message)
    return sorted(found, key=lambda note: note.at, reverse=True)


# --- inside, PostgreSQL ---


def _dump(doors: Doors, partly: Path) -> Proof:
    url = doors.database.engine.url
    _run("pg_dump", ["--format=custom", f"--file={partly}"], url)
    scratch = url.set(database=f"{url.database}_drill")
    server = make_engine(url.render_as_string(hide_password=False)).execution_options(isolation_level="AUTOCOMMIT")
    try:
        with server.connect() as connection:
            connection.execute(sa.text(f'DROP DATABASE IF EXISTS "{scratch.database}" WITH (FORCE)'))
            connection.execute(sa.text(f"CREATE DATABASE \"{scratch.database}\" TEMPLATE template0 ENCODING 'UTF8'"))
        _run("pg_restore", ["--no-owner", "--exit-on-error", str(partly)], scratch)
        drilled = Database(make_engine(scratch.render_as_string(hide_password=False)))
        try:
            with drilled.read() as session:
                if faults := journal.verify(session, doors.settings.node_id):
                    raise Invalid("books-broken", "The journal in the backup is broken: %(faults)s", faults=faults[0])
                return _proof(session, doors.settings.node_id, 0)
        finally:
            drilled.engine.dispose()
    finally:
        with server.connect() as connection:
            connection.execute(sa.text(f'DROP DATABASE IF EXISTS "{scratch.database}" WITH (FORCE)'))
        server.dispose()


def _restore_dump(url: URL, file: Path) -> None:
    engine = make_engine(url.render_as_string(hide_password=False))
    is_empty = not sa.inspect(engine).get_table_names()
    engine.dispose()
    if not is_empty:
        reported = "Name an empty database in database_url; the present one stays as it is."
        raise Refused("not-empty", "You can restore only into an empty database. %(reported)s", reported=reported)
    _run("pg_restore", ["--no-owner", "--exit-on-error", str(file)], url)


def _run(program: str, arguments: list[str], url: URL) -> None:
    address = url.set(drivername="postgresql", password=None).render_as_string()
    secret = {"PGPASSWORD": str(url.password)} if url.password else {}  # where no other user's `ps` shows it
    try:
        done = subprocess.run(
            [program, "--dbname", address, *arguments], capture_output=True, text=True, check=False,
            env=os.environ | secret,
        )  # fmt: skip
    except FileNotFoundError as fault:
        raise Unreachable(
            "no-client",
            "%(program)s is not installed on this computer. Install the PostgreSQL client programs that match the "
            "server's version.",
            program=program,
        ) from fault
    if done.returncode:
        raise Unreachable("copy-failed", f"{program}: {(done.stderr.strip().splitlines() or ['it failed'])[-1][:300]}")
