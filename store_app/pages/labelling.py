"""Shelf labels of some products into the printer's queue, at the prices of a day."""

import datetime as dt
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from config.errors import NotFound
from pos import printer
from pos.store import Till
from store_app.extensions import doors, wake_worker_after
from store_app.presenting import place, today
from supply import shelf

MOST_LABELS = 500


def document(session: Session, sku: str, day: dt.date | None = None) -> dict[str, Any]:
    """Return what the label of a product prints, at the price of `day` (today unless told)."""
    settings = doors().settings
    address = settings.public_url or settings.network_url
    found = shelf.label_document(session, str(place().store_id), sku, address, at=_within(day))
    return {**found, "url": found["url"] if address else ""}


def queue(session: Session, skus: Sequence[str], command: str, day: dt.date | None = None) -> None:
    """Queue one label of each product; the same command again prints nothing more."""
    store_id = str(place().store_id)
    till_id = session.scalar(sa.select(Till.id).where(Till.store_id == store_id).order_by(Till.id).limit(1))
    if not skus or till_id is None:
        raise NotFound("no-label", _("There is no label to print."))
    waiting = sa.select(printer.PrintJob.id).where(
        printer.PrintJob.store_id == store_id, printer.PrintJob.source_id == command
    )
    if session.scalar(waiting.limit(1)) is not None:
        return
    for sku in skus[:MOST_LABELS]:
        printer.queue(session, store_id, till_id, "label", command, document(session, sku, day), at=doors().now())
    wake_worker_after(session)


def _within(day: dt.date | None) -> dt.datetime:
    """Return an instant of the business day: now, or noon of another day."""
    if day is None or day == today():
        return doors().now()
    return dt.datetime.combine(day, dt.time(12), ZoneInfo(place().tz)).astimezone(dt.UTC)
