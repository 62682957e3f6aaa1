"""The looks of the pages: what a page names is styled by a sheet that it loads."""

import re
from pathlib import Path

import store_app

ROOT = Path(store_app.__file__).parent
# the online store's own, and the camera's with its script
LOADED_OTHERWISE = {"storefront/base", "storefront/storefront", "camera/camera"}


def _classes(css: str) -> set[str]:
    heads = re.findall(r"([^{}]+)\{", re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL))
    return {name for head in heads for name in re.findall(r"\.([a-z][\w-]*)", head)}


def test_a_page_loads_a_sheet_for_every_class_that_the_sheets_style():
    static = ROOT / "static"
    sheets = {
        path.relative_to(static).with_suffix("").as_posix(): _classes(path.read_text())
        for path in static.glob("*/*.css")
    }
    styled = set().union(*(names for sheet, names in sheets.items() if sheet not in LOADED_OTHERWISE))
    templates = ROOT / "templates"
    texts = {path.relative_to(templates).as_posix(): path.read_text() for path in templates.rglob("*.html")}
    leads = {
        name: set(re.findall(r"\{%-? *(?:extends|include|from|import) [\"']([^\"']+)", text))
        for name, text in texts.items()
    }

    def parts(name: str) -> set[str]:
        return {name}.union(*(parts(one) for one in leads.get(name, ())))

    pages = {name: parts(name) & set(texts) for name in texts if "base.html" in leads[name]}
    assert len(pages) > 100
    bare = {}
    for page, of in pages.items():
        text = "".join(texts[one] for one in of)
        loaded = set().union(*(sheets[sheet] for sheet in re.findall(r"asset\('(\w+/\w+)\.css'", text)))
        named = " ".join(re.sub(r"\{[{%].*?[%}]\}", " ", words) for words in re.findall(r'class="([^"]*)"', text))
        if missing := styled.intersection(named.split()) - loaded:
            bare[page] = missing
    assert bare == {}


def test_a_figures_cell_which_never_wraps_holds_no_sentence():
    long = {}
    for path in (ROOT / "templates").rglob("*.html"):
        for cell in re.findall(r'<td class="[^"]*\bnumber\b[^>]*>(.*?)</td>', path.read_text(), re.DOTALL):
            seen = re.sub(
                r'<span class="visually-hidden">.*?</span>|(?:aria-label|title|placeholder)="[^"]*"', "", cell
            )
            if said := [words for words in re.findall(r"_\('([^']*)'", seen) if len(words) > 40]:
                long[path.name] = said
    assert long == {}
