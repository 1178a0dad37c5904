"""A method that nobody has called before is three lines of a client, and has all that the others have."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from google.protobuf import descriptor_pool
from google.protobuf.message_factory import GetMessageClass

from mcp_adapter.dispatch_client import DispatchClient
from services.base import actions, canonical, signature
from services.base.call import Call
from services.base.channel import open_channel
from services.base.errors import ACTOR_RATE, Code, PapermeshError, rate_limited
from services.base.refusals import Refusals
from services.base.server import Hosted
from services.base.signature import Key
from services.base.signed_client import Person
from services.base.testing import running
from tests.support.protos import compile_proto

KEY = Key("reports", "k1", bytes(range(32)))
TRACE = "0af7651916cd43dd8448eb211c80319c"
ADA = Person("ada", f"00-{TRACE}-b7ad6b7169203331-01")

PROTO = """
// DispatchService has methods that today's has not.
service DispatchService {
  // Greet greets once.
  rpc Greet(GreetRequest) returns (GreetResponse) {
    option (papermesh.options.v1.internal) = { timeout: {seconds: 5} };
  }
  // Repeat greets three times.
  rpc Repeat(RepeatRequest) returns (stream RepeatResponse) {
    option (papermesh.options.v1.internal) = { timeout: {seconds: 5} };
  }
}
// GreetRequest says who.
message GreetRequest {
  // Actor calls.
  string actor = 1;
  // Name is greeted.
  string name = 2;
}
// GreetResponse greets.
message GreetResponse {
  // Text is the greeting.
  string text = 1;
}
// RepeatRequest says who.
message RepeatRequest {
  // Actor calls.
  string actor = 1;
}
// RepeatResponse greets.
message RepeatResponse {
  // Text is the greeting.
  string text = 1;
}
"""


class Greeter:
    """Checks each signature and greets the actor, or fails as a test says."""

    def __init__(self, greet: Any, repeat: Any) -> None:
        self._greet, self._repeat = greet, repeat
        self.error: PapermeshError | None = None
        self.calls: list[Call] = []

    async def Greet(self, request: Any, call: Call) -> Any:
        self._check(request, call)
        return self._greet(text=f"{request.actor} greets {request.name}")

    async def Repeat(self, request: Any, call: Call) -> AsyncIterator[Any]:
        self._check(request, call)
        for _ in range(3):
            yield self._repeat(text=request.actor)

    def _check(self, request: Any, call: Call) -> None:
        self.calls.append(call)
        signed, text = signature.read(call.metadata), canonical.canonical_json(request)
        signature.check_mac(signed, [KEY.secret], audience="test", method=call.method, request=text)
        if self.error:
            raise self.error


@asynccontextmanager
async def greeting(folder: Path, **how: Any) -> AsyncIterator[tuple[Greeter, Any]]:
    """A servicer, and the adapter's client, which reaches it over TLS."""
    compiled = compile_proto(PROTO, folder)
    table = actions.load(compiled.descriptors)
    descriptor = descriptor_pool.Default().FindServiceByName(f"{compiled.package}.DispatchService")
    greet, repeat = descriptor.methods
    pb_greet, pb_repeat = GetMessageClass(greet.input_type), GetMessageClass(repeat.input_type)
    greeted, repeated = GetMessageClass(greet.output_type), GetMessageClass(repeat.output_type)

    class Client(DispatchClient):
        service = descriptor

        async def greet(self, name: str, person: Person) -> Any:
            """Greets once."""
            return await self.answer(greeted, pb_greet(name=name), person)

        def repeat(self, person: Person) -> AsyncGenerator[Any, None]:
            """Greets three times."""
            return self.stream(repeated, pb_repeat(), person)

    servicer = Greeter(greeted, repeated)
    async with (
        running(Hosted(descriptor, servicer), directory=folder, table=table) as up,
        open_channel(up.address, up.tls_dir) as channel,
    ):
        yield servicer, Client(channel, lambda: KEY, "test", table=table, **how)


async def test_a_new_method_of_dispatch_is_reached_in_three_lines(tmp_path: Path) -> None:
    async with greeting(tmp_path) as (servicer, client):
        assert (await client.greet("bob", ADA)).text == "ada greets bob"
        assert [each.text async for each in client.repeat(ADA)] == ["ada"] * 3
    assert [call.traceparent.split("-")[1] for call in servicer.calls] == [TRACE] * 2
    assert all(5 < call.timeout_s + 0.5 <= 5.5 for call in servicer.calls)


async def test_its_errors_are_ours_and_a_refusal_is_repeated_here(tmp_path: Path) -> None:
    async with greeting(tmp_path, refusals=Refusals()) as (servicer, client):
        servicer.error = rate_limited(900, ACTOR_RATE)
        for _ in range(3):
            with pytest.raises(PapermeshError) as caught:
                await client.greet("bob", ADA)
            assert (caught.value.code, caught.value.details) == (Code.RATE_LIMIT, {"reason": ACTOR_RATE})
        assert len(servicer.calls) == 1
        with pytest.raises(PapermeshError):
            await anext(client.repeat(ADA))
        assert len(servicer.calls) == 2, "another method is asked for"


async def test_without_refusals_every_call_is_sent(tmp_path: Path) -> None:
    async with greeting(tmp_path) as (servicer, client):
        servicer.error = rate_limited(900, ACTOR_RATE)
        for _ in range(3):
            with pytest.raises(PapermeshError):
                await client.greet("bob", ADA)
    assert len(servicer.calls) == 3


def test_what_streams_goes_over_the_channel_for_streams() -> None:
    class Channel:
        def __init__(self) -> None:
            self.methods: list[str] = []

        def _bind(self, path: str, *_: object) -> None:
            self.methods.append(path.rpartition("/")[2])

        unary_unary = unary_stream = stream_unary = _bind

    calls, streams = Channel(), Channel()
    DispatchClient(calls, lambda: KEY, "test", streams=streams)  # type: ignore[arg-type]
    assert {"PutDocument", "GetDocument", "WatchJob"} <= set(streams.methods)
    assert {"Invoke", "ListActions", "DeleteDocument"} <= set(calls.methods)
    assert set(streams.methods) | set(calls.methods) == set(DispatchClient.service.methods_by_name)
