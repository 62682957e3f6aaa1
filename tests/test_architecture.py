"""What holds in every file: where libraries are known, who asks for the time, what the domain never sees."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from pos.payments.tenders import TENDERS

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("config", "forecasting", "pos", "supply", "store_app")
# library -> the only places that may import it
AT_HOME = {
    "flask": ("store_app/",),
    "flask_sqlalchemy": ("store_app/",),
    "flask_babel": ("store_app/",),
    "flask_bootstrap": ("store_app/",),
    "flask_wtf": ("store_app/",),
    "werkzeug": ("store_app/",),
    "waitress": ("store_app/",),
    "gunicorn": ("store_app/",),
    "apscheduler": ("store_app/",),
    "escpos": ("pos/printing/models.py",),
    "argon2": ("pos/store/pins.py",),
    "zxcvbn": ("pos/store/pins.py",),
    "pyotp": ("pos/store/second_factor.py",),
    "statsmodels": ("forecasting/",),
    "stripe": ("store_app/payments/",),
}
NOT_IN_FORECASTING = {"sqlalchemy", "alembic", "psycopg", "httpx2", "time", "datetime.datetime.now"}
MOST_ARGUMENTS = 8
DOMAIN = ("config", "forecasting", "pos", "supply")
# a migration tells history, step by step; alembic prescribes its form
MIGRATIONS = "config/migrations/"


@cache
def sources() -> dict[str, ast.Module]:
    """Parse every file of the packages: path from the root -> tree."""
    paths = (path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")))
    return {
        path.relative_to(ROOT).as_posix(): ast.parse(path.read_text("utf-8"), str(path))
        for path in paths
        if not {"node_modules", "vendor"} & set(path.parts)
    }


def written_by_us() -> Iterator[tuple[str, ast.Module]]:
    yield from ((name, tree) for name, tree in sources().items() if not name.startswith(MIGRATIONS))


def imported(name: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield line and full name of everything a file imports, inside functions too."""
    package = name.split("/")[:-1]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            yield node.lineno, ".".join([*base, *filter(None, [node.module])])


def definitions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node


def refuse(faults: list[str]) -> None:
    assert not faults, "\n" + "\n".join(faults)


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_is_there_and_says_what_it_is(package):
    assert ast.get_docstring(sources()[f"{package}/__init__.py"])


def test_no_other_package_stands_at_the_top():
    found = {path.parent.name for path in ROOT.glob("*/__init__.py") if not path.parent.name.startswith(".")}
    assert found == {*PACKAGES, "tests"}


def test_libraries_stay_at_home():
    faults = [
        f"{name}:{line} imports {target}, which belongs in {' or '.join(AT_HOME[target.split('.')[0]])}"
        for name, tree in sources().items()
        for line, target in imported(name, tree)
        if target.split(".")[0] in AT_HOME and not name.startswith(AT_HOME[target.split(".")[0]])
    ]
    refuse(faults)


def test_forecasting_knows_no_database_no_clock_and_no_web():
    faults = [
        f"{name}:{line} imports {target}"
        for name, tree in sources().items()
        if name.startswith("forecasting/")
        for line, target in imported(name, tree)
        if target.split(".")[0] in NOT_IN_FORECASTING
    ]
    refuse(faults)


def test_only_the_clock_is_asked_for_the_time_below_the_doors():
    asks = re.compile(r"\b(?:datetime\.(?:now|utcnow)|date\.today|time\.time)\(")
    refuse(
        [
            f"{name}:{number} reads the time; take `at` as an argument"
            for name in sources()
            if name.startswith(DOMAIN) and name != "config/clock.py"
            for number, line in enumerate((ROOT / name).read_text("utf-8").splitlines(), 1)
            if asks.search(line.split("#")[0])
        ]
    )


def test_every_module_has_a_docstring():
    refuse([f"{name} has no docstring" for name, tree in sources().items() if not ast.get_docstring(tree)])


def test_public_functions_and_classes_begin_their_docstring_with_a_sentence():
    faults = []
    for name, tree in written_by_us():
        for node in tree.body:
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                continue
            if node.name.startswith("_"):
                continue
            first = (ast.get_docstring(node) or "").split("\n")[0]
            if not re.match(r"[A-Za-z0-9`].*[.!?:]$", first):
                faults.append(f"{name}:{node.lineno} {node.name}: {first!r} is not a sentence on one line")
    refuse(faults)


def test_a_public_function_takes_eight_arguments_at_most():
    """A command of the command line is free to take more: its arguments are the options a person types, one by one."""
    refuse(
        [
            f"{name}:{node.lineno} {node.name} takes {len(taken)}: {', '.join(taken)}"
            for name, tree in written_by_us()
            for node in definitions(tree)
            if not isinstance(node, ast.ClassDef) and not node.name.startswith("_")
            if not any("click." in ast.unparse(decorator) for decorator in node.decorator_list)
            for every in [[*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]]
            for taken in [[one.arg for one in every if one.arg not in ("self", "cls")]]
            if len(taken) > MOST_ARGUMENTS
        ]
    )


def test_the_domain_never_sees_the_role_of_its_node():
    # settings.py alone reads and validates the role; store_app/roles.py alone turns it into behaviour
    faults = [
        f"{name}:{node.lineno} looks at the node's role"
        for name, tree in sources().items()
        if name.startswith(DOMAIN) and name != "config/settings.py"
        for node in ast.walk(tree)
        if _asks_for_role(node)
    ]
    refuse(faults)


def _asks_for_role(node: ast.AST) -> bool:
    match node:
        case ast.Attribute(attr="role", value=ast.Name(id="settings" | "node")):
            return True
        case ast.Attribute(attr="role", value=ast.Attribute(attr="settings" | "node")):
            return True
        case ast.Attribute(attr="NETWORK" | "STORE", value=ast.Name(id="Role" | "NodeRole")):
            return True
        case ast.Compare():
            parts = [node.left, *node.comparators]
            names = {getattr(part, "attr", getattr(part, "id", "")) for part in parts}
            texts = {inner.value for part in parts for inner in ast.walk(part) if isinstance(inner, ast.Constant)}
            return bool(names & {"role", "node_role"}) and bool(texts & {"network", "store"})
    return False


@pytest.mark.parametrize("name", ["requirements.lock", "store_app/static/package-lock.json"])
def test_a_lock_names_versions_and_hashes_but_no_address(name):
    text = (ROOT / name).read_text("utf-8")
    assert "://" not in text
    assert "sha256:" in text or "sha512-" in text


def test_migrations_follow_each_other_one_by_one() -> None:
    """Two files of one number are one to alembic: it runs either, and the other never."""
    steps = []
    for name, tree in sources().items():
        if name.startswith(MIGRATIONS + "versions/"):
            given = {
                target.id: ast.literal_eval(node.value)
                for node in tree.body
                if isinstance(node, ast.Assign)
                for target in node.targets
                if isinstance(target, ast.Name) and target.id in ("revision", "down_revision")
            }
            steps.append((given["revision"], given["down_revision"], name))
    reported = [revision for revision, _before, _name in steps]
    refuse([f"{name} has a number that another has: {one}" for one, _, name in steps if reported.count(one) > 1])
    befores = [before for _, before, _name in steps]
    refuse([f"{name} follows {before}, as another does" for _, before, name in steps if befores.count(before) > 1])
    refuse(
        [f"{name} follows {before}, which is not there" for _, before, name in steps if before not in [None, *reported]]
    )


STATE_HANDS = {"config/nodes/journal.py", "store_app/runtime/job_runs.py"}


def test_a_state_is_assigned_by_its_named_hands_alone():
    """`move`, `mirror` and `move_many`; a run of a job is no noun and keeps its own book."""
    found = [f"{name}:{line}" for name, tree in written_by_us() for line in states_assigned(tree)]
    assert {place.partition(":")[0] for place in found} <= STATE_HANDS, found
    for way in (
        "row.state = 'a'",
        "row.state, n = 'a', 1",
        "setattr(row, 'state', 'a')",
        "sa.update(T).values(state='a')",
        "sa.update(T).where(T.a).values({'state': 'a'})",
    ):
        assert [*states_assigned(ast.parse(way))], way
    assert not [*states_assigned(ast.parse("sa.insert(T).values(state='a'); sa.update(T).values(stated='a')"))]


def states_assigned(tree: ast.AST) -> Iterator[int]:
    """Yield the lines that assign an attribute or a column named `state`, inserts left out."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr == "state" and isinstance(node.ctx, ast.Store):
            yield node.lineno
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "setattr":
            if isinstance(name := node.args[1], ast.Constant) and name.value == "state":
                yield node.lineno
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "values":
            keys = [key.value for one in node.args if isinstance(one, ast.Dict) for key in one.keys
                    if isinstance(key, ast.Constant)]  # fmt: skip
            is_update = "update(" in ast.unparse(node.func)
            if is_update and "state" in [*keys, *(keyword.arg for keyword in node.keywords)]:
                yield node.lineno


TENDER = re.compile(r"""(\btender|\[['"]tender['"]\]|\.get\(['"]tender['"]\))$""")
COMPARED = re.compile(r"""\btender['"\])]* ?[!=]==? ?['"](?!cash['"])(\w+)['"]""")


def test_a_tender_is_named_in_its_table_alone():
    """A list of tenders, and one that is compared with, belong in their table; scripts and templates know cash."""

    def names(node: ast.AST | None) -> list[str]:
        parts = (
            node.elts
            if isinstance(node, ast.List | ast.Tuple | ast.Set)
            else node.keys
            if isinstance(node, ast.Dict)
            else [node]
        )
        found = [part.value if isinstance(part, ast.Constant) else "" for part in parts]
        return found if set(found) <= set(TENDERS) else []

    def faults(node: ast.AST) -> bool:
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            return any(map(names, sides)) and any(TENDER.search(ast.unparse(side)) for side in sides)
        return len(names(node)) > 1

    refuse(
        [
            f"{name}:{node.lineno} {ast.unparse(node)}: ask the row"
            for name, tree in sources().items()
            if name != "pos/payments/tenders.py"
            for node in ast.walk(tree)
            if isinstance(node, ast.expr) and faults(node)
        ]
        + [
            f"{path.relative_to(ROOT)} compares with {tender}"
            for ending in ("*.html", "*.js")
            for path in (ROOT / "store_app").rglob(ending)
            if not {"built", "vendor", "node_modules"} & set(path.parts)
            for tender in COMPARED.findall(path.read_text("utf-8"))
            if tender in TENDERS
        ]
    )
