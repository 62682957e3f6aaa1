"""The store's page of reviews: answered, and reported to the network."""

import sqlalchemy as sa

from config.nodes.outbox import OutboxMessage
from supply.online.storefront.reviews import Review
from tests.store_app.conftest import NOON, STORE, House
from tests.store_app.office import fill, send, words


def test_a_review_is_reported_with_a_reason_and_the_page_says_how_it_ended(house: House):
    fill(house)
    with house.doors.write() as session:
        row = {"store_id": STORE, "order_id": "o-1", "sku": "milk", "stars": 1, "words": "Bah.", "by_name": "L"}
        session.add(Review(**row, state="shown", written_at=NOON, answer="", reported_why="", decided_why=""))
    client = house.signed_in()
    assert send(client, "/reviews/o-1/milk/report").status_code == 422
    assert send(client, "/reviews/o-1/milk/report", why="Rude.").status_code == 303
    assert "reported" in words(client.get("/reviews/"))
    with house.doors.write() as session:
        (fact,) = session.scalars(sa.select(OutboxMessage).where(OutboxMessage.topic == "review.flagged"))
        assert '"why":"Rude."' in fact.body
        session.get_one(Review, (STORE, "o-1", "milk")).state = "shown"  # the network let it stand
    shown = words(client.get("/reviews/"))
    assert "You reported this review; the network decided to keep it." in shown
    assert "What is wrong with it?" not in shown
