"""Ten more item exports, as the documents of five point-of-sale systems and spreadsheets describe them.

Written from those documents alone: what they name and order otherwise than the first ten of `item_exports`, rows that
hold a picture or a second supplier only, a store's name in a column, prices with a sign, decimals with a comma.
"""

import csv
import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Item:
    """What an export says of a product, as amounts and quantities a person would type."""

    name: str
    sku: str
    barcode: str
    category: str
    price: str
    cost: str
    stock: str
    tax: str
    """Percent."""
    supplier: str = ""
    weighed: bool = False


GOODS = (
    Item("Jalapeño Crème 200 g", "10001", "4006381333931", "Dairy", "2.79", "1.61", "14", "7", "Müller & Co"),
    Item("Café «Größe M», ground", "10002", "5901234123457", "Coffee & Tea", "12.50", "8.25", "6", "7", "Müller & Co"),
    Item("Açaí bowl", "10003", "9780201379624", "Frozen", "7.99", "5.00", "0", "7", "Nordwind"),
    Item("Weißbier 0,5 l", "10004", "4012345678901", "Beer", "1.85", "1.02", "48", "19", "Nordwind"),
    Item("Seife Öko", "10005", "4000417025005", "Household", "1999.00", "1200.40", "2", "19", "Nordwind"),
)
CHINESE = (
    Item("全脂牛奶 250毫升", "20001", "6901028075763", "乳制品", "5.50", "3.20", "24", "9", "光明乳业"),
    Item("龙井茶", "20002", "6902083886455", "茶叶", "68.00", "41.00", "3", "13", "杭州茶厂"),
)


def files() -> dict[str, tuple[str, bytes, tuple[Item, ...]]]:
    """Return id -> (file name, bytes, what it holds)."""
    made = {
        "square, one location": ("items.csv", square(GOODS), "utf-8-sig", GOODS),
        "square, by Excel in Spain": ("catalogo.csv", square_retail(GOODS), "cp1252", GOODS),
        "shopify, with pictures": ("products_export_1.csv", shopify(GOODS), "utf-8", GOODS),
        "shopify, headers of 2025": ("products_export.csv", shopify_new(CHINESE), "gb18030", CHINESE),
        "loyverse, one store": ("export_items.csv", loyverse(GOODS), "utf-8", GOODS),
        "loyverse, by Excel": ("export_items.csv", loyverse(GOODS, separator=";"), "cp1252", GOODS),
        "odoo, two vendors": ("product.template.csv", odoo(GOODS), "utf-8", GOODS),
        "odoo, in German": ("Produkt (product.template).csv", odoo_german(GOODS), "cp1252", GOODS),
        "lightspeed r": ("item_listings_local.csv", lightspeed_r(GOODS), "utf-8-sig", GOODS),
        "lightspeed x": ("vend-products-export.csv", lightspeed_x(GOODS), "utf-16", GOODS),
    }
    return {key: (name, text.encode(encoding), held) for key, (name, text, encoding, held) in made.items()}


def square(goods: Iterable[Item]) -> str:
    """Write a Square library: one column a tax, the location in the names of its columns."""
    where = "Corner Store"
    head = [
        "Token", "Item Name", "Variation Name", "SKU", "Description", "Category", "GTIN",
        "Square Online Item Visibility", "Weight (lb)", "Price", "Sellable", "Stockable", "Option Name 1",
        "Option Value 1", "Option Name 2", "Option Value 2", "Default Unit Cost", "Default Vendor Name",
        "Default Vendor Code", f"Current Quantity {where}", f"New Quantity {where}", f"Stock Alert Enabled {where}",
        f"Stock Alert Count {where}", "Tax - Food (7%)", "Tax - Sales Tax (19%)",
    ]  # fmt: skip
    rows = (
        [
            f"TOK{one.sku}", one.name, "Regular", one.sku, "", one.category, one.barcode, "visible", "", one.price, "Y",
            "Y", "", "", "", "", one.cost, one.supplier, f"V-{one.sku}", one.stock, "", "N", "",
            "Y" if one.tax == "7" else "N", "Y" if one.tax == "19" else "N",
        ]
        for one in goods
    )  # fmt: skip
    return _csv(head, rows)


def square_retail(goods: Iterable[Item]) -> str:
    """Write the longer Square library as Excel saves it where a comma is the decimal mark."""
    head = [
        "Reference Handle", "Token", "Item Name", "Customer-facing Name", "Variation Name", "Unit and Precision", "SKU",
        "Description", "Categories", "Reporting Category", "SEO Title", "Permalink", "GTIN",
        "Square Online Item Visibility", "Item Type", "Weight (kg)", "Shipping Enabled", "Price", "Online Sale Price",
        "Archived", "Sellable", "Contains Alcohol", "Stockable", "Skip Detail Screen in POS", "Option Name 1",
        "Option Value 1", "Default Unit Cost", "Default Vendor Name", "Default Vendor Code",
        "Current Quantity Tienda Ñ", "New Quantity Tienda Ñ", "Stock Alert Enabled Tienda Ñ", "Tax - IVA (19%)",
        "Tax - IVA reducido (7%)",
    ]  # fmt: skip
    rows = (
        [
            f"#{one.sku}", f"TOK{one.sku}", one.name, "", "Regular", "", one.sku, "", one.category, one.category, "",
            "", one.barcode, "hidden", "Physical good", "", "N", _comma(one.price), "", "N", "Y",
            "Y" if one.category == "Beer" else "N", "Y", "N", "", "", _comma(one.cost), one.supplier, "", one.stock, "",
            "N", "Y" if one.tax == "19" else "N", "Y" if one.tax == "7" else "N",
        ]
        for one in goods
    )  # fmt: skip
    return _csv(head, rows, ";")


def shopify(goods: Iterable[Item]) -> str:
    """Write Shopify's export: a further picture is a row with the handle alone."""
    head = [
        "Handle", "Title", "Body (HTML)", "Vendor", "Product Category", "Type", "Tags", "Published", "Option1 Name",
        "Option1 Value", "Option2 Name", "Option2 Value", "Option3 Name", "Option3 Value", "Variant SKU",
        "Variant Grams", "Variant Inventory Tracker", "Variant Inventory Qty", "Variant Inventory Policy",
        "Variant Fulfillment Service", "Variant Price", "Variant Compare At Price", "Variant Requires Shipping",
        "Variant Taxable", "Variant Barcode", "Image Src", "Image Position", "Image Alt Text", "Gift Card", "SEO Title",
        "SEO Description", "Google Shopping / Google Product Category", "Variant Image", "Variant Weight Unit",
        "Variant Tax Code", "Cost per item", "Included / United States", "Price / International", "Status",
    ]  # fmt: skip
    rows: list[list[str]] = []
    for one in goods:
        said = {
            "Handle": f"item-{one.sku}", "Title": one.name, "Body (HTML)": "<p>Fresh, every day.\nAsk us.</p>",
            "Vendor": one.supplier, "Type": one.category, "Published": "true", "Option1 Name": "Title",
            "Option1 Value": "Default Title", "Variant SKU": one.sku, "Variant Grams": "0.0",
            "Variant Inventory Tracker": "shopify", "Variant Inventory Qty": one.stock,
            "Variant Inventory Policy": "deny", "Variant Fulfillment Service": "manual", "Variant Price": one.price,
            "Variant Requires Shipping": "true", "Variant Taxable": "true", "Variant Barcode": f"'{one.barcode}",
            "Image Src": "https://cdn.example/1.jpg", "Image Position": "1", "Gift Card": "false",
            "Variant Weight Unit": "kg", "Cost per item": one.cost, "Included / United States": "true",
            "Status": "active",
        }  # fmt: skip
        more = {"Handle": f"item-{one.sku}", "Image Src": "https://cdn.example/2.jpg", "Image Position": "2"}
        rows += ([row.get(name, "") for name in head] for row in (said, more))
    return _csv(head, rows)


def shopify_new(goods: Iterable[Item]) -> str:
    """Write Shopify's export with the names its help page gives the columns today."""
    head = [
        "Title", "URL handle", "Description", "Vendor", "Product category", "Type", "Tags", "Published on online store",
        "Status", "SKU", "Barcode", "Option1 name", "Option1 value", "Price", "Compare-at price", "Cost per item",
        "Charge tax", "Tax code", "Unit price total measure", "Inventory tracker", "Inventory quantity",
        "Continue selling when out of stock", "Weight value (grams)", "Weight unit for display", "Requires shipping",
        "Fulfillment service", "Product image URL", "Image position", "Gift card", "SEO title",
    ]  # fmt: skip
    rows = (
        [
            one.name, f"p-{one.sku}", "", one.supplier, "", one.category, "", "TRUE", "Active", one.sku, one.barcode,
            "Title", "Default Title", one.price, "", one.cost, "TRUE", "", "", "shopify", one.stock, "DENY", "", "g",
            "TRUE", "manual", "", "", "FALSE", "",
        ]
        for one in goods
    )  # fmt: skip
    return _csv(head, rows)


def loyverse(goods: Iterable[Item], separator: str = ",") -> str:
    """Write Loyverse's item list: the store's name in brackets, one column a tax."""
    where = "Wakalala's eat"
    head = [
        "Handle", "SKU", "Name", "Category", "Description", "Sold by weight", "Option 1 name", "Option 1 value",
        "Option 2 name", "Option 2 value", "Option 3 name", "Option 3 value", "Cost", "Barcode", "SKU of included item",
        "Quantity of included item", "Track stock", f"Available for sale [{where}]", f"Price [{where}]",
        f"In stock [{where}]", f"Low stock [{where}]", 'Tax - "MwSt" (7%)', 'Tax - "MwSt voll" (19%)', "Supplier",
        "Purchase cost",
    ]  # fmt: skip
    mark = _comma if separator == ";" else str
    rows = (
        [
            f"h-{one.sku}", one.sku, one.name, one.category, "", "N", "", "", "", "", "", "", mark(one.cost),
            one.barcode, "", "", "Y", "Y", mark(one.price), one.stock, "5", "Y" if one.tax == "7" else "N",
            "Y" if one.tax == "19" else "N", one.supplier, mark(one.cost),
        ]
        for one in goods
    )  # fmt: skip
    return _csv(head, rows, separator)


def odoo(goods: Iterable[Item]) -> str:
    """Write what Odoo exports of products with their vendors: a second vendor is a row of its own, else empty."""
    head = [
        "External ID", "Name", "Internal Reference", "Barcode", "Sales Price", "Cost", "Product Category",
        "Customer Taxes", "Vendor Taxes", "Quantity On Hand", "Unit of Measure", "Product Type", "Vendors/Vendor",
        "Vendors/Price", "Vendors/Minimal Quantity",
    ]  # fmt: skip
    rows: list[list[str]] = []
    for one in goods:
        rows.append([
            f"__export__.product_template_{one.sku}", one.name, one.sku, one.barcode, one.price, one.cost,
            f"All / Saleable / {one.category}", f"{one.tax}% VAT S", f"{one.tax}% VAT P", f"{one.stock}.0", "Units",
            "Goods", one.supplier, one.cost, "1.0",
        ])  # fmt: skip
        rows.append([*[""] * 12, "Second Source", one.cost, "12.0"])
    return _csv(head, rows)


def odoo_german(goods: Iterable[Item]) -> str:
    """Write the same by its German labels, as Excel saves it."""
    head = [
        "Externe ID", "Name", "Interne Referenz", "Barcode", "Verkaufspreis", "Kosten", "Produktkategorie",
        "Verkaufssteuern", "Verfügbare Menge", "Maßeinheit", "Produktart", "Lieferanten/Lieferant",
    ]  # fmt: skip
    rows = (
        [
            f"__export__.product_template_{one.sku}", one.name, one.sku, one.barcode, _comma(one.price),
            _comma(one.cost), f"Alle / {one.category}", f"{one.tax}% USt", f"{one.stock},00", "Einheiten", "Waren",
            one.supplier,
        ]
        for one in goods
    )  # fmt: skip
    return _csv(head, rows, ";")


def lightspeed_r(goods: Iterable[Item]) -> str:
    """Write Lightspeed Retail R's item list: prices with a sign and groups, a tax class instead of a rate."""
    head = [
        "System ID", "UPC", "EAN", "Custom SKU", "Manufact. SKU", "Item", "Vendor ID", "Qty.", "Price", "Tax", "Brand",
        "Publish to eCom", "Season", "Department", "MSRP", "Tax Class", "Default Cost", "Vendor", "Category",
        *(f"Subcategory {n}" for n in range(1, 10)),
    ]  # fmt: skip
    rows = (
        [
            f"2100000{one.sku}", "", one.barcode, one.sku, "", one.name, "", one.stock, f"€{float(one.price):,.2f}",
            "Yes", "", "No", "", "", one.price, "Item", f"{float(one.cost):.9f}", one.supplier, one.category,
            *[""] * 9,
        ]
        for one in goods
    )  # fmt: skip
    return _csv(head, rows)


def lightspeed_x(goods: Iterable[Item]) -> str:
    """Write Lightspeed Retail X's products, tabs between them as Excel's Unicode text has it."""
    where = "Main_Outlet"
    head = [
        "id", "handle", "sku", "composite_handle", "composite_sku", "composite_quantity", "name", "description",
        "product_category", "variant_option_one_name", "variant_option_one_value", "tags", "supply_price",
        "retail_price", "loyalty_value", "tax_name", "tax_value", "account_code", "account_code_purchase", "brand_name",
        "supplier_name", "supplier_code", "active", "track_inventory", f"inventory_{where}", f"reorder_point_{where}",
        f"restock_level_{where}",
    ]  # fmt: skip
    rows = (
        [
            f"0af7b240-ab83-{one.sku}", f"h{one.sku}", one.barcode, "", "", "", one.name, "", one.category, "", "", "",
            one.cost, one.price, "", f"VAT {one.tax}%", f"{float(one.tax) / 100:.2f}", "", "", "", one.supplier,
            f"S-{one.sku}", "1", "1", f"{one.stock}.00000", "", "",
        ]
        for one in goods
    )  # fmt: skip
    return _csv(head, rows, "\t")


# --- inside ---


def _comma(amount: str) -> str:
    return amount.replace(".", ",")


def _csv(head: list[str], rows: Iterable[list[str]], separator: str = ",") -> str:
    out = io.StringIO()
    write: Callable[[list[str]], object] = csv.writer(out, delimiter=separator, lineterminator="\r\n").writerow
    write(head)
    for row in rows:
        write(row)
    return out.getvalue()
