"""docs/add-a-service.md, followed to the letter in a checkout of links."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from benchmarks.free_ports import free_ports
from tests.conftest import ROOT
from tests.docs.page import Step, must_show, patched, steps
from tests.e2e.support.waiting import eventually

PAGE = ROOT / "docs" / "add-a-service.md"

LIMIT_S = 120

NOT_LINKED = {"deploy", "docs", "tests", "var", ".git", ".pytest_cache"}
"""What the page changes, and what a checkout makes by itself."""


class Follower:
    """Somebody who does what the page says, in a checkout whose files are links."""

    def __init__(self, checkout: Path) -> None:
        self.checkout = checkout
        for path in ROOT.iterdir():
            if path.name not in NOT_LINKED:
                (checkout / path.name).symlink_to(path)
        # A copy: the page changes it, and what finds its own place by its file must find this one.
        shutil.copytree(ROOT / "deploy", checkout / "deploy", ignore=shutil.ignore_patterns("__pycache__"))
        self.steps = iter(steps(PAGE))
        ports = free_ports()
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("PAPERMESH_")},
            "PYTHONPATH": str(checkout),
            "COLUMNS": "120",
            "PAPERMESH_VAR": str(checkout / "var"),  # never the state of whoever runs the tests
            "PAPERMESH_HTTP_PORT": str(ports.http),
            "PAPERMESH_EDGE_PORT": str(ports.edge),
            "PAPERMESH_MESH_PORT": str(ports.mesh),
            "PAPERMESH_DISPATCH_PORT": str(ports.dispatch),
            "PAPERMESH_PDF_PORT": str(ports.services["pdf"]),
            "PAPERMESH_WORDCOUNT_PORT": str(_one_more()),
        }
        self.url = f"http://127.0.0.1:{ports.http}"

    def until(self, command: str) -> Step:
        """Follows the page up to a command, and returns that step without doing it."""
        for step in self.steps:
            if step.kind == "sh" and step.text.strip() == command:
                return step
            self._do(step)
        raise AssertionError(f"the page does not say {command}")

    def to_the_end(self) -> None:
        """Follows the rest of the page."""
        for step in self.steps:
            self._do(step)

    def _do(self, step: Step) -> None:
        target = self.checkout / step.file
        assert step.kind == "sh" or not target.resolve().is_relative_to(ROOT), f"{target} is the real checkout's"
        if step.kind == "sh":
            printed = self._run(step.text)
            for shown in step.prints:
                must_show(printed, shown)
        elif step.kind == "diff":
            target.write_text(patched(target.read_text(encoding="utf-8"), step.text), encoding="utf-8")
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(step.text, encoding="utf-8")

    def _run(self, commands: str) -> str:
        moved = commands.replace("http://127.0.0.1:9000", self.url)
        ended = subprocess.run(
            ["/bin/sh", "-ec", moved],
            cwd=self.checkout,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
        assert ended.returncode == 0, f"{commands}\n{ended.stdout}\n{ended.stderr}"
        return ended.stdout


def _one_more() -> int:
    return free_ports().http


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("checkout")


@pytest.fixture(scope="module")
def follower(checkout: Path) -> Iterator[Follower]:
    """Somebody who has followed the page to where everything runs."""
    follower = Follower(checkout)
    follower.until("make up")
    # Not make itself, which would set up a .venv of its own; this is what it ends in.
    log = checkout / "up.log"
    with log.open("wb") as output:
        up = subprocess.Popen(
            [".venv/bin/papermesh", "up"],
            cwd=checkout,
            env=follower.environment,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:

            def ready() -> bool:
                assert up.poll() is None, log.read_text()
                return "PDF_METADATA" in log.read_text() and httpx.get(f"{follower.url}/readyz").is_success

            eventually(ready, LIMIT_S, "the start of everything")
            yield follower
        finally:
            up.send_signal(signal.SIGINT)
            assert up.wait(LIMIT_S) == 0, log.read_text()


@pytest.fixture(scope="module")
def action(follower: Follower) -> dict[str, Any]:
    """What the catalogue says of the service's action."""
    answer = httpx.get(f"{follower.url}/actions").json()
    (found,) = [each for each in answer["data"]["actions"] if each["name"] == "WORD_COUNT"]
    return dict(found)


def test_everything_that_the_page_says_works_as_it_stands(follower: Follower) -> None:
    follower.to_the_end()


def test_the_catalogue_has_the_action_as_the_proto_describes_it(action: dict[str, Any]) -> None:
    assert action["description"].startswith("Counts the words of a text")
    assert action["args_schema"]["required"] == ["text"]
    assert action["args_schema"]["properties"]["text"]["maxLength"] == 100_000
    assert set(action["result_schema"]["properties"]) == {"total", "words"}


@pytest.mark.parametrize(
    ("args", "field"),
    [({}, "text"), ({"text": "a", "top": -1}, "top"), ({"text": "a", "many": 1}, "many"), ({"text": "…"}, "text")],
    ids=["missing", "against-a-rule", "unknown", "against-the-servicer"],
)
def test_a_bad_argument_is_named(follower: Follower, args: dict[str, Any], field: str) -> None:
    body = {"action": "WORD_COUNT", "args": args}
    error = httpx.post(f"{follower.url}/mcp/invoke", json=body).json()["error"]
    assert error["code"] == "BAD_ARG"
    assert [each["field"] for each in error["details"]["fields"]] == [field]


def test_the_service_is_called_by_dispatch_through_envoy_alone(follower: Follower, checkout: Path) -> None:
    certificate = checkout / "var" / "certs" / "wordcount" / "tls.crt"
    assert certificate.exists()
    log = checkout / "var" / "log" / "envoy-access.jsonl"
    body = {"action": "WORD_COUNT", "args": {"text": "one"}}
    request_id = httpx.post(f"{follower.url}/mcp/invoke", json=body).json()["meta"]["request_id"]

    def lines() -> list[str]:
        return [line for line in log.read_text().splitlines() if request_id in line and '"wordcount"' in line]

    eventually(lines, what="a line of the mesh listener")
    assert "/sa/dispatch" in lines()[0]
