"""The sample chain's articles: things for the home."""

from __future__ import annotations

from typing import NamedTuple


class Article(NamedTuple):
    """A sample article; ``price`` is in whole SEK, ``months`` are those in which it sells best."""

    sku: str
    name: str
    brand: str
    department: str
    category: str
    price: int
    months: frozenset[int]


_ALL_YEAR = frozenset(range(1, 13))
# department | category | brand | best months | name and price, …
_SHELVES = """
Textiles|Curtains|Norrvik||Linen curtains 649,Blackout curtains 799,Voile curtains 349,Curtain rod, oak 299,Kitchen curtain 229,Velvet curtains 999,Roman blind 549,Curtain hooks 59,Tie-backs 89,Café curtain 199
Textiles|Bedding|Norrvik|1,8|Duvet cover, cotton 499,Duvet cover, linen 1299,Pillowcase 129,Fitted sheet 249,Wool blanket 899,Down duvet 1499,Pillow, soft 299,Mattress protector 349,Children's bedding 399,Bedspread 799
Textiles|Towels|Saltsjö|6,7|Bath towel 179,Hand towel 79,Beach towel 249,Bath mat 149,Guest towel 49,Bathrobe 599,Tea towel, two 89,Sauna towel 129,Hamam towel 219,Face cloth 35
Furniture|Sofas|Hemslöjd|1,9|Two-seat sofa 7990,Three-seat sofa 10990,Corner sofa 15990,Sofa bed 8990,Footstool 1990,Sofa cover 1490,Armchair 4990,Wing chair 6490,Daybed 5990,Sofa legs, oak 390
Furniture|Tables|Hemslöjd||Dining table, oak 6990,Side table 990,Coffee table 2490,Desk 3490,Bedside table 1290,Drop-leaf table 3990,Console table 2290,Nest of tables 1890,Children's table 690,Bench 1790
Furniture|Storage|Lådan|1,8|Bookcase 2990,Chest of drawers 3490,Shoe rack 790,Wall shelf 390,Wardrobe 5990,Storage box 149,Basket, rattan 249,Hanger, five 99,Sideboard 4990,Hat shelf 590
Kitchen|Tableware|Glöd|11,12|Dinner plate 99,Soup bowl 89,Mug, stoneware 79,Wine glass, four 299,Serving dish 249,Tumbler, six 199,Teapot 349,Salad bowl 279,Egg cup 39,Cutlery, 16 pieces 799
Kitchen|Cooking|Glöd|11,12|Frying pan 499,Cast-iron pot 1299,Saucepan 399,Kitchen knife 349,Chopping board 199,Whisk 79,Mixing bowl 149,Baking tin 129,Apron 179,Spice jars 159
Lighting|Lamps|Ljuset|10,11,12|Floor lamp 1290,Table lamp 690,Ceiling lamp 1490,Reading lamp 590,Paper shade 249,Window star 299,Advent candlestick 349,LED bulb 59,String lights 179,Lantern 229
Decoration|Candles|Ljuset|11,12|Pillar candle 69,Tapers, six 59,Scented candle 149,Candlestick, brass 249,Tealights, thirty 49,Candle plate 99,Block candle 89,Christmas candle 79,Outdoor candle 65,Snuffer 119
Decoration|Vases and frames|Saltsjö||Glass vase 249,Ceramic vase 349,Picture frame 149,Mirror, round 799,Poster 199,Cushion cover 179,Cushion 129,Wall clock 449,Decorative bowl 229,Dried flowers 159
Garden|Garden|Rosengård|4,5,6|Garden chair 790,Garden table 1990,Parasol 1290,Hammock 990,Flower pot 149,Watering can 199,Outdoor cushion 249,Plant stand 349,Bird feeder 179,Barbecue tools 399
"""  # noqa: E501 - a shelf a line


def articles() -> tuple[Article, ...]:
    """Every sample article, in a fixed order."""
    found: list[Article] = []
    for shelf in _SHELVES.strip().splitlines():
        department, category, brand, months, names = shelf.split("|")
        best = frozenset(int(month) for month in months.split(",")) if months else _ALL_YEAR
        # A comma followed by a blank belongs to the name.
        for name in names.replace(", ", "\0").split(","):
            title, _blank, price = name.replace("\0", ", ").rpartition(" ")
            found.append(Article(f"H{len(found) + 1001}", title, brand, department, category, int(price), best))
    return tuple(found)
