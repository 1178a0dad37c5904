"""The places at work, one per document that may be read at a time, and the requests that take turns for them.

There is room for so many requests. When it is full, a new one is refused at once instead of waiting in vain for its
deadline, unless somebody with a longer line must give way (`turns.py`).
"""

import asyncio

from services.base.errors import PapermeshError
from services.base.flow import Flow
from services.pdf.processes import outcomes
from services.pdf.processes.turns import Request, Turns


class FairQueue:
    """A number of places, and the requests that wait for them; while one is free, nobody waits."""

    def __init__(self, size: int, limit: int) -> None:
        """`size` places, for which at most `limit` requests wait, not counting those already admitted."""
        self.free = size
        """Free places."""

        self._limit = limit
        self._counted = 0
        """Requests that wait and take room."""

        self._turns = Turns()

    @property
    def waiting(self) -> int:
        """Requests that wait for a place."""
        return len(self._turns)

    async def take(self, flow: Flow, deadline: float, *, admitted: bool = False) -> None:
        """Takes a place, once it is the flow's turn; `give` gives it back.

        Raises TIMEOUT after `deadline` (of the loop's clock), and RATE_LIMIT as soon as there is no room, unless the
        request was `admitted` before: a document that is read in parts is not refused halfway.
        """
        if self.free:
            self.free -= 1
            self._turns.begin(flow)
            return
        loop = asyncio.get_running_loop()
        request = Request(flow, loop.create_future(), counted=not admitted)
        if request.counted:
            self._make_room(flow)
            self._counted += 1
        self._turns.add(request)
        timer = loop.call_at(deadline, self._end, request, outcomes.no_worker_in_time())
        try:
            await request.turn
        except asyncio.CancelledError:
            if request.turn.done() and not request.turn.cancelled() and request.turn.exception() is None:
                self.give(flow)  # it came at the same moment
            raise
        finally:
            timer.cancel()
            self._leave(request)

    def give(self, flow: Flow) -> None:
        """Takes a place back from a flow, and gives it to whoever is next."""
        self._turns.end(flow)
        while request := self._turns.next():
            if request.turn.done():  # its caller left in this very turn of the loop
                self._turns.end(request.flow)
                continue
            request.turn.set_result(None)
            return
        self.free += 1

    def refuse(self, error: PapermeshError) -> None:
        """Ends all waits with an error."""
        while request := self._turns.next():
            self._turns.end(request.flow)
            self._end(request, error)

    def _make_room(self, flow: Flow) -> None:
        if self._counted < self._limit:
            return
        last = self._turns.gives_way(flow)
        if last is None:
            raise outcomes.busy()
        self._end(last, outcomes.busy())

    def _end(self, request: Request, error: PapermeshError) -> None:
        if not request.turn.done():
            request.turn.set_exception(error)
        self._leave(request)

    def _leave(self, request: Request) -> None:
        """Takes a request out of the line, and frees its room; may be called more than once."""
        self._turns.remove(request)
        if request.counted:
            request.counted = False
            self._counted -= 1
