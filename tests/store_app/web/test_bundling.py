"""One script out of a page's modules: each once, the imported first, and nothing that would not run."""

import re
from pathlib import Path

import pytest

from store_app.web import bundling

TILL = Path(bundling.__file__).parents[1] / "static" / "till"


def test_every_module_stands_once_in_the_tills_script_behind_all_it_imports():
    text = bundling.bundle(TILL / "till.js", "/static/")
    order = re.findall(r"^// (\w+)\.js$", text, re.MULTILINE)
    assert order[-1] == "till"
    assert set(order) == {path.stem for path in TILL.glob("*.js")} - {"display", "drawer", "quick_keys"}, (
        "those have pages of their own"
    )
    assert len(order) == len(set(order))
    for name in order:
        asked = re.findall(r'^import .* from "\./(\w+)\.js";$', (TILL / f"{name}.js").read_text(), re.MULTILINE)
        assert all(order.index(one) < order.index(name) for one in asked), name
    assert 'import("/static/camera/counter.js")' in text


def test_a_sheet_loses_what_only_its_readers_need_and_nothing_else(tmp_path):
    (tmp_path / "a.css").write_text('/* why: "so" */\na::before { content: "a  ;  b" / "";\n  margin: 0 1px; }\n')
    (tmp_path / "b.css").write_text("@media (width > 1px) {\n  b, c { --x: rgb(1 2 3 / 4%); }\n}\n")
    assert bundling.sheet([tmp_path / "a.css", tmp_path / "b.css"]) == (
        'a::before{content: "a  ;  b" / "";margin: 0 1px}@media (width > 1px){b,c{--x: rgb(1 2 3 / 4%)}}'
    )


@pytest.mark.parametrize(
    ("modules", "words"),
    [
        ({"a": 'import { b } from "./b.js";', "b": 'import { a } from "./a.js";'}, "circle: a → b → a"),
        ({"a": 'import b from "./b.js";', "b": ""}, "a.js: cannot be put into one script: import b"),
        ({"a": "export default 1;"}, "a.js: cannot be put into one script: export default"),
    ],
)
def test_a_module_that_cannot_be_put_into_one_script_is_named(tmp_path, modules, words):
    for name, text in modules.items():
        (tmp_path / f"{name}.js").write_text(text)
    with pytest.raises(ValueError, match=re.escape(words)):
        bundling.bundle(tmp_path / "a.js", "/static/")
