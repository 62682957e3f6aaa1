"""The command that brings a file in: looked at first, every fault named by its row, written whole or not at all."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from flask_babel import gettext as _
from flask_babel import ngettext
from rich.table import Table

from config.errors import Invalid
from config.nodes.journal import Context
from store_app.commands.common import FILE, by_hand, faults, node, plain, screen, speaking
from store_app.files.encodings import ENCODINGS
from store_app.runtime.doors import Doors
from store_app.web import marks

if TYPE_CHECKING:
    from store_app.files.sheet import Sheet

LIMIT_S = 120.0
"""No till waits for a command, so a large file may take longer to read than on a page."""
KINDS = (
    "products", "stock", "sales", "customers", "bestsellers", "members", "price-list", "suppliers", "school-holidays",
    "weather", "open-food-facts",
)  # fmt: skip


@click.command("import")
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("file", type=FILE)
@click.option("--supplier", default="", help="Supplier of the price list, by name or ID.")
@click.option("--warehouse", default="", help="At the network: the warehouse counted.")
@click.option("--why", default="", help="At the network: reason for the count, such as 'opening stock'.")
@click.option("--decimal", type=click.Choice(marks.MARKS), help="Decimal mark, if the file leaves it open.")
@click.option("--encoding", type=click.Choice(list(ENCODINGS)), help="Encoding of a CSV, if not detected.")
@click.option("--name", "names", multiple=True, help="For a calendar: import events with this name; repeatable.")
@click.option("--yes", is_flag=True, help="Do not ask before saving.")
def bring_in(
    kind: str, file: Path, supplier: str, warehouse: str, why: str, decimal: str | None, encoding: str | None,
    names: tuple[str, ...], yes: bool,
) -> None:  # fmt: skip
    """Import a file (CSV, XLSX or Parquet; school holidays also as a calendar), all or nothing.

    A dump of Open Food Facts (CSV, JSONL or Parquet) replaces the copy in which unknown barcodes are looked up.
    """
    doors = node()
    with speaking(doors):
        if kind == "open-food-facts":
            _replace_copy(doors, file)
            return
        of = _belongs_to(doors, kind, supplier, warehouse, why)
        sheet = _read(doors, kind, file, decimal or "", encoding or "")
        if names:
            sheet.keep(names)
        _save(doors, sheet, of, yes=yes)


def _replace_copy(doors: Doors, file: Path) -> None:
    from pos.catalogue import public_products
    from store_app.files import open_food_facts
    from store_app.web import presenting

    with faults.status(file.name):
        coming = open_food_facts.products(file, presenting.language())
        count = public_products.replace(doors.settings.state_folder, coming)
    said = ngettext("%(num)d product can be looked up.", "%(num)d products can be looked up.", count)
    screen.print(f"{said} {_(public_products.CREDIT)}", markup=False)


def _belongs_to(doors: Doors, kind: str, supplier: str, warehouse: str, why: str) -> dict[str, str]:
    """Return which supplier or warehouse the rows are of, as `importing.write` takes it."""
    from store_app.files import importing, network

    owner_id = network.owner_of(doors.settings.node_id)
    with doors.read() as session:
        if kind == "price-list":
            return {"supplier_id": importing.supplier_named(session, owner_id, supplier)}
        if kind == "stock" and owner_id != doors.settings.node_id:
            return {"warehouse_id": network.counted_warehouse(session, warehouse, why), "why": why}
    return {}


def _read(doors: Doors, kind: str, file: Path, mark: str, encoding: str) -> "Sheet":
    from store_app.files import importing
    from store_app.web import presenting

    try:
        return importing.read(
            kind, file, today=doors.now().date(), mark=mark, encoding=encoding, limit_s=LIMIT_S,
            home=(doors.settings.nation, presenting.language()),
        )  # fmt: skip
    except Invalid as refusal:
        if refusal.code == "which-mark":
            said = f"{refusal.message} " + _("Use --decimal comma or --decimal point.")
            raise Invalid(refusal.code, said) from refusal
        raise


def _save(doors: Doors, sheet: "Sheet", of: dict[str, str], *, yes: bool) -> None:
    """Show what was read, ask, and write it; faults end the command."""
    from store_app.files import importing, network

    owner_id = network.owner_of(doors.settings.node_id)
    with doors.read() as session:
        stays_out = importing.look_around(session, sheet, owner_id, at=doors.now())
    count = ngettext("%(num)d row, %(kind)s", "%(num)d rows, %(kind)s", sheet.rows, kind=sheet.described)
    screen.print(count, markup=False)
    preview = Table(*sheet.columns)
    for row in sheet.first(sheet.rows if sheet.is_calendar else 5):
        preview.add_row(*map(plain, row))
    screen.print(preview)
    for words in stays_out:
        screen.print(words, markup=False, style="yellow")
    if sheet.faults:
        for fault in sheet.faults[:50]:
            faults.print(str(fault), markup=False, highlight=False)
        many = len(sheet.faults)
        reported = ngettext("%(num)d error. Nothing was saved.", "%(num)d errors. Nothing was saved.", many)
        faults.print(reported, style="red")
        sys.exit(2)
    if not yes and not click.confirm(_("Save this?")):
        sys.exit(1)
    with doors.write() as session:
        said = importing.write(Context(session, by_hand(doors), doors.now()), sheet, owner_id, **of)
    screen.print(said, markup=False)
