"""Messages to customers on their pages: nobody without an offer, each with a code, noted as sent, as a table."""

import datetime as dt

from config.ids import new_id
from config.nodes.journal import Context
from pos.catalogue import offers
from pos.catalogue.catalogue import TaxClass
from pos.customers import customers
from pos.customers.customers import Particulars
from pos.pricing.promises import Choice, Offer, Part
from pos.store.store import store_of
from tests.store_app.conftest import NOON, STORE
from tests.store_app.office import SYSTEM, words
from tests.store_app.pages.goods.test_produce import send

BY = {"actor": SYSTEM, "at": NOON}


def test_a_welcome_is_made_sent_and_taken_along_as_a_table(house):
    keeper = house.signed_in()
    assert "Create a promotion with a coupon first" in words(keeper.get("/customer-messages/"))
    with house.doors.write() as session:
        session.add(TaxClass(id="food", name="Food", rate_bp=0, inclusive=True))
        part = Part(Choice(categories=frozenset(["Dairy"])))
        offers.make(
            Context(session, **BY),
            STORE,
            Offer("o1", "A tenth off", "percent", (part,), percent_bp=1_000, codes=frozenset()),
        )
    nobody = keeper.get("/customer-messages/")
    assert (
        "No matching customers have agreed to receive messages yet" in words(nobody),
        'btn-lg" disabled' in nobody.text,
    ) == (
        True,
        True,
    )
    with house.doors.write() as session:
        wished = Particulars("Ana <b>", "5550100001", "zh", frozenset({"phone", "messages"}))
        at = NOON - dt.timedelta(days=2)
        ana = customers.add(Context(session, SYSTEM, at), store_of(session, STORE), new_id(), wished).id
    assert 'btn-lg" disabled' not in keeper.get("/customer-messages/").text
    refused = send(
        keeper, "/customer-messages/", kind="welcome", offer="o1", away_days="30", days="21", words_en="no code in it"
    )
    assert (refused.status_code, "up to 400 characters" in words(refused)) == (422, True)
    here = send(keeper, "/customer-messages/", kind="welcome", offer="o1", away_days="30", days="21").location
    shown = keeper.get(here)
    assert "Ana &lt;b&gt;" in shown.text
    assert "欢迎" in words(shown)
    assert "Too few people for a hold-out group, so the" in words(shown)
    assert keeper.get(f"{here}.pdf").data.startswith(b"%PDF"), "slips for who has no message service"
    assert send(keeper, f"{here}/told/{ana}").status_code == 303
    assert keeper.get(f"{here}.pdf").status_code == 404, "everybody has theirs"
    assert "sent" in words(keeper.get(here))
    assert keeper.get(f"{here}.csv").get_data(as_text=True).count("5550100001") == 1
    assert "No matching customers have agreed to receive messages" in words(
        send(keeper, "/customer-messages/", kind="welcome", offer="o1", away_days="30", days="21")
    )
