"""Whatever JSON a caller sends as arguments, what the adapter signs is what dispatch verifies after the wire.

Ten thousand generated sets of arguments, signed by the adapter's own code and sent through Envoy. None of them fits
the action, so each must be refused as BAD_ARG: an UNAUTHENTICATED would mean that the two sides disagree about the
canonical form, an INTERNAL that one of them has broken.
"""

import asyncio
import json
import random
import time
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from mcp_adapter.dispatch_client import DispatchClient
from services.base import canonical
from services.base.channel import open_channel
from services.base.errors import PapermeshError
from services.base.signature import read_key_file
from services.base.signed_client import Person
from tests.e2e.support.adapter import Adapter
from tests.e2e.support.deployment import Deployment

COUNT = 10_000
COUNT_OVER_HTTP = 1_000
DRAWN = 2_000
DEEP, SHARE_DEEP, SHARE_OF_LISTS = 10, 0.1, 0.5
AT_ONCE = 50
SAFE = 2**53 - 1
PERSON = Person("local", f"00-{'1' * 32}-{'2' * 16}-01")

ODD_KEYS = st.sampled_from(
    (" ", ".", "a.b", "__proto__", "doc_ref.sha256", "\x00", "\n", '"', "\\", "제12조", "é", "e\u0301", "😀", "\ufffd")
)
TEXTS = st.text(max_size=12) | st.text(st.characters(min_codepoint=0x300, max_codepoint=0x36F), max_size=4) | ODD_KEYS
KEYS = ODD_KEYS | st.text(max_size=8) | st.text(st.characters(min_codepoint=0xE000), max_size=3)
NUMBERS = (
    st.integers(-SAFE, SAFE)
    | st.sampled_from([0, -0.0, 1.0, -1.0, SAFE, -SAFE, 0.1, 1e-7, 5e-324, 1e15 + 0.5, 333333333.33333329, 1e21 / 1e7])
    | st.floats(-float(SAFE), float(SAFE))
    | st.floats(-1e-5, 1e-5)
)
LEAVES = st.none() | st.booleans() | NUMBERS | TEXTS
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


def draw(strategy: st.SearchStrategy[Any], count: int) -> list[Any]:
    """That many values of a strategy, the same ones each time."""
    found: list[Any] = []

    @seed(2026)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(value: Any) -> None:
        found.append(value)

    collect()
    return found[:count]


def generate(count: int) -> list[dict[str, Any]]:
    """Arguments of calls, the same ones each time: drawn values under drawn keys, some at the bottom of a deep well.

    Drawing each set whole would take minutes; putting drawn values together takes none.
    """
    values, keys = draw(VALUES, DRAWN), draw(KEYS, DRAWN)
    chance = random.Random(2026)  # noqa: S311 - the same arguments each time
    found = []
    for _ in range(count):
        args = {chance.choice(keys): chance.choice(values) for _ in range(chance.randint(1, 4))}
        if chance.random() < SHARE_DEEP:
            for _ in range(chance.randint(1, DEEP)):
                args = {chance.choice(keys): [args] if chance.random() < SHARE_OF_LISTS else args}
        found.append(args)
    return found


@pytest.fixture(scope="module")
def generated() -> list[dict[str, Any]]:
    began = time.monotonic()
    found = generate(COUNT)
    for args in found:
        canonical.check_json(args)  # within the limits, which have tests of their own
    print(f"generated {len(found)} sets of arguments in {time.monotonic() - began:.1f} s")  # noqa: T201 - a figure
    return found


async def test_what_the_adapter_signs_is_what_dispatch_verifies(
    mesh: Deployment, generated: list[dict[str, Any]]
) -> None:
    outcomes: Counter[str] = Counter()
    wrong: list[dict[str, Any]] = []
    waiting = iter(generated)
    async with open_channel(mesh.stack.edge_address, mesh.tls_dir("adapter")) as channel:
        key = read_key_file(mesh.stack.key_file("adapter"))
        client = DispatchClient(channel, lambda: key, "laptop")

        async def call_in_turn() -> None:
            for args in waiting:
                try:
                    await client.invoke("PDF_METADATA", canonical.check_json(args), PERSON)
                except PapermeshError as error:
                    outcomes[error.code] += 1
                    if error.code != "BAD_ARG":
                        wrong.append(args)

        began = time.monotonic()
        await asyncio.gather(*(call_in_turn() for _ in range(AT_ONCE)))
    seconds = time.monotonic() - began
    print(f"sent {outcomes.total()} signed calls in {seconds:.1f} s: {dict(outcomes)}")  # noqa: T201 - a figure
    assert wrong == []
    assert outcomes == {"BAD_ARG": COUNT}


def test_what_a_caller_sends_as_json_is_what_dispatch_verifies(
    adapter: Adapter, generated: list[dict[str, Any]]
) -> None:
    for number, args in enumerate(generated[:COUNT_OVER_HTTP]):
        # Both ways to write a letter in JSON; they are the same letter.
        body = json.dumps({"action": "PDF_METADATA", "args": args}, ensure_ascii=number % 2 == 0)
        answer = adapter.invoke_raw(body.encode())
        assert answer.code == "BAD_ARG", (args, answer.body)
