"""A product's photo on its page: put, shown wherever the product stands, replaced and removed, by whoever edits it."""

import io
import json

import pytest
import sqlalchemy as sa
from PIL import Image

from config.ids import new_id
from config.nodes.outbox import OutboxMessage
from pos.catalogue.photos import ProductPhoto
from pos.store import pictures
from store_app.runtime.child_process import read_apart
from tests.faults.adversary.test_uploads import huge_picture
from tests.store_app.conftest import token
from tests.store_app.office import fill, words

PAGE = "/products/milk"


@pytest.fixture
def shop(build):
    house = build()
    fill(house)
    return house


def jpeg(colour: tuple[int, int, int] = (190, 40, 30), size: tuple[int, int] = (1200, 900)) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", size, colour).save(made, "JPEG", optimize=True)
    return made.getvalue()


def put(client, raw: bytes, name: str = "photo.jpg", page: str = PAGE):
    sent = [(io.BytesIO(b""), ""), (io.BytesIO(raw), name)]  # the camera's field was left empty
    return client.post(
        f"{page}/photo", data={"csrf_token": token(client), "command_id": new_id(), "photo": sent},
        content_type="multipart/form-data",
    )  # fmt: skip


def kept(shop) -> list[ProductPhoto]:
    with shop.doors.read() as session:
        return list(session.scalars(sa.select(ProductPhoto)))


def test_it_is_shown_under_an_address_a_browser_keeps_for_good_until_another_takes_its_place(shop):
    keeper = shop.signed_in()
    before = keeper.get("/api/catalogue").headers["ETag"]
    assert put(keeper, jpeg()).status_code == 303
    (row,) = kept(shop)
    address = f"{PAGE}/photo/{row.mark}.webp"
    assert address in keeper.get(PAGE).text
    assert address in keeper.get("/products/").text
    changed = keeper.get("/api/catalogue")
    assert (changed.headers["ETag"] == before, f'"photo":"{row.mark}"' in changed.text) == (False, True)
    cashier = shop.signed_in("cashier")
    answer = cashier.get(address)
    assert (answer.status_code, answer.mimetype, len(answer.data) <= pictures.TILE_BYTES) == (200, "image/webp", True)
    assert {"immutable", "private"} <= {part.strip() for part in answer.headers["Cache-Control"].split(",")}
    assert cashier.get(address, headers={"If-None-Match": answer.headers["ETag"]}).status_code == 304
    assert put(keeper, jpeg((20, 160, 60))).status_code == 303
    assert cashier.get(address).status_code == 404
    (other,) = kept(shop)
    assert other.mark != row.mark
    gone = keeper.post(f"{PAGE}/photo/remove", data={"csrf_token": token(keeper), "command_id": new_id()})
    assert (gone.status_code, kept(shop)) == (303, [])
    assert "photo/" not in keeper.get("/products/").text


def test_the_network_hears_once_of_each_photo_and_that_there_is_none_any_more(shop):
    keeper = shop.signed_in()
    for _again in range(2):
        assert put(keeper, jpeg()).status_code == 303
    keeper.post(f"{PAGE}/photo/remove", data={"csrf_token": token(keeper), "command_id": new_id()})
    with shop.doors.read() as session:
        photos = sa.select(OutboxMessage.body).where(OutboxMessage.topic == "product.photo").order_by(OutboxMessage.n)
        said = [json.loads(body) for body in session.scalars(photos)]
    assert [(one["sku"], bool(one["mark"]), bool(one["webp"])) for one in said] == [
        ("milk", True, True), ("milk", False, False),
    ]  # fmt: skip


def test_only_who_edits_products_puts_or_removes_one(shop):
    assert put(shop.signed_in(), jpeg()).status_code == 303
    cashier = shop.signed_in("cashier")
    assert put(cashier, jpeg((1, 2, 3))).status_code == 403
    refused = cashier.post(f"{PAGE}/photo/remove", data={"csrf_token": token(cashier), "command_id": new_id()})
    assert refused.status_code == 403
    assert "Save photo" not in cashier.get(PAGE).text
    assert len(kept(shop)) == 1


@pytest.mark.parametrize(
    ("raw", "name", "sentence"),
    [
        (b"<svg/>", "x.png", "This photo cannot be shown. Use a JPEG, PNG or"),
        (huge_picture(6_000, 6_000), "x.png", "This photo has too many pixels."),
        (jpeg(size=(10_400, 7_800)), "x.jpg", "This photo has too many pixels."),
        (b"", "", "Take or choose a photo first."),
    ],
)
def test_what_is_no_photo_is_a_sentence_and_the_old_one_stays(shop, raw, name, sentence):
    keeper = shop.signed_in()
    assert put(keeper, jpeg()).status_code == 303
    before = kept(shop)[0].mark
    answer = put(keeper, raw, name)
    assert (answer.status_code, sentence in words(answer)) == (422, True), words(answer)
    assert [row.mark for row in kept(shop)] == [before]


def test_a_large_photo_is_read_in_the_bounded_child_and_a_product_there_is_none_of_has_no_photo(shop):
    assert len(next(read_apart(pictures.square, jpeg(size=(8_000, 6_000))))) <= pictures.TILE_BYTES
    assert put(shop.signed_in(), jpeg(), page="/products/none").status_code == 404
    assert kept(shop) == []
