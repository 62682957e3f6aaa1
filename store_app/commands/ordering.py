"""The commands that play orders: on a past that is over, and on the weeks to come."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
from rich.progress import Progress
from rich.table import Table

from config.money import exponent
from store_app.commands.common import FILE, NEW_FILE, country_option, faults, node, screen


@click.command("simulate")
@click.option("--sales", "path", type=FILE, required=True, help="store, product, day, sold.")
@click.option("--lead-time-days", type=click.IntRange(0, 30), default=2, show_default=True, help="From order to shelf.")
@click.option("--review-days", type=click.IntRange(1, 30), default=1, show_default=True, help="From order to order.")
@click.option(
    "--pack", "pack_qty", type=click.IntRange(1, 10_000), default=6, show_default=True, help="Units of a pack."
)
@click.option(
    "--fill", type=click.FloatRange(0.01, 0.999), default=0.97, show_default=True, help="Share of demand to serve."
)
@click.option("--shelf-life-days", type=click.IntRange(1, 3650), help="Without it nothing expires.")
@click.option(
    "--days", "scored_days", type=click.IntRange(1, 3650), default=112, show_default=True, help="Days to score."
)
@country_option
@click.option("--chart", type=NEW_FILE, help="Draw the curves into this SVG file.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def simulate(
    path: Path, fill: float, country: str | None, chart: Path | None, as_json: bool, lead_time_days: int, **asked: Any
) -> None:
    """Replay past sales with our ordering method and others."""
    from store_app.commands import simulate
    from supply.replenishment.replay import Setting

    setting = Setting(lead_days=lead_time_days, **asked)
    found = simulate.replay_all(simulate.read_history(path), setting, fill, country=country)
    if chart is not None:
        simulate.draw(found, fill, chart)
    if as_json:
        click.echo(json.dumps(found))
        return
    table = Table("", f"days of stock at {fill:.0%} sold", "order lines", "waste")
    for name, row in {"ours": found["ours"], **found["rivals"]}.items():
        cells = ("never reached", "", "") if row["cover_days"] is None else (
            f"{row['cover_days']:.2f}", f"{row['order_lines']:,.0f}", f"{row['waste']:.1%}",
        )  # fmt: skip
        table.add_row(name.replace("_", " "), *cells)
    screen.print(table)
    reported = found["asked"]
    screen.print(
        f"Asked for {fill:.1%}, ours delivers {reported['delivered']:.1%} "
        f"with {reported['cover_days']:.2f} days of stock."
    )
    if returns := found["settings"]["negative_rows"]:
        screen.print(f"Rows of fewer than none sold, returns perhaps, that count as none: {returns}.")


@click.command("weeks-ahead")
@click.option(
    "--futures", type=click.IntRange(10, 2_000), default=200, show_default=True, help="Number of simulated futures."
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=1,
    show_default=True,
    help="Random seed; the same seed repeats a run.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def weeks_ahead(futures: int, seed: int, as_json: bool) -> None:
    """Simulate this store's next four weeks of orders at several service levels."""
    from config.errors import Refused
    from pos.store.store import store_of
    from supply.replenishment import order_simulation, scenarios

    doors = node()
    with doors.read() as session:
        here = doors.settings.node_id
        currency = store_of(session, here).currency
        loaded = order_simulation.load(session, here, country=doors.settings.country, at=doors.now())
    if loaded is None:
        raise Refused(
            "no-forecast-yet",
            "There is no forecast from last night to start from. Run `cornerstore forecast`, then try again.",
        )
    with Progress(console=faults, transient=True) as bar:
        task = bar.add_task("days", total=None)
        found = scenarios.compute(
            loaded, futures=futures, seed=seed,
            progress=lambda done, whole: bar.update(task, completed=done, total=whole),
        )  # fmt: skip
    if as_json:
        click.echo(json.dumps(found))
        return
    table = Table("service", "sold of what is wanted", "lost sales", "spoilt", "in stock", "days of stock", "brings")
    for row in found["levels"]:
        sums = [_range(row[name], currency) for name in ("lost_minor", "waste_minor", "stock_minor")]
        cover = f"{row['cover_days'][1]:.1f}"
        fill = "{1:.1%} ({0:.1%} to {2:.1%})".format(*row["fill"])
        mark = "  now" if row["service_bp"] == found["present_bp"] else ""
        table.add_row(f"{row['service_bp'] / 100:g}%{mark}", fill, *sums, cover, _range(row["brings_minor"], currency))
    screen.print(table)
    screen.print(f"Best: {found['best_bp'] / 100:g}%. Ranges: eight of ten of {found['futures']} futures.")


def _range(minor: list[int], currency: str) -> str:
    low, mean, high = (f"{Decimal(one).scaleb(-exponent(currency)):,}" for one in minor)
    return f"{mean} ({low} to {high})"
