"""Global trade item numbers: 8, 12, 13 or 14 digits, the last of them a check digit. Pure.

Source: GS1 General Specifications 3.3 (what they are) and 7.9.1 (the check digit).
"""

LENGTHS = (8, 12, 13, 14)


def check_digit(body: str) -> str:
    """Return the check digit of a GTIN without it (weights 3, 1 from the right)."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(body)))
    return str(-total % 10)


def has_digits(code: str) -> bool:
    """Tell whether a code has as many digits as a GTIN, and nothing else."""
    return len(code) in LENGTHS and code.isascii() and code.isdigit()


def is_gtin(code: str) -> bool:
    """Tell whether a code is a GTIN: 8, 12, 13 or 14 digits with the right check digit."""
    return has_digits(code) and check_digit(code[:-1]) == code[-1]


def spellings(code: str) -> list[str]:
    """Return the code and the same number with other leading zeros; any other text as it is."""
    if not has_digits(code):
        return [code]
    bare = code.lstrip("0")
    return list(dict.fromkeys([code, *(bare.zfill(length) for length in LENGTHS if length >= len(bare))]))
