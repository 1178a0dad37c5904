"""Hancom's private characters. Its word processor writes some symbols as characters of plane 15, also into PDFs.

Only those whose look is known from what Hancom itself prints are here; a guess would be invented text.
"""


def _circled() -> dict[str, str]:
    boxed = {chr(0xF02B1 + index): chr(0x2460 + index) for index in range(20)}  # 1 to 20 in a square or circle
    return boxed | {chr(0xF0289 + index): chr(0x2460 + index) for index in range(9)}  # 1 to 9, in a circle


SYMBOLS = {
    **_circled(),
    "\U000f0288": "⓪",
    "\U000f02c5": "⑫",
    "\U000f02ec": "◇",
    "\U000f02ef": "·",
    "\U000f03da": "□",
    "\U000f03ff": "□",
}
"""The public character that looks the same, by the private one."""
