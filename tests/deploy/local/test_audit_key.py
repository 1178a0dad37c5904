import os
from pathlib import Path

from deploy.local import audit_key
from services.base.audit_chain import read_key


def test_a_key_is_made_that_nobody_else_can_read_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        file = audit_key.ensure(tmp_path)
    finally:
        os.umask(before)
    assert file == tmp_path / "audit.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert read_key(file).id == "k1"
    assert list(tmp_path.iterdir()) == [file]


def test_every_deployment_has_a_key_of_its_own(tmp_path: Path) -> None:
    folders = [tmp_path / "one", tmp_path / "other"]
    for folder in folders:
        folder.mkdir()
    assert len({read_key(audit_key.ensure(folder)).chain for folder in folders}) == 2


def test_the_key_is_kept(tmp_path: Path) -> None:
    before = audit_key.ensure(tmp_path).read_bytes()
    assert audit_key.ensure(tmp_path).read_bytes() == before


def test_what_a_crash_left_half_written_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / ".audit.json.new").write_text("{")
    read_key(audit_key.ensure(tmp_path))
