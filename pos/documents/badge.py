"""The badge on receipt paper: a name and the code to scan, to be cut out and kept like a key. Pure."""

from typing import Any

from pos.documents.paper import BLANK, CUT, PaperLine, centred, said_in


def badge_slip(document: dict[str, Any], *, columns: int, language: str = "en") -> list[PaperLine]:
    """Lay out a person's badge. document: store, name, code; it is printed at once and kept nowhere."""
    say = said_in(document, language)
    lines = [*centred(document["store"]["name"], columns), BLANK]
    lines += centred(say("BADGE"), columns, bold=True, tall=2)
    lines += [*centred(document["name"], columns, bold=True, wide=2, tall=2), BLANK]
    lines += [PaperLine(document["code"], align="center", kind="qr"), BLANK]
    return [*lines, *centred(say("Treat it like a key. If you lose it, tell the shopkeeper at once."), columns), CUT]
