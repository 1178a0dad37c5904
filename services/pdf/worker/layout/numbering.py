"""How headings, articles and list items are numbered, in Korean and in English; one place for every view.

A number is read at the start of a line or a block: `read("제3조의2(정의) …")`. Korean statutes and policies nest 편,
장, 절, 관, 조, then ①, 1., 가., 1), 가), (1), (가) ("법령 입안·심사 기준" of the Ministry of Government Legislation).
"""

import re
import unicodedata
from typing import Literal, NamedTuple, TypeAlias

Kind: TypeAlias = Literal[
    "part",  # 제1편, Part I
    "chapter",  # 제1장, Chapter 1
    "section",  # 제1절, Section 1
    "subsection",  # 제1관
    "article",  # 제1조, 제1조의2, Article 1
    "annex",  # 별표 1, 별지 제1호 서식, 부칙, Annex A
    "circled",  # ①
    "decimal",  # 1.2, 1.2.3
    "number",  # 1.
    "hangul",  # 가.
    "number_paren",  # 1)
    "hangul_paren",  # 가)
    "number_parens",  # (1)
    "hangul_parens",  # (가)
    "letter",  # a.
    "letter_paren",  # a)
    "letter_parens",  # (a)
    "roman",  # IV.
    "roman_parens",  # (iv)
    "bracketed",  # [1]
    "bullet",  # •
]

RANKS: dict[Kind, int] = {
    "annex": 0,
    "part": 1,
    "chapter": 2,
    "section": 3,
    "subsection": 4,
    "article": 5,
    "roman": 6,
    "number": 7,
    "decimal": 7,
    "circled": 8,
    "hangul": 9,
    "letter": 9,
    "number_paren": 10,
    "hangul_paren": 11,
    "letter_paren": 11,
    "number_parens": 12,
    "hangul_parens": 13,
    "letter_parens": 13,
    "roman_parens": 14,
    "bracketed": 15,
    "bullet": 16,
}
"""What stands higher in a document has the lower rank."""

STRUCTURE: frozenset[Kind] = frozenset(["part", "chapter", "section", "subsection", "article", "annex"])
"""The kinds that name a division of a document, and are no list."""

HANGUL_ORDER = "가나다라마바사아자차카타파하거너더러머버서어저처커터퍼허고노도로모보소오조초코토포호"
"""The syllables that count, in their order."""

_BULLETS = "•◦▪▫‣·∙●○■□◆◇▶▷►▸◎★☆✓✔✦➢➤※∘◾◽\u2043\uf0b7\uf0a7\u25aa\uff65\u30fb\u274d\u2751\u2756\u3147\u318d"
_DASHES = "-\u2013\u2014\u2212"
_CIRCLED = re.compile(r"[\u2460-\u2473\u3251-\u325f\u32b1-\u32bf\u24f5-\u24fe\u2776-\u277f]")
_DIVISION = re.compile(
    r"제\s?(?P<value>\d{1,4})\s?(?P<unit>편|장|절|관|조)(?:\s?의\s?(?P<added>\d{1,3}))?(?![가-힣\d])"
)
"""Not "제3조에": that is a reference in a sentence."""

_UNITS: dict[str, Kind] = {"편": "part", "장": "chapter", "절": "section", "관": "subsection", "조": "article"}
_ANNEX = re.compile(
    r"[\[<【〈(]?\s?(?:별\s?표|별\s?지|별\s?첨|붙\s?임)\s?(?:제?\s?(?P<value>\d{1,3})\s?호?)?(?:\s?서식)?\s?[\]>】〉)]?(?![가-힣\d])"
    r"|부\s{0,4}칙(?![가-힣])"
)
_ENGLISH = re.compile(
    r"(?P<unit>part|chapter|section|article|annex|appendix|schedule|exhibit)\s(?P<value>\d{1,3}|[ivxlc]{1,7}|[A-Z])\b(?=[.:)\s\u2013\u2014-]|$)",
    re.IGNORECASE,
)
_ENGLISH_UNITS: dict[str, Kind] = {
    "part": "part",
    "chapter": "chapter",
    "section": "section",
    "article": "article",
    "annex": "annex",
    "appendix": "annex",
    "schedule": "annex",
    "exhibit": "annex",
}
_DECIMAL = re.compile(r"(?:[A-Z](?:\.\d{1,3}){1,5}|\d{1,3}(?:\.\d{1,3}){1,5})\.?(?=\s|$|[가-힣(])")
_ENUMERATED: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("number", re.compile(r"(?P<value>\d{1,3})\.(?=\s|$|[^\d\s.,])")),
    ("number_paren", re.compile(r"(?P<value>\d{1,3})\)")),
    ("number_parens", re.compile(r"\((?P<value>\d{1,3})\)(?!\d)")),
    ("hangul", re.compile(rf"(?P<value>[{HANGUL_ORDER[:14]}])\.(?=\s|$|[^.])")),
    ("hangul_paren", re.compile(rf"(?P<value>[{HANGUL_ORDER[:14]}])\)")),
    ("hangul_parens", re.compile(rf"\((?P<value>[{HANGUL_ORDER[:14]}])\)")),
    ("roman", re.compile(r"(?P<value>(?=[IVX])X{0,3}(?:IX|IV|V?I{0,3})|[\u2160-\u216b])\.(?=\s|$)")),
    ("roman_parens", re.compile(r"\((?P<value>(?=[ivx])x{0,3}(?:ix|iv|v?i{0,3}))\)")),
    ("letter", re.compile(r"(?P<value>[a-zA-Z])\.(?=\s|$)(?!\s?[A-Z]\.)")),
    ("letter_paren", re.compile(r"(?P<value>[a-zA-Z])\)(?=\s|$)")),
    ("letter_parens", re.compile(r"\((?P<value>[a-zA-Z])\)")),
    ("bracketed", re.compile(r"\[(?P<value>\d{1,3})\](?=\s|$)")),
)
_BULLET = re.compile(rf"[{_BULLETS}](?=\s|$|[^\d\s])|[{_DASHES}o¢](?=\s)|\ufffd{{1,2}}(?=\s)")
"""A glyph without a meaning that stands apart before a text is a bullet of a font of symbols; "¢" is Tesseract's."""

_MAYBE = re.compile(
    rf"[^가-힣a-zA-Z]|제\s?\d|[별붙부]|[{HANGUL_ORDER[:14]}][.)]|[ivxIVX]+[.)]|[a-zA-Z][.)\s]|[PCSAEpcsae][A-Za-z]"
)
"""What any number may begin with: most lines begin otherwise, and need no closer look."""

_ROMAN_DIGITS = {"i": 1, "v": 5, "x": 10, "l": 50, "c": 100}


_TITLE = re.compile(r"\s?[(\[【\uff08][^()\[\]【】\uff08\uff09]{1,60}(?:\([^()]{1,40}\)[^()]{0,40})?[)\]】\uff09]")
"""Of an article, after its number."""


class Number(NamedTuple):
    """What a block is numbered with."""

    kind: Kind
    value: tuple[int, ...]
    """(3, 2) for 제3조의2, (1, 2, 3) for 1.2.3; () for a bullet and for an annex without a number."""

    marker: str
    """As it stands there, without blanks at its ends."""

    end: int
    """Where it ends in the text that was read."""

    @property
    def rank(self) -> int:
        """How high it stands in a document; see `RANKS`."""
        return RANKS[self.kind]

    def follows(self, other: "Number") -> bool:
        """Whether it is the next of the same kind."""
        if self.kind != other.kind or not self.value or not other.value:
            return self.kind == other.kind == "bullet"
        if len(self.value) == len(other.value):
            return self.value[:-1] == other.value[:-1] and self.value[-1] == other.value[-1] + 1
        if len(self.value) > len(other.value):
            return self.value[: len(other.value)] == other.value
        kept = len(self.value) - 1
        return self.value[:kept] == other.value[:kept] and self.value[kept] == other.value[kept] + 1


def read(text: str) -> Number | None:
    """The number at the start of a text, blanks before it aside; None if there is none."""
    start = len(text) - len(text.lstrip())
    if not _MAYBE.match(text, start):
        return None
    return _division(text, start) or _enumerated(text, start)


def _division(text: str, start: int) -> Number | None:
    if found := _DIVISION.match(text, start):
        value = (int(found["value"]), *([int(found["added"])] if found["added"] else []))
        return _made(_UNITS[found["unit"]], value, found)
    if found := _ANNEX.match(text, start):
        return _made("annex", (int(found["value"]),) if found["value"] else (), found)
    if (found := _ENGLISH.match(text, start)) and found["unit"][0].isupper():
        return _made(_ENGLISH_UNITS[found["unit"].lower()], (_any_value(found["value"]),), found)
    return None


def _enumerated(text: str, start: int) -> Number | None:
    if found := _CIRCLED.match(text, start):
        return _made("circled", (int(unicodedata.numeric(found[0])),), found)
    if found := _DECIMAL.match(text, start):
        parts = found[0].rstrip(".").split(".")
        return _made("decimal", tuple(int(part) if part.isdecimal() else _letter(part) for part in parts), found)
    for kind, pattern in _ENUMERATED:
        if found := pattern.match(text, start):
            return _made(kind, (_value(kind, found["value"]),), found)
    if found := _BULLET.match(text, start):
        return _made("bullet", (), found)
    return None


def title_end(text: str) -> int:
    """Where the title of an article ends that begins a text ("제3조(정의)", "제3조 (정의)"); 0 where none begins it."""
    number = read(text)
    if number is None or number.kind != "article":
        return 0
    found = _TITLE.match(text, number.end)
    return found.end() if found else number.end


def roman_value(text: str) -> int:
    """What a Roman numeral means; 0 for anything else. "iv" is 4, as is "Ⅳ"."""
    if len(text) == 1 and "\u2160" <= text <= "\u216b":
        return ord(text) - 0x215F
    digits = [_ROMAN_DIGITS.get(each, 0) for each in text.lower()]
    if not digits or 0 in digits:
        return 0
    total = 0
    for digit, following in zip(digits, [*digits[1:], 0], strict=True):
        total += -digit if digit < following else digit
    return total


def _made(kind: Kind, value: tuple[int, ...], found: re.Match[str]) -> Number:
    return Number(kind, value, found[0].strip(), found.end())


def _value(kind: Kind, said: str) -> int:
    if said.isdecimal():
        return int(said)
    if kind.startswith("hangul"):
        return HANGUL_ORDER.index(said) + 1
    if kind.startswith("roman"):
        return roman_value(said)
    return _letter(said)


def _any_value(said: str) -> int:
    if said.isdecimal():
        return int(said)
    return _letter(said) if len(said) == 1 and said not in "IVX" else roman_value(said) or _letter(said)


def _letter(said: str) -> int:
    return ord(said[0].lower()) - ord("a") + 1
