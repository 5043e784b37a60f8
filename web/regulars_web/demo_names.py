"""What the people, firms and streets of the sample chain are called."""

from __future__ import annotations

from collections.abc import Sequence

# (given names, family names, language, weight)
NAMES: Sequence[tuple[str, str, str, int]] = (
    (
        "Åsa Björn Elsa Gösta Ingrid Karin Lars Maja Nils Örjan Pia Sven Tuva Viktor Agneta Bengt Cecilia Dag Ebba Fredrik Gunilla Håkan "
        "Ida Jörgen Kerstin Linnéa Mårten Olof Rut Signe Torbjörn Ulla Wilma Yngve",
        "Lindqvist Bergström Öhrn Nyström Sjöberg Åkesson Holm Ek Dahl Norén Andersson Blomqvist Carlsson Engström Forsberg Gustafsson "
        "Hägg Isaksson Jönsson Källström Lövgren Månsson Nordin Palm Rosén Sandström Törnqvist Wallin Åberg Östlund",
        "sv",
        10,
    ),
    (
        "Aino Eero Helmi Jussi Kaisa Lauri Päivi Väinö Anneli Esko Hannele Ilkka Jyrki Katri Leena Mikko Outi Pekka Riitta Sakari Tuula",
        "Mäkinen Korhonen Hämäläinen Virtanen Järvinen Nieminen Ahonen Heikkinen Kallio Laine Lehtonen Niemi Pitkänen Rantanen Salo",
        "fi",
        5,
    ),
    (
        "Anke Björn Greta Jürgen Käthe Lukas Sören Ute Antje Bernd Dörte Felix Günter Heike Jörg Katrin Matthias Nadine Rüdiger Wiebke",
        "Müller Schäfer Weiß Krüger Köhler Vogt Böhm Dietrich Fuchs Graf Hübner Jäger Lorenz Möller Pohl Roth Schröder Ziegler",
        "de",
        5,
    ),
    (
        "Anaïs Benoît Chloé François Hélène Loïc Noël Zoé Agnès Cédric Éloïse Fabien Gaëlle Jérôme Léa Mathieu Océane Rémi Solène Thérèse",
        "Lefèvre Rousseau Garçon Dupré Béranger Forêt Bonnet Chevalier Delaunay Faure Guérin Lacroix Mercier Perrin Roussel Vidal",
        "fr",
        4,
    ),
    (
        "Alice Callum Freya Imogen Oliver Siobhán Thomas Zara Amelia Benedict Daisy Eoin Georgia Hamish Isla Jack Maeve Niall Poppy Rhys",
        "O’Connor Hughes Patel Wright Bennett Okafor Ahmed Clarke Davies Evans Fraser Gallagher Khan MacLeod Osborne Shaw Turner Walsh",
        "en",
        4,
    ),
    (
        "Олена Дмитро Ірина Тарас Наталія Андрій Софія Юрій Богдан Віра Галина Євген Зоряна Леся Максим Оксана Роман Світлана",
        "Шевченко Коваленко Бондаренко Мельник Кравчук Лисенко Гончар Дяченко Захарчук Іваненко Литвин Мороз Петренко Савчук Ткач",
        "uk",
        4,
    ),
    (
        "فاطمه علی مریم رضا زهرا حسین سارا کیان آرش بهار داریوش الهام فرهاد گلناز هما جواد لیلا مهدی نرگس پروانه",
        "رضایی محمدی احمدی کریمی موسوی جعفری اکبری باقری حیدری ابراهیمی قاسمی هاشمی کاظمی مرادی نوری صادقی",
        "fa",
        4,
    ),
    (
        "秀英 伟 芳 娜 敏 静 强 磊 丽娟 建国 志明 雪梅 文博 晓燕 子涵 家豪 美玲 海涛 思远 玉兰",
        "李 王 张 刘 陈 杨 黄 赵 吴 周 徐 孙 马 朱 胡 郭 何 林",
        "zh",
        4,
    ),
    ("Γιώργος Ελένη Νίκος Μαρία Αντώνης Βασιλική Κώστας Σοφία", "Παπαδόπουλος Νικολάου Γεωργίου Δημητρίου Κωνσταντίνου Ιωάννου", "el", 1),
)
SPOKEN = {"SE": "sv", "FI": "fi", "DE": "de", "FR": "fr", "GB": "en"}
LOCALS = 5
"""How many times as often the language of its country is spoken in a store as elsewhere."""
COMPANIES = ("Kafé Solrosen AB", "Ateljé Norr AB", "Hotel Linde GmbH", "Boulangerie Dupré SARL", "Harbour Rooms Ltd", "Saaristo Oy")
STREETS = {
    "SE": ("Storgatan", "Södra Förstadsgatan", "Kungsgatan", "Ågatan"),
    "FI": ("Mannerheimintie", "Hämeenkatu"),
    "DE": ("Lindenstraße", "Gärtnerweg"),
    "FR": ("rue Mercière", "avenue Foch"),
    "GB": ("Mare Street", "Well Street"),
}
TAGS = ("vip", "sofa 2026", "interior designer", "garden", "newsletter prize")
