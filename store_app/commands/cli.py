"""The commands of a node: `cornerstore ...`. What is refused is one sentence, never a traceback (`common`)."""

import datetime as dt
import json
import os
import sys
from pathlib import Path
from typing import Any

import click

from config import log, private
from config.nodes.journal import Context
from config.words import LANGUAGES
from store_app.commands.common import (
    FILE,
    WORD,
    Commands,
    Shelf,
    by_hand,
    country_option,
    faults,
    node,
    plain,
    screen,
)
from store_app.node import founding

SETTINGS_FILE = Path(founding.SETTINGS_NAME)
MAKES_SETTINGS = ("init", "join")
BEGIN = "cornerstore serve, then open this computer's browser: the first person there may do everything"
ELSEWHERE = {
    **dict.fromkeys(("backup", "restore", "doctor", "export", "join", "key"), "keeping"),
    **dict.fromkeys(("warehouse", "tax", "archive"), "network"),
    **dict.fromkeys(("simulate", "weeks-ahead"), "ordering"),
    "staff": "people", "import": "imports",
}  # fmt: skip


@click.group(
    cls=Commands,
    elsewhere=ELSEWHERE,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--settings",
    "file",
    type=click.Path(path_type=Path),
    help=f"The settings file (TOML); {SETTINGS_FILE} if not named.",
)
@click.option("--no-browser", is_flag=True, help="Without a command: do not open the browser.")
@click.option("--port", type=click.IntRange(1, 65_535), help="Without a command: the port of a new store; 8000.")
@click.version_option(package_name="cornerstore", prog_name="cornerstore", message="%(prog)s %(version)s")
@click.pass_context
def main(context: click.Context, file: Path | None, no_browser: bool, port: int | None) -> None:
    """Run a corner store: its till, its stock, its orders, and the network of stores.

    Without a command, open the store of this computer in the browser; where there is none, set it up there.
    """
    context.with_resource(private.making())
    if file is None and "CORNERSTORE_SETTINGS" not in os.environ:
        named = (
            SETTINGS_FILE,
            *([founding.settings_in(founding.home())] * (context.invoked_subcommand not in MAKES_SETTINGS)),
        )
        file = next((one for one in named if one.is_file()), None)  # what `init`, `join` and the first run made
    if file is not None:
        os.environ["CORNERSTORE_SETTINGS"] = str(file)
    if context.invoked_subcommand is None:
        from store_app.commands import serve

        serve.open_here(port=port, browser=not no_browser)


# --- setting up ---


@main.command()
@click.option("--role", type=click.Choice(["store", "network"]), default="store", show_default=True)
@click.option("--node-id", default="", help="The store's ID in the network.")
@click.option("--folder", type=click.Path(path_type=Path), default=Path("cornerstore-state"), show_default=True)
@click.option("--network-url", default="", help="Address of the network; empty: standalone.")
@click.option("--network-key", default="", help="The store's key for the network.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8000, show_default=True)
def init(role: str, node_id: str, folder: Path, network_url: str, network_key: str, port: int) -> None:
    """Create a settings file and an empty database."""
    from config.errors import Conflict

    path = Path(os.environ.get("CORNERSTORE_SETTINGS", SETTINGS_FILE))
    if path.exists():
        raise Conflict(
            "settings-exist",
            "%(path)s already exists. Delete it first, or give another path with --settings.",
            path=path,
        )
    values = {
        "role": role, "node_id": node_id, "state_folder": str(folder), "network_url": network_url,
        "network_key": network_key,
    }  # fmt: skip
    os.environ.pop("CORNERSTORE_SETTINGS", None)  # not there yet: what was given is checked alone
    doors = founding.make_node(path, values, port=port)
    os.environ["CORNERSTORE_SETTINGS"] = str(path)
    screen.print(f"{path} and {doors.settings.database_url} are ready.", markup=False)
    if role == "store":
        screen.print(f"Next: cornerstore store add {node_id} --name … --currency … --tz …", markup=False)
        screen.print(f"Then: {BEGIN}", markup=False)
    else:
        screen.print("Next: cornerstore staff add --role operator, then cornerstore serve", markup=False)


@main.command("migrate")
@click.option("--check", "only_check", is_flag=True, help="Only check whether the database is up to date.")
def bring_up(only_check: bool) -> None:
    """Update the database to this version; a backup is kept beside it."""
    from config import migrate  # Alembic takes its time, and serving does without
    from config.nodes import append_only, journal
    from store_app.runtime import tables

    doors = node(makes_books=not only_check)
    if only_check:
        tables.known()
        difference = migrate.check(doors.database.engine)
        screen.print(difference or "The database fits.", markup=False)
        sys.exit(1 if difference else 0)
    founding.set_up(doors)
    tables.known()
    with doors.write() as session:
        if again := append_only.protect(session):
            journal.record(
                Context(session, by_hand(doors), doors.now()), verb="books.protected", subject="database", tables=again
            )
            screen.print(f"The rows of {', '.join(again)} are protected again.")
    screen.print(f"The database is at {migrate.current(doors.database.engine)}.")


# --- the demonstration ---


@main.command()
@click.option(
    "--state", type=click.Path(path_type=Path, file_okay=False), default=Path("cornerstore-demo"), help="Its folder."
)
@click.option("--fresh", is_flag=True, help="Start over.")
@click.option("--once", is_flag=True, help="Run once without serving, then exit.")
@click.option("--json", "as_json", is_flag=True, help="With --once: end with one JSON line.")
@click.option("--days", type=click.IntRange(1, 40), default=1, show_default=True, help="Days to trade first.")
@click.option("--port", type=click.IntRange(1024, 65_000), default=8000, show_default=True, help="The network's port.")
@click.option("--network-database", help="PostgreSQL address of the network node's database.")
def demo(**asked: Any) -> None:
    """Show a network and two stores trading on real sales."""
    from store_app.runtime.child_process import ONE_THREAD

    os.environ.update(ONE_THREAD)  # before any arithmetic is loaded
    from store_app.demo import command

    command.run(**asked)


# --- serving and working ---


@main.command()
@click.option("--no-work", is_flag=True, help="Do not start the worker with it.")
@click.option("--gunicorn", is_flag=True, help="Serve with gunicorn (not on Windows).")
def serve(no_work: bool, gunicorn: bool) -> None:
    """Serve this node's pages and API, with its worker beside it."""
    from store_app.commands import serve
    from store_app.web import own_store

    doors = node(makes_books=True)
    founding.set_up(doors)
    serve.serve(own_store.founded(doors), work=not no_work, gunicorn=gunicorn)


@main.command()
@click.option("--dask", metavar="ADDRESS", help="Compute the stores' forecasts on this cluster: tcp://host:8786.")
@click.option("--with-parent", type=int, hidden=True)
def work(dask: str | None, with_parent: int | None) -> None:
    """Run the worker: sending, printing and nightly jobs; one leads, others wait."""
    from store_app.jobs import worker
    from store_app.web import own_store

    if dask is not None:
        os.environ["CORNERSTORE_FORECAST_CLUSTER"] = dask  # children read it too
    worker.run(own_store.founded(node()), parent=with_parent)


@main.command("print-agent")
@click.option("--server", type=WORD, required=True, help="The store node's address: https://…")
@click.option("--key-file", required=True, type=FILE, help="File with the key from the printers page.")
@click.option("--printer", type=WORD, required=True, help="Such as net:host:port, usb:…, serial:…, file:…, cups:…")
@click.option("--state", type=click.Path(path_type=Path), default=Path("cornerstore-print-agent"), show_default=True)
@click.option("--ca", type=FILE, help="Certificates to trust instead of the system's (PEM).")
def fetch_paper(server: str, key_file: Path, printer: str, state: Path, ca: Path | None) -> None:
    """Print here for a store node that runs elsewhere."""
    from store_app.commands import print_agent

    log.set_up(level="INFO", for_people=sys.stderr.isatty())
    print_agent.run(server, key_file, printer, state, ca=ca)


@main.command()
@click.argument("name", type=WORD)
@click.option(
    "--day",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="Business day; default: the last one ended.",
)
def job(name: str, day: dt.datetime | None) -> None:
    """Run one job now, by hand."""
    _run_job(name, day)


@main.command()
@click.option("--day", type=click.DateTime(["%Y-%m-%d"]), metavar="YYYY-MM-DD")
def forecast(day: dt.datetime | None) -> None:
    """Forecast now."""
    from store_app.jobs.jobs import jobs_of

    for name in ["roll-up", *(job.name for job in jobs_of(node().settings) if job.name.startswith("forecast"))]:
        _run_job(name, day)


@main.command()
@click.option("--sales", "file", type=FILE, required=True, help="CSV, Parquet or XLSX.")
@click.option("--horizon", type=click.IntRange(1, 60), default=14, show_default=True, help="Days ahead.")
@click.option(
    "--origins", type=click.IntRange(1, 60), default=8, show_default=True, help="Number of forecasts to test."
)
@click.option("--skip", type=click.IntRange(0, 200), default=0, help="Origins to skip at the end.")
@country_option
@click.option("--rivals", default="", help="Only these, separated by commas: snaive,ma28,autoets,lightgbm.")
@click.option("--json", "as_json", is_flag=True, help="End with one JSON line.")
def backtest(file: Path, as_json: bool, **asked: Any) -> None:
    """Test the forecast on past sales: columns store, product, day, sold and optional ones."""
    from store_app.runtime.child_process import ONE_THREAD

    os.environ.update(ONE_THREAD)  # before any arithmetic is loaded
    from store_app.commands import backtest

    plan = {
        "horizon_days": asked["horizon"], "origins": asked["origins"], "skip": asked["skip"],
        "country": asked["country"], "models": tuple(filter(None, asked["rivals"].split(","))),
    }  # fmt: skip
    with faults.status("reading") as status:
        report = backtest.run(file, plan, lambda name, step, of: status.update(f"{name}: {step + 1} of {of}"))
    if as_json:
        click.echo(json.dumps(report))
        return
    for one in backtest.shown(report):
        screen.print(one)


@main.command()
def propose() -> None:
    """Suggest orders now."""
    _run_job("propose", None)


def _run_job(name: str, day: dt.datetime | None) -> None:
    from config.errors import NotFound
    from store_app.jobs import jobs, worker
    from store_app.jobs.desk import Desk
    from store_app.runtime import job_runs

    doors = node()
    here = {job.name: job for job in jobs.jobs_of(doors.settings)}
    if name not in here:
        raise NotFound("no-such-job", "Job %(name)s not found. Available: %(here)s.", here=list(here), name=name)
    row = here[name]
    on = day.date() if day else jobs.last_day(doors)
    outcome, done = worker.attempt(Desk(doors), row, on)
    if row.every_s is None:
        with doors.write() as session:
            job_runs.note(
                session, doors.settings.node_id, name, on, at=doors.now(), done=done, outcome=outcome,
                each_day=row.each_day,
            )  # fmt: skip
    (screen if done else faults).print(f"{name}: {outcome}", markup=False, highlight=False)
    if not done:
        sys.exit(1)


# --- looking ---


@main.command()
def check() -> None:
    """Check the books for consistency; exit 1 on a mismatch."""
    from rich.table import Table

    from store_app.node import checking

    found = checking.findings(node())
    table = Table("Check", "Subject", "Expected", "Found")
    for one in found:
        table.add_row(one.code, *(plain(str(value)) for value in (one.subject, one.expected, one.found)))
    screen.print(table if found else "All books hold: no findings.")
    sys.exit(1 if found else 0)


@main.command()
@click.option("--alone", is_flag=True, help="Do not ask the network for its record of the journal.")
def verify(alone: bool) -> None:
    """Verify the journal against sales and the network's records; exit 1 on a mismatch."""
    from store_app.node import verifying

    doors = node()
    outside, reported = ([], None) if alone else verifying.ask_network(doors)
    report = verifying.verify(doors, outside)
    for sentence in report.faults:
        screen.print(sentence, markup=False, highlight=False)
    if report.more:
        screen.print(f"... and {report.more} more.", markup=False)
    for sentence in filter(None, (reported, report.summary, None if report.faults else "The books are whole.")):
        screen.print(sentence, markup=False, highlight=False)
    sys.exit(1 if report.faults else 0)


@main.command()
def status() -> None:
    """Show this node's status."""
    from rich.markup import escape
    from rich.table import Table

    from config import migrate
    from store_app.api.status import network_status
    from store_app.runtime import job_runs

    doors = node()
    with doors.read() as session:
        status = network_status(session, doors.now(), bool(doors.settings.network_url))
        failed = job_runs.failed(session, doors.settings.node_id, at=doors.now())
    table = Table(show_header=False)
    table.add_row("node", doors.settings.node_id)
    table.add_row("database", migrate.current(doors.database.engine) or "empty")
    for name, value in status.items():
        table.add_row(name.replace("_", " "), escape(str(value)))
    for run in failed:
        table.add_row(f"job {run.job} of {run.day}", escape(str(run.outcome)))
    screen.print(table)


# --- stores and files ---


@main.group(cls=Shelf, elsewhere={"invite": "keeping", "signing-key": "keeping"})
def store() -> None:
    """Manage the stores this node knows."""


@store.command("add")
@click.argument("store_id", type=WORD)
@click.option("--name", type=WORD, prompt=True)
@click.option("--region", type=WORD, default="region", show_default=True)
@click.option("--currency", default="USD", show_default=True)
@click.option("--tz", default="UTC", show_default=True)
@click.option("--language", type=click.Choice(list(LANGUAGES)), default="en", show_default=True)
@click.option(
    "--usual-sales",
    "sales_amount",
    default="",
    help="Usual sales a day, such as 1200.50, until it has its own.",
)
def add_store(store_id: str, name: str, region: str, currency: str, tz: str, language: str, sales_amount: str) -> None:
    """Add a store: at the network, and again on its own node."""
    from config.errors import Conflict, Refused
    from config.ids import NETWORK
    from pos.store.store import found_store
    from store_app.files import importing
    from store_app.files.cells import in_minor
    from supply.orders import suppliers

    doors = node()
    if doors.settings.node_id not in (NETWORK, store_id):
        here = doors.settings.node_id
        raise Refused(
            "another-store", "This computer is %(here)s. Add %(store_id)s on the network's computer or on the "
                             "store's own computer.",
            here=here, store_id=store_id,
        )  # fmt: skip
    with doors.write() as session:
        if suppliers.is_warehouse(session, store_id):
            raise Conflict("store-exists", "%(store_id)s is already a warehouse. Choose another ID.", store_id=store_id)
        found_store(
            session,
            store_id,
            name,
            region=region,
            currency=currency,
            tz=tz,
            language=language,
            usual_sales_minor=in_minor(importing.amount(sales_amount), currency) if sales_amount else 0,
            at=doors.now(),
        )
    screen.print(f"{name} is {store_id} here.", markup=False)
    if store_id == doors.settings.node_id:
        screen.print(f"Next: {BEGIN}", markup=False)


@store.command("key")
@click.argument("store_id", type=WORD)
@click.option("--list", "listed", is_flag=True, help="List its keys instead.")
@click.option("--withdraw", default="", metavar="NAME", help="Revoke this key, or 'all', instead.")
def give_key(store_id: str, listed: bool, withdraw: str) -> None:
    """Create a store's key, shown only once; or list its keys, or revoke one."""
    from config.nodes import journal
    from pos.store import store as stores

    doors = node()
    with doors.write() as session:
        keys = stores.keys_of(session, store_id)
        ctx = Context(session, by_hand(doors), doors.now())
        if withdraw:
            names = [key.name for key in keys if key.revoked_at is None] if withdraw == "all" else [withdraw]
            for name in names:
                stores.withdraw_key(ctx, store_id, name)
            reported = [f"{name} is revoked." for name in names]
        elif listed:
            reported = [
                f"{key.name}  made {key.made_at:%Y-%m-%d}"
                + (f", withdrawn {key.revoked_at:%Y-%m-%d}" if key.revoked_at else "")
                for key in keys
            ]
        else:
            reported = [stores.give_key(session, store_id, doors.now())]
            subject = f"store:{store_id}"
            journal.record(ctx, verb="store.key_given", subject=subject)
    screen.print("\n".join(reported) or f"{store_id} has no key.", markup=False, highlight=False)


if __name__ == "__main__":
    main()
