"""Our parser and h11 read the same requests in the same bytes, however these are cut; or ours refuses them."""

import os
from collections import Counter
from collections.abc import Iterator
from random import Random

import pytest
import uvloop

from tests.mcp_adapter.parsing.readers import Ours, Reading, read_by_h11
from tests.mcp_adapter.parsing.streams import Stream, Streams

SEED = 9112
STREAMS = 50_000 if os.environ.get("PAPERMESH_SOAK") else 5_000


def cuttings(data: bytes, random: Random) -> Iterator[list[bytes]]:
    """The bytes in one piece, cut at every byte, and cut at one to four places."""
    yield [data]
    yield [data[place : place + 1] for place in range(len(data))]
    places = sorted(random.sample(range(len(data) + 1), random.randint(1, min(4, len(data)))))
    yield [data[begin:end] for begin, end in zip([0, *places], [*places, len(data)], strict=True) if begin < end]


def difference(stream: Stream, ours: Reading, theirs: Reading) -> str:
    """What is wrong with our reading of a stream; "" for nothing. We may end a connection earlier than h11 would."""
    served = len(ours.requests)
    if ours.requests != theirs.requests[:served]:
        return "other requests"
    if served < max(stream.plain, 0 if ours.ended else len(theirs.requests)):
        return "requests are missing"
    if theirs.ended and not ours.ended:
        return "something is let in that h11 refuses"
    return ""


async def _differences(counts: Counter[str]) -> list[str]:
    """Every difference found in so many streams."""
    streams, random, ours = Streams(SEED), Random(SEED), Ours()  # noqa: S311 - so that a failure can be seen again
    found = []
    for number in range(STREAMS):
        stream = streams.next()
        theirs = read_by_h11(stream.data)
        whole, *cut = [await ours.read(pieces) for pieces in cuttings(stream.data, random)]
        wrong = difference(stream, whole, theirs) or (
            "another reading at another cut" if any(each != whole for each in cut) else ""
        )
        if wrong:
            found.append(f"stream {number}, {wrong}:\n  {stream.data!r}\n  ours {whole}\n  cut {cut}\n  h11 {theirs}")
        counts["plain" if stream.plain else "odd"] += 1
        counts["refused by ours alone" if len(whole.requests) < len(theirs.requests) else "alike"] += 1
    return found


@pytest.mark.long
@pytest.mark.soak
@pytest.mark.timeout(3600 if STREAMS > 5_000 else 300)
def test_what_we_read_is_what_h11_reads_at_every_cut() -> None:
    counts: Counter[str] = Counter()
    found = uvloop.run(_differences(counts))
    print(f"{STREAMS} streams: {dict(counts)}, {len(found)} differences")  # noqa: T201 - what `make soak` shows
    assert not found, "\n".join(found[:5])
