from collections.abc import Iterator

import pytest

from tests.cluster.support.killer import Killer, killer
from tests.cluster.support.release import Release


@pytest.fixture(scope="session")
def killing(release: Release) -> Iterator[Killer]:
    with killer(f"{release.namespace}-killer", release.image) as killing:
        yield killing
