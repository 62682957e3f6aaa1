"""What a search looks in: the words of a product, and for Chinese ones their pinyin. Pure."""

import re


def search_text_for(name: str, brand: str, category: str) -> str:
    """Return what the search looks in: lower-case words, and for Chinese ones pinyin, whole and initials."""
    plain = " ".join(filter(None, (name, brand, category)))
    words = [plain.casefold()]
    if any("\u3400" <= letter <= "\u9fff" for letter in plain):
        from pypinyin import Style, lazy_pinyin  # its dictionaries are large; only Chinese names need them

        for part in re.findall(r"[\u3400-\u9fff]+", plain):
            words.append("".join(lazy_pinyin(part)))
            words.append("".join(lazy_pinyin(part, style=Style.FIRST_LETTER)))
    return " ".join(dict.fromkeys(words))
