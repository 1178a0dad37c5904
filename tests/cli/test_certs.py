"""`papermesh certs`: made, shown, and rotated step by step or at once."""

from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import Result

from deploy import workloads
from services.base.testing import Running, running
from trust.certificates import Phase, authority_of, ensure

Run = Callable[..., Result]


@pytest.fixture
def certs(tmp_path: Path) -> Path:
    folder = tmp_path / "made"
    ensure(folder, "default", workloads.names(), clients=["reports"])
    return folder


@pytest.fixture(autouse=True)
def wide(environment: dict[str, str | None]) -> None:
    environment["COLUMNS"] = "200"


@pytest.fixture
async def up(tmp_path: Path) -> AsyncIterator[Running]:
    async with running(directory=tmp_path) as up:
        yield up


def shown(folder: Path) -> dict[str, bytes]:
    return {str(file.parent.relative_to(folder)): file.read_bytes() for file in folder.rglob("[a-z]*/tls.crt")}


def line(result: Result, name: str) -> str:
    return next(line for line in result.stdout.splitlines() if line.split()[:1] == [name])


def test_certificates_are_made_and_then_kept(papermesh: Run, tmp_path: Path) -> None:
    folder = tmp_path / "made"
    words = ("certs", "--dir", str(folder), "--namespace", "corp", "--client", "reports")
    first = papermesh(*words)
    assert first.exit_code == 0
    assert (folder / "operator" / "tls.crt").exists()
    assert "ns/corp/client/reports" in line(first, "client/reports")
    assert line(first, "client/reports").rstrip().endswith("issued: there was none")
    again = papermesh(*words).stdout
    assert "issued" not in again
    assert again.count("kept") == first.stdout.count("issued")


def test_whoever_is_part_of_papermesh_has_a_certificate_and_nobody_else(papermesh: Run, tmp_path: Path) -> None:
    assert papermesh("certs", "--dir", str(tmp_path / "made")).exit_code == 0
    assert shown(tmp_path / "made").keys() == set(workloads.names())


def test_certificates_go_to_the_state_folder(papermesh: Run, environment: dict[str, str | None]) -> None:
    assert papermesh("certs").exit_code == 0
    assert Path(environment["PAPERMESH_VAR"] or "", "certs", "ca", "ca.crt").exists()


def test_a_name_that_no_certificate_can_have_is_a_mistake_of_usage(papermesh: Run, tmp_path: Path) -> None:
    result = papermesh("certs", "--dir", str(tmp_path / "made"), "--client", "../evil")
    assert result.exit_code == 2
    assert "'../evil'" in result.stderr
    assert not (tmp_path / "evil").exists()


def test_everybody_in_the_folder_is_shown_and_kept_up_to_date(papermesh: Run, certs: Path) -> None:
    ensure(certs, "default", ["echo"], clients=["old"], now=datetime.now(UTC) - timedelta(days=80))
    result = papermesh("certs", "--dir", str(certs))
    assert "renewed" in line(result, "echo")
    assert "renewed" in line(result, "client/old")
    assert line(result, "client/reports").rstrip().endswith("kept")


def test_serial_life_and_issuer_of_each_are_shown(papermesh: Run, certs: Path) -> None:
    (pdf,) = ensure(certs, "default", ["pdf"])[1:]
    result = papermesh("certs", "--dir", str(certs))
    assert line(result, "pdf").split()[1:] == [
        "ns/default/sa/pdf",
        pdf.serial[:8],
        f"{pdf.not_after:%Y-%m-%d}",
        pdf.issuer,
        "kept",
    ]
    assert line(result, "ca").split()[4] == pdf.issuer
    assert "No rotation of the CA is under way." in result.stderr


def test_a_ca_that_grows_old_is_pointed_out(papermesh: Run, tmp_path: Path) -> None:
    ensure(tmp_path / "made", "default", now=datetime.now(UTC) - timedelta(days=2500))
    result = papermesh("certs", "--dir", str(tmp_path / "made"))
    assert "papermesh certs rotate ca" in result.stderr


def test_one_leaf_is_rotated_by_its_name(papermesh: Run, certs: Path) -> None:
    before = shown(certs)
    result = papermesh("certs", "rotate", "leaf", "client/reports", "--dir", str(certs))
    assert result.exit_code == 0
    assert "renewed: it was rotated" in line(result, "client/reports")
    assert {name for name, file in shown(certs).items() if file != before[name]} == {"client/reports"}


def test_without_a_name_every_leaf_is_rotated(papermesh: Run, certs: Path) -> None:
    before = shown(certs)
    assert papermesh("certs", "rotate", "leaf", "--dir", str(certs)).exit_code == 0
    assert not set(before.values()) & set(shown(certs).values())


def test_a_leaf_that_nobody_has_is_a_mistake_of_usage(papermesh: Run, certs: Path) -> None:
    result = papermesh("certs", "rotate", "leaf", "ghost", "--dir", str(certs))
    assert result.exit_code == 2
    assert "ghost: no certificate to rotate" in result.stderr


def test_the_ca_is_rotated_step_by_step_and_the_state_says_which_is_next(papermesh: Run, certs: Path) -> None:
    for step, phase, says in (
        ("trust", Phase.TRUSTING, "Next step: issue."),
        ("issue", Phase.ISSUING, "Next step: drop."),
        ("drop", Phase.SETTLED, "No rotation of the CA is under way."),
    ):
        result = papermesh("certs", "rotate", "ca", "--step", step, "--dir", str(certs))
        assert result.exit_code == 0
        assert authority_of(certs).phase is phase
        assert says in result.stderr
        assert says in papermesh("certs", "--dir", str(certs)).stderr


@pytest.mark.parametrize(
    ("step", "says"), [("issue", "is trust, not issue"), ("jump", "They are trust, issue and drop")]
)
def test_a_step_out_of_turn_or_that_does_not_exist_is_a_mistake_of_usage(
    papermesh: Run, certs: Path, step: str, says: str
) -> None:
    result = papermesh("certs", "rotate", "ca", "--step", step, "--dir", str(certs))
    assert result.exit_code == 2
    assert says in result.stderr


async def test_the_ca_is_rotated_at_once_as_those_who_are_asked_take_it_up(papermesh: Run, up: Running) -> None:
    before = authority_of(up.certificates).issuer
    result = papermesh(
        *("certs", "rotate", "ca", "--dir", str(up.certificates), "--settle", "0"),
        *("--ask", f"envoy=127.0.0.1:{up.server.port}"),
    )
    assert result.exit_code == 0, result.output
    assert [line for line in result.stderr.splitlines() if line.endswith(": done")] == [
        "trust: done",
        "issue: done",
        "drop: done",
    ]
    assert authority_of(up.certificates).issuer != before


def test_who_listens_on_a_laptop_is_asked_replicas_and_all(papermesh: Run, certs: Path) -> None:
    # Ports on which nobody listens who is not root and does not mean to.
    ports = {f"PAPERMESH_{part}_PORT": str(1001 + n) for n, part in enumerate(("EDGE", "MESH", "DISPATCH", "PDF"))}
    words = ("certs", "rotate", "ca", "--dir", str(certs), "--settle", "0")
    result = papermesh(*words, **ports, PAPERMESH_PDF_REPLICAS="2")
    assert result.exit_code == 0
    assert result.stderr.splitlines()[0].count(" at 127.0.0.1:") == 5
    assert "pdf at 127.0.0.1:1104." in result.stderr


@pytest.mark.parametrize("ask", ["pdf", "pdf=9102", "pdf=host:port", "=host:1"])
def test_somebody_to_ask_has_a_name_and_an_address(papermesh: Run, certs: Path, ask: str) -> None:
    result = papermesh("certs", "rotate", "ca", "--dir", str(certs), "--ask", ask)
    assert result.exit_code == 2
    assert "Write it like pdf=127.0.0.1:9102." in result.stderr
    assert authority_of(certs).phase is Phase.SETTLED


def test_options_before_the_subcommand_are_refused_and_not_ignored(papermesh: Run, certs: Path) -> None:
    result = papermesh("certs", "--dir", str(certs), "rotate", "leaf")
    assert result.exit_code == 2
    assert "Put options after their command" in result.stderr


def test_no_key_is_ever_printed(papermesh: Run, certs: Path) -> None:
    for words in (("certs",), ("certs", "rotate", "leaf"), ("certs", "rotate", "ca", "--step", "trust")):
        assert "PRIVATE" not in papermesh(*words, "--dir", str(certs)).output
