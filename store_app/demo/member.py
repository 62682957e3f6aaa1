"""A node of the demonstration as the road drives it: its doors, its pages, its jobs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, TypeVar

import httpx2
import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.clock import Clock, business_day
from config.ids import NETWORK, new_id
from config.nodes import outbox
from config.nodes.journal import Actor, Context
from config.settings import Settings
from pos.printing import queue
from pos.printing.queue import PrintJob
from pos.sale import sale
from pos.sale.sale_request import SaleRequest
from pos.till import shift
from store_app.demo.build import PINS, TILL
from store_app.demo.panel import ROLLOVER_HOUR, ZONE
from store_app.demo.visitor import call, sign_in
from store_app.jobs.desk import Desk
from store_app.jobs.jobs import JOBS, last_day
from store_app.node.checking import chain_faults, findings
from store_app.runtime import job_runs
from store_app.runtime.child_process import compute_here
from store_app.runtime.doors import open_doors
from store_app.sync import sender
from supply.demand.forecasts import ForecastRun
from supply.online import orders
from supply.online.pickup import handover, pickup
from supply.shelf import plan

Answer = TypeVar("Answer")


class Member:
    """One node. client: its pages over HTTP (or in-process); None for stores nobody looks at."""

    def __init__(self, settings: Settings, clock: Clock, client: httpx2.Client | None = None, slug: str = "") -> None:
        self.id, self.slug = settings.node_id, slug
        self.doors = open_doors(settings, clock)
        self.desk = Desk(self.doors, compute=compute_here)
        self._client = client
        self._token = ""
        self._line = sender.client_for(settings) if settings.network_url else None
        self.cashier = Actor("ana", "Ana", "cashier", self.id)
        self.keeper = Actor("wei", "Wei", "shopkeeper", self.id)
        self.operator = Actor("op", "Olivia (operator)", "operator", self.id)

    @property
    def client(self) -> httpx2.Client:
        """Return the way to this node's pages."""
        assert self._client is not None
        return self._client

    def ask(self, question: Callable[[Session], Answer]) -> Answer:
        """Ask the node's books something."""
        with self.doors.read() as session:
            return question(session)

    def today(self) -> dt.date:
        """Return the node's business day."""
        return business_day(self.doors.now(), ZONE, ROLLOVER_HOUR)

    def close(self) -> None:
        """Close the node's database and its line to the network."""
        if self._line is not None:
            self._line.close()
        self.doors.database.engine.dispose()

    def fill_shelf(self) -> None:
        """Bring to the bestseller shelf what stands on its refill list just now."""
        with self.doors.write() as session:
            for task in plan.refill_tasks(session, self.id):
                if task.qty:
                    plan.refill(
                        Context(session, self.keeper, self.doors.now()), self.id, task.sku, task.qty, id=new_id()
                    )

    # --- at the till ---

    def open_till(self, float_minor: int) -> None:
        """Open the till with its float, unless it stands open."""
        if self.ask(lambda session: shift.current(session, self.id, TILL)) is not None:
            return
        if self._client is not None:
            self._send("/api/shifts", {"till_id": TILL, "float_minor": float_minor})
            return
        with self.doors.write() as session:
            shift.open_shift(Context(session, self.cashier, self.doors.now()), self.id, TILL, float_minor)

    def close_till(self) -> None:
        """The shopkeeper, whoever holds the drawer, counts it to the cent and closes the till."""
        with self.doors.write() as session:
            found = shift.current(session, self.id, TILL)
            if found is None:
                return
            ctx = Context(session, self.keeper, self.doors.now())
            shift.begin_count(ctx, found)
            shift.close(ctx, found, found.expected_minor)

    def ring_up(self, sale_id: str, lines: tuple[tuple[str, int], ...]) -> None:
        """Ring up one basket, paid in cash with the next ten-dollar note: by the till's API where there is a page."""
        basket = [{"sku": sku, "qty": qty} for sku, qty in lines]
        if self._client is not None:
            quote = self._send("/api/quote", {"lines": basket, "cash": True})
            body = {
                "id": sale_id,
                "till_id": TILL,
                "lines": basket,
                "tenders": [{"tender": "cash", "amount_minor": _note_for(quote["total_minor"])}],
                "shown_total_minor": quote["total_minor"],
                "age_confirmed": quote["minimum_age"],
            }
            self._send("/api/sales", body)
            return
        with self.doors.write() as session:
            priced = sale.quote(session, self.id, list(lines), at=self.doors.now(), cash=True).basket
            request = SaleRequest(
                id=sale_id,
                store_id=self.id,
                till_id=TILL,
                lines=list(lines),
                tenders=[("cash", _note_for(priced.total_minor))],
                shown_total_minor=priced.total_minor,
                age_confirmed=priced.minimum_age,
            )
            sale.complete(Context(session, self.cashier, self.doors.now()), request)

    def pick_orders(self) -> None:
        """Accept, pick and make ready every order that has come."""
        at = self.doors.now()
        with self.doors.write() as session:
            for order in orders.open_orders(session, self.id):
                if order.state == "placed":
                    ctx = Context(session, self.keeper, at)
                    pickup.accept(ctx, self.id, order.id)
                    pickup.start_picking(ctx, self.id, order.id)
                    pickup.ready(ctx, self.id, order.id)

    def hand_over(self, code: str) -> None:
        """Hand a ready order over for its code and ring its sale."""
        at = self.doors.now()
        with self.doors.write() as session:
            ctx = Context(session, self.cashier, at)
            found = handover.find(ctx, self.id, code)
            if found.refusal is not None:
                raise found.refusal
            assert found.order is not None
            total_minor, sale_id = found.order.total_minor, f"collect-{found.order.id}"[:40]
            asked = SaleRequest(sale_id, self.id, TILL, [], [("cash", _note_for(total_minor))], total_minor, 21)
            done = handover.collect(ctx, code, asked)
            if done.refusal is not None:
                raise done.refusal

    # --- paper, line, jobs ---

    def print_labels(self, session: Session, skus: list[str], *, at: dt.datetime) -> int:
        """Queue the shelf labels of these products."""
        found = plan.label_documents(session, self.id, skus, self.doors.settings.public_url, at=at)
        for sku, document in found.items():
            printout = queue.Printout("label", f"label-{sku}-{at:%Y%m%d}", document)
            queue.queue(session, self.id, TILL, printout, at=at)
        return len(found)

    def print_due(self) -> None:
        """Print what waits."""
        self.job("print")

    def contact(self) -> str | None:
        """Send what waits and take what came; returns the fault, None when all went well."""
        assert self._line is not None
        done = sender.contact(self.doors.database, self.doors.settings, self._line, self.doors.clock)
        return done.fault

    def job(self, name: str) -> str:
        """Run a job now, as the worker would, unless the worker has it in hand for this day already."""
        job, now, day = JOBS[name], self.doors.now(), last_day(self.doors)
        if job.every_s is not None:
            return job.run(self.desk, day)
        with self.doors.write() as session:
            if not job_runs.take(session, self.id, name, day, at=now):
                return "done before"
        outcome = job.run(self.desk, day)
        with self.doors.write() as session:
            job_runs.note(session, self.id, name, day, at=now, done=True, outcome=outcome, each_day=job.each_day)
        return outcome

    # --- questions ---

    def findings(self) -> list[Any]:
        """Return every invariant that does not hold here."""
        return [*findings(self.doors), *chain_faults(self.doors)]

    def receipts_printed(self) -> int:
        """Count the receipts on paper."""
        query = sa.select(sa.func.count()).where(
            PrintJob.store_id == self.id, PrintJob.kind == "receipt", PrintJob.state == "printed"
        )
        return self.ask(lambda session: session.scalar(query)) or 0

    def facts(self) -> tuple[int, int]:
        """Count the facts the network has confirmed, and those that are stuck."""
        query = (
            sa.select(outbox.OutboxMessage.state, sa.func.count())
            .where(outbox.OutboxMessage.to_node == NETWORK)
            .group_by(outbox.OutboxMessage.state)
        )
        counts: dict[str, int] = dict(self.ask(lambda session: session.execute(query).all()))
        return counts.get("delivered", 0), counts.get("stuck", 0)

    def series_forecast(self) -> int:
        """Count the products of the newest forecast."""
        query = (
            sa.select(ForecastRun.series)
            .where(ForecastRun.scope_kind == "store", ForecastRun.scope_id == self.id)
            .order_by(ForecastRun.started_at.desc())
            .limit(1)
        )
        return self.ask(lambda session: session.scalar(query)) or 0

    # --- inside ---

    def _send(self, path: str, body: Any) -> Any:
        if not self._token:
            self._token = sign_in(self.client, self.keeper.id, PINS["shopkeeper"])
        return call(self.client, path, body, self._token)


def _note_for(total_minor: int) -> int:
    return max(0, -(-total_minor // 1000) * 1000)
