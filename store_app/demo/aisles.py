"""The demonstration's aisles: which department of a small shop a panel category belongs to.

The panel calls six lines of ten simply GROCERY; a shopkeeper does not. Margins are made up (basis points
of the shelf price), as is what counts as fresh (packs for a week, not for six).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Aisle:
    """One department of the shop."""

    margin_bp: int
    is_food: bool
    is_fresh: bool


AISLES = {
    "Fruit & vegetables": Aisle(3500, True, True),
    "Meat & fish": Aisle(2600, True, True),
    "Deli & salad bar": Aisle(3800, True, True),
    "Bakery": Aisle(3600, True, True),
    "Dairy & eggs": Aisle(2400, True, True),
    "Frozen": Aisle(3000, True, False),
    "Drinks": Aisle(3200, True, False),
    "Beer, wine & spirits": Aisle(2400, False, False),
    "Tobacco": Aisle(1100, False, False),
    "Snacks & sweets": Aisle(3400, True, False),
    "Breakfast & baking": Aisle(2800, True, False),
    "Pantry": Aisle(2700, True, False),
    "Baby": Aisle(2200, False, False),
    "Household": Aisle(3000, False, False),
    "Health & beauty": Aisle(3300, False, False),
    "Pets": Aisle(2600, False, False),
    "Papers & cards": Aisle(2500, False, False),
    "Flowers": Aisle(4500, False, True),
    "General goods": Aisle(3800, False, False),
}

_BY_AISLE = {
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

CATEGORY_AISLE = {category: aisle for aisle, categories in _BY_AISLE.items() for category in categories}
DEPARTMENT_AISLE = {
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
