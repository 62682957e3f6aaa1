"""Local producers on their pages, and their story beside the product in the online store."""

import io
import json

import pytest
import sqlalchemy as sa
from PIL import Image

from config.errors import Invalid
from config.ids import new_id
from config.nodes import outbox
from config.nodes.journal import Context
from config.nodes.outbox import OutboxMessage
from pos.catalogue import assortment
from pos.catalogue.assortment import ProductDetails
from pos.catalogue.catalogue import Product, TaxClass
from pos.producers import producers
from pos.producers.payouts import ProducerStatement
from pos.sale import sale
from pos.sale.sale_request import SaleRequest
from pos.stock.producer_lots import ProducerLot
from pos.store import pictures
from pos.till import shift
from store_app.runtime.child_process import read_apart
from supply.network.claims import photos
from supply.online.storefront import listing, product_stories
from tests.arriving import hear
from tests.store_app.conftest import NOON, STORE, token
from tests.store_app.office import SYSTEM, words
from tests.store_app.town import ONLINE
from tests.supply import online_store

BY = {"actor": SYSTEM, "at": NOON}


def picture(side: int = 1200) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (side, side // 2), (190, 40, 30)).save(made, "PNG")
    return made.getvalue()


def send(client, address: str, **fields):
    return client.post(address, data={"csrf_token": token(client), "command_id": new_id(), **fields})


@pytest.fixture
def keeper(house):
    with house.doors.write() as session:
        session.add(TaxClass(id="food", name="Food", rate_bp=900, inclusive=True))
        session.flush()
        shift.open_shift(Context(session, **BY), STORE, "1", 10_000)
    return house.signed_in()


def test_from_the_farmer_to_the_receipt_to_the_statement_on_the_pages(house, keeper):
    assert "No producers yet" in words(keeper.get("/producers/"))
    agent = {"agent_name": "Mei", "agent_share": "5", "agent_account": "DE89 3704 0044 0532 0130 01"}
    wished = {"name": "Li Farm", "kind": "farmer", "place": "Hill 3", "commission": "20"}
    wrong = send(keeper, "/producers/", **wished, **agent)
    assert (wrong.status_code, "This IBAN has a typo. Check each" in words(wrong)) == (422, True)
    farm = send(keeper, "/producers/", **wished, **agent | {"agent_account": ""}).location
    made = send(
        keeper, f"{farm}/goods", name="Tomatoes", unit="each", price="3.99", tax="food", story="Ripe <b>red</b>"
    )
    assert made.status_code == 303, words(made)
    with house.doors.read() as session:
        sku = session.scalar(sa.select(Product.sku).where(Product.name == "Tomatoes"))
    assert send(keeper, f"{farm}/lots", sku=sku, qty="9", code="CRATE-7", harvested_on="2026-03-01").status_code == 303
    again = send(keeper, f"{farm}/lots", sku=sku, qty="9", code="CRATE-7")
    assert (again.status_code, "Lot CRATE-7 already exists" in words(again)) == (409, True)
    with house.doors.write() as session:
        request = SaleRequest(
            id=new_id(), store_id=STORE, till_id="1", lines=[(sku, 4)], tenders=[("cash", 1596)], shown_total_minor=1596
        )
        sold = sale.complete(Context(session, **BY), request)
    shown = words(keeper.get(f"/producers/?receipt=1-{sold.sale.receipt_no}"))
    assert "CRATE-7" in shown
    assert "Li Farm" in shown
    with house.doors.read() as session:
        lot = session.scalar(sa.select(ProducerLot))
    assert f"1-{sold.sale.receipt_no}" in words(keeper.get(f"/producers/lots/{lot.id}"))
    assert send(keeper, f"/producers/lots/{lot.id}/out", qty="2", how="back").status_code == 303
    stated = send(keeper, f"{farm}/statements", until="2026-03-02").location
    table = keeper.get(f"{stated}.csv").get_data(as_text=True).splitlines()
    net = round(1596 / 1.09)
    due = net - round(net * 0.2)
    assert len(table) == 2
    assert table[1].endswith(f"4,{net / 100:.2f},{(net - due) / 100:.2f},{due / 100:.2f}")
    assert keeper.get(f"{stated}.pdf").data.startswith(b"%PDF")
    assert "Add Mei’s account first" in words(keeper.get(stated))
    agent["agent_account"] = "DE89 3704 0044 0532 0130 00"
    assert send(keeper, f"{farm}/terms", **wished, **agent).status_code == 303
    shown = words(keeper.get(stated))
    assert ("Add account" in shown, "including for Mei" in shown) == (False, True)
    with house.doors.read() as session:
        reported = session.scalars(sa.select(OutboxMessage.body).where(OutboxMessage.topic == "agent.parts")).one()
    assert json.loads(reported)["parts"] == [["Mei", round(net * 0.05)]]
    assert send(keeper, f"{stated}/paid", how="cash").status_code == 303
    assert "from the drawer" in words(keeper.get(stated))
    with house.doors.read() as session:
        assert session.scalar(sa.select(ProducerStatement)).to_pay_minor == due


def test_a_picture_is_written_anew_and_what_is_none_is_refused(house, keeper):
    farm = send(keeper, "/producers/", name="Li", kind="farmer", commission="10").location
    send(keeper, f"{farm}/goods", name="Tomatoes", unit="each", price="3.99", tax="food")
    with house.doors.read() as session:
        sku = session.scalar(sa.select(Product.sku).where(Product.name == "Tomatoes"))
    here = f"{farm}/goods/{sku}/story"
    bad = send(keeper, here, story="x", picture=(io.BytesIO(b"<svg/>"), "x.png"))
    assert (bad.status_code, "This photo cannot be shown. Use a JPEG, PNG or" in words(bad)) == (422, True)
    for side in (1200, 1300, 1400):
        assert send(keeper, here, story="x", picture=(io.BytesIO(picture(side)), "x.png")).status_code == 303
    full = send(keeper, here, story="x", picture=(io.BytesIO(picture(1500)), "x.png"))
    with house.doors.read() as session:
        kept = session.scalars(sa.select(product_stories.ProducerPicture)).all()
    assert full.status_code == (303 if len(kept) < 3 else 409)
    shown = Image.open(io.BytesIO(keeper.get(f"/producers/picture/{sku}/{kept[0].id}").data))
    assert (shown.format, max(shown.size)) == ("JPEG", product_stories.SIDE)


def phone_photo() -> bytes:
    made = io.BytesIO()
    Image.effect_noise((1000, 700), 120).save(made, "JPEG", quality=70)
    return made.getvalue()


def test_a_photo_as_phones_take_them_is_read_before_the_books_are_locked(house, keeper, monkeypatch):
    farm = send(keeper, "/producers/", name="Li", kind="farmer", commission="10").location
    send(keeper, f"{farm}/goods", name="Tomatoes", unit="each", price="3.99", tax="food")
    with house.doors.read() as session:
        sku = session.scalar(sa.select(Product.sku).where(Product.name == "Tomatoes"))
    with house.doors.write(), pytest.raises(RuntimeError, match="while the books are locked"):
        read_apart(pictures.small, phone_photo(), product_stories.SIDE)
    photo = phone_photo()
    monkeypatch.setitem(keeper.application.config, "MAX_CONTENT_LENGTH", len(photo))  # the form is more than that
    made = send(keeper, f"{farm}/goods/{sku}/story", story="x", picture=(io.BytesIO(photo), "x.jpg"))
    assert made.status_code == 303, words(made)
    with house.doors.read() as session:
        assert len(session.scalar(sa.select(product_stories.ProducerPicture.jpeg))) <= pictures.KEPT_BYTES
    for n in range(2):
        assert send(keeper, f"{farm}/lots", sku=sku, qty="9", code=f"CRATE-{n}").status_code == 303
    with house.doors.read() as session:
        reported = session.scalars(sa.select(OutboxMessage).where(OutboxMessage.topic.like("produce.%"))).all()
    assert [row.topic for row in reported if len(row.body) > 4_000] == ["produce.picture"]


def test_a_small_file_of_very_many_dots_is_refused():
    made = io.BytesIO()
    Image.new("1", (6_000, 6_000)).save(made, "PNG")
    with pytest.raises(Invalid, match="This photo has too many pixels"):
        next(pictures.small(made.getvalue(), photos.SIDE))


def test_customers_read_the_story_beside_a_product_they_can_order(market):
    town, customer = market.town, market.customer()
    by = {"actor": online_store.ANA, "at": online_store.AT}
    small = next(pictures.small(picture(), product_stories.SIDE))
    with town.store.write() as session:
        facts = producers.ProducerFacts("Li Farm", place="Hill 3", commission_bp=2_000)
        producers.add_producer(Context(session, **by), online_store.STORE, facts, id="farm")
        row = assortment.add(
            Context(session, **by), online_store.STORE, ProductDetails("Tomatoes", "Local", "std"), command="t"
        )
        today = online_store.AT.date()
        assortment.set_price(Context(session, **by), online_store.STORE, row.sku, 399, today, today=today)
        producers.sell_for(Context(session, **by), online_store.STORE, "farm", row.sku, "Grown on the hill.")
        producers.take_in(Context(session, **by), online_store.STORE, row.sku, 20, id=new_id(), code="CRATE-7")
        product_stories.add_picture(session, online_store.STORE, row.sku, small, at=online_store.AT)
        product_stories.send(session, online_store.STORE, row.sku, at=online_store.AT)
        session.flush()
        reported = session.scalar(sa.select(OutboxMessage).where(OutboxMessage.topic == "produce.reported"))
        body = outbox.to_wire(reported)["body"]
        assert not {"phone", "account", "commission_bp"} & body.keys()
        sku = row.sku
        sent = session.scalar(sa.select(OutboxMessage).where(OutboxMessage.topic == "produce.picture"))
        alone = outbox.to_wire(sent)["body"]
    for _ in range(2):
        with town.network.write() as session:
            hear(session, "produce.reported", body)
            hear(session, "produce.picture", alone)
    town.publish(at=online_store.later(minutes=1))
    shown = customer.look(f"{ONLINE}/p/{sku}")
    assert "From Li Farm" in words(shown)
    assert "Grown on the hill." in words(shown)
    assert "CRATE-7" in words(shown)
    with town.network.read() as session:
        (one,) = product_stories.pictures_of(session, online_store.STORE, sku)
        assert listing.product(session, online_store.STORE, sku).left_qty == 18
    answer = customer.look(f"{ONLINE}/p/{sku}/picture/{one.id}")
    assert (answer.status_code, answer.mimetype) == (200, "image/jpeg")
    assert customer.order((sku, 2)).status_code == 303
