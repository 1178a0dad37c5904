"""The printed grpcurl line, checked as dispatch checks a call."""

import base64
import json
import shlex
import socket
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from google.protobuf import json_format
from typer.testing import Result

from papermesh.dispatch.v1 import dispatch_service_pb2 as pb
from services.base import signature
from services.base.canonical import canonical_json
from services.base.errors import PapermeshError
from trust import certificates

METHOD = "papermesh.dispatch.v1.DispatchService/Invoke"
SECRET = bytes(range(32))
ARGS = {"project": {"project_path": "corp/policies"}, "note": 'it\'s 제12조 "quoted" $HOME `x` \\ !', "n": 1.5}

Run = Callable[..., Result]


@pytest.fixture(scope="session")
def _certs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("state") / "certs"
    certificates.ensure(folder, "default", ["operator"], clients=["reports"])
    return folder


@pytest.fixture(autouse=True)
def state(environment: dict[str, str | None], _certs: Path) -> Path:
    """The state folder of a machine where the operator and a client have keys and certificates."""
    folder = Path(environment["PAPERMESH_VAR"] or "")
    secrets = folder / "secrets"
    secrets.mkdir(parents=True)
    (folder / "certs").symlink_to(_certs)
    for client in ("operator", "reports"):
        secret = base64.urlsafe_b64encode(SECRET).decode().rstrip("=")
        (secrets / f"{client}.json").write_text(json.dumps({"client": client, "key_id": "k1", "secret": secret}))
        (secrets / f"{client}.json").chmod(0o600)
    return folder


class Line:
    """The words of the printed command line."""

    def __init__(self, text: str) -> None:
        assert text.count("\n") == 1, "one line"
        self.words = shlex.split(text)
        self.address, self.method = self.words[-2:]

    def all(self, flag: str) -> list[str]:
        return [self.words[at + 1] for at, word in enumerate(self.words) if word == flag]

    def one(self, flag: str) -> str:
        (value,) = self.all(flag)
        return value

    @property
    def metadata(self) -> list[tuple[str, str]]:
        return [(name, value) for name, _, value in (header.partition(": ") for header in self.all("-H"))]

    @property
    def request(self) -> pb.InvokeRequest:
        return json_format.Parse(self.one("-d"), pb.InvokeRequest())

    def check(self, audience: str = "laptop") -> signature.Signed:
        """Passes where dispatch would."""
        signed = signature.read(self.metadata)
        signature.check_clock(signed, datetime.now(UTC))
        text = canonical_json(self.request)
        signature.check_mac(signed, [SECRET], audience=audience, method=f"/{self.method}", request=text)
        return signed


def sign(papermesh: Run, *words: str, **variables: str) -> Line:
    result = papermesh("sign", *words, **variables)
    assert result.exit_code == 0, result.stderr
    return Line(result.stdout)


def test_the_line_is_a_signed_call_that_dispatch_accepts(papermesh: Run, state: Path) -> None:
    line = sign(papermesh, "GITLAB_PROJECT_INFO", json.dumps(ARGS))
    signed = line.check()
    assert (signed.client, signed.action) == ("operator", "GITLAB_PROJECT_INFO")
    assert (line.address, line.method) == ("localhost:8443", METHOD)
    assert Path(line.words[0]).name == "grpcurl"
    assert line.request.action == "GITLAB_PROJECT_INFO"
    assert json_format.MessageToDict(line.request.args) == ARGS
    certs = state / "certs" / "operator"
    assert [line.one(flag) for flag in ("-cacert", "-cert", "-key")] == [
        str(certs / name) for name in ("ca.crt", "tls.crt", "tls.key")
    ]


def test_each_line_is_signed_anew(papermesh: Run) -> None:
    first, second = (sign(papermesh, "PDF_TEXT").check() for _ in range(2))
    assert first.nonce != second.nonce


def test_a_changed_call_no_longer_fits_its_signature(papermesh: Run) -> None:
    line = sign(papermesh, "PDF_TEXT", '{"pages": "1"}')
    at = line.words.index("-d") + 1
    line.words[at] = line.words[at].replace('"1"', '"2"')
    with pytest.raises(PapermeshError, match="does not match the call"):
        line.check()


def test_a_line_goes_stale(papermesh: Run) -> None:
    signed = sign(papermesh, "PDF_TEXT").check()
    with pytest.raises(PapermeshError, match="300 seconds"):
        signature.check_clock(signed, datetime.now(UTC) + timedelta(seconds=302))


def test_the_secret_is_never_shown(papermesh: Run, state: Path) -> None:
    result = papermesh("sign", "PDF_TEXT", '{"pages": "1"}')
    secret = json.loads((state / "secrets" / "operator.json").read_text())["secret"]
    assert secret not in result.output
    assert SECRET.hex() not in result.output


def test_paths_are_whole_wherever_one_stands(papermesh: Run, state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(state.parent)
    line = sign(papermesh, "PDF_TEXT", "--certs", "var/certs/operator")
    assert line.one("-key") == str(state / "certs" / "operator" / "tls.key")


def test_a_companys_own_caller_signs_with_its_own_key_and_certificate(papermesh: Run, state: Path) -> None:
    line = sign(papermesh, "PDF_TEXT", "--client", "reports")
    assert line.check().client == "reports"
    assert line.one("-cert") == str(state / "certs" / "client" / "reports" / "tls.crt")


def test_edge_and_audience_can_be_named(papermesh: Run) -> None:
    line = sign(papermesh, "PDF_TEXT", PAPERMESH_EDGE_ADDRESS="edge.corp:443", PAPERMESH_AUDIENCE="staging")
    assert line.address == "edge.corp:443"
    line.check("staging")
    with pytest.raises(PapermeshError):
        line.check("laptop")
    assert sign(papermesh, "PDF_TEXT", PAPERMESH_EDGE_PORT="9443").address == "localhost:9443"


def test_control_characters_in_arguments_are_escaped(papermesh: Run) -> None:
    result = papermesh("sign", "PDF_TEXT", json.dumps({"pages": "\x9b2J\u202e\x1b\n"}))
    assert not set("\x9b\u202e\x1b") & set(result.stdout)
    line = Line(result.stdout)
    line.check()
    assert line.request.args["pages"] == "\x9b2J\u202e\x1b\n"


def test_a_result_of_any_size_fits_through(papermesh: Run) -> None:
    assert int(sign(papermesh, "PDF_TEXT").one("-max-msg-sz")) > 16 * 1024 * 1024


@pytest.fixture
def nobody() -> str:
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"127.0.0.1:{taken.getsockname()[1]}"


def test_a_digest_that_cannot_be_checked_is_said_and_signed_all_the_same(papermesh: Run, nobody: str) -> None:
    args = {"doc_ref": {"type": "UPLOAD", "sha256": "0a" * 32}}
    result = papermesh("sign", "PDF_TEXT", json.dumps(args), "--edge", nobody)
    assert result.exit_code == 0
    assert "may be out of operator's reach" in result.stderr
    Line(result.stdout).check()


def test_a_file_cannot_be_stored_where_nobody_listens(papermesh: Run, nobody: str, pdf: Path) -> None:
    result = papermesh("sign", "PDF_TEXT", str(pdf), "--edge", nobody)
    assert result.exit_code == 1
    assert result.stderr.startswith("UNAVAILABLE: ")
    assert nobody in result.stderr
    assert not result.stdout


@pytest.mark.parametrize(
    "words",
    [
        ["word count!"],
        ["PDF_TEXT\n"],
        ["P" * 49],
        ["PDF_TEXT", "{"],
        ["PDF_TEXT", "--client", "nobody"],
        ["PDF_TEXT", "--key", "/nowhere/key.json"],
        ["PDF_TEXT", "--certs", "/nowhere"],
    ],
)
def test_what_cannot_be_signed_is_a_mistake_of_usage(papermesh: Run, words: list[str]) -> None:
    result = papermesh("sign", *words)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr


def test_arguments_that_no_call_can_carry_are_refused(papermesh: Run) -> None:
    result = papermesh("sign", "PDF_TEXT", '{"n": 9007199254740993}')
    assert result.exit_code == 1
    assert result.stderr.startswith("BAD_ARG: ")


def test_a_key_file_that_is_none_is_refused_without_showing_it(papermesh: Run, state: Path) -> None:
    (state / "secrets" / "operator.json").write_text('{"client": "operator", "key_id": "k1", "secret": "c2hvcnQ"}')
    result = papermesh("sign", "PDF_TEXT")
    assert result.exit_code == 2
    assert "base64url of 32 bytes" in " ".join(result.stderr.split())
    assert "c2hvcnQ" not in result.stderr


def test_a_password_is_not_printed_as_part_of_a_command(papermesh: Run) -> None:
    result = papermesh("sign", "PDF_TEXT", json.dumps({"doc_ref": {"type": "UPLOAD", "password": "word-7"}}))
    assert result.exit_code == 2
    assert "--password-file" in result.stderr
    assert "word-7" not in result.output
