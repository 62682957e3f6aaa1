"""A customer's own orders online: shown to whoever proves the phone, to nobody else."""

import re

from tests.store_app.town import SHOP


def enter(customer, phone):
    """Prove a phone on the page of one's orders."""
    assert customer.send(f"{SHOP}/mine", phone=phone).status_code == 303
    code = re.search(r"code is (\d{8})", customer.look(f"{SHOP}/mine").text)[1]
    return customer.send(f"{SHOP}/mine/code", code=code)


def test_whoever_proves_the_phone_finds_its_orders_and_their_codes_in_any_browser(market):
    placed = market.customer().order(("bread", 1))
    assert placed.status_code == 303
    market.house.clock.advance(120)
    other = market.customer()
    assert enter(other, "+1 (555) 0100").status_code == 303
    shown = other.look(f"{SHOP}/mine").text
    assert "S07-0001" in shown
    assert placed.location in shown
    assert other.send(f"{SHOP}/mine/leave").status_code == 303
    assert "S07-0001" not in other.look(f"{SHOP}/mine").text


def test_a_stranger_sees_nothing_and_a_wrong_code_opens_nothing(market):
    market.customer().order(("bread", 1))
    market.house.clock.advance(120)
    stranger = market.customer()
    assert stranger.send(f"{SHOP}/mine", phone="+1 555 0100").status_code == 303
    assert stranger.send(f"{SHOP}/mine/code", code="000000").status_code == 422
    assert "S07-0001" not in stranger.look(f"{SHOP}/mine").text
    stranger.send(f"{SHOP}/mine/leave")
    assert enter(stranger, "+1 555 0199").status_code == 303
    assert "Nothing ordered yet" in stranger.look(f"{SHOP}/mine").text


def test_a_proved_phone_orders_without_another_code(market):
    customer = market.customer()
    enter(customer, "+1 555 0100")
    customer.send(f"{SHOP}/p/bread", steps=1)
    assert "/order/" in customer.send(f"{SHOP}/order", name="Li Wei", phone="+1 555 0100").location
