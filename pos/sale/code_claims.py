"""What a rung line claims beyond its product, held against the code it was read from.

Rules
-----
1. What a label says is read from the code anew (`scan`), never taken from the page: an amount, a batch, a last day.
   An amount without a code that says it is refused; so is a line that says something else than its code.
2. How much a label stands for is what it says, by its weight, count or price: another quantity is refused. A second
   piece has a label of its own.
3. A batch or a last day without a code may refuse a line (recalled, expired), but makes no line cheaper.
4. Lines that claim nothing cost no question.
"""

import datetime as dt
from collections.abc import Mapping, Sequence

from sqlalchemy.orm import Session

from config.errors import Invalid
from pos.catalogue import scan
from pos.catalogue.catalogue import Scanned
from pos.pricing.pricing import ProductView
from pos.sale.rung import RungLine


def settled(
    session: Session, store_id: str, rung: Sequence[RungLine], views: Mapping[str, ProductView], day: dt.date
) -> Sequence[RungLine]:
    """Return the lines with what their codes say (rules 1, 2), or refuse the first that says something else."""
    if not any(line.code or line.amount_minor is not None for line in rung):
        return rung
    read: dict[str, Scanned] = {}
    lines = []
    for line in rung:
        view = views[line.sku]
        if line.code and line.code not in read:
            read[line.code] = scan.read(session, store_id, line.code, day)
        lines.append(_as_read(line, read[line.code], view) if line.code else _without_code(line, view))
    return lines


def _as_read(line: RungLine, found: Scanned, view: ProductView) -> RungLine:
    if found.product.sku != line.sku or line.amount_minor not in (None, found.amount_minor):
        raise _differs(view)
    labelled = found.amount_minor is not None or found.source == "embedded"
    if line.qty != found.qty and (labelled or (view.stock_unit != "each" and found.qty > 1)):
        raise Invalid(
            "label-fixed",
            f"How much {view.name} it is stands on its label. Take the line out and scan the label of each piece.",
            sku=view.sku,
            name=view.name,
            qty=found.qty,
        )
    return line._replace(amount_minor=found.amount_minor, batch=found.batch, expires_on=found.expires_on)


def _without_code(line: RungLine, view: ProductView) -> RungLine:
    if line.amount_minor is not None:
        raise _differs(view)
    return line


def _differs(view: ProductView) -> Invalid:
    return Invalid(
        "label-differs",
        f"No label says this of {view.name}. Take the line out and scan its label again.",
        sku=view.sku,
        name=view.name,
    )
