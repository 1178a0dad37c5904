"""Runs in a pod: 20 callers, for some seconds as fast as they can, or at a steady pace until they are told to stop.

    python callers_in_a_pod.py URL
    python callers_in_a_pod.py URL PER_SECOND CALLS

PAPERMESH_API_KEY is the key, /tmp/document.pdf a document of three pages. The first prints one JSON line with how many
calls a second were answered. The second prints {} when it begins and, when /tmp/stop is there and CALLS calls have been
made, what they met. A call that fails is made again, as a good client would; it stays lost.
"""

import asyncio
import json
import os
import secrets
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx

CALLERS = 20
MEASURED_S = 8.0
RETRY_WITHIN_S = 30.0
RETRY_PAUSE_S = 0.2
REACHED_WITHIN_S = 30.0
STOP = Path("/tmp/stop")  # noqa: S108 - of the pod
DOCUMENT = Path("/tmp/document.pdf")  # noqa: S108 - of the pod
PAGES = 3


class Callers:
    """Those who call."""

    def __init__(self, url: str, references: list[Any]) -> None:
        self.url = url
        self.references = references
        self.latencies_s: list[float] = []
        self.lost: list[dict[str, Any]] = []
        self.began = time.monotonic()

    @property
    def calls(self) -> int:
        return len(self.latencies_s) + len(self.lost)

    async def fast(self) -> float:
        """How many calls a second are answered when each caller waits for nothing but its answers."""
        end = time.monotonic() + MEASURED_S
        await asyncio.gather(*(self.call(number, 0, lambda: time.monotonic() < end) for number in range(CALLERS)))
        return self.calls / MEASURED_S

    async def paced(self, per_second: float, least: int) -> None:
        """Calls at a steady pace until told to stop."""
        pause = CALLERS / per_second
        going = lambda: self.calls < least or not STOP.exists()  # noqa: E731 - as short as that of `fast`
        await asyncio.gather(*(self.call(number, pause, going) for number in range(CALLERS)))

    async def call(self, number: int, pause_s: float, going: Any) -> None:
        """One caller, over connections that are kept."""
        async with client(self.url) as http:
            await asyncio.sleep(pause_s * number / CALLERS)
            while going():
                number += 1
                sent = time.monotonic()
                wrong = await self.ask(http, number)
                if not wrong:
                    self.latencies_s.append(time.monotonic() - sent)
                else:
                    ended = time.monotonic()
                    self.lost.append(
                        {
                            "at_s": round(ended - self.began, 2),
                            "took_s": round(ended - sent, 2),
                            "what": wrong,
                            "retried_s": await self.retry(http, number),
                        }
                    )
                await asyncio.sleep(max(0.0, sent + pause_s - time.monotonic()))

    async def retry(self, http: httpx.AsyncClient, number: int) -> float | None:
        """The seconds until the call was answered well after all; None when it never was."""
        began = time.monotonic()
        while time.monotonic() < began + RETRY_WITHIN_S:
            await asyncio.sleep(RETRY_PAUSE_S)
            if not await self.ask(http, number):
                return round(time.monotonic() - began, 1)
        return None

    async def ask(self, http: httpx.AsyncClient, number: int) -> str:
        """Makes a call, every second one past the cache. What was wrong with the answer; "" for nothing."""
        body = {"action": "PDF_METADATA", "args": {"doc_ref": self.references[number % len(self.references)]}}
        headers = {"Cache-Control": "no-cache"} if number % 2 else {}
        try:
            answer = (await http.post("/mcp/invoke", json=body, headers=headers)).json()
        except (httpx.TransportError, ValueError) as error:
            return type(error).__name__
        if not answer["ok"]:
            return str(answer["error"]["code"])
        return "" if answer["data"]["pages"] == PAGES else "WRONG"


def client(url: str) -> httpx.AsyncClient:
    """A client with the key."""
    headers = {"Authorization": f"Bearer {os.environ['PAPERMESH_API_KEY']}"}
    return httpx.AsyncClient(base_url=url, headers=headers, timeout=30, trust_env=False)


async def upload(url: str) -> list[Any]:
    """Eight documents that differ, and the references to them."""
    content = DOCUMENT.read_bytes()
    end = time.monotonic() + REACHED_WITHIN_S
    async with client(url) as http:
        while True:  # the network may open for a new pod a moment after it has started
            try:
                await http.get("/readyz")
                break
            except httpx.TransportError:
                if time.monotonic() > end:
                    raise
            await asyncio.sleep(RETRY_PAUSE_S)
        answers = [await http.post("/documents", content=content + secrets.token_bytes(8)) for _ in range(8)]
    return [answer.json()["data"]["doc_ref"] for answer in answers]


async def main() -> None:
    url, *pace = sys.argv[1:]
    STOP.unlink(missing_ok=True)
    callers = Callers(url, await upload(url))
    if not pace:
        say({"capacity": await callers.fast()})
        return
    per_second, least = pace
    say({})
    callers.began = time.monotonic()
    await callers.paced(float(per_second), int(least))
    ordered = sorted(callers.latencies_s)
    say(
        {
            "calls": callers.calls,
            "seconds": time.monotonic() - callers.began,
            "median_ms": ordered[len(ordered) // 2] * 1000,
            "p99_ms": ordered[int(len(ordered) * 0.99)] * 1000,
            "codes": Counter(each["what"] for each in callers.lost),
            "lost": callers.lost,
        }
    )


def say(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main())
