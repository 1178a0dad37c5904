"""Parts that are started wrongly, as processes of their own."""

import multiprocessing
import os
import runpy
import sys
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

_LIMIT_S = 60

# Importing is nearly all that a start costs which fails. So one process imports each part and is forked for each start.
_FORKING = multiprocessing.get_context("forkserver")
_FORKING.set_forkserver_preload([f"{part}.__main__" for part in ("services.dispatch", "services.pdf", "mcp_adapter")])


def start_fails(module: str, settings: Mapping[str, str]) -> str:
    """What a part says that must not start; it may never be a traceback.

    Args:
        module: Started as `python -m <module>` does.
        settings: Without the prefix PAPERMESH_, such as BLOBS_URL.
    """
    environment = {"PATH": os.environ["PATH"], **{f"PAPERMESH_{name}": value for name, value in settings.items()}}
    with TemporaryDirectory(prefix="papermesh-") as folder:
        said = Path(folder, "stderr")
        part = _FORKING.Process(target=_run, args=(module, environment, said))
        part.start()
        part.join(_LIMIT_S)
        if part.exitcode is None:
            part.kill()
            part.join()
        ended, stderr = part.exitcode, said.read_text("utf-8")
        part.close()
    assert ended == 1, stderr
    assert "Traceback" not in stderr
    assert "S3cret" not in stderr
    return stderr


def _run(module: str, environment: Mapping[str, str], said: Path) -> None:
    os.environ.clear()
    os.environ.update(environment)
    with said.open("wb") as stderr:
        os.dup2(stderr.fileno(), sys.stderr.fileno())
    sys.modules.pop(f"{module}.__main__", None)  # it runs anew, as a program
    runpy.run_module(module, run_name="__main__", alter_sys=True)
