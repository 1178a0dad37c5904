"""A mesh with the stand-in beside pdf, for tests that need a service to be slow, to fail, or to count.

    @pytest.fixture(scope="module")
    def standins(good_document: Path) -> Iterator[Standins]:
        with deployed_with_standins(good_document, replicas={"standin": 2, "dispatch": 2}) as standins:
            yield standins

    def test_fifty_equal_calls_compute_once(standins: Standins) -> None:
        ... standins.mesh.adapter.invoke("STANDIN_COUNT", {"key": key, "ms": 200}) ...
        assert len(standins.events("started", key=key)) == 1

What it can be asked stands in standin_service.proto. Give each test a key of its own, and it sees its own calls alone.
`told` makes a replica fail or dawdle, and `standins.mesh.stack.part("standin-2").kill(signal.SIGSTOP)` makes it hang.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import grpc
import httpx

from deploy.local import replicas as replica_counts
from deploy.workloads import SERVICES
from tests.e2e.support.deployment import RATES_OUT_OF_THE_WAY, Deployment, deployed
from tests.e2e.support.standins.contract import WORKLOAD, entry
from tests.e2e.support.standins.diary import Diary, Event


@dataclass(frozen=True)
class Standins:
    """The replicas of the stand-in, and the mesh around them."""

    mesh: Deployment
    diaries: Mapping[str, Diary]
    """By the name of the part, "standin", "standin-2"."""

    def events(self, what: str = "", *, key: str | None = None, replica: str | None = None) -> list[Event]:
        """What happened to calls so far, oldest first.

        Args:
            what: One kind of event; all of them when left out.
            key: One key's; everybody's when left out.
            replica: One replica's; those of all when left out.
        """
        diaries = self.diaries.values() if replica is None else [self.diaries[replica]]
        found = [event for diary in diaries for event in diary.events()]
        wanted = (event for event in found if what in ("", event.what) and key in (None, event.key))
        return sorted(wanted, key=lambda event: event.at)

    def work(self) -> bool:
        """Whether a call reaches one and is answered."""
        try:
            return self.mesh.adapter.invoke("STANDIN_SLOW", {"seconds": 0}).ok
        except httpx.TransportError:
            return False

    @contextmanager
    def told(self, replica: str, *, fail: grpc.StatusCode | None = None, delay_s: float = 0) -> Iterator[None]:
        """Has one replica fail STANDIN_FAIL or be slow, for as long as the block lasts.

        Args:
            replica: "standin-2".
            fail: The code that STANDIN_FAIL ends with there.
            delay_s: How long every call takes there before anything else.
        """
        self.diaries[replica].tell(fail=fail, delay_s=delay_s)
        try:
            yield
        finally:
            self.diaries[replica].tell()


@contextmanager
def deployed_with_standins(
    good_document: Path, *, replicas: Mapping[str, int] | None = None, **settings: str
) -> Iterator[Standins]:
    """A mesh with the stand-in for as long as the block lasts; no rate is in the way unless settings say so.

    Args:
        good_document: A document of three pages with which nothing is wrong.
        replicas: How many of each part, {"standin": 2}; one of those that it leaves out.
        settings: PAPERMESH_ variables of every part.
    """
    with TemporaryDirectory(prefix="papermesh-standin-") as folder:
        standin = entry(Path(folder))
        own = {"PAPERMESH_STANDIN_DESCRIPTORS": str(standin.descriptors[0])}
        everything = {**RATES_OUT_OF_THE_WAY, **settings, **own}
        with deployed(good_document, services=(*SERVICES, standin), replicas=replicas, **everything) as mesh:
            numbers = replica_counts.numbers(replicas or {}, WORKLOAD)
            names = [replica_counts.name(WORKLOAD, number) for number in numbers]
            yield Standins(mesh, {name: Diary(mesh.stack.folders.work(name)) for name in names})
