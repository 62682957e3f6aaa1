"""Paper that goes with goods back to a supplier: what the driver takes along and signs for.

Rules
-----
1. As with the receipt: the layout reads its frozen document alone and prints in the shop's language.
2. Every line says how much goes, of which batch and day where that is known, and what the shop expects back for it;
   what has no known cost says so and is left out of the total.
3. Both sides sign. A copy is marked.

Everything here is pure. Money comes in minor units of the shop's currency; columns are 32, 42 or 48.
"""

from collections.abc import Callable
from typing import Any

from pos.documents.paper import BLANK, CUT, RULE, PaperLine, amount, centred, indented, pair, price, quantity

WORDS: dict[str, dict[str, str]] = {
    "en": {
        "title": "GOODS BACK", "copy": "COPY", "note": "Note", "to": "To", "paper": "Their number", "why": "Reason",
        "damaged": "Damaged", "expired": "Expired", "recalled": "Recalled", "wrong_delivery": "Wrong delivery",
        "sale_or_return": "Sale or return", "other": "Other", "batch": "Batch", "until": "best before",
        "unpriced": "price to be agreed", "expected": "We expect back", "left_out": "Lines without a price",
        "lines": "Lines", "shop": "For the shop", "driver": "Taken by", "name": "Name", "signature": "Signature",
        "keep": "Please credit these goods.",
    },
    "zh": {
        "title": "退货单", "copy": "副本", "note": "单号", "to": "供应商", "paper": "对方单号", "why": "原因",
        "damaged": "破损", "expired": "过期", "recalled": "召回", "wrong_delivery": "送错货",
        "sale_or_return": "代销退回", "other": "其他", "batch": "批号", "until": "保质期至",
        "unpriced": "价格待定", "expected": "应退金额", "left_out": "未定价行数",
        "lines": "行数", "shop": "本店经手", "driver": "收货人", "name": "姓名", "signature": "签名",
        "keep": "请按此单退款或冲账。",
    },
}  # fmt: skip
"""Every word on this paper, in both languages."""


def back_slip(document: dict[str, Any], *, columns: int, language: str = "en", copy_no: int = 0) -> list[PaperLine]:
    """Lay out what a driver signs for (rules 2, 3).

    document: store, number, supplier, paper_no, reason, why, by, local_time, lines [{name, qty, stock_unit, batch,
    expires_on, cost_minor}], total_minor, unknown.
    """
    words, currency = WORDS[language], document["store"]["currency"]
    lines = _head(document, words, columns, copy_no)
    for row in document["lines"]:
        cost = words["unpriced"] if row["cost_minor"] is None else amount(row["cost_minor"], currency)
        lines += pair(f"{quantity(row['qty'], row['stock_unit'])} {row['name']}", cost, columns)
        batch = f"{words['batch']} {row['batch']}" if row["batch"] else ""
        until = f"{words['until']} {row['expires_on']}" if row["expires_on"] else ""
        if batch or until:
            lines += indented(", ".join(part for part in (batch, until) if part), "", columns)
    lines += [RULE, *pair(words["lines"], str(len(document["lines"])), columns)]
    if document["unknown"]:
        lines += pair(words["left_out"], str(document["unknown"]), columns)
    lines += pair(words["expected"], price(document["total_minor"], currency), columns, bold=True, wide=2, tall=2)
    lines += [RULE, *pair(words["shop"], document["by"], columns), BLANK, *_to_write(words["signature"], columns)]
    lines += [BLANK, PaperLine(words["driver"], bold=True), BLANK, *_to_write(words["name"], columns), BLANK, BLANK]
    return [*lines, *_to_write(words["signature"], columns), BLANK, *centred(words["keep"], columns), CUT]


LAYOUTS: dict[str, Callable[..., list[PaperLine]]] = {"goods_back": back_slip}
"""kind of print job -> its layout."""


# --- inside ---


def _head(document: dict[str, Any], words: dict[str, str], columns: int, copy_no: int) -> list[PaperLine]:
    lines = centred(document["store"]["name"], columns, bold=True, wide=2, tall=2)
    for text in (document["store"].get("address"), document["store"].get("phone")):
        if text:
            lines += [line for part in str(text).splitlines() for line in centred(part, columns)]
    lines += [BLANK, *centred(words["title"], columns, bold=True, wide=2, tall=2)]
    if copy_no:
        lines += centred(f"*** {words['copy']} {copy_no} ***", columns, bold=True, wide=2, tall=2)
    lines += pair(words["to"], document["supplier"], columns, bold=True)
    lines += pair(words["note"], document["number"], columns)
    if document["paper_no"]:
        lines += pair(words["paper"], document["paper_no"], columns)
    lines += pair(words["why"], words[document["reason"]], columns)
    if document["why"]:
        lines += indented(document["why"], "", columns)
    return [*lines, *centred(document["local_time"], columns), RULE]


def _to_write(word: str, columns: int) -> list[PaperLine]:
    """Return a dotted line behind a word, as wide as the paper lets it."""
    return [PaperLine(f"{word} " + "." * (columns - 12))]
