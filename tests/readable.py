"""What a text or a paper says to a person who reads it."""

import re
from collections.abc import Iterable

from pos.documents.paper import PaperLine, composed
from pos.printing import escpos, preview


def readable(text: str) -> str:
    """Leave out ids, hashes and tokens, in which any short word can stand by chance: twenty or more of their
    letters."""
    return re.sub(r"[A-Za-z0-9_+/=.-]{20,}", "…", text)


def as_text(lines: Iterable[PaperLine], columns: int) -> str:
    """Return a document as plain text; a big line is marked, as in `x2:2 | TOTAL`, a struck one `~so~`."""
    written = []
    for line in lines:
        mark = f"x{line.wide}:{line.tall} | " if line.wide > 1 or line.tall > 1 else ""
        text = composed(line, columns)
        if line.struck:
            text = text.replace(line.text, f"~{line.text}~")
        written.append((mark + text).rstrip())
    return "\n".join(written) + "\n"


def paper_text(paper: bytes, profile: str = escpos.UNNAMED) -> str:
    """Return what the bytes print, as plain text: pictures of lines and symbols are named in brackets."""
    written = []
    for mark in preview.read(paper, profile):
        size = f"x{mark.wide}:{mark.tall} | " if mark.kind == "text" and (mark.wide > 1 or mark.tall > 1) else ""
        written.append(size + mark.text if mark.kind == "text" else f"[{mark.kind} {mark.text}]".replace(" ]", "]"))
    return "\n".join(line.rstrip() for line in written) + "\n"
