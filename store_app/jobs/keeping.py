"""The jobs that keep the books: checked, copied, watched; `jobs` has the table and the rules."""

import datetime as dt
import time

import sqlalchemy as sa

from config.errors import DomainError
from config.nodes.journal import Context
from store_app.jobs.desk import Desk
from store_app.runtime import job_runs

JUMP_S = 300
"""A clock that moves by so much against the time that passed has been set, and that is journalled (I40)."""


def check(desk: Desk, _day: dt.date) -> str:
    """Recompute the books' invariants and journal what does not hold."""
    from config.nodes import journal
    from store_app.node.checking import findings

    found = findings(desk.doors)
    with desk.doors.write() as session:
        journal.record(
            Context(session, desk.actor("check"), desk.doors.now()), verb="books.checked",
            subject=f"node:{desk.node_id}", findings=len(found), first=[str(one) for one in found[:5]])  # fmt: skip
    return f"{len(found)} findings"


def seal(desk: Desk, day: dt.date) -> str:
    """Seal the rows of the days that are over, so that `verify` finds what is changed in them afterwards."""
    from config.database import lock_rows
    from config.nodes import day_seals, journal

    with desk.doors.read() as session:
        bunches = day_seals.unsealed(session, day.isoformat())
    for bunch in bunches:
        with desk.doors.write() as session:
            head = sa.select(journal.JournalHead.n).where(journal.JournalHead.node_id == desk.node_id)
            session.execute(lock_rows(session, head))  # so nobody amends these rows meanwhile
            journal.record(
                Context(session, desk.actor("seal"), desk.doors.now()), verb=day_seals.SEALED,
                subject=f"node:{desk.node_id}", sealed=day_seals.seal(session, bunch))  # fmt: skip
    return f"{sum(map(len, bunches))} days of tables sealed"


def back_up(desk: Desk, _day: dt.date) -> str:
    """Copy the books and prove the copy by a restore drill."""
    from store_app.node import backup

    if desk.doors.settings.practice:
        return "practice: nothing is kept"
    note = backup.make(desk.doors)
    return f"{note.file}, {note.size / 1e6:.0f} MB, proved, {note.faults} findings"


def back_up_changes(desk: Desk, _day: dt.date) -> str:
    """Copy the books soon after something was changed in them that the network is not told."""
    from store_app.node import backup

    doors = desk.doors
    if doors.settings.practice or not backup.wants_copy(doors):
        return "no change to copy"
    return f"{desk.compute(backup.make_for, (doors.settings, doors.now()))}, proved"


def rehearse(desk: Desk, _day: dt.date) -> str:
    """Rehearse a restore in a child, where somebody asked for one."""
    from store_app.node import rehearsal

    doors, at = desk.doors, desk.doors.now()
    with doors.read() as session:
        asked = rehearsal.open_run(session, desk.node_id)
    if asked is None:
        return "nothing asked"
    with doors.write() as session:
        if not job_runs.take(session, desk.node_id, asked.job, asked.day, at=at):
            return "it runs already"
    try:
        found = desk.compute(rehearsal.rehearse, (doors.settings, at))
    except DomainError as fault:
        found = rehearsal.failed(fault)
    with doors.write() as session:
        rehearsal.record(Context(session, desk.actor(asked.job), doors.now()), found)
        job_runs.note(session, desk.node_id, asked.job, asked.day, at=doors.now(), done=True, outcome="")
    return "it failed" if found["fault"] else f"{found['file']} can be restored"


def watch(desk: Desk, _day: dt.date) -> str:
    """Note a clock that jumped, and log what the doctor finds bad."""
    from store_app.node import doctor

    wall, steady = desk.doors.now(), time.monotonic()
    before, desk.clocks = desk.clocks, (wall, steady)
    if before is not None:
        jump_s = (wall - before[0]).total_seconds() - (steady - before[1])
        if abs(jump_s) > JUMP_S:
            from config.nodes import journal

            with desk.doors.write() as session:
                journal.record(
                    Context(session, desk.actor("watch"), wall), verb="clock.jumped", subject=f"node:{desk.node_id}",
                    seconds=round(jump_s), before=before[0].isoformat())  # fmt: skip
    from store_app.node import support_state

    support_state.send_again(desk.doors)
    bad = [word.sentence for word in doctor.examine(desk.doors, outside=False) if word.light == doctor.BAD]
    return "; ".join(bad) or "in order"


def notice_restore(desk: Desk, _day: dt.date) -> str:
    """Begin a new epoch where the books were put back from a copy, also while we run; note how far they are."""
    from store_app.sync import restored

    return "put back from a copy" if restored.restart_if_restored(desk.doors) else "as they were"


def apply_early_facts(desk: Desk, _day: dt.date) -> str:
    """Take what stores dated too far ahead, now that its day has come."""
    from store_app.sync import receiver

    taken, left = receiver.take_early(desk.doors)
    return f"{taken} taken, {left} still wait"
