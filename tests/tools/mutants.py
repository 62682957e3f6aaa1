"""Mutants: small faults put into a module by a seed, each of which its room's own tests should notice.

`.venv/bin/python -m tests.tools.mutants [MODULE ...] [--seed N ...] [--each N] [--json]`; without a module, all of
ROOMS. The tests are collected once, and each run of them is a fork of that process: the first notes which statements
each test comes to, so that a mutant gets the tests that come to its own. It is killed when one of them fails, or when
they take TIMES as long as without it; what is in EQUIVALENT changes nothing anyone can see. Exit 1 where fewer than
95 % of the rest are killed.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import copy
import gc
import importlib
import itertools
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS: dict[str, tuple[str, ...]] = {
    "pos.pricing.pricing": ("tests/pos/pricing",),
    "pos.pricing.promotions": ("tests/pos/pricing",),
    "pos.sale.sale": ("tests/pos/sale",),
    "pos.customers.tab": ("tests/pos/customers", "tests/pos/sale"),
    "pos.till.shift": ("tests/pos/till", "tests/pos/sale"),
    "pos.stock.stock": ("tests/pos/stock", "tests/pos/sale"),
    "supply.replenishment.policy": ("tests/supply/replenishment",),
    "supply.network.warehouse.allocation": ("tests/supply/network",),
    "supply.money.ledger": ("tests/supply/money",),
    "supply.money.escrow": ("tests/supply/money", "tests/supply/online"),
    "config.nodes.outbox": ("tests/config", "tests/store_app/sync"),
    "config.nodes.inbox": ("tests/config", "tests/store_app/sync"),
    "forecasting.uncertainty.intervals": ("tests/forecasting",),
}
"""A module -> its room's tests; those that carry it out come second."""
EACH, LEAST, TIMES = 15, 0.95, 3
EQUIVALENT: dict[tuple[str, str], str] = {
    ("pos.pricing.pricing", "tax_minor = tax_on(product.rate_bp, shown_minor)"): "a product",
    (
        "pos.pricing.pricing",
        "return amount_for(line.product.price_minor, line.qty, line.product.price_quantity) + line.made_up_minor",
    ): "a product",
    ("pos.pricing.pricing", "if short_minor >= 0:"): "nothing is added where nothing is short",
    (
        "pos.pricing.promotions",
        "return next((n for n, part in enumerate(offer.parts) if part.choice.holds(*product)), -2)",
    ): "any number below zero says none",
    (
        "pos.pricing.promotions",
        "amount = offer.amount_minor if pot.pieces else amount_for(offer.amount_minor, qty, line.price_quantity)",
    ): "a product",
    (
        "pos.customers.tab",
        (
            "unpaid = sa.select(sa.func.coalesce(sa.func.sum(_left()), 0)).where(TabEntry.store_id == store_id, "
            "TabEntry.sale_id == sale_id, TabEntry.amount_minor >= 0)"
        ),
    ): "no entry is of nothing",
    (
        "pos.customers.tab",
        "query = query.where(TabEntry.store_id == store_id, TabAccount.balance_minor >= 0)",
    ): "who owes nothing has nothing unpaid",
    ("pos.customers.tab", "ctx.session.flush() => pass"): "a question writes first what waits",
    (
        "pos.customers.tab",
        "query = query.where(TabEntry.amount_minor >= 0, left > 0)",
    ): "no entry is of nothing",
    (
        "pos.till.shift",
        "last = session.execute(query.order_by(Shift.z_no.desc()).limit(2)).first()",
    ): "the first row is taken",
    ("pos.stock.stock", "if surplus >= 0:"): "nothing is added where nothing is over",
    ("pos.stock.stock", "ctx.session.flush() => pass"): "a question writes first what waits",
    ("supply.replenishment.policy", "rows = rows[risks[rows, count] >= 0]"): "once there is no risk, none follows",
    (
        "supply.replenishment.policy",
        (
            "found = zip(self.lines, packs.tolist(), self.level.tolist(), self.target.tolist(), reasons, self._risks(), "
            "self.counted.tolist(), values, (packs if self.waiting is None else self.waiting).tolist(), "
            "self.cut.tolist(), strict=False)"
        ),
    ): "as long",
    (
        "supply.network.warehouse.allocation",
        ("kept = [share * claim.pack_qty for claim, share in zip(silent, shares[len(found):], strict=False) if share]"),
    ): "as long",
    ("forecasting.uncertainty.intervals", "if a <= 0.5:"): "the same b follows",
    ("forecasting.uncertainty.intervals", "part = (mean * 9973.0 - at * 0.6180339887498949) % 1.0"): (
        "far digits, as good as others"
    ),
    (
        "forecasting.uncertainty.intervals",
        "some = np.flatnonzero(mean >= 1e-09)",
    ): "of so little every quantile is none",
    ("forecasting.uncertainty.intervals", "counted = ~large & (mean[some] + 6.0 * spread <= COUNTED_UNITS)"): (
        "counted or reckoned, it is the same quantile"
    ),
    ("forecasting.uncertainty.intervals", "for step in range(5 * COUNTED_UNITS):"): "no level lies so far out",
    (
        "forecasting.uncertainty.intervals",
        "quantile = np.moveaxis(found.reshape(*mean.shape, -2), -1, 1)",
    ): "any number below zero stands for the rest",
    (
        "config.nodes.outbox",
        "return fits(Message(id, 1, topic, version, made_at, business_day, json.loads(text), hash), text)",
    ): "a hash says nothing of the number",
    (
        "config.nodes.outbox",
        "return session.scalar(query.order_by(sa.func.length(OutboxMessage.body), OutboxMessage.n).limit(2))",
    ): "the first row is taken",
    ("supply.money.ledger", "session.flush() => pass"): "a question writes first what waits",
    ("supply.money.escrow", "session.flush() => pass"): "a question writes first what waits",
    ("config.nodes.inbox", "is_dense = last - first < 3 * len(numbers)"): "a span and a list find the same numbers",
    ("config.nodes.inbox", "if bulk is not None and len(left) > 2:"): "at once or one by one, the same is taken",
    (
        "supply.money.escrow",
        (
            "signed = sa.case((EscrowEntry.from_account == account, -EscrowEntry.amount_minor), "
            "(EscrowEntry.to_account == account, EscrowEntry.amount_minor), else_=0)"
        ),
    ): "no entry leads from an account to itself",
}
"""(module, how a line reads with a fault, or before => with it) -> why no one can see it."""
_COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.Div: ast.Mult,
}  # fmt: skip
_OF_ALL = ("min", "max", "minimum", "maximum", "where", "and_", "or_")
_DROPPED = (ast.Expr, ast.Assign, ast.AugAssign, ast.Raise, ast.If, ast.Delete)


@dataclass(frozen=True)
class Mutant:
    """A fault: where it is, the line its statement begins on, how that reads with it, and the whole module with it."""

    module: str
    line: int
    statement: int
    words: str
    tree: ast.Module = field(compare=False)

    @property
    def is_equivalent(self) -> bool:
        return any((self.module, one) in EQUIVALENT for one in (self.words, self.words.partition(" => ")[2]))

    def __str__(self) -> str:
        return f"{self.module}:{self.line}: {self.words}"


def main() -> int:
    """Draw, test and print; with --json the last line is one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="the end of its name is enough")
    parser.add_argument("--seed", type=int, nargs="+", default=[1])
    parser.add_argument("--each", type=int, default=EACH)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    names = [name for name in ROOMS if not asked.modules or any(name.endswith(one) for one in asked.modules)]
    every = {(name, seed): drawn(name, seed, asked.each) for name in names for seed in asked.seed}
    told = [one for mutants in every.values() for one in mutants if not one.is_equivalent]
    killed = _killed(list(dict.fromkeys(told)))
    rows = [_counted(name, seed, mutants, killed) for (name, seed), mutants in every.items()]
    for row in rows:
        print("{module}, seed {seed}: {killed} killed, {alive} alive, {equivalent} equivalent".format_map(row))
    shares = {seed: _share([row for row in rows if row["seed"] == seed]) for seed in asked.seed}
    print(", ".join(f"seed {seed}: {share:.1%}" for seed, share in shares.items()))
    if asked.json:
        print(json.dumps({"bench": "mutants", "killed": shares, "modules": rows}))
    return int(min(shares.values()) < LEAST)


def _counted(name: str, seed: int, mutants: list[Mutant], killed: set[Mutant]) -> dict[str, Any]:
    equivalent = sum(one.is_equivalent for one in mutants)
    fell = len(killed.intersection(mutants))
    left = len(mutants) - fell - equivalent
    return {"module": name, "seed": seed, "killed": fell, "alive": left, "equivalent": equivalent}


def _share(rows: list[dict[str, Any]]) -> float:
    killed = sum(row["killed"] for row in rows)
    return killed / max(1, killed + sum(row["alive"] for row in rows))


# --- drawing ---


def drawn(module: str, seed: int, most: int) -> list[Mutant]:
    """Return so many mutants of a module, of different lines as far as there are."""
    tree = ast.parse(_source(module))
    places = [(n, way) for n, node in enumerate(ast.walk(tree)) for way in range(len(_ways(node)))]
    random.Random(f"{seed} {module}").shuffle(places)
    mutants: dict[int, Mutant] = {}
    for n, way in places:
        changed = copy.deepcopy(tree)
        node = next(one for at, one in enumerate(ast.walk(changed)) if at == n)
        line = _ways(node)[way]()
        if line and line not in mutants and _is_inside(tree, line):
            words = _said(tree, changed, line)
            if words:
                fixed = ast.fix_missing_locations(changed)
                mutants[line] = Mutant(module, line, _statement(tree, line), words, fixed)
        if len(mutants) == most:
            break
    return sorted(mutants.values(), key=lambda one: one.line)


def _is_inside(tree: ast.Module, line: int) -> bool:
    """Tell whether a line is one of a function: constants at the top are settings, and columns are the migration's."""
    spans = ((one.body[0].lineno, one.end_lineno or 0) for one in ast.walk(tree) if isinstance(one, ast.FunctionDef))
    return any(first <= line <= last for first, last in spans)


def _statement(tree: ast.Module, line: int) -> int:
    """Return the first line of the innermost statement that holds a line."""
    statements = (one for one in ast.walk(tree) if isinstance(one, ast.stmt))
    return max(one.lineno for one in statements if one.lineno <= line <= (one.end_lineno or 0))


def _said(before: ast.Module, after: ast.Module, line: int) -> str:
    """Return what a mutant changes, as 'old => new'; '' where it is nothing."""
    old, new = ast.unparse(before).splitlines(), ast.unparse(after).splitlines()
    first = next((n for n, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    if old == new:
        return ""
    shown = new[first].strip() if len(old) == len(new) else "(dropped)"
    return f"{old[first].strip()} => {shown}"


def _ways(node: ast.AST) -> list[Callable[[], int]]:
    """Return what can be done to a node: each does it, and returns the line."""
    ways: list[Callable[[], int]] = []
    if isinstance(node, ast.Compare) and type(node.ops[0]) in _COMPARED:
        ways.append(lambda: _set(node, "ops", [_COMPARED[type(node.ops[0])](), *node.ops[1:]]))
    if isinstance(node, ast.BinOp) and type(node.op) in _COMPUTED and not _is_text(node):
        ways.append(lambda: _set(node, "op", _COMPUTED[type(node.op)]()))
    if isinstance(node, ast.BoolOp):
        ways.append(lambda: _set(node, "op", ast.And() if isinstance(node.op, ast.Or) else ast.Or()))
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.Not):
        ways.append(lambda: _set(node, "op", ast.UAdd() if isinstance(node.op, ast.USub) else ast.Not()))
    if isinstance(node, ast.Constant) and type(node.value) is int:
        ways.append(lambda: _set(node, "value", node.value + 1))  # type: ignore[operator]
    if isinstance(node, ast.Constant) and type(node.value) is bool:
        ways.append(lambda: _set(node, "value", not node.value))
    if isinstance(node, ast.Call) and len(node.args) > 1 and not _has_no_order(node):
        ways.append(lambda: _set(node, "args", [node.args[1], node.args[0], *node.args[2:]]))
    if isinstance(node, ast.FunctionDef | ast.If | ast.For | ast.With):
        ways += [lambda n=n: _drop(node, n) for n, one in enumerate(node.body) if _may_go(one)]  # type: ignore[misc]
    return ways


def _may_go(statement: ast.stmt) -> bool:
    is_docstring = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
    return isinstance(statement, _DROPPED) and not is_docstring


def _has_no_order(node: ast.Call) -> bool:
    """Tell whether a call's first arguments may change places unseen: SQL's conditions, and the least or most of some."""
    called = ast.unparse(node.func)
    is_of_all = called != "np.where" and called.rpartition(".")[2] in _OF_ALL
    return is_of_all or any(isinstance(one, ast.Starred) for one in node.args[:2])


def _is_text(node: ast.BinOp) -> bool:
    sides = (node.left, node.right)
    return any(isinstance(one, ast.JoinedStr | ast.List | ast.Tuple) or _is_string(one) for one in sides)


def _is_string(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def _set(node: Any, name: str, value: object) -> int:
    setattr(node, name, value)
    return int(node.lineno)


def _drop(node: Any, n: int) -> int:
    gone = node.body[n]
    node.body[n] = ast.copy_location(ast.Pass(), gone)
    return int(gone.lineno)


# --- testing ---


def _killed(mutants: list[Mutant]) -> set[Mutant]:
    """Return which mutants their rooms' tests notice; print the others."""
    rooms = sorted({room for one in mutants for room in ROOMS[one.module]})
    options = ["-x", "-q", "-s", "-p", "no:cacheprovider", "-p", "no:xdist", "--hypothesis-seed=0"]
    memory = os.environ.get("PYTEST_DEBUG_TEMPROOT")
    with tempfile.TemporaryDirectory(dir=memory) as folder, open(os.devnull, "w") as nowhere:
        trials, ended = _Trials(mutants, Path(folder)), 3
        try:
            with contextlib.redirect_stdout(nowhere):
                ended = int(pytest.main([*options, *rooms], plugins=[trials]))
        finally:
            if trials.is_fork:
                os._exit(ended)
    if not trials.is_done:
        raise SystemExit("The tests fail without any mutant: python3 run test " + " ".join(rooms))
    return trials.killed


class _Trials:
    """Runs the collected tests in a fork, then in one more for each mutant those that come to its statement."""

    def __init__(self, mutants: list[Mutant], folder: Path) -> None:
        self.killed: set[Mutant] = set()
        self.is_done = self.is_fork = False
        self._mutants, self._folder = mutants, folder

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        """Let a fork run what it was made for, and the first process nothing."""
        session.items[:] = self._chosen(session)
        return (yield)

    def _chosen(self, session: pytest.Session) -> list[pytest.Item]:
        notes = _Notes(self._folder / "notes.json")
        if (fail := self._fail(float("inf"))) is None:
            session.config.pluginmanager.register(notes)
            for name in {one.module for one in self._mutants}:
                notes.watch(name)
            return session.items
        if fail:
            return []
        ran = json.loads(notes.file.read_text("utf-8"))
        tests = sorted(((*ran[one.nodeid], one) for one in session.items), key=itemgetter(0))
        for mutant in self._mutants:
            place = f"{mutant.module}:{mutant.statement}"
            own = [row for row in tests if place in row[1] and row[2].nodeid.startswith(ROOMS[mutant.module])]
            fail = self._fail(TIMES * sum(row[0] for row in own) + 30) if own else False
            if fail is None:
                _swap(mutant.module, mutant.tree)
                return [row[2] for row in own]
            if fail:
                self.killed.add(mutant)
            else:
                print(f"alive: {mutant}", file=sys.__stdout__, flush=True)
        self.is_done = True
        return []

    def _fail(self, limit_s: float) -> bool | None:
        """Fork, and tell whether the tests of the fork fail or take longer than limit_s; None in the fork."""
        folder = tempfile.mkdtemp(dir=self._folder)
        if (child := os.fork()) == 0:
            self.is_fork = True
            os.setsid()
            for output in (1, 2):
                os.dup2(os.open(os.devnull, os.O_WRONLY), output)
            os.environ |= {"PYTEST_DEBUG_TEMPROOT": folder, "HYPOTHESIS_STORAGE_DIRECTORY": folder}
            return None
        deadline = time.monotonic() + limit_s
        while not (ended := os.waitpid(child, os.WNOHANG))[0]:
            if time.monotonic() > deadline:
                os.killpg(child, signal.SIGKILL)
                ended = os.waitpid(child, 0)
                break
            time.sleep(0.02)
        shutil.rmtree(folder, ignore_errors=True)
        return ended[1] != 0


class _Notes:
    """Notes how long each test takes and which statements it comes to; what a shared fixture does counts to its users."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._now: set[str] = set()
        self._tests: dict[str, tuple[float, set[str], Sequence[str]]] = {}
        self._fixtures: defaultdict[str, set[str]] = defaultdict(set)

    def watch(self, name: str) -> None:
        """Let a module's functions note the statements they come to."""
        tree = ast.parse(_source(name))
        for node in ast.walk(tree):
            for part in ("body", "orelse", "finalbody"):
                if isinstance(statements := getattr(node, part, None), list) and not isinstance(node, ast.Module):
                    noted = ([_on_its_line(f"__note__({one.lineno})", one), one] for one in statements)
                    setattr(node, part, list(itertools.chain.from_iterable(noted)))
        _swap(name, tree)
        vars(sys.modules[name])["__note__"] = lambda line: self._now.add(f"{name}:{line}")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Note one test."""
        self._now, began = set(), time.perf_counter()
        result = yield
        took_s = time.perf_counter() - began
        self._tests[item.nodeid] = (took_s, self._now, getattr(item, "fixturenames", ()))
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[Any]) -> Generator[None, object, object]:
        """Note what several tests share."""
        before = self._now
        if fixturedef.scope != "function":
            self._now = self._fixtures[fixturedef.argname]
        result = yield
        self._now = before
        return result

    def pytest_sessionfinish(self) -> None:
        """Keep what was noted for the first process."""
        noted = {
            node_id: (took_s, sorted(places.union(*(self._fixtures[one] for one in asked if one in self._fixtures))))
            for node_id, (took_s, places, asked) in self._tests.items()
        }
        self.file.write_text(json.dumps(noted), "utf-8")


def _on_its_line(words: str, statement: ast.stmt) -> ast.stmt:
    return ast.increment_lineno(ast.parse(words), statement.lineno - 1).body[0]


def _swap(name: str, tree: ast.Module) -> None:
    """Give a module's functions, whoever holds them, the code of a changed module."""
    file = str(importlib.import_module(name).__file__)
    codes = {(one.co_qualname, one.co_firstlineno): one for one in _codes(compile(tree, file, "exec"))}
    gc.unfreeze()
    for one in gc.get_objects():
        if type(one) is FunctionType and one.__code__.co_filename == file and one.__name__ != "<lambda>":
            one.__code__ = codes[one.__code__.co_qualname, one.__code__.co_firstlineno]


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for one in code.co_consts:
        if isinstance(one, CodeType):
            yield from _codes(one)


def _source(name: str) -> str:
    return (ROOT / Path(*name.split("."))).with_suffix(".py").read_text("utf-8")


if __name__ == "__main__":
    sys.exit(main())
