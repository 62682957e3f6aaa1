"""How strangers and programs find a store: what its pages say of themselves, maps, files, pictures, and the finder."""

import csv
import io
import json
import re
import subprocess
from pathlib import Path

import pytest
from PIL import Image

from config.nodes.journal import Context
from config.nodes.node import Peer
from pos.catalogue.catalogue import Product
from pos.documents import share_picture
from pos.store.opening_hours import every_day
from pos.store.store import Store
from store_app.pages.storefront import feeds
from store_app.web.page_cache import Pictures
from supply.demand import closed_days
from supply.network.routes import vehicles
from supply.online.storefront import particulars
from supply.online.storefront.availability import OnlineListing, Storefront
from tests.store_app.office import words
from tests.store_app.town import ONLINE
from tests.supply.online_store import ANA, AT, PRODUCTS, STORE, later

ROOT = Path(__file__).resolve().parents[4]
HOSTILE = "</script><script>alert(1)</script><!-- & \" ' 100% {{ x }}"
GOOGLE_AVAILABILITY = {"in_stock", "out_of_stock", "limited_availability", "on_display_to_order"}
META_AVAILABILITY = {"in stock", "out of stock", "available for order"}


@pytest.fixture
def customer(market):
    return market.customer()


def change(market, what, key, **columns):
    with market.town.network.write() as session:
        row = session.get_one(what, key)
        for name, value in columns.items():
            setattr(row, name, value)


def said(page):
    """Return what a page says of itself: its document in schema.org's words, as things by type."""
    (document,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page.text, re.DOTALL)
    body = json.loads(document)
    assert body["@context"] == "https://schema.org"
    return {thing["@type"]: thing for thing in body["@graph"]}


def head(page, name):
    found = re.search(rf'<(?:meta|link)[^>]*(?:name|property|rel)="{name}"[^>]*(?:content|href)="([^"]*)"', page.text)
    return found[1] if found else None


def rows(text, delimiter):
    return list(csv.DictReader(io.StringIO(text), delimiter=delimiter))


def test_a_products_page_says_to_programs_what_it_shows_to_people(market, customer):
    page = customer.look(f"{ONLINE}/p/milk?lang=en")
    product = said(page)["Product"]
    assert (product["name"], product["sku"]) == ("Milk", "milk")
    assert (product["offers"]["price"], product["offers"]["priceCurrency"]) == ("1.29", "CNY")
    assert product["offers"]["availability"] == "https://schema.org/InStock"
    assert "¥1.29" in words(page)
    assert "Milk for ¥1.29 at" in head(page, "description")
    assert head(page, "canonical") == head(page, "og:url") == f"http://localhost{ONLINE}/p/milk"
    assert head(page, "og:image") == product["image"][0]
    assert head(page, "twitter:card") == "summary_large_image"
    steps = said(page)["BreadcrumbList"]["itemListElement"]
    assert steps[0]["item"] == f"http://localhost{ONLINE}/"
    assert steps[-1]["item"] == f"http://localhost{ONLINE}/p/milk"


def test_the_price_of_weighed_goods_says_for_how_much(customer):
    price = said(customer.look(f"{ONLINE}/p/apple"))["Product"]["offers"]["priceSpecification"]
    assert (price["price"], price["referenceQuantity"]["value"], price["referenceQuantity"]["unitCode"]) == (
        "4.99", 1000, "GRM",
    )  # fmt: skip


def test_a_page_of_products_names_each_and_when_the_store_is_open(market, customer):
    change(market, Store, STORE, address="7 Harbor Road", phone="+1 555 0177")
    with market.town.network.write() as session:
        closed_days.take_reported(session, STORE, AT.date(), [later(days=2).date()])
    found = said(customer.look(f"{ONLINE}/"))
    assert [one["position"] for one in found["ItemList"]["itemListElement"]] == [1, 2, 3, 4, 5]
    assert (head(customer.look(f"{ONLINE}/"), "og:image"), head(customer.look(f"{ONLINE}/"), "twitter:card")) == (
        "http://localhost/static/img/icon-512.png", "summary",
    )  # fmt: skip
    assert {one["url"] for one in found["ItemList"]["itemListElement"]} == {
        f"http://localhost{ONLINE}/p/{sku}" for sku in PRODUCTS
    }
    store = found["ConvenienceStore"]
    usual, closed = store["openingHoursSpecification"]
    assert (usual["opens"], usual["closes"], len(usual["dayOfWeek"])) == ("07:00", "22:00", 7)
    assert (closed["validFrom"], closed["opens"], closed["closes"]) == ("2026-03-04", "00:00", "00:00")
    change(market, Store, STORE, opening_hours=every_day("09:00", "13:00,16:00-20:00"))
    morning, evening, _closed = said(customer.look(f"{ONLINE}/"))["ConvenienceStore"]["openingHoursSpecification"]
    assert [(one["opens"], one["closes"], len(one["dayOfWeek"])) for one in (morning, evening)] == [
        ("09:00", "13:00", 7), ("16:00", "20:00", 7),
    ]  # fmt: skip
    assert (store["telephone"], store["address"]["streetAddress"]) == ("+1 555 0177", "7 Harbor Road")


def test_the_kept_drawing_of_a_list_follows_the_stores_particulars(market, customer):
    customer.look(f"{ONLINE}/")  # from now on the browser has the stylesheet, and the drawing is another
    weekdays = "06:30-22:00 06:30-22:00 06:30-22:00 06:30-22:00 06:30-22:00 09:00-13:00 closed"
    written = "Mon–Fri 6:30 AM – 10:00 PM, Sat 9:00 AM – 1:00 PM, Sun closed"
    said_now = [("phone", "+1 555 0199", "+1 555 0199"), ("tax_number", "T-77", "T-77"),
                ("opening_hours", weekdays, written)]  # fmt: skip
    for name, value, shown in said_now:
        customer.look(f"{ONLINE}/")
        change(market, Store, STORE, **{name: value})
        assert shown in words(customer.look(f"{ONLINE}/?lang=en")).replace("\u202f", " "), name


def test_no_name_ends_the_element_that_programs_read(market, customer):
    change(market, Store, STORE, name=HOSTILE[:70])
    change(market, Product, "milk", name=HOSTILE)
    page = customer.look(f"{ONLINE}/p/milk")
    assert said(page)["Product"]["name"] == HOSTILE
    assert "<script>alert" not in page.text
    listed = customer.look(f"{ONLINE}/")
    assert said(listed)["ConvenienceStore"]["name"] == HOSTILE[:70]
    assert "<script>alert" not in listed.text


def test_a_page_for_one_person_asks_not_to_be_indexed(market, customer):
    for address in (f"{ONLINE}/mine", f"{ONLINE}/?q=milk", "/shop/?q=milk"):
        page = customer.look(address)
        assert (head(page, "robots"), head(page, "canonical")) == ("noindex", None), address
    customer.send(f"{ONLINE}/p/milk", steps=1)
    basket = customer.look(f"{ONLINE}/basket")
    assert head(basket, "canonical") == f"http://localhost{ONLINE}/"


def test_schema_org_is_said_in_its_own_types(market, customer, tmp_path):
    change(market, Store, STORE, address="7 Harbor Road", phone="+1 555 0177")
    change(market, Product, "milk", brand="Meadow", category="Dairy")
    with market.town.network.write() as session:
        closed_days.take_reported(session, STORE, AT.date(), [later(days=2).date()])
    pages = [customer.look(f"{ONLINE}/{rest}").text for rest in ("", "p/milk", "p/apple", "?category=Dairy")]
    documents = [re.search(r"ld\+json\">(.*?)</script>", text, re.DOTALL)[1] for text in pages]
    modules = ROOT / ".tools" / "node_modules"
    lines = ['import type { Graph } from "schema-dts";']
    lines += [f"export const page{n}: Graph = {document};" for n, document in enumerate(documents)]
    assert not faults_in(tmp_path, modules, lines)
    wrong = [lines[0], lines[2].replace('"priceCurrency"', '"priceMoney"')]
    assert "priceMoney" in faults_in(tmp_path, modules, wrong)  # the checker looks


def faults_in(folder, modules, lines):
    (folder / "pages.ts").write_text("\n".join(lines), "utf-8")
    if not (folder / "node_modules").exists():
        (folder / "node_modules").symlink_to(modules)
    (tsc,) = modules.glob("@typescript/*/lib/tsc")
    options = ["--noEmit", "--strict", "--skipLibCheck", "--target", "esnext", "--module", "esnext"]
    options += ["--moduleResolution", "bundler", "--types", ""]
    done = subprocess.run([tsc, *options, folder / "pages.ts"], capture_output=True, text=True, cwd=folder)
    return done.stdout


def test_robots_and_the_maps_name_what_anybody_may_find(customer):
    robots = customer.look("/robots.txt")
    assert robots.mimetype == "text/plain"
    assert "Sitemap: http://localhost/sitemap.xml" in robots.text
    assert "Disallow: /\n" in robots.text
    every = customer.look("/sitemap.xml").text
    assert f"<loc>http://localhost{ONLINE}/sitemap.xml</loc>" in every
    addresses = re.findall("<loc>(.*?)</loc>", customer.look(f"{ONLINE}/sitemap.xml").text)
    assert {f"http://localhost{ONLINE}/p/{sku}" for sku in PRODUCTS} < set(addresses)
    for address in addresses:
        page = customer.look(address.replace("&amp;", "&"))
        assert (page.status_code, head(page, "canonical")) == (200, address), address


def test_the_files_hold_what_is_asked_of_them_at_the_pages_prices(market, customer):
    change(market, Product, "milk", name='Milk,\t"fresh"\n' + "long " * 80)
    google = rows(customer.look(f"{ONLINE}/google-local-inventory.tsv").text, "\t")
    meta = rows(customer.look(f"{ONLINE}/meta-catalog.csv").text, ",")
    assert {row["id"] for row in google} == {row["id"] for row in meta} == set(PRODUCTS)
    for row in google:
        assert set(row) == {"store_code", "id", "availability", "price"}
        assert row["store_code"] == STORE
        assert row["availability"] in GOOGLE_AVAILABILITY
    for row in meta:
        assert set(row) == set(feeds.META)
        assert all(cell and cell == " ".join(cell.split()) for cell in row.values())
        assert (row["condition"], row["availability"] in META_AVAILABILITY) == ("new", True)
        assert len(row["title"]) <= 200
        assert row["link"] == f"http://localhost{ONLINE}/p/{row['id']}"
    for row in (*google, *meta):
        shown = said(customer.look(f"{ONLINE}/p/{row['id']}"))["Product"]["offers"]
        assert row["price"] == f"{shown['price']} {shown['priceCurrency']}"


def test_a_new_price_is_in_the_file_with_the_publication_that_brought_it(market, customer):
    customer.look(f"{ONLINE}/google-local-inventory.tsv")
    change(market, OnlineListing, (STORE, "milk"), price_minor=777)
    change(market, Storefront, STORE, edition=10**13)
    found = {row["id"]: row["price"] for row in rows(customer.look(f"{ONLINE}/google-local-inventory.tsv").text, "\t")}
    assert found["milk"] == "7.77 CNY"


@pytest.mark.parametrize("hidden", ["closed", "never published", "silent"])
def test_a_store_that_sells_nothing_online_is_in_no_map_file_or_finder(market, customer, hidden):
    if hidden == "silent":
        with market.town.network.write() as session:
            session.merge(Peer(id=STORE, epoch="e", nonce="n", heard_at=later(days=-3)))
    else:
        change(market, Storefront, STORE, **({"taking_orders": False} if hidden == "closed" else {"edition": 0}))
    assert ONLINE not in customer.look("/sitemap.xml").text
    for name in ("sitemap.xml", "google-local-inventory.tsv", "meta-catalog.csv"):
        assert customer.look(f"{ONLINE}/{name}").status_code == 404
    for address in ("/shop/", "/shop/?q=milk"):
        assert ONLINE not in customer.look(address).text


def test_a_product_that_left_the_store_is_in_no_map_and_no_file(market, customer):
    change(market, OnlineListing, (STORE, "milk"), listed=False)
    assert "/p/milk" not in customer.look(f"{ONLINE}/sitemap.xml").text
    for name in ("google-local-inventory.tsv", "meta-catalog.csv"):
        assert "milk" not in customer.look(f"{ONLINE}/{name}").text
    assert ONLINE not in customer.look("/shop/?q=milk").text


def test_who_has_it_names_the_stores_where_it_can_be_ordered_now(market, customer):
    change(market, Store, STORE, address="7 Harbor Road, Easton")
    page = customer.look("/shop/?q=mlik&where=easton&lang=en")
    assert f'href="{ONLINE}/p/milk"' in page.text
    assert "¥1.29" in words(page)
    assert ONLINE not in customer.look("/shop/?q=milk&where=nowhere").text
    change(market, OnlineListing, (STORE, "milk"), taken_qty=10_000, order_days=None)
    assert ONLINE not in customer.look("/shop/?q=milk&where=Harbor&lang=en").text


def test_a_store_with_a_place_on_the_map_can_be_sorted_by_distance(market, customer):
    with market.town.network.write() as session:
        vehicles.place(Context(session, ANA, AT), STORE, 40_000_000, -74_000_000)
    assert 'data-lat="40000000" data-lon="-74000000"' in customer.look("/shop/").text


def test_a_shared_link_shows_a_picture_that_is_kept_for_good(market, customer):
    address = head(customer.look(f"{ONLINE}/p/milk"), "og:image").removeprefix("http://localhost")
    picture = customer.look(address)
    assert Image.open(io.BytesIO(picture.data)).size == (1200, 630)
    assert "immutable" in picture.headers["Cache-Control"]
    change(market, OnlineListing, (STORE, "milk"), price_minor=777)
    led = customer.look(address)
    assert led.status_code == 302
    assert led.location == head(customer.look(f"{ONLINE}/p/milk"), "og:image").removeprefix("http://localhost")


def test_a_picture_is_drawn_once_and_so_many_a_minute():
    drawn, pictures = [], Pictures(most=10, a_minute=2)
    got = [pictures.get(name, lambda: drawn.append(1) or b"png") for name in ("a", "a", "b", "c", "a")]
    assert (got, len(drawn)) == ([b"png", b"png", b"png", None, b"png"], 2)


@pytest.mark.parametrize("name", ["Milk", "牛奶 全脂", "นมสด", "हरी चाय", "", "x" * 400, "A long name " * 30])
def test_every_name_has_a_picture(name):
    assert share_picture.draw("Harbor 7", name, "¥1.29").startswith(b"\x89PNG")


def test_the_foot_says_how_to_reach_the_store_as_the_shopkeeper_settled_it(market, customer):
    with market.town.store.write() as session:
        said_now = {"name": "Other name", "address": "9 Quay", "phone": "+1 555 0123", "tax_number": "T-1"}
        particulars.change(Context(session, ANA, later(hours=1)), STORE, **said_now)
    market.town.deliver()
    shown = words(customer.look(f"{ONLINE}/?lang=en"))
    assert all(one in shown for one in ("9 Quay", "+1 555 0123", "T-1", "Open daily"))
    assert "Other name" not in shown
