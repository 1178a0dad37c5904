import re
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.pdf.processes.pool import WorkerPool
from services.pdf.processes.subject import Subject
from services.pdf.worker.signatures import _signer
from tests.services.pdf.support import Questions, describe

Write = Callable[..., Path]

RSA = rsa.generate_private_key(65537, 2048)
KEY = ec.generate_private_key(ec.SECP256R1())
DAY = datetime(2025, 1, 1)  # noqa: DTZ001  # as the builder takes it
PLACEHOLDER = "[0 1111111111 2222222222 3333333333]"


def certificate(
    name: str,
    issuer: str = "",
    kind: x509.ObjectIdentifier = NameOID.COMMON_NAME,
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey = KEY,
) -> x509.Certificate:
    subject, above = (x509.Name([x509.NameAttribute(kind, each)]) for each in (name, issuer or name))
    builder = x509.CertificateBuilder(above, subject, key.public_key(), 7, DAY, DAY.replace(year=2035))
    return builder.sign(key, hashes.SHA256())


def cms(signer: x509.Certificate, *others: x509.Certificate) -> bytes:
    builder = pkcs7.PKCS7SignatureBuilder().set_data(b"x").add_signer(signer, KEY, hashes.SHA256())
    for other in others:
        builder = builder.add_certificate(other)
    return builder.sign(serialization.Encoding.DER, [pkcs7.PKCS7Options.DetachedSignature])


def signed(
    write_objects: Write,
    contents: bytes,
    entries: str = "",
    *,
    ranges: Callable[[int, int, int], Sequence[int]] = lambda start, end, size: (0, start, end, size - end),
) -> Path:
    """A signed document; `ranges` makes the /ByteRange of where the signature starts and ends, and the file's size."""
    path = write_objects(
        "<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[4 0 R]/SigFlags 3>>>>",
        "<</Type/Pages/Kids[3 0 R]/Count 1>>",
        "<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 300]/Annots[4 0 R]>>",
        "<</Type/Annot/Subtype/Widget/FT/Sig/T(sign here)/V 5 0 R/Rect[0 0 0 0]>>",
        f"<</Type/Sig/Filter/Adobe.PPKLite{entries}/ByteRange{PLACEHOLDER}/Contents<{contents.hex()}{'0' * 64}>>>",
    )
    content = path.read_bytes()
    start = content.index(b"/Contents<") + len("/Contents")
    end = content.index(b">", start) + 1
    numbers = "[" + " ".join(map(str, ranges(start, end, len(content)))) + "]"
    path.write_bytes(content.replace(PLACEHOLDER.encode(), numbers.ljust(len(PLACEHOLDER)).encode()))
    return path


def signature(path: Path) -> dict[str, Any]:
    (found,) = describe(path)["signatures"]
    assert isinstance(found, dict)
    return found


def test_a_signature_says_whose_it_is_when_it_was_made_and_that_it_covers_the_file(write_objects: Write) -> None:
    path = signed(write_objects, cms(certificate("홍길동")), "/M(D:20250823120000+09'00')")
    assert signature(path) == {
        "field": "sign here",
        "signer": "홍길동",
        "date": "2025-08-23T12:00:00+09:00",
        "covers_whole_file": True,
    }
    assert [field["type"] for field in describe(path)["form_fields"]] == ["signature"]


def test_the_name_in_the_signature_comes_first(write_objects: Write) -> None:
    name = f"/Name<{'김철수'.encode('utf-16').hex()}>"
    assert signature(signed(write_objects, cms(certificate("other")), name))["signer"] == "김철수"


def test_of_several_certificates_the_signers_is_the_one_that_issued_no_other(write_objects: Write) -> None:
    chain = certificate("Ada", "Office CA"), certificate("Root"), certificate("Office CA", "Root")
    assert signature(signed(write_objects, cms(*chain)))["signer"] == "Ada"
    assert signature(signed(write_objects, cms(certificate("Ada", "CA"), certificate("Bob", "CA"))))["signer"] == ""


def test_a_company_without_a_common_name_is_named(write_objects: Write) -> None:
    company = certificate("Company", kind=NameOID.ORGANIZATION_NAME)
    assert signature(signed(write_objects, cms(company)))["signer"] == "Company"


@pytest.mark.parametrize("contents", [b"", b"0", b"\x30\x80", b"\xff" * 500, cms(certificate("x"))[:-40]])
def test_a_signature_that_cannot_be_read_is_still_there(write_objects: Write, contents: bytes) -> None:
    found = signature(signed(write_objects, contents))
    assert (found["signer"], found["date"], found["covers_whole_file"]) == ("", "", True)


CMS = cms(certificate("홍길동", "CA"), certificate("CA"))


@given(st.lists(st.tuples(st.integers(0, len(CMS) - 1), st.integers(0, 255)), max_size=4))
@example([(71, 1)])  # a version that there is none of
@settings(max_examples=300)
def test_a_damaged_certificate_costs_at_most_its_name(changes: list[tuple[int, int]]) -> None:
    damaged = bytearray(CMS)
    for place, value in changes:
        damaged[place] = value
    assert isinstance(_signer(bytes(damaged)), str)


def test_a_container_that_is_no_signature_has_no_signer(write_objects: Write) -> None:
    recipient = certificate("Ada", key=RSA)
    builder = pkcs7.PKCS7EnvelopeBuilder().set_data(b"x").add_recipient(recipient)
    assert signature(signed(write_objects, builder.encrypt(serialization.Encoding.DER, [])))["signer"] == ""


@pytest.mark.parametrize(
    "ranges",
    [
        lambda start, end, size: (0, start, end, size - end - 1),
        lambda start, end, size: (0, start, end, size - end + 1),
        lambda start, end, size: (1, start, end, size - end),
        lambda start, end, size: (0, start - 5, end, size - end),
        lambda start, end, size: (0, start, end + 5, size - end - 5),
        lambda start, end, size: (0, end, start, size - start),
        lambda start, end, _: (0, start, end, -1),
        lambda start, end, _: (0, start, end),
        lambda _, __, size: (0, size),
        lambda _, __, ___: (0, 0, 2**62, 2**62),
        lambda _, __, ___: (),
    ],
)
def test_a_signature_that_leaves_out_more_than_itself_does_not_cover_the_file(
    write_objects: Write, ranges: Callable[[int, int, int], Sequence[int]]
) -> None:
    assert signature(signed(write_objects, cms(certificate("x")), ranges=ranges))["covers_whole_file"] is False


def test_what_was_added_after_signing_is_not_covered(write_objects: Write) -> None:
    path = signed(write_objects, cms(certificate("Ada")))
    path.write_bytes(path.read_bytes() + b"% more\n")
    assert (signature(path)["signer"], signature(path)["covers_whole_file"]) == ("Ada", False)


def test_the_brackets_may_be_signed_too(write_objects: Write) -> None:
    path = signed(
        write_objects,
        cms(certificate("Ada")),
        ranges=lambda start, end, size: (0, start + 1, end - 1, size - end + 1),
    )
    assert (signature(path)["signer"], signature(path)["covers_whole_file"]) == ("Ada", True)


def test_a_date_of_signing_is_never_invented(write_objects: Write) -> None:
    assert signature(signed(write_objects, b"", "/M(last week)"))["date"] == ""


def test_an_unsigned_field_is_no_signature(write_objects: Write) -> None:
    path = signed(write_objects, b"")
    path.write_bytes(re.sub(rb"/V 5 0 R", b"/W 5 0 R", path.read_bytes()))
    assert describe(path)["signatures"] == []


async def test_confined_workers_read_certificates_too(
    make_pool: Callable[..., AbstractAsyncContextManager[WorkerPool]],
    subject: Callable[[Path], Subject],
    write_objects: Write,
) -> None:
    path = signed(write_objects, cms(certificate("홍길동", "인증기관"), certificate("인증기관")))
    async with make_pool() as pool:
        described = orjson.loads(await Questions(pool).metadata(subject(path), 30))
        assert described["signatures"] == describe(path)["signatures"]
        assert described["signatures"][0]["signer"] == "홍길동"
        assert pool.restarts == {}
