"""A message's lines, each with how much is wanted of what: "2 kg atta, same milk as last time, a dozen eggs".

Rules
-----
1. Nothing is dropped: each word of the message is in one line's text, but for bullets, numbering and the words between
   two lines. What is no product (a greeting, "no sugar") is a line, too.
2. Lines end where the message says so (a new line, a semicolon, a bullet) and, perhaps, at a comma or an "and"; only
   the catalogue knows whether "salt and vinegar" are two things (`matching`).
3. A reading is a guess at which words are the product's. There are several: the 7 of "7 up" is no amount.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from pos.catalogue.search_index import words_of
from pos.lists import vocabulary
from pos.lists.vocabulary import (
    ARTICLES,
    CONTAINERS,
    HANZI,
    LARGE,
    MANY,
    MEASURES,
    NUMBERS,
    OF,
    SMALL,
    STOP,
    TIMES,
    fold,
)

MOST_COUNT = 9_999
HARD = re.compile(r"[\n\r\v\f\x85\u2028\u2029;；。•●▪◦|]+|(?<=[^\W\d])[!！?？]+\s*")
_BULLET = re.compile(
    r"^\s*(?:\[\d{1,2}[.:/]\d{1,2}[^\]]{0,30}\]\s*[^:]{1,40}:|\[[ xX✓]?\]|[-*–—•·▪◦●○☐☑✓✔✅□■→>~]+"
    r"|\(?\d{1,2}[.)、](?=\s|[^\W\d])"
    r"|\d{1,2}️?⃣)\s*"
)
_MARKS = re.compile(r"[^\w\s.,/%&+'×*-]+|_+")
_HANZI_COUNT = re.compile(
    rf"([{''.join(HANZI)}]+|\d+(?:[.,]\d+)?)\s*("
    + "|".join(sorted((one for one in (*MEASURES, *CONTAINERS) if not one.isascii()), key=len, reverse=True))
    + r")(半)?"
)
_HOLD_PIECES = ("pack", "packs", "box", "boxes")
_MULTIPACKS = frozenset(map(Fraction, (4, 6, 8, 12, 18, 20, 24, 30)))
_TOKEN = re.compile(r"\d+/\d+|\d+(?:[.,]\d+)*%?(?![^\W_])|[^\W_]+(?:['.,-][^\W_]+)*|[×*&+]")
_HAN_DIGIT = re.compile(r"(?<=[\u3040-\u9fff])(?=\d)|(?<=\d)(?=[\u3040-\u9fff])")
_UNIT_AFTER = re.compile(
    rf"(?<=\d)\s*({'|'.join(sorted((one for one in (*MEASURES, *CONTAINERS) if one.isascii()), key=len, reverse=True))}"
    r"|er|x)(?![^\W_])"
)
_TIMES_BEFORE = re.compile(r"(?<![^\W_])x(?=\d)|(?<=\d)x(?=\d)")


_SIZE = re.compile(
    rf"(?<![^\W_])\d+(?:[.,]\d+)?\s*(?:x\s*\d+(?:[.,]\d+)?\s*)?"
    rf"(?:{'|'.join(sorted(MEASURES, key=len, reverse=True))})(?![^\W_])"
)
_PIECES = re.compile(
    r",\s*(\d{1,3})\s*$|\b(\d{1,3})\s*-?\s*(?:pack|pk|er|pcs|pieces?|count|ct|rolls?|stuck|stk|uds?|unidades|rollos?|rollen"
    r"|eggs)\b|\bpack of (\d{1,3})\b|(\d{1,3})\s*(?:个|枚|只|卷)"
)


@dataclass(frozen=True)
class Measure:
    """An amount by weight, volume or pieces. kind: g, ml, pieces, or '' where nothing says which (Fanta 330)."""

    kind: str
    size: Fraction


@dataclass(frozen=True)
class Pack:
    """What one unit of a product holds: so many pieces of a size each."""

    kind: str
    each: Fraction
    pieces: Fraction

    @property
    def total(self) -> Fraction:
        return self.each * self.pieces


@dataclass(frozen=True)
class Reading:
    """What a line may mean. words: the product's; is_same: the one bought before; without: words it should not have.

    count: how many, None where it is not said; measure: of each where there is a count, else of all together; pieces:
    in each of them, where both are said (2 x 6 x 330 ml).
    """

    words: tuple[str, ...] = ()
    count: Fraction | None = None
    measure: Measure | None = None
    pieces: Fraction | None = None
    without: tuple[str, ...] = ()
    is_same: bool = False
    larger: int = 0
    """1: a large one is wanted, -1: a small one."""
    is_vague: bool = False
    """The amount is in cases or trays."""
    is_literal: bool = False
    """Its numbers are taken for part of the name."""


@dataclass(frozen=True)
class Part:
    """A stretch of a line between two joints. before: the joint in front of it, '' at the beginning."""

    text: str
    before: str = ""

    def joined(self, other: "Part") -> "Part":
        """Return this part with the one after it."""
        return Part(self.text + other.before + other.text, self.before)


def lines_of(message: str) -> list[list[Part]]:
    """Return the message's lines, each in the parts it may consist of (rule 2)."""
    found = []
    for raw in HARD.split(message):
        line = bare(raw)
        if not re.search(r"\w", line):
            continue
        parts, at, before = [], 0, ""
        for joint in vocabulary.JOINT.finditer(line):
            if re.search(r"\w", line[at : joint.start()]) and re.search(r"\w", line[joint.end() :]):
                parts.append(Part(line[at : joint.start()], before))
                at, before = joint.end(), joint[0]
        found.append([*parts, Part(line[at:], before)])
    return found


def is_talk(text: str) -> bool:
    """Tell whether a text is greeting and thanks alone."""
    return not re.search(r"\w", _talk_off(fold(text)))


def closes(text: str) -> bool:
    """Tell whether a text ends a letter, so that a name follows."""
    return vocabulary.CLOSING.search(fold(text)) is not None and is_talk(text)


def readings(text: str) -> list[Reading]:
    """Return what a part may mean, the likeliest first; none without words or an amount (rule 3)."""
    plain = fold(text)
    plain, same = vocabulary.SAME.subn(" ", plain)
    plain = vocabulary.PLEASE.sub(" ", _talk_off(plain))
    without: tuple[str, ...] = ()
    whole = plain
    if found := vocabulary.WITHOUT.search(plain):
        rest, plain = _read(_tokens(found[1])), plain[: found.start()]
        if not re.search(r"\w", plain):
            return []
        without = rest.words
    first = replace(_read(_tokens(plain)), is_same=bool(same), without=without)
    if without and first.count is None and first.measure is None:
        first = replace(first, count=rest.count, measure=rest.measure)
    found_readings = [first]
    if without:
        found_readings.append(replace(_read(_tokens(whole), keeps_stops=True), is_same=bool(same), is_literal=True))
    fewer = tuple(word for word in first.words if word not in LARGE | SMALL)
    found_readings[0] = replace(first, larger=0)
    if fewer != first.words and fewer:
        found_readings.append(replace(first, words=fewer))
    literal = _kept(words_of(plain))
    if literal != first.words and any(word[0].isdigit() for word in literal):
        found_readings.append(Reading(literal, is_same=bool(same), without=without, is_literal=True))
    return [one for one in found_readings if one.words or one.count or one.measure or one.is_same]


def begins_with_amount(text: str) -> bool:
    """Tell whether a part begins a line of its own: 'and 3 eggs'."""
    tokens = _tokens(_talk_off(fold(text)))
    return bool(tokens) and (_is_number(tokens[0]) or tokens[0] in TIMES)


def without_of(text: str) -> tuple[str, ...] | None:
    """Return what a part says it does not want, where it says nothing else."""
    plain = _talk_off(fold(text))
    found = vocabulary.WITHOUT.search(plain)
    if found is None or re.search(r"\w", plain[: found.start()]):
        return None
    return tuple(word for word in words_of(found[1]) if word not in STOP)


def spoken(text: str) -> list[Part]:
    """Return a part's stretches that each begin with an amount, as somebody dictates; or itself alone."""
    tokens = list(re.finditer(r"\S+", text))
    starts = [0]
    plain = [fold(token[0]) for token in tokens]
    for place in range(1, len(tokens) - 1):
        last, following = plain[place - 1], plain[place + 1]
        is_within = _is_number(last) or last in TIMES | OF or following in TIMES
        has_words = re.search(r"[^\W\d]", text[tokens[starts[-1]].start() : tokens[place].start()])
        if _is_number(plain[place]) and not is_within and has_words:
            starts.append(place)
    return _stretches(text, tokens, starts)


def word_parts(text: str, starts: list[int]) -> list[Part]:
    """Return a part cut before the words at these places."""
    return _stretches(text, list(re.finditer(r"\S+", text)), starts)


def pack_of(text: str) -> Pack | None:
    """Return the size a name or a pack's text says: '6 x 330 ml', '1 l', '10 pcs', 'Eggs, 10'."""
    plain = fold(text)
    found = _read(_tokens(plain), is_name=True)
    pieces = _PIECES.search(plain)
    count = Fraction(next(filter(None, pieces.groups()))) if pieces else found.count
    if found.measure is None:
        return Pack("pieces", Fraction(1), count) if count and count > 1 else None
    if found.measure.kind == "pieces":
        return Pack("pieces", Fraction(1), found.measure.size)
    return Pack(found.measure.kind, found.measure.size, found.count or Fraction(1))


def name_words(name: str) -> tuple[str, ...]:
    """Return the words of a product's name, as the index has them, without its size and its articles."""
    plain = fold(name)
    return _kept(words_of(_SIZE.sub(" ", _PIECES.sub(" ", plain)))) or tuple(words_of(plain))


def bare(raw: str) -> str:
    """Return a line without its bullet or number and the commas around it."""
    line = raw.strip()
    while found := _BULLET.match(line):
        line = line[found.end() :]
    return line.strip(" \t,，、")


# --- inside ---


def _talk_off(plain: str) -> str:
    before = ""
    while before != plain:
        before = plain
        plain = vocabulary.TALK_LAST.sub("", vocabulary.TALK_FIRST.sub("", plain))
    return plain


def _tokens(plain: str) -> list[str]:
    """Return the words, numbers and signs of a folded text, a number apart from its unit."""
    plain = _HANZI_COUNT.sub(_hanzi, _MARKS.sub(" ", plain))
    plain = _HAN_DIGIT.sub(" ", _TIMES_BEFORE.sub(" x ", _UNIT_AFTER.sub(r" \1 ", plain)))
    return _TOKEN.findall(plain)


def _hanzi(found: re.Match[str]) -> str:
    said, unit = found[1], found[2]
    if said[0].isdigit():
        value = Fraction(said.replace(",", "."))
    elif "十" in said:
        tens, ones = said.split("十", 1)
        value = (HANZI[tens[0]] if tens else Fraction(1)) * 10 + (HANZI[ones[0]] if ones else 0)
    else:
        value = HANZI[said[0]]
    return f" {value + (Fraction(1, 2) if found[3] else 0)} {unit} "


def _is_number(token: str) -> bool:
    return token[:1].isdigit() or token in NUMBERS


def _value(tokens: list[str], at: int) -> tuple[Fraction, int] | None:
    """Return the number that begins at a token, and how many tokens it takes."""
    if at >= len(tokens):
        return None
    token = tokens[at]
    if token in NUMBERS:
        value, used = NUMBERS[token], 1
        following = tokens[at + 1 : at + 4]
        if token in ARTICLES and following and following[0] in NUMBERS and following[0] not in ARTICLES:
            return NUMBERS[following[0]], 2 + (following[1:2] == ["a"])
        if value == Fraction(1, 2) and following[:1] and following[0] in ARTICLES:
            used = 2
        elif following[:2] in (["and", "a"], ["and", "half"]) and "half" in following:
            return value + Fraction(1, 2), 2 + following.index("half")
        return value, used
    if not token[0].isdigit() or token.endswith("%"):
        return None
    if re.fullmatch(r"\d{1,4}/\d{1,4}", token) and token.split("/")[1].strip("0"):
        return Fraction(token), 1
    if not re.fullmatch(r"\d{1,6}(?:[.,]\d{1,3})?", token):
        return None
    value = Fraction(token.replace(",", "."))
    following = tokens[at + 1 : at + 4]
    if following and re.fullmatch(r"[1-9]/[2-9]", following[0]):
        return value + Fraction(following[0]), 2
    if following[:3] == ["and", "a", "half"]:
        return value + Fraction(1, 2), 4
    return value, 1


def _read(tokens: list[str], *, is_name: bool = False, keeps_stops: bool = False) -> Reading:
    """Tell amounts from words. is_name: the text is a product's name, where a bare number is a word."""
    reader = _Reader(tokens, is_name)
    while reader.at < len(tokens):
        reader.go_on()
    said = words_of(" ".join(reader.words))
    return Reading(
        tuple(said) if keeps_stops or is_name else _kept(said), reader.count, reader.measure, reader.pieces,
        larger=reader.larger, is_vague=reader.is_vague,
    )  # fmt: skip


@dataclass(frozen=True)
class _Number:
    """A number in a text: as written, what it is worth, the place after it, and whether an x stands beside it."""

    written: str
    value: Fraction
    after: int
    is_times: bool


class _Reader:
    """A walk along the tokens of a text that keeps amounts and words apart."""

    def __init__(self, tokens: list[str], is_name: bool) -> None:
        self._tokens, self._is_name, self.at = tokens, is_name, 0
        self.words: list[str] = []
        self.count: Fraction | None = None
        self.measure: Measure | None = None
        self.pieces: Fraction | None = None
        self.is_vague, self.larger = False, 0

    def go_on(self) -> None:
        """Take the amount that begins here, or the word."""
        for rule in (self._measured, self._pieces_of_each, self._packs, self._pieces, self._sized, self._counted):
            if (number := self._number()) is not None and (end := rule(number)):
                self.at = end
                return
        if self._number() is None and not self.words and not self._is_name and self._unit_alone():
            return
        token = self._tokens[self.at]
        self.larger = self.larger or (token in LARGE) - (token in SMALL)
        if token not in TIMES | {"&", "+"}:
            self.words.append(token)
        self.at += 1

    def _token(self, at: int) -> str:
        return self._tokens[at] if at < len(self._tokens) else ""

    def _number(self) -> _Number | None:
        """Return the number that begins here: '2', 'x2', '2 x', 'half a'."""
        begin = self.at + (self._tokens[self.at] in TIMES)
        if (found := _value(self._tokens, begin)) is None:
            return None
        after = begin + found[1]
        is_before = self._token(after) in TIMES
        return _Number(self._tokens[begin], found[0], after + is_before, is_before or begin > self.at)

    def _past_of(self, at: int) -> int:
        return at + (self._token(at) in OF)

    def _measured(self, number: _Number) -> int:
        """'2 kg', '1 kilo and a half', 'a dozen'."""
        unit, end = self._token(number.after), number.after + 1
        if unit not in MEASURES or (self._is_name and number.written in NUMBERS):
            return 0
        value = number.value
        for half in (["and", "a", "half"], ["y", "medio"], ["y", "media"]):
            if self._tokens[end : end + len(half)] == half:
                value, end = value + Fraction(1, 2), end + len(half)
        kind, size = MEASURES[unit]
        self.measure = self.measure or Measure(kind, value * size)
        return self._past_of(end)

    def _pieces_of_each(self, number: _Number) -> int:
        """The six of '2 x 6 x 330 ml'; in a name of '6 x 330 ml'."""
        if not number.is_times or _value(self._tokens, number.after) is None:
            return 0
        if self._is_name:
            self.count = number.value
        elif self.count is None or self.pieces is not None:
            return 0
        else:
            self.pieces = number.value
        return number.after

    def _packs(self, number: _Number) -> int:
        """'3 bottles of', '2 packs of 6'."""
        unit, after = self._token(number.after), number.after + 1
        is_article = number.written in ARTICLES
        if self._is_name or unit not in CONTAINERS or (is_article and (self.words or after >= len(self._tokens))):
            return 0
        if unit == "pack" and number.value in _MULTIPACKS:  # a six pack
            self.measure = self.measure or Measure("pieces", number.value)
            return self._past_of(after)
        self.count, self.is_vague = self.count or number.value, unit in MANY
        end = self._past_of(after)
        inner = _value(self._tokens, end) if end > after and unit in _HOLD_PIECES else None
        if inner is not None and inner[0] > 1 and self._token(end + inner[1]) not in MEASURES:
            self.measure = Measure("pieces", inner[0])
            return end + inner[1]
        return end

    def _pieces(self, number: _Number) -> int:
        """'6er Pack'."""
        if self._is_name or self._token(number.after) != "er":
            return 0
        self.measure = self.measure or Measure("pieces", number.value)
        unit = self._token(number.after + 1)
        return number.after + 1 + (unit.startswith("pack") or unit in CONTAINERS)

    def _sized(self, number: _Number) -> int:
        """'Fanta 330', 'Cola 1.5'."""
        is_at_an_end = not self.words or number.after >= len(self._tokens)
        is_size = number.value.denominator > 1 or number.value >= 100
        if self._is_name or number.is_times or not is_size or not is_at_an_end or self.count or self.measure:
            return 0
        self.measure = Measure("", number.value * (1000 if number.value.denominator > 1 else 1))
        return self._past_of(number.after)

    def _counted(self, number: _Number) -> int:
        """'2 milk', 'milk 2', 'milk x2'."""
        is_last = number.after >= len(self._tokens)
        is_free = self.count is None and (self.measure is None or is_last or number.is_times)
        is_article = number.written in ARTICLES and self.words
        if self._is_name or is_article or not is_free or number.value > MOST_COUNT:
            return 0
        if self.words and not is_last and not number.is_times:
            return 0
        self.count = number.value
        return self._past_of(number.after)

    def _unit_alone(self) -> bool:
        """'Kilo of rice', 'dozen eggs', 'bottle of water'."""
        unit, following = self._token(self.at), self._token(self.at + 1)
        if self.count or self.measure or not following:
            return False
        if unit in MEASURES and len(unit) > 2:
            self.measure = Measure(*MEASURES[unit])
        elif unit in CONTAINERS and following in OF:
            self.count, self.is_vague = Fraction(1), unit in MANY
        else:
            return False
        self.at = self._past_of(self.at + 1)
        return True


def _kept(words: Sequence[str]) -> tuple[str, ...]:
    """Return the words that tell products apart; all where there are no others."""
    return tuple(word for word in words if word not in STOP) or tuple(words)


def _stretches(text: str, tokens: list[re.Match[str]], starts: list[int]) -> list[Part]:
    ends = [tokens[place - 1].end() for place in starts[1:]] + [len(text)]
    cut = [text[tokens[place].start() : end] for place, end in zip(starts, ends, strict=True)] if tokens else [text]
    return [Part(stretch, " " if n else "") for n, stretch in enumerate(cut)]
