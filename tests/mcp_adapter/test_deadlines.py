"""The adapter's own clock ends every call into the mesh, also where nothing behind it ever says a word."""

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Callable, Coroutine, Generator
from io import BytesIO
from typing import Any

import pytest

from mcp_adapter.dispatch_client import KNOWN_FOR_S, DispatchClient
from papermesh.dispatch.v1 import dispatch_service_pb2 as pb
from papermesh.document.v1.report_pb2 import ReportFilter
from services.base.errors import Code, PapermeshError
from services.base.signed_client import Person
from tests.mcp_adapter.conftest import KEY

pytestmark = pytest.mark.measures_time

SOMEBODY = Person("ada", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
SHA256 = "ab" * 32
GRACE_S = 0.5
"""How much longer than a call may take its answer is waited for."""

TICK_S = 0.2
"""How much later than its time a call may end."""


class Leaping(asyncio.SelectorEventLoop):
    """A loop whose time leaps to the next timer, so that no test waits for a minute."""

    def __init__(self) -> None:
        super().__init__()
        self._now = 1000.0

    def time(self) -> float:
        return self._now

    def _run_once(self) -> None:
        if not self._ready and self._scheduled:  # type: ignore[attr-defined]
            self._now = max(self._now, self._scheduled[0].when())  # type: ignore[attr-defined]
        super()._run_once()  # type: ignore[misc]


class Hanging:
    """A call that is never answered and that heeds no deadline, nor is heard of again once it is cancelled."""

    def __init__(self) -> None:
        self._answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def cancel(self) -> None:
        self._answer.cancel()

    def __await__(self) -> Generator[Any, None, Any]:
        return self._answer.__await__()

    async def __aiter__(self) -> AsyncIterator[Any]:
        yield await self._answer


class Begun(Hanging):
    """A download whose first message has come, and no other."""

    async def __aiter__(self) -> AsyncIterator[Any]:
        yield pb.GetDocumentResponse()
        yield await self._answer

    @property
    def is_cancelled(self) -> bool:
        return self._answer.cancelled()


class Answered(Hanging):
    def __init__(self, answer: object) -> None:
        super().__init__()
        self._answer.set_result(answer)


class Channel:
    """A channel whose calls hang, but for those that have an answer here."""

    def __init__(self) -> None:
        self.called: list[tuple[str, float]] = []
        """Each call's method and the deadline, in seconds, that the mesh was told."""

        self.answers: dict[str, object] = {}
        self.begun: Begun | None = None
        """What answers a download, where it does not hang from its beginning."""

        self.held: weakref.WeakSet[Hanging] = weakref.WeakSet()
        """The calls that somebody still holds."""

    def unary_unary(self, path: str, *_: object) -> Callable[..., Hanging]:
        method = path.rpartition("/")[2]

        def call(_: object, *, metadata: object, timeout: float) -> Hanging:  # noqa: ARG001 - what grpc takes
            self.called.append((method, timeout))
            answer = self.answers.get(method)
            made = Hanging() if answer is None else Answered(answer)
            self.held.add(made)
            return made

        return call

    stream_unary = unary_unary

    def unary_stream(self, path: str, *types: object) -> Callable[..., Hanging]:
        hangs = self.unary_unary(path, *types)
        return lambda request, **how: self.begun or hangs(request, **how)


def waited(call: Coroutine[Any, Any, object]) -> tuple[str, float]:
    """How a call ended, and after how many seconds."""

    async def wait() -> tuple[str, float]:
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            await call
        except PapermeshError as error:
            return error.code, loop.time() - began
        return "OK", loop.time() - began

    with asyncio.Runner(loop_factory=Leaping) as runner:
        return runner.run(wait())


def client(channel: Channel) -> DispatchClient:
    return DispatchClient(channel, lambda: KEY, "test")  # type: ignore[arg-type]


def catalogue(**timeouts_s: int) -> pb.ListActionsResponse:
    actions = [pb.ActionInfo(name=name) for name in timeouts_s]
    for action in actions:
        action.timeout.seconds = timeouts_s[action.name]
    return pb.ListActionsResponse(actions=actions)


async def download(dispatch: DispatchClient) -> None:
    async for _ in dispatch.get_document(SHA256, SOMEBODY):
        pass


async def look(dispatch: DispatchClient) -> None:
    async for _ in dispatch.get_image("img_x", SOMEBODY):
        pass


async def read_report(dispatch: DispatchClient) -> None:
    async for _ in dispatch.get_report("rep_x", "", ReportFilter(), SOMEBODY):
        pass


CALLS: dict[str, tuple[Callable[[DispatchClient], Coroutine[Any, Any, object]], float]] = {
    "Invoke": (lambda dispatch: dispatch.invoke("UNHEARD_OF", {}, SOMEBODY), 60),
    "ListActions": (lambda dispatch: dispatch.list_actions(SOMEBODY), 10),
    "PutDocument": (lambda dispatch: dispatch.put_document(BytesIO(b"%PDF-"), SHA256, 5, SOMEBODY), 300),
    "DeleteDocument": (lambda dispatch: dispatch.delete_document(SHA256, SOMEBODY), 30),
    "ListDocuments": (lambda dispatch: dispatch.list_documents(0, "", SOMEBODY), 10),
    "GetDocument": (download, 300),
    "GetImage": (look, 60),
    "GetReport": (read_report, 60),
    "ListReports": (lambda dispatch: dispatch.list_reports(0, "", SOMEBODY), 10),
}
"""Every call that the adapter makes, and the longest that its method may take, in seconds."""


@pytest.mark.parametrize("method", CALLS)
def test_a_call_that_hangs_ends_half_a_second_after_its_time(method: str) -> None:
    call, limit_s = CALLS[method]
    channel = Channel()
    code, took_s = waited(call(client(channel)))
    assert code == Code.TIMEOUT
    assert limit_s + GRACE_S <= took_s < limit_s + GRACE_S + TICK_S
    assert channel.called == [(method, limit_s + GRACE_S)], "the mesh is told the same"


def test_no_call_is_left_out_here() -> None:
    made = {"".join(map(str.capitalize, name.split("_"))) for name in vars(DispatchClient)}
    assert made & set(DispatchClient.service.methods_by_name) == CALLS.keys()


@pytest.mark.parametrize(("action", "limit_s"), [("PDF_TEXT", 10), ("INHOUSE", 2), ("UNHEARD_OF", 60)])
def test_an_action_gets_the_time_that_the_catalogue_says(action: str, limit_s: float) -> None:
    channel = Channel()
    channel.answers["ListActions"] = catalogue(PDF_TEXT=10, INHOUSE=2)
    dispatch = client(channel)

    async def call() -> None:
        await dispatch.list_actions(SOMEBODY)
        await dispatch.invoke(action, {}, SOMEBODY)

    code, took_s = waited(call())
    assert code == Code.TIMEOUT
    assert limit_s + GRACE_S <= took_s < limit_s + GRACE_S + TICK_S


def test_what_one_person_may_call_says_nothing_of_the_other_actions() -> None:
    channel = Channel()
    channel.answers = {"ListActions": catalogue(PDF_TEXT=10, INHOUSE=2), "Invoke": pb.InvokeResponse()}
    dispatch = client(channel)

    async def calls() -> None:
        await dispatch.list_actions(SOMEBODY)
        for few in (catalogue(INHOUSE=2), catalogue()):
            channel.answers["ListActions"] = few
            await asyncio.sleep(KNOWN_FOR_S * 0.4)
            await dispatch.list_actions(SOMEBODY)
            await dispatch.invoke("PDF_TEXT", {}, SOMEBODY)
        channel.answers["ListActions"] = catalogue(PDF_TEXT=20, INHOUSE=2)
        await asyncio.sleep(KNOWN_FOR_S * 0.4)
        for _ in range(2):
            await dispatch.invoke("PDF_TEXT", {}, SOMEBODY)
            await asyncio.sleep(1)
        await dispatch.aclose()

    assert waited(calls())[0] == "OK"
    assert [limit_s - GRACE_S for method, limit_s in channel.called if method == "Invoke"] == [10, 10, 10, 20]


def test_a_catalogue_that_has_changed_is_learnt_within_a_minute_of_calls() -> None:
    channel = Channel()
    channel.answers = {"ListActions": catalogue(PDF_TEXT=10), "Invoke": pb.InvokeResponse()}
    dispatch = client(channel)

    async def calls() -> None:
        await dispatch.list_actions(SOMEBODY)
        channel.answers["ListActions"] = catalogue(PDF_TEXT=20)
        for _ in range(3):
            await dispatch.invoke("PDF_TEXT", {}, SOMEBODY)
            await asyncio.sleep(KNOWN_FOR_S / 2)
        await dispatch.invoke("PDF_TEXT", {}, SOMEBODY)
        await dispatch.aclose()

    assert waited(calls())[0] == "OK"
    assert [limit_s - GRACE_S for method, limit_s in channel.called if method == "Invoke"] == [10, 10, 10, 20]
    assert [method for method, _ in channel.called].count("ListActions") == 2


def test_a_catalogue_that_cannot_be_had_leaves_what_was_known() -> None:
    channel = Channel()
    channel.answers = {"ListActions": catalogue(PDF_TEXT=10), "Invoke": pb.InvokeResponse()}
    dispatch = client(channel)

    async def calls() -> None:
        await dispatch.list_actions(SOMEBODY)
        del channel.answers["ListActions"]
        for _ in range(6):
            await dispatch.invoke("PDF_TEXT", {}, SOMEBODY)
            await asyncio.sleep(KNOWN_FOR_S)
        await dispatch.aclose()

    assert waited(calls())[0] == "OK"
    assert {limit_s - GRACE_S for method, limit_s in channel.called if method == "Invoke"} == {10}
    assert [method for method, _ in channel.called].count("ListActions") == 1 + 5, "once a minute"


def test_an_answer_is_not_held_until_its_call_might_have_ended() -> None:
    channel = Channel()
    channel.answers["Invoke"] = pb.InvokeResponse()
    dispatch = client(channel)

    async def call() -> None:
        await dispatch.invoke("PDF_TEXT", {}, SOMEBODY)
        gc.collect()
        assert not list(channel.held)

    assert waited(call()) == ("OK", 0)


def test_a_caller_who_leaves_ends_a_call_before_its_time() -> None:
    dispatch = client(Channel())

    async def leave() -> None:
        call = asyncio.create_task(dispatch.invoke("PDF_TEXT", {}, SOMEBODY))
        await asyncio.sleep(1)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call

    assert waited(leave()) == ("OK", 1)


def test_a_download_that_is_left_in_the_middle_ends_at_once() -> None:
    channel = Channel()
    dispatch = client(channel)

    async def leave() -> None:
        channel.begun = Begun()
        messages = dispatch.get_document(SHA256, SOMEBODY)
        await anext(messages)
        await messages.aclose()
        assert channel.begun.is_cancelled

    assert waited(leave()) == ("OK", 0)
