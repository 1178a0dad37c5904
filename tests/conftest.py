import logging
import os
import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

import services.base  # noqa: F401 - before grpc, as every part does
from benchmarks import free_ports

# Many examples of each are worth less than a suite that is run often; the machine may be busy, so none has a deadline.
settings.register_profile("papermesh", max_examples=50, deadline=None)
settings.load_profile("papermesh")

# A shell's background job is born deaf to SIGINT, and so would be what the tests start and end with it.
signal.signal(signal.SIGINT, signal.default_int_handler)

TESTS = Path(__file__).resolve().parent
ROOT = TESTS.parent

LONG = (TESTS / "e2e", TESTS / "docs", TESTS / "deploy" / "helm")
"""Folders whose tests need Go's programs, or take minutes together."""

# A port is free until somebody listens on it. Two processes of tests that look for one at the same time must not find
# the same, so each looks in a part of its own; the gap between them is for replicas, which listen up to 200 higher.
if "PYTEST_XDIST_WORKER" in os.environ:
    _count = int(os.environ["PYTEST_XDIST_WORKER_COUNT"])
    _share = len(free_ports.FREE) // _count
    # One that takes the place of a worker that crashed has a number beyond the others'.
    _first = _share * (int(os.environ["PYTEST_XDIST_WORKER"].removeprefix("gw")) % _count)
    free_ports.FREE = free_ports.FREE[_first : _first + _share - 200]

# These need a cluster with an image of this version; `make cluster-test` has both, and runs them.
collect_ignore = [] if os.environ.get("PAPERMESH_CLUSTER_IMAGE") else ["cluster"]


def _is_of_this_test(record: logging.LogRecord) -> bool:
    """False for a late event of a test that has ended. grpc.aio polls once for a whole process, whatever loop runs:
    what arrives for a loop that is closed is reported in the next test's, whose log is about something else."""
    error = record.exc_info[1] if record.exc_info else None
    return not (isinstance(error, RuntimeError) and "PollerCompletionQueue" in record.getMessage())


logging.getLogger("asyncio").addFilter(_is_of_this_test)

# A crowd of connections is more files than an ordinary user's process has at first.
resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leaves long tests' modules unread where none of them runs: to read some, there must be a helm."""
    return True if collection_path in LONG and config.getoption("markexpr") == "not long" else None


@pytest.hookimpl(tryfirst=True)  # before pytest chooses by marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if any(item.path.is_relative_to(folder) for folder in LONG):
            item.add_marker(pytest.mark.long)


@pytest.fixture(scope="module")
def power_stays() -> Iterator[None]:
    """Waits for no disk, which is most of what writing hundreds of certificates takes: no test cuts the power."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _file: None)
        yield


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of other people's documents, which lies beside the repository and is no part of it.

    PAPERMESH_CORPUS names another place. Whoever does not have them runs everything else; CI must have them.
    """
    folder = Path(os.environ.get("PAPERMESH_CORPUS", ROOT / ".." / "shared" / "corpus")).resolve()
    if folder.is_dir():
        return folder
    missing = f"The sample documents are missing: {folder} is no folder. PAPERMESH_CORPUS may name one."
    if os.environ.get("CI"):
        pytest.fail(missing, pytrace=False)
    pytest.skip(missing)
