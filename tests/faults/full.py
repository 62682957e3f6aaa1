"""A disk that is full while a file is brought in, or the tables are brought up: `python full.py import|migration`.

Runs inside `diskfull.sh run`, whose disk lies at $FAULT_DATA_DIR. For each of several rests of room the founded store
is put there again, the disk is filled but for that, and the command is typed: it goes through, or it says in words that
the disk is full and leaves the books as they were, whole. With room again the same command goes through.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))
from tests.faults import adapter, founding  # noqa: E402  found from here: a tool starts this file alone
from tests.faults.counter import STORE  # noqa: E402

DISK = ROOT.parent / "shared" / "tools" / "faults" / "diskfull.sh"
ROOM_KB = (0, 60, 300, 1500, 5000)
PRODUCTS, OLD = 800, "0040"
WORDS = "disk"
"""What a refusal must name."""


class OpenStore:
    """The founded store on the disk that fills up, and the command that is typed at it."""

    def __init__(self, folder: Path, what: str) -> None:
        self.folder, self.book = folder, folder / f"{STORE}.db"
        given = adapter._given(str(folder)) | {"log_level": "WARNING"}
        self.settings = {f"CORNERSTORE_{name.upper()}": str(value) for name, value in given.items()}
        self.file = folder.parent / "products.csv"  # on another disk
        self.file.write_text(_products(), "utf-8")
        self.command = ["import", "products", str(self.file), "--yes"] if what == "import" else ["migrate"]
        self.is_import = what == "import"

    def put(self) -> None:
        """Found it again; before a migration with the tables of an older program."""
        for entry in self.folder.iterdir():
            if entry.name != "lost+found":
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
        founding.place("counter", self.folder)
        if not self.is_import:
            from config.migrate import downgrade

            downgrade(f"sqlite:///{self.book}", OLD)
            for copy in self.folder.glob("*.before-*"):
                copy.unlink()

    def state(self) -> list[Any]:
        """Return what must be as before where a command was refused."""
        book = sqlite3.connect(self.book)
        try:
            asked = (
                "select count(*) from product",
                "select version_num from alembic_version",
                "pragma integrity_check",
            )
            return [*(book.execute(query).fetchone()[0] for query in asked), len(list(self.folder.glob("*.before-*")))]
        finally:
            book.close()

    def type(self) -> subprocess.CompletedProcess[str]:
        """Type the command."""
        return subprocess.run(
            [sys.executable, "-m", "store_app", *self.command], capture_output=True, text=True, check=False, cwd=ROOT,
            env={**os.environ, **self.settings},
        )  # fmt: skip

    def is_done(self) -> bool:
        """Tell whether the command has done all it should."""
        from config.migrate import newest

        products, revision, _, _ = self.state()
        return bool(products >= PRODUCTS if self.is_import else revision == newest())


def try_room(store: OpenStore, room_kb: int) -> tuple[bool, list[str]]:
    """Type the command with so much room; (was it refused?, what is broken)."""
    store.put()
    before = store.state()
    subprocess.run([str(DISK), "fill", str(store.folder), str(room_kb)], check=True, capture_output=True)
    typed = store.type()
    said = typed.stdout + typed.stderr
    subprocess.run([str(DISK), "free", str(store.folder)], check=True, capture_output=True)
    after = store.state()  # SQLite needs room even to look
    where = f"with {room_kb} KB"
    if typed.returncode == 0:
        return False, [] if store.is_done() else [f"{where}: said it was done, and is not: {after}"]
    broken = [] if WORDS in said and "Traceback" not in said else [f"{where}: {said[-1500:]}"]
    if after != before:
        broken.append(f"{where}: {before} became {after}")
    again = store.type()
    if again.returncode or not store.is_done():
        broken.append(f"{where}, then freed: {(again.stdout + again.stderr)[-1500:]}")
    ctx = type("Ctx", (), {"data": str(store.folder)})
    return True, broken + [f"{where}: {one}" for one in adapter.all_books(ctx)]


def main() -> int:
    """Try every rest of room; 2 where none of them was too little."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["import", "migration"])
    parser.add_argument("--report", type=Path, required=True)
    asked = parser.parse_args()
    store = OpenStore(Path(os.environ["FAULT_DATA_DIR"]), asked.what)
    tried = [try_room(store, room_kb) for room_kb in ROOM_KB]
    refused, broken = sum(one for one, _ in tried), [fault for _, faults in tried for fault in faults]
    asked.report.write_text(json.dumps({"acked": refused, "broken": broken}), "utf-8")
    print("\n".join(broken), file=sys.stderr)
    return 1 if broken else 0 if refused else 2


def _products() -> str:
    heading = "sku,name,category,tax_class,price,barcode\n"
    return heading + "".join(
        f"F{n:05d},Product {n} of a long shelf,Dry,food,{n % 90 + 1}.49,\n" for n in range(PRODUCTS)
    )


if __name__ == "__main__":
    sys.exit(main())
