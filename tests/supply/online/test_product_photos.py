"""A store's photos at the network: the newest word stands, what is none is refused, and they come home again."""

import base64
import hashlib
import io
import json

import pytest
import sqlalchemy as sa
from PIL import Image

from config.errors import Invalid
from config.nodes import facts
from config.nodes.journal import Context
from config.nodes.outbox import Message, OutboxMessage
from pos.catalogue import photos
from tests.arriving import hear
from tests.supply.online_store import ANA, AT, STORE, later, make_town


def webp(colour: tuple[int, int, int]) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (8, 8), colour).save(made, "WEBP")
    return made.getvalue()


RED, BLUE = webp((200, 0, 0)), webp((0, 0, 200))


@pytest.fixture
def town(tmp_path):
    town = make_town(tmp_path)
    yield town
    town.store.engine.dispose()
    town.network.engine.dispose()


def body(raw: bytes, minute: int = 0, mark: str | None = None) -> dict[str, str]:
    found = hashlib.sha256(raw).hexdigest()[:16] if raw else ""
    return {
        "store_id": STORE, "sku": "milk", "mark": found if mark is None else mark,
        "put_at": later(minutes=minute).isoformat(), "webp": base64.b64encode(raw).decode(),
    }  # fmt: skip


def shown(town) -> dict[str, str]:
    with town.network.read() as session:
        return photos.marks(session, STORE, ["milk", "bread"])


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0, 1, 2)])
def test_the_newest_word_stands_in_whatever_order_and_however_often_it_comes(town, order):
    for last, left in ((BLUE, {"milk": body(BLUE)["mark"]}), (b"", {})):
        said = [body(RED), body(b"", 1), body(last, 2)]
        with town.network.write() as session:
            for n in order:
                hear(session, "product.photo", said[n], at=AT)
            assert photos.marks(session, STORE, ["milk"]) == left
            session.rollback()


@pytest.mark.parametrize("said", [body(RED, mark="0" * 16), body(b"<svg/>"), body(b"RIFF0000WEBP" + bytes(20_000))])
def test_what_is_no_small_photo_or_another_than_was_said_is_refused(town, said):
    with town.network.write() as session, pytest.raises(Invalid, match="This picture differs"):
        hear(session, "product.photo", said, at=AT)
    assert shown(town) == {}


def test_a_store_that_lost_its_books_has_its_photos_back(town):
    message = Message("m", 1, "product.photo", 1, "", "", body(RED), "")
    with town.store.write() as session:
        facts.recover(session, message, AT)
        assert photos.photo(session, STORE, "milk", body(RED)["mark"]) == RED


def test_what_the_shopkeeper_puts_and_removes_arrives(town):
    for raw, minute in ((RED, 1), (BLUE, 2), (None, 3)):
        with town.store.write() as session:
            ctx = Context(session, ANA, later(minutes=minute))
            if raw:
                photos.put(ctx, STORE, "milk", raw)
            else:
                photos.remove(ctx, STORE, "milk")
        with town.store.read() as session:
            sent = photos.marks(session, STORE)
            said = session.scalars(sa.select(OutboxMessage.body).where(OutboxMessage.topic == "product.photo")).all()
        with town.network.write() as session:
            for one in reversed(said):  # the newest first
                hear(session, "product.photo", json.loads(one), at=AT)
        assert shown(town) == sent
