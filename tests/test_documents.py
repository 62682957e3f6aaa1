"""The documents say what the code does: commands exist, state diagrams equal the tables, pictures are there."""

import importlib
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

import config
import pos
import supply
from config.nodes import facts
from config.nodes.facts import FACTS
from config.states import StateTable
from store_app.runtime import job_runs, tables
from supply.sync import replica
from tests.golden import Golden

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("config", "forecasting", "pos", "supply", "store_app")


def nouns() -> list[str]:
    """Return every module that declares a noun's states as its own."""
    found = []
    for name in (
        *(name for package in (config, pos, supply) for name in tables.modules_of(package)),
        job_runs.__name__,
    ):
        states = getattr(importlib.import_module(name), "STATES", None)
        if isinstance(states, StateTable) and "STATES = StateTable(" in source_of(name):
            found.append(name)
    return found


def source_of(module: str) -> str:
    """Return a module's text."""
    return (ROOT / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")


NOUNS = nouns()


def table_of(module: str) -> StateTable:
    table = importlib.import_module(module).STATES
    assert isinstance(table, StateTable)
    return table


@pytest.mark.parametrize("module", NOUNS)
def test_every_state_is_reached_and_can_end(module: str) -> None:
    assert table_of(module).validate() == []


def test_every_state_is_drawn_as_its_table_has_it(request: pytest.FixtureRequest) -> None:
    drawn = [
        "# States",
        "Made from the tables beside each noun: `python3 run test tests/test_documents.py --golden-update`.",
    ]
    for module in NOUNS:
        table = table_of(module)
        drawn.append(f"## {table.noun}\n\n`{module.replace('.', '/')}.py`\n\n```\n{table.diagram()}\n```")
    Golden(bool(request.config.getoption("--golden-update")), ROOT / "docs").check(
        "states.md", "\n\n".join(drawn) + "\n"
    )


def test_architecture_names_every_room_and_its_modules() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `([\w/]+)/` \| (.*) \|$", text, re.MULTILINE))
    rooms = {str(face.parent.relative_to(ROOT)) for top in PACKAGES for face in (ROOT / top).rglob("*/__init__.py")}
    wrong = {}
    for room in sorted(room for room in rooms if "migrations" not in room and room != "store_app/pages"):
        modules = sorted(one.stem for one in (ROOT / room).glob("*.py") if not one.stem.startswith("_"))
        if not rows.get(room, "").endswith(", ".join(modules)):
            wrong[room] = ", ".join(modules)
    assert wrong == {}


def documents() -> list[Path]:
    """Return every document a person reads."""
    return [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]


def test_every_command_the_documents_name_exists() -> None:
    cli = importlib.import_module("store_app.commands.cli")
    known = {*cli.main.commands, *cli.main.elsewhere}
    named: set[str] = set()
    for document in documents():
        named |= set(re.findall(r"`cornerstore ([a-z][a-z-]*)", document.read_text(encoding="utf-8")))
    assert named
    assert named <= known


def test_every_file_the_documents_name_is_there() -> None:
    path = re.compile(rf"`((?:{'|'.join(PACKAGES)}|tests)/[\w/.]+)`")
    named = {one: document.name for document in documents() for one in path.findall(document.read_text("utf-8"))}
    assert not [f"{document} names {one}" for one, document in named.items() if not (ROOT / one).exists()]


def test_every_benchmark_says_what_it_measures_and_what_it_showed() -> None:
    sections = re.split(r"^### (\w+)$", (ROOT / "docs" / "measured.md").read_text("utf-8"), flags=re.MULTILINE)[1:]
    reported = dict(zip(sections[::2], sections[1::2], strict=True))
    assert set(reported) == {file.stem for file in (ROOT / "tests" / "benchmarks").glob("[!_]*.py")}
    for name, text in reported.items():
        assert "- **What:**" in text, name
        assert "- **Figures" in text, name


def test_every_decision_named_is_there_and_the_index_lists_each() -> None:
    folder = ROOT / "docs" / "decisions"
    there = {file.name for file in folder.glob("0*.md")}
    assert set(re.findall(r"\((\d{4}-[\w-]+\.md)\)", (folder / "README.md").read_text("utf-8"))) == there
    assert sorted(int(name[:4]) for name in there) == list(range(1, len(there) + 1)), "one number a decision"
    sources = [file for package in PACKAGES for file in (ROOT / package).rglob("*.py")]
    for file in (*documents(), *sources, ROOT / "run", ROOT / "pyproject.toml"):
        text = file.read_text("utf-8")
        assert set(re.findall(r"\b(\d{4}-[a-z][a-z-]+\.md)\b", text)) <= there, file
        assert not re.search(r"\bDECISIONS\.md|\(D\d+\)", text), f"{file} names a decision that is gone"
    for name in there:
        assert re.search(r"^# \d{4}\. .*\n\nStatus: (accepted|superseded by \[)", (folder / name).read_text("utf-8")), (
            name
        )


def test_the_program_prints_the_version_the_changelog_begins_with() -> None:
    said = CliRunner().invoke(importlib.import_module("store_app.commands.cli").main, ["--version"])
    newest = re.search(r"^## ([\d.]+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert newest
    assert said.output == f"cornerstore {newest[1]}\n"


def test_every_picture_file_and_heading_the_documents_link_is_there() -> None:
    for document in documents():
        for target, heading in re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", document.read_text("utf-8")):
            there = document.parent / target if target else document
            assert there.exists(), f"{document.name} links {target}"
            if heading:
                titles = re.findall(r"^#+ (.*)$", there.read_text("utf-8"), re.MULTILINE)
                slugs = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
                assert heading in slugs, f"{document.name} links {target}#{heading}"


def test_every_invariant_and_bar_is_proved_by_what_exists() -> None:
    from tests.benchmarks.faults import SCENARIOS

    rows = re.findall(r"^\| ([IB]\d+) \|(.*)\|$", (ROOT / "docs" / "reliability.md").read_text("utf-8"), re.MULTILINE)
    assert [name for name, _ in rows] == [f"I{n}" for n in range(1, 41)] + [f"B{n}" for n in range(1, 21)]
    sources = "\n".join(file.read_text("utf-8") for file in (ROOT / "tests").rglob("test_*.py"))
    there = set(re.findall(r"def (test_\w+)\(", sources))
    for name, reported in rows:
        tests = set(re.findall(r"`(test_\w+)`", reported))
        runs = set(re.findall(r"`bench faults (\w+)`", reported))
        assert tests <= there, name
        assert runs <= set(SCENARIOS), name
        assert tests or runs or "bench " in reported or "tests.tools.mutants" in reported, name


def test_every_fact_says_whose_word_it_is_and_what_a_lie_could_win() -> None:
    modules = [name for package in (pos, supply) for name in tables.modules_of(package)]
    there = {name for name in modules if re.search(r"^@?(applies|recovers)\(", source_of(name), re.MULTILINE)}
    entered = {module.__name__ for module in replica.HEARING} | {"pos.sync.replica", replica.__name__}
    assert there - entered == set(), "name them in HEARING of supply/sync/replica.py"
    assert [name for name, kind in FACTS.items() if facts.is_applied(kind) == kind.KEPT] == []
    document = (ROOT / "docs" / "reliability.md").read_text("utf-8")
    rows = [line.strip("|").split("|") for line in document.splitlines() if re.match(r"\| `[a-z_]+\.[a-z_]+` \|", line)]
    assert sorted(row[0].strip(" `") for row in rows) == sorted(FACTS)
    for topic, author, checked, won in rows:
        assert author.strip() == FACTS[topic.strip(" `")].SAID_BY, topic
        assert len(checked.split()) >= 2, topic
        assert len(won.split()) >= 2, topic


def test_every_recipe_names_tests_that_exist() -> None:
    files = [*(ROOT / "tests").rglob("test_*.py")]
    there = {file.stem for file in files}
    there.update(*(re.findall(r"def (test_\w+)\(", file.read_text("utf-8")) for file in files))
    sections = re.split(r"^## (.*)$", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), flags=re.MULTILINE)[1:]
    recipes = {
        name: set(re.findall(r"\btest_\w+", text))
        for name, text in zip(sections[::2], sections[1::2], strict=True)
        if name.startswith(("Add ", "Change "))
    }
    assert len(recipes) >= 8
    for name, named in recipes.items():
        assert named, f"which test follows “{name}”?"
        assert named <= there, name


def test_every_complaint_of_tills_is_answered_by_tests_that_exist() -> None:
    sources = "\n".join(file.read_text("utf-8") for file in (ROOT / "tests").rglob("test_*.py"))
    there = set(re.findall(r"def (test_\w+)\(", sources))
    rows = re.findall(r"^\| (\d+)\. (.*)\|$", (ROOT / "docs" / "complaints.md").read_text("utf-8"), re.MULTILINE)
    assert [int(number) for number, _ in rows] == list(range(1, 24))
    for number, reported in rows:
        named = set(re.findall(r"`(test_\w+)`", reported))
        assert named, number
        assert named <= there, (number, named - there)


def test_every_requirement_of_asvs_is_answered() -> None:
    sources = "\n".join(file.read_text("utf-8") for file in (ROOT / "tests").rglob("test_*.py"))
    there = set(re.findall(r"def (test_\w+)\(", sources))
    document = (ROOT / "docs" / "asvs.md").read_text("utf-8")
    rows = re.findall(r"^\| V(\d+)\.(\d+)\.(\d+) \|(.*)\|(.*)\|$", document, re.MULTILINE)
    numbers = [tuple(map(int, row[:3])) for row in rows]
    assert numbers == sorted(set(numbers))
    assert {chapter for chapter, *_ in numbers} == {*range(1, 10), *range(11, 17)}
    for number, (*_, does, proof) in zip(numbers, rows, strict=True):
        named = set(re.findall(r"`(test_\w+)`", proof))
        assert named <= there, (number, named - there)
        assert named or "does not apply: " in proof or "**open**: " in proof or "the linter (" in does, number
    said = re.search(r"^(\d+) of (\d+): (.*)\.$", document, re.MULTILINE)
    assert said
    is_open = [".".join(row[:3]) for row in rows if "**open**" in row[4]]
    assert said[3] == (", ".join(f"V{one}" for one in is_open) or "none")
    assert (int(said[1]), int(said[2])) == (len(is_open), len(rows))


def test_every_sensitive_column_has_its_level_and_the_policy_lists_it() -> None:
    from config.database import Base
    from store_app.runtime import protection

    found = protection.levels()
    policy = (ROOT / "docs" / "security.md").read_text("utf-8")
    for level, of in found.items():
        listed = "; ".join(f"{table} ({', '.join(columns)})" for table, columns in of.items())
        assert f"**{level}**: {listed}." in policy, f"docs/security.md lacks: **{level}**: {listed}."
        assert re.search(rf"^\| {level} \|(.*\|){{6}}$", policy, re.MULTILINE), f"nothing says how {level} is kept"
    known = {f"{table}.{column}" for of in found.values() for table, columns in of.items() for column in columns}
    telling = re.compile(
        r"phone|mail|street|birth|iban|(^|_)bic|bank_account|customer_id|member_id|cashier|actor_|pin_hash"
    )
    business = {"premises.phone", "store.phone", "supplier.email"}
    hidden = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if telling.search(column.name) and found["secret"].get(table.name) != ["*"]
    }
    assert hidden - known - business == set()


def test_the_policy_lists_every_log_and_nothing_else_is_written() -> None:
    policy = (ROOT / "docs" / "security.md").read_text("utf-8").partition("## Logs")[2].partition("\n## ")[0]
    rows = [line.strip("|").split("|") for line in policy.splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= 7
    assert all(len(row) == 7 and all(cell.strip() for cell in row) for row in rows)
    writing = re.compile(
        r"\b(?:logging\.(?:getLogger|basicConfig|\w*Handler)|syslog\.)|(?<![.\w])print\(|structlog\.\w*LoggerFactory"
    )
    writers = {
        path.relative_to(ROOT).as_posix()
        for package in ("config", "forecasting", "pos", "supply", "store_app")
        for path in (ROOT / package).rglob("*.py")
        if writing.search(re.sub(r'"[^"\n]*"', '""', path.read_text("utf-8"))) and "node_modules" not in path.parts
    }
    writers.discard("forecasting/accuracy/rivals.py")  # a measurement's own figures
    assert writers == {"config/log.py"}, "what is told goes through structlog to the service's one log"
