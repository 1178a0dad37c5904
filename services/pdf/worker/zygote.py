"""The zygote: a process that has imported everything once, opens nothing, and forks workers in milliseconds.

It stays single-threaded, so that a fork is a whole process. Its control socket keeps message boundaries. The service
sends one end of a worker's socket, and gets back `{"pid"}` with the worker's pidfd.
When a worker has ended, and with it all that it started, the zygote sends `{"exited": pid, "status": status}` (from
waitpid). It ends when its control socket closes or the service dies, and its workers end with it.
"""

import contextlib
import gc
import os
import select
import signal
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import orjson

from services.pdf.worker import loop
from services.pdf.worker.sandbox import confinement, landlock
from services.pdf.worker.sandbox.programs import hold_programs
from services.pdf.worker.sandbox.seccomp import compile_filter
from services.pdf.worker.sandbox.syscalls import PR_SET_PDEATHSIG, current_architecture, prctl
from services.pdf.worker.views import View, load
from services.pdf.worker.warm_up import Sample, warm_up

_MESSAGE = 4096

_PR_SET_CHILD_SUBREAPER = 36

_REFUSED = 70
"""Exit status of a worker that could not confine itself (EX_SOFTWARE)."""


def run(control: socket.socket, recipe: dict[str, Any]) -> None:
    """Forks workers as the control socket asks, until it closes.

    `recipe` describes them in the terms of `services.pdf.processes.kinds`: their `kind`, and their `views` by operation
    name. Raises RuntimeError when an import has started a thread.
    """
    kind = recipe["kind"]
    os.nice(kind["niceness"])
    os.environ.clear()  # Python puts LC_CTYPE into an empty environment
    os.environ.update(kind["environment"])
    if reach := kind["reach"]:
        hold_programs(reach["profile"])
        # What a worker leaves behind becomes this process's child, which ends it.
        prctl(_PR_SET_CHILD_SUBREAPER, 1)
        _children()  # a kernel without this list is told at the start
    views = {
        name: load(view["function"], readings=view["readings"], content=view["content"])
        for name, view in recipe["views"].items()
    }
    warm_up((views[name], view["warm_up"], _sample_of(view)) for name, view in recipe["views"].items())
    compile_filter(current_architecture(), kind["profile"], 0)
    threads = sum(1 for _ in Path("/proc/self/task").iterdir())
    if threads != 1:
        raise RuntimeError(f"the zygote has {threads} threads, and a process with threads cannot fork safely")
    gc.collect()
    gc.freeze()  # what exists now is shared with the workers; collecting it would copy it
    control.send(orjson.dumps({"ready": True}))
    _Zygote(control, views, kind).serve()


def _sample_of(view: dict[str, Any]) -> Sample:
    if view["pair"]:
        return "pair"
    return "picture" if view["content"] else "document"


class _Zygote:
    """The loop, and the children that it must reap."""

    def __init__(self, control: socket.socket, views: Mapping[str, View], kind: dict[str, Any]) -> None:
        self._control = control
        self._views = views
        self._kind = kind
        self._pid = os.getpid()
        self._children: dict[int, int] = {}
        """Process ids by pidfd."""

        self._poll = select.poll()
        self._poll.register(control, select.POLLIN)

    def serve(self) -> None:
        while True:
            for descriptor, _event in self._poll.poll():
                if descriptor in self._children:
                    self._reap(descriptor)
                elif not self._fork_as_asked():
                    return

    def _fork_as_asked(self) -> bool:
        """Handles one message; False if the service has closed the socket."""
        message, descriptors, _flags, _address = socket.recv_fds(self._control, _MESSAGE, 1)
        if not message:
            return False
        pid = os.fork()
        if pid == 0:
            self._become_worker(descriptors[0])
        os.close(descriptors[0])
        pidfd = os.pidfd_open(pid)
        self._children[pidfd] = pid
        self._poll.register(pidfd, select.POLLIN)
        socket.send_fds(self._control, [orjson.dumps({"pid": pid})], [pidfd])
        return True

    def _become_worker(self, descriptor: int) -> NoReturn:
        status = _REFUSED
        # No exception may reach the zygote's loop: then there would be two of them.
        with contextlib.suppress(BaseException):
            confinement.hold_only(descriptor)
            if self._lock_in():
                loop.serve(self._views, self._kind["limits"]["result_bytes"])
                status = os.EX_OK
        # No exit handlers: they are the zygote's.
        os._exit(status)

    def _lock_in(self) -> bool:
        """Enters the sandbox and tells the service so, or why not."""
        kind, limits = self._kind, self._kind["limits"]
        try:
            confinement.limit_processor_time(limits["cpu_seconds"])
            version = confinement.enter(
                self._pid,
                kind["profile"],
                limits["memory_bytes"],
                without_landlock=kind["without_landlock"],
                grants=_grants(reach) if (reach := kind["reach"]) else {},
            )
        except Exception as error:  # noqa: BLE001  # whatever it is, nobody else could tell it
            expected = isinstance(error, confinement.SandboxError)
            loop.answer_failed(str(error) if expected else f"{type(error).__name__}: {error}")
            return False
        loop.answer_ready(version)
        return True

    def _reap(self, pidfd: int) -> None:
        pid, status = os.waitpid(self._children.pop(pidfd), 0)
        self._poll.unregister(pidfd)
        os.close(pidfd)
        if self._kind["reach"]:
            self._end_what_it_left()
        self._control.send(orjson.dumps({"exited": pid, "status": status}))

    def _end_what_it_left(self) -> None:
        """Ends and reaps the programs of workers that have ended.

        They die with their worker (`programs.py`), so this mostly waits for them. But it depends on nothing that a
        worker which was taken over could have changed.
        """
        while left := _children() - set(self._children.values()):
            for pid in left:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def _grants(reach: Mapping[str, Any]) -> landlock.Grants:
    """What a worker of a kind with this reach gets by name."""
    return {
        **dict.fromkeys(reach["read"], landlock.READ),
        **dict.fromkeys(reach["execute"], landlock.READ | landlock.EXECUTE),  # the kernel wants both
    }


def _children() -> set[int]:
    """The process ids of this process's children; OSError if the kernel keeps no list of them."""
    return {int(pid) for pid in Path(f"/proc/self/task/{os.getpid()}/children").read_text("ascii").split()}


def main(descriptor: int, recipe: str) -> None:
    """The zygote as a program; takes a control socket's descriptor and, as JSON, the recipe for `run`."""
    # A closed socket is only seen between two forks. The signal comes when the thread ends that started this process:
    # the service's main one, which runs its loop.
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the service, which then closes the socket
    with contextlib.suppress(BrokenPipeError, ConnectionResetError), socket.socket(fileno=descriptor) as control:
        try:
            run(control, orjson.loads(recipe))
        except Exception as error:
            control.send(orjson.dumps({"failed": f"{type(error).__name__}: {error}"}))
            raise
