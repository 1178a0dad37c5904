"""StandinService: its methods, named as in the proto."""

import asyncio
import random
import string
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from services.base.actions import ActionTable
from services.base.call import Call
from services.base.errors import Code, PapermeshError
from services.base.results import answer
from tests.e2e.support.standins.diary import Diary

_LETTERS = string.ascii_letters + string.digits


class StandinServicer:
    """What the kit serves; `Fail`, whose codes the kit would never give, is `failing.Failing`."""

    def __init__(self, table: ActionTable, diary: Diary) -> None:
        self._responses = {action.name: action.response for action in table.actions.values()}
        self._diary = diary
        self._counts: Counter[str] = Counter()

    async def Slow(self, request: Any, call: Call) -> Any:
        async with self._written_down("Slow", request.key, call):
            await asyncio.sleep(request.seconds)
            return answer(self._responses["STANDIN_SLOW"](replica=self._diary.folder.name), call)

    async def Brief(self, request: Any, call: Call) -> Any:
        async with self._written_down("Brief", request.key, call):
            await asyncio.sleep(request.seconds)
            return answer(self._responses["STANDIN_BRIEF"](replica=self._diary.folder.name), call)

    async def Count(self, request: Any, call: Call) -> Any:
        return await self._count("Count", request, call)

    async def CountDocument(self, request: Any, call: Call) -> Any:
        return await self._count("CountDocument", request, call)

    async def Effect(self, request: Any, call: Call) -> Any:
        async with self._written_down("Effect", request.note, call):
            self._diary.write("effect", "Effect", request.note, call.timeout_s)
            await asyncio.sleep(request.ms / 1000)
            if request.fail:
                raise PapermeshError(Code(request.fail), "It was done, and the test wants it to fail all the same.")
            return answer(self._responses["STANDIN_EFFECT"](id=str(uuid.uuid4()), note=request.note), call)

    async def Big(self, request: Any, call: Call) -> Any:
        async with self._written_down("Big", request.seed, call):
            letters = random.Random(request.seed).choices(_LETTERS, k=request.size) if request.seed else "x"  # noqa: S311 - not a secret
            text = "".join(letters) if request.seed else "x" * request.size
            return answer(self._responses["STANDIN_BIG"](text=text), call)

    async def _count(self, method: str, request: Any, call: Call) -> Any:
        async with self._written_down(method, request.key, call):
            self._counts[request.key] += 1
            count = self._counts[request.key]
            await asyncio.sleep(request.ms / 1000)
            made = self._responses["STANDIN_COUNT"](key=request.key, count=count, replica=self._diary.folder.name)
            return answer(made, call)

    @asynccontextmanager
    async def _written_down(self, method: str, key: str, call: Call) -> AsyncIterator[None]:
        """Writes down how a call begins and how it ends."""
        self._diary.write("started", method, key, call.timeout_s)
        what = "failed"
        try:
            await asyncio.sleep(self._diary.delay_s)
            yield
            what = "finished"
        except asyncio.CancelledError:
            what = "cancelled"
            raise
        finally:
            self._diary.write(what, method, key, call.timeout_s)
