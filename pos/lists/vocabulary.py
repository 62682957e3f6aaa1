"""The words of shopping lists that are no product's: numbers, units, containers, greetings, "as last time", "without".

In English, Spanish, German and Chinese at once, since one list mixes them. All is written as `fold` leaves it: in lower
case, without accents, `ß` as `ss`.
"""

import re
import unicodedata
from fractions import Fraction

_VULGAR = re.compile(r"(\d?)\s?([¼½¾⅓⅔⅛])")


def fold(text: str) -> str:
    """Return a text as it is compared: full-width letters and fractions plain, lower case, without accents."""
    text = _VULGAR.sub(lambda found: f"{found[1]} {unicodedata.normalize('NFKC', found[2])} ", text)
    plain = unicodedata.normalize("NFKD", text.replace("’", "'")).casefold().replace("⁄", "/")
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


def _table(text: str) -> dict[str, Fraction]:
    rows = (row.split(":") for row in text.split(";"))
    return {word: Fraction(value.strip()) for value, words in rows for word in words.split()}


NUMBERS = _table(
    "0: zero cero null; 1: a an one un una uno ein eine einen einer eines eins; 2: two dos zwei zwo couple par paar;"
    "3: three tres drei; 4: four cuatro vier; 5: five cinco funf fuenf; 6: six seis sechs; 7: seven siete sieben;"
    "8: eight ocho acht; 9: nine nueve neun; 10: ten diez zehn; 11: eleven once elf; 12: twelve doce zwolf zwoelf;"
    "13: thirteen trece dreizehn; 14: fourteen catorce vierzehn; 15: fifteen quince funfzehn; 16: sixteen sechzehn;"
    "18: eighteen dieciocho achtzehn; 20: twenty veinte zwanzig; 24: vierundzwanzig; 30: thirty treinta dreissig;"
    "1/2: half medio media halb halbe halber halbes halben halfe; 1/4: quarter cuarto viertel;"
    "3/2: anderthalb eineinhalb; 3/4: dreiviertel"
)
ARTICLES = _words("a an un una ein eine einen einer eines")
"""Numbers that stand before others: a dozen, half a kilo, un cuarto."""
HANZI = {sign: Fraction(value) for value, sign in enumerate("零一二三四五六七八九十")} | {
    "两": Fraction(2),
    "半": Fraction(1, 2),
}

MEASURES: dict[str, tuple[str, Fraction]] = {
    word: (kind, size)
    for kind, table in {
        "g": "1: g gr grs gram grams gramme grammes gramm gramos gramo 克; 1000: kg kgs kilo kilos kilogram kilograms"
        " kilogramm kilogramo kilogramos kilogramme 公斤 千克; 500: pfund 斤; 50: 两; 454: lb lbs pound pounds libra"
        " libras 磅; 1/1000: mg",
        "": "28: oz ounce ounces onza onzas",
        "ml": "1: ml mls milliliter millilitre milliliters millilitres mililitro mililitros 毫升; 10: cl; 100: dl;"
        " 1000: l lt ltr ltrs lts liter litre liters litres litro litros 升; 473: pint pints pt; 946: quart quarts qt;"
        " 3785: gallon gallons gal galon galones",
        "pieces": "12: dozen dozens doz dz docena docenas dutzend 打",
    }.items()
    for word, size in _table(table).items()
}
"""Unit -> what it measures, and how many grams, millilitres or pieces one is; of an ounce nothing says which."""

CONTAINERS = _words(
    """
    bottle bottles can cans tin tins pack packs packet packets pkt pkts pk box boxes bag bags sack sacks jar jars
    carton cartons loaf loaves bunch bunches piece pieces pc pcs roll rolls tub tubs tube tubes head heads unit
    units pot pots bar bars slab slabs stick sticks case cases crate crates tray trays punnet block blocks botella
    botellas lata latas paquete paquetes caja cajas bolsa bolsas bote botes tarro tarros frasco frascos brik briks
    barra barras pieza piezas unidad unidades ud uds rollo rollos manojo manojos tableta tabletas carton cartones
    bandeja bandejas saco sacos tubo tubos malla mallas flasche flaschen fl dose dosen packung packungen pack packs
    packchen paeckchen pck pckg pkg stuck stueck stk st beutel tute tuten tuete tueten glas glaser glaeser becher
    karton kartons kiste kisten kasten bund laib laibe rolle rollen tafel tafeln tube tuben netz netze schale
    schalen sack riegel kopf stange stangen 瓶 罐 包 袋 盒 箱 个 只 条 块 根 把 份 支 听 桶 颗 串 提 卷 片 板 枚 杯
    件 棵 头 双 排 罐装 瓶装
    """
)
MANY = _words(
    """
    case cases crate crates tray trays caja cajas kiste kisten kasten karton kartons 箱 提 排 板
    """
)
"""Containers of which nobody knows how many pieces they hold."""
TIMES = _words("x × * mal por veces times")
OF = _words("of de del von vom d' 的")

STOP = _words(
    """
    the a an of some any my our your for with in and or to also more another other plus few several one ones nice
    good fresh it that this these those el la los las lo un una uno unos unas de del al y e o con en para mi mis su
    algo algun alguna algunos algunas mas otro otra otros otras tambien unos der die das den dem des ein eine einen
    einem einer von vom mit und oder fur fuer im in noch etwas einige ein paar auch mein meine meinen bisschen d l
    le les du a
    """
)
"""Words that tell no product from another."""
LARGE = _words(
    """
    big large biggest largest grande grandes gross grosse grosser grosses grossen familiar xl 大 大的 大瓶 大包
    """
)
SMALL = _words(
    """
    small little smallest smaller pequeno pequena pequenos pequenas chico chica klein kleine kleiner kleines
    kleinen mini 小 小的 小瓶 小包
    """
)

FREE = _words("no free zero without sin ohne frei 0 diet light unsweetened unsalted unscented")
"""Words of a name that say it is without something."""
WITHOUT = re.compile(
    r"(?:\b(?:but )?(?:no|without|w/o|not|non|sin|ohne|nicht|kein|keine|keinen|keiner|keines|don'?t|nada de)\b"
    r"|不要|不放|别放|别要)(.*)$"
)


def _phrases(text: str) -> str:
    """Return an alternative for each phrase, longest first; what is written with blanks ends with a word."""
    said = sorted(
        (" ".join(one.split()) for one in re.split(r"\|(?![^(]*\))", text) if one.strip()), key=len, reverse=True
    )
    return "|".join(rf"\b{one}\b" if one.isascii() else one for one in said)


SAME = re.compile(
    _phrases(
        """
    (?:the |my |our )?same again |
    (?:just )?(?:the )?(?:same )?(?:(?:one|ones|kind|brand) )?(?:as|like|that i had|i had|i got|we had|we got|from)
    (?:the )?(?:last|previous) (?:time|order|week|one) |
    as (?:always|usual|before) | like (?:always|usual|before) | (?:the |my |our )?usual | the same | same |
    i always (?:get|buy|take|have) | we always (?:get|buy|take|have) | last time | l[oa]s? de siempre |
    de siempre | como siempre | (?:que )?(?:como )?(?:de )?la (?:ultima|otra) vez | que la vez pasada |
    la vez pasada | el de antes | la de antes | l[oa]s? mism[oa]s? | el mismo | mism[oa]s? | igual que siempre |
    lo habitual |
    (?:so )?wie (?:immer|sonst|gehabt|beim letzten mal|letztes mal|das letzte mal|letzte woche|vorher) |
    beim letzten mal | letztes mal | (?:die|das|den|der) ?(?:gleiche|selbe)[nrs]? | dieselben? | dasselbe |
    denselben | gleiche[nrs]? | das ubliche | die ubliche | den ublichen | ubliche[nrs]? |
    (?:跟|和|同|像|照)?上(?:次|回|一次)(?:一样|那种|买|的|那个|点|订)*的? | 老样子 | 老規矩 | 老规矩 | 照旧 | 照舊 |
    一样的 | 跟以前一样的? | 平时的 | 平常的 |
    常买的
    """
    )
)

TALK = _phrases(
    """
    hi | hello | hey | hiya | hi there | hello there | dear | good morning | good afternoon | good evening |
    morning | evening | how are you | please | pls | plz | thanks | thank you | thank you so much |
    thank you very much | thanks a lot | many thanks | thx | ty | cheers | kind regards | best regards | regards |
    best wishes | see you | see you later | bye | ok | okay | sorry | oh | ah | and | also |
    (?:can|could|may|might|would) (?:i|we|you)(?: please)?(?:
    (?:get|have|order|send|bring|give|put|pack|reserve|keep|prepare|add|deliver))*(?: (?:me|us))?(?: aside)? |
    i(?:'d| would)? (?:like|need|want|love|take)(?: to (?:order|get|buy|have))? |
    we(?:'d| would)? (?:like|need|want|love|take)(?: to (?:order|get|buy|have))? | i'?ll (?:have|take) |
    we'?ll (?:have|take) | (?:please )?(?:send|bring|give|get|add|put|pack|reserve|order|buy)(?: (?:me|us))? |
    need | want | looking for | my list | shopping list | list | order | for (?:today|tomorrow|tonight|later) |
    today | tomorrow | tonight | that'?s (?:it|all) | that is (?:it|all) |
    if (?:you have|possible|available)(?: (?:it|any|some|them))? | do you have | have you got | any | hola |
    buenas | buenos dias | buenas tardes | buenas noches | buen dia | que tal | por favor | porfa | porfavor |
    gracias | muchas gracias | mil gracias | saludos | un saludo | adios | hasta luego | un abrazo | vale |
    perdon | me (?:pone|pones|das|da|manda|mandas|trae|traes|guarda|guardas|prepara|preparas) | quiero | quisiera |
    quer(?:ia|emos|iamos) | necesito | necesitamos | necesitaria | me gustaria | nos gustaria |
    pon(?:me|ga|game|gan) | dame | deme | mandame | traeme | lista(?: de la compra)? | pedido |
    para (?:hoy|manana|esta tarde) | hoy | manana | eso es todo | nada mas | si (?:hay|tienes|tiene|es posible) |
    tienes | tiene | tambien | hallo | guten (?:morgen|tag|abend) | moin | servus | gruss gott | gruezi |
    liebe[rs]? | bitte | danke | danke schon | dankeschon | vielen dank | besten dank | mit freundlichen grussen |
    (?:liebe|viele|beste|schone) grusse | mfg | lg | vg | tschuss | bis (?:morgen|dann|spater|bald) |
    ich (?:brauche|mochte|hatte|will|nehme|bestelle|wurde)(?: gern| gerne)? |
    wir (?:brauchen|mochten|hatten|wollen|nehmen|bestellen)(?: gern| gerne)? |
    (?:konnten|konnen|konntet|konnt) (?:sie|ihr)(?: (?:mir|uns))?(?: bitte)? | kannst du(?: (?:mir|uns))? |
    kann ich | kriege ich | gern | gerne | bringen | schicken | zurucklegen | haben | bestellen | einkaufsliste |
    einkaufszettel | meine liste | liste | bestellung | fur (?:heute|morgen) | heute |
    das (?:ist|war'?s|ware)(?: alles)? | das wars | mehr nicht | falls (?:vorhanden|moglich) | wenn moglich |
    habt ihr | haben sie | auch | noch | ausserdem | 你好 | 您好 | 老板娘 | 老板 | 早上好 | 早安 | 下午好 | 晚上好 |
    大家好 | 在吗 | 麻烦你 |
    麻烦您 | 麻烦 | 请帮我 | 请给我 | 请问 | 请 | 谢谢你 | 谢谢您 | 谢谢 | 多谢 | 感谢 | 辛苦了 | 再见 | 拜拜 |
    我想要 | 我想买 | 我想订 | 我想 | 我要 | 我需要 |
    想要 | 想买 | 要买 | 需要 | 帮我拿 | 帮我留 | 帮我准备 | 帮我 | 给我来 | 给我拿 | 给我 | 来点 | 再来 | 再要 |
    再加 | 来 | 要 | 拿 | 买 | 另外 | 还要 | 还有 |
    还需要 | 明天要 | 明天 | 今天 | 购物清单 | 清单 | 就这些 | 就这样 | 有吗 | 有没有 | 哦 | 啊 | 吧 | 哈
    """
)
_FROM, _TO = r"^[\s,.:;!?~-]*", r"[\s,.:;!?~-]*$"
TALK_FIRST, TALK_LAST = re.compile(rf"{_FROM}(?:{TALK}){_FROM[1:]}"), re.compile(rf"{_TO[:-1]}(?:{TALK}){_TO}")
PLEASE = re.compile(
    _phrases(
        """
    please | pls | plz | por favor | porfa | bitte | 谢谢 | 麻烦
    """
    )
)
CLOSING = re.compile(
    _phrases(
        """
    thanks | thank you | thx | many thanks | kind regards | best regards | regards | best wishes | cheers |
    gracias | muchas gracias | saludos | un saludo | un abrazo | danke | vielen dank | besten dank |
    (?:liebe|viele|beste|schone) grusse | mit freundlichen grussen | mfg | lg | vg | 谢谢 | 多谢
    """
    )
)
"""After these a name follows."""

JOINT = re.compile(
    r"\s*(?:(?<!\d)[,，]|[,，](?!\d)|、)\s*|\s*(?:还有|以及|另外|再来|和|跟)\s*"
    r"|\s+(?:and(?! a half\b)|plus|y(?! medi[oa](?: de\b|\s*$))|e|und|sowie|also|&|\+)\s+"
    r"|(?<=[^\W\d_]{4})\.\s+",
    re.IGNORECASE,
)
"""What may part two things, or stand within the name of one: Salt & vinegar."""
