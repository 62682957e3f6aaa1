"""Reviews: only of what was collected, answered by the store, hidden by the operator alone and with a record."""

import pytest

from config.errors import DomainError
from config.ids import new_id
from config.nodes.journal import Actor, Context, JournalEntry
from supply.online.orders import PickupOrder
from supply.online.storefront import reviews
from supply.online.storefront.reviews import Review
from supply.sync import online
from tests.supply.online_store import ANA, AT, STORE, later, make_town

ONE = "order-00001"
CUSTOMER = Actor("customer", "customer", "customer", "network")
OPERATOR = Actor("op", "Op", "operator", "network")


@pytest.fixture
def town(tmp_path):
    found = make_town(tmp_path)
    found.open_till()
    placed = found.ready_order(ONE, [("milk", 1)])
    found.collect(placed.code, new_id(), 129)
    found.deliver()
    return found


def write(town, sku="milk", stars=4, words="Fresh."):
    with town.network.write() as session:
        order = session.get(PickupOrder, (STORE, ONE))
        row = reviews.write(Context(session, CUSTOMER, AT), order, sku, stars, words)
        online.send_review(session, row, AT)
    town.deliver()


def there(session):
    return session.get(Review, (STORE, ONE, "milk"))


def test_a_collected_product_is_reviewed_once_and_answered_by_its_shop(town):
    for _ in range(2):
        write(town)
    with town.store.write() as session:
        online.answer_review(Context(session, ANA, later(hours=1)), there(session), "Thank you!")
    town.deliver()
    with town.network.read() as session:
        (row,) = reviews.of_product(session, STORE, "milk")
        assert (row.stars, row.answer, row.by_name) == (4, "Thank you!", "L")
        assert reviews.stars_of(session, STORE, ["milk"])["milk"].tenths == 40
    with pytest.raises(DomainError, match="You already reviewed this"):
        write(town, stars=1)


@pytest.mark.parametrize("odd", [{"sku": "tea"}, {"stars": 0}, {"stars": 6}, {"words": "x" * 601}])
def test_what_was_not_bought_and_what_is_no_review_is_refused(town, odd):
    with pytest.raises(DomainError):
        write(town, **odd)


def test_what_was_not_collected_is_not_reviewed(town):
    town.ready_order("order-00002", [("milk", 1)])
    with town.network.write() as session:
        order = session.get(PickupOrder, (STORE, "order-00002"))
        with pytest.raises(DomainError, match="after pickup"):
            reviews.write(Context(session, CUSTOMER, AT), order, "milk", 5, "")


def test_hiding_is_the_operators_wants_a_reason_and_stays_on_record(town):
    write(town)
    with town.network.write() as session:
        reviews.report(Context(session, CUSTOMER, AT), there(session), "Rude.")
        assert reviews.reported(session) == [there(session)]
        with pytest.raises(DomainError, match="Enter a reason"):
            reviews.decide(Context(session, OPERATOR, AT), there(session), hide=True, why=" ")
        reviews.decide(Context(session, OPERATOR, AT), there(session), hide=True, why="It is rude.")
        online.send_review(session, there(session), AT)
        assert reviews.of_product(session, STORE, "milk") == []
        assert there(session).words == "Fresh."
        verbs = [row.verb for row in session.query(JournalEntry)]
        assert {"review.reported", "review.hidden"} <= set(verbs)
    town.deliver()
    with town.store.read() as session:
        assert there(session).state == "hidden"


def test_what_was_let_stand_is_not_reported_again_and_again(town):
    write(town)
    with town.network.write() as session:
        reviews.report(Context(session, CUSTOMER, AT), there(session), "Rude.")
        reviews.decide(Context(session, OPERATOR, AT), there(session), hide=False, why="It is fair.")
        reviews.report(Context(session, CUSTOMER, AT), there(session), "Rude!")
        assert there(session).state == "shown"


def test_a_review_its_shop_reports_waits_for_the_operator_once(town):
    write(town)
    for why in ("It is about another store.", "It is still wrong."):
        with town.store.write() as session:
            online.report_review(Context(session, ANA, later(hours=1)), there(session), why)
            assert there(session).state == "reported"
        town.deliver()
    with town.network.write() as session:
        assert [row.reported_why for row in reviews.reported(session)] == ["It is about another store."]
        reviews.decide(Context(session, OPERATOR, AT), there(session), hide=False, why="It is about this one.")
        online.send_review(session, there(session), AT)
    town.deliver()
    with town.store.write() as session:
        online.report_review(Context(session, ANA, later(hours=2)), there(session), "But it is!")
        assert (there(session).state, there(session).reported_why) == ("shown", "It is about another store.")
    town.deliver()
    with town.network.read() as session:
        assert reviews.reported(session) == []


@pytest.mark.parametrize("hide", [False, True])
def test_a_shop_that_reports_what_the_operator_decided_already_hears_the_decision(town, hide):
    write(town)
    with town.network.write() as session:
        reviews.report(Context(session, CUSTOMER, AT), there(session), "Rude.")
        reviews.decide(Context(session, OPERATOR, AT), there(session), hide=hide, why="Looked at.")
    with town.store.write() as session:
        online.report_review(Context(session, ANA, later(hours=1)), there(session), "It is rude.")
    town.deliver()
    with town.store.read() as session:
        assert there(session).state == ("hidden" if hide else "shown")
