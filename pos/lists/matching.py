"""Each line of a message with the products it may mean: sure, asked with choices, or not here with a substitute.

Rules
-----
1. Sure is a line whose every word is the product's, where no other product fits as well, and whose amount comes out in
   whole packs and can be had. All else is asked, the best first, with at most MOST_CHOICES.
2. How much it asks for of each product is arithmetic of its own (`amounts`).
3. "The same as last time" is what this customer bought last of what the words fit; without words it is all of it.
4. What would be sure, but cannot be had now, is named with up to MOST_SUBSTITUTES of its category that can; none
   of them is chosen for the customer.
5. Two parts of a line are one product where its name says so: "salt and vinegar crisps". A part without a product of
   its own (an amount, "no sugar", "please") belongs to the one before it.
6. Everyday words that no product here has are looked for in the other languages (`staples`).
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from config.errors import Invalid
from pos.catalogue.search_index import SearchIndex, words_of
from pos.lists import message, staples
from pos.lists.amounts import Amount, Ware, amount_of, size_fit, size_of
from pos.lists.message import Measure, Part, Reading
from pos.lists.vocabulary import FREE, STOP, fold

MOST_LETTERS, MOST_LINES = 4_000, 60
MOST_CHOICES, MOST_SUBSTITUTES = 4, 2
LOOKED_AT = 40
"""So many products that fit a line's words best are looked at."""
FOUND, SURE, SURE_NAME = 0.65, 0.74, 0.5
"""How well each word has to fit to be found, and to be sure: of four letters none may differ; and more than how much of
the name a sure line's words have to be."""
WHOLE = 0.95
"""So much of a name, and it is just these words."""
OF_NAME = 0.15
"""What a name of nothing but the words counts, beside how well they fit."""
CLEARLY = 0.08
"""By how much the best has to fit better than the next."""
_PLURALS = ("s", "es", "n", "en", "e")
_JOINER = {True: re.compile(r"[,，、]"), False: re.compile(r"(?:\b(?:and|y|e|und|plus)\b|[&+和])")}


@dataclass(frozen=True)
class Choice:
    """A product for a line, with how much of it. makes: what the packs hold together, where the line asked for that.

    is_less: more was asked for than can be had.
    """

    sku: str
    qty: int
    makes: Measure | None = None
    is_less: bool = False


@dataclass(frozen=True)
class Line:
    """What becomes of a line of the message.

    kind: sure | ask | missing | note. why: of a missing one 'gone' (sku says what) or 'unknown', or 'no-earlier' where
    nothing was bought before; of a note 'talk' or 'without'. choices: the best first; of a missing one, substitutes.
    """

    text: str
    kind: str
    choices: tuple[Choice, ...] = ()
    why: str = ""
    sku: str = ""
    is_same: bool = False


def match(
    text: str,
    index: SearchIndex,
    among: Sequence[str],
    wares: Callable[[Sequence[str]], Mapping[str, Ware]],
    earlier: Sequence[Sequence[tuple[str, int]]] = (),
) -> list[Line]:
    """Return what becomes of each line of a message, in its order.

    among: the SKUs to choose from, bestsellers first; wares: reads some of them; earlier: this customer's purchases,
    SKU and quantity, the newest first. Refuses a message too long to look at.
    """
    if len(text) > MOST_LETTERS:
        raise _too_much()
    lines = message.lines_of(text)
    if sum(map(len, lines)) > MOST_LINES:
        raise _too_much()
    if not lines:
        raise Invalid("empty-list", "Write what you need first.", field="list")
    return _Matcher(index, among, wares, earlier).lines(lines)


def _too_much() -> Invalid:
    return Invalid(
        "list-too-long",
        "That is too much for one list: up to %(lines)d lines and %(letters)d characters. Split it in two.",
        lines=MOST_LINES, letters=MOST_LETTERS, field="list",
    )  # fmt: skip


@dataclass(frozen=True)
class _Fit:
    """How well a product fits a reading.

    missing: words it has nothing of; worst, mean: of the others; whole: how much of its name the words are; size: 4 the
    very pack, 3 the size asked for, 2 it divides the amount, 1 it does not, 0 nothing said; free: +1 without what
    is not wanted, -1 with; turns: words that stand otherwise in its name.
    """

    ware: Ware
    missing: int
    worst: float
    mean: float
    whole: float
    size: int
    free: int
    bought: int
    turns: int
    place: int

    @property
    def order(self) -> tuple[float, ...]:
        return (
            self.missing, -self.bought, -self.free, -round(self.mean + OF_NAME * self.whole, 2), -self.size,
            not self.ware.is_here, self.turns, self.place,
        )  # fmt: skip


@dataclass(frozen=True)
class _Best:
    """The best reading of a part, with what fits it, the best first."""

    reading: Reading = field(default_factory=Reading)
    fits: tuple[_Fit, ...] = ()

    @property
    def worth(self) -> tuple[bool, float, float]:
        """Return what readings and ways to cut a line are compared by: bought before, the fit, how much of the name."""
        if not self.fits:
            return False, 0.0, 0.0
        first = self.fits[0]
        return bool(first.bought) and not first.missing, round(first.mean, 2), round(first.whole, 2)

    @property
    def is_found(self) -> bool:
        return bool(self.fits) and not self.fits[0].missing and self.fits[0].worst >= FOUND


class _Matcher:
    """One message being matched; it keeps what it has looked up."""

    def __init__(
        self,
        index: SearchIndex,
        among: Sequence[str],
        wares: Callable[[Sequence[str]], Mapping[str, Ware]],
        earlier: Sequence[Sequence[tuple[str, int]]],
    ) -> None:
        self._index, self._among, self._read = index, among, wares
        self._earlier = {sku: qty for purchase in reversed(earlier) for sku, qty in purchase}
        self._bought = {
            sku: len(earlier) - n for n, purchase in reversed(list(enumerate(earlier))) for sku, _ in purchase
        }
        self._last = [sku for sku, _ in earlier[0]] if earlier else []
        self._wares: dict[str, Ware] = {}
        self._near: dict[str, dict[str, float]] = {}
        self._found: dict[tuple[str, ...], list[str]] = {}

    def lines(self, lines: Sequence[Sequence[Part]]) -> list[Line]:
        found: list[Line] = []
        is_signed = False
        for parts in lines:
            for part in self._joined(parts):
                if is_signed and len(words_of(part.text)) <= 3 and not self._best(part.text).is_found:
                    found.append(Line(part.text, "note", why="talk"))
                    continue
                is_signed = message.closes(part.text)
                if message.is_talk(part.text):
                    found.append(Line(part.text, "note", why="talk"))
                elif message.without_of(part.text) is not None:
                    found.append(Line(part.text, "note", why="without"))
                else:
                    for stretch in self._cut(part):
                        found.extend(self._decide(stretch.text, self._best(stretch.text)))
        return found

    def _joined(self, parts: Sequence[Part]) -> list[Part]:
        """Return the parts of a line, those in one that are one product (rule 5)."""
        kept: list[Part] = []
        for part in parts:
            if kept and self._belongs(kept[-1], part):
                kept[-1] = kept[-1].joined(part)
            else:
                kept.append(part)
        return kept

    def _belongs(self, before: Part, part: Part) -> bool:
        if message.without_of(part.text) is not None or (message.is_talk(part.text) and not message.closes(part.text)):
            return not message.is_talk(before.text)
        said = message.readings(part.text)[:1]
        if said and not said[0].words and not said[0].is_same:  # an amount alone
            of = message.readings(before.text)[:1]
            return bool(of) and bool(of[0].words) and of[0].count is None and of[0].measure is None
        first, second, both = (self._best(one) for one in (before.text, part.text, before.joined(part).text))
        is_each_one = first.is_found and second.is_found and min(first.fits[0].whole, second.fits[0].whole) >= WHOLE
        if (
            message.begins_with_amount(part.text)
            or is_each_one
            or not both.is_found
            or both.worth <= min(first.worth, second.worth)
        ):
            return False
        joiner = _JOINER[part.before.strip() in (",", "，", "、")]
        return any(joiner.search(fold(name)) for name in both.fits[0].ware.names)

    def _cut(self, part: Part) -> list[Part]:
        """Return the products that somebody dictated without a pause, or the part alone."""
        whole = self._best(part.text)
        if whole.is_found:
            return [part]
        stretches: list[Part] = []
        for stretch in message.spoken(part.text):
            said = message.readings(stretch.text)
            if stretches and not (said and said[0].words):  # an amount after its words
                stretches[-1] = stretches[-1].joined(stretch)
            else:
                stretches.append(stretch)
        if len(stretches) > 1:
            return [one for stretch in stretches for one in self._cut(stretch)]
        tokens = part.text.split()
        if not 2 <= len(tokens) <= 30:
            return [part]
        starts, at, lead = [0], 0, 0
        while at < len(tokens):
            end = next(
                (end for end in range(min(len(tokens), at + 5), at, -1) if self._is_one(tokens[at - lead : end])), None
            )
            if end is not None:
                at, lead = end, 0
                starts.append(at)
            elif any(self._is_nothing(token) for token in tokens[at : at + 1]):
                at, lead = at + 1, lead + 1  # an article, an amount: it belongs to what follows
            else:
                return [part]
        return (
            message.word_parts(part.text, starts[:-1] if starts[-1] == len(tokens) else starts)
            if len(starts) > 2
            else [part]
        )

    def _is_one(self, tokens: Sequence[str]) -> bool:
        best = self._best(" ".join(tokens))
        return best.is_found and best.fits[0].worst >= 0.75 and best.fits[0].whole >= 0.5

    @staticmethod
    def _is_nothing(token: str) -> bool:
        said = message.readings(token)
        return fold(token) in STOP or not said or not said[0].words

    def _best(self, text: str) -> _Best:
        """Return the reading of a text that some product fits best."""
        best = _Best()
        for reading in message.readings(text):
            found = _Best(reading, self._fits(reading))
            if reading.is_literal:  # a name that is just these words: 7 up, coffee without sugar
                is_named = found.is_found and found.fits[0].whole >= WHOLE and _has_numbers(found)
                best = found if is_named and found.worth[1] >= best.worth[1] - 2 * CLEARLY else best
            elif found.worth > best.worth or (not best.reading.words and not best.fits):
                best = found
        for other in (self._apart, self._translated):
            if not best.is_found or best.fits[0].worst < SURE:
                best = max([best, *other(best.reading)], key=lambda one: one.worth)
        return best

    def _apart(self, reading: Reading) -> Iterator[_Best]:
        """Read a word as two, a brand and a name without a blank, or two as one: redbull, 蒙牛全脂牛奶, coca cola."""
        words = reading.words
        for place, word in enumerate(words[:4]):
            before, after = words[:place], words[place + 1 :]
            cuts = [(word[:at], word[at:]) for at in range(1, len(word))] if 3 <= len(word) <= 14 else []
            if word.isascii():
                cuts = [cut for cut in cuts if cut[0] in self._index and cut[1] in self._index]
            for cut in (*cuts, *([(word + after[0],)] if after and word + after[0] in self._index else ())):
                rest = after if len(cut) == 2 else after[1:]
                parted = replace(reading, words=(*before, *cut, *rest))
                yield _Best(parted, self._fits(parted))

    def _translated(self, reading: Reading) -> Iterator[_Best]:
        """Read everyday words in the shelf's language: leche for milk."""
        words = reading.words
        spans = [(at, end) for at in range(len(words)) for end in range(at + 1, min(len(words), at + 3) + 1)]
        for at, end in sorted(spans, key=lambda span: span[0] - span[1]):
            for other in staples.others(words[at:end]):
                if all(one in self._index for one in other):
                    said = replace(reading, words=(*words[:at], *other, *words[end:]))
                    yield _Best(said, self._fits(said))

    # --- what fits ---

    def _fits(self, reading: Reading) -> tuple[_Fit, ...]:
        words = reading.words
        if not words:
            return ()
        found = [self._fit(ware, reading, place) for place, ware in enumerate(self._candidates(words))]
        ordered = sorted(found, key=lambda one: one.order)
        if reading.larger:
            ordered.sort(key=lambda one: (one.missing, -round(one.mean, 2), -size_of(one.ware) * reading.larger))
        return tuple(one for one in ordered if one.missing < len(words))

    def _candidates(self, words: tuple[str, ...]) -> list[Ware]:
        if words not in self._found:
            skus = [
                one.sku for one in self._index.rank([self._near_to(word) for word in words[:8]], self._among, LOOKED_AT)
            ]
            if not skus:  # too many words that no product has: those that one has are looked for
                known = [
                    word
                    for word in words[:8]
                    if max(self._near_to(word).values(), default=0) >= FOUND and word not in FREE
                ]
                known = known if len(known) < len(words) else []
                skus = [
                    one.sku for one in self._index.rank([self._near_to(word) for word in known], self._among, LOOKED_AT)
                ]
            skus += [sku for sku in self._earlier if sku not in skus]
            if new := [sku for sku in skus if sku not in self._wares]:
                self._wares.update(self._read(new))
            self._found[words] = [sku for sku in skus if sku in self._wares]
        return [self._wares[sku] for sku in self._found[words]]

    def _near_to(self, word: str) -> dict[str, float]:
        if word not in self._near:
            self._near[word] = self._index.near(word)
        return self._near[word]

    def _fit(self, ware: Ware, reading: Reading, place: int) -> _Fit:
        best = (len(reading.words), 0.0, 0.0, 0.0, 0)
        for name in ware.name_words:
            taken: dict[str, float] = {}
            fits, places = list[float](), list[int]()
            for word in reading.words:
                near = self._near_to(word)
                fit, holds = max(((_word_fit(word, one, near), one) for one in name), default=(0.0, ""))
                if fit:
                    places.append(name.index(holds))
                    taken[holds] = max(taken.get(holds, 0.0), len(word) / len(holds) if word in holds else 1.0)
                beside = max(
                    (_word_fit(word, one, near) * (1.0 if one in ware.brand_words else 0.8) for one in ware.beside),
                    default=0.0,
                )
                fits.append(max(fit, beside))
            missing = sum(1 for fit in fits if not fit)
            length = sum(1 for one in name if one not in ware.brand_words or one in taken) or 1
            whole = sum(taken.values()) / length
            found = (missing, -sum(fits) / len(fits), -whole, -min((fit for fit in fits if fit), default=0.0))
            best = min(best, (*found, sum(one > next_one for one, next_one in pairwise(places))))
        missing, mean, whole, worst, turns = best
        return _Fit(
            ware, missing, -worst, -mean, -whole, size_fit(reading, ware), _free(ware, reading.without),
            self._bought.get(ware.sku, 0) if reading.is_same else 0, turns, place,
        )  # fmt: skip

    # --- deciding ---

    def _decide(self, text: str, best: _Best) -> list[Line]:
        reading = best.reading
        if reading.is_same and not reading.words:
            if new := [sku for sku in self._last if sku not in self._wares]:
                self._wares.update(self._read(new))
            again = [self._as_before(text, self._wares[sku]) for sku in self._last if sku in self._wares]
            return again or [Line(text, "missing", why="no-earlier", is_same=True)]
        fits = best.fits
        if not fits:
            talk = not reading.words
            return [Line(text, "note", why="talk") if talk else Line(text, "missing", why="unknown")]
        first = fits[0]
        is_same = reading.is_same and bool(first.bought)
        amounts = [amount_of(reading, one.ware) for one in fits]
        if is_same and reading.count is None and reading.measure is None:
            amounts[0] = Amount(self._earlier[first.ware.sku])
        is_sure = best.is_found and _is_clear(best) and amounts[0].is_exact and not reading.is_vague
        if is_sure and not first.ware.is_here:
            return [Line(text, "missing", self._instead(first.ware, reading), "gone", first.ware.sku, is_same)]
        choices = tuple(
            _choice(one.ware, amount)
            for one, amount in zip(fits, amounts, strict=True)
            if one.ware.is_here and one.missing == first.missing and one.mean >= first.mean - 0.2
        )
        if is_sure and not choices[0].is_less:
            return [Line(text, "sure", choices[:1], is_same=is_same)]
        if choices:
            return [Line(text, "ask", choices[:MOST_CHOICES], is_same=is_same)]
        return [Line(text, "missing", self._instead(first.ware, reading), "gone", first.ware.sku, is_same)]

    def _as_before(self, text: str, ware: Ware) -> Line:
        if not ware.is_here:
            return Line(text, "missing", self._instead(ware, Reading()), "gone", ware.sku, is_same=True)
        choice = _choice(ware, Amount(self._earlier[ware.sku]))
        return Line(text, "ask" if choice.is_less else "sure", (choice,), is_same=True)

    def _instead(self, gone: Ware, reading: Reading) -> tuple[Choice, ...]:
        """Return what of the same category can be had, what shares most of its name first (rule 4)."""
        if not gone.category:
            return ()
        near = self._index.search(gone.category, self._among, 10 * LOOKED_AT)
        new = [one.sku for one in near if one.sku not in self._wares]
        self._wares.update(self._read(new) if new else {})
        words = {word for name in gone.name_words for word in name}
        alike = [
            self._wares[one.sku]
            for one in near
            if one.sku in self._wares and one.sku != gone.sku
            and self._wares[one.sku].category == gone.category and self._wares[one.sku].is_here
        ]  # fmt: skip
        alike.sort(key=lambda ware: -len(words.intersection(word for name in ware.name_words for word in name)))
        return tuple(_choice(ware, amount_of(reading, ware)) for ware in alike[:MOST_SUBSTITUTES])


def _word_fit(word: str, one: str, near: Mapping[str, float]) -> float:
    """Return how well a word fits a product's; a list's words are whole: a part of one says less than a typo."""
    fit = near.get(one, 0.0)
    if fit and word.startswith(one) and word[len(one) :] in _PLURALS:
        return max(fit, 0.8)
    return fit if not fit or word == one or word not in one else 0.4 + 0.5 * len(word) / len(one)


def _choice(ware: Ware, amount: Amount) -> Choice:
    """Return a product with its amount, no more than can be had."""
    most = amount.qty if ware.left is None else ware.left - ware.left % ware.step
    is_less = amount.qty > most
    return Choice(ware.sku, min(amount.qty, most), None if is_less else amount.makes, is_less)


def _free(ware: Ware, without: tuple[str, ...]) -> int:
    """Tell whether a product is without what is not wanted (1), with it (-1), or says nothing."""
    if not without:
        return 0
    words = {word for name in ware.names for word in words_of(name)}
    is_named = any(one in word for one in without for word in words)
    if words & FREE or any(one != word and one in word for one in without for word in words):
        return 1
    return -1 if is_named else 0


def _is_clear(best: _Best) -> bool:
    """Tell whether the best fits clearly better than any other (rule 1)."""
    first = best.fits[0]
    if first.bought:
        return True
    if first.worst < SURE or first.whole <= SURE_NAME or (best.reading.larger and best.reading.measure is None):
        return False
    if best.reading.without and first.free < 1 and len(best.fits) > 1:
        return False
    for other in best.fits[1:]:
        if other.missing > first.missing or first.mean - other.mean >= CLEARLY or other.free < first.free:
            continue
        if first.whole >= WHOLE and other.whole <= 0.8:
            continue
        if other.size < first.size:
            continue
        return False
    return True


def _has_numbers(best: _Best) -> bool:
    """Tell whether the numbers of a reading are in the product's name as they are."""
    words = {word for name in best.fits[0].ware.name_words for word in name}
    return all(word in words for word in best.reading.words if any(map(str.isdigit, word)))
