"""Two of each part under load: a rolling restart loses no call, and a killed part costs errors that a retry mends."""

import itertools
import os
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.e2e.support.deployment import RATES_OUT_OF_THE_WAY, Deployment, deployed
from tests.e2e.support.load import Load, load
from tests.e2e.support.waiting import eventually

pytestmark = [pytest.mark.soak, pytest.mark.measures_time]

SOAK_S = 60
"""Seconds that each test lasts at least under `make soak`; otherwise each part has its turn once."""

PARTS = ("dispatch", "dispatch-2", "pdf", "pdf-2", "adapter", "adapter-2")
ENOUGH = 10
"""Calls between two disturbances, so that every one of them meets load."""


@pytest.fixture(scope="module")
def doubled_mesh(good_document: Path) -> Iterator[Deployment]:
    replicas = {"dispatch": 2, "pdf": 2, "adapter": 2}
    with deployed(good_document, replicas=replicas, **RATES_OUT_OF_THE_WAY, PAPERMESH_PDF_WORKERS="1") as deployment:
        yield deployment


@pytest.fixture
def mesh(doubled_mesh: Deployment) -> Deployment:
    """Two of each, all of which answer."""
    for name in PARTS:
        doubled_mesh.stack.part(name).start()
    doubled_mesh.stack.wait_until_ready()
    return doubled_mesh


def turns() -> Iterator[str]:
    """Each part once; again and again for a minute under `make soak`."""
    end = time.monotonic() + (SOAK_S if os.environ.get("PAPERMESH_SOAK") else 0)
    for name in itertools.chain(PARTS, itertools.cycle(PARTS)):
        yield name
        if name == PARTS[-1] and time.monotonic() > end:
            return


def more_calls(met: Load) -> None:
    """Waits until the callers have made some more calls."""
    before = met.calls
    eventually(lambda: met.calls >= before + ENOUGH, 30, "more calls")


def test_a_rolling_restart_of_every_part_loses_no_call(mesh: Deployment) -> None:
    restarts = 0
    with load(mesh) as met:
        for name in turns():
            more_calls(met)
            mesh.stack.restart(name)
            restarts += 1
        more_calls(met)

    print(f"rolling restart: {restarts} restarts, {met.figures()}")  # noqa: T201 - a figure
    assert [str(failure) for failure in met.failures] == []
    mesh.must_still_work()
    mesh.must_have_met_no_bug()


def test_a_killed_part_costs_calls_that_work_when_they_are_made_again(mesh: Deployment) -> None:
    costs: Counter[str] = Counter()
    kills = 0
    with load(mesh) as met:
        for name in turns():
            more_calls(met)
            before = len(met.failures)
            mesh.stack.part(name).kill()
            more_calls(met)
            mesh.stack.part(name).start()
            mesh.stack.wait_until_ready()
            kills += 1
            more_calls(met)
            cost = met.failures[before:]
            costs[name] += len(cost)
            assert all(failure.transient for failure in cost), cost
            assert "adapter" in name or all(failure.answered for failure in cost), "only an adapter has connections"

    print(f"kill -9: {kills} kills, {met.figures()}; by part {dict(costs)}")  # noqa: T201 - a figure
    assert all(failure.tries for failure in met.failures), [str(failure) for failure in met.failures]
    mesh.must_still_work()


def test_both_adapters_accept_connections_and_say_themselves_that_they_are_ready(mesh: Deployment) -> None:
    pids = [mesh.stack.part(name).pid for name in ("adapter", "adapter-2")]
    with load(mesh) as met:
        eventually(lambda: met.calls > 100, 60, "a hundred calls")
        served = [len(psutil.Process(pid).net_connections("tcp")) for pid in pids]
    assert min(served) > 1, "besides the one to Envoy"
