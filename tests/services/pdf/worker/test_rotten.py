"""Layers whose letters have no meaning, or are no words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.pdf.worker.rotten import is_implausible, is_unmapped
from tests.services.pdf.worker.made_pages import ENGLISH, KOREAN

LOST = st.sampled_from("\ufffd\x01\x1f\ue123\uf8ff\U00101234\u3f9e")


@given(lost=st.lists(LOST, min_size=20, max_size=30), fine=st.text("가나다 abc,\n", max_size=80))
def test_a_fifth_of_characters_without_meaning_is_too_much(lost: list[str], fine: str) -> None:
    assert is_unmapped("".join(lost) + fine)


@given(lost=st.lists(LOST, max_size=19), fine=st.text("가나다 abc\n", min_size=300))
def test_a_few_symbols_are_not(lost: list[str], fine: str) -> None:
    assert not is_unmapped("가" * 80 + fine + "".join(lost))


def test_private_characters_that_are_known_have_a_meaning() -> None:
    assert not is_unmapped("\U000f02b1 가나다 \U000f02ef 라마바")


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(ENGLISH),
        "\n".join(KOREAN),
        "GitLab의 API를 CI/CD에서 쓰려면 .gitlab-ci.yml에 job을 적고 Runner가 Docker로 돌게 한다. " * 3,
        "Où est l'hôtel de la Forêt? À côté du château, où l'été fut très agréable, naïve façade, garçon élève. " * 3,
        "Größe, Straße, Übermäßig, für, schönes, Mädchen, Füße, über, während, können, müssen, dürfen. " * 3,
        "会議は午後三時から始まります。資料を持って来てください。よろしくお願いします。 " * 5,
        "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι και ίσοι στην αξιοπρέπεια και τα δικαιώματα. " * 3,  # noqa: RUF001
        "12,300 4.5% 2025-08-01 (3) 1,200 15.3 88 100% 4,000 77 12:30 $500 " * 3,
        "too short",
    ],
)
def test_words_of_any_language_are_plausible(text: str) -> None:
    assert not is_implausible(text)


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(line.encode("cp949").decode("latin-1") for line in KOREAN),
        "7KH HPSOR\\HH VKDOO QRWLI\\ WKH PDQDJHU EHIRUH WKH OHDYH EHJLQV DQG DVN IRU LW " * 3,
        "a가b나c d다e라f ж마g바h 사q아w자 e차r카t 타y파u하 i가o나p a다s라d f마g바h j사k아l z자x차c " * 2,
    ],
)
def test_letters_that_are_no_words_are_not(text: str) -> None:
    assert is_implausible(text)
