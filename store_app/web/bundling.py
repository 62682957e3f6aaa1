"""One script out of the modules of a page, one sheet out of several: a browser asks once and reads them sooner.

Our modules keep to a narrow form, and anything else is refused: imports `import { a, b as c } from "./x.js";` on one
line each, exports in front of a function, a class or a const, no circles. Each becomes a function that is called once
and gives what the module exports, the imported before the importing, so every module still has its own names.
"""

import re
from collections.abc import Iterable
from pathlib import Path

_IMPORT = re.compile(r'^import \{ ([^}]+) \} from "\./(\w+)\.js";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async function|function|class|const) ([\w$]+))", re.MULTILINE)
_LATER = re.compile(r'\bimport\("\.\./')
_OTHER = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)
_SAID = re.compile(r"/\*.*?\*/", re.DOTALL)
_ROOM = re.compile(r"\s*([{};,])\s*")
_QUOTED = re.compile(r"""("[^"\n]*"|'[^'\n]*')""")


def bundle(first: Path, static: str) -> str:
    """Return `first` and all it imports from its folder as one module.

    static: the address of the folder above, for what a module asks for later. Raises ValueError where a module does not
    keep to the form.
    """
    written: dict[str, str] = {}
    _write(first, static, written, ())
    return "\n".join(written.values())


def sheet(paths: Iterable[Path]) -> str:
    """Return stylesheets as one, in their order, without what only a reader of them needs; what is quoted is kept."""
    text = "\n".join(_SAID.sub("", path.read_text(encoding="utf-8")) for path in paths)
    parts = _QUOTED.split(text)
    parts[::2] = (_ROOM.sub(r"\1", re.sub(r"\s+", " ", part)).replace(";}", "}") for part in parts[::2])
    return "".join(parts).strip()


def _write(path: Path, static: str, written: dict[str, str], asking: tuple[str, ...]) -> None:
    if path.stem in asking:
        raise ValueError(f"modules in a circle: {' → '.join([*asking, path.stem])}")
    if path.stem in written:
        return
    text = path.read_text(encoding="utf-8")
    for _, name in _IMPORT.findall(text):
        _write(path.with_name(f"{name}.js"), static, written, (*asking, path.stem))
    exported = _EXPORT.findall(text)
    text = _EXPORT.sub(
        "", _IMPORT.sub(lambda found: f"const {{ {found[1].replace(' as ', ': ')} }} = {found[2]}_;", text)
    )
    if strange := _OTHER.search(text):
        raise ValueError(f"{path.name}: cannot be put into one script: {strange[0]}")
    text = _LATER.sub(f'import("{static}', text)
    written[path.stem] = (
        f"// {path.name}\nconst {path.stem}_ = (() => {{\n{text}\nreturn {{ {', '.join(exported)} }};\n}})();"
    )
