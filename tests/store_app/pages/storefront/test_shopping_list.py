"""A customer's list on the online store's page: answered line by line, put into the basket, and nothing lost."""

import re

import pytest
import sqlalchemy as sa

from config.nodes import journal
from config.nodes.journal import Context
from pos.catalogue.catalogue import Product
from pos.lists.matching import MOST_LETTERS
from supply.online.checkout import placing
from supply.online.orders import PickupOrder, bought_with
from supply.online.storefront.availability import OnlineListing
from tests.store_app.office import words
from tests.store_app.pages.storefront.test_account import enter
from tests.store_app.town import ONLINE
from tests.supply.online_store import AT, STORE

LIST = f"{ONLINE}/list"


@pytest.fixture
def customer(market):
    return market.customer()


def kinds(answer):
    return re.findall(r'data-line="(\w+)"', answer.text)


def picks(answer):
    """What the page has ticked, as its form sends it."""
    return dict(re.findall(r'name="(pick-\d+)" value="([^"]+)" checked', answer.text))


def test_the_store_s_first_page_leads_to_the_list(customer):
    assert f'href="{LIST}"' in customer.look().text
    assert "Shopping list" in words(customer.look(LIST))


def test_a_list_becomes_a_basket(customer):
    answer = customer.send(LIST, list="Hi!\n2 rye bread\nmilk x3\n500 g apples\nunicorn\nThanks")
    assert answer.status_code == 200
    assert kinds(answer) == ["note", "sure", "sure", "sure", "missing", "note"]
    assert set(picks(answer).values()) == {"bread 2", "milk 3", "apple 500"}
    assert customer.send(f"{LIST}/basket", list="…", **picks(answer)).location == f"{ONLINE}/basket"
    basket = words(customer.look(f"{ONLINE}/basket"))
    assert all(text in basket for text in ("3 products added", "Rye bread", "Milk", "Apples", "500 g"))


def test_what_is_not_sure_is_asked_and_goes_in_only_when_it_is_chosen(market, customer):
    with market.town.network.write() as session:
        milk = session.get_one(Product, "milk")
        for sku, name in (("oat", "Oat milk"), ("goat", "Goat milk")):
            session.add(Product(sku=sku, name=name, category=milk.category, tax_class_id=milk.tax_class_id))
            session.flush()
            session.add(OnlineListing(store_id=STORE, sku=sku, price_minor=199, available_qty=9, shelf_rank=None,
                                      published_at=market.house.clock.now()))  # fmt: skip
    answer = customer.send(LIST, list="drink milk 2")
    assert (kinds(answer), picks(answer)) == (["ask"], {})
    refused = customer.send(f"{LIST}/basket", list="drink milk 2")
    assert refused.status_code == 422
    assert "Choose at least one product first." in words(refused)
    assert kinds(refused) == ["ask"]
    assert customer.send(f"{LIST}/basket", **{"pick-0": "oat 2"}).status_code == 303
    assert "Oat milk" in words(customer.look(f"{ONLINE}/basket"))


def test_what_is_out_of_stock_is_named_with_another_of_its_kind_that_nobody_chose(market, customer):
    with market.town.network.write() as session:
        session.get_one(OnlineListing, (STORE, "milk")).available_qty = 0
        for sku in ("milk", "tea"):
            session.get_one(Product, sku).category = "Breakfast"
    answer = customer.send(LIST, list="milk")
    assert kinds(answer) == ["missing"]
    assert "Milk is out of stock. Instead: Green tea" in words(answer)
    assert picks(answer) == {}


def test_the_same_as_last_time_is_what_the_proved_number_ordered(market):
    assert market.customer().order(("bread", 2)).status_code == 303
    market.house.clock.advance(120)
    guest, known = market.customer(), market.customer()
    enter(known, "+1 555 0100")
    assert "There is no earlier order to look in." in words(guest.send(LIST, list="same as last time"))
    assert "Confirm your number to use your earlier orders" in words(guest.look(LIST))
    answer = known.send(LIST, list="same bread as last time, the usual")
    assert (kinds(answer), list(picks(answer).values())) == (["sure", "sure"], ["bread 2", "bread 2"])
    assert "as last time" in words(answer)


def test_an_order_that_came_to_nothing_is_no_last_time(market):
    assert market.customer().order(("bread", 2)).status_code == 303
    with market.town.network.write() as session:
        order = session.scalars(sa.select(PickupOrder)).one()
        assert bought_with(session, STORE, order.customer_phone, 5) == [[("bread", 2)]]
        journal.move(Context(session, placing.CUSTOMER, AT), order, "cancelled", subject="order")
        assert bought_with(session, STORE, order.customer_phone, 5) == []


@pytest.mark.parametrize("much", ["x" * (MOST_LETTERS + 1), "milk\n" * 61, "tea, " * 300_000])
def test_too_much_is_answered_with_what_to_do_and_stays_in_the_field(customer, much):
    answer = customer.send(LIST, list=much)
    assert answer.status_code == 422
    assert "up to 60 lines and 4000 characters. Split it in two." in words(answer)
    assert much.strip()[-40:] in answer.text
    assert kinds(answer) == []


def test_an_empty_list_says_so(customer):
    assert "Write what you need first." in words(customer.send(LIST, list=" \n "))


@pytest.mark.parametrize(
    ("pick", "said"),
    [
        ("nothing 1", "This product is not in this online store."),
        ("milk 41", "The store does not have that many of Milk."),
    ],
)
def test_what_cannot_go_in_is_named_and_the_rest_goes_in(customer, pick, said):
    answer = customer.send(f"{LIST}/basket", **{"pick-0": pick, "pick-1": "bread 1"})
    assert answer.status_code == 303
    basket = words(customer.look(f"{ONLINE}/basket"))
    assert said in basket
    assert "Rye bread" in basket


def test_a_made_up_weight_goes_in_as_whole_portions(customer):
    assert customer.send(f"{LIST}/basket", **{"pick-0": "apple 550"}).status_code == 303
    assert "500 g" in words(customer.look(f"{ONLINE}/basket"))


@pytest.mark.parametrize("pick", ["milk", "milk 0", "milk -1", "milk x", " "])
def test_a_made_up_choice_is_refused(customer, pick):
    assert customer.send(f"{LIST}/basket", **{"pick-0": pick}).status_code == 422
    assert "Milk" not in words(customer.look(f"{ONLINE}/basket"))


def test_what_a_stranger_pastes_is_shown_as_text(customer):
    answer = customer.send(LIST, list="<script>alert(1)</script>\x00 milk")
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;" in answer.text
