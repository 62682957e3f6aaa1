"""The manuals as a site: one a language, from `docs/manual/LANGUAGE`, read offline from a node or a folder.

Rules
-----
1. A language has the pages that lie in its folder, in the order of `PAGES`; a page's title is its first heading.
2. Scripts inside the pages become files: a node lets none run that is not its own file.
3. The site is made whole or not at all, where the build hook puts it: `store_app/static/manual`.
"""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from babel import Locale

HERE = Path(__file__).resolve().parent
PAGES = {
    "": "index glossary",
    "store": "start sign-in people sell pay refund close customers messages promotions products import labels order "
    "receive stock shelf pickup online deliver network transfers suppliers reports printer plugins practice trouble",
    "network": "start stores today demand purchasing allocate shelf offers routes money points trust lessons night",
    "system": "install settings access postgresql backup update keys monitor grow windows connections programs",
}
LANGUAGES = {
    "en": ("Corner store manual", "Run your store", "Run a network", "Set up and keep running"),
    "zh": ("小店使用手册", "经营门店"),
    "es": ("Manual de la tienda", "Llevar su tienda"),
    "de": ("Handbuch für das Geschäft", "Ihr Geschäft"),
}
"""Each language's site's name, and the headings of its parts."""
_SCRIPT = re.compile(r"<script>(.*?)</script>", re.DOTALL)
_SETTINGS = """
[project]
site_name = {title}
site_dir = "site"
use_directory_urls = false
nav = {nav}
extra_css = ["manual.css"]
[project.extra]
generator = false
{others}
[project.theme]
language = {language}
font = false
features = ["navigation.sections", "navigation.footer", "search.highlight", "toc.follow"]
[[project.theme.palette]]
media = "(prefers-color-scheme: light)"
scheme = "default"
primary = "custom"
accent = "custom"
[[project.theme.palette]]
media = "(prefers-color-scheme: dark)"
scheme = "slate"
primary = "custom"
accent = "custom"
"""


def build(site: Path) -> None:
    """Make the manual of every language under a folder."""
    made = site.with_name(site.name + ".new")
    shutil.rmtree(made, ignore_errors=True)
    for language in LANGUAGES:
        with tempfile.TemporaryDirectory(prefix="cornerstore-manual-") as folder:
            settings = Path(folder) / "zensical.toml"
            settings.write_text(_settings(language), "utf-8")
            shutil.copytree(HERE / "manual" / language, Path(folder) / "docs")
            shutil.copy2(HERE / "manual" / "manual.css", Path(folder) / "docs")
            words = [sys.executable, "-m", "zensical", "build", "--config-file", str(settings)]
            said = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            if said.returncode:
                raise SystemExit(said.stdout)
            shutil.copytree(Path(folder) / "site", made / language)
    for page in made.rglob("*.html"):
        _move_out(page, made)
    shutil.rmtree(site, ignore_errors=True)
    made.rename(site)


def pages(language: str) -> list[str]:
    """Name the pages a language has, in their order, such as `store/sell`."""
    named = [f"{part}/{name}".lstrip("/") for part, names in PAGES.items() for name in names.split()]
    return [name for name in named if (HERE / "manual" / language / f"{name}.md").exists()]


def _settings(language: str) -> str:
    title, *headings = LANGUAGES[language]
    there = pages(language)
    parts = [
        {heading: [f"{page}.md" for page in there if page.startswith(f"{part}/")]}
        for part, heading in zip(filter(None, PAGES), headings, strict=False)
    ]
    nav = ["index.md", *parts, "glossary.md"]
    others = "".join(
        f'[[project.extra.alternate]]\nname = "{Locale(code).display_name}"\nlink = "../{code}/index.html"\n'
        f'lang = "{code}"\n'
        for code in LANGUAGES
    )
    return _SETTINGS.format(title=_toml(title), nav=_toml(nav), others=others, language=_toml(language))


def _toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_toml(key)} = {_toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def _move_out(page: Path, site: Path) -> None:
    """Put a page's own scripts into files beside the sites (rule 2)."""

    def moved(found: re.Match[str]) -> str:
        name = f"{hashlib.sha256(found[1].encode()).hexdigest()[:16]}.js"
        (site / name).write_text(found[1], "utf-8")
        return f'<script src="{"../" * len(page.relative_to(site).parent.parts)}{name}"></script>'

    page.write_text(_SCRIPT.sub(moved, page.read_text("utf-8")), "utf-8")


if __name__ == "__main__":
    build(HERE.parent / "store_app" / "static" / "manual")
