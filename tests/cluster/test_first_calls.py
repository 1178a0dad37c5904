"""How people call: an operator past the adapter, as docs/kubernetes.md has it, and others through its Service."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cluster.conftest import Upgraded
from tests.cluster.support.asking import asking
from tests.cluster.support.kubectl import program
from tests.cluster.support.release import Release
from tests.cluster.support.talking import SAMPLE

pytestmark = pytest.mark.timeout(900)

PAGES = 3
LIMIT_S = 60
CERTIFICATE = ("ca.crt", "tls.crt", "tls.key")


@pytest.fixture
def operator(upgraded: Upgraded, tmp_path: Path) -> Path:
    """A folder with the operator's certificate and key, out of the release's Secrets."""
    for name in CERTIFICATE:
        keep(tmp_path / name, upgraded.release.secret("tls-operator", name))
    keep(tmp_path / "operator.json", upgraded.release.secret("operator-key", "operator.json"))
    return tmp_path


def keep(file: Path, content: bytes) -> None:
    file.touch(mode=0o600)
    file.write_bytes(content)


@contextmanager
def forwarded(release: Release) -> Iterator[str]:
    """Where on this machine Envoy's edge is for as long as the block lasts."""
    command = [program(), "-n", release.namespace, "port-forward", f"service/{release.name}-envoy", ":8443"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as forward:
        try:
            assert forward.stdout is not None
            said = forward.stdout.readline()
            port = re.search(r"127\.0\.0\.1:(\d+)", said)
            assert port, said
            yield f"localhost:{port[1]}"
        finally:
            forward.terminate()


def run(*command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_S, check=False)


def test_the_line_that_papermesh_sign_prints_works_once_with_the_operators_certificate(
    upgraded: Upgraded, operator: Path
) -> None:
    papermesh = str(Path(sys.executable).with_name("papermesh"))
    with forwarded(upgraded.release) as edge:
        options = [f"--certs={operator}", f"--key={operator / 'operator.json'}", f"--edge={edge}"]
        signed = run(
            papermesh, "sign", "PDF_METADATA", str(SAMPLE), *options, f"--audience={upgraded.release.audience}"
        )
        assert signed.returncode == 0, signed.stderr
        line = shlex.split(signed.stdout)
        first, second = run(*line), run(*line)
    assert Path(line[0]).name == "grpcurl"
    assert first.returncode == 0, first.stderr
    assert json.loads(json.loads(first.stdout)["json"])["pages"] == PAGES
    assert "Unauthenticated" in second.stderr
    assert "made before" in second.stderr


def test_a_person_with_the_first_key_reads_a_document_through_the_adapters_service(upgraded: Upgraded) -> None:
    with asking(upgraded.release) as asker:
        reference = asker.upload(SAMPLE.read_bytes())
        answer = asker.invoke("PDF_METADATA", {"doc_ref": reference})
    assert answer["ok"] is True
    assert answer["data"]["pages"] == PAGES
