"""What people say in subtitles, in the languages of the legacy charsets, and those charsets."""

from __future__ import annotations

import unicodedata

SENTENCES: dict[str, tuple[str, ...]] = {
    "Arabic": (
        "إلى أين أنت ذاهب؟",
        "لا أعرف ماذا أقول لك.",
        "انتظر، سأعود بعد قليل.",
        "هل رأيت أخي اليوم؟",
        "كان ذلك منذ زمن بعيد.",
        "شكراً جزيلاً على مساعدتك.",
    ),
    "Bulgarian": (
        "Къде отиваш толкова късно?",
        "Не знам какво да ти кажа.",
        "Чакай, ще се върна веднага.",
        "Видя ли брат ми днес?",
        "Това беше много отдавна.",
        "Благодаря ти за помощта.",
    ),
    "Chinese, simplified": (
        "你要去哪里？",
        "我不知道该说什么。",
        "等一下，我马上回来。",
        "你今天看见我哥哥了吗？",
        "那是很久以前的事了。",
        "谢谢你的帮助。",
    ),
    "Chinese, traditional": (
        "你要去哪裡？",
        "我不知道該說什麼。",
        "等一下，我馬上回來。",
        "你今天看見我哥哥了嗎？",
        "那是很久以前的事了。",
        "謝謝你的幫助。",
    ),
    "Croatian": (
        "Gdje ćeš tako kasno?",
        "Ne znam što da ti kažem.",
        "Čekaj, odmah se vraćam.",
        "Jesi li danas vidio mog brata?",
        "To je bilo prije mnogo vremena, a žao mi je.",
        "Hvala ti što si došao, prijatelju.",
    ),
    "Czech": (
        "Kam jdeš tak pozdě?",
        "Nevím, co ti mám říct.",
        "Počkej, hned se vrátím.",
        "Viděl jsi dnes mého bratra?",
        "To už je hodně dávno.",
        "Děkuji ti za pomoc, příteli.",
    ),
    "Danish": (
        "Hvor skal du hen så sent?",
        "Jeg ved ikke, hvad jeg skal sige.",
        "Vent, jeg kommer straks igen.",
        "Har du set min bror i dag? Han er på øen.",
        "Det er længe siden.",
        "Tak for hjælpen, kære ven.",
    ),
    "Estonian": (
        "Kuhu sa nii hilja lähed?",
        "Ma ei tea, mida öelda.",
        "Oota, ma tulen kohe tagasi.",
        "Kas sa mu venda täna nägid?",
        "See oli väga ammu, kui õues sadas.",
        "Aitäh sulle abi eest, sõber.",
    ),
    "Finnish": (
        "Minne olet menossa näin myöhään?",
        "En tiedä, mitä sanoa.",
        "Odota, tulen pian takaisin.",
        "Näitkö veljeäni tänään?",
        "Siitä on jo hyvin pitkä aika.",
        "Kiitos avustasi, ystäväni. Älä pelkää.",
    ),
    "French": (
        "Où vas-tu si tard ?",
        "Je ne sais pas quoi te dire.",
        "Attends, je reviens tout de suite. Ça va ?",
        "Tu as vu mon frère aujourd'hui ?",
        "C'était il y a très longtemps, à l'été.",
        "Merci beaucoup, tu m'as bien aidé.",
    ),
    "German": (
        "Wohin gehst du so spät?",
        "Ich weiß nicht, was ich sagen soll.",
        "Warte, ich komme gleich zurück.",
        "Hast du heute meinen Bruder gesehen? Er wäre schön.",
        "Das ist schon sehr lange her. Über zehn Jahre.",
        "Vielen Dank für deine Hilfe.",
    ),
    "Greek": (
        "Πού πηγαίνεις τόσο αργά;",
        "Δεν ξέρω τι να σου πω.",
        "Περίμενε, θα γυρίσω αμέσως.",
        "Είδες τον αδερφό μου σήμερα;",
        "Αυτό έγινε πριν από πολύ καιρό.",
        "Ευχαριστώ πολύ για τη βοήθεια.",
    ),
    "Hebrew": (
        "לאן אתה הולך כל כך מאוחר?",
        "אני לא יודע מה להגיד לך.",
        "חכה, אני כבר חוזר.",
        "ראית את אחי היום?",
        "זה היה לפני הרבה זמן.",
        "תודה רבה על העזרה.",
    ),
    "Hungarian": (
        "Hová mész ilyen későn?",
        "Nem tudom, mit mondjak neked.",
        "Várj, mindjárt visszajövök.",
        "Láttad ma a bátyámat?",
        "Az már nagyon régen történt. Jó idők voltak, de nehéz sorsú emberek, hősök.",
        "Köszönöm szépen a segítséget, öreg.",
    ),
    "Icelandic": (
        "Hvert ertu að fara svona seint?",
        "Ég veit ekki hvað ég á að segja.",
        "Bíddu, ég kem strax aftur.",
        "Sástu bróður minn í dag?",
        "Það er mjög langt síðan.",
        "Þakka þér kærlega fyrir hjálpina.",
    ),
    "Italian": (
        "Dove vai così tardi?",
        "Non so che cosa dirti. È difficile.",
        "Aspetta, torno subito, però tu resta qui.",
        "Hai visto mio fratello oggi? È già andato via.",
        "È stato molto tempo fa, più di un anno.",
        "Grazie mille per l'aiuto, perché no?",
    ),
    "Japanese": (
        "こんな遅くにどこへ行くの？",
        "何と言えばいいのか分からない。",
        "待って、すぐに戻るから。",
        "今日、兄さんを見かけた？",
        "それはずっと昔のことだ。",
        "助けてくれて本当にありがとう。",
    ),
    "Korean": (
        "이렇게 늦게 어디 가요?",
        "무슨 말을 해야 할지 모르겠어.",
        "기다려, 금방 돌아올게.",
        "오늘 우리 형을 봤니?",
        "그건 아주 오래전 일이야.",
        "도와줘서 정말 고마워.",
    ),
    "Latvian": (
        "Kurp tu ej tik vēlu?",
        "Es nezinu, ko tev teikt.",
        "Pagaidi, es tūlīt atgriezīšos.",
        "Vai tu šodien redzēji manu brāli?",
        "Tas bija ļoti sen.",
        "Liels paldies par palīdzību, mīļais draugs.",
    ),
    "Lithuanian": (
        "Kur eini taip vėlai?",
        "Nežinau, ką tau pasakyti.",
        "Palauk, aš tuoj grįšiu.",
        "Ar šiandien matei mano brolį?",
        "Tai buvo labai seniai, kai čia gyvenau.",
        "Ačiū tau už pagalbą, mielas drauge.",
    ),
    "Norwegian": (
        "Hvor skal du så sent?",
        "Jeg vet ikke hva jeg skal si.",
        "Vent, jeg kommer straks tilbake. Det gjør jeg også.",
        "Har du sett broren min i dag? Han er på øya.",
        "Det er veldig lenge siden, den gangen være.",
        "Takk for hjelpen, kjære venn. På gjensyn.",
    ),
    "Persian": (
        "اين وقت شب كجا مي‌روي؟",
        "نمي‌دانم چه بگويم.",
        "صبر كن، الان برمي‌گردم.",
        "امروز برادرم را ديدي؟",
        "اين مال خيلي وقت پيش است.",
        "از كمك شما خيلي ممنونم.",
    ),
    "Polish": (
        "Dokąd idziesz tak późno?",
        "Nie wiem, co ci powiedzieć. Proszę cię.",
        "Zaczekaj, zaraz wrócę.",
        "Widziałeś dziś mojego brata?",
        "To było bardzo dawno temu, już się skończyło.",
        "Dziękuję ci bardzo za pomoc, źle by było.",
    ),
    "Portuguese": (
        "Aonde vais tão tarde?",
        "Não sei o que te dizer.",
        "Espera, já volto. A situação é séria.",
        "Viste o meu irmão hoje? Ele está lá.",
        "Isso foi há muito tempo, não é?",
        "Muito obrigado pela tua ajuda, coração.",
    ),
    "Romanian": (
        "Unde te duci aşa de târziu?",
        "Nu ştiu ce să-ţi spun.",
        "Aşteaptă, mă întorc imediat.",
        "L-ai văzut astăzi pe fratele meu?",
        "Asta s-a întâmplat demult, în copilărie.",
        "Îţi mulţumesc foarte mult pentru ajutor.",
    ),
    "Russian": (
        "Куда ты идёшь так поздно?",
        "Я не знаю, что тебе сказать.",
        "Подожди, я скоро вернусь.",
        "Ты видел сегодня моего брата?",
        "Это было очень давно.",
        "Большое спасибо за помощь.",
    ),
    "Serbian": (
        "Где ћеш тако касно?",
        "Не знам шта да ти кажем.",
        "Чекај, одмах се враћам.",
        "Јеси ли данас видео мог брата?",
        "То је било веома давно.",
        "Хвала ти на помоћи, пријатељу.",
    ),
    "Slovak": (
        "Kam ideš tak neskoro?",
        "Neviem, čo ti mám povedať.",
        "Počkaj, hneď sa vrátim.",
        "Videl si dnes môjho brata?",
        "To už je veľmi dávno, keď ešte žil.",
        "Ďakujem ti za pomoc, priateľ môj.",
    ),
    "Slovenian": (
        "Kam greš tako pozno?",
        "Ne vem, kaj naj ti rečem.",
        "Počakaj, takoj se vrnem.",
        "Si danes videl mojega brata? Že dolgo ga ni.",
        "To je bilo že zelo dolgo nazaj.",
        "Najlepša hvala za pomoč, prijatelj.",
    ),
    "Spanish": (
        "¿Adónde vas tan tarde?",
        "No sé qué decirte.",
        "Espera, ahora vuelvo. ¡Qué día!",
        "¿Has visto hoy a mi hermano?",
        "Eso fue hace mucho tiempo, señor.",
        "Muchas gracias por tu ayuda. Mañana también.",
    ),
    "Swedish": (
        "Vart ska du så här sent?",
        "Jag vet inte vad jag ska säga.",
        "Vänta, jag kommer strax tillbaka.",
        "Har du sett min bror i dag? Han är på ön.",
        "Det är väldigt länge sedan.",
        "Tack så mycket för hjälpen.",
    ),
    "Thai": (
        "ดึกป่านนี้แล้วจะไปไหน",
        "ฉันไม่รู้จะพูดอะไรดี",
        "รอเดี๋ยว เดี๋ยวกลับมา",
        "วันนี้เห็นพี่ชายฉันบ้างไหม",
        "มันนานมาแล้ว",
        "ขอบคุณมากที่ช่วยเหลือ",
    ),
    "Turkish": (
        "Bu saatte nereye gidiyorsun? Dışarısı soğuk.",
        "Sana ne diyeceğimi bilmiyorum.",
        "Bekle, hemen döneceğim.",
        "Bugün kardeşimi gördün mü?",
        "Bu çok uzun zaman önceydi, şimdi değil.",
        "Yardımın için çok teşekkür ederim.",
    ),
    "Ukrainian": (
        "Куди ти йдеш так пізно?",
        "Я не знаю, що тобі сказати.",
        "Зачекай, я скоро повернуся.",
        "Ти бачив сьогодні мого брата?",
        "Це було дуже давно, ще в її дитинстві.",
        "Щиро дякую за допомогу.",
    ),
    "Vietnamese": (
        "Anh đi đâu mà muộn thế?",
        "Tôi không biết phải nói gì.",
        "Chờ đã, tôi quay lại ngay.",
        "Hôm nay anh có thấy em trai tôi không?",
        "Chuyện đó lâu lắm rồi.",
        "Cảm ơn anh rất nhiều.",
    ),
}

WESTERN = ("cp1252", "iso8859-1", "iso8859-15", "mac-roman")
CENTRAL = ("cp1250", "iso8859-2")
CYRILLIC = ("cp1251", "koi8-r", "iso8859-5", "cp866", "mac-cyrillic")
BALTIC = ("cp1257", "iso8859-13")
CHARSETS: dict[str, tuple[str, ...]] = {
    "Arabic": ("cp1256", "iso8859-6",),
    "Bulgarian": ("cp1251", "iso8859-5", "cp866",),
    "Chinese, simplified": ("gb18030",),
    "Chinese, traditional": ("big5",),
    "Croatian": CENTRAL,
    "Czech": CENTRAL,
    "Estonian": BALTIC,
    "Greek": ("cp1253", "iso8859-7",),
    "Hebrew": ("cp1255", "iso8859-8",),
    "Hungarian": CENTRAL,
    "Japanese": ("shift_jis", "euc_jp", "iso2022_jp",),
    "Korean": ("cp949", "euc_kr",),
    "Latvian": BALTIC,
    "Lithuanian": BALTIC,
    "Persian": ("cp1256",),
    "Polish": CENTRAL,
    "Romanian": CENTRAL,
    "Russian": CYRILLIC,
    "Serbian": ("cp1251", "iso8859-5",),
    "Slovak": CENTRAL,
    "Slovenian": CENTRAL,
    "Thai": ("cp874", "tis-620",),
    "Turkish": ("cp1254", "iso8859-9",),
    "Ukrainian": ("cp1251", "koi8-u",),
    "Vietnamese": ("cp1258",),
    "Icelandic": ("cp1252", "iso8859-1", "iso8859-15",),
    **dict.fromkeys(
        ("Danish", "Finnish", "French", "German", "Italian", "Norwegian",
         "Portuguese", "Spanish", "Swedish"),
        WESTERN,
    ),
}  # fmt: skip

LANGUAGES = {
    "Arabic": "ar", "Bulgarian": "bg", "Chinese, simplified": "zh-CN",
    "Chinese, traditional": "zh-TW", "Croatian": "hr", "Czech": "cs", "Danish": "da",
    "Estonian": "et", "Finnish": "fi", "French": "fr", "German": "de", "Greek": "el",
    "Hebrew": "he", "Hungarian": "hu", "Icelandic": "is", "Italian": "it", "Japanese": "ja",
    "Korean": "ko", "Latvian": "lv", "Lithuanian": "lt", "Norwegian": "no", "Persian": "fa",
    "Polish": "pl", "Portuguese": "pt", "Romanian": "ro", "Russian": "ru", "Serbian": "sr",
    "Slovak": "sk", "Slovenian": "sl", "Spanish": "es", "Swedish": "sv", "Thai": "th",
    "Turkish": "tr", "Ukrainian": "uk", "Vietnamese": "vi",
}  # fmt: skip
TONES = "\u0300\u0301\u0303\u0309\u0323"


def encoded(text: str, charset: str) -> tuple[bytes, str]:
    """The text in a charset, and as that can hold it: cp1258 has the tones of Vietnamese only as
    marks behind their letters."""
    if charset == "cp1258":
        text = "".join(_with_loose_tone(character) for character in text)
    return text.encode(charset), text


def _with_loose_tone(character: str) -> str:
    try:
        character.encode("cp1258")
    except UnicodeEncodeError:
        parts = unicodedata.normalize("NFD", character)
        letter = "".join(part for part in parts if part not in TONES)
        tones = "".join(part for part in parts if part in TONES)
        return unicodedata.normalize("NFC", letter) + tones
    return character
