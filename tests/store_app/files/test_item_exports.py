"""Somebody else's list of products: read without a correction, with one question at most, whole or not at all."""

import io
from collections.abc import Mapping
from decimal import Decimal

import openpyxl
import pytest
import sqlalchemy as sa

from config.errors import Conflict, DomainError, Invalid, Refused
from config.nodes.journal import Actor, Context, JournalEntry
from pos.catalogue import catalogue
from pos.catalogue.catalogue import Barcode, Listing, Price, Product, TaxClass
from pos.stock import stock
from pos.stock.ledger import Place, StockMovement
from store_app.files import importing, product_imports
from store_app.files.sheet import Sheet
from supply.orders.suppliers import Supplier, SupplierProduct
from tests.store_app.conftest import NOON, STORE
from tests.store_app.files import more_item_exports
from tests.store_app.files.item_exports import EXPORTS, GOODS, gtin
from tests.store_app.house import House

BY = Actor.system("test", STORE)
ANSWERS = {
    "shopify": {"tax.": "19"},
    "loyverse": {"outlet": "Maple Street"},
    "lightspeed": {"tax.GST": "19", "tax.Reduced": "7"},
}


def looked(house: House, raw: bytes, name: str = "list.csv", answers: Mapping[str, str] | None = None) -> Sheet:
    """Read a file, and look at it beside the books."""
    sheet = importing.read("products", raw, name, answers=answers or {})
    with house.doors.read() as session:
        sheet.notes = importing.look_around(session, sheet, STORE, at=NOON)
    return sheet


def brought(house: House, text: str, **answers: str) -> None:
    """Bring a list in."""
    sheet = importing.read(
        "products", text.encode(), "list.csv", answers={k.replace("_", "."): v for k, v in answers.items()}
    )
    with house.doors.write() as session:
        importing.write(Context(session, BY, NOON), sheet, STORE)


def last_import(house: House) -> str:
    with house.doors.read() as session:
        return product_imports.recent(session, STORE)[0].id


def undone(house: House) -> None:
    import_id = last_import(house)
    with house.doors.write() as session:
        product_imports.undo(Context(session, BY, NOON), STORE, import_id)


def test_a_table_of_another_shape_is_asked_about_and_one_without_rows_refused(house: House):
    assert "columns" in looked(house, b"a;b;c\n1;2;3\n4;5\n", "odd.csv").asks
    with pytest.raises(Invalid, match="no rows"):
        looked(house, b"a;b;c\n", "odd.csv")


@pytest.mark.parametrize("what", EXPORTS)
def test_the_export_of_another_till_comes_in_with_one_question_at_most(house: House, what: str):
    export, program = EXPORTS[what](), what.partition(",")[0]
    sheet = looked(house, export.raw, export.name)
    assert (list(sheet.asks), sheet.faults) == ([export.asks] if export.asks else [], [])
    if export.asks:
        sheet = looked(house, export.raw, export.name, ANSWERS[program])
    assert (sheet.asks, sheet.faults) == ({}, [])
    with house.doors.write() as session:
        importing.write(Context(session, BY, NOON), sheet, STORE)
    with house.doors.read() as session:
        rates = dict(session.execute(sa.select(TaxClass.id, TaxClass.rate_bp)).all())
        levels = stock.levels(session, STORE)
        suppliers = session.scalars(sa.select(Supplier.name)).all()
        assert session.scalar(sa.select(sa.func.count()).select_from(Product)) == len(GOODS)
        for good in GOODS:
            sku = session.get_one(Barcode, gtin(good.n)).sku
            product, listing = session.get_one(Product, sku), session.get_one(Listing, (STORE, sku))
            assert (product.name, product.category) == (good.name, good.category)
            assert rates[product.tax_class_id] == (1900 if program == "shopify" else int(good.rate) * 100)
            price = good.price.replace(",", "") or ("0" if program == "odoo" else "")
            price_minor = catalogue.price_on(session, STORE, sku, NOON.date())
            assert price_minor == (int(Decimal(price) * 100) if price else None)
            assert product.price_typed == (not price)
            cost_minor = int(Decimal(good.cost.replace(",", "")) * 100) if good.cost else None
            assert listing.cost_minor == cost_minor
            assert (levels[sku].on_hand if sku in levels else 0) == max(good.stock, 0)
        if program in ("square", "shopify", "lightspeed"):
            assert suppliers == ["Valley Farm"]
            assert session.scalar(sa.select(sa.func.count()).select_from(SupplierProduct)) == len(GOODS) - 1


MORE = more_item_exports.files()
MORE_ANSWERS = {
    "shopify, with pictures": {"tax.": "19"},
    "shopify, headers of 2025": {"tax.": "19"},
    "lightspeed r": {"tax.Item": "19"},
}
"""Those that say no rate ask for one, and nothing else."""


@pytest.mark.parametrize("what", MORE)
def test_exports_written_from_the_documents_alone_come_in_with_one_question_at_most(house: House, what: str):
    name, raw, held = MORE[what]
    sheet, answers = looked(house, raw, name), MORE_ANSWERS.get(what, {})
    assert ({f"tax.{word}" for word in sheet.asks.get("tax", [])}, sheet.faults) == (answers.keys(), [])
    assert sheet.asks.keys() <= {"tax"}
    if answers:
        sheet = looked(house, raw, name, answers)
    with house.doors.write() as session:
        importing.write(Context(session, BY, NOON), sheet, STORE)
    with house.doors.read() as session:
        rates, levels = (
            dict(session.execute(sa.select(TaxClass.id, TaxClass.rate_bp)).all()),
            stock.levels(session, STORE),
        )
        assert session.scalar(sa.select(sa.func.count()).select_from(Product)) == len(held)
        for item in held:
            sku = session.get_one(Barcode, item.barcode).sku
            product, listing = session.get_one(Product, sku), session.get_one(Listing, (STORE, sku))
            minor = [int(Decimal(amount) * 100) for amount in (item.price, item.cost)]
            assert (product.name, product.category) == (item.name, item.category)
            assert [catalogue.price_on(session, STORE, sku, NOON.date()), listing.cost_minor] == minor
            assert rates[product.tax_class_id] == (1900 if answers else int(item.tax) * 100)
            assert (levels[sku].on_hand if sku in levels else 0) == int(item.stock)
        assert set(session.scalars(sa.select(Supplier.name))) == {item.supplier for item in held}


WHOLESALE = """Harbor Wholesale;;;;;;
Bezeichnung;Art.-Nr.;EAN;VK brutto;MwSt;VPE;Gebindepreis
Apfelsaft 1 l;4711;4006381333931;1,99 €;19 %;6;7,20 €
Brot;4712;;2,49 €;7,0 %;1;1,30 €
"""


def test_a_wholesaler_s_list_is_read_by_its_words_below_its_title_with_packs_and_percent(house: House):
    sheet = looked(house, WHOLESALE.encode("cp1252"), answers={"supplier": "Harbor"})
    assert (sheet.asks, sheet.faults) == ({}, [])
    with house.doors.write() as session:
        importing.write(Context(session, BY, NOON), sheet, STORE)
    with house.doors.read() as session:
        pack = session.get_one(SupplierProduct, (session.scalars(sa.select(Supplier.id)).one(), "4711"))
        assert (pack.pack_qty, pack.pack_cost_minor) == (6, 720)
        assert catalogue.price_on(session, STORE, "4712", NOON.date()) == 249
        assert sorted(session.scalars(sa.select(TaxClass.rate_bp))) == [700, 1900]


@pytest.mark.parametrize(
    "heading",
    ["商品名称,条码,零售价,税率", "Nombre del producto,Código de barras,PVP,IVA", "Item,UPC,Retail price (incl.),Tax"],
)
def test_columns_are_told_by_their_names_in_several_languages(house: House, heading: str):
    sheet = looked(house, f"{heading}\nTea,{gtin(1)},2.50,7%\n".encode())
    assert (sheet.asks, sheet.faults) == ({}, [])
    assert sheet.texts[0] | {"category": ""} == {
        "name": "Tea", "barcode": gtin(1), "price": "2.50", "tax_class": "7%", "category": "",
    }  # fmt: skip


def test_what_no_name_tells_is_guessed_from_the_cells_and_asked_for(house: House):
    raw = f"A,B,C,D\nx1,Green tea,{gtin(1)},2.50\nx2,Black tea,{gtin(2)},12.50\n".encode()
    sheet = looked(house, raw)
    assert "columns" in sheet.asks
    assert sheet.found is not None
    assert sheet.found.of == {"barcode": [2], "price": [3], "name": [1]}
    with house.doors.write() as session, pytest.raises(Invalid, match="Answer the question"):
        importing.write(Context(session, BY, NOON), sheet, STORE)
    chosen = {"column.name": "1", "column.price": "D", "tax.": "0"}
    sheet = looked(house, raw, answers=chosen)
    assert (sheet.asks, sheet.faults, sheet.rows) == ({}, [], 2)


def test_every_fault_has_its_row_the_file_s_own_column_and_what_to_do(house: House):
    rows = (
        f"Tea,A,{gtin(1)},1.50,7%", "Rum,B,4.01E+12,2.50,7%", "Gin,A,,2.50,7%", f"Oil,D,{gtin(1)},3.50,7%",
        "Ham,E,,much,7%", "Jam,F,4006381333932,1.5050,7%",
    )  # fmt: skip
    sheet = looked(house, "\n".join(("Item Name,SKU,GTIN,Price,Tax", *rows)).encode())
    reported = [(fault.row, fault.column, fault.words) for fault in sheet.faults]
    assert [(row, column) for row, column, _words in reported] == [
        (3, "GTIN"), (4, "SKU"), (5, "GTIN"), (6, "Price"), (7, "GTIN"), (7, "Price"),
    ]  # fmt: skip
    assert reported[0][2].startswith("4.01E+12 was rounded by a spreadsheet. Format the column as text")
    assert reported[2][2] == f"{gtin(1)} is also the barcode in row 2."


def test_a_tax_of_that_rate_is_used_and_no_second_one_made(house: House):
    with house.doors.write() as session:
        session.add_all([
            TaxClass(id="food", name="Food", rate_bp=700, inclusive=True),
            TaxClass(id="else", name="Else", rate_bp=1900, inclusive=True),
        ])  # fmt: skip
    brought(house, "Name,Price,VAT\nTea,1.00,7.0 %\nRum,2.00,0.19\nGin,3.00,else\n")
    with house.doors.read() as session:
        used = dict(session.execute(sa.select(Product.name, Product.tax_class_id)).all())
        assert used == {"Tea": "food", "Rum": "else", "Gin": "else"}
        assert session.scalar(sa.select(sa.func.count()).select_from(TaxClass)) == 2


def test_a_rate_finer_than_the_books_is_asked_for(house: House):
    sheet = looked(house, b"Name,Price,Tax\nTea,1.00,8.875%\n")
    assert sheet.asks == {"tax": ["8.875%"]}


def test_a_known_barcode_is_the_known_product_whatever_its_number_there(house: House):
    brought(house, f"Name,SKU,Barcode,Price,Tax\nTea,A1,{gtin(1)},1.00,7%\n")
    brought(house, f"Item,Item no,EAN,Retail price,Tax\nGreen tea,99,{gtin(1)},1.20,7%\n")
    with house.doors.read() as session:
        assert session.scalars(sa.select(Product.sku)).all() == ["A1"]
        assert catalogue.price_on(session, STORE, "A1", NOON.date()) == 120


def test_opening_stock_is_laid_in_by_the_ledger_and_only_of_what_never_moved(house: House):
    text = "Name,SKU,Price,Stock,Tax,Sold by weight\nTea,A,1.00,5,7%,N\nHam,B,9.00,2.5,7%,Y\n"
    brought(house, text)
    with house.doors.write() as session:
        assert {sku: level.on_hand for sku, level in stock.levels(session, STORE).items()} == {"A": 5, "B": 2500}
        moved = session.scalars(sa.select(StockMovement)).all()
        assert {(one.reason, one.from_place, one.to_place) for one in moved} == {("opening", "unexplained", "backroom")}
        stock.waste(Context(session, BY, NOON), STORE, "A", 1)
    sheet = looked(house, text.encode())
    assert "2 products keep the stock they have here." in sheet.notes
    with house.doors.write() as session:
        importing.write(Context(session, BY, NOON), sheet, STORE)
        assert stock.levels(session, STORE)["A"].on_hand == 4


def test_without_a_price_it_is_typed_at_the_till_and_needs_no_label_and_again_writes_nothing(house: House):
    text = "Name,SKU,Price,Cost,Tax\nWrap,A,,0.40,7%\nTea,B,1.00,0.40,7%\n"
    brought(house, text)
    with house.doors.read() as session:
        assert session.scalars(sa.select(Price.sku)).all() == ["B"]
        priced = sa.select(JournalEntry.subject).where(JournalEntry.verb == "price.set")
        assert session.scalars(priced).all() == ["product:B"]
    assert looked(house, text.encode()).notes == ["1 product has no price. The till will ask for one."]


def test_grams_and_millilitres_are_the_size_of_a_piece(house: House):
    rows = "Sugar,A,1.99,5,7%,500,g", "Salt,B,0.99,3,7%,500 g,g", "Oil,C,4.99,2,7%,,ml"
    brought(house, "\n".join(("Name,SKU,Price,Stock,Tax,Size,Unit", *rows)))
    with house.doors.read() as session:
        made = sa.select(Product.sku, Product.stock_unit, Product.price_quantity, Product.pack_text)
        assert session.execute(made.order_by(Product.sku)).all() == [
            ("A", "each", 1, "500 g"), ("B", "each", 1, "500 g"), ("C", "each", 1, ""),
        ]  # fmt: skip
        assert {sku: level.on_hand for sku, level in stock.levels(session, STORE).items()} == {"A": 5, "B": 3, "C": 2}


def test_our_own_list_prices_grams_by_the_kilogram_unless_it_says_otherwise(house: House):
    heading = "sku,name,category,tax_class,price,stock_unit,price_quantity"
    with house.doors.write() as session:
        session.add(TaxClass(id="food", name="Food", rate_bp=700, inclusive=True))
    brought(house, f"{heading}\nA,Ham,Deli,food,19.99,gram,\nB,Saffron,Spices,food,9.99,gram,1\nC,Tea,Tea,food,2,,\n")
    with house.doors.read() as session:
        per = session.execute(sa.select(Product.sku, Product.price_quantity).order_by(Product.sku)).all()
        assert per == [("A", 1000), ("B", 1), ("C", 1)]


def test_a_known_product_keeps_its_unit_and_the_quantity_its_price_is_for(house: House):
    own = "sku,name,category,tax_class,price,stock_unit,price_quantity\n"
    brought(house, "Name,SKU,Price,Tax,Sold by weight\nTea,A,1.00,7%,N\nHam,B,9.00,7%,Y\n")
    kilogram = looked(house, b"Name,SKU,Price,Tax,Unit\nTea,A,9.00,7%,kg\nHam,B,9.50,7%,kg\n")
    assert [(one.row, one.column) for one in kilogram.faults] == [(2, "Unit")]
    quantity = looked(house, f"{own}A,Tea,Other,7%,1.10,each,1\nB,Ham,Other,7%,0.95,gram,100\n".encode())
    assert [(one.row, one.column) for one in quantity.faults] == [(3, "price_quantity")]


LIST = "Name,SKU,Barcode,Price,Cost,Tax,Stock,Supplier\n"
TEA, RUM = f"Tea,A,{gtin(1)},1.00,0.40,7%,5,Farm\n", f"Rum,B,{gtin(2)},9.00,4.00,19%,2,Farm\n"


def test_an_import_is_undone_as_a_whole_and_its_list_comes_in_again(house: House):
    brought(house, LIST + TEA)
    brought(house, LIST + TEA.replace("1.00,0.40", "1.50,0.60") + RUM)
    undone(house)
    with house.doors.read() as session:
        assert catalogue.price_on(session, STORE, "A", NOON.date()) == 100
        assert session.get_one(Listing, (STORE, "A")).cost_minor == 40
        assert [one.pack_cost_minor for one in session.scalars(sa.select(SupplierProduct))] == [40]
        assert session.get(Listing, (STORE, "B")) is None
        assert session.get(Barcode, gtin(2)) is None
        assert stock.levels(session, STORE)["B"].on_hand == 0
        assert product_imports.recent(session, STORE)[0].is_undone
    with pytest.raises(Refused, match="already undone"):
        undone(house)
    brought(house, LIST + RUM.replace("Rum", "Old rum"))
    with house.doors.read() as session:
        assert session.get_one(Product, "B").name == "Old rum"
        assert session.get_one(Product, "B").active
        assert stock.levels(session, STORE)["B"].on_hand == 2


def test_an_import_stays_once_one_of_its_products_moved_or_changed(house: House):
    brought(house, LIST + TEA + RUM)
    with house.doors.write() as session:
        catalogue.set_price(Context(session, BY, NOON), "A", 110, NOON.date(), scope_id=STORE)
    with pytest.raises(Refused, match="Tea has been changed since"):
        undone(house)
    brought(house, LIST + RUM.replace("9.00", "9.50"))
    with house.doors.write() as session:
        later = NOON.replace(hour=13)
        stock.move(Context(session, BY, later), STORE, "B", 1, Place.BACKROOM, Place.FLOOR)
    with pytest.raises(Refused, match="The stock of Rum has changed since"):
        undone(house)
    with house.doors.read() as session:
        assert catalogue.price_on(session, STORE, "B", NOON.date()) == 950, "nothing of it is undone"


def test_a_supplier_switched_off_by_an_undone_import_is_there_again_with_the_next(house: House):
    brought(house, LIST + TEA)
    undone(house)
    with house.doors.read() as session:
        assert [one.active for one in session.scalars(sa.select(Supplier))] == [False]
    brought(house, LIST + TEA)
    with house.doors.read() as session:
        assert [one.active for one in session.scalars(sa.select(Supplier))] == [True]


@pytest.mark.parametrize(
    "raw",
    [b"", b"\x89PNG\r\n\x1a\n\x00\x00", b"one\ntwo\n", b"Tea,4006381333931,1.00\nRum,5901234123457,2.00\n",
     b"Name,Price\n", b"Name,Price,Tax\n\x07Tea\x00,1,7%\n"],
)  # fmt: skip
def test_what_is_no_list_of_products_is_refused_with_a_sentence(house: House, raw: bytes):
    with pytest.raises(DomainError):
        looked(house, raw)


@pytest.mark.parametrize(
    ("heading", "words"),
    [
        (f"Name,Price,Stock {'x ' * 100}[Main]", "A column name can have up to 200 characters."),
        (f"Name,Price{',Stock' * 249}", "up to 200,000 rows and 250 columns."),
    ],
)
def test_a_heading_longer_or_wider_than_any_list_s_is_refused(house: House, heading: str, words: str):
    with pytest.raises(Invalid, match=words):
        looked(house, f"{heading}\nTea,1.00\n".encode())


def test_another_shop_s_table_is_asked_about_and_makes_nothing(house: House):
    sheet = looked(house, b"Name,Phone,Email\nAda,555,ada@example.com\n")
    assert "columns" in sheet.asks
    with house.doors.write() as session, pytest.raises(Invalid):
        importing.write(Context(session, BY, NOON), sheet, STORE)


def test_letters_prices_and_names_are_bounded_as_everywhere(house: House):
    rows = ("T\u202eea,1.00,7%", f"{'x' * 121},1.00,7%", "Rum,999999999999999,7%", "Gin,-1.00,7%")
    sheet = looked(house, "\n".join(("Name,Price,Tax", *rows)).encode())
    assert [(fault.row, fault.column) for fault in sheet.faults] == [
        (2, "Name"), (3, "Name"), (4, "Price"), (5, "Price"),
    ]  # fmt: skip


def test_a_fault_that_came_up_since_the_preview_writes_nothing(house: House):
    sheet = looked(house, (LIST + RUM).encode())
    brought(house, LIST + TEA.replace(gtin(1), gtin(2)))
    sheet.found = None  # as our own list, where a number is another product
    with house.doors.write() as session, pytest.raises(Conflict, match="Row 2, Barcode"):
        importing.write(Context(session, BY, NOON), sheet, STORE)


def test_a_workbook_with_numbers_says_the_same(house: House):
    book, file = openpyxl.Workbook(), io.BytesIO()
    book.active.append(["Name", "Barcode", "Price", "Tax", "Quantity"])
    book.active.append(["Tea", int(gtin(1)), 1.5, 0.07, 3])
    book.save(file)
    sheet = looked(house, file.getvalue(), "list.xlsx")
    assert (sheet.asks, sheet.faults) == ({}, [])
    assert (sheet.values[0]["barcode"], sheet.values[0]["price"], sheet.values[0]["stock"]) == (
        gtin(1), Decimal("1.5"), 3,
    )  # fmt: skip
