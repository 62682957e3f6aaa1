"""The house's figures, for somebody to look at: the largest of everything that grows unseen. Nothing here fails.

`python3 run check` ends with them. What we aim at: 25 modules a room, 300 to 700 lines a file, complexity 10, eight
arguments.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("config", "forecasting", "pos", "supply", "store_app")
SHOWN = 4


def sources() -> dict[Path, str]:
    """Return every product file but migrations, by its path from the root."""
    found = (path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return {
        path.relative_to(ROOT): path.read_text("utf-8")
        for path in found
        if not {"migrations", "static", "node_modules"} & set(path.parts)
    }


def main() -> None:
    """Print one line for each figure."""
    files = sources()
    trees = {path: ast.parse(text) for path, text in files.items()}
    rooms = Counter(path.parent.as_posix() for path in files if path.name != "__init__.py")
    functions = [(path, node) for path, tree in trees.items() for node in ast.walk(tree) if _is_function(node)]
    lengths = {f"{path}:{node.lineno} {node.name}": _length(node) for path, node in functions}
    arguments = {f"{path}:{node.lineno} {node.name}": _arguments(node) for path, node in functions}
    again = [f"{path}:{line}" for path, tree in trees.items() for line in _same_names(tree)]
    print(f"{len(files)} files, {sum(text.count(chr(10)) for text in files.values()):,} lines, {len(rooms)} rooms")
    _say("largest rooms", rooms)
    _say("longest files", {path.as_posix(): text.count("\n") for path, text in files.items()})
    _say("longest functions", lengths)
    _say("most complex functions", _complexity())
    _say("most arguments", arguments)
    print(f"{'named X as X':<24}{len(again)}  {', '.join(again[:SHOWN])}")
    manual = ROOT / "docs" / "manual" / "en"
    ease = sorted((reading_ease(page.read_text("utf-8")), page.relative_to(manual)) for page in manual.rglob("*.md"))
    print(f"{'manual, reading ease':<24}" + ", ".join(f"{value} {page.with_suffix('')}" for value, page in ease))


def reading_ease(text: str) -> int:
    """Return Flesch's reading ease of a Markdown text: 60 is plain English, 30 is hard. Syllables are estimated."""
    text = re.sub(r"```[^`]*```|^    .*$|`[^`]*`|\]\([^)]*\)|^#.*$", " ", text, flags=re.MULTILINE)
    sentences = [one.split() for one in re.split(r"[.!?:|]\s|\n\s*\n|\n\s*(?:-|\d+\.) ", text)]
    words = [word for one in sentences if len(one) > 1 for word in re.findall(r"[a-z]+", " ".join(one).lower())]
    syllables = sum(max(1, len(re.findall(r"[aeiouy]+", re.sub(r"(?<![lt])e(?:d|s)?$", "", word)))) for word in words)
    return round(206.835 - 1.015 * len(words) / sum(len(one) > 1 for one in sentences) - 84.6 * syllables / len(words))


def _is_function(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def _length(node: ast.FunctionDef) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def _arguments(node: ast.FunctionDef) -> int:
    return len([*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs])


def _same_names(tree: ast.Module) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            yield from (node.lineno for one in node.names if one.asname == one.name)


def _complexity() -> dict[str, int]:
    words = [sys.executable, "-m", "ruff", "check", "--select", "C901", "--config", "lint.mccabe.max-complexity=9"]
    answer = subprocess.run([*words, "--output-format", "json", *PACKAGES], cwd=ROOT, capture_output=True, check=False)
    found = {}
    for fault in json.loads(answer.stdout or b"[]"):
        place = Path(fault["filename"]).relative_to(ROOT)
        name, reported = fault["message"].split("`")[1], fault["message"].split("(")[1]
        found[f"{place}:{fault['location']['row']} {name}"] = int(reported.split(" ")[0])
    return found


def _say(what: str, found: dict[str, int]) -> None:
    most = sorted(found.items(), key=lambda one: (-one[1], one[0]))[:SHOWN]
    print(f"{what:<24}" + ", ".join(f"{value} {name}" for name, value in most))


if __name__ == "__main__":
    main()
