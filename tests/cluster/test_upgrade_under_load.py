"""An upgrade of a release in use: new image, chart and configuration; all but Redis is replaced, services join."""

import sys

import pytest

from tests.cluster.conftest import Upgraded
from tests.cluster.support.load import CALLS

pytestmark = pytest.mark.timeout(900)


def test_no_call_is_lost_while_every_pod_is_replaced(upgraded: Upgraded) -> None:
    sys.stdout.write(f"\nupgrade, ready after {upgraded.seconds:.0f} s: {upgraded.load.figures()}\n")
    assert upgraded.load.lost == []
    assert upgraded.load.calls >= CALLS


def test_every_pod_but_those_of_redis_was_replaced(upgraded: Upgraded) -> None:
    assert upgraded.kept == {"redis-state", "redis-cache"}


def test_the_new_chart_and_the_new_image_are_what_runs(upgraded: Upgraded) -> None:
    assert upgraded.chart == upgraded.wanted_chart
    assert upgraded.release.image in upgraded.images
    assert upgraded.old_image not in upgraded.images


def test_the_load_outlasted_the_upgrade(upgraded: Upgraded) -> None:
    assert upgraded.load.seconds >= upgraded.seconds
