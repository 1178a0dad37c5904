"""A search on its way through the mesh, and queries that are none."""

from pathlib import Path

import pytest

from services.pdf.worker.mupdf import pymupdf
from tests.e2e.support.deployment import Deployment


@pytest.fixture(scope="module")
def policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("search") / "policy.pdf"
    with pymupdf.open() as document:
        for number in (1, 2):
            page = document.new_page()
            page.insert_text((72, 72), f"{number}. Annual leave", fontsize=18)
            page.insert_textbox((72, 100, 300, 400), "Leave is granted by the head of the department. " * 3)
        document.save(path)
    return path


def test_hits_say_where_they_are_and_a_token_leads_to_the_next(mesh: Deployment, policy: Path) -> None:
    first = mesh.adapter.ask("PDF_SEARCH", policy, query="the HEAD  of the department", max_hits=4).data
    assert (first["total"], len(first["hits"]), first["pages"], first["failures"]) == (6, 4, 2, [])
    hit = first["hits"][0]
    assert (hit["page"], hit["text"]) == (1, "the head of the department")
    assert hit["heading_path"] == ["1. Annual leave"]
    assert all(72 <= box["bbox"]["x0"] < box["bbox"]["x1"] <= 300 for box in hit["boxes"])
    rest = mesh.adapter.ask(
        "PDF_SEARCH", policy, query="the HEAD  of the department", max_hits=4, page_token=first["next_page_token"]
    ).data
    assert [hit["page"] for hit in rest["hits"]] == [2, 2]
    assert rest["next_page_token"] == ""


def test_an_expression_is_matched(mesh: Deployment, policy: Path) -> None:
    answer = mesh.adapter.ask("PDF_SEARCH", policy, query=r"^\d\. \w+", mode="regex").data
    assert [hit["text"] for hit in answer["hits"]] == ["1. Annual", "2. Annual"]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ({}, "query"),
        ({"query": ""}, "query"),
        ({"query": "a" * 10_000}, "query"),
        ({"query": "\x01\x02\x03"}, "has no letter, digit or sign"),
        ({"query": "(a+", "mode": "regex"}, "at character 4"),
        ({"query": "a*", "mode": "regex"}, "matches the empty text"),
        ({"query": "a", "mode": "magic"}, "mode"),
        ({"query": "a", "max_hits": 0}, "max_hits"),
        ({"query": "a", "page_token": "next"}, "page_token"),
        ({"query": "a", "pages": "9"}, "page 9 is not in the document"),
    ],
)
def test_a_query_that_is_none_is_a_bad_argument(
    mesh: Deployment, policy: Path, args: dict[str, object], says: str
) -> None:
    mesh.adapter.ask("PDF_SEARCH", policy, **args).must_be("BAD_ARG", says=says)
