"""The icons of the pages: heroicons' drawings, by name, style and size.

The package opens its archive again for each icon, 8 ms each time; here it is opened once.
"""

from collections.abc import Callable
from functools import cache, lru_cache
from importlib.resources import as_file, files
from xml.etree import ElementTree
from zipfile import ZipFile

from markupsafe import Markup

STYLES = ("micro", "mini", "outline", "solid")
_NAMESPACE = "{http://www.w3.org/2000/svg}"


def drawers() -> dict[str, Callable[..., Markup]]:
    """Return what templates draw icons with: 'heroicon_outline' and its like → a function (name, *, size, **attrs)."""
    return {f"heroicon_{style}": _drawer(style) for style in STYLES}


def _drawer(style: str) -> Callable[..., Markup]:
    @lru_cache(1_000)
    def draw(name: str, *, size: int, **attributes: str) -> Markup:
        icon = ElementTree.fromstring(_archive().read(f"{style}/{name}.svg"))  # noqa: S314 the package's own drawing
        for part in icon.iter():
            part.tag = part.tag.removeprefix(_NAMESPACE)
        icon.attrib |= {"width": str(size), "height": str(size)}
        icon.attrib |= {word.replace("_", "-"): value for word, value in attributes.items()}
        return Markup(ElementTree.tostring(icon, encoding="unicode"))  # noqa: S704

    return draw


@cache
def _archive() -> ZipFile:
    with as_file(files("heroicons") / "heroicons.zip") as path:
        return ZipFile(path)
