"""The calls that a server is serving, so that it can leave after the last of them and not with it."""

import asyncio


class UnderWay:
    """A count of calls, and a wait for its being nought."""

    def __init__(self) -> None:
        """Begins with none."""
        self._calls = 0
        self._none = asyncio.Event()
        self._none.set()

    @property
    def calls(self) -> int:
        """How many there are."""
        return self._calls

    def begin(self) -> None:
        """Counts a call that has come."""
        self._calls += 1
        self._none.clear()

    def end(self) -> None:
        """Counts it as ended."""
        self._calls -= 1
        if not self._calls:
            self._none.set()

    async def all_ended(self, limit_s: float) -> bool:
        """Waits until there are none.

        Args:
            limit_s: Seconds to wait at most.

        Returns:
            Whether there are none.
        """
        try:
            await asyncio.wait_for(self._none.wait(), limit_s)
        except TimeoutError:
            return False
        return True
