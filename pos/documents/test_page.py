"""The test page of a printer: what a shopkeeper looks at to know that everything comes out right. Pure.

It speaks both languages, because it shows both kinds of letters.
"""

from typing import Any

from pos.documents.paper import BLANK, CUT, RULE, PaperLine

BARCODE = "4006381333931"
ADDRESS = "https://example.org/test"


def layout(document: dict[str, Any], *, columns: int) -> list[PaperLine]:
    """Return the test page; nothing at all where only the drawer is tried.

    document: only_drawer, or name, wire and local_time of the printer.
    """
    if document.get("only_drawer"):
        return []
    return [
        PaperLine("TEST 测试", align="center", bold=True, wide=2, tall=2),
        PaperLine(str(document["name"]), align="center", bold=True),
        PaperLine(str(document["wire"]), align="center"),
        PaperLine(str(document["local_time"]), align="center"),
        RULE,
        PaperLine(_tens(columns)),
        PaperLine(_ones(columns)),
        PaperLine("|<", right=">|"),
        PaperLine(f"{columns} columns 列", align="center"),
        RULE,
        PaperLine("Latin", right="Käse Brötchen Crème"),
        PaperLine("中文", right="牛奶 面包 收银"),
        PaperLine("￥ £ €", right="￥12.50 £3.20 €4.99"),
        PaperLine("Bold 粗体", right="8.88", bold=True),
        PaperLine("Big 大字", right="9.99", wide=2, tall=2),
        RULE,
        PaperLine(BARCODE, align="center", kind="barcode"),
        PaperLine(ADDRESS, align="center", kind="qr"),
        PaperLine("Scan both. 两个码都应能扫出。", align="center"),
        BLANK,
        CUT,
    ]


def label(document: dict[str, Any]) -> dict[str, Any]:
    """Return the test page of a label printer: a label, as the shelf's, of the printer itself."""
    return {
        "name": f"TEST 测试 {document['name']}",
        "brand": str(document["wire"]),
        "price_minor": 888,
        "currency": "CNY",
        "barcode": BARCODE,
        "url": ADDRESS,
        "place": str(document["local_time"]),
        "language": "zh",
    }


# --- inside ---


def _tens(columns: int) -> str:
    return "".join(str(n // 10) if n % 10 == 0 else " " for n in range(1, columns + 1))


def _ones(columns: int) -> str:
    return "".join(str(n % 10) for n in range(1, columns + 1))
