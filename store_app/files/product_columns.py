"""What the columns of somebody's list of products hold: told by their names, by their cells, or by a person.

Rules
-----
1. Our own list names all columns of OWN and is read by those names alone. Any other is read by the names of NAMES: a
   whole name goes before a part of one, the longer part before the shorter.
2. A field that no name tells is guessed from the cells: barcodes by their check digit, money, percent signs, and the
   longest words. A name or price that was guessed, or that two parts of names tell, is asked for (`columns`).
3. A column of one outlet ("Price [Main]", "inventory_Main") counts for that outlet, before the plain one. Of several
   outlets a person says which one is the store, unless one has its name (`outlet`).
4. What a person said goes before all of this. `answers`: 'column.price' -> a column's number from 0, its name, or '-'
   for none; 'outlet' -> its name; 'store' -> the store's own name.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from flask_babel import lazy_gettext as _l

from pos.catalogue.gs1 import is_gtin
from store_app.files.cells import percents

OWN = ("sku", "name", "category", "tax_class", "price")
COLUMNS, OUTLET = "columns", "outlet"
FIELDS = {
    "name": _l("Name"), "price": _l("Price"), "sku": _l("SKU"), "barcode": _l("Barcode"), "category": _l("Category"),
    "department": _l("Department"), "brand": _l("Brand"), "tax_class": _l("Tax"), "cost": _l("Cost"),
    "stock": _l("Opening stock"), "supplier": _l("Supplier"), "article_no": _l("Supplier's item number"),
    "pack_qty": _l("Pack size"), "pack_cost": _l("Cost per pack"), "pack_text": _l("Size"), "stock_unit": _l("Unit"),
    "price_quantity": _l("Price per"), "minimum_age": _l("Minimum age"),
}  # fmt: skip
"""The fields of a product and what a person reads for each, in the order they are shown."""
NAMES: dict[str, str] = {
    "name": "item name|product name|product title|title|name|product|item|article|description|"
    "artikelname|artikelbezeichnung|produktname|bezeichnung|artikel|produkt|warenbezeichnung|beschreibung|"
    "nombre del producto|nombre del artículo|nombre|producto|artículo|descripción|商品名称|产品名称|品名|名称|商品",
    "price": "variant price|default price|retail price|sales price|selling price|sale price|price|unit price|"
    "list price|verkaufspreis|vk preis|vk brutto|vk|preis|endpreis|precio de venta|pvp|precio|零售价|销售价|售价|"
    "单价|价格|rrp|srp|msrp",
    "cost": "default unit cost|variant cost|cost per item|supply price|default cost|standard price|unit cost|"
    "cost price|purchase price|cost|einkaufspreis|ek preis|ek netto|ek|kosten|precio de compra|precio de coste|"
    "coste|costo|进货价|采购价|成本价|成本|进价",
    "sku": "variant sku|custom sku|sku|internal reference|default code|item number|item no|item code|product code|"
    "product id|system id|stock code|artikelnummer|artikelnr|art nr|interne referenz|código interno|"
    "referencia interna|referencia|código|商品编码|商品编号|货号|编码|编号",
    "barcode": "variant barcode|barcode|bar code|gtin|upc|ean|ean code|ean 13|strichcode|código de barras|"
    "codigo de barras|商品条码|条形码|条码",
    "category": "reporting category|category|categories|type|product category|categ id|warengruppe|kategorie|"
    "produktkategorie|artikelgruppe|categoría|categoría de producto|familia|商品分类|分类|类别|品类",
    "department": "department|abteilung|hauptwarengruppe|departamento|sección|部门|大类",
    "brand": "brand|brand name|manufacturer|marke|hersteller|marca|fabricante|品牌",
    "tax_class": "tax name|tax class|customer taxes|taxes id|tax rate|tax code|taxes|tax|vat rate|vat|gst|mwst satz|"
    "mwst|ust|steuersatz|steuer|umsatzsteuer|mehrwertsteuer|tipo de iva|iva|impuestos del cliente|impuestos|"
    "impuesto|税率|增值税|税",
    "stock": "variant inventory qty|quantity on hand|qty available|current quantity|on hand|in stock|stock on hand|"
    "stock|inventory quantity|inventory|quantity|qty|bestand|lagerbestand|menge|anfangsbestand|existencias|"
    "cantidad disponible|cantidad|库存数量|当前库存|库存|数量",
    "supplier": "supplier name|default vendor name|vendor name|default vendor|supplier|vendor|lieferant|"
    "lieferantenname|proveedor|供应商名称|供应商|供货商",
    "article_no": "supplier code|default vendor code|vendor code|vendor item number|supplier item number|"
    "supplier sku|manufact sku|bestellnummer|lieferanten artikelnummer|referencia del proveedor|供应商货号",
    "pack_qty": "pack size|case size|case pack|case qty|units per case|units per pack|pack qty|pack quantity|"
    "gebindegröße|vpe|ve|stück pro gebinde|inhalt ve|unidades por caja|uds caja|装箱数|箱规|每箱数量",
    "pack_cost": "case price|case cost|pack price|pack cost|gebindepreis|preis pro ve|ve preis|precio por caja|"
    "precio caja|箱价|整箱价",
    "pack_text": "size|unit size|content|contents|net content|inhalt|packungsgröße|formato|contenido|规格",
    "stock_unit": "unit of measure|uom id|unit|uom|mengeneinheit|maßeinheit|einheit|unidad de medida|unidad|"
    "计量单位|单位",
    "minimum_age": "minimum age|age restriction|mindestalter|edad mínima|最低年龄",
    "by_weight": "sold by weight|nach gewicht verkauft|se vende por peso|按重量销售",
    "taxable": "variant taxable|taxable|charge tax|steuerpflichtig",
    "on_sale": "active|available for sale|sellable|aktiv|activo",
    "handle": "handle",
    "option": "variation name|option value|option1 value|option2 value|option3 value|option 1 value|option 2 value|"
    "option 3 value|variant option one value|variant option two value|variant option three value|variantenname|"
    "nombre de la variante|规格名称",
    "": "compare at price|variant compare at price|online sale price|token|unit price measurement|reference handle|"
    "low stock|reorder point|reorder qty|option 1 name|option 2 name|option 3 name|option1 name|option2 name|"
    "option3 name|variant grams|variant weight unit|variant inventory tracker|variant inventory policy|"
    "product video|item type|seo title|seo description|image src|image alt text|supplier id|brand id|product type|"
    "tags|status|currency|alternate price|low stock alert|price range|preisgruppe|sku of included item|"
    "composite name|composite sku|composite quantity|"
    "quantity of included item|track stock|track inventory|inventory tracker|stock alert enabled|stock alert count|"
    "new quantity|restock level|optimal stock|vendor taxes|supplier taxes|lieferantensteuern|price international|"
    "compare at price international|variant tax code|bruttogewicht|variant image|minimum price",
}  # fmt: skip
"""Field -> what other programs and wholesalers call its column, the likeliest first; '': columns to leave out."""
SEVERAL = ("barcode", "sku", "category", "option", "supplier")
"""Fields of which the next column counts where the first is empty (an option: each of them)."""
_OUTLETS = (
    ("stock", r"(?:current quantity|aktuelle menge|cantidad actual|当前数量)[ _]+(.+)"),
    ("stock", r"inventory_(.+)"),
    ("on_sale", r"enabled[ _]+(.+)"),
    ("tax_class", r"outlet_tax_(.+)"),
)
_BRACKETED = re.compile(r"([^\[\]]+)\[([^\[\]]+)\]")
_TAXED = re.compile(r"\b(?:tax|vat|gst|mwst|ust|steuer|iva|impuesto)\b|税", re.IGNORECASE)
_MONEY = re.compile(r"\D{0,4}-?\d{1,9}(?:[.,' ]\d{3})*[.,]\d{1,2}\D{0,4}")
YES = ("y", "yes", "true", "1", "x", "ja", "wahr", "j", "sí", "si", "verdadero", "是")
NO = ("n", "no", "false", "0", "nein", "falsch", "falso", "否")
LOOKED_AT, LONGEST_TITLE = 200, 200
_BY_NAME: dict[str, tuple[str, int]] = {}
for _field, _names in NAMES.items():
    for _rank, _name in enumerate(_names.split("|")):
        _BY_NAME.setdefault(_name, (_field, _rank))


@dataclass
class Columns:
    """What each column of a list holds.

    titles: the names of all columns. of: field -> its columns, the first counts. rates: column -> the tax it adds where
    it says yes, as name and basis points. outlets: those the file has columns for. asks: COLUMNS, OUTLET (rules 2, 3).
    """

    titles: list[str]
    of: dict[str, list[int]]
    rates: dict[int, tuple[str, int]] = field(default_factory=dict)
    outlets: list[str] = field(default_factory=list)
    asks: list[str] = field(default_factory=list)

    def cell(self, cells: Sequence[str], of: str) -> str:
        """Return what a row says of a field."""
        return next((cells[place] for place in self.of.get(of, ()) if cells[place]), "")

    @property
    def named(self) -> dict[str, str]:
        """Return field -> the name of its column."""
        return {of: self.titles[places[0]] for of, places in self.of.items() if places}


def is_heading(cells: Sequence[str]) -> bool:
    """Tell whether a row names columns: what stands above a wholesaler's table does not."""
    return sum(len(cell) <= LONGEST_TITLE and _of_title(plain(cell))[0] is not None for cell in cells) > 1


def understand(titles: list[str], sample: Sequence[Sequence[str]], answers: Mapping[str, str]) -> Columns:
    """Return what the columns of a list that is not our own hold (rules 1 to 4)."""
    found = Columns(titles, {}, _rates(titles, sample))
    at_outlets: dict[str, dict[str, list[int]]] = defaultdict(dict)
    whole: dict[str, list[tuple[int, int]]] = defaultdict(list)
    part: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for place, title in enumerate(titles):
        if place in found.rates or not title:
            continue
        outlet, of = _of_outlet(title)
        if outlet:
            at_outlets[outlet].setdefault(of, []).append(place)
            continue
        known, rank, is_whole = _of_title(plain(title))
        if known:
            (whole if is_whole else part)[known].append((rank, place))
    for of in NAMES:
        ranked = sorted(whole[of]) or sorted(part[of])
        places = [place for _rank, place in ranked]
        places = [place for place in places if any(_cells(sample, place))] or places
        if places:
            found.of[of] = places if of in SEVERAL else places[:1]
    unsure = {of for of in ("name", "price") if not whole[of] and len(part[of]) != 1}
    _guess(found, sample)
    _choose_outlet(found, at_outlets, answers)
    answered = _answer(found, answers)
    if any("price" in of for of in at_outlets.values()):
        unsure.discard("price")
    if unsure - answered or "name" not in found.of:
        found.asks.append(COLUMNS)
    return found


def plain(title: str) -> str:
    """Return a column's name without case, signs and the width of its letters."""
    return " ".join(re.sub(r"[\W_]+", " ", unicodedata.normalize("NFKC", title).casefold()).split())


# --- inside ---


def _of_title(title: str) -> tuple[str | None, int, bool]:
    """Return the field a name tells, its rank, and whether the whole name does; None where no name does."""
    if title in _BY_NAME:
        return *_BY_NAME[title], True
    padded, best = f" {title} ", ("", -1)
    for name, (of, _rank) in _BY_NAME.items():
        fits = name in title if not name.isascii() and not name[0].isascii() else f" {name} " in padded
        if fits and len(name) > best[1]:
            best = of, len(name)
    return (best[0], -best[1], False) if best[1] > 0 else (None, 0, False)


def _of_outlet(title: str) -> tuple[str, str]:
    """Return which outlet a column is of, and what it says of it; '' for a column of all."""
    if found := _BRACKETED.fullmatch(title.strip()):
        of = _of_title(plain(found[1]))[0]
        return (found[2].strip(), of) if of is not None else ("", "")
    for of, pattern in _OUTLETS:
        if found := re.fullmatch(pattern, title.strip(), re.IGNORECASE):
            return found[1].replace("_", " ").strip(), of
    return "", ""


def _rates(titles: Sequence[str], sample: Sequence[Sequence[str]]) -> dict[int, tuple[str, int]]:
    """Return the columns that are a tax with its rate in their name, and say yes or no in their cells."""
    found = {}
    for place, title in enumerate(titles):
        rates = percents(title)
        says = {cell.casefold() for cell in _cells(sample, place)}
        if rates and _TAXED.search(title) and says <= {"", *YES, *NO}:
            name = re.sub(r"^\W*(?:tax|steuer|impuesto|税)\s*[-–:]\s*", "", title, flags=re.IGNORECASE)
            found[place] = re.sub(r"[\"“”()]|\d+(?:[.,]\d+)?\s*%", "", name).strip(), sum(rates)
    return found


def _cells(sample: Sequence[Sequence[str]], place: int) -> Iterator[str]:
    return (cells[place].strip() for cells in sample if place < len(cells))


def _guess(found: Columns, sample: Sequence[Sequence[str]]) -> None:
    """Find by their cells what no name tells (rule 2)."""
    taken = {place for places in found.of.values() for place in places} | set(found.rates)
    free = [place for place in range(len(found.titles)) if place not in taken]
    filled = {place: [cell for cell in _cells(sample, place) if cell] for place in free}
    fitting = {
        "barcode": lambda cell: is_gtin(cell.lstrip("'")),
        "tax_class": lambda cell: len(cell) < 12 and len(percents(cell)) == 1,
        "price": lambda cell: bool(_MONEY.fullmatch(cell)),
        "name": lambda cell: any(letter.isalpha() for letter in cell) and len(cell) > 3,
    }
    for of, fits in fitting.items():
        if of in found.of:
            continue
        shares = {
            place: sum(map(fits, cells)) / len(cells) * (sum(map(len, cells)) / len(cells) if of == "name" else 1)
            for place, cells in filled.items()
            if cells and sum(map(fits, cells)) > 0.6 * len(cells)
        }
        if shares:
            found.of[of] = [max(shares, key=lambda place: shares[place])]
            filled.pop(found.of[of][0])


def _choose_outlet(
    found: Columns, at_outlets: Mapping[str, Mapping[str, list[int]]], answers: Mapping[str, str]
) -> None:
    """Let the columns of the store's outlet count (rule 3)."""
    found.outlets = [name for name, of in at_outlets.items() if set(of) - {"on_sale", ""}]
    said = plain(answers.get("outlet", "") or answers.get("store", ""))
    chosen = next((name for name in found.outlets if plain(name) == said), "")
    if not chosen and len(found.outlets) == 1:
        chosen = found.outlets[0]
    if not chosen and found.outlets:
        found.asks.append(OUTLET)
        chosen = found.outlets[0]
    for of, places in at_outlets.get(chosen, {}).items():
        if of:
            found.of[of] = places[:1] + found.of.get(of, [])


def _answer(found: Columns, answers: Mapping[str, str]) -> set[str]:
    """Let what a person said count (rule 4); returns the fields."""
    numbers = {plain(title): place for place, title in reversed(list(enumerate(found.titles)))}
    answered = set()
    for of in FIELDS:
        said = answers.get(f"column.{of}", "")
        place = int(said) if re.fullmatch(r"\d{1,4}", said, re.ASCII) else numbers.get(plain(said), -1)
        if said == "-":
            found.of.pop(of, None)
            if of == "tax_class":
                found.rates = {}
            answered.add(of)
        elif said and 0 <= place < len(found.titles):
            if place != next(iter(found.of.get(of, ())), None):
                found.of[of] = [place]
            answered.add(of)
    return answered
