"""A file that was read: its rows, and what is wrong with them."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask_babel import gettext as _

from config.errors import Invalid, NotFound
from store_app.files.product_columns import Columns
from store_app.files.tables import MOST_ROWS
from store_app.words import words as general_words

TAX = "tax"
MOST_FAULTS = 200
"""So many faults of a file are looked for beside what is here."""


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
    titles: Mapping[str, str] = field(default_factory=dict)
    """Column -> what the file calls it, where that is not our name."""
    found: Columns | None = None
    """What the columns of somebody else's list hold."""
    answers: Mapping[str, str] = field(default_factory=dict)
    """What a person said of the file (`product_columns`, rule 4; `products`, rule 3)."""
    asks: dict[str, list[str]] = field(default_factory=dict)
    """What a person has to say before it can be written: the question -> what it is about."""
    notes: list[str] = field(default_factory=list)
    """What somebody should know of it."""

    @property
    def rows(self) -> int:
        """Return how many rows there are under the heading."""
        return len(self.texts)

    @property
    def is_open(self) -> bool:
        """Tell whether somebody has to answer before its faults count: a tax is asked for once no row is wrong."""
        return bool(set(self.asks) - {TAX}) or (TAX in self.asks and not self.faults)

    def fault(self, row: int, column: str, words: str) -> None:
        """Add what is wrong with a cell, under the file's own name of its column."""
        self.faults.append(Fault(row, self.titles.get(column, column), words))

    def add(self, number: int, texts: dict[str, str]) -> None:
        """Add a row."""
        self.texts.append(texts)
        self.numbers.append(number)
        if len(self.texts) > MOST_ROWS:
            raise Invalid("too-many-rows", "A file can have up to %(most)s rows. Split it.", most=f"{MOST_ROWS:,}")

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
