"""What the network publishes for its stores: each edition whole, written in a transaction of its own store or region.

Rules
-----
1. A night publishes everything: the catalogue, which names the store, then what a region's stores share, then what is
   everybody's. Each is made once; a region whose own cannot be made keeps no other one waiting (`doors.alone`).
2. What the network's suppliers ask is published within the day, too, of the products the stores have heard of: a
   product comes with the night's catalogue, and its price on the shelf with it.
"""

import datetime as dt
import json

import sqlalchemy as sa

from config.ids import NETWORK
from config.nodes import publication
from config.nodes.journal import Actor
from config.nodes.publication import EVERYONE, Publication
from pos.catalogue import edition, offers
from pos.customers import points_terms
from pos.store.store import Store
from store_app.files import network
from store_app.runtime.doors import Doors, alone
from supply.demand import forecasts, history, surroundings
from supply.membership import training
from supply.orders import supply_routes

_ACTOR = Actor.system("publish", NETWORK)


def publish_all(doors: Doors, day: dt.date) -> int:
    """Publish all that there is for stores as of a day; returns for how many stores."""
    now = doors.now()
    with doors.read() as session:
        stores = session.scalars(sa.select(Store).where(Store.has_node).order_by(Store.id)).all()
        shared = {
            ("offers", EVERYONE): offers.edition(session),
            ("suppliers", EVERYONE): supply_routes.edition(session, day + dt.timedelta(days=1)),
            ("lessons", EVERYONE): training.edition(session),
            ("points", EVERYONE): points_terms.edition(session),
        }
        catalogue = edition.edition(session, EVERYONE)
    for store in stores:
        _publish(doors, {("catalogue", store.id): catalogue | {"store_id": store.id}}, now)
    chain = history.Chain()
    for region_id in sorted({store.region_id for store in stores}):
        with alone(doors, "publish", region_id, actor=_ACTOR):
            with doors.read() as session:
                bodies = {
                    ("demand", region_id): history.edition(session, region_id, day, chain=chain),
                    ("forecast", region_id): forecasts.edition(session, region_id),
                    ("surroundings", region_id): surroundings.edition(session, region_id, day),
                }
            _publish(doors, bodies, now)
    if stores:
        _publish(doors, shared, now)
    return len(stores)


def publish_terms(doors: Doors) -> bool:
    """Publish what the network's suppliers ask today (rule 2); tells whether anything had changed."""
    with doors.read() as session:
        known = session.get(Publication, ("suppliers", EVERYONE))
        if known is None:
            return False
        reported = {sku for _supplier, sku, *_terms in json.loads(known.body)["products"]}
        _currency, today = network.money_and_day(session, EVERYONE, doors.now())
        body = supply_routes.edition(session, today)
    body["products"] = [row for row in body["products"] if row[1] in reported]
    with doors.write() as session:
        return publication.publish(session, "suppliers", EVERYONE, body, at=doors.now()).version > known.version


# --- inside ---


def _publish(doors: Doors, bodies: dict[tuple[str, str], dict[str, object]], now: dt.datetime) -> None:
    with doors.write() as session:
        for (kind, scope), body in bodies.items():
            if body:
                publication.publish(session, kind, scope, body, at=now)
