"""Online orders that the live stores bring home: ordered, packed, on the way, handed over at the door.

Rules
-----
1. The customer orders with a phone's pages, for one of the places the store names, and follows the order on its own
   page; whoever brings it sets out and hands over by the verbs of the page of home deliveries.
2. Nothing is handed over before its customer's page says that it is on the way. It is handed over for the code that
   page shows, and then the page must say that it was brought.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from config.errors import Refused
from config.nodes.journal import Context
from store_app.demo.build import TILL, spot
from store_app.demo.member import Member
from store_app.demo.panel import DemoPanel
from store_app.demo.visitor import Customer
from supply.online.pickup import delivery, handover
from supply.online.storefront import delivery_rules
from supply.online.storefront.delivery_rules import DeliveryRules, NamedPlace
from supply.routing import stop_order

PLACES = {"Hill estate": (2_000, 3_000), "Station road": (-3_000, 1_000), "River flats": (1_000, -4_000)}
"""Places a store brings to, by how far they are from it in millionths of a degree."""
STEPS = {"packed": 3, "on the way": 4, "brought": 5}
"""How many steps of its way the customer's page shows as done."""


def settle(session: Session, panel: DemoPanel, member: Member) -> None:
    """Settle where the store brings orders home, and for how much."""
    lat_e6, lon_e6 = spot(panel, member.id)
    places = tuple(NamedPlace(name, lat_e6 + up, lon_e6 + right) for name, (up, right) in PLACES.items())
    rules = DeliveryRules(
        on=True, lat_e6=lat_e6, lon_e6=lon_e6, fee_minor=199, free_from_minor=3_000, minimum_minor=800, places=places
    )
    at = member.doors.now()
    delivery_rules.settle_fee(Context(session, member.keeper, at), member.id, rules, "Home delivery", "general")


def order(network: Member, member: Member, name: str, phone: str, place: str, street: str) -> Customer:
    """Order something to be brought home (rule 1); returns the customer, who has the order's page."""
    customer = Customer(network.client, member.slug)
    customer.order(name, phone, things=2, home=(place, street))
    return customer


def set_out(member: Member) -> None:
    """Set out with all that is packed, by the shortest way."""
    with member.doors.write() as session:
        ways = delivery.ways_of(session, member.id)
        packed = [way for way in ways if way.home.state == "asked" and way.order.state == "ready"]
        here = delivery.rules_of(session, member.id).at
        assert here is not None
        calls = [door.key for door in stop_order.in_order(here, [delivery.door_of(way) for way in packed])]
        delivery.set_out(Context(session, member.keeper, member.doors.now()), member.id, calls)


def hand_over(member: Member, customer: Customer) -> None:
    """Hand the customer's order over at the door (rule 2) and ring its sale."""
    see(customer, "on the way")
    code = customer.code()
    with member.doors.write() as session:
        ctx = Context(session, member.keeper, member.doors.now())
        found = handover.find(ctx, member.id, code).or_raise().order
        assert found is not None
        delivery.hand_over(
            ctx,
            member.id,
            found.id,
            code=code,
            sale_id=f"door-{found.id}"[:40],
            till_id=TILL,
            age_confirmed=21,
        ).or_raise()


def see(customer: Customer, step: str) -> None:
    """See on the customer's page that the order is so far."""
    if (done := customer.steps_done()) != STEPS[step]:
        raise Refused("step-not-shown", f"The customer's page does not say “{step}”: {done} steps are done.")
