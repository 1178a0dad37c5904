"""`make up`: runs everything in the foreground until Ctrl-C, and starts again what dies."""

import signal
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import FrameType

from deploy.local.client_keys import ClientKeysError
from deploy.local.folders import FolderError
from deploy.local.hold import HeldError
from deploy.local.keeper import Keeper
from deploy.local.part import PartError, StoppedError
from deploy.local.ports import PortError, Ports
from deploy.local.redis_server import RedisMissingError
from deploy.local.stack import Stack
from envoy.binary import EnvoyNotFoundError
from envoy.routes import RouteError
from services.base.actions import ContractError
from services.base.certificates import CertificateError

_LOOK_EVERY_S = 0.5
_CERTIFICATES_EVERY_S = 3600.0

_CANNOT_START = (
    CertificateError,
    ClientKeysError,
    ContractError,
    EnvoyNotFoundError,
    FolderError,
    HeldError,
    PartError,
    PortError,
    RedisMissingError,
    RouteError,
)
"""What a person can mend; each says how in its own words."""


def up(root: Path, environment: Mapping[str, str]) -> int:
    """Runs the deployment in `root`.

    Args:
        root: The folder of its state.
        environment: Where ports and settings come from.

    Returns:
        The exit status.
    """
    stopping = _stop_on_signals()
    begun = time.monotonic()
    try:
        settings = {name: value for name, value in environment.items() if name.startswith("PAPERMESH_")}
        stack = Stack(root, Ports.from_environment(environment), settings=settings, stopping=stopping)
        say("Starting Papermesh")
        stack.start()
    except StoppedError:
        say("Stopped.")
        return 0
    except _CANNOT_START as error:
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
    """One line or more for the person at the terminal, if there still is one."""
    with suppress(OSError):
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()


def _stop_on_signals() -> threading.Event:
    """Set by Ctrl-C, by a closed terminal and by `make down`. A second one no longer waits for anything."""
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
            try:
                stack.renew_certificates()
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

  .venv/bin/papermesh invoke PDF_METADATA samples/leave-policy.pdf
  curl {stack.url}/actions

Ctrl-C stops it."""
