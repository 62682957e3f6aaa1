"""A customer's own orders online: shown to whoever proves the phone, to nobody else."""

import re

from config.ids import NETWORK, new_id
from config.nodes.journal import Context
from pos.customers import customers
from pos.customers.points_terms import PointsTerms
from pos.store.store import store_of
from supply.money import points, points_pool
from tests.arriving import hear
from tests.store_app.town import ONLINE
from tests.supply.online_store import ANA, AT, STORE


def enter(customer, phone):
    """Prove a phone on the page of one's orders."""
    assert customer.send(f"{ONLINE}/mine", phone=phone).status_code == 303
    code = re.search(r"code is (\d{8})", customer.look(f"{ONLINE}/mine").text)[1]
    return customer.send(f"{ONLINE}/mine/code", code=code)


def test_whoever_proves_the_phone_finds_its_orders_and_their_codes_in_any_browser(market):
    placed = market.customer().order(("bread", 1))
    assert placed.status_code == 303
    market.house.clock.advance(120)
    other = market.customer()
    assert enter(other, "+1 (555) 0100").status_code == 303
    shown = other.look(f"{ONLINE}/mine").text
    assert "S07-0001" in shown
    assert placed.location in shown
    left = other.send(f"{ONLINE}/mine/leave")
    assert (left.status_code, left.headers["Clear-Site-Data"]) == (303, '"cache", "storage"')
    assert "S07-0001" not in other.look(f"{ONLINE}/mine").text


def test_who_asks_for_a_code_reads_what_it_risks_and_an_order_s_own_link_needs_none(market):
    placed = market.customer().order(("bread", 1))
    stranger = market.customer()
    assert "Never share the code" in stranger.look(f"{ONLINE}/mine").text
    assert "Clear-Site-Data" not in stranger.send(f"{ONLINE}/mine/leave").headers, (
        "a guest's last order stays with them"
    )
    assert "S07-0001" in stranger.look(placed.location).text


def test_a_stranger_sees_nothing_and_a_wrong_code_opens_nothing(market):
    market.customer().order(("bread", 1))
    market.house.clock.advance(120)
    stranger = market.customer()
    assert stranger.send(f"{ONLINE}/mine", phone="+1 555 0100").status_code == 303
    assert stranger.send(f"{ONLINE}/mine/code", code="000000").status_code == 422
    assert "S07-0001" not in stranger.look(f"{ONLINE}/mine").text
    stranger.send(f"{ONLINE}/mine/leave")
    assert enter(stranger, "+1 555 0199").status_code == 303
    assert "No orders yet" in stranger.look(f"{ONLINE}/mine").text


def test_a_proved_phone_orders_without_another_code(market):
    customer = market.customer()
    enter(customer, "+1 555 0100")
    customer.send(f"{ONLINE}/p/bread", steps=1)
    assert "/order/" in customer.send(f"{ONLINE}/order", name="Li Wei", phone="+1 555 0100").location


def test_a_member_s_shared_points_stand_beside_its_orders_and_its_owner_ends_them_here(market):
    phone = "+1 555 0100"
    with market.town.network.write() as session:
        store = store_of(session, STORE)
        scheme = PointsTerms(
            scope=NETWORK, from_day=AT.date(), name="Clover", currency=store.currency, active=True, points=1,
            per_minor=100, worth_minor=1, least_points=10, expiry_months=0, lapsed_to="stores", notice_days=0,
        )  # fmt: skip
        points_pool.found(Context(session, ANA, AT), scheme)
        key = customers.key_of(NETWORK, store.tz, phone)
        body = {"store_id": STORE, "customer_id": "customer-li", "key": key, "reported_at": AT.isoformat()}
        hear(session, "points.member", body, at=AT)
        moved = body | {"id": new_id(), "kind": "brought", "points": 230, "amount_minor": 230, "sale_id": "",
                        "at": AT.isoformat(), "business_day": AT.date().isoformat()}  # fmt: skip
        hear(session, "points.moved", moved, at=AT)
        points.decide(Context(session, ANA, AT), STORE, moved["id"], take=True)
    stranger, owner = market.customer(), market.customer()
    enter(stranger, "+1 555 0199")
    assert "Clover" not in stranger.look(f"{ONLINE}/mine").text
    stranger.send(f"{ONLINE}/mine/points/leave")
    enter(owner, phone)
    assert "Clover" not in owner.look(f"{ONLINE}/mine").text, "no store has this number's points yet"
    hers = {"store_id": STORE, "customer_id": "customer-li"}
    assert "Use your points at" not in stranger.look(f"{ONLINE}/mine").text
    stranger.send(f"{ONLINE}/mine/points/agree", **hers)
    assert "Use your points at" in owner.look(f"{ONLINE}/mine").text, "nobody agrees for her"
    assert owner.send(f"{ONLINE}/mine/points/agree", **hers).status_code == 303
    shown = owner.look(f"{ONLINE}/mine").text
    assert "Clover" in shown
    assert "Use your points at" not in shown
    assert ">230<" in shown
    assert owner.send(f"{ONLINE}/mine/points/leave").status_code == 303
    assert "Clover" not in owner.look(f"{ONLINE}/mine").text
