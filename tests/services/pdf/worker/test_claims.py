from collections.abc import Callable
from pathlib import Path

import pytest

from tests.services.pdf.support import describe

Write = Callable[..., Path]

XMP = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    '<rdf:Description rdf:about="" xmlns:pdfaid="http://www.aiim.org/pdfa/ns/id/"'
    ' xmlns:pdfuaid="http://www.aiim.org/pdfua/ns/id/"{}</rdf:Description></rdf:RDF></x:xmpmeta>'
)


def document(write_objects: Write, catalog: str = "", xmp: str = "") -> Path:
    return write_objects(
        f"<</Type/Catalog/Pages 2 0 R/Metadata 4 0 R{catalog}>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 300]>>",
        f"<</Type/Metadata/Subtype/XML/Length {len(xmp)}>>stream\n{xmp}\nendstream",
    )


@pytest.mark.parametrize(
    ("said", "pdf_a"),
    [
        ("><pdfaid:part>2</pdfaid:part><pdfaid:conformance>b</pdfaid:conformance>", "2B"),
        (' pdfaid:part="1" pdfaid:conformance="A">', "1A"),
        (' pdfaid:part="4">', "4"),
        (' pdfaid:conformance="A">', ""),
        (">", ""),
        (f' pdfaid:part="{"2" * 1000}">', "2" * 16),
    ],
)
def test_a_claim_of_pdf_a_is_told_as_it_is(write_objects: Write, said: str, pdf_a: str) -> None:
    described = describe(document(write_objects, xmp=XMP.format(said)))
    assert (described["pdf_a"], described["pdf_ua"], described["info"]) == (pdf_a, "", {})


def test_a_claim_of_pdf_ua_is_told_too(write_objects: Write) -> None:
    assert describe(document(write_objects, xmp=XMP.format(' pdfuaid:part="1">')))["pdf_ua"] == "1"


@pytest.mark.parametrize(
    ("catalog", "tagged"),
    [
        ("/MarkInfo<</Marked true>>/StructTreeRoot<</Type/StructTreeRoot>>", True),
        ("/MarkInfo<</Marked true>>", False),
        ("/MarkInfo<</Marked false>>/StructTreeRoot<<>>", False),
        ("/StructTreeRoot<<>>", False),
        ("/MarkInfo 7/StructTreeRoot 7", False),
    ],
)
def test_a_tagged_document_says_so_and_has_a_tree(write_objects: Write, catalog: str, *, tagged: bool) -> None:
    assert describe(document(write_objects, catalog))["tagged"] is tagged


@pytest.mark.parametrize(
    ("catalog", "language"), [("/Lang(ko-KR)", "ko-KR"), ("/Lang 7", ""), (f"/Lang({'x' * 600})", "x" * 500), ("", "")]
)
def test_a_document_may_say_its_language(write_objects: Write, catalog: str, language: str) -> None:
    assert describe(document(write_objects, catalog))["language"] == language
