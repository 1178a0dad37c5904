import unicodedata

import pytest

from services.pdf.worker.dingbats import SYMBOLS, is_dingbats


@pytest.mark.parametrize(
    ("number", "symbol"),
    [(1, "✁"), (4, "☎"), (19, "✓"), (20, "✔"), (24, "✘"), (35, "★"), (71, "●"), (73, "■"), (97, "❛"), (100, "❞")],
)
def test_a_glyph_is_what_it_looks_like(number: int, symbol: str) -> None:
    assert SYMBOLS[chr(number)] == symbol


def test_each_glyph_is_a_symbol_of_its_own() -> None:
    assert len(SYMBOLS) == 94
    assert len(set(SYMBOLS.values())) == 94
    assert {unicodedata.category(symbol) for symbol in SYMBOLS.values()} <= {"So", "Sk", "Ps", "Pe", "Po"}


def test_the_font_is_known_by_its_name_with_the_prefix_of_a_subset_too() -> None:
    assert is_dingbats("ZapfDingbats")
    assert is_dingbats("ABCDEF+ITCZapfDingbatsStd")
    assert not is_dingbats("Helvetica")
