"""The encoding of a text file that does not say it.

Rules
-----
1. A mark at the start decides, then UTF-8, then zeros between letters (UTF-16).
2. Of other encodings, only those that read every byte count. The text with the least nonsense wins
   (charset-normalizer's measure, and `_odd`); where several read as well, the one of the store's country, then of its
   language, then the most common one.
3. What was found is shown, and a person can choose another: a short file can be ambiguous.
"""

import unicodedata
from collections.abc import Iterator

from config.errors import Invalid

ENCODINGS = {
    "utf-8": "UTF-8", "utf-16": "UTF-16", "cp1252": "Windows-1252", "iso8859_15": "ISO-8859-15", "cp850": "CP850",
    "mac_roman": "Mac Roman", "cp1250": "Windows-1250", "iso8859_2": "ISO-8859-2", "cp852": "CP852",
    "cp1251": "Windows-1251", "koi8_r": "KOI8-R", "koi8_u": "KOI8-U", "cp866": "CP866", "cp1253": "Windows-1253",
    "iso8859_7": "ISO-8859-7", "cp1254": "Windows-1254", "cp1255": "Windows-1255", "cp1256": "Windows-1256",
    "cp1257": "Windows-1257", "cp1258": "Windows-1258", "cp874": "Windows-874", "gb18030": "GB18030",
    "big5hkscs": "Big5", "cp932": "Shift-JIS", "euc_jp": "EUC-JP", "cp949": "EUC-KR",
}  # fmt: skip
"""Python's name of each encoding that is read -> its name on screen."""
_FAMILIES = {
    "western": ("cp1252", "iso8859_15", "cp850", "mac_roman"),
    "simplified": ("gb18030", "big5hkscs"),
    "traditional": ("big5hkscs", "gb18030"),
    "japanese": ("cp932", "euc_jp"),
    "korean": ("cp949",),
    "central": ("cp1250", "iso8859_2", "cp852"),
    "cyrillic": ("cp1251", "koi8_r", "cp866"),
    "ukrainian": ("cp1251", "koi8_u", "cp866"),
    "greek": ("cp1253", "iso8859_7"),
    "turkish": ("cp1254",),
    "hebrew": ("cp1255",),
    "arabic": ("cp1256",),
    "baltic": ("cp1257",),
    "vietnamese": ("cp1258",),
    "thai": ("cp874",),
}
"""What the programs of a part of the world write, the most common first."""
_COUNTRIES = {
    "simplified": "CN SG", "traditional": "TW HK MO", "japanese": "JP", "korean": "KR KP",
    "central": "PL CZ SK HU RO MD SI HR BA ME AL", "cyrillic": "RU BY BG RS MK KZ KG TJ UZ TM MN", "ukrainian": "UA",
    "greek": "GR CY", "turkish": "TR AZ", "hebrew": "IL",
    "arabic": "EG SA AE MA DZ TN LY SD JO LB SY IQ KW QA BH OM YE PS IR AF PK", "baltic": "LT LV EE",
    "vietnamese": "VN", "thai": "TH",
}  # fmt: skip
_LANGUAGES = {
    "zh": "simplified", "ja": "japanese", "ko": "korean", "pl": "central", "cs": "central", "hu": "central",
    "ru": "cyrillic", "uk": "ukrainian", "el": "greek", "tr": "turkish", "he": "hebrew", "ar": "arabic",
    "vi": "vietnamese", "th": "thai",
}  # fmt: skip
_OF_COUNTRY = {country: family for family, countries in _COUNTRIES.items() for country in countries.split()}
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_COMMON = {
    "gb18030": ("gb2312", 0xD7),
    "big5hkscs": ("big5", 0xC6),
    "cp932": ("shift_jis", 0x97),
    "cp949": ("euc_kr", 0xC8),
}
"""Encodings of thousands of letters -> that which has the common ones, up to which first byte."""
_SAMPLE, _RARE = 16_000, "¤¶ƒ"


def decode(raw: bytes, chosen: str = "", *, country: str = "", language: str = "") -> tuple[str, str]:
    """Return the text of a file and its encoding, a key of ENCODINGS.

    chosen: the encoding that somebody chose, '' to find it. country, language: the store's, such as 'DE' and 'de'.
    """
    marked = next((encoding for mark, encoding in _MARKS if raw.startswith(mark)), "")
    if chosen:
        read_as = marked if marked.startswith(chosen) else _wide(raw) if chosen == "utf-16" else chosen
        if chosen in ENCODINGS and (text := _text(raw, read_as)) is not None:
            return text, chosen
        name = ENCODINGS.get(chosen, chosen)
        raise Invalid(
            "wrong-encoding",
            "The file cannot be read as %(encoding)s. Choose another encoding, or save it as UTF-8 and try again.",
            encoding=name,
        )
    for encoding in (marked, "utf-8", *_wide_guess(raw)):
        if encoding and (text := _text(raw, encoding)) is not None:
            return text, encoding.removesuffix("-sig").removesuffix("-le").removesuffix("-be")
    best = min(_readings(raw, _in_order(country, language)), default=None)
    if best is None or (text := _text(raw, best[2])) is None:
        raise Invalid("unknown-encoding", "The characters in the file cannot be read. Save it as UTF-8 and try again.")
    return text, best[2]


# --- inside ---


def _text(raw: bytes, encoding: str) -> str | None:
    """Return the whole text; None where it is not of this encoding, or holds zeros, which no table has."""
    try:
        text = raw.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return None
    return None if "\x00" in text else text


def _wide(raw: bytes) -> str:
    """Return how UTF-16 without a mark is read: the zeros of plain letters stand behind them, or before."""
    return "utf-16-be" if raw[0:200:2].count(0) > raw[1:200:2].count(0) else "utf-16-le"


def _wide_guess(raw: bytes) -> Iterator[str]:
    if b"\x00" in raw[:200]:
        yield _wide(raw)


def _in_order(country: str, language: str) -> list[str]:
    """Return all encodings of one byte or more a letter, the likeliest of this store first (rule 2)."""
    home = [_OF_COUNTRY.get(country, "western"), _LANGUAGES.get(language, ""), *_FAMILIES]
    firsts = [encoding for family in home[:2] for encoding in _FAMILIES.get(family, ())]
    firsts += [family[0] for family in (_FAMILIES["western"], _FAMILIES["simplified"])]
    rest = [family[n] for n in range(4) for family in _FAMILIES.values() if n < len(family)]
    return list(dict.fromkeys(firsts + rest))


def _readings(raw: bytes, encodings: list[str]) -> Iterator[tuple[int, int, str]]:
    """Yield the tenths of nonsense each encoding makes of the lines with special letters, its place, and its name."""
    from charset_normalizer import from_bytes

    sample = _sample(raw)
    for place, encoding in enumerate(encodings):
        try:
            text = sample.decode(encoding)
        except UnicodeDecodeError:
            continue
        found = from_bytes(
            sample, cp_isolation=[encoding], threshold=1.0, preemptive_behaviour=False, enable_fallback=False
        ).best()
        if found is not None and _text(raw, encoding) is not None:
            yield round(10 * (found.chaos + _odd(text) + _rare(text, encoding)) - 0.01), place, encoding


def _sample(raw: bytes) -> bytes:
    lines, size = [], 0
    for line in raw.splitlines(keepends=True):
        if not line.isascii():
            lines.append(line[:_SAMPLE])
            size += len(line)
        if size > _SAMPLE:
            break
    return b"".join(lines)


def _odd(text: str) -> float:
    """Return the share of special letters that make no sense beside their neighbours.

    A Chinese letter within a word of small Latin ones, a sign between two letters, letters of two scripts in one word,
    a capital within a word of small letters.
    """
    special = odd = 0
    for before, letter, after in zip(" " + text, text, text[1:] + " ", strict=False):
        if letter.isascii():
            continue
        special += 1
        kind = unicodedata.category(letter)
        beside = [near for near in (before, after) if near.isalpha()]
        if letter in _RARE:
            odd += 1
        elif kind == "Lo":
            half = _script(letter) == "HALFWIDTH"
            odd += any(near.islower() if near.isascii() else half and _script(near) == "CJK" for near in beside)
        elif kind[0] == "M":  # an accent of its own
            continue
        elif kind[0] == "L":
            script = _script(letter)
            odd += any(unicodedata.category(near) != "Lo" and _script(near) != script for near in beside)
            odd += letter.isupper() and (before.islower() or (before.isalpha() and after.islower()))
        else:
            odd += kind in ("Cc", "Co", "Cn") or len(beside) == 2
    return odd / special if special else 0.0


def _rare(text: str, encoding: str) -> float:
    """Return half the share of letters that are seldom written: nonsense meets them as often as others."""
    if encoding not in _COMMON:
        return 0.0
    common, last = _COMMON[encoding]
    letters = [letter for letter in text if unicodedata.category(letter) == "Lo"]
    seldom = sum((letter.encode(common, "ignore") or b"\xff")[0] > last for letter in letters)
    return seldom / len(letters) / 2 if letters else 0.0


def _script(letter: str) -> str:
    return unicodedata.name(letter, "").partition(" ")[0]
