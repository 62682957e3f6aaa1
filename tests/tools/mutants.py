"""Mutants: small faults put into a module by a seed, each of which its room's own tests should notice.

`.venv/bin/python -m tests.tools.mutants [MODULE ...] [--seed N] [--each N] [--json]`; without a module, all of ROOMS. A mutant is killed
when a test fails, or when they take TIMES as long as without it; what is in EQUIVALENT changes nothing anybody can see.
Exit 1 where fewer than 95 % of the rest are killed.
"""

from __future__ import annotations

import argparse
import ast
import copy
import importlib.util
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType
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
EQUIVALENT: dict[tuple[str, str], str] = {}
"""(module, a mutant as it is printed) -> why nobody can see it."""
_COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
_COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv, ast.FloorDiv: ast.Mult, ast.Div: ast.Mult,
}  # fmt: skip
_DROPPED = (ast.Expr, ast.Assign, ast.AugAssign, ast.Raise, ast.If, ast.Delete)


@dataclass(frozen=True)
class Mutant:
    """A fault: where it is, how the line reads with it, and the whole module with it."""

    line: int
    words: str
    tree: ast.Module


def main() -> int:
    """Draw, test and print; with --json the last line is one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("modules", nargs="*", metavar="MODULE", help="the end of its name is enough")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--each", type=int, default=EACH)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    names = [name for name in ROOMS if not asked.modules or any(name.endswith(one) for one in asked.modules)]
    found = {name: _tried(name, asked.seed, asked.each) for name in names}
    killed = sum(one["killed"] for one in found.values())
    alive = sum(len(one["alive"]) for one in found.values())
    if asked.json:
        print(json.dumps({"bench": "mutants", "seed": asked.seed, "killed": killed, "alive": alive, "modules": found}))
    return int(killed < LEAST * (killed + alive))


def _tried(name: str, seed: int, each: int) -> dict[str, Any]:
    source = (ROOT / Path(*name.split("."))).with_suffix(".py").read_text("utf-8")
    began = time.monotonic()
    if _fails(name, ast.parse(source), ROOMS[name], None):
        raise SystemExit(f"{name}: its tests fail without any mutant")
    limit_s = TIMES * (time.monotonic() - began) + 30
    killed, alive, equivalent = 0, list[str](), 0
    for mutant in drawn(source, random.Random(f"{seed} {name}"), each):
        if (name, mutant.words) in EQUIVALENT:
            equivalent += 1
        elif _fails(name, mutant.tree, ROOMS[name], limit_s):
            killed += 1
        else:
            alive.append(f"{mutant.line}: {mutant.words}")
            print(f"alive: {name}:{alive[-1]}", flush=True)
    print(f"{name}: {killed} killed, {len(alive)} alive, {equivalent} equivalent", flush=True)
    return {"killed": killed, "alive": alive, "equivalent": equivalent}


# --- drawing ---


def drawn(source: str, chance: random.Random, most: int) -> list[Mutant]:
    """Return so many mutants of a module, of different lines as far as there are."""
    tree = ast.parse(source)
    places = [(n, way) for n, node in enumerate(ast.walk(tree)) for way in range(len(_ways(node)))]
    chance.shuffle(places)
    mutants: dict[int, Mutant] = {}
    for n, way in places:
        changed = copy.deepcopy(tree)
        node = next(one for at, one in enumerate(ast.walk(changed)) if at == n)
        line = _ways(node)[way]()
        if line and line not in mutants and _is_inside(tree, line):
            words = _said(tree, changed, line)
            if words:
                mutants[line] = Mutant(line, words, ast.fix_missing_locations(changed))
        if len(mutants) == most:
            break
    return sorted(mutants.values(), key=lambda one: one.line)


def _is_inside(tree: ast.Module, line: int) -> bool:
    """Tell whether a line is one of a function: constants at the top are settings, and columns are the migration's."""
    spans = ((one.body[0].lineno, one.end_lineno or 0) for one in ast.walk(tree) if isinstance(one, ast.FunctionDef))
    return any(first <= line <= last for first, last in spans)


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
    """Tell whether a call's first arguments may change places unseen."""
    is_lowest = isinstance(node.func, ast.Name) and node.func.id in ("min", "max")
    return is_lowest or any(isinstance(one, ast.Starred) for one in node.args[:2])


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


class _Changed(MetaPathFinder, Loader):
    """Imports one module with a fault in it."""

    def __init__(self, name: str, code: CodeType) -> None:
        self.name, self.code = name, code

    def find_spec(self, name: str, path: Any = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """Return the spec of the module, made of the changed code."""
        if name != self.name:
            return None
        file = (ROOT / Path(*name.split("."))).with_suffix(".py")
        return importlib.util.spec_from_file_location(name, file, loader=self)

    def exec_module(self, module: ModuleType) -> None:
        """Run the changed code as the module."""
        exec(self.code, module.__dict__)


def _fails(name: str, tree: ast.Module, tests: tuple[str, ...], limit_s: float | None) -> bool:
    """Run tests in a child with a module changed; True: one failed, or they took longer than limit_s."""
    code = compile(tree, str((ROOT / Path(*name.split("."))).with_suffix(".py")), "exec")
    sys.stdout.flush()
    if (child := os.fork()) == 0:
        os.setsid()
        _run(name, code, tests)
    deadline = time.monotonic() + limit_s if limit_s else float("inf")
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status) != 0
        if time.monotonic() > deadline:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return True
        time.sleep(0.05)


def _run(name: str, code: CodeType, tests: tuple[str, ...]) -> None:
    """Run tests in this process, which ends with them."""
    result = 3
    try:
        with tempfile.TemporaryFile() as output:
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
            os.environ["HYPOTHESIS_STORAGE_DIRECTORY"] = tempfile.mkdtemp()  # what fails here is no example for anybody
            sys.meta_path.insert(0, _Changed(name, code))
            os.chdir(ROOT)
            result = pytest.main(["-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *tests])
    finally:
        os._exit(int(result))


def _heavy() -> Iterator[str]:
    """Yield what each child would load: libraries alone, nothing of ours."""
    yield from ("numpy", "sqlalchemy.orm", "flask", "pydantic", "psycopg", "structlog", "scipy.special")


if __name__ == "__main__":
    for library in _heavy():
        importlib.import_module(library)
    sys.exit(main())
