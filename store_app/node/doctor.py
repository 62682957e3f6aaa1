"""How a node is: a sentence about each thing that could go wrong, and what to do. For `doctor`, /metrics, the watch.

Rules
-----
1. Each look is its own: one that fails is a sentence too, and the others go on.
2. A light is good, warn or bad. Bad is what loses sales or stops them; warn what will, if nobody acts.
3. A store that is cut off sells on: its queue is warn after an hour, bad after a day, and says something else after a
   week (RELIABILITY 7.12).
4. Reading the whole file takes seconds and grows with the books. A scrape says when the nightly copy, which is read
   whole, was last proved; people who ask have the file itself read.
"""

import datetime as dt
import os
import shutil
import stat
import sys
import sysconfig
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx2
import sqlalchemy as sa

from config import migrate, private
from config.clock import SystemClock
from config.database import refuse_unsafe
from config.errors import DomainError, cause
from config.ids import NETWORK
from config.nodes import append_only, outbox, publication
from config.nodes.inbox import InboxMessage
from config.nodes.node import this_node
from config.nodes.outbox import OutboxMessage
from pos.stock import changed_days
from pos.store.store import Store
from store_app.node import backup, plugins, rehearsal
from store_app.runtime import job_runs, outgoing, tables
from store_app.runtime.doors import Doors
from store_app.web import staff
from store_app.words.health import health
from supply.demand.forecasts import ForecastRun

GOOD, WARN, BAD = "good", "warn", "bad"
LEAST_FREE, LOW_FREE = 200_000_000, 1_000_000_000
CLOCK_OFF_S = 120.0
REMOTE_DISKS = frozenset({"nfs", "nfs4", "cifs", "smb3", "smbfs", "fuse.sshfs", "9p", "vboxsf"})
UPDATE_DUE_DAYS = 100
_POWERS = sa.text(
    "SELECT rolsuper OR rolcreaterole OR rolreplication OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
)
QUEUE_LATE = {
    dt.timedelta(hours=1): "queue-hour", dt.timedelta(days=1): "queue-day", dt.timedelta(days=7): "queue-week",
}  # fmt: skip
"""How old the oldest unsent message is, and what is said then."""
Look = Callable[[Doors], "Word"]


@dataclass(frozen=True)
class Word:
    """What was found about one thing.

    said: codes of sentences and their facts (`words.health`); value: its figure for /metrics, where it has one.
    """

    thing: str
    light: str
    said: tuple[tuple[str, dict[str, Any]], ...]
    value: float | None = None

    @property
    def sentence(self) -> str:
        """What was found, in words."""
        return health(self.said)

    def also(self, code: str, **facts: Any) -> "Word":
        """Return the word with another sentence."""
        return replace(self, said=(*self.said, (code, facts)))


def examine(doors: Doors, *, outside: bool = True, reads_file: bool = True) -> list[Word]:
    """Look at everything; outside: the network is asked, too; reads_file: the whole SQLite file is read (rule 4)."""
    looks: list[Look] = [
        _database if reads_file else _database_at_a_glance,
        _protection,
        _disk,
        _place,
        _clock,
        _backups,
        _jobs,
        _worker,
        _settings,
        _files,
        _outgoing,
        _age,
        _guesses,
        _forecasts,
        _plugins,
    ]
    if doors.settings.role == "network":
        looks += [_parked, _rolling]
    elif doors.settings.network_url:
        looks += [_queue, _editions, _put_back, *([_line] if outside else [])]
    return [_safely(look, doors) for look in looks]


# --- inside ---


def _word(thing: str, light: str, code: str, value: float | None = None, /, **facts: Any) -> Word:
    return Word(thing, light, ((code, facts),), value)


def _safely(look: Look, doors: Doors) -> Word:
    try:
        return look(doors)
    except (DomainError, OSError, sa.exc.SQLAlchemyError) as fault:
        return _word(look.__name__.strip("_"), BAD, "check-failed", why=cause(fault))


def _database_at_a_glance(doors: Doors) -> Word:
    return _database(doors, reads_file=False)


def _database(doors: Doors, *, reads_file: bool = True) -> Word:
    engine = doors.database.engine
    refuse_unsafe(engine)
    is_at, newest = migrate.current(engine), migrate.newest()
    if is_at != newest:
        return _word("database", BAD, "database-version", is_at=is_at, newest=newest)
    if engine.dialect.name != "sqlite":
        with engine.connect() as connection:
            powers = connection.execute(_POWERS).scalar()
        if powers and not doors.settings.practice:
            return _word("database", WARN, "database-rights")
        return _word("database", GOOD, "database-postgresql", is_at=is_at)
    size = Path(str(engine.url.database)).stat().st_size
    megabytes = round(size / 1e6)
    if reads_file:
        with engine.connect() as connection:
            fault = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
        if fault != "ok":
            return _word("database", BAD, "database-damaged", fault=fault)
        return _word("database", GOOD, "database", float(size), megabytes=megabytes, is_at=is_at)
    copies = backup.copies(doors)
    if not copies:
        return _word("database", GOOD, "database-unchecked", float(size), megabytes=megabytes, is_at=is_at)
    hours = _hours(doors.now() - copies[0].at)
    return _word("database", GOOD, "database-checked", float(size), hours=hours, megabytes=megabytes, is_at=is_at)


def _hours(age: dt.timedelta) -> int:
    return round(age.total_seconds() / 3600)


def _protection(doors: Doors) -> Word:
    """Tell whether the database still refuses to change what is on record."""
    tables.known()
    with doors.read() as session:
        off = append_only.unprotected(session)
    if off:
        return _word("protection", BAD, "protection-off", float(len(off)), tables=", ".join(off))
    return _word("protection", GOOD, "protection", 0.0)


def _disk(doors: Doors) -> Word:
    free = shutil.disk_usage(doors.settings.state_folder).free
    light = BAD if free < LEAST_FREE else WARN if free < LOW_FREE else GOOD
    found = _word("disk", light, "disk", float(free), free=free / 1e9)
    return found if light == GOOD else found.also("disk-full")


def _place(doors: Doors) -> Word:
    """Tell whether the state folder lies on a disk of this machine."""
    kind = _kind_of_disk(doors.settings.state_folder.resolve())
    return _word("place", BAD, "place-remote", kind=kind) if kind in REMOTE_DISKS else _word("place", GOOD, "place")


def _clock(doors: Doors) -> Word:
    """Tell whether the machine's clock shows what cannot be."""
    behind_s = doors.clock.behind_s() if isinstance(doors.clock, SystemClock) else 0.0
    if behind_s <= CLOCK_OFF_S:
        return _word("clock", GOOD, "clock", behind_s)
    now = f"{doors.now():%Y-%m-%d %H:%M}"
    return _word("clock", BAD, "clock-behind", behind_s, days=behind_s / 86_400, now=now)


def _kind_of_disk(folder: Path) -> str:
    mounts = Path("/proc/mounts")
    if not mounts.exists():
        return ""
    found, kind = Path("/"), ""
    for line in mounts.read_text("utf-8").splitlines():
        _, where, of_kind, *_ = line.split(" ")
        at = Path(where.replace("\\040", " "))
        if folder.is_relative_to(at) and len(at.parts) >= len(found.parts):
            found, kind = at, of_kind
    return kind


def _backups(doors: Doors) -> Word:
    copies = backup.copies(doors)
    if not copies:
        return _word("backups", BAD, "backups-none")
    age = doors.now() - copies[0].at
    light = BAD if age > dt.timedelta(days=7) else WARN if age > dt.timedelta(hours=36) else GOOD
    same_disk = os.stat(backup.folder_of(doors)).st_dev == os.stat(doors.settings.state_folder).st_dev  # noqa: PTH116
    found = _word("backups", light, "backups", age.total_seconds(), hours=_hours(age))
    found = found.also("backups-here") if same_disk else found
    return found.also("backups-unrehearsed") if _is_rehearsal_due(doors) else found


def _is_rehearsal_due(doors: Doors) -> bool:
    """Tell whether nobody rehearsed this store's restore for long; the network restores by its operator's own drill."""
    with doors.read() as session:
        node = this_node(session)
        last = rehearsal.last(session, node.id)
    return node.id != NETWORK and doors.now() - (last[0] if last else node.born_at) > rehearsal.DUE_AFTER


def _jobs(doors: Doors) -> Word:
    with doors.read() as session:
        failed = job_runs.failed(session, doors.settings.node_id, at=doors.now())
        running = job_runs.under_way(session, doors.settings.node_id)
    if not failed:
        found = _word("jobs", GOOD, "jobs", 0.0)
        for run in running:
            found = found.also("jobs-running", job=run.job, day=f"{run.day}", outcome=run.outcome)
        return found
    light = BAD if any(run.tries > job_runs.MOST_TRIES for run in failed) else WARN
    found = _word("jobs", light, "jobs-failed", float(len(failed)), count=len(failed))
    for run in failed[:3]:
        found = found.also(
            "job-cut-off" if run.state == "running" else "job-failed",
            job=run.job, day=f"{run.day}", outcome=run.outcome.rstrip("."),
        )  # fmt: skip
    return found


def _forecasts(doors: Doors) -> Word:
    """Tell how near last week's forecasts of the stores were that this node forecasts for."""
    query = sa.select(ForecastRun.origin_day, ForecastRun.version, ForecastRun.reason).join(
        Store, sa.and_(Store.id == ForecastRun.scope_id, ForecastRun.state == "published")
    )
    with doors.read() as session:
        runs = session.execute(query).all()
    if not runs:
        return _word("forecasts", GOOD, "forecasts-none")
    newest = max(runs, key=lambda run: run.origin_day)
    off, fallen = (sum(sign in (run.reason or "") for run in runs) for sign in ("drifts:", "fell_back:"))
    found = _word(
        "forecasts", WARN if off else GOOD, "forecasts", float(off),
        count=len(runs), day=f"{newest.origin_day}", version=newest.version,
    )  # fmt: skip
    return found.also("forecasts-off", off=off, fallen=fallen) if off or fallen else found


def _worker(doors: Doors) -> Word:
    if doors.database.engine.dialect.name != "sqlite":
        return _word("worker", GOOD, "worker-several")
    if backup.worker_runs(doors):
        return _word("worker", GOOD, "worker", 1.0)
    return _word("worker", WARN, "worker-none", 0.0)


def _settings(doors: Doors) -> Word:
    named = os.environ.get("CORNERSTORE_SETTINGS")
    if named and sys.platform != "win32" and stat.S_IMODE(Path(named).stat().st_mode) & 0o077:
        return _word("settings", WARN, "settings-open", file=named)
    if doors.settings.practice:
        return _word("settings", WARN, "settings-practice")
    given = doors.settings
    if given.role == "network" and given.public_url.startswith("https:") and not given.secure_cookies:
        return _word("settings", WARN, "settings-cookies")
    return _word("settings", GOOD, "settings")


def _files(doors: Doors) -> Word:
    books = doors.database.engine.url.database if doors.database.engine.dialect.name == "sqlite" else None
    copies = backup.folder_of(doors).glob(f"{doors.settings.node_id}-*")
    files = [*copies, doors.settings.signing_key, *([Path(books)] if books else [])]
    if read_by_all := sorted(str(file) for file in files if private.is_open(file) and private.is_open(file.parent)):
        many = len(read_by_all)
        return _word("files", WARN, "files-open", float(many), count=many, file=read_by_all[0])
    return _word("files", GOOD, "files")


def _outgoing(doors: Doors) -> Word:
    """Tell what the settings make this node connect to: what a firewall has to let through, and nothing else."""
    places = "; ".join(f"{place} ({name})" for name, place in outgoing.reached(doors.settings))
    return _word("outgoing", GOOD, "outgoing", places=places) if places else _word("outgoing", GOOD, "outgoing-none")


def _plugins(doors: Doors) -> Word:
    """Name each plug-in that does not work, with what its page says of it."""
    found = Word("plug-ins", GOOD, (), 0.0)
    for one in plugins.faulty(doors.settings):
        found = replace(found, light=WARN, value=(found.value or 0) + 1).also(
            "plugin-fault", plugin=one.label, why=one.words
        )
    return found if found.said else found.also("plugins")


def _age(doors: Doors) -> Word:
    """Tell how old the program and its libraries are (docs/security.md promises an update each quarter)."""
    changed = Path(sysconfig.get_path("purelib")).stat().st_mtime
    days = max(0, (doors.now() - dt.datetime.fromtimestamp(changed, dt.UTC)).days)
    if days > UPDATE_DUE_DAYS:
        return _word("age", WARN, "age", days, days=days).also("age-old")
    return _word("age", GOOD, "age", days, days=days)


def _guesses(doors: Doors) -> Word:
    with doors.read() as look:
        wrong = staff.guesses(look, doors.settings.node_id, doors.now())
    if wrong < staff.STRANGERS_NOTED:
        return _word("sign-in", GOOD, "sign-in", float(wrong))
    return _word("sign-in", WARN, "sign-in-guessed", float(wrong), count=wrong)


def _queue(doors: Doors) -> Word:
    with doors.read() as session:
        queue, node = outbox.waiting(session, NETWORK), this_node(session)
    oldest = queue["oldest"]
    age = doors.now() - oldest if oldest else dt.timedelta(0)
    late = [limit for limit in QUEUE_LATE if age > limit]
    light = BAD if queue["stuck"] or len(late) > 1 else WARN if late else GOOD
    found = _word("queue", light, "queue", age.total_seconds(), waiting=queue["pending"], refused=queue["stuck"])
    if late:
        found = found.also(QUEUE_LATE[late[-1]])
    return found.also("queue-fault", why=node.last_fault) if node.last_fault else found


def _editions(doors: Doors) -> Word:
    with doors.read() as session:
        refused = publication.refused(session)
    if not refused:
        return _word("editions", GOOD, "editions", 0.0)
    found = Word("editions", WARN, (), len(refused))
    for row in refused:
        found = found.also("edition-refused", edition=row.kind, why=row.as_refusal().message)
    return found.also("editions-old")


def _put_back(doors: Doors) -> Word:
    """Tell what came home into books that were put back from a copy, and what a person must look at."""
    from store_app.sync import homecoming

    with doors.read() as session:
        fetches = homecoming.is_awaited(session)
        found = homecoming.last(session, doors.settings.node_id)
    if fetches:
        return _word("put back", WARN, "put-back-waits")
    if found is None or doors.now() - found[0] > homecoming.SHOWN_FOR:
        return _word("put back", GOOD, "put-back", 0.0)
    at, came = found
    many, odd = sum(came["topics"].values()), came["odd_many"]
    sales = came["topics"].get("sale.completed", 0)
    light = WARN if odd else GOOD
    word = _word("put back", light, "put-back-came", float(many), day=f"{at:%Y-%m-%d}", count=many, sales=sales)
    return word.also("put-back-odd", count=odd) if odd else word


def _line(doors: Doors) -> Word:
    """Ask the network: certificate, key, and how far the clocks are apart."""
    from store_app.sync import sender, wire

    try:
        with sender.client_for(doors.settings) as client:
            began = time.time()
            answer = client.get("/api/sync/journal")
    except httpx2.HTTPError as fault:
        return _word("line", WARN, "line-none", why=str(fault) or type(fault).__name__)
    refusal = wire.refusal_of(answer.content) if answer.status_code == 403 else None
    if refusal is not None and refusal.code in wire.PAUSES:
        return _word("line", BAD, "line-paused", why=wire.PAUSES[refusal.code])
    if answer.status_code in (401, 403):
        return _word("line", BAD, "line-key")
    if answer.status_code != 200:
        return _word("line", WARN, "line-refused", status=answer.status_code)
    theirs = sender.moment_reported(answer.headers.get("Date"))
    if theirs is None:
        return _word("line", WARN, "line-other")
    off_s = theirs.timestamp() - began
    if abs(off_s) > CLOCK_OFF_S:
        return _word("line", WARN, "line-clock", off_s, seconds=round(off_s))
    return _word("line", GOOD, "line", off_s)


def _parked(doors: Doors) -> Word:
    with doors.read() as session:
        parked = session.scalar(sa.select(sa.func.count()).where(InboxMessage.state == "parked")) or 0
        stuck = session.scalar(sa.select(sa.func.count()).where(OutboxMessage.state == "stuck")) or 0
    light = WARN if parked or stuck else GOOD
    return _word("parked", light, "parked", float(parked), parked=parked, stuck=stuck)


def _rolling(doors: Doors) -> Word:
    with doors.read() as session:
        oldest = changed_days.oldest(session)
    behind_s = (doors.now() - oldest).total_seconds() if oldest else 0.0
    light = BAD if behind_s > 3600 else WARN if behind_s > 120 else GOOD
    return _word("roll-up", light, "roll-up", behind_s, seconds=round(behind_s))
