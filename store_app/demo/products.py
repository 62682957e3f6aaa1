"""The demonstration's products: the panel's 800 best-selling product types, as a store would list them.

Rules
-----
1. A product is a product_type within its product_category: 'PREMIUM' is an ice cream in one and a bacon in
   the other. The 800 with the most lines are sold, ranked P0001, P0002, ...
2. No goods: the departments FUEL, MISCELLANEOUS and COUPON, the categories of `NO_GOODS`, the type
   MISC SALES TRANS, and lines without a type or a category.
3. Weighed (grams, price per 1000 g): types of PRODUCE, MEAT, DELI, SEAFOOD and SALAD BAR where fewer than
   12 % of the lines show their article's most frequent price, that is, where every piece has its own price.
4. Restricted to 21: beer, wine and spirits but those without alcohol, and tobacco but its accessories.
5. Tax: food 0 %, general 7 % added at the till (a rate of our choice); soft drinks, alcohol, tobacco,
   household, pets and everything from the drug and general departments but baby food and candy are general.
6. Barcodes are in-store numbers: '20' + nine digits of the rank + one of the unit, with a true check digit;
   the pack has the same number with the indicator 1 before it (GTIN-14).
7. Made up, and said so: the price per pound of weighed goods, the margin by category, and the pack (the largest
   of 24, 12, 6, 4, 2 that one store sells in six weeks, or in one week if fresh; grams alike).
8. The panel calls six lines of ten simply GROCERY; a shopkeeper does not: a product has its category. What counts as
   fresh (packs for a week, not for six) is made up like the margins.
9. Names a customer would read stand in `names.csv`, ours by hand; a type not in it is named by rule. Categories and
   departments have names in our other languages in `categories.csv`; the panel's products have none.
"""

from __future__ import annotations

import csv
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources

PRODUCT_COUNT = 800
NO_GOODS_DEPARTMENTS = frozenset({"FUEL", "MISCELLANEOUS", "COUPON"})
NO_GOODS = frozenset(
    {
        "COUPON/MISC ITEMS",
        "COUPONS/STORE & MFG",
        "IN-STORE PHOTOFINISHING",
        "OVERNIGHT PHOTOFINISHING",
        "PREPAID WIRELESS&ACCESSORIES",
        "TICKETS",
        "DELI SUPPLIES",
        "PROD SUPPLIES",
        "MEAT SUPPLIES",
    }
)
NO_GOODS_TYPES = frozenset({"MISC SALES TRANS"})
WEIGHED_DEPARTMENTS = frozenset({"PRODUCE", "MEAT", "DELI", "SEAFOOD", "SALAD BAR"})
WEIGHED_BELOW = 0.12
GRAMS_PER_LB = 453.59237
AGE_CATEGORIES = {
    "BEERS/ALES": 21,
    "DOMESTIC WINE": 21,
    "IMPORTED WINE": 21,
    "MISC WINE": 21,
    "LIQUOR": 21,
    "CIGARETTES": 21,
    "CIGARS": 21,
    "TOBACCO OTHER": 21,
}
AGE_FREE = re.compile(r"NON.ALCOH|COCKTAIL MIXES|LIGHTERS|PARAPHERNALIA")
TAX_CLASSES = {"food": ("Food", 0), "general": ("General goods", 700)}
FOOD_CATEGORIES = frozenset({"BABY FOODS", "INFANT FORMULA", "CANDY - CHECKLANE", "CANDY - PACKAGED"})
TAXED_CATEGORIES = frozenset({"SOFT DRINKS", "ISOTONIC DRINKS", "NEW AGE", "FRZN ICE"})
PRICE_PER_LB_CENTS = {
    "BEEF": 549, "PORK": 329, "CHICKEN": 249, "TURKEY": 229, "SMOKED MEATS": 329, "DELI MEATS": 749,
    "CHEESES": 699, "SALADS/DIPS": 399, "PREPARED FOOD": 549, "CHICKEN/POULTRY": 549, "SALAD BAR": 499,
    "SEAFOOD-FRESH": 799, "SEAFOOD - FROZEN": 699, "GRAPES": 219, "TOMATOES": 219, "STONE FRUIT": 199,
    "PEARS": 159, "APPLES": 159, "ONIONS": 99, "SQUASH": 149, "TROPICAL FRUIT": 57, "VALUE ADDED FRUIT": 399,
    "VEGETABLES - ALL OTHERS": 149, "PEPPERS-ALL": 249, "CARROTS": 89, "HERBS": 299, "POTATOES": 99,
    "CITRUS": 139,
}  # fmt: skip
PRICE_PER_LB_CENTS_TYPE = {"CABBAGE": 59, "ASPARAGUS": 299, "CHERRIES RED": 399, "PATTIES": 429}
PRICE_PER_LB_CENTS_OTHERS = 399
PACKS = (24, 12, 6, 4, 2)
PACKS_GRAMS = (20_000, 10_000, 5_000, 2_500, 1_000)
PACK_WEEKS = 6
PACK_WEEKS_FRESH = 1


@dataclass(frozen=True)
class DemoProduct:
    """One product as the stores sell it; *_minor in US cents, quantities in stock units (each or gram)."""

    sku: str
    name: str
    category: str
    department: str
    pack_text: str
    stock_unit: str
    price_quantity: int
    minimum_age: int | None
    tax_class: str
    gtin: str
    case_gtin: str
    pack_qty: int
    pack_cost_minor: int
    panel_category: str
    panel_type: str


@dataclass(frozen=True)
class TopCategory:
    """One department of the store."""

    margin_bp: int
    is_food: bool
    is_fresh: bool


TOP_CATEGORIES = {
    "Fruit & vegetables": TopCategory(3500, True, True),
    "Meat & fish": TopCategory(2600, True, True),
    "Deli & salad bar": TopCategory(3800, True, True),
    "Bakery": TopCategory(3600, True, True),
    "Dairy & eggs": TopCategory(2400, True, True),
    "Frozen": TopCategory(3000, True, False),
    "Drinks": TopCategory(3200, True, False),
    "Beer, wine & spirits": TopCategory(2400, False, False),
    "Tobacco": TopCategory(1100, False, False),
    "Snacks & sweets": TopCategory(3400, True, False),
    "Breakfast & baking": TopCategory(2800, True, False),
    "Pantry": TopCategory(2700, True, False),
    "Baby": TopCategory(2200, False, False),
    "Household": TopCategory(3000, False, False),
    "Health & beauty": TopCategory(3300, False, False),
    "Pets": TopCategory(2600, False, False),
    "Papers & cards": TopCategory(2500, False, False),
    "Flowers": TopCategory(4500, False, True),
    "General goods": TopCategory(3800, False, False),
}

_BY_TOP_CATEGORY = {
    "Dairy & eggs": (
        "FLUID MILK PRODUCTS", "YOGURT", "CHEESE", "EGGS", "MILK BY-PRODUCTS", "BUTTER", "MARGARINES",
        "MISC. DAIRY", "REFRIGERATED", "REFRGRATD DOUGH PRODUCTS",
    ),
    "Frozen": (
        "FRZN MEAT/MEAT DINNERS", "FROZEN PIZZA", "ICE CREAM/MILK/SHERBTS", "FRZN VEGETABLE/VEG DSH",
        "FRZN NOVELTIES/WTR ICE", "FRZN BREAKFAST FOODS", "FRZN POTATOES", "FROZEN PIE/DESSERTS",
        "FROZEN BREAD/DOUGH", "FRZN JCE CONC/DRNKS", "FRZN ICE", "FRZN FRUITS", "FROZEN MEAT", "FROZEN",
        "FROZEN CHICKEN", "SEAFOOD - FROZEN", "FROZEN - BOXED(GROCERY)",
    ),
    "Drinks": (
        "SOFT DRINKS", "REFRGRATD JUICES/DRNKS", "CANNED JUICES", "WATER - CARBONATED/FLVRD DRINK", "WATER",
        "ISOTONIC DRINKS", "PWDR/CRYSTL DRNK MX", "COFFEE", "TEAS", "COCOA MIXES", "NEW AGE", "JUICE",
        "NON-DAIRY BEVERAGES", "COFFEE FILTERS",
    ),
    "Beer, wine & spirits": ("BEERS/ALES", "DOMESTIC WINE", "IMPORTED WINE", "MISC WINE", "LIQUOR"),
    "Tobacco": ("CIGARETTES", "CIGARS", "TOBACCO OTHER"),
    "Snacks & sweets": (
        "BAG SNACKS", "CANDY - CHECKLANE", "CANDY - PACKAGED", "CRACKERS/MISC BKD FD", "COOKIES/CONES",
        "CONVENIENT BRKFST/WHLSM SNACKS", "WAREHOUSE SNACKS", "SNACK NUTS", "RICE CAKES", "POPCORN", "NUTS",
        "CHIPS&SNACKS", "SNKS/CKYS/CRKR/CNDY", "FITNESS&DIET", "DRIED FRUIT", "SNACKS",
    ),
    "Bakery": ("BAKED BREAD/BUNS/ROLLS", "BAKED SWEET GOODS"),
    "Breakfast & baking": (
        "COLD CEREAL", "HOT CEREAL", "BAKING MIXES", "BAKING NEEDS", "FLOUR & MEALS", "SUGARS/SWEETNERS",
        "SPICES & EXTRACTS", "MOLASSES/SYRUP/PANCAKE MIXS", "DRY MIX DESSERTS", "CANNED MILK",
        "CEREAL/BREAKFAST", "SYRUPS/TOPPINGS", "PNT BTR/JELLY/JAMS", "SHORTENING/OIL",
    ),
    "Baby": ("BABY FOODS", "DIAPERS & DISPOSABLES", "BABY HBC", "INFANT FORMULA", "INFANT CARE PRODUCTS",
             "BABYFOOD"),
    "Household": (
        "BATH TISSUES", "PAPER TOWELS", "LAUNDRY DETERGENTS", "LAUNDRY ADDITIVES", "BLEACH",
        "DISHWASH DETERGENTS", "HOUSEHOLD CLEANG NEEDS", "FD WRAPS/BAGS/TRSH BG", "PAPER HOUSEWARES",
        "FACIAL TISS/DNR NAPKIN", "AIR CARE", "BROOMS AND MOPS", "ELECTRICAL SUPPPLIES", "BATTERIES",
        "CHARCOAL AND LIGHTER FLUID", "CANDLES/ACCESSORIES", "DISPOSIBLE FOILWARE", "PLASTIC HOUSEWARES",
        "KITCHEN GADGETS", "COOKWARE & BAKEWARE",
    ),
    "Health & beauty": (
        "HAIR CARE PRODUCTS", "ORAL HYGIENE PRODUCTS", "SOAP - LIQUID & BAR", "COLD AND FLU", "ANALGESICS",
        "FEMININE HYGIENE", "DEODORANTS", "SHAVING CARE PRODUCTS", "HAND/BODY/FACIAL PRODUCTS",
        "FIRST AID PRODUCTS", "VITAMINS", "ANTACIDS", "LAXATIVES", "SINUS AND ALLERGY",
        "DIETARY AID PRODUCTS", "HAIR CARE ACCESSORIES", "MAKEUP AND TREATMENT", "BATH",
    ),
    "Pets": ("CAT FOOD", "DOG FOODS", "CAT LITTER", "PET CARE SUPPLIES", "BIRD SEED"),
    "Papers & cards": (
        "GREETING CARDS/WRAP/PARTY SPLY", "MAGAZINE", "NEWSPAPER", "BOOKSTORE",
        "STATIONERY & SCHOOL SUPPLIES",
    ),
}  # fmt: skip

CATEGORY_TOP_CATEGORY = {
    category: top_category for top_category, categories in _BY_TOP_CATEGORY.items() for category in categories
}
DEPARTMENT_TOP_CATEGORY = {
    "GROCERY": "Pantry",
    "NUTRITION": "Pantry",
    "PRODUCE": "Fruit & vegetables",
    "MEAT": "Meat & fish",
    "MEAT-PCKGD": "Meat & fish",
    "SEAFOOD": "Meat & fish",
    "SEAFOOD-PCKGD": "Meat & fish",
    "DELI": "Deli & salad bar",
    "SALAD BAR": "Deli & salad bar",
    "PASTRY": "Bakery",
    "COSMETICS": "Health & beauty",
    "FLORAL": "Flowers",
    "SPIRITS": "Beer, wine & spirits",
    "DRUG GM": "General goods",
}


def check_digit(digits: str) -> str:
    """Make the check digit of GS1: weights 3, 1, 3, ... from the right."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits)))
    return str(-total % 10)


def barcodes(rank: int) -> tuple[str, str]:
    """Make the unit's GTIN-13 and the pack's GTIN-14 of the product of this rank (rule 6)."""
    body = f"20{rank:09d}0"
    case = f"1{body}"
    return body + check_digit(body), case + check_digit(case)


def sku_of(rank: int) -> str:
    """Make the sku of a rank: 1 -> 'P0001'."""
    return f"P{rank:04d}"


def price_per_kg_minor(panel_category: str, panel_type: str) -> int:
    """Give the stated price of 1000 g of a weighed type, in cents (rule 7)."""
    cents = PRICE_PER_LB_CENTS_TYPE.get(panel_type)
    if cents is None:
        cents = PRICE_PER_LB_CENTS.get(panel_category, PRICE_PER_LB_CENTS_OTHERS)
    return round(cents * 1000 / GRAMS_PER_LB)


def minimum_age(panel_category: str, panel_type: str) -> int | None:
    """Give the age a customer must have (rule 4), None where there is none."""
    if AGE_FREE.search(panel_type):
        return None
    return AGE_CATEGORIES.get(panel_category)


def top_category_of(panel_department: str, panel_category: str) -> str:
    """Name the department a shopkeeper would look under."""
    return CATEGORY_TOP_CATEGORY.get(panel_category) or DEPARTMENT_TOP_CATEGORY.get(panel_department, "General goods")


def tax_class_of(panel_category: str, top_category: str) -> str:
    """Name the tax class (rule 5)."""
    if panel_category in FOOD_CATEGORIES:
        return "food"
    taxed = panel_category in TAXED_CATEGORIES or panel_category in AGE_CATEGORIES
    return "general" if taxed or not TOP_CATEGORIES[top_category].is_food else "food"


def pack_of(sold_a_week: float, top_category: str, is_weighed: bool) -> int:
    """Choose the supplier's pack from what one store sells in a week, in stock units (rule 7)."""
    weeks = PACK_WEEKS_FRESH if TOP_CATEGORIES[top_category].is_fresh else PACK_WEEKS
    steps = PACKS_GRAMS if is_weighed else PACKS
    return next((step for step in steps if step <= sold_a_week * weeks), steps[-1])


def pack_cost_minor(pack_qty: int, price_quantity: int, price_minor: int, top_category: str) -> int:
    """Work out what the supplier asks for a pack: the shelf price less the category's margin (rule 7)."""
    kept_bp = 10_000 - TOP_CATEGORIES[top_category].margin_bp
    return max(1, round(pack_qty * price_minor * kept_bp / (price_quantity * 10_000)))


def pack_text(package_size: str, panel_department: str, is_weighed: bool) -> str:
    """Tidy a package size: '12 OZ' -> '12 oz'; '' where it is no size a customer would know.

    In PRODUCE the panel often gives the grower's carton (40 LB of bananas, 24 CT of lettuce): dropped.
    """
    if is_weighed:
        return "by weight"
    found = re.fullmatch(r"(\d*\.?\d+|\d+ \d/\d|\d/\d|\d+/\d*\.?\d+) ?([A-Z][A-Z ]*)\.?", package_size.strip())
    unit = _UNITS.get(found[2]) if found else None
    if found is None or unit is None:
        return ""
    size = re.sub(r"(\.\d*?)0+$", r"\1", found[1]).rstrip(".") if "." in found[1] else found[1]
    most = {"lb": 10, "ct": 6}.get(unit)
    if panel_department == "PRODUCE" and most is not None and ("/" in size or float(size) > most):
        return ""
    size = size.replace("/", " x ", 1) if re.fullmatch(r"\d+/\d*\.?\d+", size) and unit == "oz" else size
    return f"{'0' if size.startswith('.') else ''}{size} {unit}"


def display_name(panel_category: str, panel_type: str) -> str:
    """Name the product as a shelf label would: the table `names.csv`, else by rule."""
    return _names().get((panel_category, panel_type)) or by_rule(panel_type)


def category_name(panel_category: str) -> str:
    """Name the category as a store would: 'BEERS/ALES' -> 'Beers & ales'."""
    known = _CATEGORIES.get(panel_category)
    if known is not None:
        return known
    parts = [by_rule(part) for part in re.split(r"\s*[/&]\s*", panel_category)]
    name = " & ".join(part.lower() for part in parts if part)
    return name[:1].upper() + name[1:]


def categories() -> dict[str, dict[str, str]]:
    """Return what categories and departments are called in other languages, by their one names (rule 9)."""
    return {row.pop("name"): row for row in _table("categories.csv")}


def by_rule(text: str) -> str:
    """Spell out a panel name: the known abbreviations, no brackets, capital first."""
    bare = re.sub(r"\([^)]*\)?", " ", text)
    words = [_WORDS.get(word, word.lower()) for word in re.split(r"[\s:/&.*-]+", bare) if word]
    name = " ".join(word for word in words if word)
    return name[:1].upper() + name[1:]


# --- inside ---


@cache
def _names() -> dict[tuple[str, str], str]:
    return {(row["category"], row["type"]): row["name"] for row in _table("names.csv")}


def _table(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(resources.files("store_app.demo").joinpath(name).read_text("utf-8").splitlines()))


_CATEGORIES = {
    "FRZN MEAT/MEAT DINNERS": "Frozen dinners", "MEAT - SHELF STABLE": "Canned meat & pasta",
    "VEGETABLES - SHELF STABLE": "Canned vegetables", "FRUIT - SHELF STABLE": "Canned fruit",
    "SEAFOOD - SHELF STABLE": "Canned fish", "BEANS - CANNED GLASS & MW": "Canned beans",
    "CONVENIENT BRKFST/WHLSM SNACKS": "Bars & fruit snacks", "WAREHOUSE SNACKS": "Snack mixes & canisters",
    "CRACKERS/MISC BKD FD": "Crackers", "REFRGRATD JUICES/DRNKS": "Chilled juices",
    "REFRGRATD DOUGH PRODUCTS": "Chilled dough", "REFRIGERATED": "Natural chilled foods",
    "FROZEN": "Natural frozen foods", "MILK BY-PRODUCTS": "Sour cream & dips", "MISC. DAIRY": "Other dairy",
    "CANDY - CHECKLANE": "Candy at the till", "CANDY - PACKAGED": "Candy", "HISPANIC": "World foods",
    "PNT BTR/JELLY/JAMS": "Peanut butter & jam", "SALD DRSNG/SNDWCH SPRD": "Dressings & spreads",
    "FD WRAPS/BAGS/TRSH BG": "Wraps & bags", "FACIAL TISS/DNR NAPKIN": "Tissues & napkins",
    "BATH TISSUES": "Toilet paper", "PAPER HOUSEWARES": "Party & paper ware", "MEAT - MISC": "Other meat",
    "WATER - CARBONATED/FLVRD DRINK": "Water", "WATER": "Natural water", "NEW AGE": "Energy drinks",
    "DRY BN/VEG/POTATO/RICE": "Rice & side dishes", "DINNER MXS:DRY": "Dinner mixes",
    "PWDR/CRYSTL DRNK MX": "Drink mixes", "FRZN VEGETABLE/VEG DSH": "Frozen vegetables",
    "FRZN NOVELTIES/WTR ICE": "Ice pops & bars", "FRZN ICE": "Ice", "HEAT/SERVE": "Heat & serve",
    "VEGETABLES - ALL OTHERS": "Fresh vegetables", "VEGETABLES SALAD": "Lettuce", "PEPPERS-ALL": "Peppers",
    "MOLASSES/SYRUP/PANCAKE MIXS": "Syrup & pancake mix", "ORGANICS FRUIT & VEGETABLES": "Organic produce",
    "PICKLE/RELISH/PKLD VEG": "Pickles & relishes", "SNKS/CKYS/CRKR/CNDY": "Natural sweets",
    "PROCESSED": "Produce dips & dressings", "MISC WINE": "Other wine", "TOBACCO OTHER": "Tobacco accessories",
    "SPRING/SUMMER SEASONAL": "Summer seasonal", "CHRISTMAS  SEASONAL": "Christmas", "FITNESS&DIET": "Fitness foods",
    "MISCELLANEOUS": "Pickles & kraut, chilled", "GREETING CARDS/WRAP/PARTY SPLY": "Cards & party supplies",
    "HOUSEHOLD CLEANG NEEDS": "Household cleaning", "SHORTENING/OIL": "Oils", "FROZEN PIE/DESSERTS": "Frozen desserts",
    "SEAFOOD - FROZEN": "Frozen fish", "SEAFOOD-FRESH": "Fresh fish", "SEAFOOD - MISC": "Fish sauces & breading",
    "FLUID MILK PRODUCTS": "Milk", "BAKED BREAD/BUNS/ROLLS": "Bread & buns",
    "STATIONERY & SCHOOL SUPPLIES": "Stationery", "SOAP - LIQUID & BAR": "Soap", "MAGAZINE": "Magazines",
    "ICE CREAM/MILK/SHERBTS": "Ice cream & sherbet", "HAND/BODY/FACIAL PRODUCTS": "Skin care",
    "VALUE ADDED FRUIT": "Cut fruit", "VALUE ADDED VEGETABLES": "Cut vegetables", "BOOKSTORE": "Books",
    "SALAD MIX": "Salad mix", "LUNCHMEAT": "Lunch meat", "ISOTONIC DRINKS": "Sports drinks",
}  # fmt: skip

_UNITS = {
    "OZ": "oz", "LB": "lb", "LBS": "lb", "CT": "ct", "GA": "gal", "GAL": "gal", "L": "L", "LTR": "L",
    "ML": "ml", "PK": "pk", "QT": "qt", "PT": "pt", "DZ": "dozen", "DOZ": "dozen", "FT": "ft",
    "SQ FT": "sq ft", "LOAD": "loads", "IN": "in", "PC": "pc", "STEM": "stems", "PADS": "pads", "CUP": "cup",
}  # fmt: skip

_WORDS = {
    "FRZN": "frozen", "FZN": "frozen", "FRZ": "frozen", "REFRIG": "chilled", "REFRIGERATED": "chilled",
    "REFRGRATD": "chilled", "SFT": "soft", "DRNK": "drink", "DRNKS": "drinks", "SGL": "single",
    "SNGL": "single", "SRV": "serve", "BTL": "bottle", "MLT": "multi", "MULT": "multi", "PK": "pack",
    "VEG": "vegetable", "VEGETABLE": "vegetable", "CHOC": "chocolate", "CHOCOCLATE": "chocolate",
    "CND": "canned", "DNRS": "dinners", "DNR": "dinner", "MXS": "mixes", "BRD": "breaded", "CHIX": "chicken",
    "GRND": "ground", "PKLD": "pickled", "PNT": "peanut", "BTR": "butter", "SW": "sweet", "GDS": "goods",
    "SNKS": "snacks", "CKYS": "cookies", "CRKR": "crackers", "CNDY": "candy", "SALD": "salad",
    "DRSNG": "dressing", "SNDWCH": "sandwich", "SPRD": "spread", "SHERBTS": "sherbets", "FD": "food",
    "BRKFST": "breakfast", "WHLSM": "wholesome", "PWDR": "powder", "CRYSTL": "crystal", "MX": "mix",
    "BN": "beans", "CLEANG": "cleaning", "SUPPPLIES": "supplies", "DISPOSIBLE": "disposable",
    "SPLY": "supplies", "TISS": "tissue", "SWEETNERS": "sweeteners", "PKG": "packaged", "PKGD": "packaged",
    "MISC": "other", "MW": "microwave", "FLVRD": "flavored", "JCE": "juice", "CONC": "concentrate",
    "BG": "bags", "TRSH": "trash", "HBC": "care", "BULK": "", "ALL": "", "S": "", "MIXS": "mixes",
    "WTR": "water", "BBQ": "BBQ", "RTS": "ready", "WOMEN": "women's", "TV": "TV",
}  # fmt: skip
