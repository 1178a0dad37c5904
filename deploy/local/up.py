"""`make up`: runs everything in the foreground until Ctrl-C, and restarts what dies."""

import os
import shlex
import signal
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import FrameType

from deploy.local import replicas
from deploy.local.keeper import Keeper
from deploy.local.part import StoppedError
from deploy.local.ports import Ports
from deploy.local.stack import Stack
from deploy.local.variables import unknown
from services.base.errors import OperatorError
from trust.certificates import CertificateError

_LOOK_EVERY_S = 0.5
_CERTIFICATES_EVERY_S = 3600.0

_CLONE = Path(__file__).resolve().parents[2]
_CLI = Path(sys.prefix, "bin", "papermesh")
_SAMPLE = _CLONE / "samples" / "leave-policy.pdf"

_OCR_DATA = _CLONE / "var" / "ocr_data"
"""Where setting up puts better models for Tesseract than the system's, if it can (deploy/local/ocr_data.sh)."""

USUAL_ROOT = _CLONE / "var"
"""The default folder of a deployment's state; PAPERMESH_VAR names another."""


def up(root: Path, environment: Mapping[str, str]) -> int:
    """Runs the deployment in `root`.

    Args:
        root: The folder of its state.
        environment: Where ports and settings come from.

    Returns:
        The exit status.
    """
    os.umask(0o077)  # for Redis, Envoy and their files too
    stopping = _stop_on_signals()
    begun = time.monotonic()
    try:
        settings = {"PAPERMESH_PDF_OCR_DATA": str(_OCR_DATA)} if _OCR_DATA.is_dir() else {}
        settings |= {name: value for name, value in environment.items() if name.startswith("PAPERMESH_")}
        settings.pop("PAPERMESH_TOKEN", None)  # a person's, for the command line; no part needs it
        ports, counts = Ports.from_environment(environment), replicas.from_environment(environment)
        stack = Stack(root, ports, replicas=counts, settings=settings, stopping=stopping)
        for sentence in unknown(environment, stack.services):
            say(sentence)
        say("Starting Papermesh")
        stack.start()
    except StoppedError:
        say("Stopped.")
        return 0
    except OperatorError as error:
        say(str(error))
        return 1
    try:
        say(_welcome(stack, time.monotonic() - begun))
        _watch(stack, stopping)
        say("\nStopping")
    finally:
        _stop(stack)
    say("Stopped.")
    return 0


def say(text: str) -> None:
    """Prints lines for the person at the terminal, if there still is one."""
    with suppress(OSError):
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


def _stop_on_signals() -> threading.Event:
    """Set by Ctrl-C, a closed terminal or `make down`. After a second one, nothing is waited for."""
    stopping = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        if stopping.is_set():
            raise KeyboardInterrupt
        stopping.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Whoever started it under nohup wants it to outlive the terminal.
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, stop)
    return stopping


def _watch(stack: Stack, stopping: threading.Event) -> None:
    keeper = Keeper(stack.parts.values())
    renewed_at = time.monotonic()
    while not stopping.wait(_LOOK_EVERY_S):
        for event in keeper.tend():
            say(event)
        if time.monotonic() - renewed_at > _CERTIFICATES_EVERY_S:
            renewed_at = time.monotonic()
            renew_certificates(stack)


def renew_certificates(stack: Stack) -> None:
    """Renews old certificates, and says which; running parts take them up without a restart."""
    try:
        for sentence in stack.renew_certificates():
            say(sentence)
    except CertificateError as error:
        say(str(error))


def _stop(stack: Stack) -> None:
    try:
        stack.stop()
    except KeyboardInterrupt:
        stack.stop(grace_s=0)


def _welcome(stack: Stack, seconds: float) -> str:
    return f"""\
Papermesh runs (started in {seconds:.1f} s).

  HTTP    {stack.url}
  gRPC    {stack.edge_address}, with certificates from {stack.folders.certs}
  logs    {stack.folders.log}

Try it, in another terminal:

{_moved(stack)}  {_from_here(_CLI)} invoke PDF_METADATA {_from_here(_SAMPLE)}
  curl {stack.url}/actions

Ctrl-C stops it."""


def _moved(stack: Stack) -> str:
    """The line that tells the command line where this deployment is, if that is not the default."""
    usual = Ports()
    variables = {
        "PAPERMESH_VAR": str(stack.folders.root) if stack.folders.root != USUAL_ROOT else "",
        "PAPERMESH_HTTP_PORT": str(stack.ports.http) if stack.ports.http != usual.http else "",
        "PAPERMESH_URL": stack.url if not stack.url.startswith("http://127.0.0.1:") else "",
        "PAPERMESH_EDGE_PORT": str(stack.ports.edge) if stack.ports.edge != usual.edge else "",
    }
    words = [f"{name}={shlex.quote(value)}" for name, value in variables.items() if value]
    return f"  export {' '.join(words)}\n" if words else ""


def _from_here(file: Path) -> str:
    """A path that works in a shell in the current folder."""
    here = Path.cwd()
    return shlex.quote(str(file.relative_to(here) if file.is_relative_to(here) else file))
