"""Which languages a caller may name, as the service answers before any worker has anything to do."""

from pathlib import Path
from typing import Any, cast

import pytest

from papermesh.pdf.v1 import pdf_service_pb2 as pb
from services.base.blobs import BlobStore
from services.base.call import Call
from services.base.errors import Code, PapermeshError
from services.pdf.engine import Engine
from services.pdf.languages import check_languages
from services.pdf.servicer import PdfServicer
from tests.services.pdf.support import TEXT

INSTALLED = ("kor", "eng", "Hangul")


def test_installed_ones_and_none_at_all_are_fine() -> None:
    for languages in ([], ["eng"], ["kor", "eng"]):
        check_languages(pb.ExtractTextRequest(languages=languages), INSTALLED)


def test_others_are_named_with_what_is_installed() -> None:
    with pytest.raises(PapermeshError) as error:
        check_languages(pb.ExtractTextRequest(languages=["kor", "deu", "jpn"]), INSTALLED)
    assert error.value.code is Code.BAD_ARG
    assert [violation.field for violation in error.value.violations] == ["languages"]
    assert "no trained data is installed for deu, jpn; there is some for Hangul, eng, kor" in error.value.message


def test_where_nothing_is_recognised_no_language_is_refused() -> None:
    check_languages(pb.ExtractTextRequest(languages=["deu"]), ())


def test_a_question_without_languages_is_none_of_this() -> None:
    check_languages(pb.GetMetadataRequest(), INSTALLED)


async def test_the_service_refuses_before_any_work(tmp_path: Path) -> None:
    nobody = cast("Engine", None)
    servicer: Any = PdfServicer([TEXT], nobody, BlobStore(tmp_path.as_uri()), languages=INSTALLED)
    with pytest.raises(PapermeshError, match="deu"):
        await servicer.ExtractText(pb.ExtractTextRequest(languages=["deu"]), cast("Call", None))
