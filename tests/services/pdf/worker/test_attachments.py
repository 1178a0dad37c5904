import resource
import zlib
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.pdf.processes.pool import WorkerPool
from services.pdf.processes.subject import Subject
from services.pdf.worker import attachments
from services.pdf.worker.mupdf import pymupdf
from tests.services.pdf.support import Questions, describe

Write = Callable[..., Path]

PAGE = "<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 300]{}>>"


def attached(write_objects: Write, catalog: str, *more: str, page: str = "") -> Path:
    return write_objects(
        f"<</Type/Catalog/Pages 2 0 R{catalog}>>", "<</Type/Pages/Kids[3 0 R]/Count 1>>", PAGE.format(page), *more
    )


def stream(content: bytes, entries: str = "") -> str:
    return f"<</Length {len(content)}{entries}>>stream\n{content.decode('latin-1')}\nendstream"


def files(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = describe(path)["attachments"]
    return found


def kept(content: bytes, name: str) -> dict[str, Any]:
    return {"name": name, "size": len(content), "sha256": sha256(content).hexdigest()}


def test_attached_files_are_named_with_size_and_digest(tmp_path: Path) -> None:
    path = tmp_path / "attached.pdf"
    with pymupdf.open() as document:
        page = document.new_page()
        document.embfile_add("b", b"second", filename="계약서.hwp")
        document.embfile_add("a", b"first" * 50_000, filename="a.txt")
        page.add_file_annot((50, 50), b"third", "note.txt")
        document.save(path, deflate=True)
    described = describe(path)
    found = sorted(described["attachments"], key=lambda file: file["size"])
    assert found == [kept(b"third", "note.txt"), kept(b"second", "계약서.hwp"), kept(b"first" * 50_000, "a.txt")]
    assert not described["portfolio"]
    assert described["truncated"] == []


def test_files_go_with_the_document_and_with_pages_and_each_is_named_once(write_objects: Write) -> None:
    path = attached(
        write_objects,
        "/AF[4 0 R 7 0 R]/Names<</EmbeddedFiles<</Names[(k) 4 0 R (only its key) 8 0 R (no file) <</UF(x.pdf)>>]>>>>"
        "/Collection<<>>",
        "<</Type/Filespec/F(a.xml)/EF<</F 5 0 R>>>>",
        stream(b"<a/>"),
        stream(b"<b/>"),
        "<</Type/Filespec/F(ignored)/UF(b.xml)/EF<</UF 6 0 R/F 5 0 R>>>>",
        "<</EF<</F 9 0 R>>>>",
        stream(b""),
        page="/AF[7 0 R 4 0 R]",
    )
    assert files(path) == [kept(b"<a/>", "a.xml"), kept(b"<b/>", "b.xml"), kept(b"", "only its key")]
    assert describe(path)["portfolio"]


@pytest.mark.parametrize(
    "packed",
    [
        "/Filter/FlateDecode",
        "/Filter[/FlateDecode]/DecodeParms[null]",
        "/Filter[/ASCIIHexDecode/FlateDecode]",
    ],
)
def test_a_digest_is_that_of_the_unpacked_file(write_objects: Write, packed: str) -> None:
    content = b"content of the file" * 10_000
    raw = zlib.compress(content)
    raw = raw.hex().encode() if "Hex" in packed else raw
    entries = f"{packed}/Params<</Size 7>>"
    path = attached(write_objects, "/AF[<</F(f)/EF<</F 4 0 R>>>>]", stream(raw, entries))
    assert files(path) == [kept(content, "f")]


@pytest.mark.parametrize(
    "entries",
    [
        "/Filter[/FlateDecode/FlateDecode]",
        "/Filter[/FlateDecode/ASCIIHexDecode]",
        "/Filter/JBIG2Decode",
        "/Filter/DCTDecode",
        "/Filter/FlateDecode/DecodeParms<</Predictor 15/Columns 2147483647>>",
        "/Filter[/FlateDecode]/DecodeParms[<</Predictor 15/Columns 2147483647>>]",
        "/Filter[/ASCIIHexDecode/ASCIIHexDecode/ASCIIHexDecode/FlateDecode/FlateDecode]",
        "/Filter/Nonsense",
        "/Filter 7",
        "/F(elsewhere.bin)",
    ],
)
def test_what_is_packed_in_an_odd_way_is_not_unpacked(write_objects: Write, entries: str) -> None:
    path = attached(write_objects, "/AF[<</F(f)/EF<</F 4 0 R>>>>]", stream(b"x", f"{entries}/Params<</Size 12>>"))
    assert files(path) == [{"name": "f", "size": 12, "sha256": ""}]


@pytest.mark.parametrize(("said", "size"), [("5", 5), ("-5", 0), ("99999999999", 2**31 - 1), ("(x)", 0), ("null", 0)])
def test_a_size_that_the_file_claims_is_a_size(
    write_objects: Write, monkeypatch: pytest.MonkeyPatch, said: str, size: int
) -> None:
    monkeypatch.setattr(attachments, "MOST_BYTES", 9)
    path = attached(write_objects, "/AF[<</F(f)/EF<</F 4 0 R>>>>]", stream(b"ten bytes.", f"/Params<</Size {said}>>"))
    assert files(path) == [{"name": "f", "size": size, "sha256": ""}]


def test_all_files_together_are_unpacked_to_a_limit(write_objects: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "MOST_BYTES_IN_ALL", 25)
    path = attached(
        write_objects,
        f"/AF[{''.join(f'<</F({number})/EF<</F {number} 0 R>>>>' for number in range(4, 8))}]",
        *(stream(b"%d bytes..." % number) for number in range(4, 8)),
    )
    assert [bool(file["sha256"]) for file in files(path)] == [True, True, False, False]


def bomb(gigabytes: int) -> bytes:
    """Zeros, packed: the same piece over and over, which is quickly made."""
    packer = zlib.compressobj(9)
    head = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    again = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    return head + again * (1024 * gigabytes - 1)


def test_a_bomb_is_not_unpacked(write_objects: Write) -> None:
    path = attached(
        write_objects,
        f"/AF[{''.join(f'<</F({number}.bin)/EF<</F {number} 0 R>>>>' for number in range(4, 24))}]",
        *[stream(bomb(1), "/Filter/FlateDecode/Params<</Size 42>>")] * 20,
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    described = describe(path)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert described["attachments"] == [{"name": f"{n}.bin", "size": 42, "sha256": ""} for n in range(4, 24)]
    assert after - before < 64 * 1024


@pytest.mark.parametrize("tree", ["7", "<</Names 7>>", "<</Names[(a)]>>", "<</Kids[1 0 R 1 0 R]>>", "<</Names[7 7]>>"])
def test_a_broken_tree_of_names_has_no_files(write_objects: Write, tree: str) -> None:
    described = describe(attached(write_objects, f"/Names<</EmbeddedFiles {tree}>>/AF 7"))
    assert (described["attachments"], described["truncated"]) == ([], [])


def test_a_tree_of_names_of_any_size_is_read_to_a_limit(write_objects: Write) -> None:
    path = attached(
        write_objects,
        f"/Names<</EmbeddedFiles<</Names[{'(a) 4 0 R' * 20_001}]>>>>",
        "<</F(a)/EF<</F 5 0 R>>>>",
        stream(b"a"),
    )
    described = describe(path)
    assert (described["attachments"], described["truncated"]) == ([kept(b"a", "a")], ["attachments"])


async def test_confined_workers_name_them_too(
    make_pool: Callable[..., AbstractAsyncContextManager[WorkerPool]],
    subject: Callable[[Path], Subject],
    write_objects: Write,
) -> None:
    path = attached(
        write_objects,
        f"/AF[<</F<{'첨부.bin'.encode('cp949').hex()}>/EF<</F 4 0 R>>>><</F(bomb)/EF<</F 5 0 R>>>>]",
        stream(b"small"),
        stream(bomb(1), "/Filter/FlateDecode"),
    )
    async with make_pool() as pool:
        described = orjson.loads(await Questions(pool).metadata(subject(path), 30))
        assert described["attachments"] == [kept(b"small", "첨부.bin"), {"name": "bomb", "size": 0, "sha256": ""}]
        assert pool.restarts == {}
