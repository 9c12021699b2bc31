"""ASS scripts of a few bytes that ask for a lot."""

from __future__ import annotations

import random

LINE = "Lorem ipsum dolor sit amet consectetur adipiscing elit sed do"
HEADER = (
    "[Script Info]\nPlayResX: 384\nPlayResY: 288\n[V4+ Styles]\nFormat: Name, Fontname, Fontsize, "
    "PrimaryColour, Outline, Shadow\nStyle: D,Noto Sans,20,&H00FFFFFF,2,2\n[Events]\n"
    "Format: Start, End, Style, Text\n"
)


def script(*texts: str, header: str = HEADER) -> str:
    return header + "".join(f"Dialogue: 0:00:00.00,0:00:09.00,D,{text}\n" for text in texts)


def drawing(length: int, seed: int = 1) -> str:
    """A tangle of so many characters, as large as the picture."""
    rng = random.Random(seed)
    points = ""
    while len(points) < length:
        points += f" {rng.randrange(384)} {rng.randrange(288)}"
    return f"m 0 0 l{points}"


def placed(*texts: str) -> list[str]:
    rng = random.Random(1)
    return [f"{{\\pos({rng.randrange(384)},{rng.randrange(288)})}}{text}" for text in texts]


REFUSED = {
    "a size beyond all bounds": script(r"{\fs100000}" + LINE),
    "a large size, scaled": script(r"{\fs288\fscx1000\fscy1000}" + LINE),
    "a size that grows": script(r"{\t(\fs9999)}" + LINE),
    "a size in a style": script(LINE, header=HEADER.replace("20,", "9999,", 1)),
    "a resolution of one pixel": script(
        LINE, header=HEADER.replace("384", "1").replace("288", "1")
    ),
    "a pixel high, width left out": script(
        LINE, header=HEADER.replace("PlayResX: 384\n", "").replace("288", "1")
    ),
    "a drawing that grows": script(r"{\t(\fscx10000\fscy10000)\p1}m 0 0 l 384 0 384 288 0 288"),
    "a drawing of 200,000 points": script(r"{\p1}" + drawing(45_000)),
    "many drawings": script(*[r"{\p1}" + drawing(10_000)] * 5),
    "clips": script(*[r"{\clip(" + drawing(10_000) + ")}" + LINE] * 5),
    "many lines at once": script(*placed(*"x" * 2000)),
    "many long lines at once": script(*placed(*[LINE] * 500)),
    "big and blurred": script(*placed(*[r"{\blur20\bord30\fs288}hello"] * 50)),
    "a size with an exponent": script(r"{\fs.1e6}" + LINE),
    "a size with zeros in front": script(r"{\fs000000000000099999}" + LINE),
    "a size beyond numbers, of nothing": script(r"{\fs1e999\fscx1e999}", r"{\fs99999}" + LINE),
    "a size in a style by another name": script(
        LINE, header=HEADER.replace("Style: D,Noto Sans,20", "Style: B,Noto Sans,9999")
    ).replace(",D,", ",*B,"),
    "a size that adds up": script(r"{" + r"\fs+20" * 50 + "}" + LINE),
    "wide borders": script(*[r"{\bord1000}" + LINE] * 3),
    "2,000 fonts": script("".join(rf"{{\fnFont{n}}}x" for n in range(2000))),
    "a turn around a point far away": script(
        r"{\fs200\frx0\t(\frx8900)\fry0\t(\fry7777)\org(-1000,3000)}hello"
    ),
    "a long line": script(r"{\i1}" * 20_000),
}
"""Each of these takes minutes, gigabytes, or both."""

ALLOWED = {
    "plain": script(LINE),
    "a line as high as the picture": script(r"{\fs288}" + LINE[:9]),
    "animated blur for every letter": script(
        "".join(
            rf"{{\blur{n % 20}\t(\blur{20 - n % 20}\bord{n % 10})}}{letter}"
            for n, letter in enumerate(LINE)
        )
    ),
    "20 moving lines": script(*placed(*[r"{\t(\frz360\blur5)}" + LINE] * 20)),
    "a wide border": script(r"{\bord1000}" + LINE),
    "500 small lines at once": script(*placed(*"x" * 500)),
    "1,000 lines, one after the other": HEADER
    + "".join(
        f"Dialogue: 0:00:{n / 50:05.2f},0:00:{(n + 1) / 50:05.2f},D,{LINE}\n" for n in range(1000)
    ),
    "4,000 letters": script("字" * 4000),
    "20 KB of points, turning": script(r"{\t(\frz360)\p1}" + drawing(20_000)),
    "a drawing far beyond the picture": script(r"{\p1}m -500 -500 l 900 -500 900 800 -500 800"),
    "marks": script("a" + "\u0301" * 3990),
    "bidirectional controls": script("a" + "\u202e" * 3990 + "b"),
    "karaoke": script(r"{\k1}x" * 4000),
    "5,000 nested animations": script("{" + r"\t(0,9,\fs30)" * 3000 + "}hello"),
    "turned in space": script(r"{\frx0\t(\frx8900)\fry40\org(384,288)}" + LINE),
    "numbers beyond all bounds": script(
        r"{\pos(1e99,-1e99)\fax1e9\blur1e9\shad1e9\be99999}" + LINE
    ),
    "90 fonts": script("".join(rf"{{\fnFont{n}}}x" for n in range(90))),
    "unclosed": script("{" * 3000),
}
"""These look as bad, or are what good scripts do."""
