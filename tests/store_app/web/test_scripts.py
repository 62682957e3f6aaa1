"""The browser's scripts of ours: nothing a person or a server says becomes the name of a property."""

import re
from pathlib import Path

STATIC = Path(__file__).resolve().parents[3] / "store_app" / "static"
NAMED_BY_US = {
    "till/catalogue.js: found[rank]": "a list's place",
    "till/catalogue.js: spots[place]": "a page's place, a number the server keeps within a page",
    "till/dom.js: Reflect.set(made, wish": "of an element's wishes, written in our scripts",
}
"""Every property that is set by a name in a variable, and where the name is from."""


def test_no_script_sets_a_property_by_a_name_somebody_sent():
    scripts = [path for path in STATIC.rglob("*.js") if not {"built", "manual"} & set(path.parts)]
    found, merging = set(), []
    for path in scripts:
        name, text = path.relative_to(STATIC).as_posix(), path.read_text("utf-8")
        code = re.sub(r"(?m)//.*$", "", re.sub(r"(?s)/\*.*?\*/", "", text))
        for target, key in re.findall(r"([\w.$)]+)\[([^\[\]]+)\]\s*(?:\?\?|\|\||[+*-])?=(?![=>])", code):
            if not re.fullmatch(r"""\d+|"[^"]*"|'[^']*'""", key) and target not in ("const", "let", "var"):
                found.add(f"{name}: {target}[{key}]")
        found |= {f"{name}: {call}" for call in re.findall(r"Reflect\.set\(\w+, \w+", code)}
        merging += [name] if re.search(r"__proto__|setPrototypeOf|\bfor \((?:const|let|var) \w+ in\b", code) else []
    assert found == set(NAMED_BY_US)
    assert merging == [], (
        "for … in and prototypes by hand go through what an object inherits: use Map, Set, Object.entries"
    )
