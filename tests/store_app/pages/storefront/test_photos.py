"""The store's photos on its pages online: in place of the category's drawing, under addresses kept for good."""

import base64
import hashlib
import io

from PIL import Image

from tests.arriving import hear
from tests.store_app.town import ONLINE
from tests.supply.online_store import AT, STORE, later


def test_a_photo_stands_for_its_product_in_the_list_and_on_its_page_until_it_is_removed(market):
    made, customer = io.BytesIO(), market.customer()
    Image.new("RGB", (8, 8), (200, 30, 30)).save(made, "WEBP")
    mark = hashlib.sha256(made.getvalue()).hexdigest()[:16]
    address = f"{ONLINE}/p/milk/photo/{mark}.webp"
    for minutes, raw in enumerate((made.getvalue(), b"")):
        said = {"store_id": STORE, "sku": "milk", "mark": mark if raw else "", "webp": base64.b64encode(raw).decode()}
        with market.town.network.write() as session:
            hear(session, "product.photo", said | {"put_at": later(minutes=minutes).isoformat()}, at=AT)
        pages = [customer.look(page).text for page in (f"{ONLINE}/", f"{ONLINE}/p/milk", f"{ONLINE}/p/bread")]
        assert [address in page for page in pages] == [bool(raw), bool(raw), False]
        answer = customer.look(address)
        assert answer.status_code == (200 if raw else 404)
        if raw:
            assert (answer.data, answer.mimetype) == (raw, "image/webp")
            assert "immutable" in answer.headers["Cache-Control"]
    assert customer.look(f"{ONLINE}/p/milk/photo/.webp").status_code == 404
