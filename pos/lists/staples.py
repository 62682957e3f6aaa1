"""What everyday products are called in each language, for a list in another one than the shelf's."""

from pos.lists.vocabulary import fold

_ROWS = """
milk|leche|milch|牛奶|鲜奶
egg/eggs|huevo/huevos|ei/eier|鸡蛋|蛋
bread/loaf|pan|brot|面包
roll/rolls|panecillo/panecillos|brötchen/semmel/semmeln|小面包
butter|mantequilla|butter|黄油
margarine|margarina|margarine|人造黄油
cheese|queso|käse|奶酪|芝士
yogurt/yoghurt|yogur/yogures|joghurt|酸奶
cream|nata/crema|sahne/rahm|奶油
quark/curd|queso fresco|quark|凝乳
water|agua|wasser|水|矿泉水
juice|zumo/jugo|saft|果汁
orange juice/oj|zumo de naranja/jugo de naranja|orangensaft/o-saft|橙汁
coke/cola/coca cola/coca-cola|coca/cocacola|cola|可乐|可口可乐
beer|cerveza/cervezas|bier|啤酒
wine|vino|wein|葡萄酒
red wine|vino tinto|rotwein|红酒|红葡萄酒
white wine|vino blanco|weißwein|白葡萄酒
coffee|café|kaffee|咖啡
tea|té|tee|茶|茶叶
sugar|azúcar|zucker|糖|白糖
salt|sal|salz|盐
pepper|pimienta|pfeffer|胡椒
flour|harina|mehl|面粉
atta|harina integral|weizenvollkornmehl|全麦面粉
rice|arroz|reis|大米|米
pasta/noodles|pasta/fideos|nudeln|意面|面条
spaghetti|espagueti/espaguetis|spaghetti|意大利面
oil|aceite|öl|油|食用油
olive oil|aceite de oliva|olivenöl|橄榄油
vinegar|vinagre|essig|醋
soy sauce|salsa de soja|sojasauce/sojasoße|酱油
mustard|mostaza|senf|芥末
ketchup|kétchup/catsup|ketchup|番茄酱
honey|miel|honig|蜂蜜
jam|mermelada|marmelade/konfitüre|果酱
chocolate|chocolate|schokolade/schoki|巧克力
biscuit/biscuits/cookies/cookie|galleta/galletas|keks/kekse|饼干
chips/crisps|patatas fritas/papas fritas|chips|薯片
candy/sweets|caramelo/caramelos/dulces|bonbons/süßigkeiten|糖果
ice cream|helado/helados|eis/speiseeis|冰淇淋|雪糕
cereal|cereales|müsli/cerealien|麦片
oat/oats/oatmeal|avena/copos de avena|hafer/haferflocken|燕麦|燕麦片
bean/beans|judía/judías/frijol/frijoles/alubias|bohne/bohnen|豆|豆子
lentil/lentils|lenteja/lentejas|linsen|扁豆
chickpea/chickpeas/garbanzo|garbanzo/garbanzos|kichererbsen|鹰嘴豆
tomato/tomatoes|tomate/tomates|tomate/tomaten|西红柿|番茄
potato/potatoes|patata/patatas/papa/papas|kartoffel/kartoffeln|土豆|马铃薯
onion/onions|cebolla/cebollas|zwiebel/zwiebeln|洋葱
garlic|ajo/ajos|knoblauch|大蒜|蒜
carrot/carrots|zanahoria/zanahorias|karotte/karotten/möhre/möhren|胡萝卜
cucumber/cucumbers|pepino/pepinos|gurke/gurken|黄瓜
pickle/pickles/gherkins|pepinillo/pepinillos|gewürzgurke/gewürzgurken|酸黄瓜
lettuce/salad|lechuga/ensalada|kopfsalat/salat|生菜
spinach|espinaca/espinacas|spinat|菠菜
mushroom/mushrooms|champiñón/champiñones/setas|pilze/champignons|蘑菇
apple/apples|manzana/manzanas|apfel/äpfel|苹果
banana/bananas|plátano/plátanos|banane/bananen|香蕉
orange/oranges|naranja/naranjas|orange/orangen|橙子
lemon/lemons|limón/limones|zitrone/zitronen|柠檬
grape/grapes|uva/uvas|trauben/weintrauben|葡萄
strawberry/strawberries|fresa/fresas|erdbeeren|草莓
pear/pears|pera/peras|birne/birnen|梨
avocado/avocados|aguacate/aguacates|avocado/avocados|牛油果
meat|carne|fleisch|肉
beef|ternera/carne de res|rindfleisch|牛肉
ground beef/minced beef/mince|carne picada/carne molida|hackfleisch/gehacktes|牛肉末
pork|cerdo|schweinefleisch|猪肉
chicken|pollo|hähnchen/huhn|鸡肉
turkey|pavo|pute|火鸡
ham|jamón|schinken|火腿
sausage/sausages|salchicha/salchichas|wurst/würstchen|香肠
bacon|beicon/tocino|speck|培根
fish|pescado|fisch|鱼
tuna|atún|thunfisch|金枪鱼
salmon|salmón|lachs|三文鱼
shrimp/prawns|gamba/gambas/camarones|garnelen|虾
tofu|tofu|tofu|豆腐
nuts|nueces/frutos secos|nüsse|坚果
peanut/peanuts|cacahuete/cacahuetes|erdnüsse|花生
almond/almonds|almendra/almendras|mandel/mandeln|杏仁
soup|sopa|suppe|汤
toilet paper/toilet tissue/loo roll|papel higiénico|klopapier/toilettenpapier|卫生纸|厕纸
kitchen roll/paper towels|papel de cocina|küchenrolle/küchenpapier|厨房纸
tissues|pañuelos|taschentücher|纸巾
soap|jabón|seife|香皂|肥皂
shampoo|champú|shampoo|洗发水
toothpaste|pasta de dientes/dentífrico|zahnpasta|牙膏
detergent|detergente|waschmittel|洗衣液|洗衣粉
dish soap/washing up liquid|lavavajillas|spülmittel|洗洁精
diapers/nappies|pañales|windeln|尿布|纸尿裤
cigarettes|cigarrillos/tabaco|zigaretten|香烟|烟
newspaper|periódico|zeitung|报纸
matches|cerillas/fósforos|streichhölzer|火柴
battery/batteries|pila/pilas|batterie/batterien|电池
"""


def _groups() -> dict[str, tuple[tuple[str, ...], ...]]:
    found: dict[str, tuple[tuple[str, ...], ...]] = {}
    for row in _ROWS.split("\n"):
        names = list(dict.fromkeys(fold(name) for names in row.split("|") for name in names.split("/") if name))
        for name in names:
            others = tuple(tuple(other.split()) for other in names if other != name)
            found[name] = (*found.get(name, ()), *others)
    return found


_OTHERS = _groups()


def others(words: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """Return what else a product of these words is called."""
    return _OTHERS.get(" ".join(words), ())
