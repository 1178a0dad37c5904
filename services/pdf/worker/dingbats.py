"""The glyphs of ZapfDingbats, whose names ("a20") MuPDF takes for the numbers of characters."""

# The glyphs of codes 0x21 to 0x7E, by the numbers in their names (Adobe's ZapfDingbats encoding, ISO 32000, annex D.6).
_NUMBERS = (
    *(1, 2, 202, 3, 4, 5, 119, 118, 117, 11, 12, 13, 14, 15, 16, 105, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28),
    *(6, 7, 8, 9, 10, *range(29, 75), 203, 75, 204, 76, 77, 78, 79, 81, 82, 83, 84, 97, 98, 99, 100),
)

# Unicode has most of them in the same order from U+2701 on. Those that it had already stand elsewhere.
_ELSEWHERE = {4: "☎", 11: "☛", 12: "☞", 35: "★", 71: "●", 73: "■", 76: "▲", 77: "▼", 78: "◆", 81: "◗"}

SYMBOLS = {chr(number): _ELSEWHERE.get(number, chr(0x2701 + index)) for index, number in enumerate(_NUMBERS)}
"""The character for each glyph, by the character that MuPDF gives instead."""


def is_dingbats(font: str) -> bool:
    """Whether a font of that name has these glyphs."""
    return "ZapfDingbats" in font
