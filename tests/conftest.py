import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

import services.base  # noqa: F401 - before grpc, as every part does

# Many examples of each are worth less than a suite that is run often; the machine may be busy, so none has a deadline.
settings.register_profile("papermesh", max_examples=50, deadline=None)
settings.load_profile("papermesh")

# A shell's background job is born deaf to SIGINT, and so would be what the tests start and end with it.
signal.signal(signal.SIGINT, signal.default_int_handler)

ROOT = Path(__file__).resolve().parents[1]

# These need a cluster with an image of this version; `make cluster-test` has both, and runs them.
collect_ignore = [] if os.environ.get("PAPERMESH_CLUSTER_IMAGE") else ["cluster"]


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
