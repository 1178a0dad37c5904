"""The one kind of channel in the mesh: to Envoy, over mutual TLS, with whatever certificate is the newest."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partialmethod
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from weakref import WeakSet

import grpc

from services.base.tls_files import TlsFiles

MAX_RESULT_BYTES = 16 * 1024 * 1024
"""The largest result of an action; what is larger is TOO_LARGE at its engine."""

MAX_RESPONSE_BYTES = MAX_RESULT_BYTES + 64 * 1024
"""The largest response message: a result and what goes around it."""

_OPTIONS = (
    ("grpc.max_send_message_length", MAX_RESPONSE_BYTES),
    ("grpc.max_receive_message_length", MAX_RESPONSE_BYTES),
    # A dead connection is found in half a minute even when no call is under way.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.keepalive_permit_without_calls", 1),
    # A signed call bears its nonce once: whoever retries must sign anew, so the channel never does it by itself.
    ("grpc.enable_retries", 0),
    # When Envoy restarts, callers should not wait out a long back-off.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 2_000),
    # Not a pause, whatever it is called: what an attempt gets, TLS included, before it has failed and with it all calls
    # that wait for it. A machine with much to do takes longer than 200 ms; a peer that is gone need not answer at all.
    ("grpc.min_reconnect_backoff_ms", 1_000),
    # Envoy is inside the deployment; a company's web proxy (https_proxy) is no way to it.
    ("grpc.enable_http_proxy", 0),
    # One process is one caller; a channel of its own keeps its connection apart from others of the same process.
    ("grpc.use_local_subchannel_pool", 1),
)

_LOOK_EVERY_S = 1.0
_PROVE_S = 10.0
"""What Envoy gets to let a new certificate in; then the files are read again, and what they hold is tried."""

_BACK_S = 2.5
"""A little longer than the longest pause between two attempts, the random part of it included."""

_LONGEST_CALL_S = 3600.0
"""What calls that are under way get to end when their connection is replaced: Envoy lets none live longer."""

_log = logging.getLogger(__name__)


def open_channel(address: str, tls_dir: Path) -> "MeshChannel":
    """A channel to one of Envoy's listeners, which takes up renewed certificates while it is in use.

    Envoy's certificate is the only one of the mesh with DNS names, so the host name check is enough to know it.

    Args:
        address: "host:port"; the host is a name in Envoy's certificate.
        tls_dir: Folder with tls.crt, tls.key and ca.crt.

    Raises:
        OSError: naming the file, when one of them cannot be read or does not fit the others.
    """
    return MeshChannel(address, tls_dir)


class MeshChannel(grpc.aio.Channel):
    """A channel whose connection is replaced when the certificate is; its callers notice nothing.

    grpc reads a client's files once, so a new certificate needs a new connection. While the block of `async with`
    lasts, the folder is looked at every second. What is new there gets a connection of its own; only when Envoy has let
    that one in do new calls go over it, and the one before ends with its last call. A certificate that is refused, or
    files that do not fit each other, therefore cost no call: the last good ones stay in use until better ones come.
    """

    def __init__(self, address: str, tls_dir: Path) -> None:
        self._address = address
        self._tls_dir = tls_dir
        self._files = TlsFiles.read(tls_dir)
        self._files.check(tls_dir)
        self._channel = _connection(address, self._files)
        self._callables: WeakSet[_Callable] = WeakSet()
        self._tasks: set[asyncio.Task[None]] = set()
        self._seen = self._told = ""
        """The fault that the last look met, and the one that the log has."""

    def _bind(self, kind: str, *method: Any, _registered_method: bool = False, **how: Any) -> "_Callable":
        """A method of a service: as in grpc.aio, and good for every later connection."""
        bound = _Callable(lambda connection: getattr(connection, kind)(*method, **how), self._channel)
        self._callables.add(bound)
        return bound

    unary_unary: Any = partialmethod(_bind, "unary_unary")
    unary_stream: Any = partialmethod(_bind, "unary_stream")
    stream_unary: Any = partialmethod(_bind, "stream_unary")
    stream_stream: Any = partialmethod(_bind, "stream_stream")

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:  # noqa: FBT001, FBT002 - as in grpc
        """The state of the connection that new calls go over."""
        return self._channel.get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """Waits until that connection is in another state."""
        await self._channel.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        """Waits until that connection stands."""
        await self._channel.channel_ready()

    async def back(self) -> None:
        """Waits for a moment when the connection was lost and is being made again, and not at all otherwise.

        A call that begins between two attempts fails at once, although nothing is wrong any more: when Envoy was
        restarted, it may bring calls to a caller of its own that is still waiting to try again.
        """
        if self.get_state() is grpc.ChannelConnectivity.TRANSIENT_FAILURE:
            with suppress(TimeoutError):
                async with asyncio.timeout(_BACK_S):
                    await self.channel_ready()

    async def close(self, grace: float | None = None) -> None:
        """Ends it; calls under way get `grace` seconds.

        Those of a connection that was replaced end by their own deadlines.
        """
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._channel.close(grace)

    async def __aenter__(self) -> Self:
        self._begin(self._watch())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_EVERY_S)
            try:
                await self._look()
            except OSError as error:
                self._complain(f"{error.filename}: {error.strerror}")
            except Exception:  # noqa: BLE001 - nobody awaits this task; a bug in it must not end the watching
                _log.exception("A bug in checking the certificates; the last good ones stay in use")

    async def _look(self) -> None:
        files = TlsFiles.read(self._tls_dir)
        if files == self._files:
            self._seen = self._told = ""
            return
        leaf = files.check(self._tls_dir)
        fresh = _connection(self._address, files)
        try:
            async with asyncio.timeout(_PROVE_S):
                await fresh.channel_ready()
        except TimeoutError:
            await fresh.close()
            self._complain(f"Envoy at {self._address} accepted no connection with it within {_PROVE_S:g} seconds")
            return
        except BaseException:
            await fresh.close()
            raise
        # No await from here on: a call that begins now goes over the one connection or the other, and both are good.
        old, self._channel, self._files = self._channel, fresh, files
        for each in self._callables:
            each.bind(fresh)
        self._begin(old.close(_LONGEST_CALL_S))
        fields = {"serial": f"{leaf.serial_number:x}", "valid_until": leaf.not_valid_after_utc.isoformat()}
        _log.info("a renewed certificate is in use", extra={"fields": fields})

    def _complain(self, fault: str) -> None:
        """Logs a fault that two looks in a row have met, once: one look may fall between two writes."""
        if fault == self._seen and fault != self._told:
            _log.warning("The renewed certificate cannot be used; the last good one stays in use. %s.", fault)
            self._told = fault
        self._seen = fault


class _Callable:
    """A method of a channel; which connection it goes over is decided call by call."""

    __slots__ = ("__weakref__", "_call", "_make")

    def __init__(self, make: "Callable[[grpc.aio.Channel], Callable[..., Any]]", connection: grpc.aio.Channel) -> None:
        self._make = make
        self.bind(connection)

    def bind(self, connection: grpc.aio.Channel) -> None:
        """Sends the calls from now on over `connection`."""
        self._call = self._make(connection)

    def __call__(self, *args: Any, **how: Any) -> Any:
        return self._call(*args, **how)


def _connection(address: str, files: TlsFiles) -> grpc.aio.Channel:
    credentials = grpc.ssl_channel_credentials(files.roots, files.key, files.chain)
    return grpc.aio.secure_channel(address, credentials, options=_OPTIONS)
