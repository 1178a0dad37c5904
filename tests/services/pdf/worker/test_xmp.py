from collections.abc import Callable
from pathlib import Path

import pytest

from services.pdf.worker.xmp import read_xmp
from tests.services.pdf.support import open_path

Write = Callable[..., Path]

NAMES = (
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:pdf="http://ns.adobe.com/pdf/1.3/" xmlns:xmp="http://ns.adobe.com/xap/1.0/"'
)


def packet(inside: str, attributes: str = "", before: str = "") -> str:
    about = f'<rdf:Description rdf:about="" {attributes}>{inside}</rdf:Description>'
    xml = f'{before}<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF {NAMES}>{about}</rdf:RDF></x:xmpmeta>'
    return xml.encode("ascii", "xmlcharrefreplace").decode()


def read(write_objects: Write, xml: str) -> dict[str, str]:
    path = write_objects(
        "<</Type/Catalog/Pages 2 0 R/Metadata 4 0 R>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>",
        f"<</Type/Metadata/Subtype/XML/Length {len(xml)}>>stream\n{xml}\nendstream",
    )
    return read_xmp(open_path(path))


def test_lists_texts_and_attributes_are_read(write_objects: Write) -> None:
    inside = (
        '<dc:title><rdf:Alt><rdf:li xml:lang="x-default">휴가 규정</rdf:li><rdf:li>Leave</rdf:li></rdf:Alt></dc:title>'
        "<dc:creator><rdf:Seq><rdf:li>인사팀</rdf:li><rdf:li>HR</rdf:li></rdf:Seq></dc:creator>"
        "<pdf:Producer> Made here </pdf:Producer>"
    )
    assert read(write_objects, packet(inside, 'xmp:CreateDate="2024-01-15T10:30:00+09:00"')) == {
        "title": "휴가 규정",
        "author": "인사팀, HR",
        "producer": "Made here",
        "creation_date": "2024-01-15T10:30:00+09:00",
    }


@pytest.mark.parametrize(
    "xml",
    [
        "",
        "no XML",
        "<rdf:RDF>",
        packet("<dc:title></dc:title><dc:creator><rdf:Seq/></dc:creator>"),
        packet("<pdf:Keywords>a</pdf:Keywords>", before='<!DOCTYPE x [<!ENTITY a "aaaa">]>'),
        packet("<pdf:Keywords>" + "a" * (1 << 20) + "</pdf:Keywords>"),
    ],
)
def test_what_cannot_or_must_not_be_read_says_nothing(write_objects: Write, xml: str) -> None:
    assert read(write_objects, xml) == {}


@pytest.mark.parametrize("name", ["EUC-KR", "euc-kr", "ks_c_5601-1987", "cp949", "windows-949"])
@pytest.mark.parametrize("quote", ["'", '"'])
def test_korean_encodings_are_read(write_objects: Write, name: str, quote: str) -> None:
    said = packet(
        "<dc:title>TITLE</dc:title>", before=f"<?xml version={quote}1.0{quote} encoding={quote}{name}{quote}?>"
    )
    # What goes into the file is written as Latin-1.
    title = "휴가 규정".encode("cp949").decode("latin-1")
    assert read(write_objects, said.replace("TITLE", title)) == {"title": "휴가 규정"}


def test_an_encoding_that_nobody_here_knows_says_nothing(write_objects: Write) -> None:
    said = packet("<dc:title>a</dc:title>", before='<?xml version="1.0" encoding="gb18030"?>')
    assert read(write_objects, said) == {}


def test_other_properties_are_left_out(write_objects: Write) -> None:
    assert read(write_objects, packet("<xmp:Rating>5</xmp:Rating>", 'xmp:Label="x"')) == {}
