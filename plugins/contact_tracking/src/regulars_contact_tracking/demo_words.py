"""What is said in the sample chain, in the languages of its customers: (channel, direction, text, outcome, next step or nothing)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

Talk = tuple[str, str, str, str, str]

TALKS: Mapping[str, Sequence[Talk]] = {
    "sv": (
        (
            "phone",
            "in",
            "Undrar om soffan finns i grått i stället för blått, om det inte flyttar leveransdagen.",
            "Väntar på besked",
            "Ring om soffans leverans",
        ),
        (
            "visit",
            "in",
            "Tittade på gardiner till sovrummet. Fönstret är 140 brett, vill ha mörkläggande.",
            "Tog med tygprover",
            "Fråga om gardinproverna",
        ),
        ("email", "out", "Skickade offert på köksbord och sex stolar.", "Offert skickad", "Följ upp offerten"),
        ("phone", "out", "Påminde om hämtning av lampan. Kommer förbi på lördag.", "Hämtar på lördag", ""),
        ("chat", "in", "Frågade om skötselråd för linnedukar. Rekommenderade 40 grader och dropptork.", "Nöjd", ""),
        ("social", "in", "Skrev att krukorna gick sönder i leveransen. Nya skickade samma dag.", "Ersatt", ""),
    ),
    "fi": (
        ("phone", "in", "Kysyi, saako nojatuolin myös vihreänä. Lupasin tarkistaa varastosta.", "Odottaa vastausta", "Soita nojatuolista"),
        ("visit", "in", "Kävi katsomassa mattoja olohuoneeseen, noin 200 × 300.", "Harkitsee", "Ehdota mattoja"),
        ("email", "out", "Lähetin kuvat uusista valaisimista.", "Lähetetty", ""),
        ("phone", "out", "Muistutin noudettavasta tilauksesta.", "Noutaa perjantaina", ""),
    ),
    "de": (
        (
            "phone",
            "in",
            "Möchte wissen, ob der Esstisch auch in Eiche geölt lieferbar ist.",
            "Wartet auf Antwort",
            "Wegen des Esstischs anrufen",
        ),
        ("visit", "in", "Hat sich im Laden Vorhangstoffe angesehen, Muster mitgenommen.", "Muster mitgegeben", "Nach den Mustern fragen"),
        ("email", "out", "Angebot für vier Stühle und eine Bank geschickt.", "Angebot verschickt", "Angebot nachfassen"),
        ("letter", "out", "Dankeskarte zum zehnten Einkauf.", "Verschickt", ""),
        ("phone", "in", "Lampe flackert. Ersatz ist bestellt und kommt nächste Woche.", "Ersatz bestellt", ""),
    ),
    "fr": (
        ("phone", "in", "Demande si le canapé existe en velours vert.", "Attend une réponse", "Rappeler au sujet du canapé"),
        ("visit", "in", "Est passée choisir des coussins assortis aux rideaux.", "A acheté deux coussins", ""),
        ("email", "out", "Envoyé le devis pour la table et les chaises.", "Devis envoyé", "Relancer le devis"),
        ("chat", "in", "Question sur l’entretien du lin lavé.", "Renseignée", ""),
    ),
    "en": (
        (
            "phone",
            "in",
            "Asked whether the bookcase can be delivered before the weekend.",
            "Waiting for an answer",
            "Call about the delivery",
        ),
        ("visit", "in", "Came in to look at desk lamps; likes brass, not too tall.", "Thinking about it", "Suggest two lamps"),
        ("email", "out", "Sent the quote for the dining table and six chairs.", "Quote sent", "Follow up on the quote"),
        ("social", "in", "Posted a picture of the new sofa; thanked for the tip with the throw.", "Happy", ""),
        ("phone", "out", "Reminded of the lamp that is ready for collection.", "Will come on Saturday", ""),
    ),
    "uk": (
        ("phone", "in", "Питала, чи буде сірий диван до свят. Обіцяли дізнатися на складі.", "Чекає на відповідь", "Подзвонити про диван"),
        ("visit", "in", "Вибирала штори до вітальні, взяла зразки тканини.", "Взяла зразки", "Запитати про зразки"),
        ("email", "out", "Надіслали добірку новорічних прикрас.", "Надіслано", ""),
        ("chat", "in", "Уточнила, як прати лляну скатертину.", "Задоволена", ""),
    ),
    "fa": (
        ("phone", "in", "پرسید مبل خاکستری تا قبل از نوروز می‌رسد یا نه. قول دادیم از انبار بپرسیم.", "منتظر پاسخ", "تماس دربارهٔ مبل"),
        ("visit", "in", "برای دیدن پرده‌ها آمد و نمونهٔ پارچه گرفت.", "نمونه گرفت", "پرسیدن نظر دربارهٔ نمونه‌ها"),
        ("email", "out", "پیش‌فاکتور میز ناهارخوری فرستاده شد.", "فرستاده شد", "پیگیری پیش‌فاکتور"),
        ("chat", "in", "دربارهٔ شست‌وشوی رومیزی پرسید.", "راضی", ""),
    ),
    "zh": (
        ("phone", "in", "询问灰色沙发能否在春节前送到，答应向仓库确认。", "等待答复", "致电告知沙发到货时间"),
        ("visit", "in", "到店看了客厅窗帘，带走了布料样品。", "已取样品", "询问样品意见"),
        ("chat", "in", "咨询亚麻桌布的清洗方法。", "满意", ""),
        ("email", "out", "已发送餐桌和六把椅子的报价。", "报价已发", "跟进报价"),
    ),
    "el": (
        ("phone", "in", "Ρώτησε αν το φωτιστικό υπάρχει και σε μαύρο.", "Περιμένει απάντηση", "Τηλεφώνημα για το φωτιστικό"),
        ("visit", "in", "Ήρθε να δει χαλιά για το σαλόνι.", "Το σκέφτεται", ""),
    ),
}
SIZES: Sequence[tuple[str, str]] = (("Curtains", "140 × 250"), ("Bed", "160"), ("Duvet", "150 × 210"), ("Table cloth", "140 × 220"))
WISHES: Sequence[tuple[str, str]] = (
    ("Brass desk lamp", ""),
    ("Armchair", "green"),
    ("Wool rug", "200 × 300"),
    ("Plant pots", "terracotta"),
)
