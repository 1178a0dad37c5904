import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from hypothesis import given
from hypothesis import strategies as st

from services.base.tls_files import TlsFiles
from trust.certificates import ensure, rotate_leaves
from trust.certificates.folder import publish

NAMES = ("tls.crt", "tls.key", "ca.crt")


@pytest.fixture(scope="module")
def certs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("certs")
    ensure(directory, "default", ["pdf", "adapter"])
    return directory


def content(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in NAMES}


def test_good_files_fit_each_other(certs: Path) -> None:
    files = TlsFiles.read(certs / "pdf")
    leaf = files.check(certs / "pdf")
    assert leaf.subject.rfc4514_string() == "CN=pdf"
    assert files == TlsFiles.read(certs / "pdf")
    assert files != TlsFiles.read(certs / "adapter")


def test_a_folder_of_plain_files_is_as_good(certs: Path, tmp_path: Path) -> None:
    for name, data in content(certs / "pdf").items():
        (tmp_path / name).write_bytes(data)
        (tmp_path / name).chmod(0o600)
    assert TlsFiles.read(tmp_path) == TlsFiles.read(certs / "pdf")


def test_what_is_read_is_never_of_two_versions(certs: Path) -> None:
    done = threading.Event()

    def rotate() -> None:
        for _ in range(60):
            rotate_leaves(certs, ["adapter"])
        done.set()

    rotating = threading.Thread(target=rotate)
    rotating.start()
    seen = set()
    while not done.is_set():
        files = TlsFiles.read(certs / "adapter")
        seen.add(files.check(certs / "adapter").serial_number)
    rotating.join()
    assert len(seen) > 5


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_is_missing_is_named(certs: Path, tmp_path: Path, name: str) -> None:
    files = content(certs / "pdf")
    del files[name]
    publish(tmp_path / "pdf", files)
    with pytest.raises(OSError, match="No such file") as error:
        TlsFiles.read(tmp_path / "pdf")
    assert error.value.filename == tmp_path / "pdf" / name or error.value.filename == str(tmp_path / "pdf" / name)


def test_a_key_that_everybody_can_read_is_refused(certs: Path, tmp_path: Path) -> None:
    publish(tmp_path / "pdf", content(certs / "pdf"))
    (tmp_path / "pdf" / "tls.key").chmod(0o644)
    with pytest.raises(PermissionError, match="everybody on this machine can read it; run chmod o="):
        TlsFiles.read(tmp_path / "pdf")


def test_a_key_under_a_password_or_of_another_kind_is_named(certs: Path, tmp_path: Path) -> None:
    key = rsa.generate_private_key(65537, 2048)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"a password"))
    for data, says in ((locked, "without a password"), (_plain(key), "does not belong to tls.crt")):
        publish(tmp_path / "pdf", content(certs / "pdf") | {"tls.key": data})
        with pytest.raises(OSError, match=says) as error:
            TlsFiles.read(tmp_path / "pdf").check(tmp_path / "pdf")
        assert error.value.filename == str(tmp_path / "pdf" / "tls.key")


def _plain(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@given(data=st.data())
def test_damaged_files_are_told_with_the_file_s_name_and_without_its_content(
    certs: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("damaged") / "pdf"
    good = content(certs / "pdf")
    name = data.draw(st.sampled_from(NAMES))
    start = data.draw(st.integers(0, len(good[name]) - 1))
    end = data.draw(st.integers(start + 1, len(good[name])))
    damaged = good[name][:start] + data.draw(st.binary(max_size=30)) + good[name][end:]
    publish(folder, good | {name: damaged})
    complaint = fault(folder)
    if complaint is not None:
        assert complaint.filename in {str(folder / name), str(folder / "tls.key")}
        assert complaint.strerror
        secret = [line for line in good["tls.key"].decode().splitlines() if "-----" not in line]
        assert not any(line in str(complaint) for line in secret)


def fault(folder: Path) -> OSError | None:
    try:
        TlsFiles.read(folder).check(folder)
    except OSError as error:
        return error
    return None
