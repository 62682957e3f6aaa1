"""The print agent: fetches a printer's paper from a store node elsewhere and prints it on the store's hardware.

Rules
-----
1. Before the first byte goes to the printer it is on disk, synchronised, that the job is in hand. What is in hand when
   the agent starts may be on paper: it is told as unconfirmed, and a person decides. Nothing is printed twice unasked.
2. A turn is asked for under a claim that stays the same until a job of it is settled: a lost answer is asked for again
   and brings the same job. A job that was under way for long is given back unprinted.
3. No answer is waited out with growing, uneven pauses. A withdrawn key ends the agent with a sentence.
4. The server is asked over HTTPS with its certificate checked; plain HTTP goes to this very computer alone.
"""

import base64
import ipaddress
import json
import os
import random
import signal
import threading
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import structlog
from filelock import FileLock, Timeout

from config.errors import Conflict, Invalid, Refused, Unreachable, cause
from config.ids import new_id
from pos.printing.wires import USUAL, AgentPrinter, Driver, PluginPrinter, Said, Unconfirmed, driver_for
from store_app.runtime import outgoing

WAIT_S = 20.0
ANSWER_S = httpx2.Timeout(WAIT_S + 10, connect=10.0)
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
log = structlog.get_logger()


@dataclass
class InHand:
    """What the agent has in hand. job: being printed, or printed; outcome: as it is told, None while unknown."""

    claim: str
    job: str | None = None
    outcome: dict[str, Any] | None = None


class Note:
    """The agent's own page on disk (rule 1): replaced whole, synchronised before anything else happens."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "in-hand.json"

    def read(self) -> InHand | None:
        """Return what was in hand; None when there is no note yet."""
        try:
            return InHand(**json.loads(self.path.read_text("utf-8")))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as fault:
            raise Invalid(
                "agent-note", "%(path)s cannot be read. Check whether the last print came out, then remove this file.",
                path=self.path,
            ) from fault  # fmt: skip

    def write(self, in_hand: InHand) -> None:
        """Keep it, safe from a power cut."""
        new = self.path.with_suffix(".new")
        with new.open("w", encoding="utf-8") as file:
            json.dump(asdict(in_hand), file)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self.path)
        if os.name != "nt":
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)


class Agent:
    """One printer's agent. client: speaks to the server with the key."""

    def __init__(self, client: httpx2.Client, printer: str, folder: Path) -> None:
        self.client, self.printer, self.note = client, printer, Note(folder)
        self.busy = False
        left = self.note.read()
        self.in_hand = left or InHand(new_id())
        if left is None:
            self.note.write(self.in_hand)
        elif left.job is not None and left.outcome is None:
            self._keep_outcome("unconfirmed", "stopped-midway")

    def turn(self, wait_s: float = WAIT_S) -> float:
        """Tell what is to be told, fetch a job, print it, tell that; return how long to stay away."""
        self._send()
        asked = time.monotonic(), time.time()
        answer = self._post("/api/print-agent/jobs", {"claim": self.in_hand.claim, "wait_s": wait_s})
        try:
            job, spent, away_s = answer["job"], answer["spent"], float(answer["come_back_s"])
            if spent:
                self._restart()
            if job is None:
                return away_s
            paper, limit_s = base64.b64decode(job["paper"], validate=True), float(job["begin_within_s"])
            job_id, reports = str(job["id"]), job["reports"]
        except (KeyError, TypeError, ValueError) as fault:
            raise Unreachable("agent-answer", "The server's response is not meant for a print agent.") from fault
        self.busy = True
        try:
            late = max(time.monotonic() - asked[0], time.time() - asked[1]) > wait_s + limit_s
            self._print(job_id, None if late else paper, driver_of(self.printer, reports))
            self._send()
        finally:
            self.busy = False
        return 0.0

    # --- inside ---

    def _print(self, job_id: str, paper: bytes | None, driver: Driver) -> None:
        """Send the bytes once, the note first (rule 1). paper: None where it is too late to begin."""
        claim = self.in_hand.claim
        if paper is None:
            self.in_hand = InHand(claim, job_id, {"outcome": "failed", "code": "agent-late"})
            return
        try:
            self.note.write(InHand(claim, job_id))
        except OSError:  # nothing was sent, and nothing may be
            log.exception("the agent cannot write its note", file=str(self.note.path))
            self.in_hand = InHand(claim, job_id, {"outcome": "failed", "code": "agent-disk"})
            return
        self.in_hand = InHand(claim, job_id)
        try:
            said = driver.send(paper)
            self._keep_outcome("printed", None, said)
        except Unconfirmed as fault:
            self._keep_outcome("unconfirmed", fault.code)
        except Unreachable as fault:
            self._keep_outcome("failed", fault.code)

    def _keep_outcome(self, outcome: str, code: str | None, said: Said | None = None) -> None:
        self.in_hand.outcome = {"outcome": outcome, "code": code, **asdict(said or Said())}
        self.note.write(self.in_hand)
        log.info("printed" if code is None else "not printed", job=self.in_hand.job, outcome=outcome, reason=code)

    def _send(self) -> None:
        if self.in_hand.job is None or self.in_hand.outcome is None:
            return
        body = {"claim": self.in_hand.claim, **self.in_hand.outcome}
        try:
            self._post(f"/api/print-agent/jobs/{self.in_hand.job}/outcome", body)
        except Conflict as fault:
            log.warning("the server does not want to know", job=self.in_hand.job, said=fault.message)
        self._restart()

    def _restart(self) -> None:
        fresh = InHand(new_id())
        self.note.write(fresh)
        self.in_hand = fresh

    def _post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self.client.post(path, json=body)
        if answer.status_code == 401:
            raise Refused("agent-key", "This print agent's key was revoked. Create a new one on the printers page.")
        if answer.status_code in (404, 409, 422) and path.endswith("/outcome"):
            raise Conflict(
                "agent-outcome", "The server returned status %(status_code)s.", status_code=answer.status_code
            )
        if answer.status_code != 200:
            raise Unreachable(
                "agent-server", "The server returned status %(status_code)s.", status_code=answer.status_code
            )
        try:
            found: dict[str, Any] = answer.json()
        except ValueError as fault:
            raise Unreachable("agent-answer", "The server's response is not meant for a print agent.") from fault
        return found


def run(server: str, key_file: Path, printer: str, folder: Path, *, ca: Path | None = None) -> None:
    """Print until told to stop, one agent per folder."""
    driver_of(printer, None)
    driver_of(printer, None)
    with client_for(server, key_file, ca) as client:
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(folder / "agent.lock", timeout=0):
                _serve(Agent(client, printer, folder))
        except Timeout as fault:
            raise Conflict(
                "agent-runs",
                "A print agent is already running in %(folder)s. Give this one its own folder.",
                folder=folder,
            ) from fault


def client_for(server: str, key_file: Path, ca: Path | None = None) -> httpx2.Client:
    """Return the connection to the store node (rule 4)."""
    address = urlsplit(server)
    if not address.hostname or not (address.scheme == "https" or (address.scheme == "http" and _is_here(address))):
        raise Invalid("agent-server", "Enter the server as https://…; plain http works only on this computer.")
    try:
        key = key_file.read_text("ascii").strip()
        trust = outgoing.context(ca)
    except (OSError, ValueError) as fault:
        raise Invalid(
            "agent-file", "The key file or the certificates cannot be read: %(fault)s.", fault=cause(fault)
        ) from fault
    if not key or not key.isprintable():
        raise Invalid(
            "agent-key", "%(key_file)s contains no key. Copy the key from the printers page into it.", key_file=key_file
        )
    headers = {"Authorization": f"Bearer {key}", "Accept": "application/json"}
    return outgoing.client(server, headers=headers, verify=trust, timeout=ANSWER_S)


def driver_of(printer: str, reports: bool | None) -> Driver:
    """Return the way to the printer; refuses what is none."""
    driver = driver_for(printer, USUAL, reports=reports)
    if driver is None or isinstance(driver, AgentPrinter | PluginPrinter):
        raise Invalid("agent-printer", "Enter how the printer is connected, such as net:192.168.1.50:9100.")
    return driver


# --- inside ---


def _serve(agent: Agent) -> None:
    stop = threading.Event()

    def end(*_: Any) -> None:
        stop.set()
        if not agent.busy:
            raise SystemExit(0)  # an answer that is lost with it is asked for again under the same claim

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    log.info("printing", printer=agent.printer, server=str(agent.client.base_url))
    pause_s = FIRST_PAUSE_S
    while not stop.is_set():
        try:
            stop.wait(agent.turn())
            pause_s = FIRST_PAUSE_S
        except (Unreachable, httpx2.HTTPError, OSError) as fault:
            log.warning("no response", fault=str(fault) or type(fault).__name__, pause_s=round(pause_s, 1))
            stop.wait(pause_s * random.uniform(0.5, 1.0))
            pause_s = min(LONGEST_PAUSE_S, pause_s * 2)


def _is_here(address: Any) -> bool:
    try:
        return bool(ipaddress.ip_address(address.hostname).is_loopback)
    except ValueError:
        return bool(address.hostname == "localhost")
