"""Shelf labels of some products into the printer's queue, at the prices of a day."""

import datetime as dt
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from sqlalchemy.orm import Session

from config.errors import NotFound, Refused
from pos.printing import queue as print_queue
from pos.store.store import Till
from store_app.runtime.doors import doors
from store_app.web.presenting import place, today
from supply.shelf import plan

MOST_LABELS = 500


def documents(session: Session, skus: Sequence[str], day: dt.date | None = None) -> list[dict[str, Any]]:
    """Return what the labels of some products print, in their order, at the prices of `day` (today unless told).

    What has no price has no label.
    """
    settings = doors().settings
    address = settings.public_url or settings.network_url
    found = plan.label_documents(session, str(place().store_id), skus, address, at=_within(day))
    return [found[sku] for sku in skus if sku in found]


def queue(session: Session, skus: Sequence[str], command: str, day: dt.date | None = None) -> int:
    """Queue one label of each product; the same command again prints nothing more. Returns how many it is."""
    store_id = str(place().store_id)
    till_id = session.scalar(sa.select(Till.id).where(Till.store_id == store_id).order_by(Till.id).limit(1))
    if not skus or till_id is None:
        raise NotFound("no-label", "There is no label to print.")
    found = documents(session, skus[:MOST_LABELS], day)
    if not found:
        raise Refused("price-missing", "This product has no price. Set one, then print its label.", sku=skus[0])
    waiting = sa.select(print_queue.PrintJob.id).where(
        print_queue.PrintJob.store_id == store_id, print_queue.PrintJob.source_id == command
    )
    if session.scalar(waiting.limit(1)) is None:
        for one in found:
            print_queue.queue(session, store_id, till_id, print_queue.Printout("label", command, one), at=doors().now())
    return len(found)


def _within(day: dt.date | None) -> dt.datetime:
    """Return an instant of the business day: now, or noon of another day."""
    if day is None or day == today():
        return doors().now()
    return dt.datetime.combine(day, dt.time(12), ZoneInfo(place().tz)).astimezone(dt.UTC)
