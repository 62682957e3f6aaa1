"""What the pages of a shopping list share: reading the message, the products it may name, and what was chosen of them.

Each choice's field carries its product and amount, so that the page needs no script: `pick-3` is 'milk 2'.
"""

import re
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from flask import request
from sqlalchemy.orm import Session

from config.errors import Invalid
from pos.catalogue.catalogue import Product
from pos.lists.amounts import Ware
from pos.lists.matching import MOST_LETTERS, MOST_LINES, Line
from store_app.pages.common import form

EARLIER = 10
"""So many of a customer's purchases are looked at for "the same as last time"."""
AROUND: dict[str, Any] = {"most_letters": MOST_LETTERS, "most_lines": MOST_LINES}
_PICK = re.compile(r"pick-\d{1,3}")


def message() -> str:
    """Return the message as it was typed or pasted, its lines tidied."""
    return "\n".join(form.tidy(line) for line in request.form.get("list", "").splitlines())


def picked() -> dict[str, int]:
    """Return what was chosen: SKU -> quantity."""
    found: dict[str, int] = {}
    for name, value in request.form.items(multi=True):
        if _PICK.fullmatch(name) and value:
            sku, _, qty = form.tidy(value).rpartition(" ")
            found[sku] = found.get(sku, 0) + form.number(qty, name, least=1)
    if not found:
        raise Invalid("nothing-chosen", "Choose at least one product first.")
    return found


def wares(session: Session, left: Mapping[str, tuple[int | None, int]]) -> dict[str, Ware]:
    """Return products as a list may name them. left: SKU -> how much can be had (None: any), smallest portion."""
    rows = session.execute(
        sa.select(
            Product.sku, Product.name, Product.names, Product.brand, Product.category, Product.pack_text,
            Product.stock_unit,
        ).where(Product.sku.in_(list(left)))
    )  # fmt: skip
    return {
        sku: Ware(
            sku, (name, *(names or {}).values()), brand, category, pack_text, stock_unit, left[sku][1], left[sku][0]
        )
        for sku, name, names, brand, category, pack_text, stock_unit in rows
    }


def named_by(lines: list[Line]) -> list[str]:
    """Return the SKUs that the answer to a message names."""
    found = [choice.sku for line in lines for choice in line.choices] + [line.sku for line in lines if line.sku]
    return list(dict.fromkeys(found))
