"""Which symbol stands for a category or a department, in its own color: told apart at a glance. Pure.

Rules
-----
1. The category goes before the department. Of several symbols whose word begins one of its words, the one that stands
   first in the name, and there the longest: 'Meat & fish' is meat. A name in Chinese holds a word anywhere. Words are
   patterns, case-folded ('ss' for 'ß').
2. What no word tells is OTHER, a plain box. The drawings, ours, have the symbol's name as their id
   (`store_app/static/common/symbols.svg`).
"""

import re
from functools import lru_cache

OTHER = "other"
_WORDS = {
    "deposit": "deposit pfand deposito depósito envase 押金",
    "pets": "pets?\\b dog.food cat.(food|litter) tier hund katze mascota perro gato 宠物",
    "baby": "baby infant diaper bebé bebe pañal windel säugling 婴儿 母婴",
    "tobacco": "tobacco cigarette cigar tabak zigarette tabaco cigarrillo 烟",
    "alcohol": "beer wine spirit liquor bier wein spirituose alkohol cerveza vino licor 酒",
    "frozen": "frozen frzn ice\\b tiefkühl eis\\b congelad helado 冷冻 冰",
    "flowers": "flower floral plant blume pflanze flor planta 花",
    "fish": "fish seafood fisch pescado marisco 鱼 海鲜 水产",
    "meat": "meat beef pork chicken poultry sausage ham turkey fleisch wurst geflügel carne pollo embutido 肉 禽",
    "produce": "fruit vegetable produce apple banana berries obst gemüse fruta verdura hortaliza 水果 蔬菜 果蔬",
    "dairy": "dairy milk cheese yogurt egg butter milch käse joghurt molkerei leche lácteo queso huevo eier 奶 蛋",
    "bakery": "bakery bread pastry roll cake pie backwaren brot gebäck kuchen pan panadería bollería 面包 糕点 烘焙",
    "deli": "deli salad prepared sandwich feinkost salat fertig ensalada platos preparados 熟食 沙拉 即食",
    "coffee": "coffee tea kaffee tee cocoa café té infusion 咖啡 茶",
    "drinks": "drink soda beverage juice water cola getränk saft wasser limonade bebida refresco zumo jugo agua "
    "饮料 水 果汁",
    "sweets": "snack sweet candy bars\\b chocolate cookie chip nut süss schoko keks knabber dulce golosina "
    "aperitivo galleta 零食 糖 巧克力",
    "breakfast": "breakfast cereal oat baking frühstück müsli desayuno cereal repostería 早餐 麦片",
    "pantry": "pantry can peanut soup pasta rice sauce spice oil spread jam honey grocery konserve vorrat nudel reis "
    "sosse gewürz despensa conserva arroz salsa especia aceite 粮油 调味 罐头 米 面",
    "beauty": "health beauty hair hand soap cosmetic makeup hygiene drug vitamin gesundheit kosmetik pflege drogerie "
    "salud belleza higiene cosmética perfumería 健康 美容 个护 洗护 药",
    "household": "household clean laundry toilet paper.(towel|ware) tissue napkin candle detergent kitchen haushalt "
    "putz reinigung wasch küche hogar limpieza cocina 家居 清洁 日用",
    "papers": "paper card magazine book stationery newspaper zeitung zeitschrift papier karte schreib papelería "
    "revista prensa tarjeta 报刊 文具 书 贺卡",
}
SYMBOLS = (*_WORDS, OTHER)


def _begin(word: str) -> str:
    return word if ord(word[0]) > 0x2E80 else rf"\b{word}"  # Chinese has no gaps between words


_BEGINS = {
    symbol: re.compile("|".join(_begin(word) for word in sorted(words.split(), key=len, reverse=True)))
    for symbol, words in _WORDS.items()
}


@lru_cache(maxsize=4096)
def symbol_of(category: str, department: str = "") -> str:
    """Return the symbol of a product's category, else of its department (rules 1, 2)."""
    for name in (category.casefold(), department.casefold()):
        found = [
            (hit.start(), -len(hit[0]), symbol) for symbol, begins in _BEGINS.items() if (hit := begins.search(name))
        ]
        if found:
            return min(found)[2]
    return OTHER
