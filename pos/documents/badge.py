"""The badge on receipt paper: a name and the code to scan, to be cut out and kept like a key. Pure."""

from typing import Any

from pos.documents.paper import BLANK, CUT, PaperLine, centred

WORDS = {
    "en": {"title": "BADGE", "keep": "Keep it like a key. Lost? Tell the shopkeeper at once."},
    "zh": {"title": "工牌", "keep": "请像钥匙一样保管，遗失请立即告诉店主。"},
}


def badge_slip(document: dict[str, Any], *, columns: int, language: str = "en") -> list[PaperLine]:
    """Lay out a person's badge. document: store, name, code; it is printed at once and kept nowhere."""
    words = WORDS[language]
    lines = [*centred(document["store"]["name"], columns), BLANK]
    lines += centred(words["title"], columns, bold=True, wide=2, tall=2)
    lines += [*centred(document["name"], columns, bold=True, wide=2, tall=2), BLANK]
    lines += [PaperLine(document["code"], align="center", kind="qr"), BLANK]
    return [*lines, *centred(words["keep"], columns), CUT]
