"""The commands that found what the network sells from: its warehouses with their suppliers, and its tax classes."""

import datetime as dt
import sys

import click
from rich.table import Table

from config.errors import Invalid, Refused
from config.ids import NETWORK
from config.nodes.journal import Context
from config.nodes.publication import EVERYONE
from store_app.commands.common import WORD, by_hand, node, screen
from store_app.runtime.doors import Doors
from supply.network import founding
from supply.orders import delivery_calendar
from supply.orders.suppliers import Contact


@click.group("warehouse")
def warehouse() -> None:
    """Manage the network's warehouses and their suppliers."""


@warehouse.command("add")
@click.argument("warehouse_id", type=WORD)
@click.option("--name", type=WORD, prompt=True, help="The name the stores will see.")
@click.option("--lead-days", type=click.IntRange(0, 365), default=1, show_default=True, help="From order to delivery.")
@click.option("--order-days", default="mon,tue,wed,thu,fri,sat,sun", show_default=True, help="Order days.")
@click.option("--minimum", default="0", show_default=True, help="Minimum order: 50.00")
@click.option("--zone", default="", help="Time zone: Europe/Berlin; default: the network's first store's.")
@click.option("--address", default="", help="Delivery address on its orders.")
@click.option("--phone", default="", help="Phone number on its orders.")
def found(
    warehouse_id: str, name: str, lead_days: int, order_days: str, minimum: str, zone: str, address: str, phone: str
) -> None:
    """Add a warehouse and the network's own supplier that delivers from it to every store."""
    from store_app.files import importing, network
    from store_app.files.cells import in_minor
    from supply.orders import locations

    doors = _network()
    calendar = delivery_calendar.read({"order_days": order_days, "lead_days": str(lead_days)})
    with doors.write() as session:
        currency, _day = network.money_and_day(session, EVERYONE, doors.now())
        ctx = Context(session, by_hand(doors), doors.now())
        founding.found_warehouse(
            ctx,
            warehouse_id,
            Contact(name, calendar, in_minor(importing.amount(minimum), currency)),
            tz=zone,
        )
        if address or phone:
            locations.settle(ctx, warehouse_id, address=address, phone=phone)
    reported = f"{name} delivers from {warehouse_id}. Next: cornerstore import products, price-list and stock."
    screen.print(reported, markup=False)


@warehouse.command("list")
def show() -> None:
    """List warehouses with their suppliers' price lists and products in stock."""
    from supply.network.warehouse import lots

    table = Table("Warehouse", "Supplier", "Products on its list", "Products in stock")
    with node().read() as session:
        for row in lots.houses(session):
            table.add_row(row.warehouse_id, row.supplier, f"{row.listed:,}", f"{row.standing:,}")
    screen.print(table)


@click.group("tax")
def tax() -> None:
    """Manage the network's tax classes."""


@tax.command("add")
@click.argument("tax_class_id", type=WORD)
@click.option("--name", type=WORD, prompt=True)
@click.option("--percent", type=WORD, prompt=True, help="The rate: 7 or 5.5")
@click.option("--inclusive/--on-top", default=True, show_default=True, help="Whether displayed prices include it.")
def add_class(tax_class_id: str, name: str, percent: str, inclusive: bool) -> None:
    """Add a tax class for all stores, or change its name and rate."""
    from pos.catalogue import assortment
    from store_app.files import importing

    doors, rate_bp = _network(), importing.amount(percent) * 100
    if rate_bp != int(rate_bp):
        raise Invalid("bad-rate", "Enter a rate with up to two decimals, such as 5.5 or 19.")
    with doors.write() as session:
        assortment.set_tax_class(
            Context(session, by_hand(doors), doors.now()), tax_class_id, name, int(rate_bp), inclusive=inclusive
        )
    screen.print(f"{name} is the tax class {tax_class_id}.", markup=False)


@click.command("archive")
@click.argument("week", type=click.DateTime(["%Y-%m-%d"]), metavar="MONDAY")
@click.option("--yes", is_flag=True, help="Do not ask, even if checks fail.")
def put_away(week: dt.datetime, yes: bool) -> None:
    """Archive an old week, named by its Monday; the checks keep its totals."""
    from pos.sync import archive as weeks
    from pos.sync import checks

    doors = _network()
    with doors.read() as session:
        found = 0 if yes else len(checks.findings(session))
    if found and not click.confirm(f"{found} findings stand (cornerstore check). Put the week away all the same?"):
        sys.exit(1)
    with doors.write() as session:
        tables = weeks.put_away(Context(session, by_hand(doors), doors.now()), week.date())
    reported = " ".join(f"-t {name}" for name in tables)
    screen.print(f"Put away. Now: pg_dump {reported} > week_{week:%Y%m%d}.sql", markup=False, highlight=False)
    screen.print(f"and then: DROP TABLE {', '.join(tables)};", markup=False, highlight=False)


def _network() -> Doors:
    """Open this node's doors where it is the network's."""
    doors = node()
    if doors.settings.node_id != NETWORK:
        raise Refused("network-only", "This is a network setting. Run the command on the network's node.")
    return doors
