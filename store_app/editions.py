"""What the network publishes for its shops: each edition whole, written in a transaction of its own shop."""

import datetime as dt

import sqlalchemy as sa

from config import publication
from config.publication import EVERYONE
from pos import catalogue_edition, offer_edition
from pos.store import Store
from store_app.extensions import Doors
from supply import demand, forecasts, suppliers, training


def publish_all(doors: Doors, day: dt.date) -> int:
    """Publish catalogue, offers, suppliers, lessons, demand and forecast as of a day; returns for how many shops."""
    now = doors.now()
    with doors.read() as session:
        stores = session.scalars(sa.select(Store).where(Store.has_node).order_by(Store.id)).all()
    for store in stores:
        with doors.read() as session:
            bodies = {
                ("catalogue", store.id): catalogue_edition.edition(session, store.id),
                ("offers", EVERYONE): offer_edition.edition(session),
                ("suppliers", EVERYONE): suppliers.edition(session, day + dt.timedelta(days=1)),
                ("lessons", EVERYONE): training.edition(session),
                ("demand", store.region_id): demand.edition(session, store.region_id, day),
                ("forecast", store.region_id): forecasts.edition(session, store.region_id),
            }
        with doors.write() as session:
            for (kind, scope), body in bodies.items():
                if body:
                    publication.publish(session, kind, scope, body, at=now)
    return len(stores)
