"""One script out of a page's modules, one sheet out of several, the online store's look: a browser asks once.

Our modules keep to a narrow form, and anything else is refused: imports `import { a, b as c } from "./x.js";` on one
line each, exports in front of a function, a class or a const, no circles. Each becomes a function that is called once
and gives what the module exports, the imported before the importing, so every module still has its own names.

Rules
-----
1. A browser that was never here gets sheet and look inside its first page: on a slow line each request before the
   first paint costs more than these kilobytes. Whoever comes with our cookie gets an address instead, which changes
   with the sheet, so that a browser asks for it once.
"""

import hashlib
import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from flask import current_app, request, url_for
from markupsafe import Markup

from store_app.web.security import csp_nonce

_IMPORT = re.compile(r'^import \{ ([^}]+) \} from "\./(\w+)\.js";$', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:async function|function|class|const) ([\w$]+))", re.MULTILINE)
_LATER = re.compile(r'\bimport\("\.\./')
_OTHER = re.compile(r"^(?:import|export)\b.*", re.MULTILINE)
_SAID = re.compile(r"/\*.*?\*/", re.DOTALL)
_ROOM = re.compile(r"\s*([{};,])\s*")
_QUOTED = re.compile(r"""("[^"\n]*"|'[^'\n]*')""")

SHEETS = ("storefront/base.css", "common/cornerstore.css", "storefront/storefront.css")
KEPT_S = 31_536_000


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


def dress(slug: str) -> Markup:
    """Return what stands in the head of a shop's page: the look, then the sheet or its address (rule 1)."""
    nonce = csp_nonce()
    look = Markup('<script nonce="{}">{}</script>').format(nonce, Markup(_look()))  # noqa: S704  our own script
    if is_known():
        address = url_for("storefront.shop_sheet", slug=slug, mark=shop_sheet()[1])
        return look + Markup('<link rel="stylesheet" href="{}">').format(address)
    return look + Markup('<style nonce="{}">{}</style>').format(nonce, Markup(shop_sheet()[0]))  # noqa: S704  our own


def is_known() -> bool:
    """Tell whether this browser was here before, and has the sheet."""
    return current_app.config["SESSION_COOKIE_NAME"] in request.cookies


@cache
def shop_sheet() -> tuple[str, str]:
    """Return the one sheet and its mark."""
    body = sheet([_folder() / name for name in SHEETS])
    return body, hashlib.sha256(body.encode()).hexdigest()[:16]


@cache
def worker() -> str:
    """Return the script that stands in for the shop without a line."""
    return (_folder() / "storefront" / "worker.js").read_text("utf-8")


@cache
def _look() -> str:
    return (_folder() / "common" / "look.js").read_text("utf-8").split("\n", 1)[1]


def _folder() -> Path:
    return Path(str(current_app.static_folder))
