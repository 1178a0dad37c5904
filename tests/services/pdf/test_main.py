"""pdf as it is started: what a person can mend is one sentence."""

from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from services.base.starting import listen
from services.pdf import __main__ as part
from services.pdf.processes.zygote import ZygoteError
from services.pdf.settings import PdfSettings
from tests.services.pdf.pictures import need_tesseract
from tests.support.parts import start_fails
from trust.certificates import ensure

MODULE = "services.pdf"


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    """Settings with which nothing is wrong."""
    ensure(tmp_path / "certs", "default", ["pdf"])
    return {
        "TLS_DIR": str(tmp_path / "certs" / "pdf"),
        "BLOBS_URL": (tmp_path / "blobs").as_uri(),
        "WORK_DIR": str(tmp_path / "work"),
        "PDF_WORKERS": "1",
    }


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("BLOBS_URL", "garbage", "PAPERMESH_BLOBS_URL is wrong: must be file:///"),
        ("WORK_DIR", "/dev/null/work", "/dev/null/work: Not a directory."),
        ("TLS_DIR", "/absent", "PAPERMESH_TLS_DIR is wrong: there is no file /absent/tls.crt."),
    ],
)
def test_a_wrong_setting_is_one_sentence(settings: dict[str, str], name: str, value: str, says: str) -> None:
    said = start_fails(MODULE, {**settings, name: value})
    assert said.startswith(f"pdf cannot start.\n{says}")
    assert said.count("\n") == 2


def test_a_taken_port_is_one_sentence(settings: dict[str, str]) -> None:
    with closing(listen("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        said = start_fails(MODULE, {**settings, "PDF_PORT": port})
    assert f"pdf cannot start.\nCannot listen on port {port} of 127.0.0.1: another program listens there" in said


async def test_recognition_starts_by_itself_once_the_service_is_ready(
    settings: dict[str, str], monkeypatch: pytest.MonkeyPatch, until: Callable[[Callable[[], object]], Awaitable[None]]
) -> None:
    need_tesseract()
    before = len(psutil.Process().children())
    zygotes: list[int] = []

    class Served:
        """The server, as far as this needs one."""

        def __init__(self, *_arguments: object, **_options: object) -> None:
            pass

        async def serve(self, is_ready: Callable[[], Awaitable[bool]]) -> None:
            zygotes.append(len(psutil.Process().children()) - before)
            assert await is_ready()
            await until(lambda: len(psutil.Process().children()) - before == len(("text", "ocr")))

    for name, value in settings.items():
        monkeypatch.setenv(f"PAPERMESH_{name}", value)
    monkeypatch.setattr(part, "Server", Served)
    await part.run(PdfSettings.read())
    assert zygotes == [1], "it is not waited for"
    assert len(psutil.Process().children()) == before


def test_an_engine_that_does_not_come_up_is_one_sentence(
    settings: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: PdfSettings) -> None:
        raise ZygoteError("a worker could not confine itself, and none works without that")

    for name, value in settings.items():
        monkeypatch.setenv(f"PAPERMESH_{name}", value)
    monkeypatch.setattr(part, "run", fail)
    monkeypatch.setattr("os.umask", lambda _: None)
    monkeypatch.setattr("services.base.telemetry.start_logging", lambda *_: None)
    with pytest.raises(SystemExit) as caught:
        part.main()
    assert caught.value.code == "pdf cannot start.\na worker could not confine itself, and none works without that"
