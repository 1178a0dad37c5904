"""A server that clients reach: what it gives to calls that are not verified, and to one certificate."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest

from papermesh.dispatch.v1 import dispatch_service_pb2 as pb
from services.base import shares, status
from services.base.call import Call
from services.base.errors import PapermeshError
from services.base.server import Hosted
from services.base.shares import ANSWER_BYTES, ANSWER_SHARE, CALLS, SHARE, UNVERIFIED_READ, Shares
from services.base.testing import envoy_metadata, serving

pytestmark = pytest.mark.measures_time

DISPATCH = pb.DESCRIPTOR.services_by_name["DispatchService"]
METHODS = [method.name for method in DISPATCH.methods]
REPORTS = envoy_metadata("spiffe://papermesh/ns/default/client/reports")
OTHERS = envoy_metadata("spiffe://papermesh/ns/default/sa/adapter")


class Front:
    """Serves every method of DispatchService alike: verifies the call once its message has come, and then hangs, or
    hangs without that."""

    def __init__(self, *, verifies: bool, answer: str = "") -> None:
        self._verifies = verifies
        self._json = answer
        self.waiting = self.verified = 0
        self.may_answer = asyncio.Event()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = DISPATCH.methods_by_name.get(name)
        if method is None:
            raise AttributeError(name)
        if method.server_streaming:
            return self._stream
        return self._put if method.client_streaming else self._answer

    async def _work(self, call: Call) -> None:
        if self._verifies:
            await call.verified()
            self.verified += 1
        await self.may_answer.wait()

    async def _answer(self, _: Any, call: Call) -> pb.InvokeResponse:
        await self._work(call)
        return pb.InvokeResponse(json=self._json)

    async def _put(self, requests: AsyncIterator[Any], call: Call) -> pb.PutDocumentResponse:
        self.waiting += 1
        async for _ in requests:
            await self._work(call)
            break
        return pb.PutDocumentResponse()

    async def _stream(self, _: Any, call: Call) -> AsyncIterator[pb.GetDocumentResponse]:
        await self._work(call)
        yield pb.GetDocumentResponse(data=self._json.encode())


class Caller:
    """Calls over a channel, with one certificate; keeps what it has open."""

    def __init__(self, channel: grpc.aio.Channel, metadata: tuple[tuple[str, str], ...] = REPORTS) -> None:
        self._channel = channel
        self._metadata = metadata
        self.open: list[Any] = []

    def begin(self, method: str) -> Any:
        """A call that has sent nothing but its headers."""
        call = self._channel.stream_stream(f"/{DISPATCH.full_name}/{method}")(metadata=self._metadata, timeout=30)
        self.open.append(call)
        return call

    def call(self, method: str) -> Any:
        """A call that sends an empty message."""
        path = f"/{DISPATCH.full_name}/{method}"
        call = self._channel.stream_stream(path)(iter([b""]), metadata=self._metadata, timeout=30)
        self.open.append(call)
        return call


async def refusal(call: Any) -> PapermeshError:
    """The error that a call ends with."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        [each async for each in call]
    return status.decode(caught.value)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - what is waited for is a servicer's, which tells nobody
            await asyncio.sleep(0.01)


async def taken_in(front: Front, caller: Caller) -> Any:
    """A call that has a place, once the one before it has given it back."""
    front.verified = 0
    async with asyncio.timeout(20):
        while True:
            call = caller.call("GetDocument")
            while not (call.done() or front.verified):  # noqa: ASYNC110 - as above
                await asyncio.sleep(0.01)
            if front.verified:
                return call


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Less patience with calls that are not verified."""
    monkeypatch.setattr(shares, "UNVERIFIED_S", 0.3)


class TestUnverified:
    async def test_calls_of_every_method_end_after_three_seconds_though_they_send_nothing(self, tmp_path: Path) -> None:
        async with serving(Hosted(DISPATCH, Front(verifies=False)), directory=tmp_path, behind_mesh=False) as channel:
            began = asyncio.get_running_loop().time()
            errors = await asyncio.gather(*(refusal(Caller(channel).begin(method)) for method in METHODS))
            assert 2.5 < asyncio.get_running_loop().time() - began < 10
        assert {(error.code, error.details["reason"]) for error in errors} == {("TIMEOUT", "unverified")}

    @pytest.mark.usefixtures("soon")
    async def test_calls_of_every_method_end_though_their_message_came(self, tmp_path: Path) -> None:
        async with serving(Hosted(DISPATCH, Front(verifies=False)), directory=tmp_path, behind_mesh=False) as channel:
            calls = [Caller(channel).call(method) for method in METHODS]
            errors = await asyncio.gather(*map(refusal, calls))
        assert {(error.code, error.details["reason"]) for error in errors} == {("TIMEOUT", "unverified")}

    @pytest.mark.usefixtures("soon")
    async def test_is_no_call_for_longer_than_its_servicer_takes_to_say_so(self, tmp_path: Path) -> None:
        front = Front(verifies=True)
        async with serving(Hosted(DISPATCH, front), directory=tmp_path, behind_mesh=False) as channel:
            calls = [Caller(channel).call(method) for method in METHODS]
            await until(lambda: front.verified == len(METHODS))
            # This one begins later; when its time is over, that of the others is.
            assert (await refusal(Caller(channel).begin("Invoke"))).details["reason"] == "unverified"
            front.may_answer.set()
            for call in calls:
                assert len([each async for each in call]) == 1

    @pytest.mark.usefixtures("soon")
    async def test_a_call_that_has_ended_has_no_time_that_could_be_over(self) -> None:
        server = Shares()
        with server.enter("reports"):
            pass
        # Ends the next call of the same task only when that one's own time is over.
        with pytest.raises(PapermeshError) as caught, server.enter("reports"):
            await asyncio.Event().wait()
        assert caught.value.details["reason"] == "unverified"

    async def test_calls_are_read_a_few_at_a_time_and_those_of_others_are_not_held_up(self, tmp_path: Path) -> None:
        front = Front(verifies=True)
        async with serving(Hosted(DISPATCH, front), directory=tmp_path, behind_mesh=False) as channel:
            silent = Caller(channel)
            first, *_ = [silent.begin("PutDocument") for _ in range(UNVERIFIED_READ)]
            await until(lambda: front.waiting == UNVERIFIED_READ)
            silent.call("Invoke")
            Caller(channel, OTHERS).call("Invoke")
            await until(lambda: front.verified > 0)
            assert front.verified == 1, "the other's; the silent one's own call waits for its turn"
            first.cancel()
            await until(lambda: front.verified == 2)
            front.may_answer.set()

    async def test_a_stream_learns_at_once_that_it_is_verified(self, tmp_path: Path) -> None:
        """By the beginning of the answer, which ends Envoy's clock for requests."""
        async with serving(Hosted(DISPATCH, Front(verifies=True)), directory=tmp_path, behind_mesh=False) as channel:
            call = Caller(channel).call("PutDocument")
            async with asyncio.timeout(10):
                await call.initial_metadata()
            assert not call.done()

    async def test_a_call_without_a_message_is_refused(self, tmp_path: Path) -> None:
        async with serving(Hosted(DISPATCH, Front(verifies=True)), directory=tmp_path, behind_mesh=False) as channel:
            call = Caller(channel).begin("Invoke")
            await call.done_writing()
            assert (await refusal(call)).code == "BAD_ARG"


class TestOneCertificate:
    @pytest.mark.parametrize("method", ["Invoke", "PutDocument", "GetDocument", "WatchJob"])
    async def test_has_a_quarter_of_all_calls_and_leaves_others_theirs(self, tmp_path: Path, method: str) -> None:
        front = Front(verifies=True)
        async with serving(Hosted(DISPATCH, front), directory=tmp_path, behind_mesh=False) as channel:
            greedy = Caller(channel)
            calls = [greedy.call(method) for _ in range(SHARE)]
            await until(lambda: front.verified == SHARE)
            error = await refusal(greedy.call("Invoke"))
            assert (error.code, error.details["reason"]) == ("RATE_LIMIT", "certificate_share")
            assert error.retry_after_ms == 1000
            other = Caller(channel, OTHERS).call(method)
            await until(lambda: front.verified == SHARE + 1)
            front.may_answer.set()
            for call in (*calls, other):
                assert len([each async for each in call]) == 1
            assert len([each async for each in greedy.call(method)]) == 1
        assert SHARE * 4 == CALLS

    async def test_that_comes_when_all_places_are_taken_is_told_so(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(shares, "CALLS", 2)
        front = Front(verifies=True)
        async with serving(Hosted(DISPATCH, front), directory=tmp_path, behind_mesh=False) as channel:
            greedy = Caller(channel)
            calls = [greedy.call("Invoke") for _ in range(2)]
            await until(lambda: front.verified == 2)
            error = await refusal(Caller(channel, OTHERS).call("Invoke"))
            assert (error.code, error.retry_after_ms) == ("UNAVAILABLE", 1000)
            front.may_answer.set()
            for call in calls:
                assert len([each async for each in call]) == 1

    async def test_has_a_quarter_of_the_bytes_of_answers_that_are_not_taken(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(shares, "ANSWER_SHARE", 20_000_000)
        front = Front(verifies=True, answer="x" * 16_000_000)
        front.may_answer.set()
        async with serving(Hosted(DISPATCH, front), directory=tmp_path, behind_mesh=False) as channel:
            greedy = Caller(channel)
            unread = greedy.call("Invoke")
            await until(lambda: front.verified == 1)
            error = await refusal(greedy.call("Invoke"))
            assert (error.code, error.details["reason"]) == ("RATE_LIMIT", "certificate_share")
            assert len([each async for each in Caller(channel, OTHERS).call("Invoke")]) == 1
            assert len([each async for each in unread]) == 1
            assert len([each async for each in greedy.call("Invoke")]) == 1
        assert ANSWER_SHARE * 4 == ANSWER_BYTES

    async def test_keeps_the_place_of_an_answer_that_it_does_not_read(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(shares, "SHARE", 1)
        front = Front(verifies=True, answer="x" * 16_000_000)
        front.may_answer.set()
        async with serving(Hosted(DISPATCH, front), directory=tmp_path, behind_mesh=False) as channel:
            greedy = Caller(channel)
            unread = greedy.call("Invoke")
            await until(lambda: front.verified == 1)
            assert (await refusal(greedy.call("Invoke"))).code == "RATE_LIMIT"
            assert len([each async for each in unread]) == 1

    async def test_has_its_place_back_when_it_leaves_what_it_does_not_read(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(shares, "SHARE", 1)
        front = Front(verifies=True, answer="x" * 16_000_000)
        front.may_answer.set()
        async with serving(Hosted(DISPATCH, front), directory=tmp_path, behind_mesh=False) as channel:
            for _ in range(3):
                unread = await taken_in(front, Caller(channel))
                unread.cancel()

    def test_whose_answer_finds_no_room_when_four_others_have_taken_it_is_told_so(self) -> None:
        server = Shares()
        for certificate in "abcd":
            server.enter(certificate).hold(ANSWER_SHARE)
        with pytest.raises(PapermeshError) as caught:
            server.enter("reports").hold(1)
        assert (caught.value.code, caught.value.retry_after_ms) == ("UNAVAILABLE", 1000)

    def test_leaves_nothing_behind_of_a_call_that_has_ended(self) -> None:
        server = Shares()
        ended, under_way = server.enter("reports"), server.enter("reports")
        ended.hold(ANSWER_SHARE)
        ended.leave()
        assert (server.all.calls, server.all.answer_bytes) == (1, 0)
        assert server.holders["reports"].answer_bytes == 0
        under_way.leave()
        assert (server.all.calls, server.holders["reports"].calls) == (0, 0)

    async def test_that_envoy_did_not_name_has_no_place(self, tmp_path: Path) -> None:
        async with serving(Hosted(DISPATCH, Front(verifies=True)), directory=tmp_path, behind_mesh=False) as channel:
            assert (await refusal(Caller(channel, ()).call("Invoke"))).code == "UNAUTHENTICATED"
