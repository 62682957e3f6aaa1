"""The doors of print agents: the next job of their own printer, and what became of it.

Rules
-----
1. The key names the printer; no other printer's job is seen or settled.
2. An agent waits here for paper at most twenty seconds, and only so many wait at once that the tills always find a
   thread; whoever comes beyond that, or asks again on the same printer, sends the first one home.
3. A body is small, and so is the number of calls a minute.
"""

import base64
import threading
import time
from typing import Any, Literal

from flask import Blueprint, Response, g, jsonify, request
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from config.errors import Invalid
from pos.printing import agents, print_worker
from pos.printing.print_worker import PrintOutcome
from pos.printing.wires import AgentPrinter, Said
from store_app.api.bodies import shaped
from store_app.node.printers import printers_in_force
from store_app.runtime.doors import Doors, doors, read, write
from store_app.web.pace import Pace
from store_app.web.security import print_agent

bp = Blueprint("api_print_agent", __name__, url_prefix="/api/print-agent")
LONGEST_WAIT_S, LOOK_S, LOOK_AGAIN_S = 20.0, 0.05, 2.0
BEGIN_WITHIN_S = 60.0
BODY_BYTES = 4096
CALLS_A_MINUTE = 600
THREADS_PER_WAITING = 4
COME_BACK_S = 1.0


class _Turns:
    """Who waits for paper: one caller per printer, the newest."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.waiting: dict[str, object] = {}

    def begin(self, key: str, most: int) -> object | None:
        """Take the printer's place; None where too many others wait (rule 2)."""
        with self.lock:
            if key not in self.waiting and len(self.waiting) >= most:
                return None
            self.waiting[key] = mine = object()
            return mine

    def holds(self, key: str, mine: object) -> bool:
        """Tell whether nobody came after."""
        return self.waiting.get(key) is mine

    def end(self, key: str, mine: object) -> None:
        """Leave the place."""
        with self.lock:
            if self.holds(key, mine):
                del self.waiting[key]


_turns = _Turns()
_calls = Pace(CALLS_A_MINUTE)


class Asked(BaseModel):
    """An agent asks for paper under a claim of its own."""

    model_config = ConfigDict(extra="forbid")
    claim: str = Field(pattern=r"^[0-9a-zA-Z-]{8,64}$")
    wait_s: float = Field(default=0.0, ge=0, le=LONGEST_WAIT_S)


class Report(BaseModel):
    """An agent tells what became of a job. code: why not, as the printers' faults are named."""

    model_config = ConfigDict(extra="forbid")
    claim: str = Field(pattern=r"^[0-9a-zA-Z-]{8,64}$")
    outcome: Literal["printed", "failed", "unconfirmed"]
    code: str | None = Field(default=None, pattern=r"^[a-z-]{1,40}$")
    answered: bool = False
    near_end: bool = False


@bp.post("/jobs")
@print_agent
@shaped(Asked)
def next_job() -> Response:
    """Hand over the next due job, waiting for one for a while."""
    asked = _body(Asked)
    house, key = doors(), f"{doors().settings.node_id}/{g.printer_id}"
    _note_heard(house, g.printer_id)
    mine = _turns.begin(key, max(1, house.settings.threads // THREADS_PER_WAITING))
    if mine is None:
        return jsonify(job=None, spent=False, come_back_s=COME_BACK_S)
    try:
        found, spent = _wait(house, asked, key, mine)
        sent_home = found is None and not _turns.holds(key, mine)
    finally:
        _turns.end(key, mine)
    return jsonify(job=found, spent=spent, come_back_s=COME_BACK_S if sent_home else 0.0)


@bp.post("/jobs/<job_id>/outcome")
@print_agent
@shaped(Report)
def outcome(job_id: str) -> Response:
    """Take what became of a job."""
    reported, house = _body(Report), doors()
    if (reported.outcome == "printed") != (reported.code is None):
        raise Invalid("bad-outcome", "A failed print job needs an error code; a printed one has none.")
    came = PrintOutcome(reported.outcome, reported.code, Said(reported.answered, reported.near_end))
    state = print_worker.take_outcome(
        house.database, house.settings.node_id, g.printer_id, job_id, reported.claim, came, at=house.now()
    )
    house.ring()
    return jsonify(state=state)


# --- inside ---


def _body(shape: Any) -> Any:
    _calls.take(f"{doors().settings.node_id}/{g.printer_id}")
    request.max_content_length = BODY_BYTES
    try:
        return shape.model_validate_json(request.get_data())
    except ValidationError as fault:
        raise Invalid("bad-agent-call", "The message did not come from a print agent.") from fault


def _note_heard(house: Doors, printer_id: str) -> None:
    with read() as look:
        noted = agents.is_noted(look, house.settings.node_id, printer_id, at=house.now())
    if not noted:
        with write() as session:
            agents.note_heard(session, house.settings.node_id, printer_id, at=house.now())


def _wait(house: Doors, asked: Asked, key: str, mine: object) -> tuple[dict[str, Any] | None, bool]:
    """Look when the bell rings, and every two seconds for what became due by itself."""
    until = time.monotonic() + asked.wait_s
    while _turns.holds(key, mine):
        heard, looked = house.bell.rung_at(), time.monotonic()
        found, spent = _look(house, asked.claim)
        if found is not None or spent:
            return found, spent
        while house.bell.rung_at() == heard and time.monotonic() < min(until, looked + LOOK_AGAIN_S):
            time.sleep(LOOK_S)
        if time.monotonic() >= until:
            break
    return None, False


def _look(house: Doors, claim: str) -> tuple[dict[str, Any] | None, bool]:
    store_id = house.settings.node_id
    with read() as look:
        outlets = printers_in_force(look, house.settings)
    outlet = next((one for one in outlets if one.id == g.printer_id and one.by_agent), None)
    if outlet is None:
        return None, False
    job, spent = print_worker.hand_over(house.database, store_id, outlet, outlets, claim, now=house.now)
    if job is None:
        return None, spent
    driver: AgentPrinter = outlet.driver
    return {
        "id": job.id,
        "kind": job.kind,
        "copy_no": job.copy_no,
        "paper": base64.b64encode(job.paper or b"").decode(),
        "reports": driver.reports,
        "begin_within_s": BEGIN_WITHIN_S,
    }, False
