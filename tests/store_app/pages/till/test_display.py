"""The customer's screen: in the store's language, whoever serves."""

import json
import re

import sqlalchemy as sa

from pos.catalogue.catalogue import Product
from pos.store.store import Store
from tests.store_app.conftest import STORE, House
from tests.store_app.office import fill, words


def test_the_customers_screen_speaks_as_paper_does_and_products_have_their_names_there(house: House):
    fill(house)
    with house.doors.write() as session:
        session.get_one(Store, STORE).tz = "Europe/Berlin"
        session.execute(sa.update(Product).where(Product.sku == "milk").values(names={"de": "Vollmilch", "en": "Milk"}))
    client = house.signed_in()
    assert "Kasse" in words(client.get("/till/?lang=de"))
    screen = client.get("/till/display")
    assert "Welcome" in words(screen)
    settings = json.loads(re.search(r'id="till-settings">(.*?)</script>', screen.text)[1])
    assert (settings["language"], settings["money"]["point"]) == ("en-DE", ","), "figures as the country writes them"
    (row,) = [row for row in client.get("/api/catalogue").json["rows"] if row[0] == "milk"]
    assert (row[1], row[-1]["paper_name"]) == ("Vollmilch", "Milk")
    client.get("/till/?lang=en")
    (row,) = [row for row in client.get("/api/catalogue").json["rows"] if row[0] == "milk"]
    assert "paper_name" not in str(row), "said only where it is another one"
