"""What a store takes along: every table of its node as CSV in one ZIP file, with a list of what is in it.

Rules
-----
1. Everything is in it that the node knows, but no secret: hashes of PINs, badges and keys stay.
2. Texts are tamed for spreadsheets (`exporting` rule 1); figures are minor units and stock units, as the books have
   them, and `contents.json` says so, with the number of rows and the SHA-256 of each table, and which columns are
   persons' or banks'.
3. All tables are of one moment.
"""

import csv
import datetime as dt
import hashlib
import io
import json
import os
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from config import migrate
from config.clock import FrozenClock
from config.database import Base
from config.errors import Conflict
from config.nodes import journal
from config.nodes.journal import Actor, Context
from config.settings import Settings
from store_app.files.exporting import tamed
from store_app.runtime import tables
from store_app.runtime.doors import Doors, open_doors
from store_app.runtime.protection import SECRET_COLUMNS, SECRET_TABLES, levels

ROWS_AT_ONCE = 2000


def write(doors: Doors, file: Path, *, actor: Actor) -> dict[str, int]:
    """Write the file (rules 1 to 3) and journal it; returns table -> rows. Refuses a file that is there already."""
    tables.known()
    if file.exists():
        raise Conflict(
            "file-exists", "%(file)s already exists. Choose another file name, or delete that file first.", file=file
        )
    partly, listed = file.with_name(f"{file.name}.part"), {}
    descriptor = os.open(partly, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)  # names and phones are in it
    with os.fdopen(descriptor, "wb") as target, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as packed:
        with doors.read() as session:
            for table in Base.metadata.sorted_tables:
                if table.name not in SECRET_TABLES:
                    columns = [column for column in table.columns if column.name not in SECRET_COLUMNS]
                    rows = session.execute(sa.select(*columns).execution_options(yield_per=ROWS_AT_ONCE))
                    listed[table.name] = _write_table(packed, table.name, [one.name for one in columns], rows)
        about = {
            "node": doors.settings.node_id, "made_at": doors.now().isoformat(),
            "tables_version": migrate.current(doors.database.engine), "money": "minor units of the store's currency",
            "quantities": "stock units: pieces, grams or millilitres", "instants": "UTC, ISO 8601", "tables": listed,
            "sensitive": {level: of for level, of in levels().items() if level != "secret"},
        }  # fmt: skip
        packed.writestr("contents.json", json.dumps(about, indent=1))
    partly.replace(file)
    with doors.write() as session:
        journal.record(
            Context(session, actor, doors.now()), verb="data.exported", subject=f"node:{doors.settings.node_id}",
            tables=len(listed))  # fmt: skip
    return {name: entry["rows"] for name, entry in listed.items()}


def write_for(asked: tuple[Settings, dt.datetime, Path, Actor]) -> None:
    """Write the file of a node in a process of its own: (its settings, now, file, who asks)."""
    settings, at, file, actor = asked
    doors = open_doors(settings, FrozenClock(at))
    try:
        write(doors, file, actor=actor)
    finally:
        doors.database.engine.dispose()


# --- inside ---


def _write_table(packed: zipfile.ZipFile, name: str, columns: list[str], rows: Iterable[Any]) -> dict[str, Any]:
    digest, count = hashlib.sha256(), 0
    with packed.open(f"{name}.csv", "w") as target:
        for text, some in _parts(columns, rows):
            raw = text.encode()
            target.write(raw)
            digest.update(raw)
            count += some
    return {"rows": count, "sha256": digest.hexdigest()}


def _parts(columns: list[str], rows: Iterable[Any]) -> Iterator[tuple[str, int]]:
    page = io.StringIO()
    writer, waiting = csv.writer(page), 0
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_cell(value) for value in row])
        waiting += 1
        if waiting == ROWS_AT_ONCE:
            yield page.getvalue(), waiting
            page.seek(0)
            page.truncate()
            waiting = 0
    yield page.getvalue(), waiting


def _cell(value: Any) -> Any:
    if isinstance(value, (dt.date, dt.datetime)):
        return value.isoformat()
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bytes):
        return value.hex()
    return tamed(value) if isinstance(value, str) else value
