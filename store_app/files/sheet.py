"""A file that was read: its rows, and what is wrong with them."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _

from config.errors import NotFound
from store_app.words import words as general_words


@dataclass(frozen=True)
class Fault:
    """One thing wrong with a file: where, and what is expected."""

    row: int
    column: str
    words: str

    def __str__(self) -> str:
        return _("Row %(row)s, %(column)s: %(words)s", row=self.row, column=self.column, words=self.words)


@dataclass
class Sheet:
    """A file that was read: its kind, what it says about itself, its rows as values, and all its faults."""

    kind: str
    described: str
    columns: list[str]
    texts: list[dict[str, str]]
    numbers: list[int] = field(default_factory=list)
    """The row of each text in the table (rule 3): blank lines count."""
    values: list[dict[str, Any]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    is_calendar: bool = False
    """Who brings it in sees its names first: a school's calendar has more than holidays."""
    encoding: str = ""
    """How a text was read (`encodings.ENCODINGS`); '' for what has none."""

    @property
    def rows(self) -> int:
        """Return how many rows there are under the heading."""
        return len(self.texts)

    def first(self, count: int) -> Iterator[list[str]]:
        """Return the first rows as text, for the preview."""
        return ([row[column] for column in self.columns] for row in self.texts[:count])

    def keep(self, names: Collection[str]) -> None:
        """Leave out the rows of other names; NotFound where the file has none of one of these."""
        there = dict.fromkeys(str(row.get("name", "")) for row in self.values)
        if unknown := [name for name in names if name not in there]:
            words = _(
                "The file has no %(name)s. Available: %(known)s.", name=unknown[0], known=general_words.few(there, 20)
            )
            raise NotFound("no-such-name", words)
        kept = [n for n, row in enumerate(self.values) if row.get("name") in names]
        self.texts, self.numbers = [self.texts[n] for n in kept], [self.numbers[n] for n in kept]
        self.values = [self.values[n] for n in kept]
