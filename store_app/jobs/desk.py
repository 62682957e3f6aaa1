"""What a job is given: the node's doors, what it keeps between runs, and how it computes."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx2
import sqlalchemy as sa
import structlog

from config.errors import DomainError
from config.nodes.journal import Actor
from store_app.runtime import job_runs
from store_app.runtime.child_process import Far, compute_apart
from store_app.runtime.doors import Doors

if TYPE_CHECKING:
    from store_app.mail.envelopes import Carrier

log = structlog.get_logger()


@dataclass
class Desk:
    """What a worker keeps between runs: doors, the line to the network, whether it has begun to print."""

    doors: Doors
    client: httpx2.Client | None = None
    line: Any = None
    prints: bool = False
    reported: dict[str, str] = field(default_factory=dict)
    carriers: "list[Carrier] | None" = None
    clocks: tuple[dt.datetime, float] | None = None
    """The wall clock and the steady one at the last watch."""
    compute: Callable[..., Any] = compute_apart
    """How a pure computation is run: apart (rule 3); a demonstration that has nothing else to do runs it at once."""

    @property
    def node_id(self) -> str:
        """Return the node the desk stands at."""
        return self.doors.settings.node_id

    def far(self, job: str, day: dt.date, what: str) -> Far:
        """Return what notes how far a job of a day is, counted in `what`; busy books are told the next time."""

        def note(so_far: int, whole: int) -> None:
            try:
                with self.doors.write() as session:
                    job_runs.report_progress(session, self.node_id, job, day, so_far, whole, what)
            except (DomainError, sa.exc.SQLAlchemyError) as fault:
                log.warning("progress not noted", job=job, so_far=so_far, whole=whole, why=str(fault))

        return note

    def actor(self, job: str) -> Actor:
        """Return who acts for a job."""
        return Actor.system(job, self.node_id)

    def carried_by(self) -> "list[Carrier]":
        """Return what carries messages: what the settings name, made once, and the plug-ins that are set up."""
        from store_app.mail import carriers, envelopes

        if self.carriers is None:
            self.carriers = carriers.carriers(self.doors.settings)
        return [*self.carriers, *envelopes.plugged(self.doors.settings)]
