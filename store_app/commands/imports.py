"""The command that brings a file in: looked at first, every fault named by its row, written whole or not at all."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
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

QUESTIONS = {
    "columns": _l("Name the columns for name and price: --answer name=COLUMN --answer price=COLUMN."),
    "outlet": _l("Name the store that is yours: --answer outlet=NAME."),
    "tax": _l('Name the tax rate: --answer tax=19, or for a tax with a name --answer "tax NAME=19".'),
}


@click.command("import")
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("file", type=FILE)
@click.option("--supplier", default="", help="Supplier of the price list, by name or ID; of products that name none.")
@click.option("--warehouse", default="", help="At the network: the warehouse counted.")
@click.option("--why", default="", help="At the network: reason for the count, such as 'opening stock'.")
@click.option("--decimal", type=click.Choice(marks.MARKS), help="Decimal mark, if the file leaves it open.")
@click.option("--encoding", type=click.Choice(list(ENCODINGS)), help="Encoding of a CSV, if not detected.")
@click.option(
    "--answer", "answers", multiple=True, metavar="WHAT=VALUE", help="For products: what the file leaves open."
)
@click.option("--name", "names", multiple=True, help="For a calendar: import events with this name; repeatable.")
@click.option("--yes", is_flag=True, help="Do not ask before saving.")
def bring_in(kind: str, file: Path, names: tuple[str, ...], *, yes: bool, **said: Any) -> None:
    """Import a file (CSV, XLSX or Parquet; school holidays also as a calendar), all or nothing.

    Products can be anybody's list, such as another till's export. --answer tells what it leaves open: "price=Retail" (a
    column), tax=19, "tax GST=15" (a rate), outlet=Main (which of the stores in the file is this one).

    A dump of Open Food Facts (CSV, JSONL or Parquet) replaces the copy in which unknown barcodes are looked up.
    """
    doors = node()
    with speaking(doors):
        if kind == "open-food-facts":
            _replace_copy(doors, file)
            return
        of = _belongs_to(doors, kind, said["supplier"], said["warehouse"], said["why"])
        sheet = _read(doors, kind, file, said)
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


def _read(doors: Doors, kind: str, file: Path, said: dict[str, Any]) -> "Sheet":
    from pos.store.countries import country_of
    from pos.store.store import Store
    from store_app.files import importing, product_columns
    from store_app.files.plugged import IMPORTERS
    from store_app.runtime import plugins
    from store_app.web import presenting

    with doors.read() as session:
        store = session.get(Store, doors.settings.node_id)
    answers = {"store": store.name if store else "", "supplier": said["supplier"]}
    for answer in said["answers"]:
        what, _equals, value = answer.partition("=")
        of, _blank, word = what.strip().partition(" ")
        key = f"column.{of}" if of in product_columns.FIELDS else f"tax.{word}" if of == "tax" else of
        answers[key] = value.strip()
    home = country_of(store.tz if store else "") or doors.settings.nation, presenting.language()
    try:
        return importing.read(
            kind, file, today=doors.now().date(), mark=said["decimal"] or "", encoding=said["encoding"] or "",
            answers=answers, limit_s=LIMIT_S, home=home, importers=plugins.taking_part(IMPORTERS, doors.settings),
        )  # fmt: skip
    except Invalid as refusal:
        if refusal.code == "which-mark":
            words = f"{refusal.message} " + _("Use --decimal comma or --decimal point.")
            raise Invalid(refusal.code, words) from refusal
        raise


def _save(doors: Doors, sheet: "Sheet", of: dict[str, str], *, yes: bool) -> None:
    """Show what was read, ask, and write it; faults end the command."""
    from store_app.files import importing, network

    owner_id = network.owner_of(doors.settings.node_id)
    with doors.read() as session:
        stays_out = importing.look_around(session, sheet, owner_id, at=doors.now())
    if sheet.is_open:
        for asked, about in sheet.asks.items():
            faults.print(f"{QUESTIONS[asked]} {', '.join(filter(None, about))}".strip(), markup=False, highlight=False)
        sys.exit(2)
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
