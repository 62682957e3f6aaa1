"""A long day, slice by slice: four cashiers, nodes that are killed, a line that comes and goes, books that grow.

`python day.py --folder FOLDER --report FILE --seed N` goes on with the books its last slice left in the folder. Each
slice kills the store and its network once, cuts the line again and again, and looks at what a program must not use
more of with every hour: memory, open files, the log beside the books. At its end every sale that was ever acknowledged
in the folder is asked for, the days' sums of both nodes are compared, and all books are checked.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import os
import random
import sys
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
TOOLS = ROOT.parent / "shared" / "tools" / "faults"
sys.path[:0] = [str(ROOT), str(TOOLS)]
from tests.benchmarks._node import free_port  # noqa: E402  found from here: started as a file
from tests.faults import adapter, pair  # noqa: E402
from tests.faults.counter import STORE  # noqa: E402

CASHIERS, BETWEEN_SALES_S = 4, 1.0
LINE_UP_S, LINE_CUT_S = 40.0, 20.0
LOOK_S, WARM_S, DRAIN_S = 5.0, 60.0, 180.0
MOST_GROWN_MIB, MOST_FILES, MOST_LOG_MIB = 50, 100, 64
"""Beyond these something is not flat: within one life of a program, at one time, beside the books."""
DAYS = "select business_day || ' ' || sum(total_minor) || ' ' || count(*) from sale group by business_day"


@dataclass
class Watched:
    """What a program used, look by look. lives: start -> [(seconds since then, bytes of memory)]."""

    lives: dict[int, list[tuple[float, int]]] = field(default_factory=dict)
    files: int = 0
    log_bytes: int = 0

    def grown_mib(self) -> float:
        """Return by how much memory grew within a life once it was warm, in the worst of them."""
        warm = [[used for since, used in looks if since >= WARM_S] for looks in self.lives.values()]
        return max((round((max(looks) - looks[0]) / 2**20, 1) for looks in warm if looks), default=0.0)

    def worst(self) -> dict[str, float]:
        """Return the figures a slice is judged by."""
        most = max((used for looks in self.lives.values() for _, used in looks), default=0)
        return {
            "memory MiB": round(most / 2**20, 1), "memory grown MiB": self.grown_mib(), "open files": self.files,
            "log MiB": round(self.log_bytes / 2**20, 1),
        }  # fmt: skip

    def broken(self) -> list[str]:
        """Return what is not flat."""
        bars = {"memory grown MiB": MOST_GROWN_MIB, "open files": MOST_FILES, "log MiB": MOST_LOG_MIB}
        return [f"{name}: {figure}, more than {bars[name]}" for name, figure in self.worst().items()
                if figure > bars.get(name, figure)]  # fmt: skip

    def look(self, pid: int, since: float) -> None:
        """Look at a program."""
        there = Path(f"/proc/{pid}")
        pages = int((there / "statm").read_text().split()[1])
        self.lives.setdefault(pid, []).append((since, pages * os.sysconf("SC_PAGE_SIZE")))
        self.files = max(self.files, len(list((there / "fd").iterdir())))


class Day:
    """Both nodes, the line between them, and who sells."""

    def __init__(self, folder: Path, seed: int, tools: Any) -> None:
        self.folder, self.rng, self.tools = folder, random.Random(seed), tools
        self.watched, self.going = Watched(), True
        self.acked_file = folder / "acknowledged"
        self.acked_file.touch()
        self.took_s: list[float] = []
        """How long each acknowledged sale of the slice took."""
        self.unknown = 0
        store, net, proxy, self.control = (free_port() for _ in range(4))
        self.store = self._node("store", store, f"http://127.0.0.1:{proxy}")
        self.net = self._node("net", net, "")
        command = [
            sys.executable, str(TOOLS / "flaky_proxy.py"), "--listen", str(proxy), "--control", str(self.control),
            "--upstream", f"http://127.0.0.1:{net}", "--seed", str(seed), "--log", str(folder / "events.jsonl"),
        ]  # fmt: skip
        self.proxy = tools.Server(command, f"http://127.0.0.1:{self.control}/", str(folder / "proxy.log"), name="proxy")
        dirs = {name: str(folder / name) for name in ("store", "net", "clone")}
        at = f"http://127.0.0.1:{store}"
        self.ctx = tools.Ctx(http=tools.http, store=at, net=f"http://127.0.0.1:{net}", dirs=dirs, data=dirs["store"])

    def _node(self, which: str, port: int, network: str) -> Any:
        there = self.folder / which
        there.mkdir(exist_ok=True)
        command = [sys.executable, str(ROOT / "tests" / "faults" / "pair.py"), which, str(port)]
        given = {"FAULT_DATA_DIR": str(there), "NETWORK_URL": network}
        log = str(self.folder / f"{which}.log")
        return self.tools.Server(command, f"http://127.0.0.1:{port}/health", log, env=given, name=which)

    async def run(self, seconds: float) -> dict[str, Any]:
        """Sell for so long, heal the line, and compare."""
        try:
            for node in (self.net, self.proxy, self.store):
                await node.start()
            await pair.setup(self.ctx)
            begun = time.monotonic()
            others = [asyncio.create_task(one) for one in (self._flap(), self._kill(seconds), self._watch())]
            cashiers = [asyncio.create_task(self._sell(begun + seconds)) for _ in range(CASHIERS)]
            await asyncio.gather(*cashiers)
            self.going = False
            await asyncio.gather(*others)
            return await self._verdict(seconds)
        finally:
            for node in (self.store, self.net, self.proxy):
                node.kill()

    # --- inside ---

    async def _sell(self, ends: float) -> None:
        while time.monotonic() < ends:
            sale_id, begun = str(uuid.UUID(int=self.rng.getrandbits(128), version=4)), time.monotonic()
            try:
                said = await pair.sell(self.ctx, self.ctx.store, sale_id)
            except (OSError, TimeoutError, ValueError, AssertionError, asyncio.IncompleteReadError):
                said = "unknown"  # killed at this moment
            if said == "ack":
                self.took_s.append(time.monotonic() - begun)
                with self.acked_file.open("a", encoding="utf-8") as file:
                    file.write(f"{sale_id}\n")
            else:
                self.unknown += 1
            await asyncio.sleep(self.rng.uniform(0, 2 * BETWEEN_SALES_S))

    async def _flap(self) -> None:
        while await self._wait(LINE_UP_S):
            await self._line({"blackhole": True})
            await self._wait(LINE_CUT_S)
            await self._line({})

    async def _kill(self, seconds: float) -> None:
        """Kill each node once, at a moment of its own in the middle half."""
        for victim in self.rng.sample([self.store, self.net], 2):
            if not await self._wait(seconds * self.rng.uniform(0.2, 0.35)):
                return
            victim.kill()
            await victim.start()

    async def _watch(self) -> None:
        log = self.folder / "store" / f"{STORE}.db-wal"
        since: dict[int, float] = {}
        while await self._wait(LOOK_S):
            now = time.monotonic()
            for pid in [self.store.proc.pid, *(pid for pid, _ in self.store.descendants())][:2]:  # it and its worker
                try:
                    self.watched.look(pid, now - since.setdefault(pid, now))
                except OSError:
                    continue  # killed at this moment
            if log.exists():
                self.watched.log_bytes = max(self.watched.log_bytes, log.stat().st_size)

    async def _wait(self, seconds: float) -> bool:
        """Wait; False where the slice is over."""
        ends = time.monotonic() + seconds
        while self.going and time.monotonic() < ends:
            await asyncio.sleep(0.2)
        return self.going

    async def _line(self, wished: dict[str, Any]) -> None:
        address = f"http://127.0.0.1:{self.control}/{'set' if wished else 'reset'}"
        await self.tools.http("POST", address, wished)

    async def _verdict(self, seconds: float) -> dict[str, Any]:
        await self._line({})
        ends = time.monotonic() + DRAIN_S
        while (waits := pair.pending(self.ctx, self.ctx.store)) and time.monotonic() < ends:
            await asyncio.sleep(0.5)
        broken = [f"{waits} messages wait after {DRAIN_S:.0f} s"] if waits else []
        ever, there = set(self.acked_file.read_text("utf-8").split()), pair.network_ids(self.ctx)
        books = (("store", f"{STORE}.db"), ("net", "network.db"))
        ours, theirs = (pair._ask(self.folder / which / name, DAYS) for which, name in books)
        if sorted(ours) != sorted(theirs):
            broken.append(f"the days' sums differ: {ours} here, {theirs} at the network")
        self.store.kill()
        broken += [*self.watched.broken(), *adapter.all_books(self.ctx)]
        lost, doubled = len(ever - set(there)), len(there) - len(set(there))
        worst = self.watched.worst() | {"sell p99": self.tools.pct(self.took_s, 0.99)}
        return {
            "minutes": int(seconds // 60), "acked": len(self.took_s), "unknown": self.unknown, "lost": lost,
            "doubled": doubled, "broken": broken, "worst": worst,
            "verdict": "FAIL" if lost or doubled or broken or not self.took_s else "PASS",
        }  # fmt: skip


def main() -> int:
    """Sell through one slice; 0 where nothing is lost, doubled, broken or grown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--report", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=600.0)
    asked = parser.parse_args()
    asked.folder.mkdir(parents=True, exist_ok=True)
    tools = importlib.import_module("fh_common")

    async def slice_() -> int:
        day = Day(asked.folder, asked.seed, tools)
        return int(tools.finish(await day.run(asked.seconds), asked.report))

    return int(tools.run(slice_()))


if __name__ == "__main__":
    sys.exit(main())
