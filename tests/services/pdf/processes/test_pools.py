"""A made-up second kind of worker beside the service's own: other processes, other limits, other system calls."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import pytest

from papermesh.pdf.v1 import pdf_service_pb2
from services.base.errors import Code, PapermeshError
from services.pdf.operations import OPERATIONS, Operation
from services.pdf.processes.kinds import Kind
from services.pdf.processes.limits import Limits
from services.pdf.processes.pools import Pools
from services.pdf.processes.zygote import ZygoteError
from services.pdf.worker.sandbox.syscalls import current_architecture
from tests.services.pdf import probes
from tests.services.pdf.support import kept_in

pytestmark = pytest.mark.measures_time

Ask = Callable[..., Coroutine[Any, Any, Any]]
MakePools = Callable[..., Any]

TEXT = Kind(limits=Limits(result_bytes=200 << 20))
NARROW = Kind(
    name="narrow",
    profile=probes.NARROW,
    limits=Limits(memory_bytes=64 << 20, cpu_seconds=1, kept=1, result_bytes=200 << 20),
    niceness=5,
    on_first_use=True,
)


def probe(name: str, kind: Kind) -> Operation:
    return Operation(
        name=name,
        method=pdf_service_pb2.DESCRIPTOR.services_by_name["PdfService"].methods_by_name["GetMetadata"],
        view=f"{probes.__name__}:{name}",
        warm_up={"warm_up": True},
        kind=kind.name,
    )


@pytest.fixture
def make_pools(tmp_path: Path) -> MakePools:
    """Makes pools of the two kinds, each of which knows the probes."""

    @asynccontextmanager
    async def make(narrow: Kind = NARROW, *others: Operation) -> AsyncIterator[Pools]:
        known = [probe(name, kind) for kind in (TEXT, narrow) for name in probes.NAMES]
        async with Pools([TEXT, narrow], [*OPERATIONS, *known, *others], tmp_path / "work") as pools:
            yield pools

    return make


def soon() -> float:
    return asyncio.get_running_loop().time() + 60


def zygotes() -> list[psutil.Process]:
    return psutil.Process().children()


async def test_a_kind_starts_with_its_first_request_and_once_for_all_of_them(make_pools: MakePools, ask: Ask) -> None:
    before = len(zygotes())
    async with make_pools() as pools:
        assert pools.is_ready
        assert len(zygotes()) == before + 1
        first, *others = await asyncio.gather(*(pools.of("narrow", soon()) for _ in range(5)))
        assert len(zygotes()) == before + 2
        assert all(each is first for each in others)
        text = await pools.of("text", soon())
        parents = {psutil.Process((await ask(pool, "inventory"))["pid"]).ppid() for pool in (text, first)}
        assert len(parents) == 2
    assert len(zygotes()) == before


async def test_each_kind_has_its_own_system_calls(make_pools: MakePools, ask: Ask) -> None:
    number = current_architecture().numbers[probes.NOT_IN_NARROW]
    async with make_pools() as pools:
        for kind, answer in (("text", ""), ("narrow", "EPERM")):
            pool = await pools.of(kind, soon())
            assert await ask(pool, "syscall", number=number, arguments=[0, 0, 0]) == answer, kind


async def test_each_kind_gives_way_as_far_as_it_says(make_pools: MakePools, ask: Ask) -> None:
    async with make_pools() as pools:
        found = [await ask(await pools.of(kind, soon()), "inventory") for kind in ("text", "narrow")]
        text, narrow = [psutil.Process(each["pid"]).nice() for each in found]
    assert narrow == min(text + 5, 19)


async def test_each_kind_has_its_own_limits(make_pools: MakePools, ask: Ask) -> None:
    async with make_pools() as pools:
        text, narrow = [await pools.of(kind, soon()) for kind in ("text", "narrow")]
        with pytest.raises(ValueError, match="JSON"):
            await ask(text, "fill", length=100 << 20)
        with pytest.raises(PapermeshError, match="out of memory"):
            await ask(narrow, "fill", length=100 << 20)
        with pytest.raises(PapermeshError, match="processor time"):
            await ask(narrow, "spin", seconds=60)
        await ask(text, "inventory")
        await ask(narrow, "inventory")
        assert (kept_in(text), kept_in(narrow)) == (1, 1)


async def test_one_kind_that_is_busy_holds_up_no_other(
    make_pools: MakePools, ask: Ask, until: Callable[[Callable[[], object]], Awaitable[None]]
) -> None:
    async with make_pools() as pools:
        text, narrow = [await pools.of(kind, soon()) for kind in ("text", "narrow")]
        busy = asyncio.create_task(ask(narrow, "nap", pause=60, seconds=60))
        await until(lambda: narrow._places.free == 0)
        assert (await ask(text, "count"))["pages"] == 1
        assert not busy.done()
        busy.cancel()
        await asyncio.gather(busy, return_exceptions=True)


async def test_a_kind_that_does_not_start_fails_its_requests_and_is_tried_again(
    make_pools: MakePools, ask: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    async with make_pools(replace(NARROW, profile="no such profile")) as pools:
        for _ in range(2):
            with pytest.raises(PapermeshError) as error:
                await pools.of("narrow", soon())
            assert (error.value.code, error.value.details) == (Code.ENGINE_FAIL, {"reason": "not_started"})
        assert caplog.text.count("the narrow workers did not start") == 2
        pools._kinds["narrow"] = NARROW  # its fault is mended
        assert (await pools.of("narrow", soon())).is_ready
        assert pools.is_ready
        assert (await ask(await pools.of("text", soon()), "count"))["pages"] == 1


async def test_who_cannot_wait_for_a_kind_to_start_takes_it_from_nobody_else(make_pools: MakePools) -> None:
    async with make_pools() as pools:
        patient = asyncio.create_task(pools.of("narrow", soon()))
        with pytest.raises(PapermeshError) as error:
            await pools.of("narrow", asyncio.get_running_loop().time())
        assert error.value.code is Code.TIMEOUT
        assert (await patient).is_ready


async def test_a_kind_may_start_before_anybody_asks_and_nobody_waits_for_it(make_pools: MakePools) -> None:
    before = len(zygotes())
    async with make_pools() as pools:
        pools.start_soon("narrow")
        pools.start_soon("narrow")
        assert pools.is_ready
        assert len(zygotes()) == before + 1, "it has only been told to"
        await pools._started_soon["narrow"]
        assert len(zygotes()) == before + 2
        assert (await pools.of("narrow", asyncio.get_running_loop().time())).is_ready


async def test_one_that_does_not_start_so_is_told_in_the_log_once_and_tried_again_by_its_first_request(
    make_pools: MakePools, caplog: pytest.LogCaptureFixture
) -> None:
    async with make_pools(replace(NARROW, profile="no such profile")) as pools:
        for _ in range(2):
            pools.start_soon("narrow")
            await pools._started_soon["narrow"]
        assert caplog.text.count("the narrow workers did not start") == 1
        assert pools.is_ready
        with pytest.raises(PapermeshError) as error:
            await pools.of("narrow", soon())
        assert (error.value.code, error.value.details) == (Code.ENGINE_FAIL, {"reason": "not_started"})


async def test_one_that_is_missing_here_is_not_started_and_that_is_no_fault(
    make_pools: MakePools, caplog: pytest.LogCaptureFixture
) -> None:
    async with make_pools(replace(NARROW, missing="Install it.")) as pools:
        pools.start_soon("narrow")
        await pools._started_soon["narrow"]
        assert "did not start" not in caplog.text


async def test_closing_waits_for_no_kind_that_is_still_starting(
    make_pools: MakePools, until: Callable[[Callable[[], object]], Awaitable[None]]
) -> None:
    before = zygotes()
    async with make_pools() as pools:
        others = zygotes()
        pools.start_soon("narrow")
        waiting = asyncio.create_task(pools.of("narrow", soon()))
        await until(lambda: len(zygotes()) > len(others))
        [starting] = set(zygotes()) - set(others)
        starting.suspend()
    await asyncio.wait([waiting])
    assert waiting.cancelled()
    assert len(zygotes()) == len(before)


async def test_a_kind_that_starts_with_the_service_and_cannot_keeps_it_from_starting(make_pools: MakePools) -> None:
    before = len(zygotes())
    with pytest.raises(ZygoteError):
        async with make_pools(replace(NARROW, profile="no such profile", on_first_use=False)):
            pass
    assert len(zygotes()) == before


async def test_an_operation_of_an_unknown_kind_is_told_before_anything_starts(make_pools: MakePools) -> None:
    with pytest.raises(ValueError, match="no such kind of worker: wide"):
        async with make_pools(NARROW, probe("nap", Kind(name="wide"))):
            pass


async def test_starting_removes_what_an_earlier_service_left(make_pools: MakePools, tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    for name in ("document-9.pdf", "document-text-9.pdf"):
        (tmp_path / "work" / name).write_bytes(b"%PDF-")
    async with make_pools():
        assert os.listdir(tmp_path / "work") == []  # noqa: PTH208  # names are enough
