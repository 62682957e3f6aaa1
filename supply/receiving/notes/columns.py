"""The words on a page become the lines of a note: rows, columns, and which figure is which. PURE.

Rules
-----
1. Words in one row overlap in height with their neighbor; a row of headings names the columns, in any of the languages.
2. Which figure is the quantity, the price and the amount, arithmetic says first (quantity × price = amount), then the
   headings, then the order from left to right. A line that arithmetic confirms is checked.
3. A row without figures is the beginning of the next line where figures stand below names, else the end of the one
   before.
4. The lines end where a total stands. What stands above tells supplier, number and day; what stands below, the sum.
5. The last mark before exactly two digits at the end of a figure divides, whichever it is.

Places are in dots of the page, y downwards.
"""

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from statistics import median

from rapidfuzz import fuzz

QTY, UNIT, CODE, NAME, PACK, PRICE, AMOUNT, PLACE, TAX = (
    "qty", "unit", "code", "name", "pack", "price", "amount", "place", "tax",
)  # fmt: skip
_HEADINGS = {
    QTY: "qty quantity menge anzahl anz cant cantidad uds unidades 数量",
    UNIT: "unit uom einh einheit me unidad ud 单位",
    CODE: "item code sku art artnr artikel artikelnr artikelnummer ean gtin ref referencia codigo "
          "货号 编号 条码 商品编码",
    NAME: "description product name bezeichnung artikelbezeichnung beschreibung descripcion producto concepto articulo "
          "品名 名称 商品名称 货品名称",
    PACK: "pack size inhalt gebinde formato envase 规格",
    PRICE: "price rate each unitprice epreis preis einzelpreis ep stuckpreis precio preciounitario 单价 价格",
    AMOUNT: "amount total value ext gesamt gesamtpreis betrag gp importe 金额 总价",
    PLACE: "no pos nr line lfd 序号 行号",
    TAX: "vat tax mwst ust steuer iva 税率",
}  # fmt: skip
_ROLES = {word: role for role, words in _HEADINGS.items() for word in words.split()}
_SUMS = (
    "total subtotal sum net vat tax goods summe nettosumme zwischensumme gesamt gesamtbetrag gesamtsumme endbetrag "
    "netto mwst ust base suma importe iva igic subtotaleur totaleur totalgbp 合计 总计 小计 税额 总金额"
)
_TOTALS = frozenset(_SUMS.split())
_UNITS = {
    "CT": "kt krt karton kartons kiste ki ctn carton case cases cs box boxes bx pack packs pk caja cajas cj 箱 件 提",
    "EA": "st stk stck stuck stueck ea each pc pcs pce piece pieces ud uds unidad unit units "
          "个 瓶 袋 包 盒 支 只 罐 条",
    "KGM": "kg kgs kilo 公斤 千克", "GRM": "g gr", "LTR": "l lt ltr liter litro 升", "DZN": "dz dtz dozen docena",
}  # fmt: skip
_UNIT_OF = {word: code for code, words in _UNITS.items() for word in words.split()}
_WITH_PACK = re.compile(r"(case|cs|ctn|kt|karton|box|caja|pack)[\s/x]*(\d{1,4})", re.IGNORECASE)
_FIGURE = re.compile(r"[-+]?[€$£¥￥]?\d[\d.,'’]*[€$£¥￥]?")
_TIMES = frozenset(["x", "×", "*", "@", "a", "à"])
_OTHER_KINDS = {"O": "0", "o": "0", "l": "1", "I": "1", "|": "1", "S": "5", "B": "8"}
_MOST_LINES = 200
_LETTERS = 3


@dataclass(frozen=True)
class Word:
    """A word or phrase as it was read, with its place."""

    text: str
    x: float
    y: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.x + self.width

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


@dataclass(frozen=True)
class NoteLine:
    """A line of a note. None: not read. box: left, top, width, height of what was read; is_checked: rule 2."""

    name: str
    codes: tuple[str, ...] = ()
    qty: Decimal | None = None
    unit: str = ""
    pack_qty: int | None = None
    price: Decimal | None = None
    amount: Decimal | None = None
    is_checked: bool = False
    box: tuple[int, int, int, int] = (0, 0, 0, 0)


@dataclass(frozen=True)
class Page:
    """What a note says. above: the texts before its lines; sums: the figures below them, the last the largest."""

    lines: tuple[NoteLine, ...]
    above: tuple[str, ...]
    sums: tuple[Decimal, ...]

    @property
    def is_whole(self) -> bool:
        """Tell whether the amounts of its lines come to one of the sums below them."""
        amounts = [line.amount for line in self.lines]
        return bool(amounts) and None not in amounts and sum(one or 0 for one in amounts) in self.sums


@dataclass(frozen=True)
class _Row:
    words: tuple[Word, ...]

    @property
    def middle(self) -> float:
        return median(word.middle for word in self.words)

    @property
    def text(self) -> str:
        return " ".join(word.text for word in self.words)


@dataclass(frozen=True)
class _Told:
    """A row of the lines, taken apart."""

    row: _Row
    name: str
    codes: tuple[str, ...]
    figures: tuple[Word, ...]
    """What may be quantity, price or amount."""
    unit: str = ""
    pack_qty: int | None = None
    line: NoteLine = field(default_factory=lambda: NoteLine(""))


def page_of(words: Iterable[Word]) -> Page:
    """Return what the words on a page say (rules 1 to 5)."""
    rows = rows_of(words)
    at, columns = _headings(rows)
    start = at + 1 if columns else next((n for n, row in enumerate(rows) if _is_priced(row)), len(rows))
    if not columns and 0 < start < len(rows) and not _letters(_told(rows[start], columns).name):
        start -= 1  # figures stand below their name
    end = next((n for n in range(start, len(rows)) if _is_total(rows[n])), len(rows))
    told = [_told(row, columns) for row in rows[start:end][:_MOST_LINES]]
    lines = [_figured(one, columns) for one in _joined(told)]
    found = [line for line in lines if line.qty is not None or line.amount is not None]
    sums = {figure for row in rows[end:] for word in row.words for figure in _figures_in(word.text)}
    return Page(tuple(found), tuple(row.text for row in rows[: at if columns else start]), tuple(sorted(sums)))


def rows_of(words: Iterable[Word]) -> list[_Row]:
    """Return the rows of a page from top to bottom, their words from left to right (rule 1)."""
    rows: list[list[Word]] = []
    for word in sorted(words, key=lambda one: one.x):
        best, least = None, 0.55
        for row in rows:
            last = row[-1]
            if word.x < last.x + last.width * 0.5:
                continue
            apart = abs(last.middle - word.middle) / max(8.0, min(last.height, word.height))
            if apart < least:
                best, least = row, apart
        if best is None:
            rows.append([word])
        else:
            best.append(word)
    return sorted((_Row(tuple(row)) for row in rows), key=lambda row: row.middle)


def figure(text: str) -> Decimal | None:
    """Return the number a text is, or None (rule 5)."""
    plain = text.strip().strip("€$£¥￥* ").replace("’", "'").replace(" ", "")
    if sum(letter in "0123456789" for letter in plain) * 2 >= len(plain):
        plain = "".join(_OTHER_KINDS.get(letter, letter) for letter in plain)
    found = re.fullmatch(r"(-?)(\d[\d.,']*)", plain)
    if found is None or len(plain) > 14:
        return None
    body = found[2].rstrip(".,'")
    ends = re.search(r"[.,](\d{1,2}|\d{4})$", body)
    if ends is None and len(re.findall(r"[.,]", body)) == 1 and body.startswith(("0.", "0,")):
        ends = re.search(r"[.,](\d+)$", body)
    whole = re.sub(r"[.,']", "", body[: ends.start()] if ends else body)
    return Decimal(f"{found[1]}{whole or 0}{'.' + ends[1] if ends else ''}")


def number_of(above: Sequence[str]) -> str:
    """Return the number a note has, '' where none is found."""
    pattern = re.compile(
        r"(?:\b(?:no|nr|num|number|n[º°]|ticket|invoice|rechnung|lieferschein|albaran|factura|"
        r"delivery note)\b|单号|编号|#)"
        r"[\s.:：#]*(?:nr|no)?[\s.:：#]*([A-Z]{0,4}[-/]?\d[\w/-]{2,20})", re.IGNORECASE)  # fmt: skip
    for text in above:
        is_other = re.search(r"\b(?:tel|vat|tax|ust|nif|kunden|customer)", text, re.IGNORECASE) and "单号" not in text
        if not is_other and (found := pattern.search(text)):
            return found[1]
    return ""


def day_of(above: Sequence[str], *, month_first: bool = False) -> dt.date | None:
    """Return the day a note is of, None where none is found."""
    for text in above:
        if found := re.search(r"(20\d\d)\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})", text):
            year, month, day = (int(one) for one in found.groups())
        elif found := re.search(r"(?<!\d)(\d{1,2})[-/.](\d{1,2})[-/.](20\d\d)(?!\d)", text):
            first, second, year = (int(one) for one in found.groups())
            month, day = (first, second) if (month_first and first <= 12) or second > 12 else (second, first)
        else:
            continue
        try:
            return dt.date(year, month, day)
        except ValueError:
            continue
    return None


def fold(text: str, *, keep: bool = False) -> str:
    """Return a text in small letters without accents; `keep`: with its signs, else letters and digits alone."""
    bare = unicodedata.normalize("NFKD", text.casefold()).replace("ß", "ss")
    bare = unicodedata.normalize("NFKC", "".join(one for one in bare if not unicodedata.combining(one)))
    return bare if keep else "".join(one for one in bare if one.isalnum())


# --- inside ---


def _headings(rows: Sequence[_Row]) -> tuple[int, dict[str, tuple[float, float]]]:
    """Return which row names the columns, and each one's left and right edge; ({}) where none does."""
    best, at = dict[str, tuple[float, float]](), -1
    for n, row in enumerate(rows):
        found = dict[str, tuple[float, float]]()
        parts = [part for word in row.words for part in _parts(word)]
        for part in parts:
            if (role := _role(part.text)) and role not in found:
                found[role] = (part.x, part.right)
        if len(found) >= max(3, len(best) + 1) and found.keys() & {NAME, CODE} and found.keys() & {QTY, AMOUNT, PRICE}:
            best, at = found, n
    return at, best


def _role(text: str) -> str:
    said = fold(text)
    if said in _ROLES:
        return _ROLES[said]
    if len(said) < 4:
        return ""
    word = max(_ROLES, key=lambda one: fuzz.ratio(one, said))
    return _ROLES[word] if fuzz.ratio(word, said) >= 80 else ""


def _parts(word: Word) -> list[Word]:
    """Return a phrase's words, each with its part of the place."""

    def weigh(text: str) -> int:
        return sum(2 if one > "⺀" else 1 for one in text) or 1

    whole, found = weigh(word.text), list[Word]()
    for part in re.finditer(r"\S+", word.text):
        begin = word.x + word.width * weigh(word.text[: part.start()]) / whole if part.start() else word.x
        found.append(replace(word, text=part[0], x=begin, width=word.width * weigh(part[0]) / whole))
    return found


def _letters(text: str) -> bool:
    return sum(one.isalpha() * (2 if one > "⺀" else 1) for one in text) >= _LETTERS


def _is_priced(row: _Row) -> bool:
    """Tell whether a row has an amount with decimals at its end and something before it."""
    return len(row.words) > 1 and bool(re.search(r"\d[.,]\d\d\s*[€£¥]?$", row.words[-1].text)) and not _is_total(row)


def _is_total(row: _Row) -> bool:
    first = [fold(part.text) for word in row.words[:2] for part in _parts(word)][:3]
    has_figure = any(_figures_in(word.text) for word in row.words[-1:])
    is_named = any(
        one in _TOTALS or (len(one) > 4 and any(fuzz.ratio(one, two) >= 84 for two in _TOTALS)) for one in first[:2]
    )
    return is_named and has_figure and len(row.words) <= 4


def _figures_in(text: str) -> list[Decimal]:
    return [found for part in text.split() if _FIGURE.fullmatch(part) and (found := figure(part)) is not None]


def _told(row: _Row, columns: dict[str, tuple[float, float]]) -> _Told:
    """Take a row apart: its name, codes, unit, and the figures that may count."""
    names, codes, figures, unit, pack = list[str](), list[str](), list[Word](), "", None
    for word in row.words:
        if sized := _WITH_PACK.fullmatch(word.text.strip()):
            unit, pack = "CT", int(sized[2])
            continue
        parts = _parts(word)
        kinds = [_kind(part.text) for part in parts]
        sized = _WITH_PACK.search(word.text)
        if sized and not names and all(kinds[:1]) and len(parts) <= 6:  # 3 cs12 x 4.20
            unit, pack = "CT", int(sized[2])
            parts = _parts(replace(word, text=word.text.replace(sized[0], " ")))
            kinds = [_kind(part.text) for part in parts]
        column = _column(word, columns)
        if column in (NAME, PACK) or not all(kinds):
            lead = 0
            if column != NAME and kinds and kinds[0] in ("figure", "code") and len(parts) > 1 and not names:
                lead = 1 + (len(kinds) > 1 and kinds[1] in ("unit", "times"))
                for part, kind in zip(parts[:lead], kinds[:lead], strict=True):
                    unit = _UNIT_OF[fold(part.text)] if kind == "unit" else unit
                    figures += [part] if kind == "figure" else []
            names.append(" ".join(part.text for part in parts[lead:]))
            continue
        for part, kind in zip(parts, kinds, strict=True):
            if kind == "unit":
                unit = unit or _UNIT_OF[fold(part.text)]
            elif kind == "figure" and _column(part, columns) not in (PLACE, TAX, CODE) and not _is_gtin(part.text):
                figures.append(part)
            elif kind in ("figure", "code"):
                codes.append(part.text)
    codes += [
        part for name in names[:1] for part in name.split()[:1] if any(one.isdigit() for one in part) and len(part) > 2
    ]
    return _Told(row, " ".join(names), tuple(codes), tuple(figures), unit, pack)


def _kind(text: str) -> str:
    """Return what a word is by itself: figure, unit, times, code, or '' for a word of a name."""
    if re.fullmatch(r"\d{1,5}[xX×*]", text) or (
        (_FIGURE.fullmatch(text) or figure(text) is not None) and any(c.isdigit() for c in text)
    ):
        return "figure"
    if text.casefold() in _TIMES:
        return "times"
    if fold(text) in _UNIT_OF:
        return "unit"
    if re.fullmatch(r"[A-Z]{1,4}[-/.]?\d{2,12}|\d{2,8}[-/.]\d{2,8}", text):
        return "code"
    return ""


def _column(word: Word, columns: dict[str, tuple[float, float]]) -> str:
    """Return the column whose heading a word stands under, or is nearest to."""
    if not columns:
        return ""

    def apart(edges: tuple[float, float]) -> float:
        ends = min(abs(word.x - edges[0]), abs(word.right - edges[1]))
        return 0.0 if ends < word.height * 0.7 else max(0.0, edges[0] - word.right, word.x - edges[1]) + ends / 10

    return min(columns, key=lambda role: apart(columns[role]))


def _is_gtin(text: str) -> bool:
    digits = text.strip()
    if not digits.isdigit() or len(digits) not in (8, 12, 13, 14):
        return False
    weights = (3 if n % 2 == 0 else 1 for n in range(len(digits) - 1))
    return (
        sum(int(one) * weight for one, weight in zip(reversed(digits[:-1]), weights, strict=True)) + int(digits[-1])
    ) % 10 == 0


def _joined(told: Sequence[_Told]) -> list[_Told]:
    """Return the lines of rows, names without figures joined to theirs (rule 3)."""
    nameless = sum(not _letters(one.name) and len(one.figures) > 1 for one in told)
    is_below = nameless * 2 > sum(bool(one.figures) for one in told)
    found, waiting = list[_Told](), list[_Told]()
    for one in told:
        has_figures = len(one.figures) > 1 or (bool(one.figures) and bool(one.unit))
        if is_below and (not has_figures or (_letters(one.name) and len(one.figures) < 2)):
            waiting = [one]
        elif has_figures or (one.figures and _letters(one.name)):
            found.append(_one_of([*waiting, one]))
            waiting = []
        elif found and not is_below and _letters(one.name) and _is_near(found[-1].row, one.row):
            found[-1] = _one_of([found[-1], one])
    return found


def _is_near(before: _Row, row: _Row) -> bool:
    height = median(word.height for word in before.words)
    return row.middle - max(word.middle for word in before.words) < height * 2.2


def _one_of(rows: Sequence[_Told]) -> _Told:
    words = tuple(word for one in rows for word in one.row.words)
    return _Told(
        _Row(words), " ".join(one.name for one in rows if one.name), tuple(code for one in rows for code in one.codes),
        tuple(word for one in rows for word in one.figures), next((one.unit for one in rows if one.unit), ""),
        next((one.pack_qty for one in rows if one.pack_qty), None),
    )  # fmt: skip


def _figured(told: _Told, columns: dict[str, tuple[float, float]]) -> NoteLine:
    """Return a line with its quantity, price and amount (rule 2)."""
    figures = [(word, value) for word in told.figures if (value := figure(word.text.rstrip("xX×*"))) is not None]
    at = {
        role: [n for n, (word, _) in enumerate(figures) if _column(word, columns) == role]
        for role in (QTY, PRICE, AMOUNT)
    }
    best: tuple[float, tuple[int | None, int | None, int | None]] = (-1.0, (None, None, None))
    places = [*range(len(figures)), None]
    for q in places:
        for p in places:
            for a in places:
                used = [one for one in (q, p, a) if one is not None]
                if len(used) < len(set(used)) or len(set(used)) != len(used) or not used:
                    continue
                worth = 0.3 * len(used) + sum(n in at[role] for n, role in ((q, QTY), (p, PRICE), (a, AMOUNT)))
                if q is not None and p is not None and a is not None:
                    worth += 2.5 * _multiplies(figures[q][1], figures[p][1], figures[a][1])
                    worth += 0.3 * (p < a) + 0.2 * (q < p) + 0.2 * (a == len(figures) - 1)
                elif a is not None and q is not None:
                    worth += 0.2 * (q < a)
                if q is not None:
                    worth += 0.3 * (figures[q][1] == int(figures[q][1]) and "." not in figures[q][0].text)
                if p is not None:
                    worth += 0.2 * bool(re.search(r"[.,]\d\d", figures[p][0].text))
                if a is not None:
                    worth += 0.2 * bool(re.search(r"[.,]\d\d", figures[a][0].text))
                best = max(best, (worth, (q, p, a)), key=lambda one: one[0])
    q, p, a = best[1]
    qty, price, amount = (None if one is None else figures[one][1] for one in (q, p, a))
    words = told.row.words
    left, top = min(word.x for word in words), min(word.y for word in words)
    right, low = max(word.right for word in words), max(word.y + word.height for word in words)
    is_checked = None not in (qty, price, amount) and _multiplies(
        qty or Decimal(), price or Decimal(), amount or Decimal()
    )
    unused = tuple(word.text for n, (word, _) in enumerate(figures) if n not in (q, p, a))
    box = (round(left), round(top), round(right - left), round(low - top))
    name = re.sub(r"^[\s|:;.,_-]+|[\s|:;,_-]+$", "", told.name)
    return NoteLine(name, (*told.codes, *unused), qty, told.unit, told.pack_qty, price, amount, is_checked, box)


def _multiplies(qty: Decimal, price: Decimal, amount: Decimal) -> bool:
    """Tell whether quantity times price is the amount, to the cent where the quantity is whole."""
    return qty > 0 and abs(qty * price - amount) <= (Decimal("0.0001") if qty == int(qty) else Decimal("0.006"))
