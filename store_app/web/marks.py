"""Which mark stands before the decimals of a table's numbers: told by a column as a whole, never by one cell.

Rules
-----
1. A mark is the point or the comma. Thousands are grouped by the other one, by blanks or by apostrophes, in threes.
2. A text that only one mark can read (1,5 or 1.234,50) tells its column’s mark; where they differ, most texts do.
3. Where each text could be read by either (1,234), the column tells nothing and somebody has to say.
"""

import re
from collections import Counter
from collections.abc import Iterable

POINT, COMMA = "point", "comma"
MARKS = (POINT, COMMA)
OTHER = {POINT: COMMA, COMMA: POINT}
_GROUPED = r"(-?)(\d+|[1-9]\d{{0,2}}(?:([{group}'’ \u00a0\u2009\u202f])\d{{3}})(?:\3\d{{3}})*)(?:[{mark}](\d+))?"
_WRITTEN = {
    POINT: re.compile(_GROUPED.format(group=",", mark="."), re.ASCII),
    COMMA: re.compile(_GROUPED.format(group=".", mark=","), re.ASCII),
}


def plain(text: str, mark: str) -> str | None:
    """Return a number as a point alone writes it, None where it is none by that mark (rule 1)."""
    found = _WRITTEN[mark].fullmatch(text)
    if found is None:
        return None
    sign, whole, group, decimals = found.groups()
    whole = whole.replace(group, "") if group else whole
    return f"{sign}{whole}.{decimals}" if decimals else f"{sign}{whole}"


def told(texts: Iterable[str]) -> str:
    """Return the one mark that texts of several columns tell, '' where none or both do (rule 2)."""
    found = {
        mark for text in set(texts) for mark in MARKS
        if plain(text, mark) is not None and plain(text, OTHER[mark]) is None
    }  # fmt: skip
    return found.pop() if len(found) == 1 else ""


def reported(texts: Iterable[str]) -> tuple[str, str]:
    """Return the mark that a column tells, and ''; or '' and the first text that may be read by either (rules 2, 3)."""
    send, either = Counter[str](), ""
    for text, times in Counter(texts).items():
        readings = {mark: plain(text, mark) for mark in MARKS}
        if readings[POINT] == readings[COMMA]:
            continue
        fitting = [mark for mark in MARKS if readings[mark] is not None]
        if len(fitting) == 1:
            send[fitting[0]] += times
        else:
            either = either or text
    if send or not either:
        return max(MARKS, key=lambda mark: send[mark]), ""
    return "", either
