"""Scripts and stylesheets as the build hook makes them: each page's in one file, and none is missing."""

import re
from pathlib import Path

import store_app

ROOT = Path(store_app.__file__).parent
STATIC, BUILT = ROOT / "static", ROOT / "static" / "built"


def test_what_pages_ask_for_is_made_and_what_is_made_is_asked_for():
    texts = [path.read_text("utf-8") for kind in ("html", "py") for path in ROOT.rglob(f"*.{kind}")]
    asked = {name for text in texts for name in re.findall(r"""\b(?:asset|text)\(["'](\w+/[^"']+)["']\)""", text)}
    asked |= {"storefront/storefront.css"}  # inside the page, or by its address
    by_scripts = {
        "camera/camera.css",
        "camera/camera.js",
        "camera/counter.js",
        "camera/reader.js",
        "till/custom_item.js",
        "till/new_product.js",
        "vendor/zxing_reader.js",
    }
    built = (path.relative_to(BUILT) for kind in ("js", "css", "svg") for path in BUILT.rglob(f"*.{kind}"))
    made = {path.as_posix() for path in built if path.parts[0] != "manual"}
    assert made == asked | by_scripts | {"storefront/base.css"}


def test_a_pages_script_is_one_file_and_holds_the_other_modules():
    till = (BUILT / "till" / "till.js").read_text("utf-8")
    assert not re.search(r'(?:^|[;}])import[{*"\s]', till), "it asks for nothing more before it runs"
    assert 'import("../camera/counter.js")' in till, "the camera comes when somebody asks for it"
    assert "cornerstore.touched" in till
    assert not (BUILT / "common" / "touched.js").exists()


def test_a_browser_keeps_what_it_asked_for_by_its_mark_and_asks_for_the_rest_again(house):
    page = house.signed_in().get("/till/").text
    marked = set(re.findall(r'(?:src|href)="(/static/built/[^"]+)"', page))
    assert len(marked) > 3
    for address in marked:
        assert "immutable" in house.visitor().get(address, buffered=True).headers["Cache-Control"], address
        for other in (address.partition("?")[0], f"{address}0"):
            assert house.visitor().get(other, buffered=True).headers["Cache-Control"] == "no-cache", other
