"""Suppliers' notes on paper, made by seed and photographed badly: the products a store knows, notes in six layouts, and
what blur, a turned camera, JPEG, faded thermal paper and folds do to them.

Latin names are those of `openfoodfacts_products.csv.gz`; Chinese ones are put together from brands and kinds, as that
file has none. A supplier writes a name in full, in capitals, cut to a column, or without its brand, always in the same
way; about one line in twenty is of a product that the store does not carry.
"""

from __future__ import annotations

import csv
import gzip
import io
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from tests.benchmarks import _folders

FILE = "openfoodfacts_products.csv.gz"
SIZES = ("100 g", "250 g", "500 g", "1 kg", "330 ml", "0,5 l", "1 l", "6 x 330 ml")
HAN_BRANDS = (
    "蒙牛",
    "伊利",
    "康师傅",
    "统一",
    "农夫山泉",
    "旺旺",
    "海天",
    "李锦记",
    "双汇",
    "三只松鼠",
    "洽洽",
    "达利园",
)
HAN_KINDS = (
    "纯牛奶", "酸奶", "红烧牛肉面", "冰红茶", "绿茶", "矿泉水", "雪饼", "生抽酱油", "老抽", "蚝油", "火腿肠", "香瓜子",
    "每日坚果", "法式小面包", "蛋黄派", "八宝粥", "榨菜", "豆腐干", "苏打饼干", "花生米",
)  # fmt: skip
HAN_SIZES = ("250ml", "500ml", "1L", "100g", "220g", "400g", "1kg")
LAYOUTS = ("ruled", "slip", "hanzi", "thermal", "albaran", "bare")
FONTS = {
    "sans": ("liberation/LiberationSans-Regular.ttf", "dejavu/DejaVuSans.ttf"),
    "mono": ("liberation/LiberationMono-Regular.ttf", "dejavu/DejaVuSansMono.ttf"),
    "serif": ("liberation/LiberationSerif-Regular.ttf", "dejavu/DejaVuSerif.ttf"),
}
HAN_FONT = "NotoSansCJK-Regular.ttc"


@dataclass(frozen=True)
class Ware:
    """A product of the store as one supplier sells it."""

    sku: str
    name: str
    brand: str
    size: str
    code: str
    article_no: str
    pack_qty: int
    pack_cost: int
    wording: str
    """How the supplier writes it."""


@dataclass(frozen=True)
class Line:
    """A line as it was printed. qty: in packs or pieces, as unit says; money in cents."""

    ware: Ware
    known: bool
    qty: int
    is_pack: bool
    price: int

    @property
    def amount(self) -> int:
        return self.qty * self.price


@dataclass(frozen=True)
class Note:
    """A note with the truth about it. ordered: SKU -> units of the open order, None: there is none."""

    layout: str
    supplier: str
    tax_number: str
    phone: str
    number: str
    lines: tuple[Line, ...]
    wares: tuple[Ware, ...]
    """All that the supplier sells to the store."""
    ordered: dict[str, int] | None
    upside_down: bool = False
    distorted: dict[str, Any] = field(default_factory=dict)


@cache
def names() -> tuple[tuple[str, str], ...]:
    """Return the real names with their brands; FileNotFoundError says what is missing."""
    path = _folders.data() / FILE
    if not path.exists():
        raise FileNotFoundError(f"no {FILE} in {path.parent} (RETAIL_DATA names another folder)")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [(" ".join(row["product_name"].split()), " ".join(row["brands"].split(",")[0].split()))
                for row in csv.DictReader(file)]  # fmt: skip
    seen = dict[str, tuple[str, str]]()
    for name, brand in rows:
        if 4 <= len(name) <= 60 and name.isprintable():
            seen.setdefault(name.casefold(), (name, brand))
    return tuple(seen.values())


def stock(seed: int) -> list[tuple[str, str, str, str, str]]:
    """Return what a store carries: SKU, name, brand, size, barcode; Latin names in one or two sizes, then Chinese."""
    dice = random.Random(seed)
    found = list[tuple[str, str, str, str, str]]()
    brands = sorted({brand for _, brand in names() if brand}) or [""]
    for name, brand in names():
        for size in dice.sample(SIZES, dice.choice((1, 1, 2))):
            found.append((f"P{len(found):05d}", name, brand or dice.choice(brands), size, _ean(dice)))
    for brand in HAN_BRANDS:
        for kind in HAN_KINDS:
            for size in dice.sample(HAN_SIZES, dice.choice((1, 2))):
                found.append((f"P{len(found):05d}", f"{brand}{kind}", brand, size, _ean(dice, "69")))
    return found


def note(dice: random.Random, carried: Sequence[tuple[str, str, str, str, str]], layout: str) -> Note:
    """Make a note of a layout, of a supplier of its own with 60 to 240 products."""
    is_han = layout == "hanzi"
    mine = [one for one in carried if one[1][0] >= "一"] if is_han else [one for one in carried if one[1][0] < "一"]
    style = dice.choice(("full", "capitals", "cut", "brandless") if not is_han else ("full", "brandless"))
    wares = [_ware(dice, one, style, layout) for one in dice.sample(mine, min(len(mine), dice.randint(60, 240)))]
    absent = [_ware(dice, one, style, layout) for one in dice.sample(mine, 40)]
    taken = {one.sku for one in wares}
    absent = [one for one in absent if one.sku not in taken] or absent
    lines = list[Line]()
    most = {"thermal": 12, "bare": 10}.get(layout, 22)
    for ware in dice.sample(wares, dice.randint(4, most)):
        is_known = dice.random() >= 0.05
        is_pack = ware.pack_qty == 1 or dice.random() < 0.8
        price = ware.pack_cost if is_pack else round(ware.pack_cost / ware.pack_qty)
        if dice.random() < 0.1:
            price = round(price * dice.uniform(1.02, 1.2))  # dearer than agreed
        qty = dice.choice((1, 1, 2, 2, 3, 4, 5, 6, 8, 10)) * (1 if is_pack else ware.pack_qty)
        lines.append(Line(ware if is_known else dice.choice(absent), is_known, qty, is_pack, price))
    ordered = None
    if dice.random() < 0.6:
        ordered = {one.ware.sku: one.qty * (one.ware.pack_qty if one.is_pack else 1) for one in lines
                   if one.known and dice.random() < 0.93}  # fmt: skip
        for ware in dice.sample(wares, 3):
            ordered.setdefault(ware.sku, ware.pack_qty * dice.randint(1, 4))
    return Note(
        layout, _supplier(dice, layout), f"{dice.choice(('DE', 'ES', 'GB'))}{dice.randint(10**8, 10**9 - 1)}",
        f"0{dice.randint(10**8, 10**9 - 1)}", f"{dice.randint(10_000, 999_999)}", tuple(lines), tuple(wares), ordered,
    )  # fmt: skip


# --- drawing ---


def drawn(dice: random.Random, of: Note) -> Any:
    """Return the note as it came from the printer (Pillow's, in grey)."""
    return _SHAPES[of.layout](dice, of)


def photographed(dice: random.Random, page: Any, layout: str) -> tuple[bytes, dict[str, Any]]:
    """Return what a bad photo makes of a page, as a JPEG, and what was done to it."""
    import numpy as np
    from PIL import Image, ImageFilter

    said: dict[str, Any] = {
        "blur": round(dice.uniform(0, 1.5), 2), "turn": round(dice.uniform(-8, 8), 1),
        "quality": dice.choice((40, 55, 75)),
        "contrast": round(dice.uniform(0.4, 0.8), 2) if layout == "thermal" else round(dice.uniform(0.6, 1), 2),
        "folds": dice.choice((0, 0, 1, 2)), "upside_down": dice.random() < 0.06,
    }  # fmt: skip
    dots = np.asarray(page, dtype=np.float32)
    dots = 250 - (255 - dots) * said["contrast"]
    height, width = dots.shape
    for _ in range(said["folds"]):
        place, deep = dice.uniform(0.2, 0.8), dice.uniform(25, 60)
        if dice.random() < 0.5:
            y = int(place * height)
            dots -= deep * np.exp(-(((np.arange(height) - y) / 5.0) ** 2))[:, None]
            dots[y:] = np.roll(dots[y:], dice.randint(-4, 4), axis=1) - dice.uniform(0, 14)
        else:
            x = int(place * width)
            dots -= deep * np.exp(-(((np.arange(width) - x) / 5.0) ** 2))[None, :]
            dots[:, x:] = np.roll(dots[:, x:], dice.randint(-3, 3), axis=0) - dice.uniform(0, 14)
    light = np.linspace(0, dice.uniform(-25, 0), width)[None, :] + np.linspace(0, dice.uniform(-25, 0), height)[:, None]
    noise = np.random.default_rng(dice.randrange(2**32)).normal(0, dice.uniform(0, 4), dots.shape)
    picture = Image.fromarray(np.clip(dots + light + noise, 0, 255).astype(np.uint8))
    picture = picture.rotate(said["turn"], Image.Resampling.BICUBIC, expand=True, fillcolor=dice.choice((70, 120, 200)))
    picture = picture.filter(ImageFilter.GaussianBlur(said["blur"]))
    if said["upside_down"]:
        picture = picture.transpose(Image.Transpose.ROTATE_180)
    file = io.BytesIO()
    picture.convert("RGB").save(file, "JPEG", quality=said["quality"])
    return file.getvalue(), said


class _Paper:
    """A sheet that is drawn on, in a font of its own."""

    def __init__(self, width: int, height: int, kind: str, size: int) -> None:
        from PIL import Image, ImageDraw

        self.page = Image.new("L", (width, height), 255)
        self.pen = ImageDraw.Draw(self.page)
        self.size = size
        self.font, self.large = _font(kind, size), _font(kind, int(size * 1.6))

    def at(self, x: int, y: int, text: str, *, right: bool = False, large: bool = False) -> None:
        font = self.large if large else self.font
        left = x - self.pen.textlength(text, font=font) if right else x
        self.pen.text((left, y), text, font=font, fill=20)

    def cut(self, text: str, room: int) -> str:
        while text and self.pen.textlength(text, font=self.font) > room:
            text = text[:-1]
        return text.rstrip()

    def ended(self, y: int) -> Any:
        return self.page.crop((0, 0, self.page.width, min(self.page.height, y)))


def _ruled(dice: random.Random, of: Note) -> Any:
    """Position, article number, designation, quantity, unit, price, total; German, ruled."""
    paper = _Paper(1240, 1754, dice.choice(("sans", "serif")), dice.choice((20, 22, 24)))
    step = int(paper.size * 1.75)
    paper.at(80, 70, of.supplier, large=True)
    paper.at(80, 120, f"Industriestr. 12 · 70565 Stuttgart · Tel. {of.phone}")
    paper.at(80, 150, f"USt-IdNr. {of.tax_number}")
    paper.at(80, 240, "Nachbarschaftsladen Ecke")
    paper.at(80, 320, f"Lieferschein Nr. {of.number}", large=True)
    paper.at(80, 370, f"Datum 03.12.2026   Kunden-Nr. {dice.randint(1000, 9999)}")
    edges = (80, 130, 260, 740, 820, 900, 1020, 1170)
    y = 430
    for x, word, right in ((80, "Pos", False), (150, "Art.-Nr.", False), (270, "Bezeichnung", False),
                           (810, "Menge", True), (830, "Einh.", False), (1020, "E-Preis", True),
                           (1165, "Gesamt", True)):  # fmt: skip
        paper.at(x, y, word, right=right)
    y += step
    for n, one in enumerate(of.lines, 1):
        paper.pen.line((80, y - 6, 1170, y - 6), fill=90)
        paper.at(80, y, str(n))
        paper.at(150, y, one.ware.article_no)
        paper.at(270, y, paper.cut(one.ware.wording, 460))
        paper.at(810, y, str(one.qty), right=True)
        paper.at(830, y, "Kt" if one.is_pack and one.ware.pack_qty > 1 else "St")
        paper.at(1020, y, _german(one.price), right=True)
        paper.at(1165, y, _german(one.amount), right=True)
        y += step
    paper.pen.line((80, y - 6, 1170, y - 6), fill=40)
    if dice.random() < 0.3:
        for x in edges:
            paper.pen.line((x - 8, 425, x - 8, y - 6), fill=140)
    net = sum(one.amount for one in of.lines)
    tax = round(net * 0.07)
    for word, money in (("Summe netto", net), ("MwSt. 7 %", tax), ("Gesamtbetrag EUR", net + tax)):
        paper.at(720, y + 10, word)
        paper.at(1165, y + 10, _german(money), right=True)
        y += step
    return paper.ended(y + 120)


def _slip(dice: random.Random, of: Note) -> Any:
    """Quantity, item, description, pack, price, amount; English, without rules."""
    paper = _Paper(1240, 1754, "sans", dice.choice((20, 22, 24)))
    step = int(paper.size * 1.7)
    paper.at(90, 80, of.supplier, large=True)
    paper.at(90, 130, f"14 Market Road, Leeds LS1 4AB   Tel {of.phone}")
    paper.at(90, 160, f"VAT Reg No {of.tax_number}")
    paper.at(800, 80, "DELIVERY NOTE" if dice.random() < 0.5 else "INVOICE", large=True)
    paper.at(800, 130, f"No. {of.number}")
    paper.at(800, 160, "Date: 03/12/2026")
    y = 270
    for x, word, right in ((150, "Qty", True), (180, "Item", False), (320, "Description", False), (810, "Pack", False),
                           (1000, "Price", True), (1150, "Amount", True)):  # fmt: skip
        paper.at(x, y, word, right=right)
    y += step
    for one in of.lines:
        paper.at(150, y, str(one.qty), right=True)
        paper.at(180, y, one.ware.article_no)
        paper.at(320, y, paper.cut(one.ware.wording, 480))
        paper.at(810, y, f"case {one.ware.pack_qty}" if one.is_pack and one.ware.pack_qty > 1 else "each")
        paper.at(1000, y, f"{one.price / 100:,.2f}", right=True)
        paper.at(1150, y, f"{one.amount / 100:,.2f}", right=True)
        y += step
    net = sum(one.amount for one in of.lines)
    tax = round(net * 0.2)
    for word, money in (("Subtotal", net), ("VAT 20%", tax), ("Total GBP", net + tax)):
        paper.at(800, y + 20, word)
        paper.at(1150, y + 20, f"{money / 100:,.2f}", right=True)
        y += step
    return paper.ended(y + 120)


def _hanzi(dice: random.Random, of: Note) -> Any:
    """A Chinese delivery note with a grid: number, article, name, size, quantity, unit, price, amount."""
    paper = _Paper(1240, 1754, "han", dice.choice((22, 24, 26)))
    step = int(paper.size * 1.75)
    paper.at(430, 60, of.supplier, large=True)
    paper.at(540, 115, "送货单", large=True)
    paper.at(80, 190, f"电话: {of.phone}")
    paper.at(760, 190, f"单号: {of.number}")
    paper.at(80, 230, "客户: 街角便利店")
    paper.at(760, 230, "日期: 2026年12月3日")
    edges = (70, 140, 290, 600, 740, 830, 910, 1030, 1180)
    y = top = 290
    for left, right, word in zip(
        edges, edges[1:], ("序号", "货号", "品名", "规格", "数量", "单位", "单价", "金额"), strict=False
    ):
        paper.at((left + right) // 2 - paper.size, y, word)
    y += step
    for n, one in enumerate(of.lines, 1):
        paper.pen.line((70, y - 6, 1180, y - 6), fill=110)
        paper.at(85, y, str(n))
        paper.at(150, y, one.ware.article_no)
        paper.at(298, y, paper.cut(one.ware.wording, 295))
        paper.at(608, y, one.ware.size)
        paper.at(820, y, str(one.qty), right=True)
        paper.at(845, y, "箱" if one.is_pack and one.ware.pack_qty > 1 else "个")
        paper.at(1020, y, f"{one.price / 100:.2f}", right=True)
        paper.at(1170, y, f"{one.amount / 100:.2f}", right=True)
        y += step
    for line_y in (top - 6, y - 6, y + step - 6):
        paper.pen.line((70, line_y, 1180, line_y), fill=60)
    for x in edges:
        paper.pen.line((x, top - 6, x, y - 6), fill=110)
    paper.at(85, y, "合计")
    paper.at(1170, y, f"¥{sum(one.amount for one in of.lines) / 100:.2f}", right=True)
    paper.at(80, y + step * 2, "送货人: 王建国      收货人:")
    return paper.ended(y + step * 2 + 110)


def _thermal(dice: random.Random, of: Note) -> Any:
    """A van's printer, 42 characters: a name in one line, quantity x price and amount below it."""
    paper = _Paper(760, 2400, "mono", 28)
    step, wide = 37, 42
    rows = [of.supplier.center(wide), f"Tel. {of.phone}".center(wide), f"TAX {of.tax_number}".center(wide), "",
            f"Ticket {of.number}    03/12/2026 09:41", "-" * wide]  # fmt: skip
    for one in of.lines:
        unit = f"cs{one.ware.pack_qty}" if one.is_pack and one.ware.pack_qty > 1 else "pc"
        counted = f"   {one.qty} {unit} x {one.price / 100:.2f}"
        rows += [one.ware.wording[: wide - 1], counted + f"{one.amount / 100:.2f}".rjust(wide - len(counted))]
    total = sum(one.amount for one in of.lines)
    rows += ["-" * wide, "TOTAL" + f"{total / 100:.2f}".rjust(wide - 5), "", "Thank you".center(wide)]
    y = 40
    for row in rows:
        paper.at(25, y, row)
        y += step
    return paper.ended(y + 60)


def _albaran(dice: random.Random, of: Note) -> Any:
    """Barcode, description, quantity, price, discount, amount; Spanish."""
    paper = _Paper(1240, 1754, dice.choice(("sans", "serif")), dice.choice((20, 22)))
    step = int(paper.size * 1.8)
    paper.at(80, 70, f"ALBARÁN  {of.number}", large=True)
    paper.at(80, 130, of.supplier, large=True)
    paper.at(80, 180, f"NIF: {of.tax_number}    Teléfono: {of.phone}")
    paper.at(80, 215, "Fecha: 3/12/2026")
    paper.at(760, 180, "Cliente: Tienda La Esquina")
    y = 300
    for x, word, right in ((80, "Código", False), (290, "Descripción", False), (860, "Cant.", True),
                           (1000, "Precio", True), (1150, "Importe", True)):  # fmt: skip
        paper.at(x, y, word, right=right)
    paper.pen.line((80, y + step - 8, 1150, y + step - 8), fill=60)
    y += step
    for one in of.lines:
        paper.at(80, y, one.ware.code)
        paper.at(290, y, paper.cut(one.ware.wording, 480))
        paper.at(860, y, str(one.qty), right=True)
        paper.at(1000, y, _german(one.price), right=True)
        paper.at(1150, y, _german(one.amount), right=True)
        y += step
    net = sum(one.amount for one in of.lines)
    tax = round(net * 0.1)
    for word, money in (("Base imponible", net), ("IVA 10%", tax), ("TOTAL", net + tax)):
        paper.at(780, y + 20, word)
        paper.at(1150, y + 20, _german(money), right=True)
        y += step
    return paper.ended(y + 130)


def _bare(dice: random.Random, of: Note) -> Any:
    """No headings at all: quantity, name, price, amount, as a small grower types it."""
    paper = _Paper(1000, 1400, dice.choice(("mono", "sans")), 25)
    paper.at(70, 60, of.supplier, large=True)
    paper.at(70, 120, f"{of.phone}     3 Dec 2026     #{of.number}")
    y = 210
    for one in of.lines:
        paper.at(70, y, f"{one.qty} x")
        paper.at(160, y, paper.cut(one.ware.wording, 490))
        paper.at(800, y, f"{one.price / 100:.2f}", right=True)
        paper.at(930, y, f"{one.amount / 100:.2f}", right=True)
        y += 48
    paper.at(160, y + 20, "Total")
    paper.at(930, y + 20, f"{sum(one.amount for one in of.lines) / 100:.2f}", right=True)
    return paper.ended(y + 140)


_SHAPES = {"ruled": _ruled, "slip": _slip, "hanzi": _hanzi, "thermal": _thermal, "albaran": _albaran, "bare": _bare}


# --- inside ---


def _ware(dice: random.Random, carried: tuple[str, str, str, str, str], style: str, layout: str) -> Ware:
    sku, name, brand, size, code = carried
    pack_qty = dice.choice((1, 6, 10, 12, 24))
    each = Decimal(dice.randint(25, 900))
    wording = {
        "full": f"{name} {brand} {size}", "capitals": f"{name} {size}".upper(), "cut": f"{name[:24]} {size}",
        "brandless": f"{name} {size}",
    }[style]  # fmt: skip
    if layout == "hanzi":
        wording = name if style == "full" else name.removeprefix(brand)
    article_no = (
        str(dice.randint(1000, 99_999)) if layout != "slip" else f"{dice.choice('ABKLM')}{dice.randint(100, 9999)}"
    )
    return Ware(sku, name, brand, size, code, article_no, pack_qty, int(each * pack_qty * Decimal("0.97")), wording)


def _supplier(dice: random.Random, layout: str) -> str:
    if layout == "hanzi":
        return dice.choice(("金丰", "恒源", "永盛", "百味")) + dice.choice(("食品批发部", "商贸有限公司", "副食品公司"))
    first = dice.choice(("Keller", "Hartmann", "Northgate", "Riverside", "García", "Delgado", "Fontana", "Albrecht"))
    return f"{first} {dice.choice(('Foods Ltd', 'Großhandel GmbH', 'Distribución S.L.', 'Wholesale', '& Söhne'))}"


def _ean(dice: random.Random, start: str = "4") -> str:
    digits = start + "".join(str(dice.randrange(10)) for _ in range(12 - len(start)))
    odd, even = sum(map(int, digits[::2])), sum(map(int, digits[1::2]))
    return f"{digits}{-(odd + 3 * even) % 10}"


def _german(cents: int) -> str:
    whole, part = divmod(cents, 100)
    return f"{whole:,}".replace(",", ".") + f",{part:02d}"


def _font(kind: str, size: int) -> Any:
    from PIL import ImageFont

    if kind == "han":
        path = next(Path("/usr/share/fonts").glob(f"**/{HAN_FONT}"), None)
        if path is None:
            raise FileNotFoundError(f"no {HAN_FONT} on this machine: install fonts-noto-cjk")
        return ImageFont.truetype(path, size, index=2)
    for one in FONTS[kind]:
        path = Path("/usr/share/fonts/truetype") / one
        if path.exists():
            return ImageFont.truetype(path, size)
    raise FileNotFoundError(f"no {FONTS[kind][0]} on this machine: install fonts-liberation or fonts-dejavu")
