"""Lists of products as other tills export them, made after the public formats of five of them.

Each has two encodings: one as a store in America would send it, the other with the signs of another country. `GOODS` is
what every list says; a list that can't say a thing (Shopify no tax) leaves it to a question.
"""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pos.catalogue.gs1 import check_digit


def gtin(n: int) -> str:
    """Return a barcode of 13 digits."""
    body = f"40063813{n:04d}"
    return body + check_digit(body)


@dataclass(frozen=True)
class Good:
    """A product as a list says it. option: '' for one without variants."""

    n: int
    title: str
    option: str
    category: str
    price: str
    cost: str
    stock: int
    rate: str
    supplier: str = "Valley Farm"

    @property
    def name(self) -> str:
        """What it is called here."""
        return f"{self.title} {self.option}".strip()


GOODS = (
    Good(1, "Whole milk", "", "Dairy", "1.29", "0.89", 12, "7"),
    Good(2, "Müsli", "", "Breakfast", "4.95", "2.10", 6, "7"),
    Good(3, "Coffee", "Small", "Drinks", "2.50", "0.40", 0, "19"),
    Good(4, "Coffee", "Large", "Drinks", "3.10", "0.55", 0, "19"),
    Good(5, "Piñata", "", "Party", "1,249.00", "800.00", 3, "19"),
    Good(6, "Gift", "", "Party", "", "", -2, "19"),
)
"""The dear one has its thousands apart; the last has no price and stock below zero."""


@dataclass(frozen=True)
class Export:
    """A list: its name, its bytes, and what has to be said of it (`sheet.asks`)."""

    name: str
    raw: bytes
    asks: str = ""


def written(heading: Sequence[str], rows: Sequence[Sequence[Any]], encoding: str, mark: str) -> bytes:
    """Write a table as a CSV."""
    page = io.StringIO(newline="")
    csv.writer(page, delimiter=mark).writerows([heading, *rows])
    return page.getvalue().encode(encoding)


def amount(text: str, *, comma: bool) -> str:
    """Write an amount by the country's mark."""
    return text.translate(str.maketrans(",.", ".,")) if comma and text else text


def square(encoding: str, *, comma: bool, mark: str) -> Export:
    """A row a variation; a tax has its rate in its column's name, a price that is typed says `variable`."""
    heading = [
        "Token", "Item Name", "Variation Name", "SKU", "Description", "Category", "Reporting Category", "GTIN",
        "Item Type", "Default Unit Cost", "Default Vendor Name", "Price", "Stockable", "Sellable",
        "Current Quantity Maple Street", "New Quantity Maple Street", "Stock Alert Enabled Maple Street",
        "Stock Alert Count Maple Street", "Tax - Food (7%)", "Tax - Sales Tax (19%)",
    ]  # fmt: skip
    rows = [
        [
            f"T{one.n}", one.title, one.option or "Regular", "", "<p>good</p>", one.category, one.category, gtin(one.n),
            "Physical good", amount(one.cost, comma=comma), one.supplier,
            amount(one.price, comma=comma) or "variable", "Y", "Y", one.stock, "", "N", "",
            "Y" if one.rate == "7" else "N", "Y" if one.rate == "19" else "N",
        ]
        for one in GOODS
    ]  # fmt: skip
    return Export("square.csv", written(heading, rows, encoding, mark))


def shopify(encoding: str, *, comma: bool, mark: str) -> Export:
    """A row a variant, its title on the first alone, barcodes with an apostrophe, rows for pictures; no tax rate."""
    heading = [
        "Handle", "Title", "Body (HTML)", "Vendor", "Product Category", "Type", "Tags", "Published", "Option1 Name",
        "Option1 Value", "Variant SKU", "Variant Grams", "Variant Inventory Tracker", "Variant Inventory Qty",
        "Variant Inventory Policy", "Variant Price", "Variant Compare At Price", "Variant Requires Shipping",
        "Variant Taxable", "Variant Barcode", "Image Src", "Image Position", "Gift Card", "SEO Title", "Cost per item",
        "Status",
    ]  # fmt: skip
    rows: list[list[Any]] = []
    before = ""
    for one in GOODS:
        is_first, handle = one.title != before, one.title.casefold().replace(" ", "-")
        before = one.title
        head = [one.title, "<p>so\ngood</p>", one.supplier, "Food > " + one.category, one.category, "", "true", "Size"]
        rows.append([
            handle, *(head if is_first else [""] * 8), one.option or "Default Title", "", 0, "shopify", one.stock,
            "deny", amount(one.price, comma=comma), "", "true", "true", f"'{gtin(one.n)}",
            "https://pictures.example/1.jpg", 1, "false", "", amount(one.cost, comma=comma), "active",
        ])  # fmt: skip
        if is_first:
            rows.append([handle, *[""] * 19, "https://pictures.example/2.jpg", 2, "", "", "", ""])
    return Export("shopify.csv", written(heading, rows, encoding, mark), "tax")


def loyverse(encoding: str, *, comma: bool, mark: str) -> Export:
    """A row a variant, named in the first alone; columns for each of two stores, taxes with their rate."""
    outlets = ("Harbor", "Maple Street")
    heading = [
        "Handle", "SKU", "Name", "Category", "Description", "Sold by weight", "Option 1 name", "Option 1 value",
        "Option 2 name", "Option 2 value", "Default price", "Cost", "Barcode", "SKU of included item",
        "Quantity of included item", "Track stock",
        *(f"{of} [{name}]" for name in outlets for of in ("Available for sale", "Price", "In stock", "Low stock")),
        'Tax - "VAT low" (7%)', 'Tax - "VAT" (19%)',
    ]  # fmt: skip
    rows: list[list[Any]] = []
    before = ""
    for one in GOODS:
        head = [one.title, one.category, ""] if one.title != before else ["", "", ""]
        before, price = one.title, amount(one.price, comma=comma) or "variable"
        other, cost = "9,99" if comma else "9.99", amount(one.cost, comma=comma)
        rows.append([
            one.title.casefold().replace(" ", "-"), 10_000 + one.n, *head, "N", "Size" if one.option else "",
            one.option, "", "", price, cost or 0, gtin(one.n), "", "", "Y", "N", other, 99, "", "Y", price, one.stock,
            "", "Y" if one.rate == "7" else "N", "Y" if one.rate == "19" else "N",
        ])  # fmt: skip
    rows.append([*[""] * 13, 10_001, 2, *[""] * 11])
    return Export("loyverse.csv", written(heading, rows, encoding, mark), "outlet")


def odoo(encoding: str, *, comma: bool, mark: str) -> Export:
    """A row a product, its category as a path, its taxes as text."""
    heading = [
        "Favorite", "Name", "Internal Reference", "Responsible", "Product Tags", "Barcode", "Sales Price", "Cost",
        "Product Category", "Product Type", "Quantity On Hand", "Forecasted Quantity", "Unit of Measure",
        "Customer Taxes", "Vendor Taxes",
    ]  # fmt: skip
    rows = [
        [
            "False", one.name, f"P-{one.n:03d}", "Ana", "", gtin(one.n), amount(one.price, comma=comma) or "0",
            amount(one.cost, comma=comma) or "0", f"All / Saleable / {one.category}", "Goods",
            f"{one.stock}{',' if comma else '.'}00", "0", "Units", f"{one.rate}%", "19%",
        ]
        for one in GOODS
    ]  # fmt: skip
    return Export("product.template.csv", written(heading, rows, encoding, mark))


def lightspeed(encoding: str, *, comma: bool, mark: str) -> Export:
    """A row a variant under a handle; stock by outlet, a tax by its name alone."""
    heading = [
        "id", "handle", "sku", "composite_name", "name", "description", "product_category", "variant_option_one_name",
        "variant_option_one_value", "tags", "supply_price", "retail_price", "tax_name", "tax_value", "account_code",
        "brand_name", "supplier_name", "supplier_code", "active", "track_inventory", "inventory_Main_Outlet",
        "reorder_point_Main_Outlet", "restock_level_Main_Outlet",
    ]  # fmt: skip
    rows = [
        [
            f"0af7-{one.n}", one.title.casefold(), gtin(one.n), "", one.title, "", one.category,
            "Size" if one.option else "", one.option, "", amount(one.cost, comma=comma),
            amount(one.price, comma=comma), {"7": "Reduced", "19": "GST"}[one.rate], "", "", "Acme", one.supplier,
            f"V{one.n}", 1, 1, one.stock, "", "",
        ]
        for one in GOODS
    ]  # fmt: skip
    return Export("lightspeed.csv", written(heading, rows, encoding, mark), "tax")


EXPORTS: dict[str, Callable[[], Export]] = {
    "square, UTF-8 with a mark": lambda: square("utf-8-sig", comma=False, mark=","),
    "square, UTF-16": lambda: square("utf-16", comma=True, mark="\t"),
    "shopify, UTF-8": lambda: shopify("utf-8", comma=False, mark=","),
    "shopify, Windows-1252": lambda: shopify("cp1252", comma=True, mark=";"),
    "loyverse, UTF-8 with a mark": lambda: loyverse("utf-8-sig", comma=False, mark=","),
    "loyverse, Windows-1252": lambda: loyverse("cp1252", comma=True, mark=";"),
    "odoo, UTF-8": lambda: odoo("utf-8", comma=False, mark=","),
    "odoo, ISO-8859-15": lambda: odoo("iso8859_15", comma=True, mark=";"),
    "lightspeed, UTF-8": lambda: lightspeed("utf-8", comma=False, mark=","),
    "lightspeed, Windows-1252": lambda: lightspeed("cp1252", comma=True, mark=";"),
}
