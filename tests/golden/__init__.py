"""Golden files: what was right once, kept to be compared; `pytest --golden-update` writes them again."""

import os
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parent


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--golden-update`."""
    parser.addoption("--golden-update", action="store_true", help="write golden files again instead of comparing")


class Golden:
    """The golden files, and whether they may be written now."""

    def __init__(self, update: bool, folder: Path = FOLDER) -> None:
        if update and os.environ.get("CI", "").lower() in ("1", "true"):
            pytest.fail("golden files are never updated in CI: a person must look at them")
        self.update = update
        self.folder = folder

    def check(self, name: str, text: str) -> None:
        """Compare with the file `name`, or write it."""
        path = self.folder / name
        if self.update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        assert path.is_file(), f"{name} does not exist: look at the output, then run with --golden-update"
        assert text == path.read_text(encoding="utf-8")

    def require_no_others(self, folder: str, names: set[str]) -> None:
        """Fail for every file of a folder no test compares with."""
        found = {f"{folder}/{path.name}" for path in (self.folder / folder).iterdir() if path.is_file()}
        assert not found - names, f"nothing compares with {sorted(found - names)}: delete them"


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Give the golden files."""
    return Golden(bool(request.config.getoption("--golden-update")))
