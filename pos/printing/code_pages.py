"""Code pages: which of a western printer's own letters print a text, and how they are called.

Rules
-----
1. Only pages of upright letters of one column, written left to right, are used; what needs joining or turning
   (Arabic, Hebrew, Thai, Vietnamese) is drawn.
2. A profile of python-escpos says which page has which number. Of a printer nobody named, only the numbers that
   nearly all agree on are believed.
3. A text is printed on one page if any has all its letters, else letter by letter on the best one; a letter that
   none has: None, and the line is drawn. Never `?`.
"""

from functools import lru_cache

_CODECS = {
    "CP858": "cp858", "CP1252": "cp1252", "CP850": "cp850", "CP437": "cp437", "CP852": "cp852", "CP866": "cp866",
    "CP1250": "cp1250", "CP1251": "cp1251", "CP1253": "cp1253", "ISO_8859-7": "iso8859_7", "CP737": "cp737",
    "CP1257": "cp1257", "CP775": "cp775", "CP1254": "cp1254", "ISO_8859-2": "iso8859_2", "ISO_8859-15": "iso8859_15",
    "CP855": "cp855", "CP1125": "cp1125", "CP860": "cp860", "CP861": "cp861", "CP863": "cp863", "CP865": "cp865",
}  # fmt: skip
"""The pages of rule 1, the one tried first at the top."""
_COMMON = {0: "CP437", 2: "CP850", 3: "CP860", 4: "CP863", 5: "CP865", 16: "CP1252", 17: "CP866", 18: "CP852",
           19: "CP858"}  # fmt: skip
UNNAMED = "default"


@lru_cache(maxsize=64)
def pages_of(profile: str) -> tuple[tuple[int, str], ...]:
    """Return (number, codec) of the pages a profile's printer has, the first tried first; never empty."""
    known = _COMMON if profile == UNNAMED else _pages_of_profile(profile)
    numbers: dict[str, int] = {}
    for number, name in sorted(known.items()):
        numbers.setdefault(name, number)
    return tuple((numbers[name], codec) for name, codec in _CODECS.items() if name in numbers) or ((0, "cp437"),)


@lru_cache(maxsize=4096)
def written(text: str, profile: str, page: int) -> tuple[bytes, int] | None:
    """Return the bytes that print a text while `page` is chosen, and the page chosen after it; None by rule 3."""
    text = text.replace("￥", "¥").replace("￡", "£")
    pages = dict(pages_of(profile))
    for number in (page, *pages):
        with_page = _on(text, pages.get(number))
        if with_page is not None:
            return (with_page if number == page else _choice(number) + with_page), number
    coded = bytearray()
    for char in text:
        for number in (page, *pages):
            one = _on(char, pages.get(number))
            if one is not None:
                coded += one if number == page else _choice(number) + one
                page = number
                break
        else:
            return None
    return bytes(coded), page


def codec_of(number: int, profile: str) -> str | None:
    """Return the codec of a page by its number, None for one that is never chosen here."""
    return dict(pages_of(profile)).get(number)


# --- inside ---


def _choice(number: int) -> bytes:
    return b"\x1bt" + bytes([number])


def _on(text: str, codec: str | None) -> bytes | None:
    if codec is None:
        return None
    try:
        coded = text.encode(codec)
    except UnicodeEncodeError:
        return None
    return None if min(coded, default=0x20) < 0x20 or 0x7F in coded else coded


def _pages_of_profile(profile: str) -> dict[int, str]:
    from pos.printing.models import load_escpos

    known = load_escpos().Dummy(profile=profile).profile.profile_data["codePages"]
    return {int(number): name for number, name in known.items()}
