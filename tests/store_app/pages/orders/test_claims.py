"""Claims and goods of the network through their pages: the store's phone, the operator's desk, and nobody else's."""

import datetime as dt
import io

import pytest

from config.ids import new_id
from pos.messages import OutgoingMessage
from store_app.mail import sending, supplier_mail
from supply.network.claims import photos
from supply.network.offers import offer_results
from supply.orders import claims
from supply.orders.claims import Claim
from supply.orders.deliveries import DeliveryLine
from supply.orders.delivery_calendar import DeliveryCalendar
from supply.orders.supplier_returns import SupplierReturn
from supply.orders.suppliers import Supplier
from tests.store_app import complaints, operator
from tests.store_app.complaints import CLAIM, CONTESTED, DELIVERY, LOT
from tests.store_app.conftest import NOON, STORE, token
from tests.store_app.office import fill, picture_of, proposal, send, send_seen, words


@pytest.fixture
def office(house):
    fill(house, _complained)
    return house


def _complained(house):
    fill(house)
    with house.doors.write() as session:
        complaints.furnish(session)


@pytest.fixture
def desk(network):
    operator.furnish(network)
    with network.doors.write() as session:
        complaints.furnish(session)
        complaints.sent_back(session)
    return network


def found(house, claim_id=CLAIM):
    with house.doors.read() as session:
        return session.get(Claim, (STORE, claim_id))


def file(client, *, qty, photos=(), command=None, **fields):
    data = {
        "csrf_token": token(client), "command_id": command or new_id(), "wish": "money", "sku-0": "tea",
        "kind-0": "damaged", "qty-0": str(qty), **fields,
    }  # fmt: skip
    data["photo"] = [(io.BytesIO(raw), f"{n}.jpg") for n, raw in enumerate(photos)]
    answer = client.post(f"/claims/new/{DELIVERY}", data=data, content_type="multipart/form-data")
    answer.request.environ["wsgi.input"].close()  # the test client leaves its file open
    return answer


def test_a_claim_with_photos_larger_than_other_forms_is_filed_once_and_read_in_words(office):
    client, command = office.signed_in(), new_id()
    large = complaints.photo("PNG") + b"\0" * 2_500_000
    for _ in range(2):
        assert file(client, qty=2, photos=[large, complaints.photo("WEBP")], command=command).status_code == 303
    page = words(client.get(f"/claims/{command}"))
    assert "Sent to the network, or will be sent once you’re online" in page
    with office.doors.read() as session:
        (first, second) = photos.photos_of(session, STORE, command)
    shown = client.get(f"/claims/photos/{first.id}.jpg")
    assert (shown.mimetype, shown.headers["X-Content-Type-Options"]) == ("image/jpeg", "nosniff")
    assert shown.data[:2] == b"\xff\xd8"
    assert second.n == 1
    assert client.get("/claims/photos/none.jpg").status_code == 404


@pytest.mark.parametrize(
    ("wishes", "sentence"),
    [
        ({"qty": 9}, "8 arrived, so you can claim up to 8"),
        ({"qty": 1, "photos": [b"no photo"]}, "This photo cannot be shown. Use a JPEG, PNG or"),
        ({"qty": 1, "photos": [b"x"] * 4}, "You can add up to three photos. Choose the"),
        ({"qty": 0}, "Describe the problem with at least one product"),
        ({"qty": 1, "wish": "gold"}, "Choose what you would like"),
    ],
)
def test_a_claim_that_cannot_be_is_refused_on_its_form_with_a_sentence(office, wishes, sentence):
    client = office.signed_in()
    before = picture_of(office)
    answer = file(client, **wishes)
    assert answer.status_code in (409, 422)
    assert sentence in words(answer)
    assert picture_of(office) == before


def test_goods_that_were_not_counted_in_are_not_claimed_yet(office):
    refused = office.signed_in().get("/claims/new/D1")
    assert (refused.status_code, "Count and post this delivery first." in words(refused)) == (409, True)


def test_what_was_neither_advised_nor_counted_is_not_on_the_form(office):
    with office.doors.write() as session:
        session.add(DeliveryLine(store_id=STORE, delivery_id=DELIVERY, sku="soap", name="Soap", pack_qty=12,
                                 advised_qty=0, counted_qty=0))  # fmt: skip
    page = office.signed_in().get(f"/claims/new/{DELIVERY}").text
    assert ('value="tea"' in page, 'value="soap"' in page) == (True, False)


def test_after_its_days_the_form_asks_for_goodwill_and_says_so(office):
    office.clock.now_ = office.clock.now()
    office.clock.advance(5 * 86_400)
    client = office.signed_in()
    assert "You can still ask for goodwill" in words(client.get(f"/claims/new/{DELIVERY}"))
    refused = file(client, qty=1)
    assert (refused.status_code, "Ask for goodwill instead" in words(refused)) == (409, True)
    assert file(client, qty=1, goodwill="1").status_code == 303


def test_goods_of_the_network_are_handed_over_or_kept_from_one_page(office):
    client = office.signed_in()
    page = words(client.get("/stock/network/"))
    assert "Return by" in page
    too_many = send(client, f"/stock/network/returns/{LOT}/send", **{"qty-0": "25"})
    assert too_many.status_code == 422
    assert send(client, f"/stock/network/returns/{LOT}/send", **{"qty-0": "20"}).status_code == 303
    assert send(client, f"/stock/network/returns/{LOT}/send", **{"qty-0": "20"}).status_code == 303
    with office.doors.read() as session:
        assert session.get(SupplierReturn, (STORE, LOT)).state == "sent"
    assert "0 sold, 20 returned, 4 bought, 0 left" in words(client.get("/stock/network/"))
    again = send(client, f"/stock/network/{LOT}/propose")
    assert (again.status_code, "is left to return" in words(again)) == (409, True)


def test_the_operator_sees_the_photo_answers_line_by_line_and_counts_what_comes_back(desk):
    client = desk.signed_in("operator")
    page = words(client.get("/console/claims/"))
    assert "All six say May." in page
    assert "Coming back to the warehouse" in page
    assert "not charged" in words(client.get(f"/console/claims/{STORE}/{CLAIM}"))
    with desk.doors.read() as session:
        (shown,) = photos.photos_of(session, STORE, CLAIM)
    assert client.get(f"/console/claims/{STORE}/photos/{shown.id}.jpg").mimetype == "image/jpeg"
    assert send(client, f"/console/claims/{STORE}/{CLAIM}/look").status_code == 303
    silent = send(client, f"/console/claims/{STORE}/{CLAIM}", remedy="money", **{f"grant-{n}": "0" for n in range(3)})
    assert (silent.status_code, "Explain to the shopkeeper why you are approving less" in words(silent)) == (422, True)
    claim = found(desk)
    with desk.doors.read() as session:
        lines = claims.lines_of(session, claim)
    grants = {f"grant-{n}": str(line.qty) for n, line in enumerate(lines)}
    assert send(client, f"/console/claims/{STORE}/{CLAIM}", remedy="return", **grants).status_code == 303
    assert (found(desk).state, found(desk).granted_minor) == ("accepted", 3 * 928 // 12)
    counted = send(client, f"/console/claims/returns/{STORE}/{LOT}", **{"came-0": "24", "fit-0": "23"})
    assert counted.status_code == 303, words(counted)
    second = send(client, f"/console/claims/{STORE}/{CONTESTED}", remedy="money", **{"grant-0": "6"})
    assert (second.status_code, found(desk, CONTESTED).state) == (303, "compensated")
    assert client.get(f"/console/claims/{STORE}/none").status_code == 404


def test_the_operator_offers_on_terms_and_sees_what_became_of_it(desk):
    client = desk.signed_in("operator")
    until = (NOON.date() + dt.timedelta(days=40)).isoformat()
    given = {
        "sku": "tea", "packs": "1", "why": "Too much of it", "answer_by": (NOON.date()).isoformat(), "kind": "surplus",
        "return_until": until, "pack_cost": "19.50", "slot_fee": "3", "store_id": [STORE],
    }  # fmt: skip
    sent = send_seen(client, "/console/promotions/offers/new", **given)
    assert sent.status_code == 303
    assert "Clear surplus stock" in words(client.get(sent.location))
    with desk.doors.read() as session:
        ids = [one.id for one in offer_results.summaries(session)]
    page = " ".join(words(client.get(f"/console/promotions/offers/{push_id}")) for push_id in ids)
    assert "0% sold: 0 of 24" in page
    assert "on consignment until" in page
    bad = send(client, "/console/promotions/offers/new", **given | {"kind": "near_expiry"})
    assert (bad.status_code, "Enter the last day of sale" in words(bad)) == (422, True)


def test_a_claim_to_an_own_supplier_goes_by_e_mail_with_its_photo_and_never_as_an_order(house):
    fill(house)
    client = house.signed_in()
    with house.doors.write() as session:
        proposal(session)
        session.add(
            Supplier(id="farm", name="Farm", kind="own", owner_id=STORE, calendar=DeliveryCalendar(frozenset({0})),
                     send_by="email", email="ann@farm.example")
        )  # fmt: skip
        session.flush()
        complaints.taken_in(session, DELIVERY, {"tea": (12, 12)}, supplier_id="farm", order_id="order-P1")
    assert file(client, qty=2, photos=[complaints.photo()], command=CLAIM, words="It leaks").status_code == 303
    with house.doors.read() as session:
        message = supplier_mail.complaint(session, session.get(OutgoingMessage, (STORE, CLAIM)))
    assert message.email == "ann@farm.example"
    assert "2 绿茶 Green tea (tea): damaged" in message.text
    assert "It leaks" in message.text
    assert [name for name, _kind, data in message.files if data[:2] == b"\xff\xd8"] == ["photo-1.jpg"]
    assert sending.send_due(house.doors, []) == (0, 1)
    assert "This store has no mail server." in words(client.get(f"/claims/{CLAIM}"))
    assert send(client, f"/claims/{CLAIM}/again", email="bob@farm.example").status_code == 303
    assert client.get(f"/orders/messages/{CLAIM}.pdf").status_code == 404
    answered = send(client, f"/claims/{CLAIM}/answered", remedy="replacement", **{"grant-0": "2"})
    assert (answered.status_code, found(house).state) == (303, "replaced")
