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
from dataclasses import dataclass
from pathlib import Path

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
from store_app.node import backup
from store_app.runtime import job_runs, outgoing, tables
from store_app.runtime.doors import Doors
from store_app.web import staff
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
    dt.timedelta(hours=1): "Nothing has been sent for over an hour. Check the internet connection; selling goes on.",
    dt.timedelta(days=1): "Nothing has been sent for over a day. Restart the router; if that fails, call the operator.",
    dt.timedelta(days=7): "Nothing has been sent for over a week; orders and forecasts use old figures. Use another "
    "connection, such as a phone, until everything is sent.",
}
"""How old the oldest unsent message is, and what to do then."""
Look = Callable[[Doors], "Word"]


@dataclass(frozen=True)
class Word:
    """What was found about one thing. value: its figure for /metrics, where it has one."""

    thing: str
    light: str
    sentence: str
    value: float | None = None


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
    ]
    if doors.settings.role == "network":
        looks += [_parked, _rolling]
    elif doors.settings.network_url:
        looks += [_queue, _editions, _put_back, *([_line] if outside else [])]
    return [_safely(look, doors) for look in looks]


# --- inside ---


def _safely(look: Look, doors: Doors) -> Word:
    try:
        return look(doors)
    except (DomainError, OSError, sa.exc.SQLAlchemyError) as fault:
        return Word(look.__name__.strip("_"), BAD, f"This check failed: {cause(fault)}.")


def _database_at_a_glance(doors: Doors) -> Word:
    return _database(doors, reads_file=False)


def _database(doors: Doors, *, reads_file: bool = True) -> Word:
    engine = doors.database.engine
    refuse_unsafe(engine)
    revision, newest = migrate.current(engine), migrate.newest()
    if revision != newest:
        return Word("database", BAD, f"The database is at version {revision}, not {newest}. Run `cornerstore migrate`.")
    if engine.dialect.name != "sqlite":
        with engine.connect() as connection:
            powers = connection.execute(_POWERS).scalar()
        if powers and not doors.settings.practice:
            reported = "Create a role that owns this database alone: CREATE ROLE cornerstore LOGIN CREATEDB."
            return Word("database", WARN, f"The node's PostgreSQL role has more rights than it needs. {reported}")
        return Word("database", GOOD, f"PostgreSQL, tables at version {revision}.")
    if reads_file:
        with engine.connect() as connection:
            said = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
        if said != "ok":
            reported = (
                "Stop selling on this computer, restore the last backup to another disk, and keep the damaged file."
            )
            return Word("database", BAD, f"The file is damaged: {said}. {reported}")
        whole = "Sound"
    else:
        copies = backup.copies(doors)
        hours = (doors.now() - copies[0].at).total_seconds() / 3600 if copies else 0
        whole = f"Sound when last checked, {hours:.0f} hours ago" if copies else "Not checked yet"
    size = Path(str(engine.url.database)).stat().st_size
    return Word("database", GOOD, f"{whole}, {size / 1e6:.0f} MB, tables at version {revision}.", float(size))


def _protection(doors: Doors) -> Word:
    """Tell whether the database still refuses to change what is on record."""
    tables.known()
    with doors.read() as session:
        off = append_only.unprotected(session)
    if off:
        reported = (
            f"Rows of {', '.join(off)} can be changed: their protection was removed from the database. "
            "Run `cornerstore verify` to check the books, then `cornerstore migrate`."
        )
        return Word("protection", BAD, reported, float(len(off)))
    return Word("protection", GOOD, "The database refuses to change or delete what is on record.", 0.0)


def _disk(doors: Doors) -> Word:
    free = shutil.disk_usage(doors.settings.state_folder).free
    light = BAD if free < LEAST_FREE else WARN if free < LOW_FREE else GOOD
    advice = "" if light == GOOD else " Free some space: with a full disk the store cannot sell."
    return Word("disk", light, f"{free / 1e9:.1f} GB free.{advice}", float(free))


def _place(doors: Doors) -> Word:
    """Tell whether the state folder lies on a disk of this machine."""
    kind = _kind_of_disk(doors.settings.state_folder.resolve())
    if kind in REMOTE_DISKS:
        return Word(
            "place", BAD, f"The state folder is on a network drive ({kind}). Move it to a disk of this computer."
        )
    return Word("place", GOOD, f"The state folder is on a disk of this computer{f' ({kind})' if kind else ''}.")


def _clock(doors: Doors) -> Word:
    """Tell whether the machine's clock shows what cannot be."""
    behind_s = doors.clock.behind_s() if isinstance(doors.clock, SystemClock) else 0.0
    if behind_s <= CLOCK_OFF_S:
        return Word("clock", GOOD, "This computer's clock looks right.", behind_s)
    reported = (
        f"This computer's clock is at least {behind_s / 86_400:.1f} days behind. Set it, or have it set from "
        f"the internet; until then, sales are dated {doors.now():%Y-%m-%d %H:%M} UTC or later."
    )
    return Word("clock", BAD, reported, behind_s)


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
        return Word("backups", BAD, "There is no backup yet. Run `cornerstore backup`.")
    age = doors.now() - copies[0].at
    hours = age.total_seconds() / 3600
    light = BAD if age > dt.timedelta(days=7) else WARN if age > dt.timedelta(hours=36) else GOOD
    same_disk = os.stat(backup.folder_of(doors)).st_dev == os.stat(doors.settings.state_folder).st_dev  # noqa: PTH116
    advice = " It is on the same disk as the books: set backup_folder to another disk." if same_disk else ""
    return Word("backups", light, f"The last tested backup is {hours:.0f} hours old.{advice}", age.total_seconds())


def _jobs(doors: Doors) -> Word:
    with doors.read() as session:
        failed = job_runs.failed(session, doors.settings.node_id, at=doors.now())
        now = [
            f" {run.job} of {run.day} runs: {run.outcome}."
            for run in job_runs.under_way(session, doors.settings.node_id)
        ]
    if failed:
        how = [", ".join(filter(None, ("cut off" * (run.state == "running"), run.outcome))) for run in failed[:3]]
        reported = "; ".join(f"{run.job} of {run.day}: {words}" for run, words in zip(failed, how, strict=False))
        light = BAD if any(run.tries > job_runs.MOST_TRIES for run in failed) else WARN
        return Word("jobs", light, f"{len(failed)} nightly jobs failed three times. {reported}", float(len(failed)))
    return Word("jobs", GOOD, "No nightly job needs attention." + "".join(now), 0.0)


def _forecasts(doors: Doors) -> Word:
    """Tell how near last week's forecasts of the stores were that this node forecasts for."""
    query = sa.select(ForecastRun.origin_day, ForecastRun.version, ForecastRun.reason).join(
        Store, sa.and_(Store.id == ForecastRun.scope_id, ForecastRun.state == "published")
    )
    with doors.read() as session:
        runs = session.execute(query).all()
    if not runs:
        return Word("forecasts", GOOD, "No store has been forecast here yet.")
    newest = max(runs, key=lambda run: run.origin_day)
    reported = f"{len(runs)} stores forecast, the latest up to {newest.origin_day} with version {newest.version}."
    off, fallen = (sum(sign in (run.reason or "") for run in runs) for sign in ("drifts:", "fell_back:"))
    if off or fallen:
        reported += (
            f" Last week's sales differed from the forecast in {off} stores; {fallen} use the four-week average for "
            "some products. Check their orders closely until the forecast fits again."
        )
    return Word("forecasts", WARN if off else GOOD, reported, float(off))


def _worker(doors: Doors) -> Word:
    if doors.database.engine.dialect.name != "sqlite":
        return Word("worker", GOOD, "One of several workers leads; each host's service shows whether its worker runs.")
    if backup.worker_runs(doors):
        return Word("worker", GOOD, "The worker is running.", 1.0)
    return Word("worker", WARN, "No worker runs: nothing is printed or sent. Start `cornerstore serve` or `work`.", 0.0)


def _settings(doors: Doors) -> Word:
    named = os.environ.get("CORNERSTORE_SETTINGS")
    if named and sys.platform != "win32" and stat.S_IMODE(Path(named).stat().st_mode) & 0o077:
        return Word("settings", WARN, f"Other users of this computer can read {named}. Run: chmod 600 {named}")
    if doors.settings.practice:
        return Word("settings", WARN, "This is a practice node: everyone knows its PINs.")
    given = doors.settings
    if given.role == "network" and given.public_url.startswith("https:") and not given.secure_cookies:
        reported = "The public address uses TLS, but cookies may be sent without it: set secure_cookies = true."
        return Word("settings", WARN, reported)
    return Word("settings", GOOD, "Only this node's user can read the settings.")


def _files(doors: Doors) -> Word:
    books = doors.database.engine.url.database if doors.database.engine.dialect.name == "sqlite" else None
    copies = backup.folder_of(doors).glob(f"{doors.settings.node_id}-*")
    files = [*copies, doors.settings.signing_key, *([Path(books)] if books else [])]
    if read_by_all := sorted(str(file) for file in files if private.is_open(file) and private.is_open(file.parent)):
        more = f", and {len(read_by_all) - 1} more" if read_by_all[1:] else ""
        reported = f"Other users of this computer can read {read_by_all[0]}{more}. Run chmod 600 on each."
        return Word("files", WARN, reported, float(len(read_by_all)))
    return Word("files", GOOD, "Only this node's user can read the books and their backups.")


def _outgoing(doors: Doors) -> Word:
    """Tell what the settings make this node connect to: what a firewall has to let through, and nothing else."""
    to = "; ".join(f"{place} ({name})" for name, place in outgoing.reached(doors.settings))
    return Word("outgoing", GOOD, f"This node connects to: {to or 'nothing'}.")


def _age(doors: Doors) -> Word:
    """Tell how old the program and its libraries are (docs/security.md promises an update each quarter)."""
    changed = Path(sysconfig.get_path("purelib")).stat().st_mtime
    days = (doors.now() - dt.datetime.fromtimestamp(changed, dt.UTC)).days
    reported = f"The program was last updated {max(days, 0)} days ago."
    if days > UPDATE_DUE_DAYS:
        return Word("age", WARN, f"{reported} Install the newest version: it fixes faults in libraries.", days)
    return Word("age", GOOD, reported, max(days, 0))


def _guesses(doors: Doors) -> Word:
    with doors.read() as look:
        wrong = staff.guesses(look, doors.settings.node_id, doors.now())
    if wrong < staff.STRANGERS_NOTED:
        return Word("sign-in", GOOD, "No one is guessing PINs.", float(wrong))
    reported = f"Someone is guessing PINs: {wrong} wrong ones in 15 minutes, on devices no one has signed in with."
    return Word("sign-in", WARN, f"{reported} Check who can reach this node's sign-in page.", float(wrong))


def _queue(doors: Doors) -> Word:
    with doors.read() as session:
        queue, node = outbox.waiting(session, NETWORK), this_node(session)
    oldest = queue["oldest"]
    age = doors.now() - oldest if oldest else dt.timedelta(0)
    late = [limit for limit in QUEUE_LATE if age > limit]
    light = BAD if queue["stuck"] or len(late) > 1 else WARN if late else GOOD
    reported = f"{queue['pending']} messages wait to be sent; the network refused {queue['stuck']}."
    if late:
        reported += f" {QUEUE_LATE[late[-1]]}"
    if node.last_fault:
        reported += f" The last contact failed: {node.last_fault}"
    return Word("queue", light, reported, age.total_seconds())


def _editions(doors: Doors) -> Word:
    with doors.read() as session:
        found = publication.refused(session)
    if not found:
        return Word("editions", GOOD, "Everything the network published was accepted.", 0.0)
    reported = " ".join(row.reported for row in found)
    return Word(
        "editions", WARN, f"{reported} The last good one stays in use. Call the network's operator.", len(found)
    )


def _put_back(doors: Doors) -> Word:
    """Tell what came home into books that were put back from a copy, and what a person must look at."""
    from store_app.sync import homecoming

    with doors.read() as session:
        fetches = homecoming.is_awaited(session)
        found = homecoming.last(session, doors.settings.node_id)
    if fetches:
        reported = "These books were restored from a backup. Messages sent after it return at the next sync."
        return Word("put back", WARN, reported)
    if found is None or doors.now() - found[0] > homecoming.SHOWN_FOR:
        return Word("put back", GOOD, "Nothing had to be fetched from the network lately.", 0.0)
    at, came = found
    many, odd = sum(came["topics"].values()), came["odd_many"]
    sales = came["topics"].get("sale.completed", 0)
    reported = f"On {at:%Y-%m-%d} the network returned {many} messages, {sales} of them sales, after a restore."
    if odd:
        reported += f" {odd} of them need a look on the store's settings page."
    return Word("put back", WARN if odd else GOOD, reported, float(many))


def _line(doors: Doors) -> Word:
    """Ask the network: certificate, key, and how far the clocks are apart."""
    from store_app.sync import sender, wire

    try:
        with sender.client_for(doors.settings) as client:
            began = time.time()
            answer = client.get("/api/sync/journal")
    except httpx2.HTTPError as fault:
        return Word("line", WARN, f"The network cannot be reached: {fault or type(fault).__name__}. Selling goes on.")
    refusal = wire.refusal_of(answer.content) if answer.status_code == 403 else None
    if refusal is not None and refusal.code in wire.PAUSES:
        return Word("line", BAD, wire.PAUSES[refusal.code])
    if answer.status_code in (401, 403):
        return Word("line", BAD, "The network no longer knows this store's key. Ask the operator for a new code.")
    if answer.status_code != 200:
        return Word("line", WARN, f"The network answered {answer.status_code}. Selling goes on.")
    theirs = sender.moment_reported(answer.headers.get("Date"))
    if theirs is None:
        return Word("line", WARN, "Something other than the network answered. Selling goes on.")
    off_s = theirs.timestamp() - began
    if abs(off_s) > CLOCK_OFF_S:
        return Word(
            "line", WARN, f"This computer's clock is off by {off_s:.0f} s. Have it set from the internet.", off_s
        )
    return Word("line", GOOD, "The network answers, knows this store's key, and the clocks agree.", off_s)


def _parked(doors: Doors) -> Word:
    with doors.read() as session:
        parked = session.scalar(sa.select(sa.func.count()).where(InboxMessage.state == "parked")) or 0
        stuck = session.scalar(sa.select(sa.func.count()).where(OutboxMessage.state == "stuck")) or 0
    light = WARN if parked or stuck else GOOD
    return Word(
        "parked", light, f"{parked} messages from stores are on hold; {stuck} of ours were refused.", float(parked)
    )


def _rolling(doors: Doors) -> Word:
    with doors.read() as session:
        oldest = changed_days.oldest(session)
    behind_s = (doors.now() - oldest).total_seconds() if oldest else 0.0
    light = BAD if behind_s > 3600 else WARN if behind_s > 120 else GOOD
    return Word("roll-up", light, f"Totals of received sales are {behind_s:.0f} s behind.", behind_s)
